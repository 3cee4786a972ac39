"""The keyboard: every key is bound once, with a modifier, and the box goes to pages and runs."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from lsr_app.shell import pages
from lsr_app.words import keytexts
from lsr_core.storage.runs import RunStore
from tests.app import synthetic
from tests.app.conftest import Opener


def test_every_key_has_a_modifier_and_one_meaning(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, side=12, max_rank=40)
    for page in pages.found():
        keys = [button.proto.shortcut for button in open_page(page, run=run.id).button if button.proto.shortcut]
        assert len(keys) == len(keytexts.KEYS) + 1
        assert max(Counter(keys).values()) == 1
        assert all("+" in key for key in keys)


def test_pages_of_a_group_stand_together() -> None:
    groups = [screen.group for screen in pages.found().values()]
    assert [group for group, _ in groupby(groups)] == list(pages.GROUPS)


def test_keys_move_the_rank_along_the_ladder_and_stop_at_its_ends(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, side=12, max_rank=40)
    ladder = list(run.fields.ranks)
    app = open_page("rank", run=run.id, rank=ladder[2])
    app.button(key="key_rank_down").click().run()
    assert app.query_params["rank"] == str(ladder[1])
    for _ in range(3):
        app.button(key="key_rank_down").click().run()
    assert app.query_params["rank"] == str(ladder[0])
    app.button(key="key_rank_up").click().run()
    assert app.query_params["rank"] == str(ladder[1])


def test_the_box_names_every_page_and_run(store: RunStore, open_page: Opener) -> None:
    runs = [synthetic.complete(store, side=12, max_rank=40, title=f"number {place}") for place in range(2)]
    app = open_page("rank", run=runs[0].id)
    app.button(key="go_to").click().run()
    box = app.selectbox(key="go_to_1")
    assert {keytexts.page(screen.title) for screen in pages.found().values()} <= set(box.options)
    assert sum(f"number {place}" in option for place in range(2) for option in box.options) == 2
