"""What is said and drawn of a smoothed refinement, without a page."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lsr_app.plots import smoothing
from lsr_app.words import formats, smoothingtexts
from lsr_core.diagnosis.steps import with_parameter_steps
from lsr_core.refinement.curves import smoothing_curves
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from tests.core.test_smoothing import noisy


@pytest.fixture(scope="module")
def found() -> Refinement:
    return refine(noisy(), regularise="auto")


def test_figures_hold_the_numbers_of_the_run(found: Refinement) -> None:
    curves = smoothing_curves(found, with_parameter_steps(found))
    assert curves is not None
    picture = smoothing.criterion(curves, curves.chosen)
    named = {trace.name: trace for trace in picture.figure.data}
    assert np.allclose(named["Cross-validation"].y, curves.gcv, equal_nan=True)
    assert picture.figure.layout.shapes[0].x0 == curves.chosen
    assert len(list(picture.rows())) == len(curves.strength)
    held = smoothing.calibration(curves)
    assert list(held.rows()) == list(zip(curves.level.tolist(), curves.observed.tolist(), strict=True))


def test_words_name_noise_degrees_of_freedom_and_coverage(found: Refinement) -> None:
    lines = "\n".join(smoothingtexts.smoothing_lines(found.summary, banded=True))
    assert f"uses {found.summary.degrees_of_freedom:,.1f} of {found.summary.n_params:,} parameters" in lines
    left = formats.error(math.sqrt(found.summary.refined.train_mse or 0))
    assert f"; the fit leaves {left}" in lines
    assert ("Left by the fit", left, "root mean square at the fitted values") in smoothingtexts.numbers(found.summary)
    assert found.summary.regularisation is not None
    assert f"{100 * (found.summary.coverage or 0):.1f} % of test targets" in lines
    assert smoothingtexts.smoothing_lines(refine(noisy(), max_rank=3).summary, banded=False) == []
    several = found.summary.regularisation.model_copy(update={"optima": [0.5], "stretch": 1.25})
    said = smoothingtexts.sentence(found.summary.model_copy(update={"regularisation": several}))
    assert f"other, higher optima at a strength of {formats.error(0.5)}" in said
    assert "multiplied by 1.25, so that 95 % bands hold" in said
    refused = found.summary.model_copy(update={"rank": 0, "rank_choice": "auto: do not refine, there is no residual"})
    assert smoothingtexts.sentence(refused).startswith("Do not refine")
    assert "bands: " not in lines
    for banded, words in ((True, "those of the prior of its weights"), (False, "has none")):
        (line,) = (one for one in smoothingtexts.smoothing_lines(refused, banded=banded) if one.startswith("bands: "))
        assert words in line
