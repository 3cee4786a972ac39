"""A dashboard on all addresses, in a browser: the link lets in once, and its token is nowhere afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lsr_core.storage.runs import Run
from tests.app.serving import Shared, start
from tests.browser import journeys
from tests.browser.conftest import PATIENCE_SECONDS, Witness

pytestmark = pytest.mark.browser


def test_the_link_lets_in_and_what_is_copied_does_not(browser: Browser, tmp_path: Path, shipped: Run) -> None:
    for shared in start(tmp_path):
        witness, contexts = Witness(), []

        def page(shared: Shared = shared, witness: Witness = witness, contexts: list = contexts) -> Page:  # type: ignore[type-arg]
            contexts.append(
                browser.new_context(base_url=f"http://127.0.0.1:{shared.port}", viewport={"width": 1280, "height": 900})
            )
            contexts[-1].set_default_timeout(PATIENCE_SECONDS * 1000)
            witness.watch(contexts[-1])
            return contexts[-1].new_page()  # type: ignore[no-any-return]

        guest = page()
        guest.goto(f"/?token={shared.token}&run={shipped.id}")
        journeys.settle(guest)
        assert "token" not in guest.url
        assert shared.token not in guest.content()
        for path in ("rank", "fields", "path", "export"):  # figures are drawn under the content policy
            journeys.follow(guest, path)
        journeys.follow(guest, "rank")
        journeys.chart(guest, "errors")
        link = guest.url
        guest.reload()
        journeys.settle(guest)
        assert guest.evaluate("document.cookie.includes('lsr_access')") is False
        assert guest.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)").count(shared.token) == 0
        assert witness.errors == []
        assert witness.elsewhere == []

        stranger = page()
        stranger.goto(link)
        expect(stranger.locator("body")).to_contain_text("opens with the link")
        assert stranger.locator("[data-testid=stApp]").count() == 0
        for context in contexts:
            context.close()
