"""What is said of settings over many runs: found where they matter, and nothing where they do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lsr_app.screens.runs import importance, importancesection, runstexts
from lsr_app.services import runs
from lsr_app.services.runs import RunEntry
from lsr_core.storage.runs import RunStore
from tests.app import synthetic
from tests.app.conftest import Opener


@pytest.fixture
def entry(store: RunStore) -> RunEntry:
    synthetic.complete(store, side=8, max_rank=20)
    return runs.entries("cli")[0]


def made(entry: RunEntry, count: int, **settings: object) -> list[RunEntry]:
    """Runs of one problem; each setting, and `error`, is a list of its values in turn."""
    found = []
    for place in range(count):
        one = {name: values[place % len(values)] for name, values in settings.items()}  # type: ignore[index]
        error = one.pop("error")
        config = entry.manifest.config.model_copy(update=one)
        found.append(replace(entry, gain=(1.0, error), manifest=entry.manifest.model_copy(update={"config": config})))
    return found


def test_a_number_that_orders_the_errors_is_found_and_a_seed_is_not(entry: RunEntry) -> None:
    ranks = list(range(10, 130, 10))
    found = importance.of(made(entry, 12, max_rank=ranks, seed=[0, 1, 2], error=[1.0 / rank for rank in ranks]))
    assert [setting.name for setting in found.settings] == ["max_rank", "seed"]
    assert found.settings[0].share == pytest.approx(1.0)
    assert found.settings[0].larger_is_lower
    assert [setting.name for setting in found.beyond_chance] == ["max_rank"]
    said = runstexts.importance("a problem", found)
    assert (
        said == "12 refinements of a problem, with errors from 8.3e-3 to 0.10: "
        "with the order of their errors goes Maximum rank (100 %, larger with lower errors)."
    )


def test_groups_that_order_the_errors_are_found(entry: RunEntry) -> None:
    found = importance.of(
        made(entry, 16, dtype=["float64", "float32"], sketch=["gaussian", "gaussian", "uniform"], error=[1e-9, 1e-3])
    )
    assert found.settings[0].name == "dtype"
    assert found.settings[0].larger_is_lower is None
    assert [setting.name for setting in found.beyond_chance] == ["dtype"]


def test_chance_is_exceeded_by_one_table_in_twenty(entry: RunEntry) -> None:
    draw = np.random.default_rng(3)
    beyond = 0
    for _ in range(100):
        values = {
            "oversampling": draw.integers(0, 50, 15).tolist(),
            "damping": draw.random(15).tolist(),
            "seed": [0, 1, 2, 3],
        }
        beyond += bool(importance.of(made(entry, 15, error=draw.random(15).tolist(), **values)).beyond_chance)
    assert beyond <= 12
    found = importance.of(made(entry, 15, oversampling=[1, 2], error=[1.0]))
    assert found.beyond_chance == []
    assert "more than chance does" in runstexts.importance("a problem", found)


def test_settings_that_changed_together_are_named(entry: RunEntry) -> None:
    steps = list(range(8))
    found = importance.of(
        made(entry, 8, oversampling=steps, power_iterations=steps, error=[2.0**-step for step in steps])
    )
    assert found.together == (("oversampling", "power_iterations"),)
    assert "cannot tell them apart" in runstexts.importance("a problem", found)
    assert importance.of(made(entry, 8, oversampling=steps, power_iterations=[0, 1], error=steps)).together == ()


def test_a_setting_that_is_another_in_every_run_is_no_group(entry: RunEntry) -> None:
    found = importance.of(made(entry, 8, seed=list(range(8)), error=[1.0, 2.0, 3.0]))
    assert found.settings == ()
    assert "no setting differs" in runstexts.importance("a problem", found)


def test_few_runs_and_other_problems_are_left_out(entry: RunEntry) -> None:
    some = made(entry, importance.LEAST, oversampling=[1, 2], error=[1.0])
    assert list(importance.problems(some)) == [entry.problem.identity]
    assert importance.problems(some[1:]) == {}
    other = replace(some[0], problem=replace(entry.problem, identity="other"))
    assert importance.problems([*some[1:], other]) == {}


def test_the_figure_and_the_page_show_it(store: RunStore, open_page: Opener, entry: RunEntry) -> None:
    for place in range(5):
        synthetic.complete(store, side=8, max_rank=20, seed=place % 2)
    app = open_page("runs")
    assert not app.get("plotly_chart")
    app.toggle(key="importance").set_value(True).run()
    assert not app.exception
    assert any("6 refinements of" in element.value for element in app.markdown)
    found = importance.of(made(entry, 8, oversampling=list(range(8)), error=list(range(8))))
    picture = importancesection.picture("a problem", found)
    assert list(picture.figure.data[0].y) == ["Oversampling"]
    assert picture.figure.layout.yaxis.type == "category"  # names on an axis of numbers are drawn nowhere
    assert "higher errors" in picture.alt
