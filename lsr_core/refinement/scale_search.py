"""The scale of the first layer of a network that was never trained, chosen by the residual on points that the solve does not see.

At a random start the response modes are what the first layer makes them: too small a scale and they cannot vary fast enough, too large and
too many directions are needed. Between the two lie many digits, and the residual on fresh points tells without knowing the solution.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import torch

from lsr_core.errors import InputError, NumericalError
from lsr_core.networks import architectures
from lsr_core.networks.pinn import PinnMLPArguments
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.splits import Architecture, Split
from lsr_core.refinement.basis import Basis, Counter
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import prepare
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.solve import solve_in
from lsr_core.refinement.streamed import sketch_of, triangle_of
from lsr_core.refinement.subspace import ExplicitSubspace
from lsr_core.refinement.sweep import SplitFactor
from lsr_core.refinement.true_residual import true_losses

TOGETHER = (0.5, 1.0, 2.0, 4.0)  # scales that all inputs take at first
STAGES = (
    (0.5, 2.0),
    (1.0, 2.0),
    (1.0, math.sqrt(2.0)),
)  # part of the rank, and the factor by which one input at a time is moved
SMALLEST, LARGEST = 2.0**-4, 2.0**5
GAIN = 0.9  # times the best residual, below which a step is worth going on from
FITTED, FRESH = 11, 12  # random streams
POINTS_PER_DIRECTION = (
    4  # with half as many the residual on fresh points says more about the points than about the scale
)
FEWEST_FRESH = 600

Scales = dict[str, float]


@dataclass(frozen=True)
class Candidate:
    """Scales that were tried.

    Attributes:
        scales: half-width of the first layer's uniform weights by input.
        rank: of the refinement.
        fresh_residual: √loss of the refined field on points that the solve did not see; infinite where it could not be solved.
        seconds: that it took.
    """

    scales: Scales
    rank: int
    fresh_residual: float
    seconds: float


@dataclass(frozen=True, eq=False)
class ScaleSearch:
    """The record of a search.

    Attributes:
        candidates: in the order in which they were tried.
        chosen: the one with the smallest residual at the full rank.
        problem: with the network of the chosen scales.
        rank: of the refinements of the last stage; those of the first have half of it.
    """

    candidates: list[Candidate]
    chosen: Candidate
    problem: PhysicsProblem
    rank: int


def search_scales(
    problem: PhysicsProblem,
    *,
    rank: int | None = None,
    seed: int = 0,
    on_candidate: Callable[[Candidate], None] | None = None,
) -> ScaleSearch:
    """Choose the first-layer scale of each input: by factors of two at half the rank, then at the whole, then by factors of √2.

    All inputs take the same scale first; the best of those is then improved input by input. Every candidate is the network that the
    architecture's seed gives with these scales, refined once. Good scales grow with the rank, so the last word has the full one.

    Args:
        problem: its network is an untrained `pinn-mlp`.
        rank: of the refinements tried; by default that of a refinement as it comes, since the best scale grows with the rank.
        seed: of the points and sketches.
        on_candidate: told about each; may raise `Cancelled`.

    Raises:
        InputError: another network, a trained one, or no scale at all that could be solved.
    """
    arguments = _untrained(problem)
    config = RefineConfig(seed=seed, max_rank=rank, oversampling=20)
    if rank is None:
        config = config.model_copy(update={"max_rank": prepare(problem, config).max_rank})
    assert config.max_rank is not None
    tried: dict[tuple[float, ...], Candidate] = {}

    def measured(scales: Scales, rank: int) -> Candidate:
        key = (rank, *scales.values())
        if key not in tried:
            started = time.perf_counter()
            fewer = _on_fewer_points(rescaled(problem, scales), POINTS_PER_DIRECTION * rank, seed)
            residual = fresh_residual(fewer, config.model_copy(update={"max_rank": rank}))
            tried[key] = Candidate(dict(scales), rank, residual, time.perf_counter() - started)
            if on_candidate is not None:
                on_candidate(tried[key])
        return tried[key]

    best = None
    for part, factor in STAGES:
        measure = partial(measured, rank=max(1, round(part * config.max_rank)))
        inputs = dict.fromkeys(arguments.feature_inputs)
        starts = [dict.fromkeys(inputs, value) for value in TOGETHER] if best is None else [best.scales]
        best = _descend(min(map(measure, starts), key=_residual), factor, measure)
    best = min((one for one in tried.values() if one.rank == config.max_rank), key=_residual)
    if not math.isfinite(best.fresh_residual):
        raise InputError("the refinement cannot be solved at any scale tried; look at the equation", key="first_layer")
    return ScaleSearch(list(tried.values()), best, rescaled(problem, best.scales), config.max_rank)


def fresh_residual(problem: PhysicsProblem, config: RefineConfig) -> float:
    """√loss at fresh points of the field refined at the largest rank; infinite if the network's residual is not finite.

    The columns of the sketch are not ordered by an SVD, which would take as long as all the rest; QR leaves them nearly in that order.
    """
    try:
        setting = cast(PhysicsSetting, prepare(problem, config))
    except InputError:
        return math.inf
    count = Counter(1, lambda _: None)
    rank = setting.max_rank
    sketch = sketch_of(setting, setting.source_rows(), rank, count)[:, :rank]
    basis = torch.linalg.qr(sketch).Q
    factor = triangle_of(setting.rows(), basis, setting, count, with_errors=True)
    ones = basis.new_ones(rank)
    subspace = ExplicitSubspace(setting.strategy, basis, ones * math.nan, scale=ones, sketch_error=math.nan)
    try:
        solve = solve_in(setting, Basis(subspace, SplitFactor(factor, setting.mean_square_target)))
    except NumericalError:
        return math.inf
    step = subspace.delta(solve.solver.solve(rank))[:, None]
    loss = float(true_losses(setting.fresh, step, setting.strategy.name)[0])
    return math.sqrt(loss) if math.isfinite(loss) else math.inf


def rescaled(problem: PhysicsProblem, scales: Mapping[str, float]) -> PhysicsProblem:
    """The problem with its network as the seed gives it at other scales of the first layer."""
    architecture = problem.architecture
    assert architecture is not None
    arguments = {**architecture.arguments, "first_layer": {"scale": dict(scales)}}
    dtype = next(problem.model.parameters()).dtype
    model = architectures.build(architecture.name, arguments).to(dtype).eval()
    return replace(problem, model=model, architecture=Architecture(architecture.name, arguments))


def _descend(start: Candidate, factor: float, measure: Callable[[Scales], Candidate]) -> Candidate:
    """Move one input at a time by a factor, on in the direction that helped, until nothing helps."""
    best, settled = start, 0
    names = list(start.scales)
    while settled < len(names):
        name = names[0]
        before = best
        for step in (factor, 1 / factor):
            while SMALLEST <= best.scales[name] * step <= LARGEST:
                found = measure({**best.scales, name: _snapped(best.scales[name] * step)})
                if not found.fresh_residual < GAIN * best.fresh_residual:
                    break
                best = found
            if best is not before:
                break
        settled = 1 if best is not before else settled + 1
        names = [*names[1:], name]
    return best


def _snapped(scale: float) -> float:
    """The nearest power of √2, to four digits, so that no scale is tried twice."""
    return float(f"{2 ** (round(2 * math.log2(scale)) / 2):.4g}")


def _residual(candidate: Candidate) -> float:
    return candidate.fresh_residual


def _untrained(problem: PhysicsProblem) -> PinnMLPArguments:
    """The arguments of the network, which must be as its seed made it."""
    architecture = problem.architecture
    if architecture is None or architecture.name != "pinn-mlp":
        name = "none" if architecture is None else architecture.name
        raise InputError(
            f"the architecture is {name}; first-layer scales belong to pinn-mlp", key="network.architecture"
        )
    arguments = architectures.validate(architecture.name, architecture.arguments)
    assert isinstance(arguments, PinnMLPArguments)
    start = architectures.build(architecture.name, architecture.arguments).state_dict()
    for name, value in problem.model.state_dict().items():
        if not torch.allclose(value.double(), start[name].double(), rtol=1e-6, atol=1e-6):
            raise InputError(
                "the weights are not those that the architecture's seed gives, so the network has been trained; "
                "another scale would throw that away",
                key="network",
            )
    return arguments


def _on_fewer_points(problem: PhysicsProblem, n_rows: int, seed: int) -> PhysicsProblem:
    """As many points as the search needs, spread over the blocks as before; of the known solution nothing but its shape."""
    share = min(1.0, n_rows / problem.n_rows)
    drawn = []
    for stream, least in ((FITTED, 1), (FRESH, FEWEST_FRESH)):
        generator = torch.Generator().manual_seed((seed * 1_000_003 + stream) % 2**63)
        part = share if stream == FITTED else share / 3
        counts = {
            block.name: max(min(least, block.n_points), math.ceil(part * block.n_points)) for block in problem.blocks
        }
        drawn.append({block.name: block.draw(generator, counts[block.name]) for block in problem.blocks})
    point = drawn[0][problem.blocks[0].name].reshape(-1, len(problem.variables))[:1]
    return replace(
        problem, points=drawn[0], fresh=drawn[1], test=Split(point, point.new_zeros(1, len(problem.outputs))), grid=None
    )
