"""`fno-1d` and `fno-2d`: Fourier neural operators (Li et al. 2021) on periodic grids, with complex weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from lsr_core.networks.activations import ACTIVATIONS, ActivationName
from lsr_core.networks.architectures import Arguments, Width, register
from lsr_core.networks.starts import uniform, unit_grid

PROJECTION = 4  # width of the last hidden layer, in multiples of the channels


class _FNOArguments(Arguments):
    """Channels, layers and frequencies kept along each axis of the grid."""

    width: Width = 16
    depth: Width = 4
    activation: ActivationName = "gelu"

    @property
    def sizes(self) -> list[int]:
        """Grid points by axis."""
        raise NotImplementedError

    @property
    def kept(self) -> list[int]:
        """Frequencies kept by axis."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _resolved(self) -> _FNOArguments:
        for size, modes in zip(self.sizes, self.kept, strict=True):
            if modes > size // 2:
                raise ValueError(f"{size} grid points resolve {size // 2} frequencies; {modes} were asked for")
        return self

    def parameter_count(self) -> int:
        blocks = 2 ** (len(self.sizes) - 1)  # negative frequencies of all axes but the last
        spectral = 2 * blocks * self.width**2 * math.prod(self.kept)
        ends = (len(self.sizes) + 2) * self.width + PROJECTION * self.width * (self.width + 2) + 1
        return ends + self.depth * (spectral + (self.width + 1) * self.width)


class FNO1dArguments(_FNOArguments):
    """`fno-1d`: functions on `points` equally spaced points."""

    points: Width
    modes: Width = 12

    @property
    def sizes(self) -> list[int]:
        return [self.points]

    @property
    def kept(self) -> list[int]:
        return [self.modes]


class FNO2dArguments(_FNOArguments):
    """`fno-2d`: functions on a grid of rows and columns."""

    grid: Annotated[list[Width], Field(min_length=2, max_length=2)]
    modes: Annotated[list[Width], Field(min_length=2, max_length=2)] = [8, 8]  # noqa: RUF012 (pydantic copies it)

    @property
    def sizes(self) -> list[int]:
        return self.grid

    @property
    def kept(self) -> list[int]:
        return self.modes


class SpectralConvolution(nn.Module):
    """Channels (n, c, …grid) multiplied by complex matrices, frequency by frequency; higher frequencies are dropped.

    The weights are kept as pairs of real and imaginary parts, so that files and optimisers meet real numbers only.
    """

    def __init__(self, width: int, modes: Sequence[int]) -> None:
        super().__init__()
        self.modes = list(modes)
        shape = (2 ** (len(modes) - 1), width, width, *modes, 2)
        self.weight = nn.Parameter(uniform(*shape, scale=width**-2))

    def forward(self, channels: Tensor) -> Tensor:
        axes = list(range(2, channels.ndim))
        size = channels.shape[2:]
        weights = torch.complex(self.weight[..., 0], self.weight[..., 1])
        spectrum = torch.fft.rfftn(channels, dim=axes, norm="forward")
        low = [slice(None), slice(None), *(slice(count) for count in self.modes)]
        corners = [low]
        if len(axes) == 2:
            corners.append([slice(None), slice(None), slice(-self.modes[0], None), slice(self.modes[1])])
        product = [
            torch.einsum("ni...,io...->no...", spectrum[tuple(c)], w) for c, w in zip(corners, weights, strict=True)
        ]
        kept = product[0]
        if len(axes) == 2:
            gap = kept.new_zeros(*kept.shape[:2], size[0] - 2 * self.modes[0], self.modes[1])
            kept = torch.cat([product[0], gap, product[1]], dim=2)
        above = kept.new_zeros(*kept.shape[:-1], size[-1] // 2 + 1 - self.modes[-1])
        return torch.fft.irfftn(torch.cat([kept, above], dim=-1), s=size, dim=axes, norm="forward")


class FNO(nn.Module):
    """Functions (n, …grid) to functions on the same grid, (n, points) in row-major order.

    The value and the coordinates of a point are lifted to channels; every layer adds a spectral convolution and a pointwise map.
    """

    coordinates: Tensor

    def __init__(self, arguments: FNO1dArguments | FNO2dArguments) -> None:
        super().__init__()
        width, axes = arguments.width, len(arguments.sizes)
        self.lift = nn.Linear(axes + 1, width)
        self.spectral = nn.ModuleList(SpectralConvolution(width, arguments.kept) for _ in range(arguments.depth))
        self.pointwise = nn.ModuleList(nn.Linear(width, width) for _ in range(arguments.depth))
        self.project = nn.Linear(width, PROJECTION * width)
        self.last = nn.Linear(PROJECTION * width, 1)
        self.activation = ACTIVATIONS[arguments.activation].function
        self.register_buffer("coordinates", unit_grid(arguments.sizes))

    def forward(self, inputs: Tensor) -> Tensor:
        values = inputs.reshape(inputs.shape[0], *self.coordinates.shape[:-1], 1)
        points = self.coordinates.expand(inputs.shape[0], *self.coordinates.shape)
        hidden = self.lift(torch.cat([values, points], dim=-1))
        for index, (spectral, pointwise) in enumerate(zip(self.spectral, self.pointwise, strict=True)):
            hidden = spectral(hidden.movedim(-1, 1)).movedim(1, -1) + pointwise(hidden)
            if index + 1 < len(self.spectral):
                hidden = self.activation(hidden)
        output: Tensor = self.last(self.activation(self.project(hidden)))
        return output.flatten(1)


@register("fno-1d", FNO1dArguments)
def _fno_1d(arguments: FNO1dArguments) -> nn.Module:
    return FNO(arguments)


@register("fno-2d", FNO2dArguments)
def _fno_2d(arguments: FNO2dArguments) -> nn.Module:
    return FNO(arguments)
