"""The site that `lsr publish` writes of the shipped runs, opened from disk with the network off: every rank says what the run holds, at once."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import lsr_samples
from lsr_app.cli import run as command
from lsr_app.reading import rundata
from lsr_app.words import formats
from lsr_core.storage.runs import RunStore
from lsr_samples.make_runs import RUNS
from tests.browser import journeys

pytestmark = pytest.mark.browser
NAMES = [entry.name for entry in RUNS if entry.kind == "refine"]
IDS = {entry.name: entry.id for entry in RUNS}
SECONDS = 0.1
OWN = ("file:", "data:", "blob:")
SEEN = """() => JSON.stringify([document.querySelector('#shown').textContent, document.querySelector('#error').textContent,
  [...document.querySelectorAll('#curves .scatterlayer .point')].map(point => point.getAttribute('transform')),
  document.querySelector('#after .heatmaplayer image')?.getAttribute('href') ?? '',
  [...document.querySelectorAll('#after .scatterlayer path.js-line')].map(path => path.getAttribute('d'))])"""
MOVE = """place => new Promise(done => {
  const slider = document.querySelector('#slider'), started = performance.now();
  slider.value = place; slider.dispatchEvent(new Event('input'));
  requestAnimationFrame(() => setTimeout(() => done((performance.now() - started) / 1000), 0));
})"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("published") / "site"
    assert command(["publish", *(str(lsr_samples.runs_folder() / IDS[name]) for name in NAMES), "--out", str(out)]) == 0
    return out


@pytest.fixture
def offline(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_offline(True)
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: trouble.append(request.url) if not request.url.startswith(OWN) else None)
    yield page
    context.close()
    assert trouble == []


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_read_from_disk_and_its_rank_moves_at_once(name: str, site: Path, offline: Page) -> None:
    data = rundata.read(RunStore(lsr_samples.runs_folder()).open(IDS[name]))
    offline.goto((site / "index.html").as_uri())
    offline.locator(f"a[href*='{IDS[name]}']").first.click()
    expect(offline.locator("#curves .main-svg").first).to_be_visible()
    moves, seen, last = [], offline.evaluate(SEEN), None
    for place in range(0, len(data.ladder), max(1, len(data.ladder) // 12)):
        moves.append(offline.evaluate(MOVE, place))
        _, _, base, refined = data.headline(data.ladder[place])
        expect(offline.locator("#shown")).to_have_text(formats.count(data.ladder[place]), timeout=1)
        expect(offline.locator("#error")).to_have_text(f"{formats.error(base)} → {formats.error(refined)}", timeout=1)
        before, seen = seen, offline.evaluate(SEEN)
        last, was = refined, last  # ranks that add directions of rounding alone have one field
        assert (
            place == 0
            or refined == was
            or all(one != other or not one for one, other in zip(*map(parts, (before, seen)), strict=True))
        )
    assert statistics.median(moves) <= SECONDS, moves
    print(f"{name}: rank slider {statistics.median(moves):.3f} s, slowest {max(moves):.3f} s")
    folder = site / IDS[name]
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2e6
    offline.set_viewport_size({"width": 390, "height": 844})
    journeys.until(
        lambda: offline.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is as wide as a phone"
    )


def parts(seen: str) -> list[str]:
    """Rank, mark, picture and curve of what was seen; errors of two ranks may read the same."""
    rank, _, marks, picture, curves = json.loads(seen)
    return [rank, str(marks), picture, curves[2] if len(curves) > 2 else ""]
