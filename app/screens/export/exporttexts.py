"""The words of the page Export, and the code it shows."""

from __future__ import annotations

EXPORT_PREDICTOR = (
    "One safetensors file with the network, the step Δθ and a JSON description; needs this package and nothing else."
)
EXPORT_RECORD = "Settings, environment, timings, headline figures, the sweep at every rank and the singular values."
EXPORT_STOPPED = "The process that makes it stopped without a word."
EXPORT_OTHERS = (
    "The refined predictor in a form of its own, plain weights, or the run as one page. Each file is made on request."
)
EXPORT_FORMS = {
    "pt2": ("PyTorch program", "A torch.export program for any number of points; needs torch only."),
    "onnx": ("ONNX", "For any number of points; needs onnxruntime only."),
    "python": ("Python module", "Every operation written out, with the weights beside it, in a zip; needs torch only."),
    "weights": (
        "Aligned weights",
        "A plain state dict: the network fitted to the refined field. It keeps only part of the gain; the file says how much. Up to two minutes.",
    ),
    "report": ("Report", "Numbers, figures, verdict and settings in one HTML file that opens without a network."),
}
EXPORT_MAKING = "Making the file and reading it again. You may leave this page; it stays ready here."
REBUILDING = "Rebuilding the step. You may leave this page; the file stays ready here."


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


def code_predictor(file: str, dimension: int) -> str:
    point = ", ".join(["0.5"] * min(dimension, 4)) + (", …" if dimension > 4 else "")
    return (
        "import torch\nfrom lsr_core import load_predictor\n\n"
        f'predictor = load_predictor("{file}")\n'
        f"print(predictor(torch.tensor([[{point}]], dtype=torch.float64)))"
    )


def code_form(format: str, file: str, dimension: int) -> str:
    """How a file that needs nothing of this package is used; empty for a report."""
    point = ", ".join(["0.5"] * min(dimension, 4)) + (", …" if dimension > 4 else "")
    tensor = f"torch.tensor([[{point}]], dtype=torch.float64)"
    codes = {
        "pt2": f'import torch\n\npredictor = torch.export.load("{file}").module()\nprint(predictor({tensor}))',
        "onnx": (
            "import numpy as np\nimport onnxruntime\n\n"
            f'session = onnxruntime.InferenceSession("{file}")\n'
            f'print(session.run(None, {{"inputs": np.array([[{point}]], dtype=np.float64)}})[0])'
        ),
        "python": (
            f'import sys\nimport torch\n\nsys.path.insert(0, "{file}")  # or the folder it was unpacked to\n'
            f"from predictor import load\n\nprint(load()({tensor}))"
        ),
        "weights": f'from safetensors.torch import load_file\n\nmodel.load_state_dict(load_file("{file}"))',
    }
    return codes.get(format, "")


def code_predictions(file: str) -> str:
    return f'import pandas as pd\n\ntable = pd.read_csv("{file}")\nprint(table.describe())'


def code_record(file: str) -> str:
    return (
        "import json\nfrom pathlib import Path\n\n"
        f'run = json.loads(Path("{file}").read_text(encoding="utf-8"))\n'
        'print(run["summary"]["rank"], run["summary"]["refined"])'
    )


def code_commands(run_id: str) -> str:
    return (
        f"lsr export {run_id} --format predictor --out predictor.safetensors\n"
        f"lsr export {run_id} --format csv --out predictions.csv\n"
        f"lsr export {run_id} --format json --out run.json\n"
        f"lsr export {run_id} --format pt2 --out predictor.pt2\n"
        f"lsr export {run_id} --format onnx --out predictor.onnx\n"
        f"lsr export {run_id} --format python --out predictor.zip\n"
        f"lsr export {run_id} --format weights --out weights.safetensors\n"
        f"lsr export {run_id} --format report --out report.html"
    )


def making(sentence: str, before: int) -> str:
    """What is said while a file is made, or waits for its turn."""
    return f"Waits for its turn: {before} before it. You may leave this page." if before else sentence
