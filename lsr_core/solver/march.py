"""Windows of time, one after the other: as long as the residual allows, each with its own network, joined to the one before."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.solver.allowance import Allowance
from lsr_core.solver.attempt import Attempt, attempt, rank_of
from lsr_core.solver.config import SolveConfig
from lsr_core.solver.found import Found
from lsr_core.solver.networks import NetworkForm, window_network
from lsr_core.solver.records import Kind, SolveStep
from lsr_core.solver.tangent import read_along
from lsr_core.solver.windows import Join, on_window, orders

FEWEST = 60  # points of a block of more than one
ROWS_A_DIRECTION = 3.0
LARGEST = 16000  # points of one block
FLOOR = 2.0**-40  # of the span: no window is shorter
QUICK = 10  # steps up to which the next window may be twice as long
CAUTION = 2  # windows kept since one was left, before a longer one is tried
FAR = 1e-2  # relative residual, beyond which the window is cut to a quarter and not to a half
HALTS = 0.5  # of the residual left by a window half as long: it no longer depends on the window
NEARLY = 2.0  # times the residual of a window that shorter ones would not have bettered: good enough for the next
LIMITED = "The residual no longer falls with the window: this network, or its points, is what limits it."
OnStep = Callable[[SolveStep], None]


@dataclass(frozen=True, eq=False)
class Window:
    """A part of the solution.

    Attributes:
        arguments: of its `pinn-mlp`.
        model: the network at θ0.
        delta: Δθ (m,).
        relative: its relative residual.
        found: unknown numbers and how measured values are met, where there are any.
    """

    start: float
    end: float
    arguments: dict[str, Any]
    model: torch.nn.Module
    delta: Tensor
    relative: float
    found: Found | None = None


@dataclass(frozen=True, eq=False)
class _Tried:
    """A window that was solved; what is kept of it or of the longer one before, and whether shorter ones would not be better."""

    start: float
    end: float
    made: Attempt
    kept: Window | None = None
    halted: bool = False

    def window(self) -> Window:
        made = self.made
        return Window(self.start, self.end, made.arguments, made.model, made.delta, made.relative)


@dataclass(eq=False)
class March:
    """The windows so far, and how the next one is made.

    Args:
        problem: of the whole time.
        axis: the input that is time.
        config: settings.
        form: of the networks.
        on_step: told about every attempt.
        allowance: asked before each step.

    Attributes:
        limit: relative residual from which windows are no longer shortened, as that did not help before.
    """

    problem: PhysicsProblem
    axis: str
    config: SolveConfig
    form: NetworkForm
    on_step: OnStep
    allowance: Allowance = field(default_factory=Allowance)
    windows: list[Window] = field(default_factory=list)
    tried: int = 0
    limit: float = 0.0

    def __post_init__(self) -> None:
        self._orders = orders(self.problem, self.axis)
        self._weight = max(block.weight for block in self.problem.blocks)

    @property
    def at(self) -> float:
        """Until when the solution is there."""
        return self.windows[-1].end if self.windows else self.problem.domain[self.axis][0]

    @property
    def relative(self) -> float:
        """The largest relative residual of all windows."""
        return max((window.relative for window in self.windows), default=math.inf)

    def run(self, length: float) -> str:
        """Go on to the end, windows of `length` first; returns why it stopped, empty where it arrived."""
        low, high = self.problem.domain[self.axis]
        shortest, longer, since = FLOOR * (high - low), None, CAUTION
        while self.at < high:
            if not self.allowance.goes_on():
                return f"the time is up at {self.axis} = {self.at:.6g}"
            if len(self.windows) >= self.config.most_windows:
                return f"{len(self.windows):,} windows were made, up to {self.axis} = {self.at:.6g}"
            start = self.at
            end = high if start + 1.1 * length >= high else start + length
            tried = self._tried(start, end, longer)
            if tried.kept is not None:
                self.windows.append(tried.kept)
                since += 1
                grows = tried.made.steps <= QUICK and since >= CAUTION and not tried.halted
                length, longer = (tried.kept.end - start) * (2.0 if grows else 1.0), None
                continue
            if tried.made.ending == "time":
                continue
            longer, since = tried, 0
            length = (end - start) / (4 if tried.made.relative > FAR else 2)
            if length < shortest or start + length == start:
                shown = (
                    f"{tried.made.relative:.1e} of the terms" if math.isfinite(tried.made.relative) else "not finite"
                )
                return f"no window after {self.axis} = {start:.6g} is solved, however short: the residual is {shown}"
        return ""

    def trial(self, start: float, end: float) -> Attempt:
        """A window that is looked at and left: what forms of a network are compared by."""
        began = time.perf_counter()
        made = self._made(start, end)
        self._tell(made, start, end, "search", began)
        return made

    def _tried(self, start: float, end: float, longer: _Tried | None) -> _Tried:
        """One window: solved, measured by what would be delivered, kept or left.

        Where the residual no longer falls with the window, the network is what limits it. Then the better of this window and the longer one
        before is kept, and later windows that are nearly as good are kept as they are.

        Args:
            longer: the window that was tried at the same start before.
        """
        began = time.perf_counter()
        made = self._made(start, end)
        found = _Tried(start, end, made)
        halted = longer is not None and HALTS * longer.made.relative < made.relative <= self.config.enough
        good = made.relative <= max(self.config.tolerance, min(NEARLY * self.limit, self.config.enough))
        better = longer if halted and longer is not None and longer.made.relative <= made.relative else found
        if halted:
            self.limit = better.made.relative
        kept = better.window() if good or halted else None
        self._tell(
            made, start, end, self._kind(start, end), began, kept=kept is not None and better is found, halted=halted
        )
        if kept is not None and better is not found:
            self._tell(
                better.made,
                start,
                better.end,
                self._kind(start, better.end),
                time.perf_counter(),
                kept=True,
                halted=True,
            )
        return replace(found, kept=kept, halted=halted)

    def _tell(
        self,
        made: Attempt,
        start: float,
        end: float,
        kind: Kind,
        began: float,
        *,
        kept: bool = False,
        halted: bool = False,
    ) -> None:
        step = SolveStep(
            index=self.tried,
            kind=kind,
            start=start,
            end=end,
            activation=self.form.activation,
            scale=self.form.scale,
            along=self.form.along,
            kept=kept,
            seconds=time.perf_counter() - began,
            note=LIMITED if kept and halted else "",
            **made.figures(),
        )
        self.tried += 1
        self.on_step(step)

    def _kind(self, start: float, end: float) -> Kind:
        return "whole" if (start, end) == tuple(self.problem.domain[self.axis]) else "window"

    def _made(self, start: float, end: float) -> Attempt:
        seed = (self.config.seed * 7919 + len(self.windows)) % 2**31
        domain = {**self.problem.domain, self.axis: (start, end)}
        join = self._join()
        values = self._values(start)
        network = window_network(self.problem, domain, self.axis, self.form, values, seed)
        rank = rank_of(self.config, len(network.silent), self.problem)
        counts = _counts(self.problem, rank)
        part = on_window(self.problem, self.axis, (start, end), network.model, join, counts=counts, seed=seed)
        return attempt(part, network, rank, self.config, self.allowance)

    def _values(self, start: float) -> Tensor:
        """What the network starts near (o,): the mean of the field where the window begins."""
        if not self.windows:
            return _initial(self.problem, self.axis)
        points = self.problem.fitted_inputs().clone()
        points[:, self.problem.variables.index(self.axis)] = start
        return self._read(tuple(self.problem.outputs))(points[:200]).mean(dim=0)

    def _join(self) -> Join | None:
        if not self.windows:
            return None
        names = [
            name + ("_" + self.axis * order if order else "")
            for name, most in self._orders.items()
            for order in range(most)
        ]
        return Join(tuple(names), self._read(tuple(names)), self._weight)  # fmt: skip

    def _read(self, names: tuple[str, ...]) -> Callable[[Tensor], Tensor]:
        """Named quantities (n, k) of the last window's field."""
        window = self.windows[-1]
        function = ParametricFunction.from_module(window.model, dtype=torch.float64)
        needs = tuple(name for name in names if name not in self.problem.outputs)

        def residual(seen: Any) -> Tensor:
            return torch.stack([seen[name] for name in names], dim=1)

        def read(points: Tensor) -> Tensor:
            block = ResidualBlock("handed on", needs, residual, lambda count, generator: points, len(points))
            given = {block.name: points}
            shown = replace(self.problem, blocks=(block,), points=given, fresh=given, test=None, grid=None)
            [rows] = block_rows(shown, function, check=False)
            values = rows.residual.of_components(rows.points, read_along(rows, window.delta))
            return (values / rows.residual.scale).detach()

        return read


def _initial(problem: PhysicsProblem, axis: str) -> Tensor:
    """Means of the values that conditions at the start ask for (o,), zero where none does."""
    place, start = problem.variables.index(axis), problem.domain[axis][0]
    found = torch.zeros(len(problem.outputs), dtype=torch.float64)
    for block in problem.blocks:
        points = problem.points[block.name]
        if block.prescribed is None or block.pairs or not bool((points[:, place] == start).all()):
            continue
        values = block.prescribed(points).reshape(len(points), -1).mean(dim=0)
        for name, value in zip(block.prescribes or problem.outputs, values, strict=True):
            found[problem.outputs.index(name)] = value
    return found


def _counts(problem: PhysicsProblem, rank: int) -> dict[str, int]:
    """Points by block: so many rows for each direction in all, shared out as the problem shares its own."""
    total = problem.n_rows
    wanted = ROWS_A_DIRECTION * rank
    return {
        name: min(LARGEST, max(min(len(points), FEWEST), round(len(points) * wanted / total)))
        for name, points in problem.points.items()
    }
