"""The figures of a finished refinement, in the form in which they are stored and printed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from lsr_core.refinement.processes import Processes
from lsr_core.refinement.regularisation import Regularisation
from lsr_core.refinement.unknowns import MeasuredFit, UnknownNumber


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


_OF_EVERY_KIND = frozenset({"train_mse", "val_mse", "test_mse", "test_relative_l2", "relative_l2"})


class Errors(_Record):
    """Errors of one predictor; None where the problem has no such split.

    For a physics problem `train_mse` and `val_mse` are the losses Σ weight·mean(r²) at fitted and at fresh points, and `relative_l2` is the
    error against the exact or reference solution on the grid.

    For a classifier `val_mse` and `test_mse` are mean squares of probabilities less one-hot targets. Log-loss and calibration belong to
    probabilities clipped at 1e-6 and renormalised; `test_clipped` is the share that had left [0, 1], as linearised ones may.

    For an operator `mean`, `median`, `p90` and `max` are those of the relative L2 errors of single test functions.

    With 2 to 16 outputs `by_output` has the relative L2 error of each, where the pooled one is reported: on test data, else validation,
    else training; for an equation against its solution.
    """

    train_mse: float | None = None
    val_mse: float | None = None
    test_mse: float | None = None
    test_relative_l2: float | None = None
    relative_l2: float | None = None
    test_accuracy: float | None = None
    test_log_loss: float | None = None
    test_calibration: float | None = None
    test_clipped: float | None = None
    mean: float | None = None
    median: float | None = None
    p90: float | None = None
    max: float | None = None
    by_output: list[float | None] | None = None

    @model_serializer(mode="wrap")
    def _only_of_this_kind(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What only classifiers and operators have is left out elsewhere, so that scripts find the keys they know."""
        found: dict[str, Any] = serialise(self)
        return {name: value for name, value in found.items() if name in _OF_EVERY_KIND or value is not None}


class Quantiles(_Record):
    """Of the error of single test samples: |q − y|, or its norm over the outputs."""

    median: float
    p90: float
    p99: float
    max: float


class Classes(_Record):
    """What became of the test samples of a classifier.

    Attributes:
        base_confusion: samples by right class (rows) and class given by the network (columns); empty for more than 100 classes.
        refined_confusion: the same with the class given by the refined predictor.
        n_changed: samples whose class changed.
        changed: their places among the test samples, the first 1000.
    """

    base_confusion: list[list[int]]
    refined_confusion: list[list[int]]
    n_changed: int
    changed: list[int]


class ResidualNorms(_Record):
    """The three norms: at θ0, of the linear model after the solve, of the true residual of the refined field.

    For a physics problem the first and the last also at fresh points, which the solve has not seen. After Gauss-Newton steps the last is
    that of their result, while the linear model remains that of the one solve at θ0.
    """

    base: float | None = None
    linear: float | None = None
    nonlinear: float | None = None
    fresh_base: float | None = None
    fresh_nonlinear: float | None = None


class GaussNewtonStep(_Record):
    """One step of response-space Gauss-Newton; step 0 is what it starts from.

    Attributes:
        rank: directions that the field uses after the step.
        fitted_residual: √(Σ weight·mean(r²)), the true one, at fitted points after the step; it never rises.
        fresh_residual: the same at fresh points, by which steps and ranks are chosen.
        relative_l2: error of the field against the exact or reference solution; reported, never used to choose.
        step_norm: ‖V δ‖ of the step in the parameters; of step 0 the length of Δθ.
        damping: Marquardt's, relative to the column norms; 0 = none.
        accepted: False where no step lowered the residual, so that the field stays.
    """

    step: int
    rank: int
    fitted_residual: float
    fresh_residual: float
    relative_l2: float | None
    step_norm: float
    damping: float
    accepted: bool
    seconds: float


class OneShot(_Record):
    """The one-shot refinement that Gauss-Newton steps were to improve on."""

    rank: int
    rank_choice: str
    refined: Errors
    residual_norm: ResidualNorms
    delta_norm: float


Limit = Literal[
    "conditioning", "unfinished", "nonconvexity", "units", "capacity", "open", "precision", "stationary", "overfitting", "noise",
    "unsolved", "undetermined",
]  # fmt: skip


def _in_words(value: object) -> object:
    """Runs of earlier versions have a number between 0.5 and 0.95 here."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "clear" if value >= 0.85 else "likely" if value >= 0.65 else "uncertain"
    return value


Confidence = Annotated[Literal["clear", "likely", "uncertain"], BeforeValidator(_in_words)]


class Evidence(_Record):
    """One statement of a verdict, with the figures it was made of.

    Attributes:
        name: kind of statement; `lsr_core.diagnosis.statements` has one function for each.
        value: measured.
        threshold: that it was held against; None where it only illustrates.
        sentence: what it says.
        numbers: what the sentence was written from, by name, so that it can be compared with the run.
    """

    name: str
    value: float
    threshold: float | None
    sentence: str
    numbers: dict[str, float] = Field(default_factory=dict)


class Verdict(_Record):
    """What limits the model at the rank of the run, by the rules of `lsr_core.diagnosis.verdict`.

    Attributes:
        limit: conditioning (the optimiser on an ill-conditioned problem), unfinished (training that plain steps would end), nonconvexity,
            units (most of a layer does nothing), capacity (or data), open (what would tell was not tested), precision, stationary (nothing
            to gain from here), overfitting (of the refinement), unsolved (an equation that the field does not solve), or undetermined (one
            that other fields solve as well).
        confidence: clear, likely or uncertain; no probability.
        because: the reason for that word.
        sentence: the verdict in words.
        evidence: the statements that decided, and what else was found.
        advice: what to do next.
        signatures: the published failure signatures that were seen: degradation, divergence on update, zero correction.
        rank: that the verdict is about; None in runs of earlier versions.
        use: whether the advice is to use the refined predictor.
        untested: what was not looked at and could change the verdict.
    """

    limit: Limit
    confidence: Confidence
    sentence: str
    evidence: list[Evidence]
    advice: str
    signatures: list[str] = Field(default_factory=list)
    because: str = ""
    rank: int | None = None
    use: bool = False
    untested: list[str] = Field(default_factory=list)


class RouteLeft(_Record):
    """A way of taking derivatives that was tried before the one in use and not taken.

    Attributes:
        route: in words.
        reason: in the user's terms, such as "forward mode is not defined for weight_norm".
    """

    route: str
    reason: str


class Method(_Record):
    """How a solve was made.

    Attributes:
        max_rank: of the subspace.
        strategy: how Jacobians were applied.
        routes_left: what was tried before it, and why it was left.
        adjoint_error: the largest relative difference of its products from plain reverse mode, at a few samples.
        sketch_error: of the basis; None if unknown.
        rcond: of the solve.
    """

    max_rank: int
    strategy: str
    strategy_reason: str
    routes_left: list[RouteLeft] = Field(default_factory=list)
    adjoint_error: float
    sketch_error: float | None
    rcond: float


class Summary(_Record):
    """What `lsr refine --json` prints about a refinement.

    `status` is a word of `lsr_core.refinement.status`, empty in runs of earlier versions.
    `regularisation` and what follows it are there where smoothing was asked for: σ of the noise (root mean square over the outputs, and that
    of each), the degrees of freedom that are spent, and the share of targets inside of the 95 % bands. `coverage_of` says which: test
    targets that carry next to no noise by the band of the function, noisy ones by that of observations, else left-out training samples.
    `output_sizes` is what each output was divided by in the solve and in the choice of the rank, where their sizes differ: the errors are those
    of the outputs as they are, `residual_norm` is that of the divided residual.
    `processes` is there where several shared the rows.
    `one_shot` and `gauss_newton` are there where Gauss-Newton steps were asked for; `refined` is then what they end with.
    """

    problem: str
    n_params: int
    n_params_total: int
    n_residuals: int
    dtype: str
    device: str
    seed: int
    max_rank: int
    rank: int
    rank_choice: str
    knee: int
    base: Errors
    refined: Errors
    base_quantiles: Quantiles | None = None
    refined_quantiles: Quantiles | None = None
    condition_number: float | None
    solved_condition_number: float | None
    rcond: float
    delta_norm: float
    theta_norm: float
    residual_norm: ResidualNorms
    strategy: str
    strategy_reason: str
    routes_left: list[RouteLeft] = Field(default_factory=list)
    sketch_error: float | None
    adjoint_error: float
    seconds: float
    peak_rss_bytes: int
    processes: Processes | None = None
    timings: dict[str, float] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    status: str = ""
    gauss_newton: list[GaussNewtonStep] = Field(default_factory=list)
    one_shot: OneShot | None = None
    classes: Classes | None = None
    output_sizes: list[float] | None = None
    regularisation: Regularisation | None = None
    noise_std: float | None = None
    noise_std_by_output: list[float] | None = None
    degrees_of_freedom: float | None = None
    coverage: float | None = None
    coverage_of: Literal["function", "observations", "left out"] | None = None
    unknowns: dict[str, UnknownNumber] = Field(default_factory=dict)
    measured: MeasuredFit | None = None
    verdict: Verdict | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_first_runs(cls, values: Any) -> Any:
        """The first runs held one number of parameters, since all of them moved."""
        return {"n_params_total": values["n_params"], **values} if "n_params" in values else values
