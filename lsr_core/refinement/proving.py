"""The proof of a way of taking derivatives, at samples of the problem itself, before the basis is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.probe import Findings
from lsr_core.networks.proof import SAMPLES, Reference, Twin, groups
from lsr_core.networks.routes import (
    Left,
    Proved,
    in_order,
    passed_on,
    prove,
    reason_of,
    refuse_severed,
    refuse_wrong_gradient,
)
from lsr_core.networks.strategies import Strategy
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.plan import budget_of, make_plan
from lsr_core.refinement.routed import routed
from lsr_core.refinement.sizes import Sizes

PROOF = 7  # random stream

Candidates = Callable[[ParametricFunction], Iterable[Strategy]]


def proved_strategy(
    first: Strategy,
    inputs: Tensor,
    findings: Findings,
    config: RefineConfig,
    sizes: Sizes,
    max_rank: int,
    *,
    sample_wise: bool,
) -> Proved:
    """The strategy, if it agrees with plain reverse mode at some of the inputs, else the next that does.

    Raises:
        InputError: outputs without a gradient or with a wrong one; a strategy asked for by name that cannot serve, with the name of one that
            can; a network for which none can.
    """
    function = first.function
    reference = checked_reference(function, inputs, first.n_outputs, findings, config)
    prove_with = partial(
        prove,
        function=function,
        reference=reference,
        findings=findings,
        sample_wise=sample_wise,
        twin=Twin.of(function, reference),
    )

    def fits(strategy: Strategy) -> str | None:
        room = budget_of(config)
        peak = make_plan(routed(sizes, strategy), config, strategy.name, max_rank).peak_bytes
        return (
            None if peak <= room else f"it needs {peak / 2**30:.1f} GB of memory and {room / 2**30:.1f} GB may be used"
        )

    def candidates_of(start: Strategy, wanted: str) -> Candidates:
        return lambda here: in_order(replace(start, function=here), wanted, sample_wise=sample_wise)

    found = prove_with(candidates_of(first, config.strategy), fits=fits)
    if isinstance(found, Proved):
        found = replace(found, notes=held_back(function, reference, findings))
        return with_those_not_offered(found, config.strategy)
    if config.strategy != "auto":
        other = prove_with(candidates_of(first, "auto"), fits=fits)
        refuse_named(config.strategy, found, other.strategy.name if isinstance(other, Proved) else None)
    raise nothing_serves(found)


def checked_reference(
    function: ParametricFunction, inputs: Tensor, n_outputs: int, findings: Findings, config: RefineConfig
) -> Reference:
    """Plain reverse mode at a few of the inputs, itself checked: at the first few at which the parameters move the outputs.

    Raises:
        InputError: outputs without a gradient, or with a wrong one.
    """
    try:
        for some in groups(inputs, stream(config)):
            reference = Reference.of(function, some, n_outputs, stream(config))
            if findings.severed or bool((reference.pulled != 0).any()):
                break
    except Exception as error:
        passed_on(error)
        if "does not require grad" in str(error):
            refuse_severed(findings, None)
        why, line = reason_of(error, findings), f" ({findings.in_place})" if findings.in_place else ""
        raise InputError(
            f"its gradient by the parameters cannot be computed, so that it could not be trained either: {why}{line}",
            key="model",
        ) from error
    refuse_severed(findings, reference)
    refuse_wrong_gradient(reference.slope_defect(function), findings, function.dtype)
    return reference


def some_inputs(splits: Mapping[str, Split], count: int = SAMPLES) -> Tensor:
    """The training inputs, followed by those of other splits where there are fewer than `count`: one row shows little of a network."""
    found = splits["train"].inputs
    for split in splits.values():
        if len(found) >= count:
            break
        if split is not splits["train"]:
            found = torch.cat([found, split.inputs[:count].to(found)])
    return found


def stream(config: RefineConfig) -> torch.Generator:
    """Random numbers of the proof, others for each seed."""
    return torch.Generator().manual_seed((config.seed * 1_000_003 + PROOF) % 2**63)


def with_those_not_offered(found: Proved, wanted: str) -> Proved:
    """With the reason why layers that look as if they had factors have none."""
    network = found.strategy.excluded
    if wanted != "auto" or not network:
        return found
    return replace(found, left=(Left("rows from the uses of parameters", network), *found.left))


def refuse_named(wanted: str, left: tuple[Left, ...], other: str | None) -> None:
    """Refuse a strategy that was asked for by name.

    Raises:
        InputError: always, unless no other serves either.
    """
    if other is not None and other != wanted:
        why = left[-1].reason if left else "it is not offered"
        raise InputError(f"{wanted} cannot serve this network: {why}; use {other} or auto", key="strategy")


def nothing_serves(left: tuple[Left, ...]) -> InputError:
    """What a user is told whose network has no derivative that is right."""
    tried = "; ".join(str(item) for item in left)
    return InputError(f"no way of taking its derivatives by the parameters is right ({tried})"[:900], key="model")


def held_back(function: ParametricFunction, reference: Reference, findings: Findings) -> tuple[str, ...]:
    """What is to be said about parameters whose gradient forward keeps back."""
    names = reference.held_back(function)
    if not names:
        return ()
    named = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    why = findings.severed or "a function without a derivative, a custom one, or a checkpoint in it keeps it back"
    return (f"The outputs change with {named} and have no gradient by that, because {why}: these stay as they are.",)


def note_of(findings: Findings, dtype: torch.dtype) -> tuple[str, ...]:
    """What is to be said about single precision inside."""
    if findings.single is None:
        return ()
    wanted = str(dtype).removeprefix("torch.")
    return (
        f"forward holds single precision at {findings.single}, so that values and derivatives are right to about 1e-7 only, although "
        f"the refinement computes in {wanted}; with the dtype of the inputs there, smaller errors can be reached.",
    )


def precision_of(findings: Findings, dtype: torch.dtype) -> float:
    """eps of what the outputs are computed in."""
    eps = torch.finfo(dtype).eps
    return max(eps, torch.finfo(torch.float32).eps) if findings.single else eps
