"""`/api` gives a script what the pages show, to those who may see it, and answers everything else with a sentence."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsr_app.owning import owner
from lsr_app.serve import api
from lsr_app.serve.api import Api
from lsr_core.storage.runs import Run, RunStore
from tests.app import synthetic
from tests.app.asking import Headers, ask, scope

COOKIE = f"2|{'00' * 4}|{'a' * 32}|1"
MINE = {"Cookie": f"{owner.COOKIE}={COOKIE}"}
ME = owner.of({owner.COOKIE: COOKIE}, {})
SMALL = {"side": 6, "max_rank": 8}
Asker = Callable[..., tuple[int, dict[str, str], str]]


async def behind(asked: Any, receive: Any, send: Any) -> None:
    """The dashboard, which answers nothing here."""


@pytest.fixture
def get(store: RunStore) -> Asker:
    def get(path: str, headers: Headers | None = None, method: str = "GET") -> tuple[int, dict[str, str], str]:
        async def asking() -> tuple[int, dict[str, str], str]:
            return await ask(Api(behind), scope(headers or {}, path, method=method))

        return asyncio.run(asking())

    return get


def test_the_files_of_a_run_are_what_it_found(store: RunStore, get: Asker) -> None:
    run = synthetic.complete(store, owner="somebody secret", **SMALL)
    status, headers, body = get(f"/api/runs/{run.id}/sweep.csv")
    rows = list(csv.DictReader(io.StringIO(body)))
    assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert [float(row["test_mse"]) for row in rows] == run.sweep.test_mse.tolist()
    values = list(csv.DictReader(io.StringIO(get(f"/api/runs/{run.id}/spectrum.csv")[2])))
    assert [float(row["singular_value"]) for row in values] == run.spectrum.singular_values.tolist()
    told = json.loads(get(f"/api/runs/{run.id}/run.json")[2])
    assert told["refined"]["test_mse"] == run.summary.refined.test_mse
    assert headers["cache-control"] == "no-store"
    assert "secret" not in get(f"/api/runs/{run.id}/run.json")[2] + get("/api/runs")[2]


def test_the_list_is_that_of_the_browser_that_asks(store: RunStore, get: Asker) -> None:
    listed = synthetic.complete(store, owner="other", **SMALL)
    hidden = synthetic.complete(store, owner=ME, **SMALL)
    hidden.write_manifest(hidden.manifest.model_copy(update={"listed": False}))
    passing = synthetic.complete(store, owner=ME, **SMALL)
    passing.write_manifest(passing.manifest.model_copy(update={"session_only": True}))

    def seen(headers: Headers) -> dict[str, bool]:
        return {line["run"]: line["mine"] for line in json.loads(get("/api/runs", headers)[2])["runs"]}

    assert seen({}) == {listed.id: False}
    assert seen(MINE) == {listed.id: False, hidden.id: True, passing.id: True}
    assert get(f"/api/runs/{passing.id}/sweep.csv")[0] == 404
    assert get(f"/api/runs/{passing.id}/sweep.csv", MINE)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api", "/api/", "/api/x", "/api/runs/", "/api/runs/nothing", f"/api/runs/{'0' * 32}", f"/api/runs/{'0' * 32}/sweep.csv",
        "/api/runs/../sweep.csv", "/api/runs/..%2f..%2fetc/run.json", "/api/runs/\x00/run.json", "/api/runs/" + "a" * 5000,
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_so(get: Asker, path: str) -> None:
    status, _, body = get(path)
    assert status == 404
    assert json.loads(body)["error"]


def test_files_are_those_named_and_of_complete_refinements(store: RunStore, get: Asker) -> None:
    run = synthetic.complete(store, **SMALL)
    for name in ("log.txt", "delta.safetensors", "status.json", "SWEEP.CSV"):
        status, _, body = get(f"/api/runs/{run.id}/{name}")
        assert (status, "sweep.csv" in body) == (404, True)
    run.write_status(run.status().model_copy(update={"status": "cancelled"}))
    status, _, body = get(f"/api/runs/{run.id}/sweep.csv")
    assert (status, "cancelled" in json.loads(body)["error"]) == (404, True)
    assert json.loads(get(f"/api/runs/{run.id}")[2])["status"] == "cancelled"


@pytest.mark.parametrize("name", ["summary.json", "sweep.npz", "run.json"])
def test_a_damaged_run_is_a_sentence_that_names_the_file(store: RunStore, get: Asker, name: str) -> None:
    run = synthetic.complete(store, **SMALL)
    (run.path / name).write_bytes(b"no record")
    status, _, body = get(f"/api/runs/{run.id}/sweep.csv")
    assert status == 404
    assert name in json.loads(body)["error"]
    assert get("/api/runs")[0] == 200


def test_what_nobody_foresaw_is_a_sentence_with_its_place_in_the_log(
    store: RunStore, get: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = synthetic.complete(store, **SMALL)

    def broken(_: Run) -> str:
        raise ZeroDivisionError

    monkeypatch.setitem(api.FILES, "sweep.csv", (api.CSV, broken))
    status, _, body = get(f"/api/runs/{run.id}/sweep.csv")
    assert (status, "the log" in json.loads(body)["error"]) == (500, True)


def test_other_methods_change_nothing(store: RunStore, get: Asker) -> None:
    run = synthetic.complete(store, **SMALL)
    before = sorted(path.name for path in run.path.iterdir())
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert get(f"/api/runs/{run.id}/sweep.csv", method=method)[0] == 405
    assert sorted(path.name for path in run.path.iterdir()) == before


def test_who_asks_without_end_is_told_to_wait(store: RunStore) -> None:
    async def asking() -> list[int]:
        guarded = Api(behind)
        return [(await ask(guarded, scope({}, "/api/nothing")))[0] for _ in range(api.AT_ONCE + 3)]

    found = asyncio.run(asking())
    assert found[: api.AT_ONCE] == [404] * api.AT_ONCE
    assert found[-1] == 429


def test_other_addresses_go_on_to_the_dashboard(tmp_path: Path, get: Asker) -> None:
    for path in ("/", "/apiary", "/runs", "/_stcore/health"):
        assert get(path)[0] == 0
