"""How a solution stands, as one word; the sentence for readers is made of it at the edge."""

from __future__ import annotations

from enum import StrEnum

from lsr_core.refinement.summary import ResidualNorms


class SolutionStatus(StrEnum):
    """From the harmless to the grave; a solution has the gravest that applies."""

    OK = "ok"
    CUT_OFF = "cut off"  # singular values were left out at the chosen rank
    NONLINEAR = "beyond the linear model"
    ROUNDING = "rounding reached"
    WORSE = "worse than base"


NONLINEAR = 10.0  # times the linear residual, from which the true one is worth a sentence


def status_of_data(rank: int, norms: ResidualNorms) -> SolutionStatus:
    """Of a fit, whose true residual is linear: worse is rounding only."""
    worse = rank > 0 and (norms.nonlinear or 0.0) > (norms.base or 0.0)
    return SolutionStatus.WORSE if worse else SolutionStatus.OK


def status_of_equation(rank: int, norms: ResidualNorms) -> SolutionStatus:
    """Of a field whose true residual may be nonlinear."""
    linear, true = norms.linear or 0.0, norms.nonlinear or 0.0
    if rank > 0 and true > (norms.base or 0.0):
        return SolutionStatus.WORSE
    return SolutionStatus.NONLINEAR if rank > 0 and true > NONLINEAR * linear > 0 else SolutionStatus.OK


WORSE_FIT = {
    SolutionStatus.WORSE: "The refined predictor is worse than the network on its own training data: the solve is limited by rounding. "
    "Use float64 or a smaller rank."
}
WORSE_FIELD = {
    SolutionStatus.WORSE: "The true residual of the refined field is larger than the network's own: the linearisation does not reach this far. "
    "Bring the network closer by training, or take a smaller rank.",
    SolutionStatus.NONLINEAR: "The true residual of the refined field is {ratio:.1e} times that of the linear model: "
    "what is left is nonlinearity of the equation, which Gauss-Newton steps remove, or rounding.",
}


def sentence(status: SolutionStatus, norms: ResidualNorms, words: dict[SolutionStatus, str]) -> list[str]:
    """What is said of it, if anything."""
    ratio = (norms.nonlinear or 0.0) / norms.linear if norms.linear else 0.0
    return [words[status].format(ratio=ratio)] if status in words else []
