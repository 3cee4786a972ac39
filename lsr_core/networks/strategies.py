"""Which way of applying the Jacobian serves a network best, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import (
    BLOCK_BYTES,
    FactoredJacobian,
    JacobianOperator,
    MatrixFreeJacobian,
    RowBlockJacobian,
)
from lsr_core.networks.layers import FactoredNetwork
from lsr_core.networks.recording import AGAIN, TWICE

MOSTLY = 0.9  # share of factored parameters from which factoring pays
COARSE = 4e9  # bytes of a basis with its copies up to which float32 takes the exact route
SMALL = 2e10  # floating-point operations that nobody notices
ROW_PASSES = 2  # over all rows: for the sketch, and for the modes
TANGENT = 3  # passes that a tangent costs beside the value
SLOWER = 8  # times the time of an operation in a product of rows that one in forward mode takes


@dataclass(frozen=True)
class Strategy:
    """Makes Jacobian operators at any inputs, all in the same way.

    Attributes:
        name: matrix-free, row-blocks or factored.
        reason: one sentence on why this one.
        network: of the layers whose factors make rows and images; without one, factored directions go through forward mode.
        excluded: why linear layers that hold most of the parameters are not factored, if something about the network is to blame.
        pass_flops: floating-point operations of one sample's forward pass, where it is forward mode that takes the images; else 0.
    """

    name: str
    reason: str
    function: ParametricFunction
    n_outputs: int
    network: FactoredNetwork | None = None
    block_bytes: int = BLOCK_BYTES
    pass_flops: float = 0.0
    excluded: str = ""

    def at(self, inputs: Tensor, *, keep: bool = False) -> JacobianOperator:
        """J at `inputs`; with `keep`, rows are kept after the first product where there are rows."""
        if self.name == "matrix-free" or self.pass_flops > 0:
            return MatrixFreeJacobian(self.function, inputs, self.n_outputs, block_bytes=self.block_bytes)
        if self.network is not None:
            return self.factored_at(inputs, keep=keep)
        return RowBlockJacobian(self.function, inputs, self.n_outputs, block_bytes=self.block_bytes, keep=keep)

    def factored_at(self, inputs: Tensor, *, keep: bool = False) -> FactoredJacobian:
        """The same with its layer factors at hand."""
        assert self.network is not None
        return FactoredJacobian(
            self.function, inputs, self.n_outputs, network=self.network, block_bytes=self.block_bytes, keep=keep
        )


def choose_strategy(
    function: ParametricFunction,
    example: Tensor,
    n_rows: int,
    n_outputs: int,
    *,
    width: int,
    wanted: str = "auto",
    sample_wise: bool = True,
) -> Strategy:
    """The strategy that was asked for, or the fastest that is right for this function.

    Args:
        example: a few inputs, to see what the layers do with them.
        n_rows: rows of the training data.
        width: columns of the sketch.
        sample_wise: whether each sample stands alone (see `check_outputs`).

    Raises:
        InputError: the strategy asked for cannot serve this function.
    """
    if wanted == "matrix-free":
        return Strategy(wanted, "asked for", function, n_outputs)
    if not sample_wise:
        if wanted != "auto":
            raise InputError(
                "outputs of one sample depend on the samples beside it, so Jacobian rows cannot be taken one by one; "
                "use matrix-free or auto",
                key="strategy",
            )
        return Strategy("matrix-free", "samples of a batch influence each other", function, n_outputs)
    network = _layers_of(function, example)
    chosen = _by_cost(function, example, n_rows, n_outputs, network, width, wanted)
    return chosen if network is None else replace(chosen, excluded=_excluded(network))


def _by_cost(
    function: ParametricFunction,
    example: Tensor,
    n_rows: int,
    n_outputs: int,
    network: FactoredNetwork | None,
    width: int,
    wanted: str,
) -> Strategy:
    """The strategy where each sample stands alone."""
    share = 0.0 if network is None else network.factored_share
    quick_rows = network if share >= MOSTLY else None
    flops = 0.0 if network is None or quick_rows is not None or function.is_partial else _pass_flops(function, example)
    in_forward_mode = 0 < SLOWER * TANGENT * flops < 2 * ROW_PASSES * n_outputs * function.n_params
    if wanted == "factored":
        if in_forward_mode:
            return Strategy(wanted, "asked for", function, n_outputs, pass_flops=flops)
        if network is None or not network.layers or function.is_partial:
            raise InputError(
                "there is no linear layer, wholly free, that each sample passes once; use row-blocks or auto",
                key="strategy",
            )
        return Strategy(wanted, "asked for", function, n_outputs, network)
    if wanted == "row-blocks":
        return Strategy(wanted, "asked for", function, n_outputs, quick_rows)
    if 8 * n_rows * function.n_params * min(n_rows, width) <= SMALL:
        return Strategy("row-blocks", "small enough for all Jacobian rows", function, n_outputs, quick_rows)
    if function.is_partial:
        return Strategy(
            "row-blocks", "a random part of the scalars has no layers to factor", function, n_outputs, quick_rows
        )
    if function.dtype == torch.float32 and quick_rows is not None and 20 * function.n_params * width <= COARSE:
        reason = "single precision is too coarse for factored directions, and the exact ones fit"
        return Strategy("row-blocks", reason, function, n_outputs, quick_rows)
    if quick_rows is not None:
        reason = f"{share:.0%} of the free parameters are in linear layers"
        return Strategy("factored", reason, function, n_outputs, quick_rows)
    if in_forward_mode and function.dtype == torch.float64:
        reason = f"one pass gives the {n_outputs} outputs of a sample, so forward mode is cheaper than their rows"
        return Strategy("factored", reason, function, n_outputs, pass_flops=flops)
    return Strategy("row-blocks", f"only {share:.0%} of the free parameters are in linear layers", function, n_outputs)


def _layers_of(function: ParametricFunction, example: Tensor) -> FactoredNetwork | None:
    """The layers that can be factored; None for a network that cannot be watched, such as one for a fixed number of samples."""
    try:
        return FactoredNetwork(function, example) if function.module is not None else None
    except (RuntimeError, ValueError):
        return None


def _excluded(network: FactoredNetwork) -> str:
    """What is wrong with layers that would have made rows from layer factors pay; nothing if there are none."""
    if network.factored_share >= MOSTLY:
        return ""
    found = {name: why for name, why in network.why_not.items() if why in (TWICE, AGAIN)}
    sizes = network.function.shapes
    lost = sum(sizes[name].numel() for name in sizes if name.rpartition(".")[0] in found)
    if network.factored_share + lost / network.function.n_params < MOSTLY:
        return ""
    name, why = next(iter(found.items()))
    return f"layer {name}: {why}"


def _pass_flops(function: ParametricFunction, example: Tensor) -> float:
    """Floating-point operations of matrix products and convolutions that one more sample costs in a forward pass; 0 where torch cannot count."""
    counts = []
    for inputs in (example, torch.cat([example, example])):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            try:
                function(function.theta0, inputs)
            except RuntimeError:  # its hooks do not stand derivatives inside forward, as forces have
                return 0.0
        counts.append(counter.get_total_flops())
    return (counts[1] - counts[0]) / len(example)
