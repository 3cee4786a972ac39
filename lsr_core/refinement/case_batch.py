"""What the input functions of an operator share, and the refinement of one of them."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.deeponets import DeepONetField
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.problems.physics.equations import build as build_equation
from lsr_core.problems.physics.input_functions import InputArguments, Stream, sensor_values
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.refinement.basis import OnFraction
from lsr_core.refinement.case_records import CaseFields, CaseRecord
from lsr_core.refinement.case_solve import solve_case
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import prepare
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.response import FieldRows, true_losses_of
from lsr_core.refinement.setting import clamp_rank
from lsr_core.refinement.shared_modes import SharedModes, TrunkModes

DEFAULT_RANKS = (100, 450)  # of an equation in one variable, and in more
PAIRS_PER_RANK = 10  # pairs of function and point that the subspace comes from
POOL = 100  # validation functions that they are drawn from
VALIDATION = 12  # of them, by whose residual at fresh points the rank is chosen
RUNGS = 8  # ranks that are compared
SHOWN = (201, 41)  # display points along each axis at most, of an equation in one variable, and in more
OF_EACH = (
    "dtype",
    "seed",
    "strategy",
    "parameter_fraction",
    "rcond",
)  # settings by which a single function would be prepared too


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


@dataclass(frozen=True, eq=False)
class _Block:
    """One residual block at its points, with the modes that all functions share."""

    name: str
    points: Tensor
    modes: TrunkModes


@dataclass(frozen=True, eq=False)
class _Case:
    """One input function: its problem, and b (k,) and ∂b V (k, r_b) of the branch."""

    problem: PhysicsProblem
    branch: Tensor
    responses: Tensor


class CaseBatch:
    """Everything that the cases of a problem share; prepared, and its derivatives proved, as a refinement of one function is.

    Raises:
        InputError: see `prepare`; a rank beyond what points and parameters allow, or none.
    """

    def __init__(
        self, problem: PhysicsProblem, given: InputArguments, config: RefineConfig, on_fraction: OnFraction
    ) -> None:
        assert isinstance(problem.model, DeepONetField)
        self.problem, self._given, self._config = problem, given, config
        self._n_sensors = problem.model.sensors.shape[1]
        asked = {name: getattr(config, name) for name in OF_EACH}
        ready = prepare(problem, RefineConfig.model_validate({**asked, "max_rank": 1}))
        self._setting = cast(PhysicsSetting, ready)
        self.n_residuals = sum(len(points) for points in problem.points.values())
        default = DEFAULT_RANKS[min(len(problem.domain), 2) - 1]
        rank, _ = clamp_rank(config, self.n_residuals, self._setting.function.n_params, default)
        if rank == 0:
            raise InputError("is 0; many input functions need at least one direction to share", key="max_rank")
        self._shared = SharedModes(
            problem.model,
            torch.stack([self._sensors("validation", case) for case in range(POOL)]),
            torch.cat([points.reshape(-1, points.shape[-1]) for points in problem.points.values()]),
            self._setting.function,
            config,
            rank=rank,
            pairs=PAIRS_PER_RANK * rank,
        )
        self.max_rank, self.n_params = self._shared.rank, self._shared.n_params
        on_fraction(0.4)
        residuals = {rows.block.name: rows.residual for rows in self._setting.fitted}
        self._fitted = self._blocks(problem.points, residuals)
        on_fraction(0.8)
        self._fresh = self._blocks(problem.fresh, residuals)
        assert problem.test is not None
        self._test_points = problem.test.inputs.to(self._setting.function.theta0)
        self._test_modes = self._shared.trunk.outputs(self._test_points)
        self._shown = _thinned(self._test_points)

    def choose_rank(self, steps: int, on_fraction: OnFraction) -> tuple[int, str, list[tuple[int, float]]]:
        """The rank, how it was chosen, and the residuals at fresh points by rank that were compared."""
        if isinstance(self._config.rank, int):
            return self._config.rank, "fixed", []
        ranks = sorted({int(rank) for rank in np.geomspace(max(1, self.max_rank / 10), self.max_rank, RUNGS).round()})
        total = np.zeros(len(ranks))
        for number in range(VALIDATION):
            case = self._case("validation", number)
            fitted, fresh = self._rows(case, self._fitted), self._rows(case, self._fresh)
            for place, rank in enumerate(ranks):
                found, _ = self._solve(fitted, rank, steps)
                total[place] += true_losses_of(fresh, found[:, None])[0]
            on_fraction((number + 1) / VALIDATION)
        losses = np.sqrt(total / VALIDATION)
        best = int(np.nanargmin(losses))
        tried = [(rank, float(loss)) for rank, loss in zip(ranks, losses, strict=True) if np.isfinite(loss)]
        return ranks[best], "auto: smallest residual at fresh points of validation functions", tried

    def refine(self, number: int, rank: int, steps: int) -> tuple[CaseRecord, CaseFields]:
        """One test function, and what it looks like."""
        began = time.perf_counter()
        case = self._case("test", number)
        fitted = self._rows(case, self._fitted)
        found, taken = self._solve(fitted, rank, steps)
        before, after = true_losses_of(fitted, torch.stack([torch.zeros_like(found), found], dim=1)).tolist()
        assert case.problem.test is not None
        points, modes = self._test_points, self._test_modes
        base = (modes @ case.branch).double()
        refined = self._shared.refined(points, modes, case.branch, case.responses, found).double()
        seconds = time.perf_counter() - began
        truth = case.problem.test.targets.reshape(-1)
        record = CaseRecord(
            case=number,
            base=float((base - truth).norm() / truth.norm()),
            refined=float((refined - truth).norm() / truth.norm()),
            base_residual=math.sqrt(before),
            residual=math.sqrt(after),
            steps=taken,
            seconds=seconds,
        )
        given, shown = case.problem.model.get_buffer("sensors")[0], self._shown
        arrays = (
            torch.linspace(0, 1, len(given)),
            given,
            points[shown],
            truth[shown],
            base[shown],
            (refined - truth)[shown],
        )
        return record, CaseFields(*(part.float().numpy() for part in arrays))

    def _solve(self, rows: list[FieldRows], rank: int, steps: int) -> tuple[Tensor, int]:
        return solve_case(rows, rank, steps, rcond=self._config.rcond, damping=self._config.damping)

    def _case(self, stream: Stream, number: int) -> _Case:
        chosen = self._given.model_copy(update={"stream": stream, "case": number, "values": None})
        problem = case_of(self.problem, chosen)
        branch, responses = self._shared.branch_modes(problem.model.get_buffer("sensors"))
        return _Case(problem, branch[0], responses[0])

    def _rows(self, case: _Case, blocks: list[_Block]) -> list[FieldRows]:
        points = {block.name: block.points for block in blocks}
        rows = []
        for block, part in zip(
            blocks, block_rows(case.problem, self._setting.function, points, check=False), strict=True
        ):
            jets, modes = block.modes.at(case.branch, case.responses)
            rows.append(FieldRows(part.residual, block.points, jets, modes.flatten(0, 1)))
        return rows

    def _blocks(self, points: Mapping[str, Tensor], residuals: Mapping[str, ResidualFunction]) -> list[_Block]:
        blocks = []
        for name, residual in residuals.items():
            at = points[name].to(self._setting.function.theta0)
            blocks.append(_Block(name, at, self._shared.trunk_modes(at, residual.jets.spec, residual.used)))
        return blocks

    def _sensors(self, stream: Stream, case: int) -> Tensor:
        chosen = self._given.model_copy(update={"stream": stream, "case": case, "values": None})
        return sensor_values(chosen.function(), self._n_sensors)


def _thinned(points: Tensor) -> Tensor:
    """Which points of a grid (n, d) are kept for display, (n,)."""
    most = SHOWN[min(points.shape[1], 2) - 1]
    kept = torch.ones(len(points), dtype=torch.bool)
    for column in points.unbind(1):
        values = column.unique()
        kept &= torch.isin(column, values[:: -(-len(values) // most)])
    return kept
