"""What a refinement costs depends on these: sizes of network and data, and how much of them each part of a job takes."""

from __future__ import annotations

from dataclasses import dataclass

from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.ranks import LADDER

DIRECTIONS_PER_RANK = 1.05
PROBES = 5
ANCHORS = 2048  # samples from which the sizes of signals are taken
TRIED = 512  # samples of the trial of directions
ROWS = 1024  # samples in a block of the factored route at most
DELTA_BYTES = 32 * 2**20  # of steps Δθ held at a time
MAX_DISPLAY_POINTS = 20_000  # at which fields are kept
MAX_STEPPED_POINTS = 2_500  # and those of moved networks
PATH_SAMPLES, PATH_STEPS = 128, 21  # of loss paths
MOVED_FLOPS = 1e13  # that passes of moved networks may take, some minutes of a core
FEWEST_MOVED = 8  # samples that they are taken at however long that is
ANCHOR_BYTES = 128 * 2**20  # of the samples from which the sizes of factored directions are taken
CHECK_BYTES = 128 * 2**20  # of the samples at which the predictor is checked together


@dataclass(frozen=True)
class Sizes:
    """The numbers that decide what a refinement costs.

    `signals` is the sum of layer widths, inputs and outputs; `row_entries` the scalars that a Jacobian row is made of before those
    that do not move are left out (0 = as many as there are parameters). `pass_flops` is that of the strategy.

    Attributes:
        live: bytes that one more sample takes in a forward pass.
        kept: bytes that one more sample keeps for reverse mode.
        rest: scalars whose uses have no rule.
        direction: numbers that one factored direction is kept in.
        places: the most places of a sample at an operation.
        factors: numbers that a factored direction is multiplied with for a sample (0 = `signals`, each of which two layers share).
        flops: floating-point operations of a sample's forward pass (0 = two for each parameter).
        total: all scalars of the network, moving or not (0 = `n_params`).
        shown: display points.
        coupled: samples influence each other and are passed all at once.
        equation: the rows are residuals, whose directions the verdict looks at once more.
    """

    n_params: int
    n_outputs: int
    n_train: int
    n_other: int
    data_bytes: int
    signals: int
    layers: int
    row_entries: int = 0
    pass_flops: float = 0.0
    live: int = 0
    kept: int = 0
    rest: int = 0
    direction: int = 0
    places: int = 1
    factors: int = 0
    flops: float = 0.0
    total: int = 0
    shown: int = 0
    coupled: bool = False
    equation: bool = False

    @property
    def most_samples(self) -> int:
        return max(self.n_train, self.n_other)


def directions(sizes: Sizes, config: RefineConfig, rank: int) -> int:
    """Number of factored directions for a rank."""
    width = rank + config.oversampling
    return min(int(DIRECTIONS_PER_RANK * width) + 1, sizes.n_train * sizes.n_outputs, sizes.n_params)


def path_samples(sizes: Sizes) -> int:
    """Samples of loss paths."""
    return _affordable(sizes, PATH_STEPS, min(PATH_SAMPLES, sizes.n_train))


def stepped_points(sizes: Sizes) -> int:
    """Display points of moved networks."""
    return _affordable(sizes, 1, min(MAX_STEPPED_POINTS, sizes.shown))


def _affordable(sizes: Sizes, passes: int, most: int) -> int:
    """Samples at which every rank of the ladder may have so many passes, so that they do not take many times what the refinement does."""
    one = LADDER * passes * sizes.flops
    return most if one == 0 else min(most, max(FEWEST_MOVED, int(MOVED_FLOPS / one)))


def item_of(config: RefineConfig) -> int:
    """Bytes of a number."""
    return 8 if config.dtype == "float64" else 4
