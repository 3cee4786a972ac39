"""Jacobian rows of some of the parameters only, by reverse mode sample by sample."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.func import jacrev, vmap

from lsr_core.networks.footprints import footprint, samples_within
from lsr_core.networks.functions import ParametricFunction

REST_BYTES = 64 * 2**20  # about what the rows and graphs of the samples that are differentiated together may take
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
        found = vmap(jacrev(one, chunk_size=outputs), in_dims=(None, 0))(values, part)
        start = 0
        for name, rows_of, size in zip(names, found, sizes, strict=True):
            assert rows_of.shape[2:] == function.shapes[name]
            out[:, start : (start := start + size)] = rows_of.detach().reshape(len(out), size)
    return rows
