"""The equation of a physics problem in words and numbers, for the pages that show one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lsr_app.words import texts
from lsr_core.kinds.equations.own import OwnEquation
from lsr_core.storage import code_problems
from lsr_core.storage.bundles import read_description
from lsr_core.validation import checked


@dataclass(frozen=True)
class BlockAbout:
    """A residual block: fitted points (or pairs of them), and the weight of its mean square in the loss."""

    name: str
    points: int
    pairs: bool
    weight: float
    needs: tuple[str, ...]


@dataclass(frozen=True)
class PhysicsAbout:
    """An equation, none of its words escaped yet.

    Attributes:
        domain: bounds by variable.
        periods: of the solution, by variable.
        blocks: empty of conditions that the network's formula meets by itself.
        hard: whether it meets them.
        exact: whether the reference is a formula, and not computed.
    """

    title: str
    formula: str
    source: str
    domain: Mapping[str, tuple[float, float]]
    periods: Mapping[str, float] = field(default_factory=dict)
    blocks: tuple[BlockAbout, ...] = ()
    hard: bool = False
    exact: bool = True


def read(folder: Path) -> PhysicsAbout | None:
    """The equation of a bundle; None for a problem that is none.

    Raises:
        InputError: the description is damaged, or names an equation that this version does not know.
    """
    described = read_description(folder)
    if described.physics is None:
        return None
    if code_problems.is_code(described):
        own = checked(OwnEquation, described.physics.arguments)
        return PhysicsAbout(
            title=described.title or described.name,
            formula=texts.OWN_FORMULA.format(file=code_problems.about_code(described).file),
            source="",
            domain=dict(own.domain),
            blocks=tuple(
                BlockAbout(block.name, block.points, block.pairs, block.weight, block.needs) for block in own.blocks
            ),
        )
    from lsr_core.problems.physics import equations

    equation = equations.build(described.physics.equation, described.physics.arguments)
    return PhysicsAbout(
        title=equation.title,
        formula=equation.formula,
        source=equation.source,
        domain=dict(equation.domain),
        periods=dict(equation.periods),
        blocks=tuple(
            BlockAbout(block.name, block.n_points, block.pairs, block.weight, block.needs) for block in equation.blocks
        ),
        hard=equation.transform is not None,
        exact=equation.exact is not None,
    )
