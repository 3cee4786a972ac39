"""Which frequencies an error on a grid is made of.

A transform is chosen for each axis by the behaviour of the field at its ends: sines where it vanishes there (DST-I), complex exponentials
where it is periodic (FFT), cosines where nothing is known (DCT-I). All are orthonormal for the mean square by the trapezoid rule, so the
energies of all coefficients add up to that mean square (Parseval), and one sampled sine or cosine is one coefficient.

Frequencies are counted in half waves: index k of an axis stands for k half waves over its length (a periodic axis has the even ones only),
so that axes with different transforms share one scale. The radial frequency of a coefficient is √(k_1² + k_2² + …), and bin b of the
binned spectrum holds [b − ½, b + ½).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from lsr_core.errors import InputError

Transform = Literal["sine", "cosine", "fourier"]
Window = Literal["none", "hann"]
Floats = NDArray[np.float64]
BAND_NAMES = ("low", "middle", "high")
BAND_EDGES = (8.5, 32.5)  # half waves: low up to 8, middle 9 to 32, high beyond
REASONS: Mapping[Transform, str] = {
    "sine": "the error vanishes at both ends",
    "cosine": "the error is free at the ends",
    "fourier": "the error is periodic",
}


@dataclass(frozen=True)
class Axis:
    """One direction of a grid of equally spaced points, end points included.

    Attributes:
        name: of the variable.
        transform: suited to the ends.
        window: hann fades the field out towards the ends of a cosine axis before it is transformed; what it takes away is missing from the
            energies, so without it is the default.
    """

    name: str
    transform: Transform
    window: Window = "none"

    @property
    def sentence(self) -> str:
        """The transform and why, for readers."""
        faded = ", faded out by a Hann window" if self.window == "hann" else ""
        return f"{self.transform} along {self.name}: {REASONS[self.transform]}{faded}"


@dataclass(frozen=True)
class ErrorSpectrum:
    """Energies by radial frequency.

    Attributes:
        frequencies: centres of the bins (b,), in half waves over an axis: 0, 1, 2, …
        energies: (b,), mean squares; their sum is `total`.
        total: mean square of the field that was transformed.
        bands: energy of the low, middle and high band.
        edges: where bands meet, in half waves.
        axes: how each axis was transformed.
    """

    frequencies: Floats
    energies: Floats
    total: float
    bands: dict[str, float]
    edges: tuple[float, float]
    axes: tuple[Axis, ...]

    @property
    def sentence(self) -> str:
        """Which transforms were taken, for readers."""
        return "; ".join(axis.sentence for axis in self.axes)


def error_spectrum(error: Floats, axes: Sequence[Axis], edges: tuple[float, float] = BAND_EDGES) -> ErrorSpectrum:
    """The spectrum of an error (n_1, n_2, …) on a grid with end points, one axis each.

    The end points of a sine axis, where the field is zero, are left out, as is the last point of a periodic axis, which repeats the first; at
    the ends of a cosine axis the trapezoid rule counts half. `total` is the mean square of what is transformed.

    Raises:
        InputError: not as many axes as dimensions, too few points, or values that are not finite.
    """
    values = np.asarray(error, dtype=np.float64)
    _check(values, axes, edges)
    intervals = int(np.prod([n - 1 for n in values.shape]))
    for position, axis in enumerate(axes):
        values = _weighted(values, position, axis)
    total = float(np.sum(values**2)) / intervals
    energy = _energies(values, axes) / intervals
    radius = np.sqrt(
        sum(
            _along(_half_waves(n, axis.transform) ** 2, position, values.ndim)
            for position, (n, axis) in enumerate(zip(values.shape, axes, strict=True))
        )
    )
    bins = np.floor(radius + 0.5).astype(np.int64)
    energies: Floats = np.bincount(bins.ravel(), weights=energy.ravel()).astype(np.float64)
    frequencies = np.arange(len(energies), dtype=np.float64)
    return ErrorSpectrum(frequencies, energies, total, bands_of(frequencies, energies, edges), edges, tuple(axes))


def bands_of(frequencies: Floats, energies: Floats, edges: tuple[float, float] = BAND_EDGES) -> dict[str, float]:
    """Energies below, between and beyond two frequencies; a bin belongs to the band that its centre is in."""
    limits = (-np.inf, *edges, np.inf)
    return {
        name: float(energies[(frequencies > low) & (frequencies <= high)].sum())
        for name, (low, high) in zip(BAND_NAMES, pairwise(limits), strict=True)
    }


def axes_for(
    domain: Mapping[str, tuple[float, float]], periods: Mapping[str, float], zero: Sequence[str]
) -> list[Axis]:
    """A transform for each variable of an equation: periodic ones by Fourier, those that vanish at both ends by sines, others by cosines.

    Args:
        periods: periods by variable; only one that is the whole length of the domain counts.
        zero: variables at both of whose ends the error is zero.
    """
    found = []
    for name, (low, high) in domain.items():
        whole = name in periods and np.isclose(periods[name], high - low)
        found.append(Axis(name, "fourier" if whole else "sine" if name in zero else "cosine"))
    return found


def zero_ends(error: Floats, names: Sequence[str], tolerance: float = 1e-6) -> list[str]:
    """The axes at both of whose ends an error vanishes, to a share of its largest value."""
    limit = tolerance * float(np.abs(error).max(initial=0.0))
    return [
        name
        for position, name in enumerate(names)
        if float(np.abs(np.take(error, [0, -1], axis=position)).max()) <= limit
    ]


def _check(values: Floats, axes: Sequence[Axis], edges: tuple[float, float]) -> None:
    if values.ndim != len(axes):
        raise InputError(
            f"the error has {values.ndim} dimensions and there are {len(axes)} axes; give one for each", key="axes"
        )
    for n, axis in zip(values.shape, axes, strict=True):
        if n < 4:
            raise InputError(f"{n} points along {axis.name!r}; a spectrum needs at least 4", key="error")
        if axis.window != "none" and axis.transform != "cosine":
            raise InputError(f"a window is of use for cosines only, not for {axis.transform}", key=axis.name)
    if bad := int((~np.isfinite(values)).sum()):
        raise InputError(
            f"{bad} of {values.size} values are NaN or infinite; there is no spectrum of them", key="error"
        )
    if not edges[0] < edges[1]:
        raise InputError(f"band edges must increase, got {edges}", key="edges")


def _weighted(values: Floats, position: int, axis: Axis) -> Floats:
    """The values that an axis' transform takes, times the square roots of the trapezoid rule's weights."""
    n = values.shape[position]
    if axis.transform == "sine":
        return np.take(values, range(1, n - 1), axis=position)
    if axis.transform == "fourier":
        return np.take(values, range(n - 1), axis=position)
    weights = np.hanning(n) if axis.window == "hann" else np.ones(n)
    weights[[0, -1]] /= np.sqrt(2)
    return values * _along(weights, position, values.ndim)


def _energies(values: Floats, axes: Sequence[Axis]) -> Floats:
    """|coefficients|² of orthonormal transforms."""
    found: Any = values
    for position, axis in enumerate(axes):
        if axis.transform == "sine":
            found = scipy.fft.dst(found, type=1, axis=position, norm="ortho")
        elif axis.transform == "cosine":
            found = scipy.fft.dct(found, type=1, axis=position, norm="ortho")
        else:
            found = scipy.fft.fft(found, axis=position, norm="ortho")
    energy: Floats = np.abs(found) ** 2
    return energy


def _half_waves(n: int, transform: Transform) -> Floats:
    """Half waves over the axis of each coefficient."""
    if transform == "sine":
        return np.arange(1, n + 1, dtype=np.float64)
    if transform == "cosine":
        return np.arange(n, dtype=np.float64)
    return 2 * np.abs(scipy.fft.fftfreq(n, 1 / n))


def _along(values: Floats, position: int, dimensions: int) -> Floats:
    """A vector as an array that varies along one axis."""
    shape = [1] * dimensions
    shape[position] = len(values)
    return values.reshape(shape)
