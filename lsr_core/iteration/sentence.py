"""An iteration in figures, and what solves and alignments removed from the error in one sentence made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lsr_core.iteration.records import Bands, IterationStep, IterationSummary
from lsr_core.iteration.state import IterationProgress, Stopped

GAIN = 0.9  # an energy that stays above this share has not fallen
WORTH = 0.5  # of the first solve's fresh residual: a later solve above it has gained nothing


@dataclass(frozen=True)
class Change:
    """Error energies by band before and after."""

    before: Bands
    after: Bands

    @property
    def words(self) -> str:
        """`low 1.2e-01 to 3.4e-05, …`"""
        return ", ".join(f"{name} {before:.1e} to {after:.1e}" for name, before, after in self._pairs())

    @property
    def left(self) -> list[str]:
        """Bands whose energy did not fall."""
        return [name for name, before, after in self._pairs() if after > GAIN * before]

    def _pairs(self) -> list[tuple[str, float, float]]:
        return [(name, getattr(self.before, name), getattr(self.after, name)) for name in Bands.model_fields]


def aligned(steps: Sequence[IterationStep]) -> Change | None:
    """What all alignments together did to the network's error: from the start to the last alignment."""
    seen = [step.bands.network for step in steps if step.kind != "lsr" and step.bands.network is not None]
    return Change(seen[0], seen[-1]) if len(seen) > 1 else None


def solved(steps: Sequence[IterationStep]) -> Change | None:
    """What the best solve did: from the network's error that it began with to that of its refined field."""
    best = best_solve(steps)
    if best is None or best.bands.network is None or best.bands.refined is None:
        return None
    return Change(best.bands.network, best.bands.refined)


def best_solve(steps: Sequence[IterationStep]) -> IterationStep | None:
    """The solve with the smallest residual at the fresh points, the first of equals."""
    solves = [step for step in steps if step.kind == "lsr"]
    return min(solves, key=lambda step: step.fresh_residual) if solves else None


def sentence(steps: Sequence[IterationStep]) -> str:
    """The sentence; empty before the first solve. Energies are mean squares of the error by band."""
    best = best_solve(steps)
    if best is None:
        return ""
    parts = []
    solve, network = solved(steps), aligned(steps)
    count = sum(step.kind == "align" for step in steps)
    if solve is not None:
        parts.append(
            f"The direct solve of round {best.round} took the error energy of the network from {solve.words} in the refined field"
            + _kept(solve)
        )
    else:
        before = next(step for step in reversed(steps[: steps.index(best)]) if step.kind != "lsr").fresh_residual
        parts.append(
            f"The direct solve of round {best.round} took the residual at fresh points from {before:.1e} to {best.fresh_residual:.1e}"
        )
    if network is not None:
        parts.append(
            f"{count} alignment{'s' if count > 1 else ''} took that of the network itself from {network.words}{_kept(network)}"
        )
    first = next(step for step in steps if step.kind == "lsr")
    if (
        count > 0
        and sum(step.kind == "lsr" for step in steps) > 1
        and best.fresh_residual > WORTH * first.fresh_residual
    ):
        parts.append(
            "for the refined field alignment gained nothing: "
            f"its residual at fresh points was {first.fresh_residual:.1e} after the first solve and is {best.fresh_residual:.1e} at best"
        )
    return "; ".join(parts) + "."


def _kept(change: Change) -> str:
    return f" (no gain in the {' and '.join(change.left)} band)" if change.left else ""


def summarise(
    problem: str,
    steps: list[IterationStep],
    progress: IterationProgress,
    transform: str,
    stopped: Stopped | None = None,
) -> IterationSummary | None:
    """The figures of a whole iteration; None before its first solve."""
    best = best_solve(steps)
    if best is None:
        return None
    return IterationSummary(
        problem=problem,
        best_index=best.index,
        best_relative_l2=best.relative_l2.refined,
        base_relative_l2=steps[0].relative_l2.network,
        seconds=progress.seconds,
        total_seconds=progress.total_seconds,
        stopped=stopped or progress.stopped or "asked",
        transform=transform,
        sentence=sentence(steps),
        notes=progress.notes,
    )
