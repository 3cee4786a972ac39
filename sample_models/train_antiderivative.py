"""The antiderivative operator, learnt from its equation: a physics-informed DeepONet.

    python -m lsr_samples.train_antiderivative [--iterations 8000] [--out DIR]

writes the bundle DIR/antiderivative. Network, distribution of input functions and conditions are those of Wang, Wang & Perdikaris (2021), as
Cao & Zhang (2026) use them; all pairs of 100 functions and 100 points make a batch of 10,000. No solution is ever shown to the network.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.networks.pointjets import JetSpec
from lsr_samples import operators

ARGUMENTS: dict[str, object] = {"branch": [100, *[50] * 5], "trunk": [1, *[50] * 5], "activation": "tanh"}
LENGTH = 0.2
FUNCTIONS = 10_000
AXIS = 1001
ITERATIONS = 8_000
DECAY = 500


def loss(jets: Tensor, given: Tensor, points: Tensor) -> Tensor:
    """Mean squares of s(0) and of s′ − u; the first point is the start."""
    return jets[:, 0, 0].square().mean() + (jets[:, 1:, 1] - given[:, 1:]).square().mean()


def draw(generator: torch.Generator) -> Tensor:
    places = torch.randint(AXIS, (operators.POINTS + 1, 1), generator=generator)
    places[0] = 0
    return places


OPERATOR = operators.Operator(
    name="antiderivative",
    title="Antiderivative, a learnt operator",
    description="A physics-informed DeepONet that integrates functions from a Gaussian process, and one function that it has not seen: "
    "it is refined by the equation alone, without the solution. `lsr refine antiderivative --cases 300` refines many.",
    script="train_antiderivative",
    arguments=ARGUMENTS,
    length=LENGTH,
    functions=FUNCTIONS,
    axis=AXIS,
    spec=JetSpec.of((0,)),
    loss=loss,
    draw=draw,
    words="mean squares of the residual and of the start",
    iterations=ITERATIONS,
    decay_every=DECAY,
)


if __name__ == "__main__":
    operators.main(OPERATOR)
