"""The table of runs, the launcher, the first screen, and any number of runs side by side."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from lsr_app.reading import rundata
from lsr_app.screens.compare import comparetexts, comparing, figures
from lsr_app.screens.compare.comparing import Compared
from lsr_app.screens.runs import runtable, searching
from lsr_app.services import ownership, runs
from lsr_core.errors import InputError
from lsr_core.storage.runs import Run, RunStore
from tests.app import synthetic
from tests.app.conftest import Opener, html

SMALL = {"side": 8, "max_rank": 20}


def test_every_run_is_a_row_whose_numbers_are_numbers(store: RunStore) -> None:
    run = synthetic.complete(store, title="one", **SMALL)
    synthetic.unfinished(store, "failed", title="two")
    entries = runs.entries("cli")
    table = runtable.frame(entries, "cli")
    assert table["title"].tolist() == ["two", "one"]
    row = table.iloc[1]
    assert row["rank"] == run.summary.rank
    assert row["gain"] == pytest.approx(row["base"] / row["refined"], rel=5e-3)
    assert row["condition"] == run.summary.condition_number
    assert row["whose"] == "yours"
    assert table["state"].tolist() == ["Failed", "Complete"]


def test_search_finds_names_tags_notes_and_ids(store: RunStore) -> None:
    run = synthetic.complete(store, title="first try", **SMALL)
    ownership.annotate(run, "cli", [" paper ", "paper", ""], "with a smaller step")
    entry = runs.entries("cli")[0]
    assert entry.manifest.tags == ("paper",)
    for words in (
        "",
        "first",
        "TRY paper",
        "smaller",
        run.id[:8],
        "refinement complete",
        "first*try",
        "p?per",
        "tag:paper",
        "name:f*",
    ):
        assert searching.understood(words)[0](entry), words
    for words in ("first other", "tag:first", "fir?", "name:smaller", "[f]irst*", "state:failed", run.id[:3] + "zz"):
        assert not searching.understood(words)[0](entry), words


def test_search_compares_numbers_and_says_what_it_cannot_compare(store: RunStore) -> None:
    synthetic.complete(store, **SMALL)
    synthetic.unfinished(store, "failed", title="no numbers")
    failed, done = runs.entries("cli")
    assert done.gain is not None
    assert done.times == done.gain[0] / done.gain[1]
    for words, found in (("refined<1e9 gain>0", True), (f"rank>={done.rank}", True), (f"rank>{done.rank}", False)):
        matches, wrong = searching.understood(words)
        assert (matches(done), matches(failed), wrong) == (found, False, [])
    for words in ("gain>lots", "colour<3", "rank>nan"):
        matches, wrong = searching.understood(words)
        assert matches(failed)
        assert repr(words) in wrong[0]


def test_tags_are_the_owners(store: RunStore) -> None:
    run = synthetic.complete(store, **SMALL)
    with pytest.raises(InputError, match="only the browser that started a run"):
        ownership.annotate(run, "somebody", ["x"], "")
    ownership.annotate(run, "cli", ["x" * 100, *map(str, range(40))], "n" * 10_000)
    kept = Run(run.path).manifest
    assert len(kept.tags) == 20
    assert len(kept.tags[0]) == 40
    assert len(kept.note) == 4000


def test_the_page_of_runs_lists_all_and_opens_none_by_itself(store: RunStore, open_page: Opener) -> None:
    for place in range(3):
        synthetic.complete(store, title=f"run {place}", **SMALL)
    app = open_page("runs")
    assert len(app.dataframe[0].value) == 3
    assert app.button(key="open_chosen").disabled
    assert app.button(key="compare_chosen").disabled
    app.text_input(key="runs_search").set_value("run 1").run()
    assert app.dataframe[0].value["title"].tolist() == ["run 1"]
    assert any("1 of 3 runs" in caption.value for caption in app.caption)


def test_columns_are_chosen_in_any_order_and_shown_in_the_tables(store: RunStore, open_page: Opener) -> None:
    synthetic.complete(store, **SMALL)
    app = open_page("runs")
    app.button_group(key="runs_columns").set_value(["tags", "condition", "state"]).run()
    assert list(app.dataframe[0].value.columns) == ["title", "state", "tags", "condition"]


def test_the_first_screen_says_what_this_does_and_where_to_begin(
    store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = synthetic.complete(store, **SMALL)
    monkeypatch.setattr(runs, "shipped_store", lambda: store)
    app = open_page()
    assert "<ul class='lsr-what'>" in html(app)
    assert html(app).count("<h1") == 1
    links = [link.proto.label for link in app.get("page_link")]
    assert {"Try it on a sample", "Bring your own network"} <= set(links)
    assert app.query_params["run"] == run.id


def test_a_run_of_ones_own_has_no_welcome(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    assert "<ul class='lsr-what'>" not in html(open_page(run=run.id))


# Comparisons


def compared(store: RunStore, *factors: float, problems: tuple[str, ...] = ()) -> list[Compared]:
    """Runs whose errors are these factors of one another."""
    found = []
    for place, factor in enumerate(factors):
        data = rundata.read(synthetic.complete(store, title=f"run {place}", seed=place, **SMALL))
        errors = replace(data.sweep, test_relative_l2=data.sweep.test_relative_l2 * factor)
        refined = data.summary.refined.model_copy(
            update={"test_relative_l2": data.summary.refined.test_relative_l2 * factor}
        )
        data = replace(data, sweep=errors, summary=data.summary.model_copy(update={"refined": refined}), _grids={})
        found.append(Compared(f"run {place}", data, data.auto_rank, problems[place] if problems else "p"))
    return found


@pytest.mark.parametrize(
    "factors", [(1, 3), (5, 1, 2), (1, 1.01, 7), (1, 1.02), (2, 1, 4, 3, 9, 6, 8, 7, 5, 12, 11, 10)]
)
def test_the_sentence_about_the_difference_is_true(store: RunStore, factors: tuple[float, ...]) -> None:
    runs_ = compared(store, *factors)
    said = comparing.statement(runs_)
    order = np.argsort([one.errors[2] for one in runs_])
    values = sorted(one.errors[2] for one in runs_)
    if values[-1] <= 1.05 * values[0]:
        assert "within 5 % of each other" in said
    elif values[1] <= 1.05 * values[0]:
        assert "are level" in said
        assert all(f"run {place}" in said for place in order[:2])
    else:
        assert f"run {order[0]} has the smallest" in said
        times = float(re.search(r", ([\d.]+)× as large", said).group(1))  # type: ignore[union-attr]
        assert times == pytest.approx(values[1] / values[0], rel=0.06)


def test_runs_of_different_problems_are_not_ranked_but_warned_about(store: RunStore) -> None:
    said = comparing.statement(compared(store, 1, 3, problems=("p", "q")))
    assert "different problems" in said
    assert "smallest" not in said


def test_each_run_has_its_own_colour_and_its_own_rank(store: RunStore) -> None:
    runs_ = compared(store, *range(1, 11))
    runs_ = [replace(one, rank=one.run.ladder[place]) for place, one in enumerate(runs_)]
    picture = figures.errors(runs_)
    lines = [trace for trace in picture.figure.data if trace.mode == "lines" and trace.line.dash != "dash"]
    dots = [trace for trace in picture.figure.data if trace.mode == "markers"]
    assert len({trace.line.color for trace in lines}) == 10
    assert [int(trace.x[0]) for trace in dots] == [one.rank for one in runs_]
    assert [trace.marker.color for trace in dots] == [trace.line.color for trace in lines]


def test_only_settings_that_differ_are_listed(store: RunStore) -> None:
    one, other = compared(store, 1, 2)
    assert comparing.differences([one, other]) == []
    config = other.run.manifest.config.model_copy(update={"seed": 5, "damping": 1e-3})
    manifest = other.run.manifest.model_copy(update={"config": config})
    other = replace(other, run=replace(other.run, manifest=manifest, _grids={}))
    assert comparing.differences([one, other]) == [("Damping", "0", "0.001"), ("Seed", "0", "5")]


def test_a_refinement_alone_is_said_to_be_alone_only_where_it_is(store: RunStore, open_page: Opener) -> None:
    one, other = (synthetic.complete(store, side=12, max_rank=20, title=title) for title in ("one", "other"))
    alone = store.create(problem="noisy1d", config=one.manifest.config, owner="cli", title="alone")
    shutil.copytree(one.path, alone.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("run.json"))
    for run, said in ((alone, comparetexts.ALONE), (other, comparetexts.FEW)):
        app = open_page("compare", runs=run.id)
        assert [element.value for element in app.info] == [said]


@pytest.mark.parametrize("count", [2, 12])
def test_a_link_reproduces_a_comparison(count: int, store: RunStore, open_page: Opener) -> None:
    made = [synthetic.complete(store, title=f"run {place}", seed=place, **SMALL) for place in range(count)]
    rank = int(made[0].fields.ranks[3])
    named = ",".join([f"{made[0].id}@{rank}", *(run.id for run in made[1:])])
    app = open_page("compare", runs=named)
    assert not app.error
    assert app.query_params["runs"] == named
    assert len(app.multiselect[0].value) == count
    assert f"{rank:,} of 20" in html(app)
    assert len(app.get("plotly_chart")) == 1 + 1 + count


def test_what_an_address_of_a_comparison_gets_wrong_is_said(store: RunStore, open_page: Opener) -> None:
    made = [synthetic.complete(store, title=f"run {place}", seed=place, **SMALL) for place in range(2)]
    app = open_page("compare", runs=f"{made[0].id},nonsense,{made[1].id}@x,{made[1].id}")
    assert any("no run id" in warning.value for warning in app.warning)
    assert len(app.multiselect[0].value) == 2


def test_a_run_laid_over_another_stands_at_its_own_rank(store: RunStore, open_page: Opener) -> None:
    one, other = (synthetic.complete(store, rank=rank, seed=rank, **SMALL) for rank in (5, 14))
    app = open_page("rank", run=one.id, compare=other.id, rank=9)
    own = rundata.read(other).auto_rank
    assert any(f"at its own rank {own}" in caption.value for caption in app.caption)
