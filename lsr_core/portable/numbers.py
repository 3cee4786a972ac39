"""Numbers in a graph on its way to ONNX, kept in float64.

The exporter writes a number that stands beside a tensor as float32, as it does the numbers that operations have of their own. And
onnxruntime folds a constant factor beside a MatMul into the product's own `alpha`, which is a float32: factors are written as long as an axis, and
products of two matrices as Gemm.
"""

from __future__ import annotations

import copy
import struct
from typing import Any

import torch
from torch import fx

ops = torch.ops.aten
_BINARY = {ops.add.Tensor, ops.sub.Tensor, ops.mul.Tensor, ops.div.Tensor}
_SCALAR = {
    ops.add.Scalar: ops.add.Tensor,
    ops.sub.Scalar: ops.sub.Tensor,
    ops.mul.Scalar: ops.mul.Tensor,
    ops.div.Scalar: ops.div.Tensor,
}
_FILLS = {ops.full.default: 1, ops.full_like.default: 1, ops.scalar_tensor.default: 0}  # operator: place of its number
_CLAMPS = {ops.clamp.default: (1, 2), ops.clamp_min.default: (1, None), ops.clamp_max.default: (None, 1)}


def with_numbers_as_tensors(graph: fx.GraphModule, dtype: torch.dtype) -> fx.GraphModule:
    """A copy in which numbers such as π are tensors of `dtype`, wherever an operation has a form that takes them."""
    graph = copy.deepcopy(graph)
    for node in list(graph.graph.nodes):
        if node.op == "call_function":
            _rewrite(_Place(graph, node, dtype))
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph


class _Place:
    """A node of a graph, and what can be put before it."""

    def __init__(self, graph: fx.GraphModule, node: fx.Node, dtype: torch.dtype) -> None:
        self.graph, self.node, self.dtype = graph, node, dtype

    def number(self, value: float, beside: Any = None) -> fx.Node:
        """A constant as long as an axis of the tensor beside it, one without samples: it broadcasts as a number does, and is not folded as one."""
        found = beside.meta.get("val") if isinstance(beside, fx.Node) else None
        name = f"number_{len(list(self.graph.buffers()))}"
        self.graph.register_buffer(name, torch.full(self._shape(found), value, dtype=self.dtype))
        with self.graph.graph.inserting_before(self.node):
            return self.graph.graph.get_attr(name)

    def _shape(self, beside: Any) -> tuple[int, ...]:
        if not isinstance(beside, torch.Tensor) or beside.ndim < 2:
            return ()
        inputs = next(iter(self.graph.graph.nodes)).meta.get("val")
        samples = (
            int(inputs.shape[0]) if isinstance(inputs, torch.Tensor) else 0
        )  # a prime that no size of the network has
        sizes = [int(size) for size in beside.shape]
        axis = next((axis for axis in reversed(range(len(sizes))) if not samples or sizes[axis] % samples), None)
        return () if axis is None else (sizes[axis], *[1] * (len(sizes) - axis - 1))

    def call(self, operator: Any, *args: Any) -> fx.Node:
        """Another operation before the node, with the meta of the node."""
        with self.graph.graph.inserting_before(self.node):
            made = self.graph.graph.call_function(operator, args)
        made.meta = dict(self.node.meta)
        return made

    def replace(self, other: fx.Node) -> None:
        """The node's users take another."""
        self.node.replace_all_uses_with(other)
        self.graph.graph.erase_node(self.node)


def _rewrite(here: _Place) -> None:
    node, args = here.node, here.node.args
    if node.target in _SCALAR and len(args) == 2:
        node.target = _SCALAR[node.target]
    if node.target in _BINARY:
        _binary(here)
    elif node.target == ops.rsub.Scalar and len(args) == 2:
        here.replace(here.call(ops.sub.Tensor, here.number(float(args[1]), node), args[0]))  # type: ignore[arg-type]
    elif node.target == ops.mm.default and here.dtype == torch.float64:
        here.replace(here.call(ops.addmm.default, here.number(0.0, node), *args))  # Gemm, into which nothing is folded
    elif node.target in _FILLS and _inexact(args[_FILLS[node.target]]):
        value = args[_FILLS[node.target]]
        node.update_arg(_FILLS[node.target], 1.0)
        with here.graph.graph.inserting_after(node):
            product = here.graph.graph.call_function(ops.mul.Tensor, (node, node))
        product.meta = dict(node.meta)
        node.replace_all_uses_with(product, delete_user_cb=lambda user: user is not product)
        product.update_arg(1, here.number(value, node))  # type: ignore[arg-type]
    elif node.target in _CLAMPS:
        _clamp(here)
    elif node.target == ops.pow.Tensor_Scalar and _inexact(args[1]):
        here.replace(here.call(ops.pow.Tensor_Tensor, args[0], here.number(args[1], args[0])))  # type: ignore[arg-type]
    elif node.target == ops.lerp.Scalar and _inexact(args[2]):
        gap = here.call(ops.sub.Tensor, args[1], args[0])
        step = here.call(ops.mul.Tensor, gap, here.number(args[2], node))  # type: ignore[arg-type]
        here.replace(here.call(ops.add.Tensor, args[0], step))
    elif node.target == ops.addmm.default and any(_inexact(node.kwargs.get(name)) for name in ("alpha", "beta")):
        _addmm(here)


def _binary(here: _Place) -> None:
    node = here.node
    alpha = node.kwargs.get("alpha", 1)
    if _inexact(alpha):
        node.update_arg(1, here.call(ops.mul.Tensor, node.args[1], here.number(alpha, node)))  # type: ignore[arg-type]
        node.kwargs = {key: value for key, value in node.kwargs.items() if key != "alpha"}
    for place, value in enumerate(node.args[:2]):
        if isinstance(value, float):
            node.update_arg(place, here.number(value, node))


def _clamp(here: _Place) -> None:
    node, found = here.node, here.node.args[0]
    for place, operator in zip(_CLAMPS[node.target], (ops.maximum.default, ops.minimum.default), strict=True):  # type: ignore[index]
        bound = node.args[place] if place is not None and place < len(node.args) else None
        if bound is not None:
            found = here.call(operator, found, here.number(float(bound), node))  # type: ignore[arg-type]
    if isinstance(found, fx.Node):
        here.replace(found)


def _addmm(here: _Place) -> None:
    node = here.node
    first, left, right = node.args
    product = here.call(ops.mm.default, left, right)
    parts = []
    for part, name in ((first, "beta"), (product, "alpha")):
        factor = float(node.kwargs.get(name, 1))  # type: ignore[arg-type]
        parts.append(here.call(ops.mul.Tensor, part, here.number(factor, node)))
    here.replace(here.call(ops.add.Tensor, *parts))


def _inexact(value: object) -> bool:
    """Whether a number loses digits as a float32."""
    return isinstance(value, float) and struct.unpack("f", struct.pack("f", value))[0] != value
