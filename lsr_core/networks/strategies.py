"""Which way of applying the Jacobian serves a network best, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.factored import FactoredJacobian
from lsr_core.networks.flops import pass_flops
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import (
    BLOCK_BYTES,
    JacobianOperator,
    MatrixFreeJacobian,
    RowBlockJacobian,
)
from lsr_core.networks.uses.network import UsedNetwork

MOSTLY = 0.9  # share of factored parameters from which factoring pays
COARSE = 4e9  # bytes of a basis with its copies up to which float32 takes the exact route
SMALL = 2e10  # floating-point operations that nobody notices
PATIENCE = 3e12  # that rows may take, some minutes, where directions chosen on a part of the samples take a few percent of them
ROW_PASSES = 2  # over all rows: for the sketch, and for the modes
TANGENT = 3  # passes that a tangent costs beside the value
BACKWARD = 2  # that one takes back from an output
CLEARLY = 4  # times cheaper that tangents have to be than backward passes with their products
FEW_OUTPUTS = 0.2  # of the columns of the sketch, up to which backward passes always cost less than tangents
SLOWER = 8  # times the time of an operation in a product of rows that one in forward mode takes


@dataclass(frozen=True)
class Strategy:
    """Makes Jacobian operators at any inputs, all in the same way.

    Attributes:
        name: of its route.
        reason: one sentence on why this one.
        network: whose uses of parameters make rows and images; without one, factored directions go through forward mode.
        excluded: why they do not for most of the parameters.
        pass_flops: floating-point operations of one sample's forward pass, where it is forward mode that takes the images; else 0.
    """

    name: str
    reason: str
    function: ParametricFunction
    n_outputs: int
    network: UsedNetwork | None = None
    block_bytes: int = BLOCK_BYTES
    pass_flops: float = 0.0
    excluded: str = ""

    def at(self, inputs: Tensor, *, keep: bool = False) -> JacobianOperator:
        """J at `inputs`; with `keep`, rows are kept after the first product where there are rows."""
        return ROUTES[self.name].make(self, inputs, keep)

    def by_products(self, inputs: Tensor) -> MatrixFreeJacobian:
        """J at `inputs` by forward and reverse mode, whatever the route."""
        return MatrixFreeJacobian(self.function, inputs, self.n_outputs, block_bytes=self.block_bytes)

    def factored_at(self, inputs: Tensor, *, keep: bool = False) -> FactoredJacobian:
        """The same by the uses of the parameters."""
        assert self.network is not None
        return FactoredJacobian(
            self.function, inputs, self.n_outputs, network=self.network, block_bytes=self.block_bytes, keep=keep
        )


@dataclass(frozen=True)
class JacobianRoute:
    """A way of making products with the Jacobian, and what one needs to be tried, proved and named.

    Attributes:
        make: of (strategy, inputs, keep) the operator; `keep` asks to keep rows after the first product.
        words: a strategy of this route in words that tell its ways of making rows apart.
        stand_ins: of (first, wanted) the strategies of this route that may take the place of a first one that is not right, where the
            settings ask for `wanted`.
        wide: whether products with many directions at a time are proved.
        rows: whether rows are.
    """

    make: Callable[[Strategy, Tensor, bool], JacobianOperator]
    words: Callable[[Strategy], str]
    stand_ins: Callable[[Strategy, str], Iterable[Strategy]] = lambda first, wanted: ()
    wide: bool = False
    rows: bool = False


def _by_products(strategy: Strategy, inputs: Tensor, keep: bool) -> JacobianOperator:
    return strategy.by_products(inputs)


def _by_rows(strategy: Strategy, inputs: Tensor, keep: bool) -> JacobianOperator:
    if strategy.network is not None:
        return strategy.factored_at(inputs, keep=keep)
    function, n_outputs = strategy.function, strategy.n_outputs
    return RowBlockJacobian(function, inputs, n_outputs, block_bytes=strategy.block_bytes, keep=keep)


def _by_factors(strategy: Strategy, inputs: Tensor, keep: bool) -> JacobianOperator:
    return (_by_products if strategy.pass_flops > 0 else _by_rows)(strategy, inputs, keep)


def _rows_instead(first: Strategy, wanted: str) -> Iterator[Strategy]:
    if first.name == "factored" and first.network is not None:
        yield replace(first, name="row-blocks", reason="rows from the uses of parameters")
    if first.network is not None or first.name == "factored":
        yield replace(first, name="row-blocks", network=None, pass_flops=0.0, reason="rows for many samples at a time")


def _products_instead(first: Strategy, wanted: str) -> Iterator[Strategy]:
    if wanted == "auto":
        yield replace(first, name="matrix-free", network=None, pass_flops=0.0, reason="forward and reverse products")


ROUTES: dict[str, JacobianRoute] = {  # in the order in which they stand in for one another
    "factored": JacobianRoute(_by_factors, lambda strategy: "factored directions"),
    "row-blocks": JacobianRoute(
        _by_rows,
        lambda strategy: (
            f"rows {'from the uses of parameters' if strategy.network is not None else 'for many samples at a time'}"
        ),
        _rows_instead,
        rows=True,
    ),
    "matrix-free": JacobianRoute(
        _by_products, lambda strategy: "products for many directions at a time", _products_instead, wide=True
    ),
}


def choose_strategy(
    function: ParametricFunction,
    example: Tensor,
    n_rows: int,
    n_outputs: int,
    *,
    width: int,
    wanted: str = "auto",
    sample_wise: bool = True,
    uses: Callable[[ParametricFunction, Tensor], UsedNetwork | None] | None = None,
) -> Strategy:
    """The strategy that was asked for, or the fastest that is right for this function.

    Args:
        example: a few inputs, to see what the network does with them.
        n_rows: rows of the training data.
        width: columns of the sketch.
        sample_wise: whether each sample stands alone (see `check_outputs`).
        uses: `uses_of`, or what remembers it between several questions about one network.

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
    if wanted in ("auto", "factored") and not function.is_partial:
        passed = _for_many_outputs(function, example, n_rows, n_outputs, width, wanted)
        if passed is not None:
            return passed
    network = (uses or uses_of)(function, example)
    chosen = _by_cost(function, example, n_rows, n_outputs, network, width, wanted)
    return chosen if network is None else replace(chosen, excluded=_excluded(network))


def _for_many_outputs(
    function: ParametricFunction, example: Tensor, n_rows: int, n_outputs: int, width: int, wanted: str
) -> Strategy | None:
    """Forward mode where a sample has so many outputs that even their backward passes alone take longer; None otherwise."""
    if BACKWARD * n_outputs <= CLEARLY * TANGENT * width:
        return None
    if wanted == "auto" and (_cost(function, n_rows, width) <= SMALL or _fits_exactly(function, width)):
        return None
    flops = pass_flops(function, example)
    if not _are_many(flops, function, n_outputs):
        return None
    return Strategy("factored", _in_forward_mode(wanted, n_outputs), function, n_outputs, pass_flops=flops)


def _in_forward_mode(wanted: str, n_outputs: int) -> str:
    if wanted == "factored":
        return "asked for"
    return (
        f"one pass gives the {n_outputs} outputs of a sample, so forward mode is cheaper than a backward pass for each"
    )


def _are_many(flops: float, function: ParametricFunction, n_outputs: int) -> bool:
    """Whether forward mode is cheaper than rows."""
    return 0 < SLOWER * TANGENT * flops < 2 * ROW_PASSES * n_outputs * function.n_params


def _cost(function: ParametricFunction, n_rows: int, width: int) -> float:
    """Floating-point operations of a basis by all rows."""
    return 8 * n_rows * function.n_params * min(n_rows, width)


def _fits_exactly(function: ParametricFunction, width: int) -> bool:
    """Whether numbers are too coarse for factored directions and exact ones are small enough."""
    return function.dtype == torch.float32 and 20 * function.n_params * width <= COARSE


def _by_cost(
    function: ParametricFunction,
    example: Tensor,
    n_rows: int,
    n_outputs: int,
    network: UsedNetwork | None,
    width: int,
    wanted: str,
) -> Strategy:
    """The strategy where each sample stands alone."""
    share = 0.0 if network is None else network.share
    quick_rows = network if share >= MOSTLY else None
    few = share >= MOSTLY and n_outputs <= FEW_OUTPUTS * width
    flops = 0.0 if network is None or function.is_partial or few else pass_flops(function, example)
    many_outputs = in_forward_mode = _are_many(flops, function, n_outputs)
    if network is not None and share >= MOSTLY:
        by_outputs = n_outputs * (BACKWARD * flops + 4 * width * network.signals)
        in_forward_mode = 0 < CLEARLY * TANGENT * width * flops < by_outputs
    if wanted == "factored":
        if in_forward_mode:
            return Strategy(wanted, "asked for", function, n_outputs, pass_flops=flops)
        if network is None or not network.names or function.is_partial:
            raise InputError(
                "no parameter, wholly free, is used in a way that there is a rule for; use row-blocks or auto",
                key="strategy",
            )
        return Strategy(wanted, "asked for", function, n_outputs, network)
    if wanted == "row-blocks":
        return Strategy(wanted, "asked for", function, n_outputs, quick_rows)
    cost = _cost(function, n_rows, width)
    if cost <= SMALL:
        return Strategy("row-blocks", "small enough for all Jacobian rows", function, n_outputs, quick_rows)
    if function.is_partial:
        return Strategy(
            "row-blocks", "a random part of the scalars has no outer products", function, n_outputs, quick_rows
        )
    if quick_rows is not None and _fits_exactly(function, width):
        reason = "single precision is too coarse for factored directions, and the exact ones fit"
        return Strategy("row-blocks", reason, function, n_outputs, quick_rows)
    if quick_rows is not None and quick_rows.places > 1 and not many_outputs and cost <= PATIENCE:
        reason = f"samples pass layers at {quick_rows.places} places, where random directions reach less than rows"
        return Strategy("row-blocks", reason, function, n_outputs, quick_rows)
    if quick_rows is not None and not in_forward_mode:
        reason = f"the uses of {share:.0%} of the free parameters have rules"
        return Strategy("factored", reason, function, n_outputs, quick_rows)
    if in_forward_mode:
        return Strategy("factored", _in_forward_mode(wanted, n_outputs), function, n_outputs, pass_flops=flops)
    return Strategy(
        "row-blocks", f"the uses of only {share:.0%} of the free parameters have rules", function, n_outputs
    )


def uses_of(function: ParametricFunction, example: Tensor) -> UsedNetwork | None:
    """The uses of the parameters; None for a network that cannot be watched, such as one for a fixed number of samples."""
    try:
        return UsedNetwork(function, example) if function.module is not None else None
    except (RuntimeError, ValueError):
        return None


def _excluded(network: UsedNetwork) -> str:
    """What is done with the largest of the parameters without rules, where most are."""
    if network.share >= MOSTLY or not network.rest:
        return ""
    shapes = network.function.shapes
    name = max(network.rest, key=lambda name: shapes[name].numel())
    return f"parameter {name}: {network.why_not[name]}"
