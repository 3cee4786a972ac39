"""Which way of applying the Jacobian serves a network best, and why."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import FactoredJacobian, JacobianOperator, MatrixFreeJacobian, RowBlockJacobian
from lsr_core.networks.layers import FactoredNetwork

MOSTLY = 0.9  # share of factored parameters from which factoring pays
SMALL = 2e10  # floating-point operations that nobody notices


@dataclass(frozen=True)
class Strategy:
    """Makes Jacobian operators at any inputs, all in the same way.

    Attributes:
        name: matrix-free, row-blocks or factored.
        reason: one sentence on why this one.
    """

    name: str
    reason: str
    function: ParametricFunction
    n_outputs: int
    network: FactoredNetwork | None = None

    def at(self, inputs: Tensor) -> JacobianOperator:
        """J at `inputs`."""
        if self.name == "factored":
            return self.factored_at(inputs)
        kind = MatrixFreeJacobian if self.name == "matrix-free" else RowBlockJacobian
        return kind(self.function, inputs, self.n_outputs)

    def factored_at(self, inputs: Tensor) -> FactoredJacobian:
        assert self.network is not None
        return FactoredJacobian(self.function, inputs, self.n_outputs, network=self.network)


def choose_strategy(
    function: ParametricFunction,
    inputs: Tensor,
    n_outputs: int,
    *,
    width: int,
    wanted: str = "auto",
    sample_wise: bool = True,
) -> Strategy:
    """The strategy that was asked for, or the fastest that is right for this function.

    Args:
        inputs: all inputs whose rows the basis comes from.
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
    if wanted == "row-blocks":
        return Strategy(wanted, "asked for", function, n_outputs)
    if function.module is None:
        if wanted == "factored":
            raise InputError("needs a torch.nn.Module to find layers in; use auto or row-blocks", key="strategy")
        return Strategy("row-blocks", "a pure function has no layers to factor", function, n_outputs)
    network = FactoredNetwork(function, inputs[:2])
    share = network.factored_share
    if wanted == "factored":
        if not network.layers:
            raise InputError(
                "the network has no linear layer that each sample passes once; use row-blocks", key="strategy"
            )
        return Strategy(wanted, "asked for", function, n_outputs, network)
    exact_cost = 8 * len(inputs) * n_outputs * function.n_params * min(len(inputs) * n_outputs, width)
    if exact_cost <= SMALL:
        return Strategy("row-blocks", "small enough for all Jacobian rows", function, n_outputs)
    if share >= MOSTLY:
        return Strategy("factored", f"{share:.0%} of the parameters are in linear layers", function, n_outputs, network)
    return Strategy("row-blocks", f"only {share:.0%} of the parameters are in linear layers", function, n_outputs)
