"""Products with the Jacobian by some of the parameters only: rows by reverse mode sample by sample, or forward mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.func import jacrev, jvp, vmap

from lsr_core.errors import InputError, is_out_of_memory
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.footprints import footprint, samples_within
from lsr_core.networks.functions import ParametricFunction

REST_BYTES = 64 * 2**20  # about what the rows and graphs of the samples that are differentiated together may take
LONG = 2**16  # scalars from which rows of them are dearer than forward mode
TANGENTS = 3  # of what a sample takes, that a tangent takes beside
COPIES = 3  # of rows: by parameter, side by side, and where they are kept


def rest_rows(function: ParametricFunction, names: Sequence[str], inputs: Tensor) -> Tensor:
    """∂q/∂ of the named parameters at the inputs, (n·o, their scalars in the order of the names).

    Only these are differentiated: the gradient of an output by all parameters would be as long as a row of J, for each sample and output.
    The samples go by as many at a time as `REST_BYTES` hold.
    """
    sizes = [function.shapes[name].numel() for name in names]
    values = function.real_values(names)

    def one(parts: tuple[Tensor, ...], sample: Tensor) -> Tensor:
        return function.with_some(dict(zip(names, parts, strict=True)), sample[None])[0]

    n_outputs = function.outputs(inputs[:1]).shape[1]
    measured, row_bytes = footprint(function, inputs), COPIES * sum(sizes) * function.dtype.itemsize
    samples = samples_within(REST_BYTES, n_outputs * (row_bytes + measured.live) + measured.kept, len(inputs))
    outputs = samples_within(REST_BYTES, row_bytes + measured.live, n_outputs)
    rows = function.theta0.new_empty(len(inputs) * n_outputs, sum(sizes))
    for part, out in zip(inputs.split(samples), rows.split(samples * n_outputs), strict=True):
        try:
            found = vmap(jacrev(one, chunk_size=outputs), in_dims=(None, 0))(values, part)
        except (RuntimeError, NotImplementedError, TypeError) as error:
            if is_out_of_memory(error):
                raise
            out.copy_(_one_by_one(one, values, part))
            continue
        start = 0
        for name, rows_of, size in zip(names, found, sizes, strict=True):
            assert rows_of.shape[2:] == function.shapes[name]
            out[:, start : (start := start + size)] = rows_of.detach().reshape(len(out), size)
    return rows


def _one_by_one(
    one: Callable[[tuple[Tensor, ...], Tensor], Tensor], values: tuple[Tensor, ...], inputs: Tensor
) -> Tensor:
    """The same by one reverse pass for each output of each sample, for networks that do not go for many at a time."""
    leaves = tuple(value.detach().requires_grad_() for value in values)
    rows = []
    for sample in inputs:
        with torch.enable_grad():
            outputs = one(leaves, sample).unbind()
        for output in outputs:
            slopes = torch.autograd.grad(output, leaves, retain_graph=True, materialize_grads=True)
            rows.append(torch.cat([slope.reshape(-1) for slope in slopes]))
    return torch.stack(rows)


def rest_images(
    function: ParametricFunction, names: Sequence[str], inputs: Tensor, directions: FactoredDirections
) -> Tensor:
    """J Ω for what directions have in the named parameters, (n·o, p): by their rows, or where these would be long by forward mode."""
    if sum(function.shapes[name].numel() for name in names) <= LONG:
        return rest_rows(function, names, inputs) @ directions.written(names=names)
    if function.derivatives != "forward":
        raise InputError(
            f"{names[0]} has neither rules nor forward derivatives; use row-blocks or matrix-free", key="strategy"
        )
    values = function.real_values(names)

    def moved(*parts: Tensor) -> Tensor:
        return function.with_some(dict(zip(names, parts, strict=True)), inputs)

    def push(*steps: Tensor) -> Tensor:
        return jvp(moved, values, steps)[1]

    size = sum(value.numel() for value in values) * function.dtype.itemsize
    chunk = samples_within(
        REST_BYTES, TANGENTS * (size + len(inputs) * footprint(function, inputs).live), directions.count
    )
    found = []
    for start in range(0, directions.count, chunk):
        steps = directions.part(slice(start, start + chunk)).shaped(function.shapes, names)
        found.append(vmap(push)(*steps).flatten(1).T.detach())
    return torch.cat(found, dim=1)
