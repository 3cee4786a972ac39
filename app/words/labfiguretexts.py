"""What stands beside figures of experiments, of the lesson and of a training."""

from __future__ import annotations

from lsr_app.words.wording import Words

FIGURES = {
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
    "lesson_cells": Words(
        "What each remedy brings",
        "The smallest share of the loss reached so far: as the problem stands, in other coordinates, and the best of 20 starts of each.",
        "A line that ends below the dotted one has fitted the curve to three digits. Grey: as it stands; blue: other coordinates; dashed: 20 starts.",
    ),
    "lesson_bowl": Words(
        "Gradient descent in a valley",
        "The first 60 steps from (1, 1) over lines of equal loss.",
        "Along the valley the point creeps, κ² times as slowly as across it. A longer step is faster along it; beyond 2 the point leaves across it.",
    ),
    "lesson_precision": Words(
        "What short numbers leave of a solution",
        "The error of a least-squares solution against the rounding of its numbers; the median of nine problems with this condition number.",
        "Both lines rise with slope one, and a larger κ lifts them: the same numbers then give fewer digits. At one nothing of the solution is left.",
    ),
    "lesson_class": Words(
        "What this class predicted",
        "How many browsers on this server predicted each answer before they ran the experiment.",
        "The blue bar is the answer that was measured.",
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
        "The condition number κ(G V) in the coordinates of the weights at each checkpoint, at the rank chosen there.",
        "A large κ holds up gradient methods; the direct solve scales the columns first.",
    ),
    "training_spectra": Words(
        "Singular values along the training",
        "The singular values of the Jacobian at each checkpoint, early ones orange and late ones blue.",
        "The higher a line lies on the right, the more directions the solve can use.",
    ),
}
