"""What each stage of a job takes of memory, from sizes alone: one term for each thing that is held."""

from __future__ import annotations

from dataclasses import dataclass

from lsr_core.networks.factored import PRODUCTS, RECORD_BYTES, TOGETHER
from lsr_core.networks.footprints import FORWARD_BYTES, samples_within
from lsr_core.networks.jacobians import FEW_BYTES, FEW_COLUMNS, FEWEST_ROWS, GRAPH_BYTES, PART_BYTES, TANGENTS
from lsr_core.networks.proof import SAMPLES
from lsr_core.networks.rest_rows import COPIES, REST_BYTES
from lsr_core.networks.uses.network import SIGNAL_BYTES
from lsr_core.networks.uses.search import FEWEST
from lsr_core.problems.data_residual import PATH_BYTES
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.ranks import LADDER
from lsr_core.refinement.resources import LIBRARIES
from lsr_core.refinement.sizes import (
    ANCHOR_BYTES,
    ANCHORS,
    CHECK_BYTES,
    DELTA_BYTES,
    PATH_SAMPLES,
    PROBES,
    ROWS,
    Sizes,
    directions,
    item_of,
    path_samples,
    stepped_points,
)

CHECKED_SAMPLES = 64  # of the outputs that are taken twice
# vectors as long as the parameters, by the bytes of a number: in float32 with those of the twin in float64
PROOF_VECTORS = {8: 7, 4: 10}


@dataclass(frozen=True)
class Blocks:
    """Block sizes: see `Plan`."""

    block_bytes: int
    gather: int
    samples: int
    keep_rows: bool


def qr_bytes(columns: int, gathered: int, item: int) -> int:
    """Of a `StreamingQR`: gathered rows below the last triangle, and the copy that LAPACK works in."""
    return 2 * (gathered + columns) * columns * item


def sample_bytes(sizes: Sizes, config: RefineConfig, strategy: str, rank: int) -> int:
    """Bytes that one more sample takes in a pass over rows, beside its block of modes."""
    item = item_of(config)
    if sizes.pass_flops or strategy == "matrix-free":
        images = sizes.n_outputs * item * (rank + config.oversampling)
        return TANGENTS * sizes.live + sizes.kept + images
    if strategy == "factored":
        p = directions(sizes, config, rank)
        return 3 * p * sizes.n_outputs * item + factor_bytes(sizes, config)
    return sizes.kept


def factor_bytes(sizes: Sizes, config: RefineConfig) -> int:
    """Bytes of the uses of the parameters by a sample, and of the graph that they come from."""
    return sizes.kept + item_of(config) * sizes.n_outputs * (2 * sizes.signals + sizes.rest)


def anchors(sizes: Sizes, config: RefineConfig, most: int) -> int:
    """Samples from which the sizes of factored directions are taken; the same whatever memory there is."""
    return samples_within(ANCHOR_BYTES, factor_bytes(sizes, config), most)


def stages(sizes: Sizes, config: RefineConfig, strategy: str, rank: int, blocks: Blocks) -> dict[str, int]:
    """Peak of the process in each stage of a job, its libraries, data and parameters included."""
    return _Job(sizes, config, strategy, rank, blocks).stages()


class _Job:
    def __init__(self, sizes: Sizes, config: RefineConfig, strategy: str, rank: int, blocks: Blocks) -> None:
        self.sizes, self.config, self.rank, self.blocks = sizes, config, rank, blocks
        self.factored = strategy == "factored"
        self.forward = sizes.pass_flops > 0 or strategy == "matrix-free"
        self.rows_kept = blocks.keep_rows
        self.item = item_of(config)
        self.m = sizes.n_params
        self.o = sizes.n_outputs
        self.train_rows = sizes.n_train * self.o
        self.width = min(rank + config.oversampling, self.train_rows, self.m)
        self.p = directions(sizes, config, rank)
        self.samples = sizes.most_samples if sizes.coupled else min(blocks.samples, sizes.most_samples)

    def stages(self) -> dict[str, int]:
        fixed = LIBRARIES + self.sizes.data_bytes + self.parameters()
        held = fixed + self.subspace()
        after = held + self.fields()
        return {
            "preparing": fixed + max(self.forward_pass(), self.proof()),
            "basis": fixed + (self.factored_basis() if self.factored else self.streamed_basis()),
            "validation and test rows": held + self.passes(),
            "checking": after + self.predictor(),
            "loss paths": after + self.paths(),
            "moved networks": after + self.moved(),
            "verdict": after + self.verdict(),
            "directions": after + self.shown_directions(),
            "writing": after + self.fields(),
        }

    def parameters(self) -> int:
        """The network as it was read, the copy that is worked with, and a copy on the way."""
        total = max(self.sizes.total, self.m)
        return 3 * total * self.item

    def subspace(self) -> int:
        if self.factored:
            return self.p * (self.rank + self.sizes.direction) * self.item
        scaled = 2 if self.config.scaling == "singular-values" else 1
        return scaled * self.m * self.rank * self.item

    def qr(self, columns: int) -> int:
        return qr_bytes(columns, min(self.blocks.gather * columns, self.train_rows), self.item)

    def proof(self) -> int:
        """Derivatives in several ways at a few samples, in float64: vectors of parameters, gradients and graphs."""
        samples, checked = (min(most, self.sizes.most_samples) for most in (SAMPLES, CHECKED_SAMPLES))
        graph = samples * (self.sizes.kept + TANGENTS * self.sizes.live) * 8 // self.item
        return PROOF_VECTORS[self.item] * self.m * self.item + max(graph, checked * self.sizes.live)

    def forward_pass(self) -> int:
        most = self.sizes.most_samples
        return most * self.sizes.live if self.sizes.coupled else min(FORWARD_BYTES, most * self.sizes.live)

    def tangents(self, samples: int, columns: int) -> int:
        """Forward mode by chunks of columns, and reverse mode with the graph of all samples."""
        one = self.m * self.item + samples * self.sizes.live
        chunk = max(1, min(columns, self.blocks.block_bytes // (TANGENTS * one)))
        return TANGENTS * chunk * one + samples * self.sizes.live

    def factors(self, samples: int) -> int:
        """Uses of the parameters by some samples, with the graph that they come from, and products with directions at their places."""
        one, more = factor_bytes(self.sizes, self.config), 0
        if not self.sizes.equation:
            signals = self.sizes.signals * self.item
            products = PRODUCTS * self.sizes.places * self.p * self.item
            one = self.sizes.kept + 2 * signals + products
            samples = samples_within(max(RECORD_BYTES, FEWEST * one), one, samples)
            more = (
                (min(self.o, max(1, SIGNAL_BYTES // max(1, samples * signals))) - 1)
                * samples
                * (2 * signals + products)
            )
        rest = min(REST_BYTES, COPIES * samples * self.o * self.sizes.rest * self.item)
        return samples * one + more + rest

    def factored_basis(self) -> int:
        samples = min(ROWS, self.samples)
        p, images = self.p, samples * self.o * self.p * self.item
        if self.forward:
            part = min(p, max(1, PART_BYTES // (self.m * self.item)))
            block = images + 3 * part * self.m * self.item + self.tangents(samples, part)
        else:
            block = 2 * images + self.factors(min(samples, TOGETHER))
        moments = 3 * self.m * self.item  # one at a time
        directions = 2 * p * self.sizes.direction * self.item
        gathered = self.qr(p + PROBES + 1)
        seen = anchors(self.sizes, self.config, min(ANCHORS, self.sizes.n_train)) * (self.sizes.kept + self.sizes.live)
        return directions + max(moments + seen, gathered + block, gathered // 2 + 9 * p**2 * self.item)

    def rows(self) -> int:
        """Materialised rows of a block, the part of them that is being made, and its graph."""
        row = self.m * self.o * self.item
        block = min(max(self.blocks.block_bytes, row), self.sizes.most_samples * row)
        samples = max(1, block // row)
        graph = self.sizes.kept + self.o * self.sizes.live
        made = max(graph, min(GRAPH_BYTES, min(samples, FEWEST_ROWS) * graph))
        return 2 * block + row + made + min(samples, FEWEST_ROWS) * self.sizes.row_entries * self.item

    def streamed_basis(self) -> int:
        column = self.m * self.item
        sketch = column * (2 * self.width + 3 * (self.width + PROBES))
        kept = self.train_rows * column if self.rows_kept else 0
        modes = 2 * self.samples * self.o * (self.width + PROBES) * self.item
        if self.forward:
            pull = column * 2 * (self.width + PROBES) + self.tangents(self.samples, self.width + PROBES)
            sketch = max(sketch, pull + self.samples * self.sizes.kept)
            return sketch + modes + kept + self.qr(self.width + 1)
        return sketch + self.rows() + modes + kept + self.qr(self.width + 1)

    def passes(self) -> int:
        """Modes of a block of samples, running sums of them, and the fields that are picked from them."""
        columns = max(self.rank, 1) + 1
        samples = min(self.samples, max(1, self.blocks.block_bytes // (columns * self.o * self.item)))
        modes = 3 * samples * self.o * columns * self.item
        picked = 2 * min(samples, self.sizes.shown) * self.o * min(LADDER, columns) * self.item
        if self.forward:
            images = samples * self.o * self.p * self.item if self.factored else 0
            return modes + picked + images + self.tangents(samples, self.width) + self.fields()
        if self.factored:
            images = samples * self.o * self.p * self.item
            return modes + picked + images + self.factors(min(samples, TOGETHER)) + self.fields()
        return modes + picked + self.rows() + self.fields()

    def fields(self) -> int:
        """Errors at the display points for the ladder of ranks, in float32."""
        return self.sizes.shown * self.o * (min(LADDER, self.rank + 1) * 4 + 3 * 8)

    def predictor(self) -> int:
        passed = TANGENTS * self.sizes.most_samples * self.sizes.live
        return 5 * max(self.m, self.sizes.total) * self.item + (
            passed if self.sizes.coupled else min(CHECK_BYTES, passed)
        )

    def steps(self) -> int:
        """Steps Δθ of several ranks."""
        column = self.m * self.item
        return 2 * max(column, min(DELTA_BYTES, column * min(LADDER, self.rank + 1)))

    def paths(self) -> int:
        """Steps, their products with J at some samples, and the networks moved along them."""
        column, rows = self.m * self.item, path_samples(self.sizes)
        single = 5 * max(self.m, self.sizes.total) * 4 if self.item > 4 else 0  # another copy of the network
        one = column + rows * self.sizes.live
        pushed = max(TANGENTS * one, min(PATH_BYTES, TANGENTS * one * LADDER)) + rows * self.sizes.live
        moved = max(one, min(PATH_BYTES, 20 * one)) + 2 * column
        return self.predictor_kept() + single + self.steps() + max(pushed, moved)

    def moved(self) -> int:
        points = stepped_points(self.sizes)
        passed = points * self.sizes.live if self.sizes.coupled else min(FORWARD_BYTES, points * self.sizes.live)
        moved = (
            3 * self.m * 4 if self.item == 4 else 8 * self.m * 4
        )  # θ0 + Δθ, and a copy of the network in single precision
        return self.predictor_kept() + moved + self.steps() + passed + 2 * self.fields()

    def predictor_kept(self) -> int:
        """The refined predictor with its copy of the network, and Δθ."""
        return 3 * max(self.m, self.sizes.total) * self.item

    def verdict(self) -> int:
        """Of an equation all directions up to the rank, and the slopes of the residual along them."""
        if not self.sizes.equation:
            return self.predictor_kept() + 2 * self.m * 8
        directions = 2 * self.m * self.rank * self.item
        return (
            self.predictor_kept()
            + directions
            + (self.tangents(PATH_SAMPLES, self.width) if self.forward else self.rows())
        )

    def shown_directions(self) -> int:
        column = self.m * self.item
        points = min(1600, self.sizes.shown)
        one = column + points * self.sizes.live
        pushed = max(TANGENTS * one, min(FEW_BYTES, FEW_COLUMNS * TANGENTS * one))
        return self.predictor_kept() + 2 * max(column, min(16 * 2**20, 24 * column)) + pushed
