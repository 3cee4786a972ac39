"""Refinements whose rows are shared among processes: what can be shared, whether all do the same, what they have told each other."""

from __future__ import annotations

import torch

from lsr_core.errors import InputError
from lsr_core.linalg.reduction import Reduction
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.processes import Processes
from lsr_core.refinement.setting import Setting


def refuse_unshared(config: RefineConfig, count: int) -> None:
    """Refuse settings by which rows are not taken in parts.

    Args:
        count: of processes.

    Raises:
        InputError: there are several processes and such a setting.
    """
    if count == 1:
        return
    whole = {
        "published": (config.published is not None, "the authors' modes take all rows at once"),
        "gauss_newton": (config.gauss_newton > 0, "Gauss-Newton steps take all rows at once"),
        "device": (config.device != "cpu", "rows are shared among processes on processors only"),
    }
    for key, (given, why) in whole.items():
        if given:
            raise InputError(f"is {getattr(config, key)}, but {why}; use one process or leave it out", key=key)


def refuse_more_than(samples: int, count: int) -> None:
    """Refuse more processes than there are samples, or points of an equation, to share.

    Raises:
        InputError: there are more.
    """
    if count > samples:
        raise InputError(
            f"are {count}, but there are {samples} training samples to share; use at most as many", key="processes"
        )


def refuse_unequal(setting: Setting) -> None:
    """Refuse rows that cannot be parted, or processes that came to different plans.

    Raises:
        InputError: samples influence each other, there are more processes than samples, or a process has another plan than process 0.
    """
    reduction = setting.reduction
    if reduction.size == 1:
        return
    if not setting.sample_wise:
        raise InputError(
            "the outputs of a sample depend on the samples beside it, so that they cannot be shared among processes; use one",
            key="processes",
        )
    refuse_more_than(setting.n_samples, reduction.size)
    function, strategy = setting.function, setting.strategy
    plan = (
        strategy.name,
        function.derivatives,
        function.n_params,
        setting.n_residuals,
        setting.max_rank,
        setting.rcond,
    )
    reduction.agree("the network, the data or the way of taking derivatives", repr(plan))


def shared_by(reduction: Reduction) -> Processes | None:
    """What the summary says of the processes; None of one alone."""
    if reduction.size == 1:
        return None
    every = reduction.joined(torch.tensor([reduction.sent])).tolist()
    return Processes(count=reduction.size, sent_bytes=sum(every), most_sent_bytes=max(every))
