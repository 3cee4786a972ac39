"""The pages of a published site: HTML, its style, and the script that follows the slider."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from plotly.colors import sample_colorscale

from lsr_app.plots import scales, theme
from lsr_app.reading.rundata import RunData
from lsr_app.words import formats, texts, verdicttexts

_POLICY = "default-src 'none'; script-src 'self' file: 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
COLUMNS = ("Run", "Error", "Network", "Refined", "Gain", "Rank", "Time")
ABOUT = "Linearized subspace refinement: a trained network plus a linear correction found by a direct solve. The weights are unchanged."


NUMBERS = (("rank", "Rank"), ("kappa", "Condition number κ(G V)"), ("length", "Step length ‖Δθ‖"))


def page(data: RunData, content: dict[str, Any], scripts: str, alone: bool = False) -> str:
    """The page of a run.

    Args:
        scripts: elements that bring the plot library and the content.
        alone: there is no site around it, and no files beside it.
    """
    named = [("error", _safe(str(content["label"]))), *NUMBERS]
    numbers = "".join(
        f"<div><small>{label}</small><b id='{name}'></b><small id='{name}_more'></small></div>" for name, label in named
    )
    architecture, kind = data.about.architecture, data.summary.dtype
    facts = (
        f"{architecture} · {data.summary.n_params_total:,} parameters · {data.n_rows:,} {data.parts.values} · {kind}"
    )
    config, origin = _rows(data.manifest.config.model_dump(mode="json")), _rows(data.manifest.environment)
    beyond = _muted(content["curves"]["note"])
    parts = (
        "" if alone else "<p><a href='../index.html'>All runs</a></p>",
        f"<h1>{_safe(data.about.title)}</h1><p class='muted'>{_safe(data.about.description)}</p><p class='muted'>{_safe(facts)}</p>",
        "<div class='control'><label for='slider'>Rank</label><input type='range' id='slider' min='0' step='1' "
        f"max='{len(data.ladder) - 1}' value='{content['start']}'><output id='shown' for='slider'></output></div>",
        f"<div class='numbers' aria-live='polite'>{numbers}</div>{_verdict(data)}{_notes(data)}",
        f"<section><h2>Error against rank</h2><div id='curves' role='img' aria-label='Error against rank'></div>{beyond}</section>",
        "<section><h2>Fields</h2><div class='panels' id='fields'></div></section>" if content["fields"] else "",
        "" if alone else _files(data.id),
        f"<section><h2>Settings</h2>{_scrolling('Settings', config)}</section>",
        f"<section><h2>Origin</h2>{_scrolling('Origin', origin)}</section>" if origin else "",
        f"{scripts}<script>{_colours()}{_SCRIPT}</script>",
    )
    return _document(data.about.title, "".join(parts))


def index(rows: Sequence[tuple[str, ...]], folders: Sequence[str]) -> str:
    """The first page: a line for each run."""
    head = "".join(f"<th scope='col'>{name}</th>" for name in COLUMNS)
    lines = "".join(
        f"<tr><td><a href='{folder}/index.html'>{_safe(row[0])}</a></td>"
        + "".join(f"<td>{_safe(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row, folder in zip(rows, folders, strict=True)
    )
    table = _scrolling("Runs", f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody>")
    return _document(texts.PRODUCT, f"<h1>{texts.PRODUCT}</h1><p class='muted'>{ABOUT}</p>{table}")


def embed(folder: str) -> str:
    """The line that shows a run inside another page."""
    return f'<iframe src="{folder}/index.html" width="100%" height="900" style="border:0" title="LSR run"></iframe>'


def _files(run: str) -> str:
    return (
        "<section><h2>Files</h2><p><a href='sweep.csv'>sweep.csv</a>, <a href='run.json'>run.json</a></p>"
        f"<p class='muted'>Embed this page: <code>{_safe(embed(run))}</code></p></section>"
    )


def _rows(values: Mapping[str, Any]) -> str:
    return "".join(
        f"<tr><th scope='row'>{_safe(key)}</th><td>{_safe(str(value))}</td></tr>" for key, value in values.items()
    )


def _scrolling(label: str, rows: str) -> str:
    """A table that scrolls by key where it is too wide."""
    return f"<div class='scroll' tabindex='0' role='region' aria-label='{label}'><table>{rows}</table></div>"


def _muted(words: str) -> str:
    return f"<p class='muted'>{_safe(words)}</p>" if words else ""


def _notes(data: RunData) -> str:
    """What the run says of itself beside its numbers."""
    return "".join(_muted(texts.begun(note)) for note in data.summary.notes)


def _verdict(data: RunData) -> str:
    found = data.summary.verdict
    if found is None:
        return ""
    evidence = "".join(f"<li>{_safe(texts.begun(item.sentence))}</li>" for item in found.evidence)
    rank = f" About rank {found.rank:,}." if found.rank is not None else ""
    hints = (f"{verdicttexts.confidence(found)}.{rank}", verdicttexts.untested(found))
    more = "".join(map(_muted, hints))
    head = f"<b>{_safe(texts.begun(found.sentence))}</b>"
    return f"<section class='verdict'><p>{head}</p><ul>{evidence}</ul><p>{_safe(texts.begun(found.advice))}</p>{more}</section>"


def _document(title: str, body: str) -> str:
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<meta http-equiv='Content-Security-Policy' content=\"{_POLICY}\"><title>{_safe(title)}</title><style>{_style()}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _safe(text: str) -> str:
    return html.escape(formats.one_line(text, 2000), quote=True)


def _colours() -> str:
    steps = sample_colorscale(scales.MAGNITUDES, [step / 255 for step in range(256)], colortype="tuple")
    shades = [[round(255 * part) for part in colour] for colour in steps]
    return (
        f"const SCALE = {json.dumps(shades)}; const PALETTES = "
        + json.dumps({mode: asdict(colours) for mode, colours in theme.PALETTES.items()})
        + ";"
    )


def _style() -> str:
    def variables(colours: theme.Palette) -> str:
        named = {
            "text": colours.text,
            "muted": colours.muted,
            "surface": colours.surface,
            "accent": colours.refined,
            "line": colours.grid,
        }
        return ";".join(f"--{name}:{colour}" for name, colour in named.items())

    return (
        f":root{{color-scheme:light dark;{variables(theme.LIGHT)}}} @media (prefers-color-scheme:dark){{:root{{{variables(theme.DARK)}}}}}"
        f"body{{margin:0;font:15px/1.5 {theme.FONT};color:var(--text);background:var(--surface)}}" + _STYLE
    )


_STYLE = """
main{max-width:1100px;margin:0 auto;padding:2rem 1.2rem 4rem} a{color:var(--accent)}
h1{font-size:1.75rem;line-height:1.2;margin:0;overflow-wrap:anywhere} h2{font-size:1.15rem;margin:1.6rem 0 .3rem}
.muted,small{color:var(--muted);font-size:.88rem} p{max-width:95ch;margin:.3rem 0;overflow-wrap:anywhere}
.control{display:flex;gap:1rem;align-items:center;position:sticky;top:0;background:var(--surface);padding:.6rem 0;z-index:2}
.control input{flex:1;max-width:520px;accent-color:var(--accent)} output{font-weight:600;font-variant-numeric:tabular-nums}
.numbers{display:flex;flex-wrap:wrap;gap:.9rem 2.6rem;padding:.8rem 0;margin:.4rem 0 1rem;border:solid var(--line);border-width:1px 0}
.numbers div{display:flex;flex-direction:column;min-width:9rem} .numbers b{font-size:1.5rem;font-weight:600;font-variant-numeric:tabular-nums}
.verdict{border-left:3px solid var(--accent);padding-left:.9rem} .verdict ul{margin:.2rem 0;padding-left:1.1rem;color:var(--muted)}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr));gap:1rem} .scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem} th{text-align:left;font-weight:500;color:var(--muted)} code{overflow-wrap:anywhere}
th,td{border-bottom:1px solid var(--line);padding:.25rem 1.2rem .25rem 0;vertical-align:top}
"""
_SCRIPT = """
const run = window.LSR, $ = name => document.getElementById(name);
const colours = PALETTES[matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"];
const tones = {train: colours.train, val: colours.validation, test: colours.refined};
const layout = more => Object.assign({height: 340, margin: {l: 62, r: 16, t: 26, b: 44}, paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: "rgba(0,0,0,0)", font: {color: colours.text}, legend: {orientation: "h", y: 1.02, yanchor: "bottom"}}, more);
const axis = (title, more) => Object.assign({title: {text: title}, gridcolor: colours.grid, zeroline: false, exponentformat: "power"}, more);
const unpack = (text, width) => {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0)), [low, high] = run.fields.limits, rows = [];
  for (let at = 0; at < bytes.length; at += width) rows.push(Array.from(bytes.subarray(at, at + width), byte => low + byte / 255 * (high - low)));
  return rows;
};
const power = value => "10<sup>" + String(value).replace("-", "\\u2212") + "</sup>";
function map(holder, name, values) {
  const [low, high] = run.fields.limits, step = Math.max(1, Math.ceil((high - low) / 4)), ticks = [];
  for (let tick = Math.ceil(low); tick <= high; tick += step) ticks.push(tick);
  Plotly.newPlot(holder, [{type: "heatmap", x: run.fields.x, y: run.fields.y, z: values, zmin: low, zmax: high, colorscale: "Cividis",
    hovertemplate: `${run.fields.names[0]} = %{x:.4g}<br>${run.fields.names[1]} = %{y:.4g}<br>|error| = 10<sup>%{z:.1f}</sup><extra></extra>`,
    colorbar: {thickness: 8, tickvals: ticks, ticktext: ticks.map(power)}}],
    layout({title: {text: name, font: {size: 14}}, xaxis: axis(run.fields.names[0], {constrain: "domain"}),
      yaxis: axis(run.fields.names[1], run.fields.square ? {scaleanchor: "x", constrain: "domain"} : {})}), {responsive: true, displaylogo: false});
}
function begin() {
  const lines = run.curves.lines.map(line => ({x: run.curves.x, y: line.y, name: line.name, mode: "lines", line: {color: tones[line.split]}}));
  lines.push({x: [0], y: [1], mode: "markers", name: "Selected", marker: {size: 11, color: colours.refined}});
  Plotly.newPlot("curves", lines, layout({hovermode: "x unified", xaxis: axis("Rank"),
    yaxis: axis(run.curves.measure, {type: "log", ...run.curves.reach})}),
    {responsive: true, displaylogo: false});
  if (!run.fields) return;
  for (const name of run.fields.kind === "map" ? ["before", "after"] : ["after"]) {
    const holder = document.createElement("div"); holder.id = name; $("fields").append(holder);
  }
  if (run.fields.kind === "map") {
    map("before", run.fields.panels[0], unpack(run.fields.network, run.fields.x.length));
    map("after", run.fields.panels[1], unpack(run.fields.refined[0], run.fields.x.length));
  } else Plotly.newPlot("after", [
    {x: run.fields.x, y: run.fields.truth, name: run.fields.panels[0], mode: "lines", line: {color: colours.truth, width: 5}, opacity: 0.3},
    {x: run.fields.x, y: run.fields.network, name: run.fields.panels[1], mode: "lines", line: {color: colours.network, dash: "dash"}},
    {x: run.fields.x, y: run.fields.refined[0], name: run.fields.panels[2], mode: "lines", line: {color: colours.refined}}],
    layout({xaxis: axis(run.fields.names[0]), yaxis: axis(run.fields.names[1])}), {responsive: true, displaylogo: false});
}
function show(place) {
  const rank = run.ladder[place], [before, after, change] = run.headline[place];
  $("shown").textContent = rank.toLocaleString("en"); $("slider").setAttribute("aria-valuetext", rank.toLocaleString("en"));
  $("error").textContent = before + " \\u2192 " + after; $("error_more").textContent = change;
  $("rank").textContent = rank.toLocaleString("en"); $("rank_more").textContent = rank === run.chosen ? "chosen by the run" : "";
  $("kappa").textContent = run.kappa[place]; $("kappa_more").textContent = run.solved[place] + " as solved, with scaled columns";
  $("length").textContent = run.length[place];
  move(rank, run.marks[place]);
  if (run.fields && run.fields.kind === "map") paint(run.fields.refined[place]);
  else if (run.fields) bend(run.fields.refined[place]);
  clearTimeout(later); later = setTimeout(() => settle(place), 250);
}
// While the slider moves, only a mark and a picture change; Plotly draws anew, with its hints, once the slider rests.
let later = 0;
function move(rank, value) {
  const {xaxis, yaxis} = $("curves")._fullLayout, points = $("curves").querySelectorAll(".scatterlayer .trace .point");
  const mark = points[points.length - 1];
  if (mark && value > 0) mark.setAttribute("transform", `translate(${xaxis.d2p(rank)},${yaxis.d2p(value)})`);
}
function bend(values) {
  const {xaxis, yaxis} = $("after")._fullLayout, curves = $("after").querySelectorAll(".scatterlayer .trace path.js-line"), curve = curves[2];
  if (curve) curve.setAttribute("d", "M" + run.fields.x.map((x, at) => `${xaxis.d2p(x)},${yaxis.d2p(values[at])}`).join("L"));
}
function paint(text) {
  const picture = $("after").querySelector(".heatmaplayer image"), width = run.fields.x.length, bytes = atob(text);
  if (!picture) return;
  const sheet = document.createElement("canvas"), height = bytes.length / width;
  sheet.width = width; sheet.height = height;
  const pen = sheet.getContext("2d"), pixels = pen.createImageData(width, height);
  for (let at = 0; at < bytes.length; at++) {
    const [red, green, blue] = SCALE[bytes.charCodeAt(at)], to = 4 * ((height - 1 - Math.floor(at / width)) * width + at % width);
    pixels.data.set([red, green, blue, 255], to);
  }
  pen.putImageData(pixels, 0, 0);
  picture.setAttribute("href", sheet.toDataURL()); picture.setAttribute("preserveAspectRatio", "none");
}
function settle(place) {
  Plotly.restyle("curves", {x: [[run.ladder[place]]], y: [[run.marks[place]]]}, [run.curves.lines.length]);
  if (run.fields && run.fields.kind === "map") Plotly.restyle("after", {z: [unpack(run.fields.refined[place], run.fields.x.length)]}, [0]);
  else if (run.fields) Plotly.restyle("after", {y: [run.fields.refined[place]]}, [2]);
}
begin(); show(run.start);
$("slider").addEventListener("input", event => show(Number(event.target.value)));
"""
