"""q(θ0, x) + J(x) Δθ as a function of tensors that can be traced, and the standard deviation beside it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import vjp, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from lsr_core.networks.attention import plain_attention
from lsr_core.networks.functions import as_pairs
from lsr_core.networks.stateless import call_with
from lsr_core.portable.realparts import RealParts, WrittenOut
from lsr_core.refinement.spread import Spread

TRANSFORM = "transform "  # a name that no parameter can have
At = Callable[[dict[str, Tensor]], Tensor]
Tangent = Callable[[At, dict[str, Tensor], dict[str, Tensor]], tuple[Tensor, Tensor]]


def by_transforms(at: At, free: dict[str, Tensor], delta: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """q and J Δθ by the transforms of torch.func."""
    network, pull = vjp(at, free)[:2]
    push = vjp(lambda cotangent: pull(cotangent)[0], torch.zeros_like(network))[1]
    (correction,) = push(delta)
    return network, correction


def by_autograd(at: At, free: dict[str, Tensor], delta: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The same by plain reverse mode, which takes what transforms refuse: classic functions, and inputs that are changed in place.

    The pull-back is written as a graph before its own is taken: a backward pass that may not be differentiated
    (`once_differentiable`) is ordinary operations there, linear in u.
    """

    def pulled(weights: Tensor, *held: Tensor) -> list[Tensor | None]:
        with torch.enable_grad():
            leaves = [value.detach().requires_grad_() for value in held]
            network = at(dict(zip(free, leaves, strict=True)))
            return list(torch.autograd.grad(network, leaves, weights, allow_unused=True))

    values = [value.detach() for value in free.values()]
    with torch.no_grad():
        network = at(free)
    pull = make_fx(pulled)(torch.zeros_like(network), *values)
    with torch.enable_grad():
        weights = torch.zeros_like(network).requires_grad_()
        slopes = zip(pull(weights, *values), delta.values(), strict=True)
        moved = [(slope, step) for slope, step in slopes if slope is not None and slope.requires_grad]
        if not moved:
            return network, torch.zeros_like(network)
        (correction,) = torch.autograd.grad([slope for slope, _ in moved], weights, [step for _, step in moved])
    return network, correction


def refined(
    model: nn.Module,
    names: list[str],
    steps: list[str],
    tangent: Tangent,
    pairs: set[str],
    plain: bool,
    *,
    with_spread: bool = False,
) -> Callable[..., Tensor | tuple[Tensor, Tensor]]:
    moving = [name.removeprefix("step_") for name in steps]
    ordered = [name for name, _ in model.named_parameters() if name in moving]  # as a spread counts them

    def call(inputs: Tensor, *tensors: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        state = dict(zip(names, tensors, strict=False))
        delta = dict(zip(moving, tensors[len(names) :], strict=False))
        transforms = {name.removeprefix(TRANSFORM): state.pop(name) for name in names if name.startswith(TRANSFORM)}
        fixed = {name: value for name, value in state.items() if name not in delta}

        def at(free: dict[str, Tensor], given: Tensor = inputs) -> Tensor:
            now = {**fixed, **free}
            with plain_attention(), RealParts(transforms, [now[name] for name in pairs]) if plain else WrittenOut():
                return call_with(model, now, given)

        network, correction = tangent(at, {name: state[name] for name in moving}, delta)
        if not with_spread:
            return network + correction
        spread = Spread(*tensors[len(names) + len(moving) :])

        rows = _rows(at, ordered, state, inputs)
        deviations = (spread.variance(rows) + spread.noise * spread.noise).sqrt()
        return network + correction, deviations.reshape(network.shape)

    return call


def _rows(
    call: Callable[[dict[str, Tensor], Tensor], Tensor], moving: list[str], state: dict[str, Tensor], inputs: Tensor
) -> Tensor:
    """Jacobian rows (n, o, m) by the moving parameters, one output after the other, in operations that every form has."""

    def of_sample(sample: Tensor) -> Tensor:
        outputs, pull = vjp(lambda free: call(free, sample[None]).reshape(-1), {name: state[name] for name in moving})[
            :2
        ]
        place, nothing = (
            torch.arange(len(outputs)),
            0 * outputs,
        )  # not a constant: what ONNX folds of those it rounds to float32
        slopes = [pull((place == output) + nothing)[0] for output in range(len(outputs))]
        return torch.stack([torch.cat([as_pairs(slope[name]).reshape(-1) for name in moving]) for slope in slopes])

    return vmap(of_sample)(inputs)
