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
NOT_RUN = "not run here"
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
    """How rows are filled that are not there."""
    some = "No equation of this suite was solved here yet" if missing < 0 else f"{missing} of them were not solved here"
    return (
        f"{some}. `lsr suite {suite}` solves all of them, `{command(suite, first)}` one, in at most ten minutes each."
    )


def solved(count: int, compared: int, below: int, tenfold: int) -> str:
    """How many beat what is published, where anything is."""
    if not compared:
        return f"{count} solved here."
    return f"{count} solved here; {below} of them below the best published error, {tenfold} ten times below or more."
