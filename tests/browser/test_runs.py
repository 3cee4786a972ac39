"""A refinement from the form: progress, results, cancelling, and a worker that is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psutil
import pytest
from playwright.sync_api import Page, expect

from lsr_core.storage.runs import Run
from tests.browser import journeys
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
CANCEL_SECONDS = 2.0


def worker(run: Run) -> psutil.Process:
    """The process at work on a run, once there is one."""
    journeys.until(lambda: run.status().worker is not None, "a worker took the run")
    named = run.status().worker
    assert named is not None
    process = psutil.Process(named.pid)
    assert abs(process.create_time() - named.started) < 1.5
    return process


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def expect_progress(page: Page) -> None:
    expect(page.locator(".st-key-progress").get_by_test_id("stProgress")).to_contain_text("so far")


def cancel(page: Page, run: Run) -> float:
    """Press Cancel; returns the seconds until the worker was gone."""
    process = worker(run)
    journeys.button(page, "cancel").click()
    seconds = journeys.until(lambda: gone(process), "the worker is gone")
    print(f"the worker was gone {seconds:.2f} s after the click")
    journeys.expect_sentence(page, "Cancelled during")
    assert run.status().status == "cancelled"
    return seconds


def test_a_refinement_from_the_form_shows_progress_and_then_its_figures(page: Page, server: Server) -> None:
    journeys.visit(page)
    journeys.choose(page, "noisy1d")
    journeys.fill(page, "Maximum rank", 40)
    run = server.run(journeys.begin(page))
    expect(page.locator(".st-key-progress")).to_be_visible()
    journeys.chart(page, "headline_lines")
    assert run.status().status == "complete", run.log()
    assert run.manifest.config.max_rank == 40
    journeys.expect_rank(page, run.summary.rank)
    journeys.expect_listed(page, "yours")
    for path in ("rank", "fields", "path", "export"):
        journeys.follow(page, path)
        journeys.expect_no_trouble(page)
    assert journeys.view(page)["run"] == run.id


def test_only_the_browser_that_started_a_run_cancels_it_and_the_worker_is_gone_at_once(
    new_page: Callable[[], Page], server: Server
) -> None:
    mine, other = new_page(), new_page()
    journeys.visit(mine)
    run = server.run(journeys.start_long(mine))
    expect_progress(mine)
    process = worker(run)
    mine.reload()
    journeys.expect_view(mine, "", run=run.id)
    expect_progress(mine)

    journeys.visit(other, run=run.id)
    expect_progress(other)
    journeys.expect_listed(other, f"{journeys.title_of('sine2d')}, rank 5000", "of others")
    journeys.visit(other, run=run.id)
    expect(other.get_by_role("button", name="Cancel")).to_have_count(0)
    assert not gone(process)

    seconds = cancel(mine, run)
    journeys.expect_sentence(other, "Cancelled during")
    journeys.to_form(mine)
    expect(mine.get_by_role("spinbutton", name="Maximum rank")).to_have_value("5000")
    if (
        seconds >= CANCEL_SECONDS
    ):  # a machine that gave others its time gets one more try, from the form as it is filled
        run = server.run(journeys.begin(mine))
        expect_progress(mine)
        seconds = cancel(mine, run)
    assert seconds < CANCEL_SECONDS


@pytest.mark.slow
def test_a_killed_worker_shows_as_a_failed_run_with_its_reason(page: Page, server: Server, tiny_run: Run) -> None:
    journeys.visit(page)
    run = server.run(journeys.start_long(page))
    expect_progress(page)
    os.kill(worker(run).pid, signal.SIGKILL)
    journeys.expect_sentence(page, "the worker process ended without a word")
    assert run.status().status == "failed"
    expect(page.get_by_text("Try again")).to_be_visible()
    journeys.expect_listed(page, "Failed")
    assert tiny_run.status().status == "complete"
    journeys.visit(page, run=tiny_run.id)
    journeys.expect_rank(page, tiny_run.summary.rank)
    journeys.chart(page, "headline_map_2")
