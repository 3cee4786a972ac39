"""Problems of the user's own come through the browser and are refined; nobody else sees them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import bundles
from tests.browser import journeys
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


def upload(page: Page, path: Path) -> None:
    page.get_by_test_id("stFileUploader").locator("input[type=file]").first.set_input_files(str(path))


def test_a_bundle_is_uploaded_refined_and_seen_by_its_browser_only(
    page: Page, new_page: Callable[[], Page], server: Server, tmp_path: Path
) -> None:
    bundle = bundles.write(tmp_path / "mine")
    archive = tmp_path / "mine.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in bundle.iterdir():
            packed.write(path, path.name)
    journeys.visit(page, "bring", way="bundle")
    upload(page, archive)
    page.get_by_role("button", name="Refine", exact=True).click()
    journeys.expect_page(page, "refine")
    expect(page.get_by_text("deleted a few minutes after")).to_be_visible()
    run_id = journeys.begin(page)
    journeys.until(lambda: server.run(run_id).status().status == "complete", "the run is complete", 120)
    assert server.run(run_id).manifest.session_only
    stranger = new_page()
    journeys.visit(stranger, run=run_id)
    journeys.expect_sentence(stranger, "There is no run with this id")
    journeys.visit(stranger, "bring", way="bundle")
    expect(stranger.get_by_role("button", name="Forget", exact=True)).to_have_count(0)
    journeys.visit(page, "bring", way="bundle")
    page.get_by_role("button", name="Forget", exact=True).click()
    expect(page.get_by_role("button", name="Forget", exact=True)).to_have_count(0)


def test_a_zip_that_is_no_bundle_is_refused_with_a_sentence(page: Page, tmp_path: Path) -> None:
    archive = tmp_path / "other.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("../problem.json", "{}")
    journeys.visit(page, "bring", way="bundle")
    upload(page, archive)
    journeys.expect_sentence(page, "leaves the folder")
    expect(page.get_by_role("button", name="Forget", exact=True)).to_have_count(0)
