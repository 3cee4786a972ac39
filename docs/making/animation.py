"""The moving picture of the README, made from the run that is shipped: error maps and the error over the rank.

    python -m docs.making.animation

Writes docs/refinement.svg: a plain file with pictures inside that a browser plays without a script, and shows at its last rank where
motion is not wanted.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image
from plotly.colors import get_colorscale, sample_colorscale, unlabel_rgb

import lsr_samples
from lsr_app.plots import theme
from lsr_core.storage.runs import Run, RunStore
from lsr_samples.make_runs import SHIPPED_ID

OUT = Path(__file__).parents[1] / "refinement.svg"
RANKS = (0, 2, 5, 10, 18, 32, 55, 95, 145, 219, 288, 380, 501, 661, 871, 999)
EVERY = 2  # of the points of the grid along each axis
LOW, HIGH = -8.0, -1.5  # powers of ten that the colours span
STEP, HOLD = 0.45, 2.5  # seconds
MAP, TOP, GAP = 230, 64, 28
WIDTH, HEIGHT = 3 * MAP + 4 * GAP + 24, TOP + MAP + 62
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#111418}.h{font-weight:600;font-size:15px}.s{fill:#5a626c;font-size:12px}"
    "@media(prefers-reduced-motion:reduce){.f{animation:none!important;opacity:0}.f.last{opacity:1}}"
)


def picture(run: Run) -> str:
    """The SVG of a run with one output on a square grid."""
    fields, sweep = run.fields, run.sweep
    stored = fields.ranks.tolist()
    size = round(len(fields.inputs) ** 0.5)
    maps = [np.abs(fields.refined_error[stored.index(rank), :, 0]).reshape(size, size) for rank in RANKS]
    seconds = STEP * len(RANKS) + HOLD
    left, middle, right = (GAP + place * (MAP + GAP) for place in range(3))
    right += 24  # room for the numbers at the axis
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">',
        "<title>Error maps of a trained network and of its refined predictor as the rank grows, and the error over the rank</title>",
        f"<style>{STYLE}{_frames(seconds)}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="#fff" stroke="#d5dae0"/>',
        _head(left, "Error of the network", f"test mse {sweep.test_mse[0]:.1e}"),
        _map(left, maps[0]),
        f'<text class="h" x="{middle}" y="30">Error of the refined predictor</text>',
        _head(right, "Test mean square error", "over the rank"),
        _curve(right, sweep.test_mse),
    ]
    for place, (rank, errors) in enumerate(zip(RANKS, maps, strict=True)):
        mark = "f last" if place == len(RANKS) - 1 else "f"
        x, y = _at(right, rank, sweep.test_mse)
        parts.append(
            f'<g class="{mark}" style="animation-name:f{place}">{_map(middle, errors)}'
            f'<text class="s" x="{middle}" y="50">rank {rank:,}: test mse {sweep.test_mse[rank]:.1e}</text>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{theme.LIGHT.refined}"/></g>'
        )
    parts += [*_scale(left, middle + MAP), "</svg>"]
    return "\n".join(parts) + "\n"


def _frames(seconds: float) -> str:
    """Each frame is seen in its own part of the time, the last one longer."""
    rules = [
        f".f{{animation-duration:{seconds:g}s;animation-iteration-count:infinite;animation-timing-function:step-end;opacity:0}}"
    ]
    for place in range(len(RANKS)):
        begins = 100 * STEP * place / seconds
        ends = 100.0 if place == len(RANKS) - 1 else 100 * STEP * (place + 1) / seconds
        before = f"0%{{opacity:0}}{begins:.2f}%{{opacity:1}}" if place else "0%{opacity:1}"
        after = "100%{opacity:1}" if ends == 100.0 else f"{ends:.2f}%{{opacity:0}}100%{{opacity:0}}"
        rules.append(f"@keyframes f{place}{{{before}{after}}}")
    return "".join(rules)


def _head(x: float, title: str, below: str) -> str:
    return f'<text class="h" x="{x}" y="30">{title}</text><text class="s" x="{x}" y="50">{below}</text>'


def _map(x: float, errors: np.ndarray) -> str:
    """Sizes of errors as colours, on a logarithmic scale."""
    scaled = (np.log10(np.maximum(errors, 1e-300)) - LOW) / (HIGH - LOW)
    pixels = Image.fromarray(np.uint8(np.clip(scaled, 0, 1) * 255)[::EVERY, ::EVERY][::-1])
    pixels.putpalette(_palette())
    packed = io.BytesIO()
    pixels.save(packed, "png", optimize=True)
    data = base64.b64encode(packed.getvalue()).decode()
    return f'<image x="{x}" y="{TOP}" width="{MAP}" height="{MAP}" preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'


def _palette() -> list[int]:
    colours = sample_colorscale(get_colorscale("viridis"), np.linspace(0, 1, 256).tolist())
    return [round(part) for colour in colours for part in unlabel_rgb(colour)]


def _at(x: float, rank: int, errors: np.ndarray) -> tuple[float, float]:
    """Where a rank stands in the curve: square roots of ranks, powers of ten of errors."""
    low, high = np.log10(errors.min()) - 0.5, np.log10(errors.max()) + 0.5
    return x + MAP * (rank / RANKS[-1]) ** 0.5, TOP + MAP * float((high - np.log10(errors[rank])) / (high - low))


def _curve(x: float, errors: np.ndarray) -> str:
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in (_at(x, rank, errors) for rank in range(0, RANKS[-1] + 1, 3)))
    lines = [
        f'<rect x="{x}" y="{TOP}" width="{MAP}" height="{MAP}" fill="#f6f8fa"/>',
        f'<polyline points="{points}" fill="none" stroke="{theme.LIGHT.refined}" stroke-width="2"/>',
    ]
    low, high = np.log10(errors.min()) - 0.5, np.log10(errors.max()) + 0.5
    for power in range(int(np.ceil(low)), int(np.floor(high)) + 1, 2):
        y = TOP + MAP * (high - power) / (high - low)
        lines.append(f'<text class="s" x="{x - 6}" y="{y + 4:.1f}" text-anchor="end">1e{power}</text>')
    for rank in (0, 100, 400, RANKS[-1]):
        lines.append(
            f'<text class="s" x="{_at(x, rank, errors)[0]:.1f}" y="{TOP + MAP + 18}" text-anchor="middle">{rank}</text>'
        )
    return "".join(lines)


def _scale(left: float, right: float) -> list[str]:
    """The bar of colours below the maps."""
    stops = "".join(
        f'<stop offset="{place / 8:.3f}" stop-color="{colour}"/>'
        for place, colour in enumerate(sample_colorscale(get_colorscale("viridis"), np.linspace(0, 1, 9).tolist()))
    )
    y = TOP + MAP + 22
    return [
        f'<defs><linearGradient id="c">{stops}</linearGradient></defs>',
        f'<rect x="{left}" y="{y}" width="{right - left}" height="10" rx="3" fill="url(#c)"/>',
        f'<text class="s" x="{left}" y="{y + 28}">size of the error: 1e{LOW:g} or less</text>',
        f'<text class="s" x="{right}" y="{y + 28}" text-anchor="end">3e-2 or more</text>',
    ]


if __name__ == "__main__":
    OUT.write_text(picture(RunStore(lsr_samples.runs_folder()).open(SHIPPED_ID)), encoding="utf-8")
