"""What the lab's experiments leave: plain values that go to JSON as they are, every number finite."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue

Space = Literal["subspace", "full"]
CoordinateName = Literal["original", "singular", "whitened"]
Precision = Literal["float64", "float32"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Curve(_Record):
    """Loss of one run, at iterations that lie close at the beginning and far apart at the end.

    Attributes:
        iterations: from 0, the start.
        losses: mean square of f + G Δθ, evaluated in float64 whatever the run computed in.
        excess: the same less the floor, computed without cancellation in the subspace.
        products: with the matrix or its transpose so far, each on one vector.
        seconds: so far.
    """

    iterations: list[int] = Field(default_factory=list)
    losses: list[FiniteFloat] = Field(default_factory=list)
    excess: list[FiniteFloat] = Field(default_factory=list)
    products: list[int] = Field(default_factory=list)
    seconds: list[FiniteFloat] = Field(default_factory=list)


class Trial(_Record):
    """One setting of a sweep and how it ended.

    Attributes:
        best_loss: the smallest of its curve.
        diverged_at: iteration at which the loss had left all bounds; None if it never did.
    """

    settings: dict[str, JsonValue]
    best_loss: FiniteFloat
    diverged_at: int | None = None


class MethodRecord(_Record):
    """A method in one precision and one choice of coordinates: the best run of its sweep.

    Attributes:
        best_loss: smallest recorded loss.
        loss_above_floor: smallest recorded excess over the floor.
        times_floor: best loss over the floor; None where the floor is rounding.
        relative_loss: best loss over the loss at the start.
        iterations: of the run that is shown.
        products: of that run.
        seconds: of the whole sweep where its runs went side by side, else of that run.
        diverged: whether even the best run left all bounds.
        diverged_at: the iteration at which it had.
        sweep: every setting tried.
    """

    name: str
    dtype: Precision
    coordinates: CoordinateName
    best_loss: FiniteFloat
    loss_above_floor: FiniteFloat
    times_floor: FiniteFloat | None
    relative_loss: FiniteFloat
    iterations: int
    products: int
    seconds: FiniteFloat
    settings: dict[str, JsonValue]
    diverged: bool
    diverged_at: int | None = None
    sweep: list[Trial] = Field(default_factory=list)
    curve: Curve


class Bound(_Record):
    """What theory promises from the condition number alone: an upper bound on the excess."""

    name: Literal["conjugate gradients", "gradient descent"]
    coordinates: CoordinateName
    iterations: list[int]
    excess: list[FiniteFloat]


class RaceRecord(_Record):
    """The race so far.

    Attributes:
        rank: dimension of the subspace; of the whole space, the number of parameters.
        base_loss: loss of the network.
        floor: smallest loss that the problem allows, from the direct solve in float64; None where it is rounding, as in a full space.
        condition_number: κ of G V by coordinates; for the full space a lower bound. None where it is not known.
        methods: in the order in which they ran; grows while the job is at work.
        bounds: to be drawn over the curves.
        complete: whether all methods have run.
        notes: sentences on what was left out or found.
    """

    problem: str
    space: Space
    rank: int
    n_params: int
    n_residuals: int
    iterations: int
    seed: int
    base_loss: FiniteFloat
    floor: FiniteFloat | None
    condition_number: dict[CoordinateName, FiniteFloat | None]
    methods: list[MethodRecord] = Field(default_factory=list)
    bounds: list[Bound] = Field(default_factory=list)
    complete: bool = False
    seconds: FiniteFloat = 0.0
    notes: list[str] = Field(default_factory=list)


class SplitErrors(_Record):
    """‖q − y‖/‖y‖ by split; absent splits are null."""

    train: FiniteFloat | None = None
    validation: FiniteFloat | None = None
    test: FiniteFloat | None = None


class Contender(_Record):
    """One way of spending R degrees of freedom.

    Attributes:
        name: network, jacobian-subspace, last-layer, random-subspace, nonlinear-lbfgs or nonlinear-adam.
        dimension: degrees of freedom.
        linear: whether one linear least-squares problem was solved, as against a nonlinear optimisation.
        errors: relative L2 errors.
        seconds: of finding the subspace and of solving or optimising in it; errors are measured outside.
        iterations: of a nonlinear optimisation.
        settings: of a nonlinear optimisation.
        sweep: end of every setting tried.
        note: such as a dimension that could not be met.
    """

    name: str
    dimension: int
    linear: bool
    errors: SplitErrors
    seconds: FiniteFloat
    iterations: int | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    sweep: list[Trial] = Field(default_factory=list)
    note: str = ""


class IsolationRecord(_Record):
    """The contenders so far, the network itself first.

    Attributes:
        rank: R, asked of every contender.
        complete: whether all have run.
        notes: sentences.
    """

    problem: str
    rank: int
    n_params: int
    n_residuals: int
    seed: int
    contenders: list[Contender] = Field(default_factory=list)
    complete: bool = False
    seconds: FiniteFloat = 0.0
    notes: list[str] = Field(default_factory=list)
