"""J V for many columns at once: rows from the engine, curvlinops, and forward mode under vmap."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from _tangent import Tangent
from torch import Tensor
from torch.func import jvp, vmap

COLUMNS = 120
TOGETHER = 10  # columns under one vmap: more leaves the caches, as measured for the recipe


def block(case: Tangent) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(case.shape[1], COLUMNS, generator=generator, dtype=torch.float64)


def ours(case: Tangent) -> Tensor:
    return case.our_operator().matmat(block(case))


def curvlinops(case: Tangent) -> Tensor:
    from curvlinops import JacobianLinearOperator

    train, model = case.plain.train, copy.deepcopy(case.plain.model).double()
    data = [(train.inputs.double(), train.targets.double())]
    operator = JacobianLinearOperator(model, list(model.parameters()), data, check_deterministic=False)
    return torch.cat([(operator @ part).detach() for part in block(case).split(TOGETHER, dim=1)], dim=1)


def forward_mode(case: Tangent) -> Tensor:
    function, inputs = case.function, case.plain.train.inputs.double()

    def push(tangent: Tensor) -> Tensor:
        return jvp(lambda theta: function(theta, inputs).flatten(), (function.theta,), (tangent,))[1]

    return torch.cat(
        [vmap(push, in_dims=1, out_dims=1)(part) for part in block(case).split(TOGETHER, dim=1)], 1
    ).detach()


CONTENDERS: dict[str, Callable[[Tangent], Tensor]] = {
    "ours": ours,
    "curvlinops": curvlinops,
    "torch.func jvp": forward_mode,
}
