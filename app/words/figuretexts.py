"""What stands beside figures: titles, what they show, how to read them."""

from __future__ import annotations

from lsr_app.words import labfiguretexts, smoothingtexts
from lsr_app.words.wording import Words

FIGURES = {
    **{name: Words(*parts) for name, parts in smoothingtexts.FIGURES.items()},
    "function_errors": Words(
        "Errors of all functions",
        "The share of functions whose relative L2 error is below the value on the axis.",
        "Further left is better, and a step on the axis is a factor. A tail to the right is made of few functions that stay worse than the rest.",
    ),
    "typed_domain": Words(
        "The domain as it was understood",
        "The points of every block, over the first two inputs: inside in grey, conditions in colours.",
        "Look for holes where there should be none, and for conditions on the wrong side. Click a name to hide its points.",
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
        "What is broad and pale is the truth, and the closer to it the better; Error fields shows the differences enlarged.",
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
        "A steep fall means that few directions do the work. Values below the dashed sketch error are estimates only.",
    ),
    "condition": Words(
        "Condition number",
        "The condition number κ of the reduced matrix A = G V, as it is and with the scaled columns that are solved.",
        "The scaled one says how much rounding the solve magnifies; were it to reach the dashed line, 1/ε of the number type, no digit would "
        "be sure. The other one is what gradient methods in the coordinates of the weights have to cope with.",
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
    "error_sizes": Words(
        "Errors",
        "The sizes of the error of the network and of the refined predictor, and the ratio of the two.",
        "Both errors share one logarithmic scale unless each is given its own: a step on the colour bar is a factor, darker is better. In the "
        "ratio, blue means that refinement lowered the error there, orange that it raised it.",
    ),
    "parity": Words(
        "Predicted against true",
        "Each dot is a sample: the value that is true across, the value that is predicted up.",
        "On the dotted line both agree; the distance from it is the error.",
    ),
    "right_class": Words(
        "Probability of the right class",
        "Each dot is a sample: the probability that its right class is given by the network across, and by the refined predictor up.",
        "Above the dotted line refinement made the right class more probable.",
    ),
    "worst_samples": Words(
        "The worst samples",
        "The inputs at which the refined predictor errs most, the worst first.",
        "Beside each: what is true, and what network → refined predictor make of it.",
    ),
    "suite_errors": Words(
        "Errors beside what is published",
        "The relative L2 error of each equation that was solved here, and the smallest error that is published for it.",
        "Further left is better; the axis is logarithmic.",
    ),
    "importance": Words(
        "What goes with the error",
        "For each setting that is not the same in all these runs: how much of the order of their errors goes with it, by itself.",
        "Bars beyond the line are more than chance reaches in nineteen of twenty such tables. They say what went with the error and not why; of a "
        "number whose best value lies in the middle they show too little.",
    ),
    "compared_errors": Words(
        "Error against rank",
        "The reported error of each run at every rank, with a dot at the rank that is looked at.",
        "The dashed line is the network before refinement, one for each problem.",
    ),
    "compared_fields": Words(
        "Errors side by side",
        "The size of the error of each refined predictor at its own rank, and of the network where all start from the same.",
        "All share one logarithmic colour scale; darker is better.",
    ),
    "curves": Words(
        "Fields",
        "The truth, the network and the refined predictor at the selected rank over the single input.",
        "What is broad and pale is the truth; the refined predictor should lie along its middle.",
    ),
    "fitted_curves": Words(
        "Fields",
        "The samples that were fitted, the network and the refined predictor at the selected rank over the single input.",
        "There are no test data: what is between the samples is not measured.",
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
        "What is broad and pale is the truth; move the slice with the control above.",
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
        "The energy of both errors by frequency; all energies together are the mean square error over the area.",
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
        "are the mean square error over the area.",
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
    "three_lines": Words(
        "The three objects",
        "The truth, the network, the refined predictor, and the network with parameters θ0 + Δθ.",
        "The axis is held to the reach of the truth; the third object may leave it, because the step is meant for the linear model only.",
    ),
} | labfiguretexts.FIGURES


def beyond_axis(under: list[tuple[str, str]], over: list[tuple[str, str]]) -> str:
    """What curves go on to outside of the axis, as (curve, value)."""
    parts = [f"{name} goes on down to {value}" for name, value in under]
    parts += [f"{name} rises to {value}" for name, value in over]
    return f"Beyond the axis: {', '.join(parts)}." if parts else ""
