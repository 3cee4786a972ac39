"""The lesson: the answers follow from what is measured, the steps have addresses, and predictions stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lsr_app.plots.base import enlarged
from lsr_app.screens.lesson import lessonlab, lessons, lessonsteps, lessontexts
from lsr_app.screens.lesson.lessonlab import LessonTraining, NoisyFit, SlowDirections, StepLosses
from lsr_app.shell import state
from lsr_app.words import formats
from lsr_core.lab.records import RaceRecord
from lsr_core.storage.runs import RunStore
from tests.app.conftest import Opener, html

STEPS = range(1, len(lessontexts.QUESTIONS) + 1)


@pytest.fixture(scope="module")
def found() -> dict[int, object]:
    """The experiments of the lesson, with a tenth of the training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessonlab, "TRAINING_STEPS", 300)
        patch.setattr(lessonlab, "RANK", 8)
        patch.setattr(lessonlab, "RACE_ITERATIONS", 40)
        training = lessonlab.train()
        solution = lessonlab.solve(training.problem)
        return {
            1: training,
            2: solution,
            3: lessonlab.put_into_weights(solution),
            4: lessonlab.slow_directions(solution),
            5: lessonlab.other_coordinates(training.problem),
            6: lessonlab.noisy(),
        }


@pytest.fixture
def lesson(store: RunStore, found: dict[int, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "result", found.__getitem__)


def press(app: AppTest, key: str) -> AppTest:
    next(button for button in app.button if button.key == key).click()
    return app.run()


def test_every_question_has_a_conclusion_for_each_answer() -> None:
    assert len(lessontexts.QUESTIONS) == len(lessonsteps.JUDGES) == 6
    for question in lessontexts.QUESTIONS:
        assert len(question.options) == len(question.conclusions) == len(set(question.options)) == 3


def test_experiments_agree_with_each_other(found: dict[int, object]) -> None:
    """The same network, the same solve: what one experiment starts from is what another has measured."""
    training, path, race = found[1], found[3], found[5]
    assert isinstance(training, LessonTraining)
    assert isinstance(path, StepLosses)
    assert isinstance(race, RaceRecord)
    assert path.base == pytest.approx(training.end, rel=1e-9)
    assert race.base_loss == pytest.approx(training.end, rel=1e-9)
    assert race.floor == pytest.approx(path.linear_at_one, rel=1e-6)
    slow = found[4]
    assert isinstance(slow, SlowDirections)
    assert race.condition_number["original"] == pytest.approx(slow.condition_number, rel=1e-3)
    assert np.all(np.diff(slow.steps) > 0)


def test_the_right_answer_moves_with_the_measurement(found: dict[int, object]) -> None:
    training, path, slow, race, noisy = found[1], found[3], found[4], found[5], found[6]
    assert isinstance(training, LessonTraining)
    for half, option in ((1.0, 0), (5.0, 1), (100.0, 2)):
        assert lessonsteps.stuck(replace(training, half=half, end=1.0)).option == option
    assert isinstance(path, StepLosses)
    for network, option in ((2e-6, 0), (0.5, 1), (1.0, 2), (50.0, 2)):
        moved = replace(path, base=1.0, linear_at_one=1e-6, network_at_one=network)
        assert lessonsteps.in_weights(moved).option == option
    assert isinstance(slow, SlowDirections)
    for steps, option in ((1e3, 0), (1e6, 1), (1e9, 2)):
        assert lessonsteps.slow(replace(slow, steps=np.array([1.0, steps]))).option == option
    assert isinstance(noisy, NoisyFit)
    for last, option in ((0.1, 0), (1.0, 1), (3.0, 2)):
        assert lessonsteps.noisy(replace(noisy, test=np.array([1.0, 0.2, last]), rank=1)).option == option
    assert isinstance(race, RaceRecord)
    for ends, option in (((90.0, 80.0), 0), ((90.0, 1.5), 1), ((1.0, 1.0), 2)):
        moved_race = race.model_copy(deep=True)
        for method in moved_race.methods:
            if method.name == "adam" and method.coordinates != "singular":
                method.times_floor = ends[method.coordinates == "whitened"]
        assert lessonsteps.coordinates(moved_race).option == option


def test_figures_stand_for_their_numbers_in_both_sizes(found: dict[int, object]) -> None:
    for step in STEPS:
        picture = lessonsteps.JUDGES[step - 1](found[step]).draw()
        assert picture.alt
        rows = list(picture.rows())
        assert rows
        assert all(len(row) == len(picture.columns) for row in rows)
        large = enlarged(picture).figure
        assert large.layout.height > picture.figure.layout.height
        assert large.layout.xaxis.tickfont.size > picture.figure.layout.xaxis.tickfont.size


@pytest.mark.parametrize("step", STEPS)
def test_each_address_opens_its_step_and_runs_it(step: int, lesson: None, open_page: Opener) -> None:
    app = open_page("lesson", step=step)
    question = lessontexts.QUESTIONS[step - 1]
    assert f"{step}. {question.title}" in html(app)
    assert not app.get("plotly_chart")
    assert next(button for button in app.button if button.key == "run_step").disabled
    app.radio[0].set_value(1).run()
    press(app, "run_step")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert "You predicted" in html(app)
    assert app.radio[0].disabled
    assert app.query_params["step"] in (str(step), [str(step)])


def test_predictions_stay_while_another_step_is_looked_at(lesson: None, open_page: Opener) -> None:
    app = open_page("lesson")
    app.radio[0].set_value(2).run()
    press(press(app, "run_step"), "next_step")
    assert lessontexts.QUESTIONS[1].title in html(app)
    assert app.radio[0].value is None
    press(app, "previous_step")
    assert app.radio[0].value == 2
    assert len(app.get("plotly_chart")) == 1
    press(app, "forget_step")
    assert app.radio[0].value is None
    assert not app.get("plotly_chart")


def test_a_step_that_is_not_there_is_named(lesson: None, open_page: Opener) -> None:
    app = open_page("lesson", step=9)
    assert formats.markdown(lessontexts.no_such_step(9, 6)) in [warning.value for warning in app.warning]
    assert lessontexts.QUESTIONS[5].title in html(app)


def test_presenters_mode_is_in_the_address(lesson: None, open_page: Opener) -> None:
    assert "font-size:21px" in html(open_page("lesson", step=2, present=1))
    assert "font-size:21px" not in html(open_page("lesson", step=2))


def test_steps_of_the_lesson_stay_in_the_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "query", lambda: {"run": "a", "step": "3", "present": "1"})
    assert state.query_for("frequencies", "lesson") == state.query_for("lesson", "frequencies") == {"run": "a"}
    assert "step" in state.query_for("rank", "frequencies")
    assert "present" in state.query_for("lesson", "lesson")


def test_what_the_questions_say_of_the_experiments_is_so(found: dict[int, object]) -> None:
    tasks = [question.task + question.question for question in lessontexts.QUESTIONS]
    weights = sum(one * two + two for one, two in zip(lessonlab.LAYERS[:-1], lessonlab.LAYERS[1:], strict=True))
    for number, step in (
        (weights, 1), (lessonlab.SAMPLES["train"], 1), (lessonlab.TRAINING_STEPS, 1), (lessonlab.TRAINING_STEPS // 2, 1), (lessonlab.RANK, 2),
        (lessonlab.TRAINING_STEPS, 4), (lessonlab.RANK, 4), (lessonlab.RACE_ITERATIONS, 5),
    ):  # fmt: skip
        assert f"{number:,}" in tasks[step - 1]
    noisy = found[6]
    assert isinstance(noisy, NoisyFit)
    assert f"all {len(noisy.test) - 1} directions" in tasks[5]
