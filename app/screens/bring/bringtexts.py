"""Words of the page "Bring your own", but for its equations."""

from __future__ import annotations

from lsr_core.intake.arrays import MAX_BYTES

BUNDLE = (
    "A problem bundle is a zip of `problem.json`, `model.safetensors` and `data.npz`, such as the ones that can be downloaded "
    "on this page. Nothing in it is executed."
)
CHECKING = "Checking the bundle…"
YOURS = "Yours"
KEEP = "Keep"
KEPT = "Kept"
KEEP_HELP = "A kept problem stays on this machine, and so do the runs that are started with it from now on."
DATA_LEAD = (
    "The weights of a network you trained elsewhere, and the data it should fit. Nothing is unpickled and nothing is run: "
    "tensors are read by name, numbers as plain arrays. The weights of a PINN go to An equation, which needs no data."
)
WEIGHTS_LABEL = "Weights: .pt, .ckpt, .safetensors, .mdlus, .keras, .h5, … (at most 50 MB)"
DATA_LABEL = (
    f"Data: .npz, .npy, .csv, .txt, .xlsx, .parquet, .mat, .h5, .nc, … (at most 50 MB; {MAX_BYTES >> 20} MB of numbers)"
)
WHAT_IS_IN = "What the files hold"
NETWORK_LEAD = "Guessed from names and shapes. Change what is wrong; the weights are checked against it at once."
DATA_MAP_LEAD = "Which arrays or columns the network takes, and which it should give."
FORM = "How the layers are put together"
WHICH_NETWORK = "Network"
CHOOSE_NETWORK = "The file holds several networks. Choose the one that is to be refined."
CHOOSE = "Choose at least one input and one output."
MADE = "The problem is ready. It is listed above, and can be refined like any sample."
AXES = "Axes of the outputs"
POINTS = "Points of the trunk"
REGULAR = "a regular grid over [0, 1]"
COLUMNS = "Samples stand in columns"
ANYWAY = "Make the problem although the predictions differ"
PLACED = "What became of each tensor"
BECOMES = "Becomes"
REFINE = "Refine it"
BAD_ARGUMENT = "is not a list of whole numbers, such as 2, 64, 1"

HELP = {
    "weights": (
        "A checkpoint as your training wrote it: `torch.save`, Lightning, DeepXDE, PINA, neuraloperator, PhysicsNeMo, Keras, or the zipped "
        "folder of a Hugging Face model. What lies beside the weights is left alone; wrappers such as `module.` are taken off."
    ),
    "anyway": "The refinement then starts from a network that is not the one you trained, as far as these predictions show.",
    "form": "Weights do not say it. The form that gives the predictions is filled in; without predictions, the one that the names speak for.",
    "points": "An array of points by coordinates, in the order of the outputs. Without one the points are a regular grid over [0, 1].",
    "which": "Keys of the dictionary in the file, each with a state dict of its own.",
    "inputs": "In the order in which the network takes them. `u[2]` is the third column of u.",
    "outputs": "Where an output is an array over axes, as in MATLAB's u(x, t), choose the vectors x and t as inputs, in the network's order.",
    "predictions": "Outputs of the network you saved, for the first rows of the inputs. They decide which activation is right.",
    "axes": "Two axes have the same length, so which is which cannot be seen from the file.",
    "columns": "Each column of the tables is a sample and each row a quantity.",
    "units": "By column, separated by commas; for axes and tables.",
    "validation": "Share of the rows by which the rank is chosen; 0 = none, for few rows that are to be smoothed.",
    "test": "Share of the rows that is reported and never used to choose; 0 = none.",
    "seed": "Of the random draw of rows.",
    "drop": "Leave out rows with NaN or infinite values instead of refusing them.",
    "kind": "Errors of an operator are reported function by function.",
    "given": "Arrays of their own for validation and test, if the file has them.",
}  # fmt: skip


def takes(size: str) -> str:
    return f"Mapping these arrays takes about {size} of memory."


def too_large(size: str, free: str) -> str:
    return f"Mapping these arrays would take about {size} of memory; {free} is free. Choose fewer columns or save fewer rows."


def counts(rows: int, parameters: int) -> str:
    return f"{rows:,} tensors, {parameters:,} numbers"


def bundle_label(megabytes: int) -> str:
    return f"A bundle, packed as a zip of at most {megabytes} MB"


def cannot_keep(reason: str) -> str:
    """The disk refused."""
    return f"The file could not be kept on the server: {reason or 'no reason was given'}. Nothing of it is left."


WAYS = {
    "files": "Weights and data",
    "bundle": "A finished bundle",
    "equation": "An equation",
}  # on the page "Bring your own"
