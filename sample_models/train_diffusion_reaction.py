"""The solution operator of a diffusion-reaction equation, learnt from the equation: a physics-informed DeepONet.

    python -m lsr_samples.train_diffusion_reaction [--iterations 16000] [--out DIR]

writes the bundle DIR/diffusion-reaction. Network, distribution of input functions and conditions are those of Wang, Wang & Perdikaris (2021),
as Cao & Zhang (2026) use them; the training is much shorter than theirs. No solution is ever shown to the network.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.networks.pointjets import JetSpec
from lsr_samples import operators

ARGUMENTS: dict[str, object] = {"branch": [100, *[50] * 5], "trunk": [2, *[50] * 5], "activation": "tanh"}
LENGTH = 0.2
FUNCTIONS = 5_000
AXIS = 1001
ITERATIONS = 16_000
DECAY = 600
EDGES = 25  # points at the start and at each end, beside those inside
DIFFUSION, RATE = 0.01, 0.01


def loss(jets: Tensor, given: Tensor, points: Tensor, *, rate: float = RATE) -> Tensor:
    """Mean squares of the conditions and of the equation; components are s, s_x, s_t and s_xx."""
    edge, inside = jets[:, : 3 * EDGES, 0], jets[:, 3 * EDGES :]
    source = given[:, 3 * EDGES :]
    residual = inside[..., 2] - DIFFUSION * inside[..., 3] - rate * inside[..., 0].square() - source
    return edge.square().mean() + residual.square().mean()


def draw(generator: torch.Generator) -> Tensor:
    """Places on the axis and times: at the start, at both ends, inside."""
    count = operators.POINTS + 3 * EDGES
    places = torch.randint(AXIS, (count,), generator=generator).float()
    times = torch.rand(count, generator=generator)
    times[:EDGES] = 0
    places[EDGES : 2 * EDGES] = 0
    places[2 * EDGES : 3 * EDGES] = AXIS - 1
    return torch.stack([places, times], dim=1)


OPERATOR = operators.Operator(
    name="diffusion-reaction",
    title="Diffusion and reaction, a learnt operator",
    description="A physics-informed DeepONet from a source to the field that it makes under diffusion and reaction, and one source that it has "
    "not seen: it is refined by the equation alone. `lsr refine diffusion-reaction --cases 300` refines many.",
    script="train_diffusion_reaction",
    arguments=ARGUMENTS,
    length=LENGTH,
    functions=FUNCTIONS,
    axis=AXIS,
    spec=JetSpec.of((0, 0), (1,)),
    loss=loss,
    draw=draw,
    words="mean squares of the residual and of the conditions",
    iterations=ITERATIONS,
    decay_every=DECAY,
    edges=3 * EDGES,
)


if __name__ == "__main__":
    operators.main(OPERATOR)
