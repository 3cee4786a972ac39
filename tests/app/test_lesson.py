"""The lesson: the answers follow from what is measured, the steps have addresses, and predictions stay."""

from __future__ import annotations

import html as markup
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lsr_app.owning import owner
from lsr_app.plots.base import enlarged
from lsr_app.screens.lesson import classroom, dials, handout, lessonlab, lessons, lessonsteps, lessontexts, twobytwo
from lsr_app.screens.lesson.lessonlab import LessonTraining, NoisyFit, SlowDirections, StepLosses
from lsr_app.shell import state
from lsr_app.words import formats
from lsr_core.lab.records import RaceRecord
from lsr_core.storage.runs import RunStore
from tests.app.conftest import Opener, html

STEPS = range(1, len(lessontexts.QUESTIONS) + 1)


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    """The experiments of the lesson, with a tenth of the training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessonlab, "TRAINING_STEPS", 300)
        patch.setattr(lessonlab, "RANK", 8)
        patch.setattr(lessonlab, "RACE_ITERATIONS", 40)
        training = lessonlab.train()
        solution = lessonlab.solve(training.problem)
        patch.setattr(twobytwo, "STARTS", 3)
        patch.setattr(twobytwo, "STEPS", 60)
        return {
            "1": training,
            "2": solution,
            "3": lessonlab.put_into_weights(solution),
            "4": lessonlab.slow_directions(solution),
            "5": lessonlab.other_coordinates(training.problem),
            "6": lessonlab.noisy(),
            **{cell: twobytwo.run(cell) for cell in twobytwo.CELLS},
        }


@pytest.fixture(autouse=True)
def empty_class() -> Iterator[None]:
    classroom._answers.clear()
    yield
    classroom._answers.clear()


@pytest.fixture
def lesson(store: RunStore, found: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "result", found.__getitem__)


def press(app: AppTest, key: str) -> AppTest:
    next(button for button in app.button if button.key == key).click()
    return app.run()


def test_every_question_has_a_conclusion_for_each_answer() -> None:
    assert set(lessontexts.ASKED) == set(lessonsteps.JUDGES)
    assert set(lessontexts.CELLS) == set(twobytwo.CELLS) == set(state.WORDS["cell"])
    for question in lessontexts.ASKED.values():
        assert len(question.options) == len(question.conclusions) == len(set(question.options)) in (3, 4)


def test_experiments_agree_with_each_other(found: dict[str, object]) -> None:
    """The same network, the same solve: what one experiment starts from is what another has measured."""
    training, path, race = found["1"], found["3"], found["5"]
    assert isinstance(training, LessonTraining)
    assert isinstance(path, StepLosses)
    assert isinstance(race, RaceRecord)
    assert path.base == pytest.approx(training.end, rel=1e-9)
    assert race.base_loss == pytest.approx(training.end, rel=1e-9)
    assert race.floor == pytest.approx(path.linear_at_one, rel=1e-6)
    slow = found["4"]
    assert isinstance(slow, SlowDirections)
    assert race.condition_number["original"] == pytest.approx(slow.condition_number, rel=1e-3)
    assert np.all(np.diff(slow.steps) > 0)


def test_the_right_answer_moves_with_the_measurement(found: dict[str, object]) -> None:
    training, path, slow, race, noisy = found["1"], found["3"], found["4"], found["5"], found["6"]
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


def test_figures_stand_for_their_numbers_in_both_sizes(found: dict[str, object]) -> None:
    for key, experiment in found.items():
        picture = lessonsteps.JUDGES[key](experiment).draw()
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
    app = open_page("lesson", step=12)
    assert formats.markdown(lessontexts.no_such_step(12, 9)) in [warning.value for warning in app.warning]
    assert lessontexts.PRECISION in html(app)


def test_presenters_mode_is_in_the_address(lesson: None, open_page: Opener) -> None:
    assert "font-size:21px" in html(open_page("lesson", step=2, present=1))
    assert "font-size:21px" not in html(open_page("lesson", step=2))


def test_steps_of_the_lesson_stay_in_the_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "query", lambda: {"run": "a", "step": "3", "present": "1"})
    assert state.query_for("frequencies", "lesson") == state.query_for("lesson", "frequencies") == {"run": "a"}
    assert "step" in state.query_for("rank", "frequencies")
    assert "present" in state.query_for("lesson", "lesson")


def test_what_the_questions_say_of_the_experiments_is_so(found: dict[str, object]) -> None:
    tasks = [question.task + question.question for question in lessontexts.QUESTIONS]
    weights = sum(one * two + two for one, two in zip(lessonlab.LAYERS[:-1], lessonlab.LAYERS[1:], strict=True))
    for number, step in (
        (weights, 1), (lessonlab.SAMPLES["train"], 1), (lessonlab.TRAINING_STEPS, 1), (lessonlab.TRAINING_STEPS // 2, 1), (lessonlab.RANK, 2),
        (lessonlab.TRAINING_STEPS, 4), (lessonlab.RANK, 4), (lessonlab.RACE_ITERATIONS, 5),
    ):  # fmt: skip
        assert f"{number:,}" in tasks[step - 1]
    noisy = found["6"]
    assert isinstance(noisy, NoisyFit)
    assert f"all {len(noisy.test) - 1} directions" in tasks[5]


@pytest.mark.slow
@pytest.mark.parametrize("cell", list(twobytwo.CELLS))
def test_each_cell_needs_what_it_is_made_of(cell: str) -> None:
    """Ill-conditioned: other coordinates; many valleys: other starts; both: both."""
    ill, valleys = twobytwo.CELLS[cell]
    experiment = twobytwo.run(cell)
    for whitened, many in experiment.losses:
        assert experiment.arrives(whitened, many) == ((whitened or not ill) and (many or not valleys))
    assert lessonsteps.cell(experiment).option == 2 * valleys + ill
    assert (experiment.condition_number > 50) == ill


def test_the_cheapest_remedy_is_the_answer() -> None:
    for arrived, option in (
        ((1, 1, 1, 1), 0),
        ((0, 0, 1, 1), 1),
        ((0, 1, 0, 1), 2),
        ((0, 0, 0, 1), 3),
        ((0, 0, 0, 0), 3),
    ):
        ways = ((False, False), (False, True), (True, False), (True, True))
        losses = {way: np.array([1.0, 1e-9 if there else 0.5]) for way, there in zip(ways, arrived, strict=True)}
        assert lessonsteps.cell(twobytwo.Cell(losses, 3.0, 0.1)).option == option


def test_slopes_of_a_fit_are_those_of_its_residual() -> None:
    true = twobytwo.FAR
    fit = twobytwo._Fit(true, twobytwo._columns(true) @ np.array([1.0, 0.5, -1.0, -0.5]), True)
    theta = np.array([0.3, -0.2, 0.5, 0.1, 1.4, 2.7])
    numeric = np.stack([(fit.residual(theta + h) - fit.residual(theta - h)) / 2e-6 for h in 1e-6 * np.eye(6)], axis=1)
    assert np.allclose(fit.jacobian(theta), numeric, atol=1e-8)


@pytest.mark.parametrize(("kappa", "rate"), [(1.0, 0.5), (3.0, 1.0), (10.0, 1.9), (31.6, 0.3)])
def test_the_steps_that_a_valley_takes_are_counted_right(kappa: float, rate: float) -> None:
    needed = dials.bowl(kappa, rate).needed
    assert needed is not None
    size = np.array([1.0, 1.0])
    for _ in range(needed - 1):
        size *= np.abs(1 - rate * np.array([1.0, kappa**-2]))
    assert size.max() > dials.NEAR
    assert (size * np.abs(1 - rate * np.array([1.0, kappa**-2]))).max() <= dials.NEAR


def test_beyond_two_gradient_descent_diverges() -> None:
    assert [dials.bowl(10.0, rate).diverges for rate in (1.9, 2.0, 2.1)] == [False, False, True]
    assert dials.bowl(10.0, 2.0).needed is None


def test_the_floor_moves_with_epsilon_times_kappa() -> None:
    found = {kappa: dials.precision(kappa) for kappa in (1e2, 1e4)}
    shares = [one.errors[4:-1] / (one.epsilon[4:-1] * kappa) for kappa, one in found.items()]
    assert all(share.min() > 0.003 and share.max() < 1 for share in shares)
    assert np.median(found[1e4].errors[4:] / found[1e2].errors[4:]) == pytest.approx(100, rel=0.6)
    assert dials.rounded(np.array([1 + 2.0**-5]), 4)[0] in (1.0, 1 + 2.0**-4)


@pytest.mark.parametrize(("step", "key"), [(8, "kappa"), (8, "rate"), (9, "kappa"), (9, "bits")])
def test_a_dial_moves_its_sentence_and_its_figure(step: int, key: str, store: RunStore, open_page: Opener) -> None:
    app = open_page("lesson", step=step)
    said, drawn = [element.value for element in app.markdown], app.get("plotly_chart")[0].proto.spec
    slider = app.select_slider(key=f"w_{key}")
    slider.set_value(slider.value + {"kappa": 4, "rate": 10, "bits": 4}[key]).run()
    assert [element.value for element in app.markdown] != said
    assert app.get("plotly_chart")[0].proto.spec != drawn
    assert key in app.query_params


def test_answers_come_back_after_the_page_is_loaded_again(
    lesson: None, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "of", lambda cookies, session: "one browser")
    app = open_page("lesson")
    app.radio[0].set_value(2).run()
    press(app, "run_step")
    again = open_page("lesson")
    assert again.radio[0].value == 2
    assert again.radio[0].disabled
    assert len(again.get("plotly_chart")) == 1
    press(again, "forget_step")
    assert open_page("lesson").radio[0].value is None


def test_a_class_sees_counts_and_no_names(lesson: None, open_page: Opener) -> None:
    for browser, guess in enumerate((0, 2, 2)):
        classroom.say(f"browser {browser}", "3", guess, done=True)
    classroom.say("browser 9", "3", 1)  # has not run the experiment
    classroom.say("browser 0", "3", 1, done=True)  # too late to change
    assert classroom.counts("3", 3) == [1, 0, 2]
    app = open_page("lesson", step=3)
    assert len(app.get("plotly_chart")) == 0
    app.radio[0].set_value(1).run()
    press(app, "run_step")
    assert len(app.get("plotly_chart")) == 2
    assert any("4 browsers have answered" in caption.value for caption in app.caption)


def test_answers_are_forgotten_after_some_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    classroom.say("late", "4", 1, done=True)
    assert classroom.said("late")["4"].guess == 1
    monkeypatch.setattr(classroom, "HOURS", -1.0)
    assert classroom.said("late") == {}
    assert sum(classroom.counts("4", 3)) == 0


def test_the_handout_has_the_readers_numbers(found: dict[str, object]) -> None:
    told = {}
    for key, guess in (("1", 0), ("both", 3)):
        told[key] = (lessontexts.ASKED[key], classroom.Said(guess, True), lessonsteps.JUDGES[key](found[key]))
    text = markup.unescape(handout.page(told).decode())
    for question, said, answer in told.values():
        for part in (question.title, question.options[said.guess], question.options[answer.option], answer.sentence):
            assert part in text
    assert "<script" not in text
