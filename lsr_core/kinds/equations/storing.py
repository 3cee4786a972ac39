"""Equations in bundles: one of the library by name and arguments, and the points that its seed does not give; one that is code with all of them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.kinds.equations.own import in_words
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.equation_residual import EquationResidual
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.storage.bundle_files import DESCRIPTION
from lsr_core.storage.bundle_schema import ProblemDescription
from lsr_core.storage.code import COPIES
from lsr_core.storage.data import arrays_of, read_points
from lsr_core.storage.fit import check_fit
from lsr_core.storage.kinds import Arrays, Storing


class EquationStoring(Storing[PhysicsProblem]):
    """No code comes with a bundle."""

    problem_class = PhysicsProblem

    def read(self, description: ProblemDescription, common: dict[str, Any], data: Path) -> PhysicsProblem:
        try:
            return _read(description, common, data)
        except InputError as error:
            raise InputError(error.message, file=error.file or DESCRIPTION, key=error.key) from error

    def read_made(
        self, description: ProblemDescription, made: Problem | None, common: dict[str, Any], data: Path
    ) -> PhysicsProblem:
        problem = cast(PhysicsProblem, made)
        names = [block.name for block in problem.blocks]
        stored = read_points(data, [str(place) for place in range(len(names))])
        points, fresh = ({names[int(place)]: values for place, values in part.items()} for part in stored[:2])
        seed = description.physics.seed if description.physics else 0
        return problem.changed(seed=seed, points=points, fresh=fresh, **common, **stored[2])

    def entry(self, problem: PhysicsProblem) -> dict[str, Any]:
        arguments = in_words(problem) if _is_code(problem) else dict(problem.arguments)
        return {"physics": {"equation": problem.equation, "arguments": arguments, "seed": problem.seed}}

    def arrays(self, problem: PhysicsProblem) -> Arrays:
        if _is_code(problem):
            return _every_point(problem) | arrays_of(problem.splits())
        library, splits = build(problem.equation, problem.arguments), problem.splits()
        if library.exact is not None:
            splits.pop("test", None)  # a formula is cheaper to evaluate than to store
        plain = library.plain_grid()
        if plain is not None and problem.grid is not None and torch.equal(plain.inputs, problem.grid.inputs.cpu()):
            splits.pop("grid")  # zeros where nothing is known
        arrays: Arrays = {}
        given = {"points": problem.points, "fresh": problem.fresh}
        for (prefix, sets), drawn in zip(given.items(), draw_points(library.blocks, problem.seed), strict=True):
            for name, points in sets.items():
                kept = points.detach().cpu()
                if name not in drawn or not torch.equal(kept.double(), drawn[name]):  # the seed gives the others again
                    arrays[f"{prefix}_{name}"] = kept.numpy()
        return arrays | arrays_of(splits)

    def says_all(self, problem: PhysicsProblem) -> bool:
        """Whether the equation is one of the library by name and arguments: it gives the same rows and the same solution."""
        try:
            library = build(problem.equation, problem.arguments)
        except InputError:
            return False
        own, again = _rows(problem), _rows(problem.changed(blocks=tuple(library.blocks)))
        if own.shape != again.shape or not torch.allclose(own, again, rtol=1e-12, atol=0):
            return False
        known = library.test() if library.exact is not None else problem.test
        pairs = () if known is None and problem.test is None else (known, problem.test)
        return None not in pairs and all(torch.equal(*tensors) for tensors in zip(*cast(Any, pairs), strict=True))

    def points(self, description: ProblemDescription) -> int:
        entry = description.physics
        assert entry is not None
        return sum(block.places * block.n_points for block in build(entry.equation, entry.arguments).blocks)


def _read(description: ProblemDescription, common: dict[str, Any], data: Path) -> PhysicsProblem:
    """The equation from the library, on the points of the bundle; points that are not stored are drawn from the seed."""
    entry = description.physics
    assert entry is not None
    equation = build(entry.equation, entry.arguments)
    points, fresh, splits = read_points(data, [block.name for block in equation.blocks])
    drawn, drawn_fresh = draw_points(equation.blocks, entry.seed)
    arguments = json.dumps(entry.arguments)  # the order of the inputs counts
    test = splits.get("test") or _reference(entry.equation, arguments)
    grid = splits.get("grid") or (equation.plain_grid() if test is None else None)
    shown = test or grid
    assert shown is not None
    check_fit(common["model"], shown, description, key="test" if test else "grid")
    return PhysicsProblem(
        equation=entry.equation,
        arguments=dict(entry.arguments),
        domain=dict(equation.domain),
        outputs=tuple(equation.outputs),
        unknown=dict(equation.unknown),
        blocks=tuple(equation.blocks),
        points={**drawn, **points},
        fresh={**drawn_fresh, **fresh},
        test=test,
        grid=grid,
        seed=entry.seed,
        **common,
    )


@lru_cache(maxsize=8)
def _reference(name: str, arguments: str) -> Split | None:
    """The solution on the equation's own grid; a job opens its bundle several times."""
    return build(name, json.loads(arguments)).test()


def _rows(problem: PhysicsProblem) -> Tensor:
    function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
    return EquationResidual(block_rows(problem, function)).values()


def _is_code(problem: PhysicsProblem) -> bool:
    return problem.architecture is not None and problem.architecture.name in COPIES


def _every_point(problem: PhysicsProblem) -> Arrays:
    return {
        f"{prefix}_{place}": drawn[block.name].detach().cpu().numpy()
        for prefix, drawn in (("points", problem.points), ("fresh", problem.fresh))
        for place, block in enumerate(problem.blocks)
    }


KIND = EquationStoring()
