"""An equation typed into the form by the keyboard, cell by cell, as a person does it who looks where the editor opens before typing on."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as Late

KEY_MS = 20
ROW = 33  # pixels of a row of a table
TRIES = 10
EDITOR = ".gdg-input:visible, .gdg-growing-entry textarea:visible"


def write_table(page: Page, name: str, rows: Sequence[Sequence[str]]) -> None:
    """Rows from the top of an editable table, which is drawn on a canvas; the row below the last one adds itself."""
    for place, row in enumerate(rows):
        _open_row(page, name, place)
        for column, text in enumerate(row):
            if column:
                page.wait_for_timeout(100)
                page.keyboard.press("Enter")  # the cell that Tab has gone to
            editor = page.locator(EDITOR)
            editor.press_sequentially(text, delay=KEY_MS)
            if editor.input_value() != text:
                raise RuntimeError(f"{text!r} was typed and {editor.input_value()!r} stands there")
            page.keyboard.press("Tab" if column + 1 < len(row) else "Enter")
            editor.wait_for(state="hidden")


def write_field(page: Page, name: str, text: str) -> None:
    """A field of one line, left by Tab."""
    field = page.locator(f"[class*='st-key-typed_{name}_'] input").first
    field.press_sequentially(text, delay=KEY_MS)
    page.keyboard.press("Tab")


def _open_row(page: Page, name: str, place: int) -> None:
    """The editor of the first cell of a row: a click selects a cell, Enter opens it; the last row adds itself and opens at the click."""
    canvas = page.locator(f"[class*='st-key-typed_{name}_'] canvas").first
    for _ in range(TRIES):
        canvas.evaluate("element => element.scrollIntoView({block: 'center'})")  # not under the header
        page.wait_for_timeout(300)  # a click while the page still moves is one on another row
        box = canvas.bounding_box()
        assert box is not None
        x, y = box["x"] + ROW + 24, box["y"] + ROW * (place + 1.5)
        page.mouse.move(x, y)
        page.mouse.click(x, y)
        if y + ROW < box["y"] + box["height"] and not _opens(page, x, y, 500):
            page.keyboard.press("Enter")
        if _opens(page, x, y, 5000):
            return
        page.keyboard.press("Escape")  # another cell is chosen, or none yet
    raise TimeoutError(f"row {place} of {name} does not open")


def _opens(page: Page, x: float, y: float, patience_ms: int) -> bool:
    """Whether the editor comes, at this place."""
    try:
        page.locator(EDITOR).wait_for(timeout=patience_ms)
    except Late:
        return False
    box = page.locator(EDITOR).bounding_box()
    return (
        box is not None and abs(box["y"] + box["height"] / 2 - y) < ROW / 2 and box["x"] < x < box["x"] + box["width"]
    )
