"""An entry of a suite: an equation, a network for it, and the way it is solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lsr_core.networks import architectures
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.splits import Architecture
from lsr_core.suites.references import REFERENCES

Way = Literal["refine", "train", "solve"]


@dataclass(frozen=True)
class SuiteEntry:
    """One equation of a suite; no recipe looks at the solution.

    Attributes:
        name: in the table.
        equation: name in the library, `typed` for one that is written out.
        options: its arguments.
        widths: of the hidden layers.
        activation: of the network.
        scale: of the first layer, by input or one number.
        circular: whether inputs in which the solution is periodic become cosine and sine.
        way: `refine` an untrained network, `train` it by Levenberg-Marquardt and refine it then, or `solve` in windows of time.
        settings: of that way's last step.
        training: of the step before it, arguments of `trained`.
        published: smallest error that is published, and known to this list.
        reference: name of a computed solution that errors are measured against, where there is no formula.
        reference_error: of the solution that errors are measured against; zero for a formula.
        source: of the published figure.
    """

    name: str
    equation: str
    options: Mapping[str, Any]
    widths: tuple[int, ...] = (64, 64)
    activation: str = "tanh"
    scale: Mapping[str, float] | float = 2.0
    circular: bool = False
    way: Way = "refine"
    settings: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    published: float | None = None
    reference: str | None = None
    reference_error: float | None = 0.0
    source: str = ""

    def problem(self, seed: int) -> PhysicsProblem:
        """With the network at its random start; weights, points and sketches have the same seed."""
        equation = build(
            self.equation, {**self.options, **({"circular": self.circular} if self.equation == "typed" else {})}
        )
        scale = self.scale if isinstance(self.scale, Mapping) else dict.fromkeys(equation.domain, self.scale)
        arguments: dict[str, Any] = {
            "layers": [len(equation.domain), *self.widths, len(equation.outputs)],
            "domain": {name: list(bounds) for name, bounds in equation.domain.items()},
            "activation": self.activation,
            "first_layer": {"scale": dict(scale)},
            "seed": seed,
        }
        if self.circular:
            arguments["features"] = [
                {"kind": "periodic", "input": name, "period": value} for name, value in equation.periods.items()
            ]
        if equation.transform is not None and self.way != "solve":
            arguments["output"] = {"name": equation.transform[0], "arguments": dict(equation.transform[1])}
        model = architectures.build("pinn-mlp", arguments).double().eval()
        made = Architecture("pinn-mlp", arguments)
        problem = make_problem(equation, model, name=self.name, seed=seed, architecture=made)
        return problem if self.reference is None else replace(problem, test=REFERENCES[self.reference](), grid=None)
