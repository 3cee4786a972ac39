"""Physics-informed operators: one refinement for each unseen input function, by its equation alone (Cao & Zhang 2026)."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.ridge import weights_of
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.networks.deeponets import DeepONetField
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.problems.physics.equations import build as build_equation
from lsr_core.problems.physics.input_functions import InputArguments, Stream, sensor_values
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.problem import Problem
from lsr_core.refinement.case_records import CaseFields, CaseRecord, CasesRecord, Distribution
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.progress import Progress, ProgressCallback, default_callback
from lsr_core.refinement.shared_modes import SharedModes, TrunkModes
from lsr_core.refinement.uses import refuse_unused

DEFAULT_RANKS = (100, 450)  # of an equation in one variable, and in more
PAIRS_PER_RANK = 10  # pairs of function and point that the subspace comes from
POOL = 100  # validation functions that they are drawn from
VALIDATION = 12  # of them, by whose residual at fresh points the rank is chosen
RUNGS = 8  # ranks that are compared
SETTLED = 0.9  # of the residual: a Gauss-Newton step that leaves more is the last
AGREES = 1.1  # times the residual that the linear model promises, up to which the equation counts as linear there
HALVINGS = 6
SEED_STREAM = 11
SHOWN = (201, 41)  # display points along each axis at most, of an equation in one variable, and in more
STAGES = {"shared modes": 4, "rank": 2, "cases": 10}


class CasesSettings(BaseModel):
    """What a batch of cases has besides the config of the refinement.

    Attributes:
        cases: how many test functions are refined.
        steps: Gauss-Newton steps of each at most; a linear equation needs one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: int = Field(300, ge=1, le=100_000)
    steps: int = Field(6, ge=1, le=100)


def input_of(problem: Problem) -> tuple[PhysicsProblem, InputArguments]:
    """The problem as one whose equation has an input function that its network sees.

    Raises:
        InputError: it has none.
    """
    given = problem.varied_input()
    if given is None:
        raise InputError(
            "has no input function to vary; cases are for operators that are learnt from an equation, such as antiderivative",
            key="cases",
        )
    return cast(PhysicsProblem, problem), InputArguments.model_validate(given)


def case_of(problem: PhysicsProblem, chosen: InputArguments) -> PhysicsProblem:
    """The same problem for another input function, which equation and network are both given."""
    equation = build_equation(problem.equation, {**problem.arguments, "input": chosen.model_dump()})
    assert equation.given is not None
    model = copy.deepcopy(problem.model)
    sensors = model.get_buffer("sensors")
    sensors.copy_(sensor_values(equation.given, sensors.shape[1])[None])
    return replace(
        problem, model=model, arguments=dict(equation.arguments), blocks=tuple(equation.blocks), test=equation.test()
    )


def refine_cases(
    problem: PhysicsProblem,
    config: RefineConfig | None = None,
    settings: CasesSettings | None = None,
    *,
    progress: ProgressCallback | None = None,
    on_record: Callable[[CasesRecord], None] = lambda record: None,
    on_fields: Callable[[int, CaseFields], None] = lambda case, found: None,
) -> CasesRecord:
    """Refine one test function after another in a subspace that all share.

    The rank is fixed, or the one with the smallest residual at fresh points over a few validation functions; solutions are looked at for
    the report only.

    Args:
        problem: an operator network and its equation.
        config: of the refinement; `uses` says which of its settings count.
        progress: called with (stage, fraction done); may raise `Cancelled` to stop.
        on_record: called with what there is from time to time.
        on_fields: called with the number and the fields of every function.

    Raises:
        InputError: the equation has no input function, or a setting cannot be used.
    """
    problem, given = input_of(problem)
    config, settings = config or RefineConfig(), settings or CasesSettings()
    refuse_unused(config, "cases", "physics")
    clock = Progress(progress or default_callback(), STAGES)
    started = time.perf_counter()
    clock.stage("shared modes")
    batch = _Batch(problem, given, config, clock)
    clock.stage("rank")
    rank, how, residuals = batch.choose_rank(settings.steps, clock.fraction)
    shared_seconds = time.perf_counter() - started
    clock.stage("cases")
    cases: list[CaseRecord] = []

    def record() -> CasesRecord:
        return CasesRecord(
            problem=problem.name,
            equation=problem.equation,
            n_params=batch.n_params,
            n_residuals=batch.n_residuals,
            seed=config.seed,
            max_rank=batch.max_rank,
            rank=rank,
            rank_choice=how,
            ranks_tried=residuals,
            n_cases=settings.cases,
            base=Distribution.of([case.base for case in cases]),
            refined=Distribution.of([case.refined for case in cases]),
            shared_seconds=shared_seconds,
            seconds_per_case=float(np.mean([case.seconds for case in cases])) if cases else 0.0,
            seconds=time.perf_counter() - started,
            cases=cases,
        )

    kept = time.perf_counter()
    for number in range(settings.cases):
        case, found = batch.refine(number, rank, settings.steps)
        on_fields(number, found)
        cases.append(case)
        clock.fraction((number + 1) / settings.cases)
        if time.perf_counter() - kept > 2:
            on_record(record())
            kept = time.perf_counter()
    clock.finish()
    final = record()
    on_record(final)
    return final


@dataclass(frozen=True, eq=False)
class _Block:
    """One residual block at its points, with the modes that all functions share."""

    name: str
    points: Tensor
    modes: TrunkModes


@dataclass(frozen=True, eq=False)
class _Rows:
    """One block of one function: jets of the field at θ0 (n, c) and of the response modes (n, c, r), and the residual that reads them."""

    points: Tensor
    residual: ResidualFunction
    jets: Tensor
    modes: Tensor

    def moved(self, coefficients: Tensor) -> Tensor:
        """What is used of the jets (n, c, 1) of the field, for coefficients (r',)."""
        return (self.jets + self.modes[..., : len(coefficients)] @ coefficients)[..., None]

    def values(self, coefficients: Tensor) -> Tensor:
        """Rows (n·k,)."""
        return self.residual.of_components(self.points, self.moved(coefficients)).reshape(-1)

    def linearised(self, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (n·k,) and their derivatives by the coefficients (n·k, r)."""
        at = self.moved(coefficients).requires_grad_()
        with torch.enable_grad():
            rows = self.residual.of_components(self.points, at)
            slopes = [
                torch.autograd.grad(rows[:, j].sum(), at, retain_graph=j + 1 < rows.shape[1], materialize_grads=True)[0]
                for j in range(rows.shape[1])
            ]
        parts = [torch.einsum("nc,ncr->nr", slope[..., 0], self.modes) for slope in slopes]
        return rows.detach().reshape(-1), torch.stack(parts, dim=1).flatten(0, 1)


class _Batch:
    """Everything that the cases of a problem share."""

    def __init__(self, problem: PhysicsProblem, given: InputArguments, config: RefineConfig, clock: Progress) -> None:
        assert isinstance(problem.model, DeepONetField)
        self.problem, self._given, self._config = problem, given, config
        self._n_sensors = problem.model.sensors.shape[1]
        fitted = sum(len(points) for points in problem.points.values())
        limit = min(fitted, sum(value.numel() for value in problem.model.parameters()))
        rank = _largest_rank(config, limit, DEFAULT_RANKS[min(len(problem.domain), 2) - 1])
        generator = torch.Generator().manual_seed((config.seed * 1_000_003 + SEED_STREAM) % 2**63)
        pool = torch.stack([self._sensors("validation", case) for case in range(POOL)])
        self._shared = SharedModes(
            problem.model,
            pool,
            torch.cat([points.reshape(-1, points.shape[-1]) for points in problem.points.values()]),
            rank=rank,
            oversampling=config.oversampling,
            power_iterations=config.power_iterations,
            uniform=config.sketch == "uniform",
            generator=generator,
            pairs=PAIRS_PER_RANK * rank,
        )
        self.max_rank, self.n_params = self._shared.rank, self._shared.n_params
        clock.fraction(0.4)
        function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
        residuals = {rows.block.name: rows.residual for rows in block_rows(problem, function, check=False)}
        self._fitted = self._blocks(problem.points, residuals)
        clock.fraction(0.8)
        self._fresh = self._blocks(problem.fresh, residuals)
        self.n_residuals = sum(len(block.points) for block in self._fitted)
        assert problem.test is not None
        self._test_points = problem.test.inputs.double()
        self._shown = _thinned(self._test_points)

    def choose_rank(self, steps: int, on_fraction: Callable[[float], None]) -> tuple[int, str, list[tuple[int, float]]]:
        """The rank, how it was chosen, and the residuals at fresh points by rank that were compared."""
        if isinstance(self._config.rank, int):
            return self._config.rank, "fixed", []
        ranks = sorted({int(rank) for rank in np.geomspace(max(1, self.max_rank / 10), self.max_rank, RUNGS).round()})
        total = np.zeros(len(ranks))
        for case in range(VALIDATION):
            problem, branch, responses = self._case("validation", case)
            fitted = self._rows(problem, self._fitted, branch, responses)
            fresh = self._rows(problem, self._fresh, branch, responses)
            for place, rank in enumerate(ranks):
                found, _ = self._solve(fitted, rank, steps)
                total[place] += sum(float(rows.values(found).square().sum()) for rows in fresh)
            on_fraction((case + 1) / VALIDATION)
        losses = np.sqrt(total / VALIDATION)
        best = int(np.nanargmin(losses))
        tried = [(rank, float(loss)) for rank, loss in zip(ranks, losses, strict=True) if np.isfinite(loss)]
        return ranks[best], "auto: smallest residual at fresh points of validation functions", tried

    def refine(self, case: int, rank: int, steps: int) -> tuple[CaseRecord, CaseFields]:
        """One test function, and what it looks like."""
        began = time.perf_counter()
        problem, branch, responses = self._case("test", case)
        fitted = self._rows(problem, self._fitted, branch, responses)
        base_residual = self._norm(fitted, branch.new_zeros(0))
        found, taken = self._solve(fitted, rank, steps)
        assert problem.test is not None
        base, refined = self._shared.field(self._test_points, branch, responses, found)
        seconds = time.perf_counter() - began
        truth = problem.test.targets.reshape(-1)
        size = truth.norm()
        record = CaseRecord(
            case=case,
            base=float((base - truth).norm() / size),
            refined=float((refined - truth).norm() / size),
            base_residual=base_residual,
            residual=self._norm(fitted, found),
            steps=taken,
            seconds=seconds,
        )
        given, shown = problem.model.get_buffer("sensors")[0], self._shown
        arrays = (
            torch.linspace(0, 1, len(given)),
            given,
            self._test_points[shown],
            truth[shown],
            base[shown],
            (refined - truth)[shown],
        )
        return record, CaseFields(*(part.float().numpy() for part in arrays))

    def _solve(self, blocks: Sequence[_Rows], rank: int, steps: int) -> tuple[Tensor, int]:
        """Coefficients (rank,) by Gauss-Newton with step halving on the true residual, and how many steps were taken."""
        alpha = blocks[0].jets.new_zeros(rank)
        penalty = 0.0
        size = self._norm(blocks, alpha)
        for step in range(steps):
            parts = [block.linearised(alpha) for block in blocks]
            rows, slopes = torch.cat([values for values, _ in parts]), torch.cat([slopes for _, slopes in parts])
            if step == 0:
                penalty = float(weights_of(slopes, self._config.damping).max()) if self._config.damping > 0 else 0.0
            rcond = self._config.rcond
            factor = torch.linalg.qr(torch.cat([slopes[:, :rank], rows[:, None]], dim=1), mode="r").R
            solver = TriangularSolver(
                _penalised(factor, penalty, alpha),
                rcond=len(rows) * torch.finfo(rows.dtype).eps if rcond is None else rcond,
            )
            towards = solver.solve(rank)
            promised = solver.residual_norm(towards)
            for halving in range(HALVINGS):
                trial = alpha + 0.5**halving * towards
                found = self._norm(blocks, trial, penalty)
                if found < size:
                    break
            else:
                return alpha, step
            before, size, alpha = size, found, trial
            if halving == 0 and (found <= AGREES * promised or found > SETTLED * before):
                return alpha, step + 1
        return alpha, steps

    def _norm(self, blocks: Sequence[_Rows], alpha: Tensor, penalty: float = 0.0) -> float:
        """Of the true residual, and of the penalty if there is one."""
        rows = float(sum(block.values(alpha).square().sum() for block in blocks))
        return (rows + penalty**2 * float(alpha.square().sum())) ** 0.5

    def _case(self, stream: Stream, case: int) -> tuple[PhysicsProblem, Tensor, Tensor]:
        problem = case_of(self.problem, self._given.model_copy(update={"stream": stream, "case": case, "values": None}))
        branch, responses = self._shared.branch_modes(problem.model.get_buffer("sensors"))
        return problem, branch[0], responses[0]

    def _rows(
        self, problem: PhysicsProblem, blocks: Sequence[_Block], branch: Tensor, responses: Tensor
    ) -> list[_Rows]:
        function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
        points = {block.name: block.points for block in blocks}
        residuals = block_rows(problem, function, points, check=False)
        return [
            _Rows(block.points, rows.residual, *block.modes.at(branch, responses))
            for block, rows in zip(blocks, residuals, strict=True)
        ]

    def _blocks(self, points: Mapping[str, Tensor], residuals: Mapping[str, ResidualFunction]) -> list[_Block]:
        blocks = []
        for name, residual in residuals.items():
            at = points[name].double()
            blocks.append(_Block(name, at, self._shared.trunk_modes(at, residual.jets.spec, residual.used)))
        return blocks

    def _sensors(self, stream: Stream, case: int) -> Tensor:
        chosen = self._given.model_copy(update={"stream": stream, "case": case, "values": None})
        return sensor_values(chosen.function(), self._n_sensors)


def _largest_rank(config: RefineConfig, limit: int, default: int) -> int:
    """The directions that are shared; at most as many as `limit`.

    Raises:
        InputError: more are asked for than there can be, or none.
    """
    fixed = config.rank if isinstance(config.rank, int) else 0
    most = config.max_rank if config.max_rank is not None else max(fixed, min(default, limit))
    if max(fixed, most) > limit:
        raise InputError(f"is more than the {limit} that points and parameters allow; ask for less", key="max_rank")
    if most == 0:
        raise InputError("is 0; many input functions need at least one direction to share", key="max_rank")
    if fixed > most:
        raise InputError(f"is {fixed}, larger than the maximum rank {most}; raise one or lower the other", key="rank")
    return most


def _penalised(factor: Tensor, penalty: float, alpha: Tensor) -> Tensor:
    """The factor of [G, r] with the rows penalty·[1, α] below: a step δ makes ‖Δθ‖ = ‖α + δ‖, as V is orthonormal."""
    if penalty == 0:
        return factor
    eye = torch.eye(len(alpha)).to(alpha)
    return torch.linalg.qr(torch.cat([factor, penalty * torch.cat([eye, alpha[:, None]], dim=1)]), mode="r").R


def _thinned(points: Tensor) -> Tensor:
    """Which points of a grid (n, d) are kept for display, (n,)."""
    most = SHOWN[min(points.shape[1], 2) - 1]
    kept = torch.ones(len(points), dtype=torch.bool)
    for column in points.unbind(1):
        values = column.unique()
        kept &= torch.isin(column, values[:: -(-len(values) // most)])
    return kept
