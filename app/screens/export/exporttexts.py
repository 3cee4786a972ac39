"""The words of the page Export, and the code it shows."""

from __future__ import annotations

from lsr_app.words import formats
from lsr_core.portable import forms
from lsr_core.portable.form import Form

EXPORT_RECORD = "Settings, environment, timings, headline figures, the sweep at every rank and the singular values."
EXPORT_STOPPED = "The process that makes it stopped without a word."
EXPORT_OTHERS = (
    "The refined predictor in a form of its own, plain weights, or the run as one page. Each file is made on request."
)
REPORT = Form(
    "report",
    "Report",
    "Numbers, figures, verdict and settings in one HTML file that opens without a network.",
    "-report.html",
)
FORMS = {**forms.FORMS, "report": REPORT}
OTHERS = [name for name in FORMS if name != "predictor"]  # which has a place of its own on the page
EXPORT_MAKING = "Making the file and reading it again. You may leave this page; it stays ready here."
REBUILDING = "Rebuilding the step. You may leave this page; the file stays ready here."


def withheld(reason: str, run: str) -> str:
    """Why there are no files with the network, and the command that opens this page so that there are."""
    more = f": `lsr dashboard {run} --trust` opens this page with it." if reason.endswith("--trust") else "."
    return f"{formats.markdown(reason[0].upper() + reason[1:])}{more} Tables, figures and the report are here all the same."


def not_begun(reason: str) -> str:
    return f"The file was not begun: its folder cannot be written ({reason})."


def rebuild_note(chosen: int, seconds: str) -> str:
    return (
        f"This run holds the step Δθ at rank {chosen:,}. At another rank it is computed again from the settings and the "
        f"seed, which takes about as long as the run did ({seconds})."
    )


def export_predictions(points: int, split: str) -> str:
    where = "display grid" if split == "grid" else f"{split} data"
    return f"Inputs, truth, network and refined predictor at the {points:,} points of the {where}."


def file_stem(name: str) -> str:
    """A harmless file name from the name of a problem."""
    kept = "".join(
        character if character.isascii() and (character.isalnum() or character in "-_") else "-" for character in name
    )
    return f"lsr-{kept.strip('-')[:40] or 'run'}"


def code_form(format: str, file: str, dimension: int, std: bool, *, own: bool) -> str:
    """How a file is used in Python, and its standard deviations where it gives them; empty for a report.

    Args:
        own: the network is of no registered architecture, so that a predictor file asks for the module.
    """
    point = ", ".join(["0.5"] * min(dimension, 4)) + (", …" if dimension > 4 else "")
    usage = FORMS[format].usage(file, point, std)
    if own and format == "predictor":
        return usage.replace(f'("{file}")', f'("{file}", model=model)  # your module')
    return usage


def code_predictions(file: str) -> str:
    return f'import pandas as pd\n\ntable = pd.read_csv("{file}")\nprint(table.describe())'


def code_record(file: str) -> str:
    return (
        "import json\nfrom pathlib import Path\n\n"
        f'run = json.loads(Path("{file}").read_text(encoding="utf-8"))\n'
        'print(run["summary"]["rank"], run["summary"]["refined"])'
    )


def code_commands(run_id: str) -> str:
    files = {
        name: f"predictor{form.suffix}" if form.suffix[0] == "." else form.suffix[1:] for name, form in FORMS.items()
    }
    files |= {"csv": "predictions.csv", "json": "run.json"}
    lines = [f"lsr export {run_id} --format {name} --out {file}" for name, file in files.items()]
    return "\n".join(
        ["# add --runs FOLDER if the dashboard was started with it; a run of yours is there while it is kept", *lines]
    )


def making(sentence: str, before: int) -> str:
    """What is said while a file is made, or waits for its turn."""
    return f"Waits for its turn: {before} before it. You may leave this page." if before else sentence
