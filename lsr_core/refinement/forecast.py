"""What a refinement will take, before it is started."""

from __future__ import annotations

from dataclasses import dataclass

from lsr_core.problems.supervised import SupervisedProblem
from lsr_core.refinement.build import ANCHORS, DIRECTIONS_PER_RANK, ROWS
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.fields import MAX_DISPLAY_POINTS, MAX_STEPPED_POINTS
from lsr_core.refinement.ranks import LADDER
from lsr_core.refinement.refine import BLOCK_BYTES
from lsr_core.refinement.resources import available_bytes
from lsr_core.refinement.setting import clamp_rank

LIBRARIES = 450 * 2**20  # resident size of Python with PyTorch and its threads


@dataclass(frozen=True)
class Forecast:
    """Expected cost of a refinement.

    Attributes:
        max_rank: the largest rank after clamping to min(n, m).
        peak_bytes: of the working process, its libraries included.
        run_bytes: of the run on disk.
        available_bytes: free on this machine now.
        largest_rank: the largest maximum rank that would fit.
    """

    max_rank: int
    peak_bytes: int
    run_bytes: int
    available_bytes: int
    largest_rank: int

    @property
    def fits(self) -> bool:
        return self.peak_bytes <= self.available_bytes

    @property
    def sentence(self) -> str:
        """The forecast in words."""
        needs = f"Needs about {_size(self.peak_bytes)} of memory and {_size(self.run_bytes)} on disk"
        if self.fits:
            return f"{needs}; {_size(self.available_bytes)} of memory are free."
        return (
            f"{needs}, but only {_size(self.available_bytes)} of memory are free. "
            f"The largest maximum rank that fits is {self.largest_rank}."
        )


def forecast(problem: SupervisedProblem, config: RefineConfig) -> Forecast:
    """Sizes from shapes alone; nothing is computed.

    Raises:
        InputError: a rank beyond min(n, m).
    """
    n_params = sum(value.numel() for value in problem.model.parameters() if value.requires_grad)
    n_residuals = problem.train.targets.numel()
    max_rank, _ = clamp_rank(config, n_residuals, n_params)
    free = available_bytes()
    fitting = _largest_fitting(problem, config, n_params, max_rank, free)
    peak = _peak(problem, config, n_params, max_rank)
    return Forecast(max_rank, peak, _run_size(problem, n_params, max_rank), free, fitting)


def _peak(problem: SupervisedProblem, config: RefineConfig, n_params: int, rank: int) -> int:
    item = 8 if config.dtype == "float64" else 4
    train = problem.train
    n_residuals = train.targets.numel()
    n_outputs = n_residuals // len(train.targets)
    width = min(rank + config.oversampling, n_residuals, n_params)
    data = 3 * item * sum(split.inputs.numel() + split.targets.numel() for split in problem.splits().values())
    copies = 6 * n_params * item
    gather = 2 * 5 * (rank + 1) ** 2 * item + 3 * BLOCK_BYTES
    if config.strategy in ("auto", "factored"):
        directions = min(int(DIRECTIONS_PER_RANK * width) + 1, n_residuals, n_params)
        activations = ANCHORS * n_outputs * 8 * int(n_params**0.5) * item
        basis = (2 * 5 + 6) * directions**2 * item + 3 * ROWS * n_outputs * directions * item + activations
    else:
        basis = 4 * n_params * width * item + 3 * n_residuals * width * item + 2 * 2 * BLOCK_BYTES
    return LIBRARIES + data + copies + max(basis, gather)


def _run_size(problem: SupervisedProblem, n_params: int, rank: int) -> int:
    _, display = problem.display
    n_outputs = display.targets.numel() // len(display.targets)
    points = min(len(display.inputs), MAX_DISPLAY_POINTS)
    bundle = 4 * n_params + 8 * sum(split.inputs.numel() + split.targets.numel() for split in problem.splits().values())
    ladder = min(LADDER, rank + 1) * n_outputs * 4 * (points + min(points, MAX_STEPPED_POINTS))
    return bundle + 8 * n_params + ladder + 8 * 14 * (rank + 1) + 50_000


def _largest_fitting(problem: SupervisedProblem, config: RefineConfig, n_params: int, rank: int, free: int) -> int:
    low, high = 0, rank
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _peak(problem, config, n_params, middle) <= free else (low, middle - 1)
    return low


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{max(1, round(count / 2**20))} MB"
