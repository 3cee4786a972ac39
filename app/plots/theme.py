"""One palette and one type scale, for the page and for the figures, in light and in dark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FONT = '"Source Sans 3", "Source Sans Pro", "Source Sans", system-ui, sans-serif'
FONT_SIZE = 13
SMALL = 12

Scale = list[list[float | str]]


@dataclass(frozen=True)
class Palette:
    """Colours by meaning; the hues stay apart for the common forms of colour blindness (Okabe & Ito)."""

    network: str
    refined: str
    truth: str
    stepped: str
    train: str
    validation: str
    text: str
    muted: str
    grid: str
    band: str
    surface: str
    button: str  # behind white text
    diverging: tuple[str, ...]
    magnitude: str
    series: tuple[str, ...]  # of lines that stand for none of the above, such as optimisers


LIGHT = Palette(
    network="#7a828e", refined="#0b69b7", truth="#111418", stepped="#c4500b", train="#9a6fb8", validation="#0a8f6a",
    text="#24292f", muted="#626b76", grid="rgba(110,120,135,0.18)", band="rgba(11,105,183,0.10)", surface="#ffffff", button="#0b69b7",
    diverging=("#0a4a8a", "#3f8fce", "#a8cfea", "#ececea", "#f7c48f", "#df7f2a", "#8a3d04"),
    magnitude="Viridis", series=("#6f42b5", "#b08be0", "#0a8f6a", "#a6761d", "#6b8e23", "#c2185b"),
)  # fmt: skip
DARK = Palette(
    network="#a3abb7", refined="#5bb2f2", truth="#ffffff", stepped="#ff9248", train="#c8a2e4", validation="#46cfa4",
    text="#e6e9ee", muted="#a1a9b4", grid="rgba(160,170,185,0.18)", band="rgba(91,178,242,0.14)", surface="#12161c", button="#1b6fb5",
    diverging=("#9ad4ff", "#3f96da", "#184a74", "#2b313b", "#7a430f", "#e0852f", "#ffc890"),
    magnitude="Viridis", series=("#b48cf2", "#ddc8fb", "#46cfa4", "#e0ae4f", "#b5d66a", "#ff6fa5"),
)  # fmt: skip
PALETTES = {"light": LIGHT, "dark": DARK}


_mode: list[Callable[[], str]] = [lambda: "light"]


def follow(mode: Callable[[], str]) -> None:
    """Have figures drawn from now on take the colours of what this says: 'light', as without a page, or 'dark'."""
    _mode[0] = mode


def palette() -> Palette:
    """The colours of the page that is being drawn."""
    return PALETTES[_mode[0]()]


def scale(colours: tuple[str, ...]) -> Scale:
    """Colours at equal steps, as Plotly takes them."""
    last = len(colours) - 1
    return [[step / last, colour] for step, colour in enumerate(colours)]


def layout() -> dict[str, Any]:
    """Plotly layout of every figure: transparent, the page's type, margins that no label has to push."""
    colours = palette()
    return {
        "font": {"family": FONT, "size": FONT_SIZE, "color": colours.text},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "template": {},
        "uirevision": "keep",
        "margin": {"l": 58, "r": 14, "t": 30, "b": 44, "autoexpand": False},
        "hoverlabel": {"font": {"family": FONT, "size": SMALL}},
        "legend": {
            "orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0,
            "font": {"size": SMALL}, "bgcolor": "rgba(0,0,0,0)", "itemwidth": 30,
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": colours.muted, "activecolor": colours.refined},
    }  # fmt: skip


def axis(title: str, kind: str) -> dict[str, Any]:
    """Plotly axis of every figure; what would make Plotly draw a figure twice to fit its labels is off."""
    colours = palette()
    return {
        "title": {"text": title, "font": {"size": FONT_SIZE}, "standoff": 8}, "type": kind,
        "gridcolor": colours.grid, "linecolor": colours.grid, "zeroline": False, "automargin": False,
        "tickfont": {"size": SMALL, "color": colours.muted}, "ticks": "", "exponentformat": "power",
        "ticklabeloverflow": "allow", "hoverformat": ".3g",
    }  # fmt: skip


def settings() -> dict[str, Any]:
    """Streamlit's settings that give page and widgets the same palette (needs no streamlit to import)."""
    made: dict[str, Any] = {"theme.baseRadius": "8px", "theme.baseFontSize": 15, "theme.showSidebarBorder": True}
    for mode, colours in PALETTES.items():
        made[f"theme.{mode}.backgroundColor"] = colours.surface
        made[f"theme.{mode}.textColor"] = colours.text
    made["theme.light.primaryColor"] = LIGHT.refined
    made["theme.dark.primaryColor"] = (
        DARK.refined
    )  # of words; what is behind white text is darker, see `Palette.button`
    made["theme.light.secondaryBackgroundColor"] = "#f4f6f8"
    made["theme.dark.secondaryBackgroundColor"] = "#1c222b"
    return made
