"""Layers as arrays without PyTorch's names or its way of storing them: W (inputs, outputs), biases as rows or columns, lists of both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor

TURNED = "matrices stored (inputs, outputs)"
_WEIGHTS, _BIASES = {"w", "weight", "weights", "kernel", "kernels"}, {"b", "bias", "biases"}
Layers = tuple[dict[str, Tensor], dict[str, list[str]]]


def readings(tensors: Mapping[str, Tensor]) -> dict[bool, Layers]:
    """The layers in the order of the file, each of which takes what the one before it gives: by whether their matrices are turned.

    Returns:
        Each a chain as PyTorch names it, and which foreign tensor each of its own is; empty where the shapes fit neither way.
    """
    found: dict[bool, Layers] = {}
    for turned in (False, True):
        for weights, biases in _pairings(tensors):
            if _follow(tensors, weights, biases, turned):
                found[turned] = _named(tensors, weights, biases, turned)
                break
    return found


def is_bias(name: str) -> bool:
    """Whether a tensor is called so."""
    return bool(_words(name) & _BIASES) and not _words(name) & _WEIGHTS


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", name.lower()))


def _pairings(tensors: Mapping[str, Tensor]) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Which tensors may be the matrices and which their biases: by their names, else by their places in the file."""
    names = list(tensors)
    weights = [name for name in names if _words(name) & _WEIGHTS and not _words(name) & _BIASES]
    biases = [name for name in names if is_bias(name)]
    if len(weights) + len(biases) == len(names) and weights:
        yield weights, biases
        return
    half = len(names) // 2
    if len(names) == 2 * half:
        yield names[::2], names[1::2]
        yield names[:half], names[half:]
    yield names, []


def _follow(tensors: Mapping[str, Tensor], weights: Sequence[str], biases: Sequence[str], turned: bool) -> bool:
    if len(biases) not in (0, len(weights)) or any(tensors[name].ndim != 2 for name in weights):
        return False
    shapes = [tuple(tensors[name].shape) for name in weights]
    sizes = [shape if turned else shape[::-1] for shape in shapes]  # inputs, outputs
    given = [width for _, width in sizes]
    return (
        0 not in [size for pair in sizes for size in pair]
        and all(before == after for before, (after, _) in zip(given, sizes[1:], strict=False))
        and all(_is_row(tensors[name], width) for name, width in zip(biases, given, strict=False))
    )


def _is_row(bias: Tensor, width: int) -> bool:
    return tuple(bias.shape) in ((width,), (1, width), (width, 1))


def _named(tensors: Mapping[str, Tensor], weights: Sequence[str], biases: Sequence[str], turned: bool) -> Layers:
    made: dict[str, Tensor] = {}
    of: dict[str, list[str]] = {}
    for place, name in enumerate(weights):
        made[f"{place}.weight"] = tensors[name].T.contiguous() if turned else tensors[name]
        of[f"{place}.weight"] = [name]
        if biases:
            made[f"{place}.bias"] = tensors[biases[place]].reshape(-1)
            of[f"{place}.bias"] = [biases[place]]
    return made, of
