"""Words of the parts about functions and classes."""

from __future__ import annotations

SOURCE, SOLUTION = "u", "s"
INPUT, OUTPUT = "input", "output"
SENSOR, OUTPUT_PLACE = "value number", "output number"
TITLE = "Function by function"
LEAD = "Each function has a relative L2 error of its own: the norm of the difference from the truth over the norm of the truth."
PICK = "Function"
PICK_HELP = "Sorted by the error after refinement, the largest first."
NO_FIELDS = "This run keeps errors only. A new batch also keeps what each function looks like."
PANELS = {
    "given": "Input function",
    "values": "Solution",
    "truth": "Truth",
    "network": "Network",
    "refined": "Refined predictor",
    "network_error": "Size of the network's error",
    "refined_error": "Size of the refined predictor's error",
    "errors": "Size of the errors",
}
CLASSES_TITLE = "Class by class"
CLASSES_LEAD = "Each sample is given the class with the largest probability. Below, what refinement changes about that."
CONFUSION = {"base": "Network", "refined": "Refined predictor"}
CHANGED_COLUMNS = ("Sample", "Right class", "Network", "Refined predictor", "")
CHANGED_CSV = ("sample", "right_class", "network", "refined")
RIGHT_NOW, WRONG_NOW, STILL_WRONG = "put right", "spoilt", "still wrong"
NO_CLASSES = "This run has no test samples, so there is no confusion of classes to show."
DRAW_TITLE = "Another input function"
DRAW_LEAD = "The network was trained for many input functions. Choose one that it has not seen, and refine the network for it by the equation alone."
WAY = "Where it comes from"
WAYS = {"drawn": "Random, by number", "points": "Through points of yours"}
WAY_HELP = "Random functions come from the Gaussian process of the training; yours is a smooth curve through the values that you give."
CASE, CASE_HELP = (
    "Number",
    "Each number is another function of the same random process; none of them was used in training.",
)
POINTS_HELP = "Values of the input function at equal distances; the curve between them is a cubic spline."
POINT_COLUMNS = ("x", "u(x)")
START_ONE = "Refine for this function"
BATCH_TITLE = "Many input functions"
BATCH_LEAD = (
    "Refines one unseen function after another in a subspace that all share; the result is a distribution of errors."
)
COUNT = "Functions"
COUNT_HELP = "How many unseen functions are refined. What they share is computed once."
BATCH_RANK = "Maximum rank"
BATCH_RANK_HELP = "Directions of the shared subspace; the rank used is chosen by the residual of a few other functions."
START_BATCH = "Refine many functions"


def picked(place: int, number: int, error: str) -> str:
    """A line of the list of functions."""
    return f"{place}. function {number}, error {error}"


def batch_caption(done: int, asked: int, rank: int, shared: str, each: str) -> str:
    return f"{done:,} of {asked:,} functions at rank {rank:,}; {shared} shared by all, then {each} each."


def changed_caption(right: int, spoilt: int, shown: int, total: int) -> str:
    more = "" if shown == total else f"; {shown} of them listed"
    said = "1 sample changes class" if total == 1 else f"{total} samples change class"
    return f"{said}{more}: {right} put right, {spoilt} spoilt"


def one_title(title: str, what: str) -> str:
    return f"{title}: {what}"


def drawn_name(case: int) -> str:
    return f"function {case}"


OWN_NAME = "function of yours"
