"""Export: the refined predictor, its predictions, the record of the run, and how to use each."""

from __future__ import annotations

import streamlit as st

from lsr_app.screens.export import SCREEN, exports, exporttexts
from lsr_app.shell import guards, show
from lsr_app.words import formats
from lsr_core.storage.runs import Run

now, data = guards.need_run(SCREEN)
run, rank = now.run, now.rank
assert run is not None
opened: Run = run
at_choice = exports.given(opened, "predictor", lambda: exports.predictor_at_choice(opened))
chosen = data.summary.rank
label, _, base, refined = data.headline(rank)
stem = exporttexts.file_stem(data.about.name)
std = exports.with_deviations(opened, rank)
show.headline(
    [
        show.before_after(label, base, refined),
        show.rank_item(data, rank),
        ("Size of the run", formats.size(run.size()), "problem and results together"),
    ]
)
kept, own = exports.withheld(opened), exports.is_own(opened)
if kept:
    st.info(exporttexts.withheld(kept, opened.id), icon=":material/info:")
for reason in exports.refused(opened):
    st.error(formats.markdown(reason), icon=":material/error:")


@st.fragment(run_every=1.0 if exports.progress(opened, rank) == "working" else None)
def other_rank() -> None:
    """The predictor at a ladder rank whose step has to be rebuilt first."""
    state = exports.progress(opened, rank)
    if state == "ready":
        st.download_button(
            f"Refined predictor at rank {rank:,}", data=exports.given(opened, "other", lambda: exports.contents(opened, rank)), type="primary",
            file_name=f"{stem}-rank{rank}.safetensors", on_click="ignore", key="predictor_other", disabled=bool(kept), icon=":material/download:",
        )  # fmt: skip
        return
    if state == "working":
        st.progress(1.0, text=exporttexts.making(exporttexts.REBUILDING, exports.before(opened, rank)))
        return
    if state:
        st.error(formats.markdown(state), icon=":material/error:")
    st.caption(exporttexts.rebuild_note(chosen, formats.seconds(data.summary.seconds)))
    if st.button(f"Rebuild the step at rank {rank:,}", key="rebuild", disabled=bool(kept), icon=":material/autorenew:"):
        exports.begin(opened, rank, owner=now.owner)


left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
with left:
    show.section("Refined predictor", exporttexts.FORMS["predictor"].help, apart=False)
    if rank == chosen:
        st.download_button(
            f"Refined predictor at rank {chosen:,}", data=at_choice, type="primary",
            file_name=f"{stem}-rank{chosen}.safetensors", on_click="ignore", key="predictor", disabled=bool(kept), icon=":material/download:",
        )  # fmt: skip
    else:
        other_rank()
        st.download_button(
            f"The one at rank {chosen:,}, at once", data=at_choice,
            file_name=f"{stem}-rank{chosen}.safetensors", on_click="ignore", key="predictor", disabled=bool(kept), icon=":material/download:",
        )  # fmt: skip
with right:
    st.code(
        exporttexts.code_form("predictor", f"{stem}-rank{rank}.safetensors", data.dimension, std, own=own),
        language="python",
        wrap_lines=True,
    )

form = st.session_state.get("form") or exporttexts.OTHERS[0]


@st.fragment(run_every=1.0 if exports.progress(opened, rank, form) == "working" else None)
def other_form() -> None:
    """A file of the selected form: made on request, given out once it has passed its check."""
    name, suffix = exporttexts.FORMS[form].label, exporttexts.FORMS[form].suffix
    st.caption(exporttexts.FORMS[form].help)
    state = exports.progress(opened, rank, form)
    if state == "ready":
        st.download_button(
            f"{name} at rank {rank:,}", data=exports.given(opened, form, lambda: exports.contents(opened, rank, form)), key="form_file",
            file_name=f"{stem}-rank{rank}{suffix}", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        st.caption(formats.markdown(exports.note(opened, rank, form)))
        return
    if state == "working":
        st.progress(1.0, text=exporttexts.making(exporttexts.EXPORT_MAKING, exports.before(opened, rank, form)))
        return
    if state:
        st.error(formats.markdown(state), icon=":material/error:")
    if st.button(f"Make it at rank {rank:,}", key="form_make", disabled=bool(kept) and form != "report"):
        exports.begin(opened, rank, form, now.owner)


show.section("Without this program", exporttexts.EXPORT_OTHERS, apart=False)
st.segmented_control(
    "Form", exporttexts.OTHERS, format_func=lambda key: exporttexts.FORMS[key].label, key="form",
    default=form if "form" not in st.session_state else None, label_visibility="collapsed",
)  # fmt: skip
left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
with left:
    other_form()
with right:
    if code := exporttexts.code_form(
        form, f"{stem}-rank{rank}{exporttexts.FORMS[form].suffix}", data.dimension, std, own=own
    ):
        st.code(code, language="python", wrap_lines=True)

left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
with left:
    show.section("Predictions", exporttexts.export_predictions(len(data.fields.inputs), data.shown_split), apart=False)
    st.download_button(
        f"Predictions at rank {rank:,}", data=lambda: exports.predictions(data, rank), mime="text/csv",
        file_name=f"{stem}-rank{rank}.csv", on_click="ignore", key="predictions", icon=":material/download:",
    )  # fmt: skip
with right:
    st.code(exporttexts.code_predictions(f"{stem}-rank{rank}.csv"), language="python", wrap_lines=True)

left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
with left:
    show.section("Record of the run", exporttexts.EXPORT_RECORD, apart=False)
    st.download_button(
        "Run as JSON", data=lambda: exports.record(opened), mime="application/json", file_name=f"{stem}-run.json",
        on_click="ignore", key="record", icon=":material/download:",
    )  # fmt: skip
with right:
    st.code(exporttexts.code_record(f"{stem}-run.json"), language="python", wrap_lines=True)
show.section("The same from the command line")
st.code(exporttexts.code_commands(run.id), language="bash", wrap_lines=True)
