"""Rows about a refined field, as the verdict on an equation takes them: those of the field's components, contracted."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.rows_about import rows_about
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.refinement.response import FieldRows


class Wavy(nn.Module):
    """No chain of layers, so that rows are made point by point."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.outside = nn.Linear(2, 5), nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.tanh(self.inside(x))
        return self.outside(hidden * torch.sin(hidden))


@pytest.mark.parametrize("chain", [True, False], ids=["layers", "any network"])
@pytest.mark.parametrize(
    "equation", ["u_t = u*u_xx - u^3", "u_t = u_xx + u*integral(u) - exp(-t)"], ids=["nonlinear", "integral"]
)
def test_a_row_for_each_residual_is_the_contraction_of_a_row_for_each_thing_read(equation: str, chain: bool) -> None:
    arguments = TypedArguments.model_validate(
        {
            "inputs": {"x": (0, 1), "t": (0, 1)},
            "equations": [{"equation": equation, "points": 9}],
            "conditions": [
                {"where": "t = 0", "equation": "u = cos(x)", "points": 5},
                {"where": "x periodic", "equation": "u, u_x", "points": 4},
            ],
        }
    )
    problem = problem_of(arguments, StartingNetwork(widths=[5]))
    torch.manual_seed(0)
    function = ParametricFunction.from_module(problem.model if chain else Wavy().double(), dtype=torch.float64)
    directions = torch.randn(function.n_params, 4, dtype=torch.float64)
    alpha = torch.randn(4, dtype=torch.float64)
    for block in block_rows(problem, function, check=False):
        read = block.residual.components()
        network = read.outputs(block.points)
        modes = read.at(block.points, network.shape[1], "row-blocks").matmat(directions)
        wanted = FieldRows(block.residual, block.points, network, modes).linearised(alpha)[0]
        field = network + (modes @ alpha).view_as(network)
        found = rows_about(block.residual, block.points, field, block.width) @ directions
        assert torch.allclose(found, wanted, rtol=1e-12, atol=1e-12 * float(wanted.abs().max()))
