"""`neuraloperator-fno`: the Fourier neural operator as the library neuraloperator builds it (Kossaifi et al. 2024, arXiv 2412.10354).

Against `fno-1d` and `fno-2d` it lifts by two layers, has a channel network with soft gates in every block, biases the spectral
convolutions, and keeps frequencies around zero along every axis but the last. Tensors have the library's own names; complex
weights are stored as pairs of real ones.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from lsr_core.networks.activations import ACTIVATIONS, ActivationName
from lsr_core.networks.architectures import Arguments, Width, register
from lsr_core.networks.starts import normal, unit_grid

Axes = Annotated[list[Width], Field(min_length=1, max_length=2)]


class NeuralOperatorFNOArguments(Arguments):
    """Arguments of `neuraloperator-fno`.

    Attributes:
        grid: points by axis, one or two axes.
        modes: frequencies stored by axis; of the last axis only those that are not negative.
        inputs, outputs: channels of both functions.
        width, depth: channels and blocks inside.
        lifting, projection, channel_mlp: hidden widths; a channel network of 0 is none.
        coordinates: whether those of the points, over [0, 1), are channels as well.
    """

    grid: Axes
    modes: Axes
    inputs: Width = 1
    outputs: Width = 1
    width: Width
    depth: Width
    lifting: Width
    projection: Width
    channel_mlp: int = Field(0, ge=0)
    coordinates: bool = True
    activation: ActivationName = "gelu"

    @model_validator(mode="after")
    def _resolved(self) -> NeuralOperatorFNOArguments:
        if len(self.grid) != len(self.modes):
            raise ValueError(f"the grid has {len(self.grid)} axes, the modes have {len(self.modes)}")
        room = [*self.grid[:-1], self.grid[-1] // 2 + 1]
        for size, modes, most in zip(self.grid, self.modes, room, strict=True):
            if modes > most:
                raise ValueError(f"{size} grid points have room for {most} frequencies; {modes} were asked for")
        return self

    def parameter_count(self) -> int:
        lifted = self.inputs + (len(self.grid) if self.coordinates else 0)
        ends = _two(lifted, self.lifting, self.width) + _two(self.width, self.projection, self.outputs)
        block = 2 * self.width**2 * math.prod(self.modes) + self.width + self.width**2
        if self.channel_mlp:
            block += _two(self.width, self.channel_mlp, self.width) + self.width
        return ends + self.depth * block


def _two(fan_in: int, hidden: int, fan_out: int) -> int:
    return (fan_in + 1) * hidden + (hidden + 1) * fan_out


class _Pointwise(nn.Module):
    """Layers that treat every point alike, channels (n, c, points), an activation between them."""

    def __init__(self, widths: tuple[int, int, int], activation: ActivationName) -> None:
        super().__init__()
        first, hidden, last = widths
        self.fcs = nn.ModuleList([nn.Conv1d(first, hidden, 1), nn.Conv1d(hidden, last, 1)])
        self.activation = ACTIVATIONS[activation].function

    def forward(self, channels: Tensor) -> Tensor:
        output: Tensor = self.fcs[1](self.activation(self.fcs[0](channels)))
        return output


class _Spectral(nn.Module):
    """Channels (n, c, …grid) multiplied by complex matrices, frequency by frequency."""

    def __init__(self, width: int, modes: list[int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(width, width, *modes, 2, scale=1 / width))
        self.bias = nn.Parameter(torch.zeros(width, *[1] * len(modes)))
        self.modes = modes

    def forward(self, channels: Tensor) -> Tensor:
        size = channels.shape[2:]
        axes = list(range(-len(size), 0))
        spectrum = torch.fft.rfftn(channels, dim=axes, norm="forward")
        spectrum = torch.fft.fftshift(spectrum, dim=axes[:-1]) if len(axes) > 1 else spectrum
        start = size[0] // 2 - self.modes[0] // 2
        kept = spectrum[..., : self.modes[-1]]
        if len(axes) > 1:
            kept = kept[:, :, start : start + self.modes[0]]
        product = torch.einsum("ni...,io...->no...", kept, torch.complex(self.weight[..., 0], self.weight[..., 1]))
        above = product.new_zeros(*product.shape[:-1], size[-1] // 2 + 1 - self.modes[-1])
        product = torch.cat([product, above], dim=-1)
        if len(axes) > 1:
            rest = size[0] - start - self.modes[0]
            sides = [product.new_zeros(*product.shape[:2], count, product.shape[-1]) for count in (start, rest)]
            product = torch.fft.fftshift(torch.cat([sides[0], product, sides[1]], dim=2), dim=axes[:-1])
        return torch.fft.irfftn(product, s=size, dim=axes, norm="forward") + self.bias


class _Skip(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 1, bias=False)


class _Gate(nn.Module):
    def __init__(self, width: int, axes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, width, *[1] * axes))


class _Blocks(nn.Module):
    def __init__(self, arguments: NeuralOperatorFNOArguments) -> None:
        super().__init__()
        width, depth = arguments.width, range(arguments.depth)
        self.convs = nn.ModuleList(_Spectral(width, arguments.modes) for _ in depth)
        self.fno_skips = nn.ModuleList(_Skip(width) for _ in depth)
        if arguments.channel_mlp:
            widths = (width, arguments.channel_mlp, width)
            self.channel_mlp = nn.ModuleList(_Pointwise(widths, arguments.activation) for _ in depth)
            self.channel_mlp_skips = nn.ModuleList(_Gate(width, len(arguments.grid)) for _ in depth)


class NeuralOperatorFNO(nn.Module):
    """Functions (n, inputs · points), channel by channel in row-major order, to functions (n, outputs · points)."""

    positions: Tensor

    def __init__(self, arguments: NeuralOperatorFNOArguments) -> None:
        super().__init__()
        self.arguments = arguments
        lifted = arguments.inputs + (len(arguments.grid) if arguments.coordinates else 0)
        self.lifting = _Pointwise((lifted, arguments.lifting, arguments.width), arguments.activation)
        self.fno_blocks = _Blocks(arguments)
        self.projection = _Pointwise((arguments.width, arguments.projection, arguments.outputs), arguments.activation)
        self.activation = ACTIVATIONS[arguments.activation].function
        self.register_buffer("positions", unit_grid(arguments.grid).movedim(-1, 0).flatten(1))

    def forward(self, inputs: Tensor) -> Tensor:
        count, grid, blocks = len(inputs), self.arguments.grid, self.fno_blocks
        hidden = inputs.reshape(count, self.arguments.inputs, -1)
        if self.arguments.coordinates:
            hidden = torch.cat([hidden, self.positions.expand(count, *self.positions.shape)], dim=1)
        hidden = self.lifting(hidden)
        for index in range(self.arguments.depth):
            last = index + 1 == self.arguments.depth
            before = hidden
            spectral = blocks.convs[index](hidden.reshape(count, -1, *grid)).flatten(2)
            skip = blocks.fno_skips[index]
            assert isinstance(skip, _Skip)
            hidden = spectral + skip.conv(before)
            hidden = hidden if last else self.activation(hidden)
            if self.arguments.channel_mlp:
                gate = blocks.channel_mlp_skips[index]
                assert isinstance(gate, _Gate)
                hidden = blocks.channel_mlp[index](hidden) + gate.weight.flatten(2) * before
                hidden = hidden if last else self.activation(hidden)
        output: Tensor = self.projection(hidden)
        return output.flatten(1)


@register("neuraloperator-fno", NeuralOperatorFNOArguments)
def _neuraloperator_fno(arguments: NeuralOperatorFNOArguments) -> nn.Module:
    return NeuralOperatorFNO(arguments)
