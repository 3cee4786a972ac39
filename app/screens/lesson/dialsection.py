"""The dials: step size on a valley, and the length of numbers; both answer at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lsr_app.plots.base import Picture, enlarged
from lsr_app.screens.lesson import dialfigures
from lsr_app.screens.lesson import lessontexts as words
from lsr_app.shell import show, state
from lsr_app.words import formats

if TYPE_CHECKING:
    from lsr_app.screens.lesson.dials import Precision

KAPPA_STEPS = 4  # to a power of ten
KAPPAS = tuple(range(8 * KAPPA_STEPS + 1))  # of the address: 10^(k/4)
RATES = tuple(range(10, 251, 10))  # hundredths


def step_size() -> None:
    """Path, sentence and two sliders."""
    from lsr_app.screens.lesson import dials

    left, right = st.columns(2, gap="large")
    with left:
        kappa = _kappa(KAPPAS[: 3 * KAPPA_STEPS + 1])
    with right:
        rate = _slider("rate", words.RATE, RATES, lambda value: f"{value / 100:.1f}") / 100
    found = dials.bowl(kappa, rate)
    st.markdown(formats.markdown(words.bowl(formats.error(kappa), f"{rate:.1f}", found.needed, found.diverges)))
    _draw("lesson_bowl", dialfigures.bowl(found))


def precision() -> None:
    """Curve, sentence and two sliders."""
    from lsr_app.screens.lesson import dials

    left, right = st.columns(2, gap="large")
    with left:
        kappa = _kappa(KAPPAS)
    with right:
        bits = _slider("bits", words.BITS, dials.BITS, str)
    found, place = _precision(kappa), dials.BITS.index(bits)
    epsilon, error = float(found.epsilon[place]), float(found.errors[place])
    st.markdown(formats.markdown(words.precision(bits, epsilon, kappa, error)))
    _draw("lesson_precision", dialfigures.precision(found, place))


@st.cache_resource(max_entries=len(KAPPAS), show_spinner=False)
def _precision(kappa: float) -> Precision:
    from lsr_app.screens.lesson import dials

    return dials.precision(kappa)


def _kappa(steps: tuple[int, ...]) -> float:
    chosen = _slider("kappa", words.KAPPA, steps, lambda step: formats.error(10 ** (step / KAPPA_STEPS)))
    return float(10 ** (chosen / KAPPA_STEPS))


def _slider(key: str, label: str, values: tuple[int, ...], shown: object) -> int:
    """A slider that lives in the address; what the address asks for is moved to the nearest that there is."""
    wanted = int(state.get(key))
    state.seed(key, min(values, key=lambda value: abs(value - wanted)))
    return int(st.select_slider(label, values, format_func=shown, **state.bound(key)))  # type: ignore[call-overload]


def _draw(key: str, picture: Picture) -> None:
    show.figure(key, enlarged(picture) if state.get("present") else picture)
