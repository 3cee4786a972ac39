"""The words that several pages share; those of one part of the dashboard stand in a file of its own, such as labtexts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsr_app.words import formats

if TYPE_CHECKING:
    from lsr_core.refinement.serverlimits import ServerLimits

PRODUCT = "LSR Explorer"


def demonstration(allowed: ServerLimits) -> str:
    """On every page of a server that lets everybody in."""
    assert allowed.seconds is not None
    assert allowed.memory is not None
    return (
        f"A demonstration: a job may take {allowed.seconds:.0f} s and {allowed.memory / 2**30:g} GB, a file {allowed.upload_megabytes} MB, "
        "and what you make is yours only and goes soon after you leave."
    )


PANELS = {
    "truth": "Truth",
    "network": "Network",
    "refined": "Refined predictor",
    "network_error": "Network error",
    "refined_error": "Refined predictor error",
    "ratio": "Ratio of error sizes",
    "stepped_error": "Error of network at θ0 + Δθ",
}

TARGETS = "Targets"
NO_REFERENCE = "No solution of this equation is known, so there is no error to draw; the residual at fresh points tells how well it is solved."
FRESH_RESIDUAL = "Residual at fresh points"
FRESH_RESIDUAL_SENTENCE = "residual at fresh points"
FRESH_LOSS = "Loss at fresh points (mean square)"


STEP_KINDS = {"start": "Start", "lsr": "LSR", "align": "Alignment"}
OUTPUT_TITLE = "Errors by output"
OUTPUT_COLUMNS = ("Output", "Size (rms)", "Network", "Refined")
OUTPUT_CAPTION = "Relative L2 error of each output. The pooled error is that of the largest outputs."


def worst_output(name: str) -> str:
    """Of the output with the largest relative error."""
    return f"Worst output, {name} (relative L2)"


HELP = {
    "half_step": "A half step is an LSR solve, or the alignment of the network with the refined predictor that follows it.",
    "rounds": "How many times solve and alignment are repeated at most.",
    "iterate_seconds": "Time for the rounds. The trainings beside it, for comparison, take as much again each.",
    "work": "Refine once: one direct solve. Iterative LSR: solve, let the network follow, and repeat; for equations only.",
    "own_step": "Stretches the colours over the errors of this half step. Half steps can then no longer be compared by colour.",
    "rank": "Number of directions that refinement may use. The slider moves over the ranks at which this run stores fields.",
    "compare": "Draws a second run over this one, dashed, at the rank that it chose. The page Compare takes more of them.",
    "run": "Listed runs, your own, and the one that comes with the product.",
    "logx": "Logarithmic horizontal axis",
    "logy": "Logarithmic vertical axis",
    "signed": "Errors with their sign on a linear scale, in place of their sizes on a logarithmic one.",
    "own": "Stretches the colours over each map's own errors. The two maps can then no longer be compared by colour.",
    "memory_budget": "How much memory the refinement may use, for instance 2GB. Blocks are made smaller to keep it; what cannot be kept is refused.",
    "max_rank": "The largest rank of the sweep. Time and memory grow with it. At most as many as there are parameters or rows.",
    "dtype": "float64 reaches far lower errors; float32 halves the memory.",
    "seed": "The random sketch is drawn from it; the same seed repeats the run.",
    "oversampling": "Further random directions that make the subspace more accurate.",
    "power_iterations": "Passes over the data that sharpen the subspace when singular values fall slowly.",
    "rcond": "Directions weaker than this are left out. Empty: machine precision times the number of rows.",
    "sketch": "Random numbers of the sketch. Gaussian is the better one; uniform is what the published code used.",
    "basis_points": "How many training samples, drawn at random, the directions come from. The solve always takes all of them.",
    "parameter_fraction": "Share of the parameters, drawn at random, that may move.",
    "layers": "Only parameters whose name matches may move: linears.6.* is one layer, *.bias are all biases. Choose one or type another.",
    "gauss_newton": "Steps after the one solve, for an equation that is not linear: each solves the equation made linear around the field "
    "so far, in the same subspace. 0 is none; most need 3 to 10 and end by themselves.",
    "damping": "Ridge penalty on the step Δθ, relative to the largest singular value of the problem that is solved. 0 is none; "
    "with noisy data try 0.0001 to 0.1.",
    "regularise": "For noisy or few data: a penalty on the step whose strength the data themselves ask for. None keeps the rank as the only "
    "choice; discrepancy:0.1 leaves a known noise of 0.1; a number is the strength itself. Validation samples are then fitted too.",
    "prior": "What smoothing keeps small. The step: what is added to the network. The weights: those that the step leads to, for a network that "
    "was trained on the same noisy data and may have fitted their noise. Automatic: with automatic smoothing three parts of the step and one of the "
    "weights, else the step.",
    "bands": "Of a smoothed refinement. By samples left out (conformal): all standard deviations are multiplied by one number, so that 95 % bands "
    "hold training samples that the solution does not see.",
    "strategy": "How products with the Jacobian are formed. Auto chooses by memory.",
    "problem": "A sample that comes with the product, or the problem of the run that is open.",
    "listed": "Unlisted runs are not in other people's lists; a link still opens them.",
    "condition": "Condition number of the reduced matrix A = G V at this rank, in the weights’ coordinates; what is solved has its columns scaled.",
    "csv": "The numbers behind it as a CSV file",
    "against": "What the horizontal axis counts. Products are those with the matrix or its transpose, each on one vector.",
    "precision": "In which the methods compute. Losses are always evaluated in float64.",
    "coordinates": "Original: parameter directions in general position. Whitened: the same problem with condition number one.",
    "reorth": "Shows LSQR and LSMR with every new vector made orthogonal to all before it, where they were run so.",
    "space": "The subspace is the one LSR solves in. In all parameters the floor is usually rounding, and each product costs a pass over the data.",
    "race_rank": "Number of unknowns: the leading directions of the subspace. Not above the largest rank of the refinement.",
    "race_iterations": "Of every method. 5,000 are needed to see slow ones, which takes minutes with 1,000 unknowns; in all parameters each "
    "costs a pass over the data.",
    "both_precisions": "Runs every method a second time in single precision.",
    "direction": "Gradient: steepest descent. Singular: a direction of the residual Jacobian. Random: normally distributed.",
    "singular": "1 is the direction that moves the residuals most.",
    "filter_normalised": "Gives each row of a weight matrix in the second direction the length that it has in the network.",
    "plane_reach": "Whole step: from θ0 to the end of the step and beyond. Where both agree: some times as far as the page Loss path "
    "shows agreement.",
    "reach": "How far the plane goes along the step: 0 is the network, 1 the whole step.",
    "isolation_rank": "Degrees of freedom that each of them may use.",
    "isolation_iterations": "Of each nonlinear optimisation; every one is a pass over the data.",
    "present": "Large type, and no sidebar. It is kept in the address, so a link opens the step as it is shown.",
    "training_rank": "Of every refinement; validation data choose the rank below it. As in the refinement of this problem unless changed.",
    "delta": "Length of the step Δθ and, beside it, of the parameters θ0.",
}

STATES = {
    "queued": "Queued",
    "running": "Running",
    "complete": "Complete",
    "cancelled": "Cancelled",
    "failed": "Failed",
}
STRATEGIES = {"auto": "Auto", "matrix-free": "Matrix-free", "row-blocks": "Row blocks", "factored": "Factored"}
SECTIONS = {"maps": "Maps", "samples": "Samples", "slices": "Slices", "distribution": "Distribution"}
SECTION_CURVES = "Curves"
SAME_VERDICT = "Right or wrong as before"
RIGHT_NOW = "Right only after refinement"
WRONG_NOW = "Right only before"

SWEEP_CAPTION = "Mean squares around the selected rank"
SVG_HINT = "SVG: camera at the figure’s upper right"
NO_RUN = "No run yet. A run refines a trained network and keeps everything these pages show."
NO_RUN_BUTTON = "Refine the sample “{name}”"
NO_SAMPLES = "No sample problems are installed, so there is nothing to refine from here. `lsr refine PATH` makes a run."
NOT_COMPLETE = {
    "queued": "This run waits for its turn. Its figures appear here when it is done.",
    "running": "This run is still working. Its figures appear here when it is done.",
    "cancelled": "This run was cancelled before it had results. The form on the page Refine a network is filled in for another try.",
    "failed": "This run failed before it had results. Overview shows the reason and the form filled in for another try.",
}


RANK_ZERO = "Rank 0 is the network as it is: nothing is refined here. Move the rank slider to the right to refine it."
NO_REASON = "The run failed without giving a reason."


def yours(may_keep: bool) -> str:
    """Of what goes with the browser that brought it."""
    keep = "Keep" if may_keep else "Download"
    return f"Seen by this browser only, and deleted a few minutes after its last page is closed. {keep} what you want to find again."


COMPARE_SKIPPED = "The run to compare with is not complete, so nothing is laid over."
SMOOTHED = "This run was smoothed: the strength of the penalty was chosen from its training data, and the rank takes all directions."
NO_VALIDATION = "This problem has no validation data, so nothing chooses the rank by itself; the chosen rank is shown."
ITERATE_TITLE = "Iterative LSR"
ITERATE_LEAD = "Solve, let the network follow the refined predictor, draw new points, and repeat; every half step appears on this page as it ends."


STEPS_TITLE = "Gauss-Newton steps"
STEPS_LEAD = "Each step makes the equation linear around the field it has reached and solves again; the network is differentiated only once."
STEPS_CAPTION = (
    "Gauss-Newton steps; the relative L2 error is reported, steps and ranks are chosen by the residual at fresh points"
)


CASES_LEAD = (
    "This run refined one unseen input function after another, by the equation alone. Each has a relative L2 error of its own; "
    "the rank was the same for all."
)
CASES_NONE = "This run refines one unseen input function after another; no case is through yet."


def norms(pairs: list[tuple[str, str]]) -> str:
    """The residual norms of an equation at the rank the run chose."""
    return f"Residual of the equation at the run's own rank: {', '.join(f'{name} {value}' for name, value in pairs)}."


def half_step(index: int, kind: str, round_: int) -> str:
    """A half step by name."""
    return "Start" if kind == "start" else f"{index}: {STEP_KINDS.get(kind, kind)}, round {round_}"


def bad_run_id(key: str) -> str:
    return f"The address has a `{key}=` that is no run id; an id has 32 characters, 0–9 and a–f."


def run_not_found() -> str:
    return "There is no run with this id in this folder of runs. It may have been deleted, or the link is incomplete."


def damaged(reason: str) -> str:
    return f"This run cannot be shown. {reason}"


def damaged_part(reason: str) -> str:
    return f"A file of this run was damaged or changed since it was written; what does not need it is shown. {reason}"


def bad_rank() -> str:
    return "The address has a `rank=` that is no whole number; the rank the run chose is shown."


def rank_clamped(wanted: int, rank: int, largest: int) -> str:
    return f"Rank {wanted:,} is outside this run, which goes from 0 to {largest:,}; rank {rank:,} is shown."


def rank_snapped(wanted: int, rank: int) -> str:
    return f"Fields are stored on a ladder of ranks; rank {rank:,} is shown, the nearest to {wanted:,}."


def index_out_of_range(key: str, value: int, length: int) -> str:
    names = {"output": "output", "xaxis": "input", "yaxis": "input", "along": "input"}
    return f"There is no {names.get(key, key)} number {value + 1}; this problem has {length}."


def cannot_write(reason: str) -> str:
    return f"The run could not be written ({reason or 'no further reason'}). Make room on the disk or choose another folder with `--runs`."


def inputs(count: int) -> str:
    return "1 input" if count == 1 else f"{count:,} inputs"


def takes(duration: str) -> str:
    return f"Takes about {duration} at the speed this machine has now."


def parameters(free: int, total: int) -> str:
    return f"{free:,} parameters" if free == total else f"{free:,} of {total:,} parameters may move"


def strategy(name: str, reason: str) -> str:
    return f"{STRATEGIES.get(name, name)}: {reason}."


def quantiles(rank: int, pairs: list[tuple[str, str]]) -> str:
    """Errors of single test samples before and after, as (median, 90 %, 99 %, largest); known at the rank the run chose."""
    named = zip(("median", "90 %", "99 %", "largest"), pairs, strict=True)
    listed = ", ".join(f"{name} {before} → {after}" for name, (before, after) in named)
    return (
        f"Errors of all test samples one by one, network → refined predictor at the run's own rank {rank:,}: {listed}."
    )


NORMS = {
    "base": "Network, ‖f(θ0)‖",
    "linear": "Linear model after the solve, ‖f(θ0) + G V y‖",
    "true": "Refined field put into the equation, ‖f‖",
    "solved": "Refined field put into the equation, after one solve",
    "stepped": "Refined field put into the equation, after Gauss-Newton steps",
}
NORM_COLUMNS = ("Residual", "Fitted points", "Fresh points")
NORMS_CAPTION = "Three norms of the residual"
NORMS_READ = (
    "The square root of the loss, Σ weight · mean(r²). The solve sees the second; the third is what is left in truth. Where the third is "
    "much larger than the second, the equation bends more than its linear model; where fresh points have much more than fitted ones, "
    "there are too few points."
)
OWN_FORMULA = "residuals in Python, from {file}"


def norm_elsewhere(rank: int) -> str:
    """Why a norm is missing."""
    return f"At fitted points the refined field was put into the equation at the run's own rank {rank:,} only."


def begun(sentence: str) -> str:
    """The same with a capital."""
    return formats.numbers(sentence[:1].upper() + sentence[1:])
