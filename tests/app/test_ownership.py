"""Whose run it is, and what others may do with it."""

from __future__ import annotations

import pytest

from lsr_app.owning import owner
from lsr_app.services import ownership, runs
from lsr_core.errors import InputError
from lsr_core.storage.runs import RunStore
from tests.app import synthetic
from tests.app.conftest import Opener

TOKEN = bytes(range(16))


def cookie(mask: bytes) -> str:
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(TOKEN))
    return f"2|{mask.hex()}|{masked.hex()}|1700000000"


def test_owner_is_the_same_under_every_mask() -> None:
    first = owner.of({owner.COOKIE: cookie(b"abcd")}, {})
    assert first == owner.of({owner.COOKIE: cookie(b"wxyz")}, {})
    assert first.startswith("browser:")
    assert TOKEN.hex() not in first


@pytest.mark.parametrize("text", ["", "2|zz|00|1", "1|2|3", "2|61626364|00|1", "x" * 500])
def test_without_a_usable_cookie_the_session_is_the_owner(text: str) -> None:
    session: dict[str, object] = {}
    first = owner.of({owner.COOKIE: text}, session)
    assert first == owner.of({owner.COOKIE: text}, session)
    assert first != owner.of({owner.COOKIE: text}, {})


def test_only_the_owner_changes_a_run(store: RunStore) -> None:
    run = synthetic.unfinished(store, "cancelled", owner="browser:me")
    for action in (
        lambda: ownership.rename(run, "browser:other", "x"),
        lambda: ownership.set_listed(run, "browser:other", False),
        lambda: ownership.delete(run, "browser:other"),
        lambda: ownership.cancel(run, "browser:other"),
    ):
        with pytest.raises(InputError, match="only the browser that started"):
            action()
    ownership.rename(run, "browser:me", "  mine ")
    assert store.open(run.id).manifest.title == "mine"
    ownership.delete(run, "browser:me")
    assert not run.path.exists()


def test_a_run_at_work_is_not_deleted(store: RunStore) -> None:
    run = synthetic.unfinished(store, "running", owner="browser:me")
    with pytest.raises(InputError, match="cancel the run"):
        ownership.delete(run, "browser:me")


def test_unlisted_runs_are_listed_for_the_owner_only(store: RunStore) -> None:
    run = synthetic.unfinished(store, "cancelled", owner="browser:me")
    ownership.set_listed(run, "browser:me", False)
    assert [entry.id for entry in runs.entries("browser:me")] == [run.id]
    assert runs.entries("browser:other") == []
    assert [entry.id for entry in runs.entries("browser:other", also=run.id)] == [run.id]


def test_page_offers_cancel_to_the_owner_only(
    store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = synthetic.unfinished(store, "running", owner="browser:me")
    assert not [button for button in open_page(run=run.id).button if button.key == "cancel"]
    monkeypatch.setattr(owner, "of", lambda cookies, session: "browser:me")
    assert [button for button in open_page(run=run.id).button if button.key == "cancel"]


def test_unlisted_run_opens_by_its_link(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, owner="browser:me", side=12, max_rank=20)
    ownership.set_listed(run, "browser:me", False)
    assert open_page("rank", run=run.id).get("plotly_chart")
