"""DeepXDE: a trained model with its equation, its conditions and its points, and a callback that refines on the way."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import deepxde
import numpy as np
import torch

from lsr_core.errors import InputError, LSRError
from lsr_core.integrations.deepxde_blocks import DataBlocks, bounds, double, names_of_outputs, untouched, weighted
from lsr_core.problems.physics.places import places
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points
from lsr_core.problems.splits import Split
from lsr_core.refinement.refine import refine


def from_deepxde(model: Any, name: str = "deepxde", *, seed: int = 0) -> PhysicsProblem:
    """The problem that a `deepxde.Model` on `data.PDE` or `data.TimePDE` was trained for, fitted at its own training points.

    Residuals are the library's own code, evaluated in float64; loss weights are those of `compile`. Whatever loss the model was trained by,
    it is the sum of weighted mean squares that is made small. Trainable numbers beside the network
    (`dde.Variable`) keep the values that they have. A known solution is only reported.

    Args:
        model: compiled or trained, with the backend pytorch.
        name: of the problem.
        seed: from which fresh points are drawn, on which the rank is chosen.

    Raises:
        InputError: another backend or kind of data, auxiliary variables, a condition that is not known, or a residual that gives other numbers
            here than there.
    """
    if deepxde.backend.backend_name != "pytorch":
        raise InputError(f"runs on the backend {deepxde.backend.backend_name}; only pytorch is known", key="deepxde")
    data = model.data
    if not isinstance(data, deepxde.data.PDE) or data.auxiliary_var_fn is not None:
        raise InputError(
            f"is {type(data).__name__}; data.PDE and data.TimePDE without auxiliary variables are known", key="data"
        )
    net = copy.deepcopy(model.net).double().cpu().eval()
    with untouched(), double():
        domain, outputs = bounds(data.geom), names_of_outputs(net, data)
        made = DataBlocks(data, net, tuple(domain), outputs)
        blocks = weighted(made.all(), getattr(model, "loss_weights", None))
        given, fresh = draw_points(blocks, seed)
        where, graded_on = places(domain, blocks)
        solution = (
            None if data.soln is None else torch.as_tensor(np.asarray(data.soln(where.numpy())), dtype=torch.float64)
        )
    fitted = {block.name: made.points.get(block.name, given[block.name]) for block in blocks}
    return PhysicsProblem(
        name=name, model=net, equation=name, arguments={}, domain=domain, outputs=outputs, blocks=tuple(blocks), points=fitted, fresh=fresh,
        test=None if solution is None else Split(where, solution.reshape(len(where), -1)), seed=seed, graded_on=graded_on,
    )  # fmt: skip


class RefineModel(deepxde.callbacks.Callback):  # type: ignore[misc]  # no types where the library is not installed
    """For `model.train(callbacks=[…])`: every so many iterations, one refinement of the model as it stands.

    Args:
        every: iterations from one refinement to the next.
        on_result: called with the iteration and the refinement, for example `keep_in(…)` of `during`.
        settings: of `RefineConfig`.

    Attributes:
        gains: by iteration, the loss on fresh points of the network and of its refinement.
        failures: the sentence of each refinement that was refused; the training goes on.
    """

    def __init__(
        self, every: int = 1000, on_result: Callable[[int, Any], object] | None = None, **settings: Any
    ) -> None:
        super().__init__()
        if every < 1:
            raise InputError(f"is {every}; a refinement every 1 or more iterations can be asked for", key="every")
        self.every, self.on_result, self.settings = every, on_result, settings
        self.gains: dict[int, tuple[float, float]] = {}
        self.failures: dict[int, str] = {}

    def on_batch_end(self) -> None:
        """Called by the library after every iteration, and after every block of them with L-BFGS."""
        step = int(self.model.train_state.step)
        if step % self.every or step in self.gains:
            return
        with torch.random.fork_rng(devices=[]):
            try:
                found = refine(from_deepxde(self.model), **self.settings)
            except LSRError as error:
                self.failures[step] = str(error)
                return
        base, refined = found.summary.base, found.summary.refined
        self.gains[step] = (float(base.val_mse or math.nan), float(refined.val_mse or math.nan))
        if self.on_result is not None:
            self.on_result(step, found)
