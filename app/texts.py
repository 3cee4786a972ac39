"""Every word the user reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

PRODUCT = "LSR Explorer"
TAGLINE = "Linearized subspace refinement of trained networks"
PAGES = {
    "overview": ("Overview", ":material/home:"),
    "rank": ("Rank", ":material/show_chart:"),
    "fields": ("Error fields", ":material/grid_view:"),
    "path": ("Loss path", ":material/timeline:"),
    "frequencies": ("Frequencies", ":material/graphic_eq:"),
    "conditioning": ("Conditioning", ":material/science:"),
    "training": ("Along the training", ":material/trending_down:"),
    "export": ("Export", ":material/download:"),
    "bring": ("Bring your own", ":material/upload:"),
    "lesson": ("The lesson", ":material/school:"),
}


class Words(NamedTuple):
    """Title of a figure, what it shows, how to read it."""

    title: str
    shows: str
    read: str


class Parts(NamedTuple):
    """What a problem's errors are called, by the part of it that they are measured on.

    Attributes:
        train, val, test: in legends and tables.
        headline: the reported error in the headline; `{word}` is the part.
        sentence: the same inside a sentence.
        mean_square: the same as a mean square.
        chosen: why the automatic rank is what it is.
        choosing: what the automatic rank is chosen by, at the beginning of a sentence.
        rise: what it means when that rises.
        rows: what the loss is a mean over.
    """

    train: str
    val: str
    test: str
    headline: str
    sentence: str
    mean_square: str
    chosen: str
    choosing: str
    rise: str
    rows: str


DATA = Parts(
    "Training", "Validation", "Test", "{word} error (relative L2)", "{word} error", "{word} mean square error", "smallest validation error",
    "The validation error", "the predictor follows the noise of the training data", "training rows",
)  # fmt: skip
EQUATION = Parts(
    "Loss, fitted points", "Loss, fresh points", "Error against reference", "Relative L2 error", "relative L2 error", "Mean square error",
    "smallest residual at fresh points", "The residual at fresh points", "the predictor meets the equation at the fitted points only",
    "residual rows",
)  # fmt: skip


FIGURES = {
    "function_errors": Words(
        "Errors of all functions",
        "The share of functions whose relative L2 error is below the value on the axis.",
        "Further left is better, and a step on the axis is a factor. A tail to the right is made of few functions that stay worse than the rest.",
    ),
    "one_function": Words(
        "One function",
        "The input function, the truth, what the network makes of it, and what refinement makes of it.",
        "Choose the first in the list to see the one that stays worst.",
    ),
    "input_function": Words(
        "Input function",
        "The function that network and equation are given.",
        "The network sees it at its sensors, which are equally spaced.",
    ),
    "confusion": Words(
        "Confusion of classes",
        "Test samples by their right class (down) and the class that they are given (across).",
        "Samples off the diagonal are given a wrong class.",
    ),
    "headline_map": Words(
        "Error before and after",
        "The truth, and the size of the error of the network and of the refined predictor at the selected rank.",
        "Both error maps share one logarithmic colour scale: a step on the colour bar is a factor, darker is better.",
    ),
    "known_fields": Words(
        "Before and after",
        "The network and the refined predictor at the selected rank. What the truth is here is not known.",
        "Whether the refined field solves the equation is told by its residual at fresh points, which the solve did not see.",
    ),
    "headline_lines": Words(
        "Before and after",
        "The truth, the network and the refined predictor at the selected rank.",
        "The closer a line lies to the broad one, the better; Error fields shows the differences enlarged.",
    ),
    "headline_rank": Words(
        "Error against rank",
        "The error of the refined predictor at every rank, on each part of the data.",
        "Rank 0 is the network itself; a test curve that turns upwards says that the rank is too large.",
    ),
    "errors": Words(
        "Error against rank",
        "The error of the refined predictor at every rank, on the training, validation and test data.",
        "The dashed line is the network. Where validation turns upwards while training falls, the rank is too large; "
        "dotted parts are interpolated.",
    ),
    "errors_physics": Words(
        "Loss and error against rank",
        "At every rank: the loss of the linear model at the points the solve was fitted to, the true loss of the refined field at fresh "
        "points, and the mean square error against the reference.",
        "The loss at fresh points chooses the rank; where it turns upwards, the rank is too large. The reference is only reported. "
        "The dashed line is the network’s error.",
    ),
    "errors_unreferenced": Words(
        "Loss against rank",
        "At every rank: the loss of the linear model at the points the solve was fitted to, and the true loss of the refined field at fresh "
        "points.",
        "The loss at fresh points chooses the rank; where it turns upwards, the rank is too large. The dashed line is the network’s loss.",
    ),
    "spectrum": Words(
        "Singular values",
        "The singular values of the Jacobian: how strongly each direction of the subspace moves the outputs.",
        "A steep fall means that few directions do the work. Values below the dashed sketch error are not to be trusted.",
    ),
    "condition": Words(
        "Condition number",
        "The condition number κ of the reduced matrix A = G V, as it is and with the scaled columns that are solved.",
        "A large κ magnifies rounding. At the dashed line, 1/ε of the number type, no digit of the solution would be left.",
    ),
    "shares": Words(
        "Error by share",
        "The error after refinement when only a random share of the scalars may move, each at the rank its own run chose. "
        "Diamonds are runs whose parameters were chosen by their names.",
        "Where the line is flat already at a small share, the network has many more parameters than the refinement needs.",
    ),
    "step": Words(
        "Step length",
        "The length of the parameter step Δθ at each rank, beside the length of the parameters θ0.",
        "A step that is not small against the dashed line leaves the region where the network itself is linear.",
    ),
    "gauss_newton": Words(
        "True residual by step",
        "The residual of the equation for the refined field itself after each Gauss-Newton step, at the points that are fitted and at fresh ones.",
        "Step 0 is what the steps start from. Where the fresh points stay above the fitted ones, more points are needed.",
    ),
    "maps": Words(
        "Fields",
        "The truth, the network and the refined predictor at the selected rank.",
        "All three share one colour range, that of the truth; differences too small to see here are drawn below.",
    ),
    "error_maps": Words(
        "Errors",
        "Network minus truth, refined predictor minus truth, and the ratio of their sizes.",
        "The two errors share one symmetric scale unless each is given its own. In the ratio, blue means that "
        "refinement lowered the error there, orange that it raised it.",
    ),
    "curves": Words(
        "Fields",
        "The truth, the network and the refined predictor at the selected rank over the single input.",
        "The broad pale line is the truth; the refined predictor should run along its middle.",
    ),
    "curve_errors": Words(
        "Errors",
        "The size of the error of the network and of the refined predictor over the single input.",
        "On the logarithmic axis the distance between the curves is a factor; narrow dips are changes of sign.",
    ),
    "histogram": Words(
        "Distribution of the error",
        "The share of the display points at which the error has a given size.",
        "Further left is better; a tail to the right belongs to the worst points in the table.",
    ),
    "slice_values": Words(
        "Slice: values",
        "The truth, the network and the refined predictor along a line through the field.",
        "The broad pale line is the truth; move the slice with the control above.",
    ),
    "slice_errors": Words(
        "Slice: errors",
        "The size of both errors along the same line.",
        "On the logarithmic axis the distance between the curves is a factor; narrow dips are changes of sign.",
    ),
    "loss_path": Words(
        "Loss along the step",
        "The loss when only a part α of the step is taken: of the linear model, and of the network with changed parameters.",
        "In the shaded interval both agree within 10 %. LSR uses the linear model at α = 1; the network itself would follow the other curve.",
    ),
    "three_maps": Words(
        "Errors of the three objects",
        "The size of the error of the network, of the refined predictor, and of the network with parameters θ0 + Δθ.",
        "One logarithmic colour scale for all three. The third is what LSR is not: the step is meant for the linear model only.",
    ),
    "heat": Words(
        "Energy of the error by half step and frequency",
        "How much of the mean square error lies at each frequency, after every half step: of the network, and of the refined predictor.",
        "Both share one logarithmic colour scale, darker is better. Dotted lines part the low, middle and high band; "
        "the marks above say what each half step was.",
    ),
    "bands": Words(
        "Energy by band",
        "The mean square error in the low, middle and high frequencies over the half steps. All three share one axis.",
        "A solve (diamond) moves the blue line, an alignment (circle) moves the grey one. Where the grey line stays above, "
        "the network does not follow the refined predictor.",
    ),
    "step_fields": Words(
        "Error fields after the half step",
        "The size of the error of the network and of the refined predictor over the domain.",
        "Both share one logarithmic colour scale, the same at every half step unless this one is given its own; darker is better.",
    ),
    "step_spectrum": Words(
        "Spectrum of the error after the half step",
        "The energy of both errors by frequency; all energies together are the mean square error.",
        "The distance between the curves is what refinement removes at that frequency. Dotted lines part the bands.",
    ),
    "two_fields": Words(
        "Error fields",
        "The size of the error of the network and of the refined predictor at the selected rank.",
        "Both share one logarithmic colour scale; darker is better.",
    ),
    "two_spectra": Words(
        "Spectrum of the error",
        "The energy of the error of the network and of the refined predictor at the selected rank, by frequency; all energies together "
        "are the mean square error.",
        "The distance between the curves is what refinement removes at that frequency. Dotted lines part the low, middle and high band.",
    ),
    "error_seconds": Words(
        "Error against time",
        "The relative L2 error against the reference, of network and refined predictor and of the trainings that ran beside them.",
        "Each counts its own seconds, so points above each other cost the same. Measuring errors is not counted.",
    ),
    "residual_seconds": Words(
        "Residual against time",
        "The square root of the loss at fresh points, which no method is fitted to: of the refined field after a solve, "
        "of the network after an alignment.",
        "This is what a run without a reference can go by, and what chooses the half step that is kept.",
    ),
    "race_both": Words(
        "Loss above the floor",
        "How far each optimiser’s best run is above the smallest loss of the linearised problem: in the network’s own coordinates, and in "
        "whitened ones.",
        "Problem, optimisers and axes are the same in both; only the coordinates differ. Below the dashed line the loss is within twice the "
        "floor. Crosses at the top are settings that diverged.",
    ),
    "race_original": Words(
        "Loss above the floor, original coordinates",
        "How far each optimiser’s best run is above the smallest loss of the linearised problem, over orthonormal parameter directions.",
        "The dotted lines are what theory promises from κ alone; no run may lie above its own. Below the dashed line the loss is within twice "
        "the floor. Crosses at the top are settings that diverged.",
    ),
    "race_whitened": Words(
        "Loss above the floor, whitened coordinates",
        "The same problem and the same optimisers, over coordinates in which the condition number is one.",
        "Below the dashed line the loss is within twice the floor. Crosses at the top are settings that diverged.",
    ),
    "plane": Words(
        "Loss around the trained network",
        "The loss on the plane that the step Δθ and a second direction span: of the network itself, and of its linear model at θ0.",
        "Both share their levels, a colour step is a factor. Inside the outline around θ0 the two agree within 10 %. The dashed line is the "
        "path of the page Loss path, α from 0 to 1.",
    ),
    "directions": Words(
        "Slow directions and their frequencies",
        "Each mark is a direction of the subspace: how many steps gradient descent takes along it, how finely its response oscillates, and, by "
        "colour, how much of the squared residual it and the directions since the mark before it remove.",
        "Marks that rise to the right say that what training learns last are the high frequencies: spectral bias.",
    ),
    "directions_share": Words(
        "Slow directions and the residual",
        "Each mark is a direction of the subspace: how many steps gradient descent takes along it, and how much of the squared residual it and "
        "the directions since the mark before it remove.",
        "Marks high on the right are error that training would have to wait long for.",
    ),
    "layers": Words(
        "Where the directions live",
        "For each direction, the share of its squared length that lies in each layer.",
        "Every column adds up to one. Directions are ordered by singular value, the strongest on the left.",
    ),
    "isolation": Words(
        "Error by what is done with the same freedom",
        "The relative L2 error when the same number of degrees of freedom is spent in different ways.",
        "Shorter is better, and a step on the axis is a factor. Filled bars solved one linear problem; hatched ones optimised the true loss.",
    ),
    "lesson_1": Words(
        "Loss along the training",
        "The loss after each step of Adam.",
        "Both axes are logarithmic: a straight line means that each further factor costs a multiple of the steps so far. Dotted: half of the steps.",
    ),
    "lesson_2": Words(
        "Errors before and after",
        "The size of the error over the input: of the network, and of the refined predictor made from it.",
        "A step on the vertical axis is a factor.",
    ),
    "lesson_3": Words(
        "Loss along the step",
        "The loss at θ0 + αΔθ: of the linear model, whose end at α = 1 is the refined predictor, and of the network itself.",
        "Where the lines part, the network no longer follows its linear model.",
    ),
    "lesson_4": Words(
        "How long gradient descent takes",
        "For each direction that the solve uses, the steps after which gradient descent has come about two thirds of the way.",
        "Marks above the dashed line are directions for which the training was too short.",
    ),
    "lesson_5": Words(
        "The same optimisers in two systems of coordinates",
        "The loss of the linear problem, in units of its smallest value, for the best run of each method.",
        "One is as low as it gets. Solid lines are the original coordinates, dashed ones those with condition number one.",
    ),
    "lesson_6": Words(
        "Error against rank, with noisy observations",
        "The error of the refined predictor at every rank, on the noisy training and validation data and on test data without noise.",
        "Where the training error falls while the others rise, the predictor learns the noise. Dotted: the rank that validation chooses.",
    ),
    "training_errors": Words(
        "Errors along the training",
        "The error of the network at each checkpoint of its training, and that of the refined predictor made from the same weights.",
        "Where the lower line rises while the upper one falls, training makes the network better and a worse start for LSR.",
    ),
    "training_condition": Words(
        "Condition number along the training",
        "The condition number κ of the problem that was solved at each checkpoint, at the rank chosen there.",
        "A large κ holds up gradient methods; the direct solve bears it up to the rounding of the numbers.",
    ),
    "training_spectra": Words(
        "Singular values along the training",
        "The singular values of the Jacobian at each checkpoint, early ones orange and late ones blue.",
        "The higher a line lies on the right, the more directions the solve can use.",
    ),
    "three_lines": Words(
        "The three objects",
        "The truth, the network, the refined predictor, and the network with parameters θ0 + Δθ.",
        "The axis is held to the reach of the truth; the third object may leave it, because the step is meant for the linear model only.",
    ),
}

PANELS = {
    "truth": "Truth",
    "network": "Network",
    "refined": "Refined predictor",
    "network_error": "Network error",
    "refined_error": "Refined predictor error",
    "ratio": "Ratio of error sizes",
    "stepped_error": "Error of network at θ0 + Δθ",
}

NO_REFERENCE = "No solution of this equation is known, so there is no error to draw; the residual at fresh points tells how well it is solved."
FRESH_RESIDUAL = "Residual at fresh points"
FRESH_RESIDUAL_SENTENCE = "residual at fresh points"

LEADS = {
    "rank": "How far refinement goes with each further direction of the subspace, and what it costs in conditioning and step length.",
    "fields": "Where the network errs, and what refinement leaves of it.",
    "path": "How far the straight line that refinement relies on can be trusted, and why the result is not a change of weights.",
    "frequencies": "Which frequencies the error is made of, and which of them refinement removes.",
    "conditioning": "Is it nonconvexity that stops training here, or ill-conditioning? Experiments around the trained network.",
    "training": "Does more training help LSR? The same refinement at every checkpoint that the problem holds.",
    "export": "Take the refined predictor, its predictions or the whole record of the run with you.",
    "bring": "Refine a network of yours, or the equation that it should satisfy. What you bring stays with this browser.",
    "lesson": "Why training stops, in six steps: make a prediction, run the experiment, compare.",
}

GALLERY = {
    "data": "Functions from data",
    "equations": "Differential equations",
    "others": "Operators and classes",
}  # groups of samples
WAYS = {
    "files": "Weights and data",
    "bundle": "A finished bundle",
    "equation": "An equation",
}  # on the page "Bring your own"

GLOSSARY = {
    "Rank": "Number of directions in parameter space that refinement may use. Rank 0 is the network as it is.",
    "Refined predictor": "The network plus a linear correction, q(θ0, x) + J(x) Δθ. The weights stay as they are.",
    "θ0, Δθ": "The trained parameters, and the step found by least squares. The step is used in the linear correction only.",
    "Network at θ0 + Δθ": "The same network with its parameters moved by the step. It is shown for comparison; it is not the result.",
    "Jacobian, J and G": "Derivatives by the parameters: J of the outputs, G of the residuals.",
    "Subspace V": "The directions in parameter space that move the outputs most, found by a randomized singular value decomposition.",
    "Knee": "The rank beyond which further directions lower the error only slowly.",
    "Ladder": "The ranks, at most 64, at which a run stores whole fields. The rank slider moves from one to the next.",
    "Sketch error": "Estimate of what the randomized subspace misses of the Jacobian.",
    "Gauss-Newton step": "One more solve, of the equation made linear around the refined field instead of the network.",
    "Condition number κ": "Ratio of the largest to the smallest singular value; large means that small errors grow in the solution.",
    "Cut-off": "Directions of the scaled matrix weaker than this fraction of the strongest are left out of the solution.",
    "Fitted, fresh points": "For an equation: where the solve sees the residual, and points of another draw, where it is only looked at.",
    "True residual": "Residual of the refined field itself, put into the equation; the linear one is what the solve sees of it.",
    "Half wave": "The scale of frequencies: k half waves over the length of an input.",
    "Iterative LSR": "Solve, let the network follow the refined predictor (alignment), draw new points, repeat.",
    "Floor": "The smallest loss that the linearised problem allows, known from the direct solve.",
    "Original coordinates": "Orthonormal parameter directions in general position, as weights are; the condition number is that of G V.",
    "Whitened coordinates": "The same subspace, its axes stretched until the condition number is one; subspace, data and minimum are unchanged.",
    "Krylov method": "LSQR, LSMR or CG: solves least squares by products with the matrix alone.",
    "Reorthogonalised": "Each new Krylov vector is made orthogonal to all before it, which rounding would spoil otherwise.",
    "Time constant": "Steps of gradient descent, at its largest stable rate, in which the error along a direction falls to about a third: (σ₁/σ)².",
    "Relative L2 error": "Length of the error divided by the length of the truth: 0.01 is one per cent.",
}

BANDS = {"low": "Low band, up to 8 half waves", "middle": "Middle band, 9 to 32", "high": "High band, beyond 32"}
STEP_MARKS = {"lsr": "LSR solve", "align": "Alignment of the network"}
STEP_KINDS = {"start": "Start", "lsr": "LSR", "align": "Alignment"}
BASELINES = {"pinn": "Plain PINN", "time-stepping": "Time stepping", "levenberg-marquardt": "Levenberg–Marquardt"}
SECONDS_MEASURES = {"relative_l2": "Relative L2 error", "fresh_residual": "Residual at fresh points"}
STOPPED = {
    "steps": "all rounds done",
    "seconds": "its time was up",
    "stagnation": "nothing was gained any more",
    "asked": "stopped when asked",
}
KINDS = {
    "refine": "refinement",
    "iterate": "iterative LSR",
    "race": "race",
    "plane": "loss plane",
    "isolate": "isolation",
    "training": "along the training",
    "cases": "many input functions",
}

WORK = {"refine": "Refine once", "iterate": "Iterative LSR"}
EACH_SOLVE = "Each solve: "

HELP = {
    "half_step": "A half step is an LSR solve, or the alignment of the network with the refined predictor that follows it.",
    "rounds": "How many times solve and alignment are repeated at most.",
    "iterate_seconds": "Time for the rounds. The trainings beside it, for comparison, take as much again each.",
    "work": "Refine once: one direct solve. Iterative LSR: solve, let the network follow, and repeat; for equations only.",
    "own_step": "Stretches the colours over the errors of this half step. Half steps can then no longer be compared by colour.",
    "rank": "Number of directions that refinement may use. The slider moves over the ranks at which this run stores fields.",
    "choice_physics": "Auto: the smallest residual at fresh points. Knee: where the gain per further direction falls off. Fixed: the slider.",
    "choice": "Auto: the smallest validation error. Knee: where the gain per further direction falls off. Fixed: the slider.",
    "compare": "Draws a second run over this one, dashed, at the nearest rank it has.",
    "run": "Listed runs, your own, and the one that comes with the product.",
    "logx": "Logarithmic horizontal axis",
    "logy": "Logarithmic vertical axis",
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
    "damping": "Tikhonov damping, relative to the largest singular value of the scaled matrix. 0 is none.",
    "strategy": "How products with the Jacobian are formed. Auto chooses by memory.",
    "problem": "A sample that comes with the product, or the problem of the run that is open.",
    "listed": "Unlisted runs are not in other people's lists; a link still opens them.",
    "condition": "Condition number of the reduced matrix A = G V at this rank.",
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
STATE_COLOURS = {"queued": "gray", "running": "blue", "complete": "green", "cancelled": "orange", "failed": "red"}
ALL_LAYERS = "All"
SKETCHES = {"gaussian": "Gaussian", "uniform": "Uniform"}
STRATEGIES = {"auto": "Auto", "matrix-free": "Matrix-free", "row-blocks": "Row blocks", "factored": "Factored"}
SECTIONS = {"maps": "Maps", "slices": "Slices", "distribution": "Distribution"}
SECTION_CURVES = "Curves"
MEASURES = {"mse": "Mean square", "relative_l2": "Relative L2"}

HOW_IT_RAN = "How it was computed, and what was checked"
SWEEP_CAPTION = "Mean square errors around the selected rank"
QUANTILES_CAPTION = "Sizes of the error"
WORST_CAPTION = "Points where the refined predictor errs most"
SVG_HINT = "SVG: camera at the figure’s upper right"
NO_RUN = "No run yet. A run refines a trained network and keeps everything these pages show."
NO_RUN_BUTTON = "Refine the sample “{name}”"
NO_SAMPLES = "No sample problems are installed, so there is nothing to refine from here. `lsr refine PATH` makes a run."
NOT_COMPLETE = {
    "queued": "This run waits for its turn. Its figures appear here when it is done.",
    "running": "This run is still working. Its figures appear here when it is done.",
    "cancelled": "This run was cancelled before it had results. The form on Overview is filled in for another try.",
    "failed": "This run failed before it had results. Overview shows the reason and the form filled in for another try.",
}
NOT_COMPLETE_HERE = {
    "queued": "Waiting for its turn.",
    "running": "At work. The figures appear here when it is done; you may leave the page.",
    "cancelled": "Cancelled before it had results.",
    "failed": "Failed before it had results.",
}
STAGES = {
    "starting": "Starting",
    "preparing": "Preparing",
    "basis": "Finding the subspace",
    "training rows": "Solving on the training data",
    "validation rows": "Errors on the validation data",
    "test rows": "Errors on the test data",
    "checking": "Checking the predictor",
    "fields": "Fields for the ladder of ranks",
    "Gauss-Newton": "Gauss-Newton steps on the true residual",
    "loss paths": "Loss along the step",
    "writing": "Writing the run",
}
STAGES_PHYSICS = {
    "training rows": "Solving at the fitted points",
    "validation rows": "True residuals at the fresh points",
    "test rows": "Errors against the reference",
}
RANK_ZERO = "Rank 0 is the network as it is: nothing is refined here. Move the rank slider to the right to refine it."
NO_REASON = "The run failed without giving a reason."
NO_RUNS = "No runs yet."
CANCEL_FIRST = "Cancel it before deleting it."
FORM_LEAD = "Choose a trained network, and how far to refine it. The work runs in the background."
FORM_LEAD_OWN = "What you brought is chosen. Say how far to refine it; the work runs in the background."
FORM_LEAD_RETRY = "The form holds the settings of this run. Change what went wrong and start again."
NOT_OWNER = "Started elsewhere: only the browser that started it can rename or delete it."
COMPARE_SKIPPED = "The run to compare with is not complete, so nothing is laid over."
COMPARE_POINTS = "The run to compare with was drawn at other points; maps and slices show this run only."
NO_VALIDATION = "This problem has no validation data, so nothing chooses the rank by itself; the chosen rank is shown."
FREQUENCIES_NEED = (
    "This page needs errors on a regular grid of one or two inputs, which this run does not have. "
    "A run of a sample with an equation has one."
)
FREQUENCIES_OF_ITERATE = (
    "This run is iterative LSR: many solves, with the network following each. The page Frequencies shows it."
)
BANDS_CAPTION = "Energy by band"
NO_STEP_YET = "The first half step is on its way."
NO_SPECTRA = "This run has no reference on a grid, so there are no spectra and no error fields; the residual is shown."
NO_FIELDS = "The error fields of this half step were not kept."
ITERATE_TITLE = "Iterative LSR"
ITERATE_LEAD = "Solve, let the network follow the refined predictor, draw new points, and repeat; every half step appears on this page as it ends."
COPIED_RUN = "Weights are unchanged: the refined predictor adds a linear correction to the network."


STEPS_TITLE = "Gauss-Newton steps"
STEPS_LEAD = "Each step makes the equation linear around the field it has reached and solves again; the network is differentiated only once."
STEPS_CAPTION = (
    "Gauss-Newton steps; the relative L2 error is reported, steps and ranks are chosen by the residual at fresh points"
)


LAB_SECTIONS = {"race": "Race", "plane": "Loss plane", "directions": "Directions", "isolation": "Isolation"}
LAB_LEADS = {
    "race": "At θ0 the problem is made linear, so it is convex and its minimum is known. What keeps an optimiser away from it is not nonconvexity.",
    "plane": "How far around the trained network the linear model tells the truth.",
    "directions": "What each direction of the subspace corrects, how long plain training would need for it, and where in the network it lies.",
    "isolation": "Is it the direct solve, the Jacobian’s subspace, or just the number of unknowns? The same freedom, spent in different ways.",
}
LAB_NONE = {
    "race": "There is no race of this problem yet.",
    "plane": "There is no loss plane of this run yet.",
    "isolation": "There is no isolation of this problem yet.",
    "training": "This problem has not been refined along its training yet.",
}
LAB_AGAIN = {
    "race": "Another race",
    "plane": "Another plane",
    "isolation": "Another isolation",
    "training": "Refine the checkpoints again",
}
LAB_START = {
    "race": "Start the race",
    "plane": "Compute the plane",
    "isolation": "Start the isolation",
    "training": "Refine every checkpoint",
}
LAB_FIRST = {
    "race": "The first method is on its way.",
    "plane": "The coarse plane is on its way.",
    "isolation": "The first result is on its way.",
    "training": "The first checkpoint is on its way.",
}
LAB_TITLES = {"race": "race", "plane": "loss plane", "isolate": "isolation", "training": "along the training"}
NO_CHECKPOINTS = (
    "The bundle of this problem holds no checkpoints, so there is no training to follow. The sample sine2d has them; "
    "docs/problem-format.md says how to add some to a bundle of your own."
)
TRAINING_CAPTION = "Checkpoints"
TRAINING_COLUMNS = (
    "Epoch",
    "Network",
    "Refined predictor",
    "Factor",
    "Rank",
    "κ",
    "Limited by",
    "Confidence",
    "Seconds",
)
LIMITS = {
    "conditioning": "Conditioning",
    "nonconvexity": "Nonconvexity",
    "capacity": "Capacity or data",
    "precision": "Precision",
    "stationary": "Nothing: stationary",
    "overfitting": "Overfitting",
}
TRAINING_OF_OTHERS = "This run refines every checkpoint of a training. The page Along the training shows it."
LAB_OF_OTHERS = "This run is an experiment around a trained network. The page Conditioning shows it."
CASES_LEAD = (
    "This run refined one unseen input function after another, by the equation alone. Each has a relative L2 error of its own; "
    "the rank was the same for all."
)
CASES_NONE = "This run refines one unseen input function after another; no case is through yet."
PLANE_NEEDS_RUN = (
    "A plane is spanned by the step of a refinement, and this problem has no complete one. Refine it on Overview."
)
PLANE_NEEDS_STEP = "This run refines nothing (rank 0), so it has no step that could span a plane."
DIRECTIONS_NEED_RUN = (
    "Directions are measured by a refinement, and this problem has no complete one. Refine it on Overview."
)
DIRECTIONS_OLD = (
    "This run was made before directions were measured. The same refinement started anew on Overview has them."
)
DIRECTIONS_NONE = "This run refines nothing (rank 0), so there are no directions."
DIRECTIONS_NO_GRID = "The display points are no regular grid, so the responses have no frequencies; the share of the residual is drawn instead."
ISOLATION_PHYSICS = "The isolation compares fits to data; this problem is given by an equation, so there is none."
RACE_CAPTION = "Best run of every method"
SINGULAR_COORDINATES = (
    "In singular directions each unknown moves along one singular direction of the problem; it is as ill-conditioned as in original "
    "coordinates. Of all methods only Adam can tell the two apart, because it scales every unknown by itself."
)
SWEEP_TRIED = "Every setting tried"
RACE_COLUMNS = (
    "Method",
    "Coordinates",
    "Best loss",
    "Times the floor",
    "Iterations",
    "Products",
    "Seconds",
    "Settings",
    "Tried",
)
TRIAL_COLUMNS = ("Method", "Coordinates", "Setting", "Best loss", "End")
ISOLATION_COLUMNS = ("", "Unknowns", "Training", "Validation", "Test", "Seconds", "Remark")
ISOLATION_CAPTION = "Relative L2 errors"
METHODS = {
    "direct": "Direct solve",
    "lsqr": "LSQR",
    "lsqr-reorthogonalised": "LSQR, reorthogonalised",
    "lsmr": "LSMR",
    "lsmr-reorthogonalised": "LSMR, reorthogonalised",
    "cgls": "CG, normal equations",
    "lbfgs": "L-BFGS",
    "gradient-descent": "Gradient descent",
    "adam": "Adam",
}
COORDINATES = {"original": "Original", "whitened": "Whitened", "singular": "Singular directions"}
COORDINATE_CHOICES = {"both": "Both", "original": "Original", "whitened": "Whitened"}
PRECISIONS = {"float64": "float64", "float32": "float32"}
AGAINST = {"iterations": "Iterations", "products": "Products", "seconds": "Seconds"}
AGAINST_AXES = {"iterations": "Iterations", "products": "Jacobian products", "seconds": "Seconds"}
BOUNDS = {"conjugate gradients": "Bound for CG, from κ", "gradient descent": "Bound for gradient descent, from κ"}
SPACES = {"subspace": "The subspace", "full": "All parameters"}
REACHES = {"step": "Whole step", "near": "Where both agree"}
SECOND_DIRECTIONS = {"gradient": "Gradient", "singular": "Singular direction", "random": "Random"}
PLANE_PANELS = {"nonlinear": "Network", "linearised": "Linear model"}
CONTENDERS = {
    "network": "Network as it is",
    "jacobian-subspace": "Linear solve, Jacobian subspace (LSR)",
    "last-layer": "Linear solve, last layer",
    "random-subspace": "Linear solve, random subspace",
    "nonlinear-lbfgs": "L-BFGS, Jacobian subspace",
    "nonlinear-lbfgs-whitened": "L-BFGS, whitened",
    "nonlinear-adam": "Adam, Jacobian subspace",
}
ISOLATION_HEADS = {  # (label, role of the colour)
    "random-subspace": ("The same in a random subspace", ""),
    "nonlinear-lbfgs": ("L-BFGS in the Jacobian subspace", "step"),
}
SETTING_NAMES = {"rate": "rate", "beta1": "β₁", "step_times_L": "step × L", "history": "history"}


def settings(values: Mapping[str, object]) -> str:
    """Settings of a method that a sweep changes, in a few words."""
    named = [f"{word} {values[name]:.3g}" for name, word in SETTING_NAMES.items() if name in values]
    return ", ".join(named)


def diverged(iteration: int | None) -> str:
    return f"diverged at iteration {iteration:,}" if iteration is not None else ""


def tried(count: int, lost: int) -> str:
    """How many settings a sweep had."""
    return f"{count}, {lost} diverged" if lost else f"{count}"


def lab_beside(title: str) -> str:
    """Which refinement an experiment belongs to."""
    return f"Stands beside the refinement {title}."


def race_place(coordinates: str, kappa: str) -> str:
    """Name of a panel."""
    return f"{COORDINATES[coordinates]} coordinates, κ = {kappa}"


def plane_sentence(near: int, points: int, length: str, direction: str) -> str:
    """How many points of the grid around θ0 lie where both losses agree, and how long the second direction is, in steps."""
    if near == points:
        agree = "The two losses agree within 10 % on all of this plane"
    elif near > 1:
        agree = f"Around θ0 the two losses agree within 10 % on {near:,} of {points:,} points of this plane"
    elif near:
        agree = "The two losses agree within 10 % at θ0 and at none of its neighbours on this grid: a plane of shorter reach shows how far"
    else:
        agree = "The two losses agree nowhere around θ0 on this grid"
    long = "is as long as the step" if length in ("1", "1.0") else f"is {length} times as long as the step"
    return f"{agree}. Its second direction ({direction}) {long}."


def plane_lowest(network: str, where: str, linear: str, there: str) -> str:
    """Where the losses are smallest on the grid; places as (α, β)."""
    return f"On the grid the linear model is lowest at {there}, with loss {linear}; the network is lowest at {where}, with loss {network}."


def plane_grid(rows: int, columns: int, growing: bool, losses_on: str, hidden: int) -> str:
    """How fine a plane is."""
    more = " A finer grid is on its way." if growing else ""
    where, left = ("1 point", "it is") if hidden == 1 else (f"{hidden:,} points", "they are")
    holes = f" At {where} the network has no finite loss; {left} left white." if hidden else ""
    return f"{rows} × {columns} points, losses on {losses_on}.{more}{holes}"


def correlation(value: float, count: int) -> str:
    """Spearman's rank correlation of time constant and frequency."""
    number = f"Rank correlation of time constant and frequency over {count} directions (Spearman): {value:+.2f}."
    if value >= 0.5:
        return f"{number} Slow directions are fine ones here: training leaves the high frequencies for last."
    if value <= -0.5:
        return f"{number} Here the slow directions are the coarse ones: the opposite of spectral bias."
    return f"{number} Slowness says little about frequency here."


def isolation_reason(solve: str, subspace: str) -> str:
    """What the result rests on; how many times higher the error is without the direct solve, and without the Jacobian's directions."""
    parts = [
        f"with {what} the error is {times} higher" if times else f"with {what} the error is no higher"
        for what, times in (
            ("the best optimiser in place of the solve, in the same subspace,", solve),
            ("the same solve in a random subspace", subspace),
        )
    ]
    return f"What does the work: {'; '.join(parts)}."


def isolation_sentence(first: str, error: str, others: list[tuple[str, str]]) -> str:
    """The refined error beside that of the others; (name, factor)."""
    listed = ", ".join(f"{name} {factor}" for name, factor in others)
    return f"{first} reaches {error}. With the same freedom: {listed}."


def norms(pairs: list[tuple[str, str]]) -> str:
    """The residual norms of an equation at the rank the run chose."""
    return f"Residual of the equation at the run's own rank: {', '.join(f'{name} {value}' for name, value in pairs)}."


def half_step(index: int, kind: str, round_: int) -> str:
    """A half step by name."""
    return "Start" if kind == "start" else f"{index}: {STEP_KINDS.get(kind, kind)}, round {round_}"


def energies_fall(rank: int, bands: list[tuple[str, str, str]]) -> str:
    """What a single refinement did to the energies; (band, before, after)."""
    listed = ", ".join(f"from {before} to {after} in the {name} band" for name, before, after in bands)
    return f"At rank {rank:,} refinement takes the energy of the error {listed}."


def spectra_note(transform: str) -> str:
    """How spectra are made; Parseval's identity and the binning are those of `lsr_core.diagnosis.frequencies`."""
    return (
        f"Transform: {transform or 'see the record of the run'}. Frequency k along an input stands for k half waves over its length; the frequencies "
        "of all inputs are joined as √(k₁² + k₂²) and counted in bins of width 1 around 0, 1, 2, … Energies are mean squares: "
        "all bins together are the mean square error (Parseval)."
    )


def bad_run_id(key: str) -> str:
    return f"The address has a `{key}=` that is no run id; an id has 32 characters, 0–9 and a–f."


def run_not_found() -> str:
    return "There is no run with this id in this folder of runs. It may have been deleted, or the link is incomplete."


def damaged(reason: str) -> str:
    return f"This run cannot be shown. {reason}"


def bad_rank() -> str:
    return "The address has a `rank=` that is no whole number; the rank the run chose is shown."


def rank_clamped(wanted: int, rank: int, largest: int) -> str:
    return f"Rank {wanted:,} is outside this run, which goes from 0 to {largest:,}; rank {rank:,} is shown."


def rank_snapped(wanted: int, rank: int) -> str:
    return f"Fields are stored on a ladder of ranks; rank {rank:,} is shown, the nearest to {wanted:,}."


def index_out_of_range(key: str, value: int, length: int) -> str:
    names = {"output": "output", "xaxis": "input", "yaxis": "input", "along": "input"}
    return f"There is no {names.get(key, key)} number {value + 1}; this problem has {length}."


def stage(name: str, physics: bool) -> str:
    """What a run is at; empty for a stage without words."""
    if name in BASELINES:
        return f"For comparison: {BASELINES[name]}"
    if name.startswith("round "):
        return name.capitalize()
    method, *rest = name.split(", ")
    named = ", ".join([METHODS[method], *rest]) if method in METHODS else ""
    return (STAGES_PHYSICS.get(name) if physics else None) or STAGES.get(name, named)


def gain_sentence(error: str, factor: str, rank: int, largest: int, rank_zero: bool) -> str:
    if rank_zero:
        return RANK_ZERO
    verb = "lowers" if "lower" in factor else "raises" if "higher" in factor else "does not change"
    if verb == "does not change":
        return f"At rank {rank:,} of {largest:,} refinement does not change the {error}."
    times = factor.rsplit(" ", 1)[0].replace("×", " times")
    return f"At rank {rank:,} of {largest:,} refinement {verb} the {error} by a factor of {times.removesuffix(' times')}. {COPIED_RUN}"


def interval_sentence(high: float, first: str, upper: str, linear: str, nonlinear: str, times: str) -> str:
    agreement = (
        f"The two losses agree within 10 % up to α = {upper}."
        if high > 0
        else f"The two losses differ by more than 10 % already at α = {first}."
    )
    return (
        f"{agreement} With the whole step (α = 1) the refined predictor "
        f"has loss {linear}, the network at θ0 + Δθ has {nonlinear}: {times}."
    )


def compare_note(first: str, second: str, rank: int) -> str:
    return f"Laid over {first}: dashed and marked (2), {second} at rank {rank:,}."


def slice_place(name: str, value: str, exact: bool, points: int) -> str:
    if exact:
        return f"{name} = {value}, {points:,} points of the grid"
    return f"The {points:,} points nearest to {name} = {value}"


def same_axes(name: str) -> str:
    return f"Both axes named the same input; the vertical one shows {name}."


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


def cancelled_at(stage: str, fraction: float, kept: bool) -> str:
    during = f" during “{stage}”" if stage else ""
    rest = "What it had found by then is kept." if kept else "Nothing of the result was kept."
    return f"Cancelled{during} at {min(1.0, max(0.0, fraction)):.0%}. {rest}"


def cannot_write(reason: str) -> str:
    return f"The run could not be written ({reason or 'no further reason'}). Make room on the disk or choose another folder with `--runs`."


def inputs(count: int) -> str:
    return "1 input" if count == 1 else f"{count:,} inputs"


def rank_sentence(parts: Parts, auto: int | None, knee: int, largest: int, rise: str) -> str:
    """`rise`: how many times higher the error that chooses is at the largest rank than at its smallest, empty if it is not."""
    after = f"Beyond the knee at rank {knee:,} each further direction gains little."
    if auto is None:
        return after
    first = f"{parts.choosing} is smallest at rank {auto:,}." + (" " + after if knee < auto else "")
    if rise:
        first += f" At the largest rank, {largest:,}, it is {rise} higher: {parts.rise}."
    return first


def fields_sentence(percent: float) -> str:
    shown = percent if percent in (0, 100) else min(99.9, max(0.1, percent))
    return f"At {shown:.3g} % of the points the refined predictor is closer to the truth than the network."


def takes(duration: str) -> str:
    return f"Takes about {duration} at the speed this machine has now."


def training_takes(epochs: list[int], duration: str) -> str:
    """What refining every checkpoint costs."""
    return (
        f"{len(epochs)} checkpoints, from epoch {epochs[0]:,} to {epochs[-1]:,}; about {duration} in all at the speed "
        "this machine has now."
    )


def parameters(free: int, total: int) -> str:
    return f"{free:,} parameters" if free == total else f"{free:,} of {total:,} parameters may move"


def strategy(name: str, reason: str) -> str:
    return f"{STRATEGIES.get(name, name)}: {reason}."


def health(adjoint: str, sketch: str | None) -> str:
    """What was checked before and after the run."""
    checks = f"Repeatable outputs. Forward and reverse derivatives agree to {adjoint}."
    if sketch is None:
        return checks
    return f"{checks} Directions left out of the sketch have singular values below about {sketch} (right in 99.999 % of runs)."


def use_largest(rank: int) -> str:
    return f"Use rank {rank:,}"


SHARES_TITLE = "Error against the share of parameters"
SHARES_LEAD = "How much of the network does the refinement need? The same refinement with only a part of the parameters free to move."
SHARES_NONE = "There is no other complete run of this problem with these settings yet; two shares make a line."


def shares_waiting(count: int) -> str:
    """How many runs of the series are on their way."""
    return f"{count} {'run is' if count == 1 else 'runs are'} queued or at work. You may leave the page; the figure grows as they end."


def shares_failed(shares: str) -> str:
    """Shares whose runs came to nothing."""
    return f"The run with a share of {shares} failed; open it from the list of runs on Overview to see why."


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
BLOCKS_CAPTION = "Residual blocks"
BLOCK_COLUMNS = ("Block", "Fitted points", "Weight", "Reads")


def norm_elsewhere(rank: int) -> str:
    """Why a norm is missing."""
    return f"At fitted points the refined field was put into the equation at the run's own rank {rank:,} only."


def equation_title(title: str) -> str:
    return f"The equation: {title}"


def domain(box: str, periods: str, exact: bool, hard: bool) -> str:
    """Where an equation holds, what its solution is known from, and how its conditions are met."""
    periodic = f", period {periods}" if periods else ""
    conditions = (
        "The network's formula meets the initial and boundary conditions by itself, so they need no rows."
        if hard
        else "Initial and boundary conditions are blocks of their own."
    )
    return f"{box}{periodic}. {'Exact solution' if exact else 'Reference solution, computed'}, only used to report errors. {conditions}"


SIGNATURES = {
    "degradation": "degradation (the error on samples held out rises again towards the largest rank)",
    "divergence on update": "divergence on update (the network with the step in its weights is worse than before)",
    "zero correction": "zero correction (no rank lowers the residual)",
}


def confidence(value: float) -> str:
    """How sure a verdict is."""
    word = "clear" if value >= 0.85 else "likely" if value >= 0.65 else "uncertain"
    return f"{word} ({value:.2f})"


def signatures(names: list[str]) -> str:
    """The failure signatures of the paper that a run shows."""
    return "Published failure signatures seen here: " + "; ".join(SIGNATURES.get(name, name) for name in names) + "."


def begun(sentence: str) -> str:
    """The same with a capital."""
    return sentence[:1].upper() + sentence[1:]
