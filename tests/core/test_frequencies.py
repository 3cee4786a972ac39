"""Error spectra: Parseval, one frequency in one bin, bands, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsr_core.diagnosis.frequencies import Axis, axes_for, error_spectrum, zero_ends
from lsr_core.errors import InputError

TRANSFORMS = ("sine", "cosine", "fourier")


def trapezoid_mean_square(values: np.ndarray) -> float:
    total = values**2
    for axis in range(values.ndim):
        total = np.trapezoid(total, dx=1 / (values.shape[axis] - 1), axis=0)
    return float(total)


def fits(values: np.ndarray, transforms: tuple[str, ...]) -> np.ndarray:
    """The same noise with the ends that each transform expects."""
    for axis, transform in enumerate(transforms):
        moved = np.moveaxis(values, axis, 0)
        if transform == "sine":
            moved[[0, -1]] = 0
        elif transform == "fourier":
            moved[-1] = moved[0]
    return values


@given(
    st.tuples(st.sampled_from(TRANSFORMS), st.sampled_from(TRANSFORMS)),
    st.tuples(st.integers(4, 33), st.integers(4, 33)),
    st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_parseval(transforms: tuple[str, str], shape: tuple[int, int], seed: int) -> None:
    values = np.empty((shape[0], shape[1]))
    values[:] = np.random.default_rng(seed).standard_normal(shape)
    values = fits(values, transforms)
    # Axes are filled one after the other, so a corner of the first must be put right again.
    values = fits(values, transforms)
    spectrum = error_spectrum(values, [Axis("x", transforms[0]), Axis("t", transforms[1])])  # type: ignore[arg-type]
    expected = trapezoid_mean_square(values)
    assert abs(spectrum.energies.sum() - expected) <= 1e-10 * expected
    assert abs(spectrum.total - expected) <= 1e-10 * expected
    assert abs(sum(spectrum.bands.values()) - expected) <= 1e-10 * expected


@pytest.mark.parametrize("first", TRANSFORMS)
@pytest.mark.parametrize("second", TRANSFORMS)
def test_one_frequency_is_one_bin(first: str, second: str) -> None:
    def wave(transform: str, half_waves: int, n: int) -> np.ndarray:
        angle = np.pi * half_waves * np.linspace(0, 1, n)
        return np.sin(angle) if transform == "sine" else np.cos(angle)

    values = np.outer(wave(first, 6, 65), wave(second, 8, 41))
    spectrum = error_spectrum(values, [Axis("x", first), Axis("t", second)])  # type: ignore[arg-type]
    assert spectrum.energies[10] == pytest.approx(0.25, rel=1e-12)  # √(6² + 8²)
    assert np.delete(spectrum.energies, 10).sum() <= 1e-25
    assert spectrum.bands["middle"] == pytest.approx(0.25)


def test_a_phase_does_not_move_energy_of_a_periodic_axis() -> None:
    x = np.linspace(0, 2 * np.pi, 129)
    first, second = (error_spectrum(np.sin(3 * x + phase), [Axis("x", "fourier")]) for phase in (0.0, 1.1))
    np.testing.assert_allclose(first.energies, second.energies, atol=1e-15)
    assert first.energies.argmax() == 6  # three waves are six half waves


def test_a_window_takes_the_jump_out_of_a_cosine_axis() -> None:
    x = np.linspace(0, 1, 257)
    rough = error_spectrum(np.exp(x) * np.sin(40 * x), [Axis("x", "cosine")])
    faded = error_spectrum(np.exp(x) * np.sin(40 * x), [Axis("x", "cosine", "hann")])
    assert faded.bands["high"] < 1e-4 * rough.bands["high"]
    assert "Hann" in faded.sentence


def test_transforms_follow_the_boundary() -> None:
    x, t = np.linspace(-1, 1, 33), np.linspace(0, 1, 17)
    error = np.outer(np.sin(np.pi * x), t)
    assert zero_ends(error, ["x", "t"]) == ["x"]
    domain = {"x": (-1.0, 1.0), "t": (0.0, 1.0)}
    assert [axis.transform for axis in axes_for(domain, {}, ["x"])] == ["sine", "cosine"]
    assert [axis.transform for axis in axes_for(domain, {"x": 2.0}, ["x"])] == ["fourier", "cosine"]
    assert [axis.transform for axis in axes_for(domain, {"x": 4.0}, [])] == ["cosine", "cosine"]


@pytest.mark.parametrize(
    ("values", "axes", "message"),
    [
        (np.zeros((8, 8)), [Axis("x", "sine")], "one for each"),
        (np.zeros((8, 3)), [Axis("x", "sine"), Axis("t", "cosine")], "at least 4"),
        (np.array([0.0, np.nan, 1.0, np.inf]), [Axis("x", "cosine")], "2 of 4 values"),
        (np.zeros(8), [Axis("x", "sine", "hann")], "cosines only"),
    ],
)
def test_bad_input(values: np.ndarray, axes: list[Axis], message: str) -> None:
    with pytest.raises(InputError, match=message):
        error_spectrum(values, axes)
