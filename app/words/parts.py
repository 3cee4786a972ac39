"""What is said and shown of a kind of problem: what its errors are called, by the part of it that they are measured on."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Parts:
    """A kind of problem, as pages show it.

    Attributes:
        train, val, test: in legends and tables.
        headline: the reported error in the headline; `{word}` is the part.
        sentence: the same inside a sentence.
        mean_square: the same as a mean square.
        chosen: why the automatic rank is what it is.
        choosing: what the automatic rank is chosen by, at the beginning of a sentence.
        choices: what the ways to choose a rank do.
        rise: what it means when the error that chooses rises.
        rows: what the loss is a mean over.
        values: what the network is fitted to, counted.
        linear: the linear model's loss in a legend.
        errors, headline_errors: words of the figures of errors against rank, see `figuretexts`.
        section: what such a problem shows besides errors: `functions`, `classes` or nothing.
        group: of samples, see `texts.GALLERY`.
        residual: it is solved by making a residual small, whose norms are shown; its solution may be unknown, and its loss is of another
            size than its errors.
    """

    train: str
    val: str
    test: str
    headline: str
    sentence: str
    mean_square: str
    chosen: str
    choosing: str
    choices: str
    rise: str
    rows: str
    values: str
    linear: str
    errors: str
    headline_errors: str
    section: str = ""
    group: str = "others"
    residual: bool = False


DATA = Parts(
    train="Training", val="Validation", test="Test", headline="{word} error (relative L2)", sentence="{word} error",
    mean_square="{word} mean square error", chosen="smallest validation error", choosing="The validation error",
    choices="Auto: the smallest validation error, or 0 where samples do not show a gain. Knee: where the gain per further direction falls off. "
    "Fixed: the slider.",
    rise="there the training samples are fitted better and others worse", rows="training rows", values="training values",
    linear="Linearised: refined predictor", errors="errors", headline_errors="headline_rank", group="data",
)  # fmt: skip
EQUATION = Parts(
    train="Loss, fitted points", val="Loss, fresh points", test="Error against reference", headline="Relative L2 error",
    sentence="relative L2 error", mean_square="Mean square error", chosen="smallest residual at fresh points",
    choosing="The residual at fresh points",
    choices="Auto: the smallest residual at fresh points. Knee: where the gain per further direction falls off. Fixed: the slider.",
    rise="the predictor meets the equation at the fitted points only", rows="residual rows", values="residuals",
    linear="Linear model of the residual", errors="errors_physics", headline_errors="errors_physics", group="equations", residual=True,
)  # fmt: skip
KINDS = {
    "supervised": DATA,
    "physics": EQUATION,
    "operator": replace(DATA, section="functions", group="others"),
    "classification": replace(DATA, section="classes", group="others"),
}


def of(kind: str) -> Parts:
    """The words of a kind of problem."""
    return KINDS.get(kind, DATA)
