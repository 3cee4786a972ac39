"""The refined predictor as one graph of ordinary tensor operations, tangent included.

Forward mode fixes the batch size when it is traced. The tangent is therefore taken by reverse mode twice: the pull-back u ↦ uᵀJ is linear
in u, and its own pull-back is Δθ ↦ JΔθ (Townsend 2017, "A new trick for calculating Jacobian vector products"). What is left after dead
operations are removed is one forward sweep that carries value and tangent through the layers.
"""

from __future__ import annotations

import copy
import itertools
import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from lsr_core.errors import InputError
from lsr_core.networks.functions import as_pairs
from lsr_core.portable.kernels import decompositions
from lsr_core.portable.realparts import RealParts
from lsr_core.portable.tangents import TRANSFORM, Tangent, by_autograd, by_transforms, refined
from lsr_core.refinement.predictor import RefinedPredictor

INSTEAD = "export the format `predictor`, which needs this package, or `csv` for its values"


def explicit(predictor: RefinedPredictor, example: Tensor, *, plain: bool = False) -> fx.GraphModule:
    """x ↦ q(θ0, x) + J(x) Δθ as a module whose graph names every operation.

    Args:
        predictor: in the dtype that the graph is to compute in.
        example: some inputs (n, …), n ≥ 1; only shape and dtype count, and n may be any later.
        plain: in operations that ONNX and its runtime have in this dtype: complex numbers by their parts, transforms as products with
            matrices, and in float64 GELU and convolutions written out.

    Returns:
        A module of one input; parameters, buffers and Δθ (`step_…`) are its buffers. Of a predictor with standard deviations it gives
        two outputs: the refined outputs, and the standard deviation of a further observation.

    Raises:
        InputError: the network does something that cannot be traced, or cannot be differentiated twice.
    """
    model, delta = predictor.model, predictor.delta
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    turned = as_pairs if plain else lambda value: value
    named = {name: turned(value.detach()) for name, value in tensors.items()}
    pairs = {name for name, value in tensors.items() if plain and value.is_complex()}
    steps = {f"step_{name}": turned(value) for name, value in delta.items()}
    deviations = (
        {} if predictor.spread is None else {f"spread_{name}": part for name, part in predictor.spread.parts().items()}
    )
    if plain:
        named |= _transforms(model, example)
    sizes = {size for value in (example[0], *named.values()) for size in value.shape}
    # tracing takes equal sizes for the same one; primes, so that no product of other sizes looks like one with the batch
    counts = [size for size in itertools.takewhile(lambda size: size < 1000, _primes()) if size not in sizes][:2]
    given = [*named.values(), *steps.values(), *deviations.values()]

    def traced(tangent: Tangent) -> fx.GraphModule:
        call = refined(model, list(named), list(steps), tangent, pairs, plain, with_spread=bool(deviations))
        table = decompositions(example.dtype) if plain else None
        graph, twin = (
            _traced(call, [example[:1].expand(count, *example.shape[1:]).contiguous(), *given], table, tangent)
            for count in counts
        )
        free_batch(graph, twin, *counts)
        return graph

    graph, doubtful = _either(traced)
    _own(graph, {**named, **steps, **deviations})
    _shorten(graph.graph)
    if plain:
        _merge(graph.graph)
    _tidy(graph)
    if doubtful:  # what a backward pass keeps from autograd is not heard under tracing
        _compare(graph, predictor, example)
    return graph


def _either(traced: Callable[[Tangent], fx.GraphModule]) -> tuple[fx.GraphModule, bool]:
    """The graph by transforms, or by plain reverse mode, which is said; raises as `explicit`."""
    try:
        return traced(by_transforms), False
    except Exception as error:  # whatever a network's own code raises under tracing
        try:
            return traced(by_autograd), True
        except Exception:
            raise untraceable(error) from error


def _tidy(graph: fx.GraphModule) -> None:
    graph.graph.eliminate_dead_code()
    graph.delete_all_unused_submodules()
    used = {node.target for node in graph.graph.nodes if node.op == "get_attr"}
    for name in [name for name, _ in graph.named_buffers() if name not in used]:
        delattr(graph, name)  # tracing leaves intermediate values behind
    graph.recompile()


def _compare(graph: fx.GraphModule, predictor: RefinedPredictor, example: Tensor) -> None:
    """Refuse a graph that is another function than the predictor."""
    with torch.no_grad():
        found, wanted = graph(example), predictor(example)
    found = found[0] if isinstance(found, (tuple, list)) else found
    if not torch.allclose(found, wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max())):
        raise untraceable(NotImplementedError("the derivative of one of its functions is not linear in the graph"))


def _traced(
    call: Callable[..., Any], given: list[Tensor], table: dict[Any, Callable[..., Any]] | None, tangent: Tangent
) -> fx.GraphModule:
    """The graph of a call; in a plain one nothing is written in place, as that would never be dead, and never the same as something else."""
    if table is not None:
        if tangent is by_autograd:  # which no transform may stand around
            call = make_fx(call, tracing_mode="fake")(*given)
            for node in call.graph.nodes:
                if node.target == torch.ops.aten.view.default:  # whose strides are others on the second way
                    node.target = torch.ops.aten.reshape.default
            call.recompile()
        call = functionalize(call)
    return make_fx(call, table, tracing_mode="fake")(*given)


def _transforms(model: nn.Module, example: Tensor) -> dict[str, Tensor]:
    """The matrices of transforms that are written in real numbers; raises as `explicit`."""
    transforms: dict[str, Tensor] = {}
    try:
        with RealParts(transforms), torch.no_grad():
            model(example[:1])
    except NotImplementedError as error:
        raise InputError(
            f"ONNX has no complex numbers, and {error} is not among what is written in real ones; export pt2 or python",
            key="model",
        ) from error
    return {f"{TRANSFORM}{name}": value for name, value in transforms.items()}


def free_batch(graph: fx.GraphModule, twin: fx.GraphModule, count: int, other: int) -> None:
    """Where tracing has fixed the batch size, as it does inside convolutions and products of more than two axes, write it as a symbol.

    Two graphs of the same function at two batch sizes differ in just these numbers, each of which is a multiple of the batch size
    plus a constant.

    Args:
        graph: traced at the batch size `count`; changed in place.
        twin: the same at `other`.

    Raises:
        ValueError: the graphs differ in more than that, so the network itself depends on the batch size.
    """
    pairs = list(zip(graph.graph.nodes, twin.graph.nodes, strict=False))
    if len(graph.graph.nodes) != len(twin.graph.nodes) or any(one.target != two.target for one, two in pairs):
        raise ValueError("its operations depend on the number of samples")
    inputs = next(iter(graph.graph.nodes))
    with graph.graph.inserting_after(inputs):
        size = graph.graph.call_function(torch.ops.aten.sym_size.int, (inputs, 0))
    symbols: dict[tuple[int, int], fx.Node] = {}

    def symbol(first: int, second: int) -> fx.Node:
        factor, rest = divmod(second - first, other - count)
        constant = first - factor * count
        if rest or factor < 1 or constant:
            raise ValueError(f"a size is {first} for {count} samples and {second} for {other}")
        if (factor, constant) not in symbols:
            with graph.graph.inserting_after(size):
                made = size if factor == 1 else graph.graph.call_function(operator.mul, (size, factor))
            symbols[factor, constant] = made
        return symbols[factor, constant]

    def merged(one: Any, two: Any) -> Any:
        if isinstance(one, (list, tuple)):
            return [merged(*pair) for pair in zip(one, two, strict=True)]
        same = isinstance(one, fx.Node) or not isinstance(one, int) or one == two
        return one if same else symbol(one, two)

    for one, two in pairs:
        one.args = tuple(merged(one.args, two.args))
        one.kwargs = {key: merged(value, two.kwargs[key]) for key, value in one.kwargs.items()}


def _primes() -> Iterator[int]:
    return (size for size in itertools.count(11) if all(size % factor for factor in range(2, math.isqrt(size) + 1)))


def untraceable(error: Exception) -> InputError:
    """What a user is told about a network that no graph can be made of."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return InputError(f"this network cannot be written as a graph ({first[:200]}); {INSTEAD}", key="model")


def outputs_of(graph: fx.GraphModule) -> int:
    """How many outputs a graph gives."""
    (given,) = (node.args[0] for node in graph.graph.nodes if node.op == "output")
    return len(given) if isinstance(given, list | tuple) else 1


def _own(graph: fx.GraphModule, tensors: dict[str, Tensor]) -> None:
    """Make the graph's inputs beyond the first its own buffers, named as in the state dict with _ for the dots."""
    inputs, *places = [node for node in graph.graph.nodes if node.op == "placeholder"]
    inputs.target = "inputs"
    inputs._rename("inputs")
    for node, (name, value) in zip(places, tensors.items(), strict=True):
        if node.users:
            own = name.replace(".", "_").replace(" ", "_")
            while hasattr(graph, own):
                own += "_"
            graph.register_buffer(own, value.detach().clone(memory_format=torch.contiguous_format))
            with graph.graph.inserting_before(node):
                node.replace_all_uses_with(graph.graph.get_attr(own))
        graph.graph.erase_node(node)


def _shorten(graph: fx.Graph) -> None:
    """Leave out slices of everything and transposes of transposes, which differentiation leaves behind."""
    ops = torch.ops.aten
    for node in list(graph.nodes):
        whole = node.target == ops.slice.Tensor and node.args[2:] == (0, torch.iinfo(torch.int64).max)
        twice = node.target == ops.t.default and node.args[0].target == ops.t.default
        if whole or twice:
            node.replace_all_uses_with(node.args[0] if whole else node.args[0].args[0])
            graph.erase_node(node)


def _merge(graph: fx.Graph) -> None:
    """Compute what several nodes ask for once, such as erf in GELU and in its derivative; nothing may write in place."""
    seen: dict[Any, fx.Node] = {}
    for node in list(graph.nodes):
        if node.op == "call_function":
            key = (node.target, _hashable(node.args), _hashable(node.kwargs))
            first = seen.setdefault(key, node)
            if first is not node:
                node.replace_all_uses_with(first)
                graph.erase_node(node)


def _hashable(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_hashable(part) for part in value)
    if isinstance(value, dict):
        return tuple((key, _hashable(part)) for key, part in value.items())
    return type(value), value  # 1, 1.0 and True are equal


def of_any_floating_type(graph: fx.GraphModule, dtype: torch.dtype) -> fx.GraphModule:
    """A copy that first turns its inputs into its own dtype, so that it takes any; one of integers is left as it is."""
    graph = copy.deepcopy(graph)
    if dtype.is_floating_point:
        inputs = next(iter(graph.graph.nodes))
        with graph.graph.inserting_after(inputs):
            turned = graph.graph.call_function(torch.ops.aten._to_copy.default, (inputs,), {"dtype": dtype})
        turned.meta = dict(inputs.meta)
        inputs.replace_all_uses_with(turned, delete_user_cb=lambda user: user is not turned)
        graph.recompile()
    return graph
