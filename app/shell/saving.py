"""How figures are saved from their tool bar: format, width on paper, size of the type; one choice for all figures of a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from lsr_app.plots import theme

MM_PER_INCH, POINTS_PER_INCH = 25.4, 72.0
SCREEN_DPI, PRINT_DPI = 96.0, 300.0  # of an SVG's pixel, and of printed pictures
_KEPT = "lsr_saving"
FORMATS = {"svg": "SVG (lines)", "png": f"PNG ({PRINT_DPI:.0f} dpi)"}
WIDTHS = {0: "As on the page", 85: "One column, 85 mm", 174: "Two columns, 174 mm"}
TYPE = {6: "6 pt", 7: "7 pt", 8: "8 pt", 9: "9 pt", 10: "10 pt"}
HELP = (
    "The camera in a figure's corner saves it. With a width on paper the figure is drawn anew for it, its labels in the size of type chosen; "
    "the height on the page stays in proportion to the type. SVG becomes PDF or EPS in any drawing program without loss."
)


@dataclass(frozen=True)
class Saving:
    """The choice: format, width in mm (0: as on the page), size of tick labels in points."""

    format: str = "svg"
    width: int = 0
    points: int = 8

    def options(self, name: str) -> dict[str, Any]:
        """Plotly's `toImageButtonOptions`.

        Plotly lays a figure out in pixels and multiplies the picture by `scale`, so that labels of `theme.SMALL` pixels come out at the
        points wanted if the layout is as wide as the paper divided by that factor.
        """
        dense = PRINT_DPI / SCREEN_DPI if self.format == "png" else 1.0
        found: dict[str, Any] = {"format": self.format, "filename": name}
        if not self.width:
            return {**found, "scale": dense}
        scale = self.points / POINTS_PER_INCH * SCREEN_DPI / theme.SMALL
        pixels = self.width / MM_PER_INCH * SCREEN_DPI
        return {**found, "width": round(pixels / scale), "scale": round(scale * dense, 4)}


def chosen() -> Saving:
    """What this browser chose."""
    kept: Saving = st.session_state.get(_KEPT, Saving())
    return kept


def control() -> None:
    """The choice, folded at the foot of the sidebar."""
    with st.popover("Saving figures", icon=":material/photo_camera:", width="stretch"):
        st.caption(HELP)
        now = chosen()
        form = st.segmented_control(
            "Format",
            list(FORMATS),
            format_func=FORMATS.__getitem__,
            default=now.format,
            required=True,
            key="w_saving_format",
        )
        width = st.selectbox(
            "Width",
            list(WIDTHS),
            index=list(WIDTHS).index(now.width),
            format_func=WIDTHS.__getitem__,
            key="w_saving_width",
        )
        points = now.points
        if width:
            points = st.select_slider(
                "Labels", list(TYPE), value=now.points, format_func=TYPE.__getitem__, key="w_saving_points"
            )
        st.session_state[_KEPT] = Saving(str(form), int(width), int(points))
