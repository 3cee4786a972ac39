"""`cnn-classifier`: a small convolutional network from images to logits."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator
from torch import Tensor, nn

from lsr_core.networks.activations import ACTIVATIONS, ActivationName
from lsr_core.networks.architectures import Arguments, Width, register

KERNEL, STRIDE, PADDING = 3, 2, 1


class CNNArguments(Arguments):
    """Images (channels, rows, columns); every convolution (3 × 3) halves rows and columns; two linear layers end in `classes` logits."""

    image: Annotated[list[Width], Field(min_length=3, max_length=3)]
    channels: Annotated[list[Width], Field(min_length=1, max_length=10)] = [32, 64]  # noqa: RUF012 (pydantic copies it)
    hidden: Width = 32
    classes: Annotated[int, Field(ge=2, le=100_000)] = 10
    activation: ActivationName = "relu"

    @model_validator(mode="after")
    def _large_enough(self) -> CNNArguments:
        if min(self.image[1:]) < 2 ** (len(self.channels) - 1):
            raise ValueError(f"{len(self.channels)} layers halve an image of {self.image[1]}x{self.image[2]} too often")
        return self

    @property
    def flattened(self) -> int:
        """Numbers that the last convolution gives."""
        rows, columns = self.image[1:]
        for _ in self.channels:
            rows, columns = ((size + 2 * PADDING - KERNEL) // STRIDE + 1 for size in (rows, columns))
        return self.channels[-1] * rows * columns

    def parameter_count(self) -> int:
        widths = pairwise([self.image[0], *self.channels])
        convolutions = sum((KERNEL**2 * fan_in + 1) * fan_out for fan_in, fan_out in widths)
        return convolutions + (self.flattened + 1) * self.hidden + (self.hidden + 1) * self.classes


class CNNClassifier(nn.Module):
    """Images (n, channels, rows, columns) to logits (n, classes); no activation between the two linear layers (Cao & Zhang 2026)."""

    def __init__(self, arguments: CNNArguments) -> None:
        super().__init__()
        widths = pairwise([arguments.image[0], *arguments.channels])
        self.convolutions = nn.ModuleList(nn.Conv2d(*pair, KERNEL, stride=STRIDE, padding=PADDING) for pair in widths)
        self.hidden = nn.Linear(arguments.flattened, arguments.hidden)
        self.last = nn.Linear(arguments.hidden, arguments.classes)
        self.activation = ACTIVATIONS[arguments.activation].function

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs
        for convolution in self.convolutions:
            hidden = self.activation(convolution(hidden))
        logits: Tensor = self.last(self.hidden(hidden.flatten(1)))
        return logits


@register("cnn-classifier", CNNArguments)
def _cnn_classifier(arguments: CNNArguments) -> nn.Module:
    return CNNClassifier(arguments)
