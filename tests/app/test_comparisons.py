"""Ten comparisons of two to twelve runs by link: the link gives the comparison, and what is said of the difference is so."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

import lsr_samples
from lsr_app.reading import problemabout, rundata
from lsr_core.jobs import queue
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.runs import RunStore
from tests import bundles
from tests.app import differencestatements as differences
from tests.app import statements
from tests.app.conftest import Opener, html
from tests.app.differencestatements import Looked

SETTINGS: list[dict[str, Any]] = [
    {"max_rank": 12}, {"max_rank": 3}, {"max_rank": 5, "seed": 1}, {"max_rank": 12, "dtype": "float32"}, {"max_rank": 8, "parameter_fraction": 0.5},
    {"max_rank": 12, "damping": 1e-6}, {"max_rank": 12, "damping": 2.5e-2}, {"max_rank": 12, "strategy": "row-blocks"},
    {"max_rank": 6, "basis_points": 12}, {"max_rank": 12, "seed": 7}, {"max_rank": 4, "sketch": "uniform"}, {"max_rank": 12, "rank": 2},
    {"max_rank": 12},
]  # fmt: skip
OTHER = len(SETTINGS) - 1  # is a refinement of other weights
COMPARED: list[dict[int, int | None]] = [  # runs by their place above, and a rank where another than the chosen one is looked at
    {0: None, 1: None},
    {1: None, 0: 2, 2: 1},
    {0: None, 3: None, 7: None},
    {0: None, 9: None},
    {0: 0, 4: None, 5: None, 6: None},
    dict.fromkeys(range(5)),
    {place: place % 4 for place in range(6)},
    {11: None, 8: 3, 10: None, 2: None, 1: 0, 6: None, 5: 4, 9: None},
    dict.fromkeys(range(12)),
    {0: None, OTHER: None, 2: 3},
]  # fmt: skip
SAMPLES = ("noisy1d", "digits", "burgers", "sine2d", "heat-coefficient")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A refinement for each of the settings, made by the engine."""
    folder = tmp_path_factory.mktemp("comparisons")
    sources = [bundles.write(folder / "one")]
    weights = {name: -0.7 * tensor for name, tensor in bundles.tensors().items()}
    sources.append(bundles.write(folder / "other", weights=weights))
    kept = RunStore(folder / "runs")
    return [refined(kept, sources[place == OTHER], f"run {place}", settings) for place, settings in enumerate(SETTINGS)]


def refined(kept: RunStore, source: Path, title: str, settings: dict[str, Any]) -> Path:
    run = queue.create(kept, source, RefineConfig(**settings), owner="cli", title=title)
    execute(run)
    return run.path


def looked_at(store: RunStore, chosen: dict[Path, int | None]) -> list[Looked]:
    """The same runs in the folder that the dashboard sees, as the comparison should find them."""
    store.root.mkdir(parents=True, exist_ok=True)
    found = []
    for path, rank in chosen.items():
        if not (store.root / path.name).exists():
            shutil.copytree(path, store.root / path.name)
        data = rundata.read(RunStore(path.parent).open(path.name))
        found.append(
            Looked(
                data.manifest.title,
                data,
                data.auto_rank if rank is None else data.snap(rank),
                problemabout.named(path / "problem").identity,
            )
        )
    return found


def opened(looked: list[Looked], chosen: dict[Path, int | None], open_page: Opener) -> tuple[str, str]:
    """What the page says and its HTML, by the link alone."""
    link = ",".join(path.name if rank is None else f"{path.name}@{rank}" for path, rank in chosen.items())
    app = open_page("compare", runs=link)
    assert not app.error
    assert app.query_params["runs"] == link
    assert app.multiselect[0].value == [path.name for path in chosen]
    assert {chart.proto.id for chart in app.get("plotly_chart")}
    return statements.said(app), html(app)


def wrong(text: str, page: str, looked: list[Looked]) -> list[str]:
    return [
        *differences.sentence(text, looked),
        *differences.numbers(page, looked),
        *differences.settings(page, looked),
        *statements.clumsy(text),
    ]


@pytest.mark.parametrize("places", COMPARED, ids=lambda places: f"{len(places)} runs")
def test_a_link_opens_a_comparison_that_says_what_is_so(
    places: dict[int, int | None], made: list[Path], store: RunStore, open_page: Opener
) -> None:
    chosen = {made[place]: rank for place, rank in places.items()}
    looked = looked_at(store, chosen)
    text, page = opened(looked, chosen, open_page)
    assert wrong(text, page, looked) == []


def test_the_check_tells_true_from_false(made: list[Path], store: RunStore, open_page: Opener) -> None:
    chosen: dict[Path, int | None] = {made[0]: None, made[1]: None, made[6]: None}
    looked = looked_at(store, chosen)
    text, page = opened(looked, chosen, open_page)
    assert wrong(text, page, looked) == []
    for place in range(3):
        other = [*looked]
        other[place] = Looked(looked[place].name, looked[place].data, 1, looked[place].problem)
        assert wrong(text, page, other)
    assert wrong(text, page, looked[:2])
    assert wrong(text, page, [looked[1], looked[0], looked[2]])
    assert wrong(text.replace("smallest", "largest"), page, looked)
    assert wrong(text, page.replace("Damping", "Seed"), looked)
    assert wrong(text, page.replace("<td>0.025</td>", "<td>0.02</td>"), looked)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_the_same_of_samples(name: str, tmp_path: Path, store: RunStore, open_page: Opener) -> None:
    """Classes, equations and noisy data, whose errors are called otherwise; two to four runs at ranks drawn at random."""
    kept, draw = RunStore(tmp_path / "made"), random.Random(name)
    settings = [
        {"max_rank": 24},
        {"max_rank": 10, "seed": 3},
        {"max_rank": 24, "damping": 1e-4},
        {"max_rank": 16, "dtype": "float32"},
    ]
    paths = [refined(kept, lsr_samples.folder(name), f"{name} {place}", one) for place, one in enumerate(settings)]
    for count in (2, 4):
        chosen = {path: draw.choice([None, 0, 5, 10]) for path in draw.sample(paths, count)}
        looked = looked_at(store, chosen)
        text, page = opened(looked, chosen, open_page)
        assert wrong(text, page, looked) == []
