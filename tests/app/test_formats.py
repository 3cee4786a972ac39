"""Numbers as people read them; foreign text made harmless."""

from __future__ import annotations

import math

import pytest

from lsr_app.words import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.7123e-3, "2.7e-3"), (4e-7, "4.0e-7"), (0.0123, "0.012"), (0.1, "0.10"), (1.0, "1"), (0, "0"), (27.4, "27"),
     (6812.0, "6,812"), (1.23e14, "1.2e14"), (None, "–"), (math.nan, "–"), (math.inf, "–")],
)  # fmt: skip
def test_errors(value: float | None, text: str) -> None:
    assert formats.error(value) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [(2.7e-3, 4e-7, "6,800× lower"), (1.0, 2.0, "2.0× higher"),
     (1.084, 1.0, "7.7 % lower"), (1.0, 1.064, "6.4 % higher"), (1.0, 0.9999, "less than 0.1 % lower"),
     (1.0, 1.0, "unchanged"), (1, 1.25e-8, "80 million× lower"),
     (1, 1e-14, "10¹⁴× lower"), (1.0, 0.0, "–"), (None, 1.0, "–"), (1.0, math.nan, "–")],
)  # fmt: skip
def test_factors(before: float, after: float, text: str) -> None:
    assert formats.factor(before, after) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1e-6, "1e-6"), (0.25, "0.25"), (1.5e-5, "1.5e-5"), (2e6, "2e6"), (0, "0"), (1 / 3, "0.333333")]
)
def test_numbers_have_the_digits_they_have(value: float, text: str) -> None:
    assert formats.plain(value) == text


@pytest.mark.parametrize("value", [1e-6, 0.1, 1 / 3, 1.2345678e-7, 12345678.9, 0.0])
def test_settings_are_shown_to_their_last_digit(value: float) -> None:
    text = formats.exactly(value)
    assert float(text) == value
    assert "e-0" not in text


def test_markdown_shows_as_written() -> None:
    assert formats.markdown("**a** <b>") == r"\*\*a\*\* \<b\>"
    assert ":material/home:" not in formats.markdown(":material/home:").replace("\\", "")


def test_plot_labels_show_as_written() -> None:
    assert formats.plot("<a href=x>y</a>") == "&lt;a href=x&gt;y&lt;/a&gt;"
    assert "%{" not in formats.plot("%{x}")


def test_csv_disarms_formulas() -> None:
    text = formats.csv_text(["=cmd()", "x"], [["@a", 1.5], ["plain", math.nan]]).decode()
    assert text.splitlines() == ["'=cmd(),x", "'@a,1.5", "plain,"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0.0 s"),
        (2e-5, "1 ms"),
        (0.032, "32 ms"),
        (0.31, "0.3 s"),
        (42, "42 s"),
        (600, "10 min"),
        (None, formats.NONE),
    ],
)
def test_durations_keep_a_digit(value: float | None, words: str) -> None:
    assert formats.seconds(value) == words


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (0.0, "just now"), (59.0, "just now"), (60.0, "1 min ago"), (100.0, "2 min ago"), (3550.0, "59 min ago"), (3580.0, "1 h ago"),
        (23.4 * 3600, "23 h ago"), (23.6 * 3600, "1 d ago"), (12.6 * 86_400, "13 d ago"),
    ],
)  # fmt: skip
def test_how_long_ago_is_rounded_as_the_table_of_runs_rounds_it(gap: float, said: str) -> None:
    assert formats.ago(1000.0, 1000.0 + gap) == said
