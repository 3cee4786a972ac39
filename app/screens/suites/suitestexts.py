"""The words of this page."""

from __future__ import annotations

CHOOSE = "Suite"
TITLES = {"pinnacle": "PINNacle", "systems": "Systems in time"}  # of suites whose name says too little
COLUMNS = ("Equation", "Error", "Published", "Times better", "Reference", "Seconds", "Memory", "State", "Made")
DATA_COLUMNS = (
    "equation",
    "relative_l2",
    "published",
    "reference_error",
    "seconds",
    "peak_rss_bytes",
    "status",
    "made",
    "version",
)
CAPTION = "Relative L2 error of all outputs together"
NOT_RUN = "not run"
SHIPPED = "as shipped"
EXACT = "formula"
UNCERTIFIED = "not certified"
YARDSTICK = (
    "Published figures come from other networks, points and hardware: a yardstick, no comparison. "
    "No error below that of the reference is shown by it."
)


def title(suite: str) -> str:
    """Of a suite, by its name."""
    return TITLES.get(suite, suite.capitalize())


def command(suite: str, name: str) -> str:
    """What fills a row."""
    return f"lsr suite {suite} --only {name}"


def begin(suite: str, missing: int, first: str) -> str:
    """How rows are filled that were not made here; `missing` is negative where none was."""
    some = "No equation of this suite was run here yet" if missing < 0 else f"{missing} of them were not run here"
    return f"{some}. `lsr suite {suite}` runs all of them, `{command(suite, first)}` one, in at most ten minutes each."


def ran(count: int, shipped: int, below: int, tenfold: int, *, compared: bool) -> str:
    """How many there are, and how many beat what is published, where anything is."""
    here = count - shipped
    parts = [f"{here} run here"] if here else []
    parts += [f"{shipped} run before this version was shipped"] if shipped else []
    some = " and ".join(parts)
    if not compared:
        return f"{some}."
    return (
        f"{some}; {below} of them solved with an error below the best published one, {tenfold} ten times below or more."
    )
