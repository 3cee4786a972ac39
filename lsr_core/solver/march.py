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
    """

    problem: PhysicsProblem
    axis: str
    config: SolveConfig
    form: NetworkForm
    on_step: OnStep
    allowance: Allowance = field(default_factory=Allowance)
    windows: list[Window] = field(default_factory=list)
    tried: int = 0

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
        shortest, before, since = FLOOR * (high - low), math.inf, CAUTION
        while self.at < high:
            if not self.allowance.goes_on():
                return f"the time is up at {self.axis} = {self.at:.6g}"
            if len(self.windows) >= self.config.most_windows:
                return f"{len(self.windows):,} windows were made, up to {self.axis} = {self.at:.6g}"
            start = self.at
            end = high if start + 1.1 * length >= high else start + length
            window, step, halted = self.attempt(start, end, before)
            if window is not None:
                self.windows.append(window)
                since += 1
                grows = step.newton_steps <= QUICK and since >= CAUTION and not halted
                length, before = (end - start) * (2.0 if grows else 1.0), math.inf
                continue
            if step.ending == "time":
                continue
            relative, since = step.relative_residual, 0
            before = relative if relative is not None else math.inf
            length = (end - start) / (4 if relative is None or relative > FAR else 2)
            if length < shortest or start + length == start:
                shown = "not finite" if relative is None else f"{relative:.1e} of the terms"
                return f"no window after {self.axis} = {start:.6g} is solved, however short: the residual is {shown}"
        return ""

    def attempt(self, start: float, end: float, before: float) -> tuple[Window | None, SolveStep, bool]:
        """One window: solved, measured by what would be delivered, kept or left.

        Args:
            before: relative residual of the longer window that was tried at the same start.

        Returns:
            The window if it is kept, its record, and whether it is kept because shorter ones would not be better.
        """
        began = time.perf_counter()
        made = self._made(start, end)
        halted = HALTS * before < made.relative <= self.config.enough
        kept = made.relative <= self.config.tolerance or halted
        step = SolveStep(
            index=self.tried,
            kind=self._kind(start, end),
            start=start,
            end=end,
            activation=self.form.activation,
            scale=self.form.scale,
            kept=kept,
            seconds=time.perf_counter() - began,
            note=LIMITED if halted and kept else "",
            **made.figures(),
        )
        self.tried += 1
        self.on_step(step)
        window = Window(start, end, made.arguments, made.model, made.delta, made.relative) if kept else None
        return window, step, halted and kept

    def _kind(self, start: float, end: float) -> Kind:
        return "whole" if (start, end) == tuple(self.problem.domain[self.axis]) else "window"

    def _made(self, start: float, end: float) -> Attempt:
        seed = (self.config.seed * 7919 + len(self.windows)) % 2**31
        domain = {**self.problem.domain, self.axis: (start, end)}
        join = self._join()
        values = self._values(start)
        network = window_network(self.problem, domain, self.form, values, seed)
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
