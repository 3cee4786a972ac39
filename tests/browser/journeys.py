"""What a person does on the pages, in the words of the journeys."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import torch
from playwright.sync_api import Locator, Page, expect

import lsr_core
import lsr_samples
from lsr_app.reading import problemabout
from lsr_core.storage.runs import Run

SECONDS = 60.0
MILLISECONDS = SECONDS * 1000
PAGES = {
    "": "Overview",
    "refine": "Refine a network",
    "runs": "Runs",
    "suites": "Suites",
    "compare": "Compare",
    "rank": "Rank",
    "fields": "Error fields",
    "path": "Loss path",
    "frequencies": "Frequencies",
    "training": "Along the training",
    "bring": "Bring your own",
    "lesson": "The lesson",
    "conditioning": "Conditioning",
    "export": "Export",
}
DRAWN = """graph => graph.data && JSON.stringify(graph.data.map(trace => {
  const values = trace.z ?? trace.y;
  const rows = ArrayBuffer.isView(values) || Array.isArray(values) ? values : values._inputArray;
  return Array.from(rows).flatMap(row => typeof row === "object" && row !== null ? Array.from(row) : [row]);
}))"""
expect.set_options(timeout=MILLISECONDS)


def visit(page: Page, path: str = "", **query: object) -> None:
    """Open an address of the dashboard and wait until the page is drawn."""
    page.goto(f"/{path}" + ("?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else ""))
    settle(page)


def settle(page: Page) -> None:
    """Wait until the server has nothing more to say; a page that has not begun to be drawn is not running either."""
    expect(page.locator(".lsr-brand")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def view(page: Page) -> dict[str, str]:
    """The view in the address."""
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def place(page: Page) -> str:
    return urlsplit(page.url).path.strip("/")


def until(condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> float:
    """Wait for something outside the page; returns how long it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"waited too long: {what}"
        time.sleep(0.02)
    return time.monotonic() - start


def expect_view(page: Page, path: str, **wanted: str) -> None:
    """Wait until the address says so, whatever else it says."""
    page.wait_for_url(
        lambda url: (
            urlsplit(url).path.strip("/") == path
            and wanted.items() <= {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}.items()
        ),
        wait_until="commit",
    )


def follow(page: Page, path: str) -> None:
    """Click the link to a page in the sidebar."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=PAGES[path], exact=True).click()
    expect_page(page, path)


def expect_page(page: Page, path: str) -> None:
    """Wait until this page is drawn. A step back that comes before is undone by Streamlit when the page arrives."""
    heading = page.locator("h1.lsr-title")
    if path:
        expect(heading).to_have_text(PAGES[path])
    else:
        expect(page.get_by_text("Words used here")).to_be_visible()
    settle(page)


def slider(page: Page) -> Locator:
    return page.locator(".st-key-rank_beside input[type=range]")


def expect_rank(page: Page, wanted: int) -> None:
    """The slider stands at this rank, and where the page names its rank in the headline it is this one."""
    # where the rank was set elsewhere a new slider takes the old one's place, and stands beside it for a moment
    expect(slider(page).first).to_have_attribute("aria-valuetext", f"{wanted:,}")
    expect(slider(page)).to_have_count(1)
    named = page.locator(".lsr-number", has=page.get_by_text("Rank", exact=True)).locator(".lsr-value")
    if place(page) != "path":
        expect(named).to_have_text(f"{wanted:,}")


def move(page: Page) -> int:
    """Move the rank slider down by one rung of the ladder; returns the rank once page and address have it."""
    was = view(page).get("rank")
    slider(page).press("ArrowLeft")
    page.wait_for_function("was => new URL(location).searchParams.get('rank') !== was", arg=was)
    rank = int(view(page)["rank"])
    expect_rank(page, rank)
    settle(page)
    return rank


def button(page: Page, key: str) -> Locator:
    """A button by its key. For a moment what is redrawn stands beside what was drawn before, hence `first`."""
    return page.locator(f".st-key-{key} button:visible").first


def chart(page: Page, key: str) -> Locator:
    graph = page.locator(f".st-key-chart_{key} .js-plotly-plot:visible").first
    expect(graph).to_be_visible()
    return graph


def values(page: Page, key: str) -> Any:
    """The numbers that a figure has drawn; its place may be there before they are."""
    graph = chart(page, key)
    until(lambda: graph.evaluate(DRAWN) is not None, f"{key} is drawn")
    return graph.evaluate(DRAWN)


def expect_other_values(page: Page, key: str, before: Any) -> Any:
    """Wait until a figure has drawn other numbers; returns them."""
    until(lambda: values(page, key) != before, f"{key} is drawn again")
    return values(page, key)


def download(page: Page, key: str, folder: Path) -> Path:
    """Press a download button; where the file is now."""
    with page.expect_download() as started:
        button(page, key).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def expect_predictor(page: Page, run: Run, folder: Path) -> None:
    """Download the refined predictor of a run on the page Export; evaluated here, it gives the predictions that the run holds."""
    visit(page, "export", run=run.id)
    predictor = lsr_core.load_predictor(download(page, "predictor", folder))
    inputs, expected = held(run, run.summary.rank)
    with torch.no_grad():
        answer = predictor(inputs.double()).flatten(1).numpy()
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-9 * np.abs(expected).max())


def held(run: Run, rank: int) -> tuple[torch.Tensor, np.ndarray]:
    """Display points and refined predictions there that a run holds."""
    fields = run.fields
    place = list(fields.ranks).index(rank)
    return torch.from_numpy(np.array(fields.inputs)), fields.targets + fields.refined_error[place]


def expect_sentence(page: Page, text: str) -> None:
    """One sentence of this kind on the page, and no exception."""
    expect(page.get_by_test_id("stAlert").filter(has_text=text)).to_have_count(1)
    expect_no_trouble(page)


def expect_no_trouble(page: Page) -> None:
    """No exception on the page, in whatever form."""
    assert page.get_by_test_id("stException").count() == 0
    assert "Traceback" not in page.locator("body").inner_text()


def start_long(page: Page) -> str:
    """Start a refinement of sine2d that takes far longer than any journey; returns the id of its run."""
    to_form(page)
    fill(page, "Maximum rank", 5000)
    return begin(page)


def open_advanced(page: Page) -> None:
    page.locator(".st-key-start_form").get_by_test_id("stExpander").locator("summary").click()


def to_form(page: Page) -> None:
    """To the form that starts a refinement."""
    if place(page) != "refine":
        page.get_by_test_id("stSidebar").get_by_role("link", name=PAGES["refine"], exact=True).click()
        expect(page.locator(".st-key-start_form")).to_be_visible()
        # the first forecast of a server loads the engine, which takes a busy machine minutes
        idle = ("data-test-script-state", "notRunning")
        expect(page.get_by_test_id("stApp")).to_have_attribute(*idle, timeout=3 * MILLISECONDS)


def title_of(sample: str) -> str:
    """What the pages call a sample."""
    found: str = problemabout.about_bundle(lsr_samples.folder(sample)).title
    return found


def expect_listed(page: Page, *words: str) -> None:
    """The table of runs has these words; comes back to where it was."""
    where = page.url
    follow(page, "runs")
    table = page.get_by_test_id("stDataFrame")
    for word in words:
        expect(table).to_contain_text(word)
    page.goto(where)
    settle(page)


def choose(page: Page, sample: str, group: str = "Functions from data") -> None:
    """Fill the form with a sample of a group of the gallery."""
    to_form(page)
    page.locator(".st-key-gallery").get_by_role("radio", name=group).or_(
        page.locator(".st-key-gallery").get_by_role("button", name=group)
    ).first.click()
    settle(page)
    button(page, f"choose_{sample}").click()
    expect(page.locator(".st-key-start_form").get_by_role("combobox", name="Problem")).to_have_value(title_of(sample))
    settle(page)


def fill(page: Page, label: str, value: int) -> None:
    """Type a number into a field of the form."""
    field = page.locator(".st-key-start_form").get_by_role("spinbutton", name=label)
    field.fill(str(value))
    field.press("Tab")
    settle(page)
    expect(field).to_have_value(str(value))


def select(page: Page, label: str, option: str) -> None:
    """Choose from a list of the form."""
    field = page.locator(".st-key-start_form").get_by_role("combobox", name=label)
    field.click()
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)
    expect(field).to_have_value(option)


def begin(page: Page) -> str:
    """Press Start; returns the id of the run once the address names it."""
    settle(page)
    before = view(page).get("run")
    expect(button(page, "start")).to_be_enabled()
    button(page, "start").click()
    page.wait_for_url(lambda url: f"run={before}" not in url and "run=" in url, wait_until="commit")
    return view(page)["run"]
