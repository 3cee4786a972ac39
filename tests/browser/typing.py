"""How a person types an equation on the page Bring your own: into tables that are drawn on a canvas, cell after cell by Tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playwright.sync_api import Page

SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"
MARKERS, HEADER, ROW = 40, 35, 35  # pixels of the column with row markers, of the header, of a row
EDITOR = ".gdg-input, .gdg-growing-entry textarea"
Rows = Sequence[Sequence[str]]

# An L with a hole in it: given values at its outer edge, exchange at the hole. exp(x) cos(y) solves it.
L_SHAPE: Mapping[str, Rows] = {
    "inputs": [("x", "-1", "1"), ("y", "-1", "1")],
    "shapes": [("notch", "box(0, 1, -1, 0)"), ("hole", "disk(-0.4, 0.4, 0.3)")],
    "equations": [("laplace(u) = 0",)],
    "conditions": [
        ("x = -1, x = 1, y = -1, y = 1", "u = exp(x)*cos(y)"),
        ("notch", "u = exp(x)*cos(y)"),
        ("hole", "dn(u) + 2*u = exp(x)*(2*cos(y) - ((x + 0.4)*cos(y) - (y - 0.4)*sin(y))/0.3)"),
    ],
    "solution": [("u", "exp(x)*cos(y)")],
}
L_DOMAIN = "box - notch - hole"


def settle(page: Page) -> None:
    page.locator(".lsr-brand").wait_for()
    page.locator(SETTLED).wait_for()


def empty_form(page: Page) -> None:
    """Choose the empty form."""
    page.locator(".st-key-typed_ready").get_by_role("combobox").click()
    page.get_by_role("option", name="an empty form").click()
    page.locator(".st-key-typed_fill button:visible").first.click()
    page.get_by_text("there is none; write a name such as x").first.wait_for()
    settle(page)


def write(page: Page, table: str, rows: Rows) -> None:
    """Fill a table from its first cell on; a row that is not there yet is added."""
    for number, row in enumerate(rows):
        for place, text in enumerate(row):
            _cell(page, table, number, place)
            page.keyboard.press("Enter")
            editor = page.locator(EDITOR)
            editor.first.fill(text)
            page.keyboard.press("Enter")
            editor.first.wait_for(state="detached")
            settle(page)  # each cell draws the page again, and the table forgets which one it was


def _cell(page: Page, table: str, row: int, column: int) -> None:
    """Select a cell: the first of its row by the mouse, then to the right by keys."""
    canvas = page.locator(f"[class*='st-key-typed_{table}_']").locator("canvas").first
    canvas.evaluate("element => element.scrollIntoView({block: 'center'})")  # not under the header
    page.wait_for_timeout(200)
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + MARKERS + 12, box["y"] + HEADER + ROW * (row + 0.5))
    for _ in range(column):
        page.keyboard.press("ArrowRight")


def write_domain(page: Page, text: str) -> None:
    """The line that says what the domain is made of."""
    field = page.locator("[class*='st-key-typed_domain_'] input")
    field.fill(text)
    field.press("Enter")
    settle(page)
