"""Every word of the form in which an equation is typed."""

from __future__ import annotations

from collections.abc import Sequence

LEAD = (
    "Write the equation and its conditions as text. Nothing of it is executed: it is read as a formula, differentiated by the network’s own "
    "derivatives, and stored as text in the problem. The network for it is untrained, or one that you trained: see Network below."
)
READY = "Start from"
READY_HELP = "Fills the form with an equation that is ready, or with empty rows; everything can be changed afterwards."
EMPTY = "Nothing: an empty form"
FILL = "Fill the form"
FIRST = "heat"
TABLES = {
    "inputs": (
        "Inputs",
        "Names of the coordinates, and the interval of each. A number may be an expression such as 2*pi.",
    ),
    "equations": (
        "Equations inside",
        "One in a row: left = right, or an expression that should be zero. u_x, u_xx, u_xy are derivatives of u; where may name a part, such as "
        "y < 0.5 or inside core.",
    ),
    "conditions": (
        "Conditions",
        "Where: a face such as x = 0, several with commas, boundary for all of them, the name of a shape, a part such as x = 0 and y > 0.5, a "
        "place inside such as x = 0.3, domain for an integral, or x periodic, which names what is equal at both ends, such as u, u_x. "
        "dn(u) is the derivative along the outward normal.",
    ),
    "shapes": (
        "Shapes",
        "Names for parts of space: disk(x, y, radius), ball, ellipse(x, y, half axes, angle), box(from, to, …), polygon(x, y of each corner, …), "
        "polyhedron. A condition may hold at the edge of one, an equation inside or outside of it.",
    ),
    "constants": ("Constants", "Names for numbers, used in all expressions."),
    "solution": ("Known solution", "If there is one: the true error is then reported. It is never used to solve."),
}
COLUMNS = {
    "name": "Name", "from": "From", "to": "To", "equation": "Equation", "where": "Where", "points": "Points", "weight": "Weight",
    "shape": "Shape", "value": "Value", "output": "Output", "expression": "Expression",
}  # fmt: skip
COLUMN_HELP = {
    "points": "How many points are drawn; of a periodic condition, pairs of points.",
    "weight": "Of the mean square of this row in the loss.",
}
TITLE = "Title"
OUTPUTS = "Unknown functions"
OUTPUTS_HELP = "Names, separated by commas. A system has several."
DATA = "Measured values"
UNKNOWN = "Numbers to be found"
UNKNOWN_HELP = (
    "Names with the values that they start from, such as D = 0.1, k = 2. The equations use them; the data tell them."
)
NOISE = "Noise of a value"
NOISE_HELP = "Standard deviation of every value of the data. Without it, it is found from what is left of them."
DATA_HELP = (
    "One place in a line: the coordinates in the order of the inputs, then the value of the first unknown function."
)
DATA_EXAMPLE = "0.5, 0.1, 0.92"
COEFFICIENTS = "Coefficients from data"
COEFFICIENTS_HELP = (
    "A line such as k(x, y) linear, then one place in a line: the coordinates, then the value. Linear, nearest, or cubic where the places fill a "
    "grid. The data must cover the domain."
)
COEFFICIENTS_EXAMPLE = "k(x) linear\n0, 1.0\n1, 2.0"
TIMES = ("t", "time")  # inputs that are drawn on a scale of their own
DOMAIN = "Domain"
DOMAIN_HELP = (
    "Shapes combined by + (union), - (difference) and * (intersection); box is that of the inputs. Empty: the box."
)
DOMAIN_EXAMPLE = "box - hole"
NETWORK = "Network"
NETWORKS = {"untrained": "Untrained", "trained": "Trained weights"}
NETWORK_LEADS = {
    "untrained": "Fully connected, at a random start. It is not trained: the refinement does all of the work.",
    "trained": (
        "A chain of linear layers that you trained elsewhere, such as a PINN. It must take the coordinates as they stand in the equation, in the "
        "order of the inputs above, with no scaling before it and none after it."
    ),
}
PREDICTIONS_LABEL = "Some of its predictions, if you have them: .npz, .csv, .mat, …"
PREDICTIONS_HELP = "A file with inputs and the outputs of the network you saved. They show that the loaded network is yours, and tell its activation."
NO_PREDICTIONS = (
    "No predictions are given, so nothing shows that this is the network you trained: the activation and the order of its inputs cannot be "
    "seen from weights."
)
DIFFERS = "The network does not give the predictions of the file. The check goes on once it does, or once you say above that it is meant."
NO_WEIGHTS = "Upload the weights of the network, and the check goes on."
POINTS_SEED_HELP = "Of the points at which the equation is fitted and checked."
WIDTHS = "Hidden widths"
WIDTHS_HELP = "Neurons of each hidden layer, separated by commas."
ACTIVATION = "Activation"
SCALE = "First-layer scale"
SCALE_HELP = (
    "How fast the first layer varies: one number, or x = 2, t = 4 for each input. Too small and the field cannot vary fast enough, too large "
    "and it needs more directions. The search finds it without knowing the solution."
)
SEED = "Seed"
SEED_HELP = "Of the weights and of the points."
CIRCULAR = "Periodic inputs as cosine and sine"
CIRCULAR_HELP = "The network is then periodic by itself, and conditions of the kind x periodic hold exactly."
SEARCH = "Search the scale"
SEARCH_HELP = (
    "Tries some twenty scales with a refinement each, and takes the one with the smallest residual at fresh points."
)
SEARCH_BUSY = "A search is running on this server already. Try again when it is done."
MAKE = "Make the problem"
CHECK = "Check"
CHECK_LEAD = "Before anything is solved"
BLOCK_COLUMNS = ("Block", "Points", "Derivatives", "Linear", "Solution leaves")
BLOCK_CAPTION = "What the refinement is given"
GRAMMAR = "What can be written"
GRAMMAR_ROWS = (
    ("Numbers", "2, 0.5, 1e-3, pi, e"),
    ("Signs", "+ - * / ^ ( ) and one = in an equation; ** is ^"),
    ("Unknown functions", "u, and derivatives of any order up to 8, mixed ones too: u_x, u_xx, u_xt, u_xxxx"),
    (
        "Operators",
        "dx(k*dx(u, x), x), laplace(u), div(k*grad(u)), dot(vec(a, b), grad(u)), dn(u) at an edge, integral(u), integral(u, t, 0, t)",
    ),
    (
        "Where",
        "x = 0; x = 0, x = 1; boundary; hole; x = 0 and y > 0.5; x = 0.3 inside; y = x/2; domain; x periodic; inside core; outside core",
    ),
    (
        "Shapes",
        "disk, ball, ellipse, box, polygon, polyhedron (convex), combined by + - * or union(…), difference(…), intersection(…)",
    ),
    (
        "Functions",
        "sin cos tan asin acos atan sinh cosh tanh exp log sqrt abs sign step erf sigmoid; step(x) is 1 above zero and 0 below",
    ),
    ("Exponents", "numbers between -20 and 20"),
    ("Length", "500 characters, 30 operations inside one another"),
)
GRAMMAR_COLUMNS = ("What", "How")
NO_SOLUTION = "No solution is known, so the result will be judged by its residual at fresh points."
LINEAR = "Linear in the unknown: one refinement solves it."
NONLINEAR = "Not linear in the unknown: ask for some Gauss-Newton steps when you refine it."


def untrained(activation: str) -> str:
    return f"An equation that was typed, and a {activation} network at its random start."


def trained(file: str) -> str:
    return f"An equation that was typed, and the trained network of {file}."


def facts(n_rows: int, n_params: int, residual: str, *, trained: bool) -> str:
    word = "Your" if trained else "The untrained"
    return f"{n_rows:,} residuals, {n_params:,} parameters. {word} network leaves a residual of {residual}."


def missed(error: str, *, good: bool) -> str:
    said = f"Its relative L2 error against the known solution is {error}."
    return (
        said
        if good
        else f"{said} That is far off for a trained network: look at the order and the scaling of its inputs, and at the activation."
    )


def searching(done: int, scales: str, residual: str) -> str:
    return f"{done} tried; the last, {scales}, leaves {residual}"


def found(scales: str, residual: str) -> str:
    return f"The search took {scales}: residual {residual} at fresh points."


def drawn(variables: Sequence[str], conditions: Sequence[str]) -> str:
    there = f" Conditions: {', '.join(conditions)}." if conditions else ""
    return f"Where the points of every block lie, over {variables[0]} and {variables[1]}.{there}"
