"""A run as one HTML file that needs neither this program nor the network: figures, numbers, settings, made from what the run stored."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from lsr_app.plots import lines, maps, paths, ranks, scales, smoothing, theme
from lsr_app.plots.base import Picture
from lsr_app.plots.fields import known_fields
from lsr_app.reading import outputdata, rundata
from lsr_app.reading.rundata import RunData
from lsr_app.words import figuretexts, formats, smoothingtexts, texts, verdicttexts
from lsr_app.words.wording import Words
from lsr_core.errors import InputError
from lsr_core.refinement.smoothing_record import SmoothingCurves
from lsr_core.storage import atomic
from lsr_core.storage.runs import Run

MAX_DATA_BYTES = 10**6  # beside the plot library
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_DRAW = """
for (const holder of document.querySelectorAll("[data-figure]")) {
  const figure = JSON.parse(document.getElementById(holder.dataset.figure).textContent);
  Plotly.newPlot(holder, figure.data, figure.layout, {displaylogo: false, responsive: true});
}
"""


def write_report(run: Run, rank: int, path: Path) -> str:
    """Write the report of a complete run, its figures at a rank of the ladder; returns a sentence about the file.

    Raises:
        InputError: the run is incomplete or damaged, or the rank is not one that it holds fields of.
    """
    data = rundata.read(run)
    if rank not in data.ladder:
        raise InputError(f"is {rank}; fields are stored at ranks {', '.join(map(str, data.ladder))}", key="rank")
    text, n_bytes, left_out = report(data, rank, run.smoothing)
    atomic.write_text(path, text)
    missing = f" Left out for their size: {', '.join(left_out)}." if left_out else ""
    return f"One page that works offline: {n_bytes / 1e3:,.0f} kB of data beside the plot library.{missing}"


def report(data: RunData, rank: int, smoothed: SmoothingCurves | None = None) -> tuple[str, int, list[str]]:
    """The page, its bytes beside the plot library, and the titles of figures that did not fit in `MAX_DATA_BYTES`."""
    body, left_out, spent = [_head(data, rank)], [], 0
    for place, (key, pictures) in enumerate(_figures(data, rank, smoothed)):
        words = figuretexts.FIGURES[key]
        drawn = [(name, picture, _json(picture)) for name, picture in pictures]
        size = sum(len(text.encode()) for *_, text in drawn)
        if spent + size > MAX_DATA_BYTES * 9 // 10:
            left_out.append(words.title)
            continue
        spent += size
        body.append(_section(f"figure{place}", words, drawn))
    if left_out:
        body.append(f"<p class='muted'>{_safe('Left out for their size: ' + ', '.join(left_out))}</p>")
    body.append(_table("Settings", data.manifest.config.model_dump(mode="json")))
    made = {"run": data.id, "problem": data.about.name, "network": data.about.architecture}
    body.append(_table("Origin", made | dict(data.manifest.environment)))
    body.append(f"<script>{_DRAW}</script>")
    own = "".join(body)
    before = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<meta http-equiv='Content-Security-Policy' content=\"{_POLICY}\"><title>{_safe(data.about.title)}</title>"
        f"<style>{_STYLE}</style>"
    )
    page = f"{before}<script>{get_plotlyjs()}</script></head><body><main>{own}</main></body></html>\n"
    return page, len((before + own).encode()), left_out


def _head(data: RunData, rank: int) -> str:
    label, _, base, refined = data.headline(rank)
    summary = data.summary
    worst = outputdata.worst(data, rank)
    pairs = [(label, base, refined)]
    pairs += [] if worst is None else [(texts.worst_output(worst.name), worst.network, worst.refined)]
    numbers = (
        *((name, f"{formats.error(old)} → {formats.error(new)}", formats.factor(old, new)) for name, old, new in pairs),
        ("Rank", f"{rank:,}", f"of {data.sweep.max_rank:,}, chosen by the run: {summary.rank:,}"),
        *(smoothingtexts.numbers(summary) if summary.regularisation and rank == summary.rank else ()),
        ("Refined in", formats.seconds(summary.seconds), f"peak memory {formats.size(summary.peak_rss_bytes)}"),
        ("Parameters", f"{summary.n_params_total:,}", f"{summary.n_residuals:,} residual rows"),
    )  # fmt: skip
    cells = "".join(
        f"<div><small>{_safe(label)}</small><b>{_safe(value)}</b><small>{_safe(remark)}</small></div>"
        for label, value, remark in numbers
    )
    about = f"<h1>{_safe(data.about.title)}</h1><p class='muted'>{_safe(data.about.description)}</p>"
    said = (
        f"<p>{_safe(smoothingtexts.sentence(summary))}</p>" if summary.regularisation and rank == summary.rank else ""
    )
    return about + f"<div class='numbers'>{cells}</div>" + said + _verdict(data, rank) + _outputs(data, rank)


def _outputs(data: RunData, rank: int) -> str:
    """The error of each output, where there are several."""
    rows = outputdata.outputs(data, rank)
    if not rows:
        return ""
    head = "".join(f"<th>{_safe(name)}</th>" for name in texts.OUTPUT_COLUMNS)
    body = "".join(
        f"<tr><td>{_safe(row.name)}</td><td>{formats.error(row.size)}</td><td>{formats.error(row.network)}</td>"
        f"<td>{formats.error(row.refined)}</td></tr>"
        for row in rows
    )
    table = f"<table><tr>{head}</tr>{body}</table><p class='muted'>{_safe(texts.OUTPUT_CAPTION)}</p>"
    return f"<section><h2>{_safe(texts.OUTPUT_TITLE)}</h2>{table}</section>"


def _verdict(data: RunData, rank: int) -> str:
    found = data.summary.verdict
    notes = "".join(f"<p class='muted'>{_safe(note)}</p>" for note in data.summary.notes)
    if found is None:
        return notes
    evidence = "".join(f"<li>{_safe(texts.begun(item.sentence))}</li>" for item in found.evidence)
    head = f"<b>{_safe(texts.begun(found.sentence))}</b> <small>{_safe(verdicttexts.confidence(found))}</small>"
    hints = (verdicttexts.of_rank(found, rank), verdicttexts.untested(found))
    more = "".join(f"<p class='muted'>{_safe(words)}</p>" for words in hints if words)
    return (
        f"<section class='verdict'><p>{head}</p><ul>{evidence}</ul><p>{_safe(found.advice)}</p>{more}</section>{notes}"
    )


def _figures(
    data: RunData, rank: int, smoothed: SmoothingCurves | None
) -> Iterator[tuple[str, list[tuple[str, Picture]]]]:
    """Key of the words, and the panels; those that say most come first, for size may leave out the last."""
    runs, at = [(data.about.title, data)], [rank]
    yield (
        data.errors_words,
        [("", ranks.errors(runs, at, measure="relative_l2" if data.has_reference else "mse"))],
    )
    if smoothed is not None and (banded := smoothing.at_own_strength(data, smoothed, rank)) is not None:
        key, picture = banded
        yield key, [("", picture)]
        if smoothing.has_calibration(smoothed):
            yield "calibration", [("", smoothing.calibration(smoothed))]
    yield "spectrum", [("", ranks.spectrum(runs, at))]
    yield "loss_path", [("", paths.losses(runs, at))]
    if not data.has_reference:
        if found := known_fields(runs, at, 0):
            yield "known_fields", found
    elif data.dimension == 1:
        yield "headline_lines", [("", lines.values(runs, at, 0, lines.cut(data, 0, 0.5)))]
        yield "curve_errors", [("", lines.errors(runs, at, 0, lines.cut(data, 0, 0.5)))]
    elif data.dimension == 2:
        errors = {"network_error": data.network_error(0), "refined_error": data.refined_error(rank, 0)}
        limits = scales.decades(*errors.values(), rounding=maps.rounding_of(data))
        truth = maps.field(data, data.fields.targets[:, 0], data.truth_name, maps.shared_limits(data, 0))
        yield (
            "headline_map",
            [(data.truth_name, truth)]
            + [
                (texts.PANELS[name], maps.error_magnitude(data, values, texts.PANELS[name], limits))
                for name, values in errors.items()
            ],
        )


def _section(name: str, words: Words, drawn: list[tuple[str, Picture, str]]) -> str:
    panels = "".join(
        f"<figure><figcaption>{_safe(title)}</figcaption><div data-figure='{name}_{place}' role='img' aria-label='{_safe(picture.alt)}'>"
        f"</div><script type='application/json' id='{name}_{place}'>{text}</script></figure>"
        for place, (title, picture, text) in enumerate(drawn)
    )
    said = f"<p class='muted'>{_safe(words.shows)} {_safe(words.read)}</p>"
    return f"<section><h2>{_safe(words.title)}</h2><div class='panels'>{panels}</div>{said}</section>"


def _table(title: str, values: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><th>{_safe(name)}</th><td>{_safe(_said(value))}</td></tr>" for name, value in values.items())
    return f"<section><h2>{_safe(title)}</h2><table>{rows}</table></section>"


def _said(value: Any) -> str:
    return "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json(picture: Picture) -> str:
    """A figure as JSON that cannot end the script element that it stands in."""
    text = picture.figure.to_json()
    assert text is not None
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _safe(text: str) -> str:
    return html.escape(text, quote=True)


_STYLE = f"""
body{{margin:0;font:15px/1.5 {theme.FONT};color:{theme.LIGHT.text};background:{theme.LIGHT.surface}}}
main{{max-width:1100px;margin:0 auto;padding:2rem 1.2rem 4rem}}
h1{{font-size:1.75rem;line-height:1.2;margin:0;overflow-wrap:anywhere}} h2{{font-size:1.15rem;margin:2rem 0 .3rem}}
.muted,small,figcaption{{color:{theme.LIGHT.muted};font-size:.86rem}} p{{max-width:95ch;margin:.3rem 0;overflow-wrap:anywhere}}
.numbers{{display:flex;flex-wrap:wrap;gap:.9rem 2.6rem;padding:.9rem 0;margin:1rem 0;border:solid #d8dce2;border-width:1px 0}}
.numbers div{{display:flex;flex-direction:column}} .numbers b{{font-size:1.5rem;font-weight:600;font-variant-numeric:tabular-nums}}
.verdict{{border-left:3px solid {theme.LIGHT.refined};padding-left:.9rem}} .verdict ul{{margin:.2rem 0;padding-left:1.1rem}}
.panels{{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr));gap:1rem}} figure{{margin:0;min-width:0}}
table{{border-collapse:collapse;font-size:.9rem}} th{{text-align:left;font-weight:500;color:{theme.LIGHT.muted};padding-right:1.5rem}}
th,td{{border-bottom:1px solid #e4e7eb;padding:.2rem .8rem .2rem 0;overflow-wrap:anywhere;vertical-align:top}}
@media print{{section{{break-inside:avoid}}}}
"""
