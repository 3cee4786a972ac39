"""Linearized Subspace Refinement (Cao & Zhang 2026, arXiv 2601.13989): load a trained network, refine it by one direct solve.

    import lsr_core
    result = lsr_core.refine(lsr_core.load_problem("sine2d"))
    result.summary.base.test_mse, result.summary.refined.test_mse

Names are imported when first used, so that commands which need no network start at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lsr_core.version import VERSION

if TYPE_CHECKING:
    from lsr_core.diagnosis.loss_path import LossPath, loss_path
    from lsr_core.errors import Cancelled, CodeError, InputError, LSRError, NumericalError
    from lsr_core.kinds.classes.problem import ClassificationProblem, one_hot
    from lsr_core.kinds.data.problem import SupervisedProblem
    from lsr_core.kinds.operators import OperatorProblem
    from lsr_core.networks.functions import PureFunction
    from lsr_core.problems.physics.blocks import ResidualBlock, dirichlet
    from lsr_core.problems.physics.fields import Field
    from lsr_core.problems.physics.own import own_equation
    from lsr_core.problems.physics.polygons import Hull, Polygon, Rectangle
    from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
    from lsr_core.problems.physics.regions import Along, Within
    from lsr_core.problems.physics.samplers import Box
    from lsr_core.problems.physics.shapes import Ball, Ellipse
    from lsr_core.problems.splits import Architecture, MappedSplit, Quantity, Split
    from lsr_core.problems.streams import split_from_batches
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.refinement.predictor import RefinedPredictor
    from lsr_core.refinement.refine import refine, sweep
    from lsr_core.refinement.refined import Refinement
    from lsr_core.refinement.results import Sweep
    from lsr_core.storage.bundles import load_problem, save_problem
    from lsr_core.storage.export import load_predictor, save_predictor
    from lsr_core.storage.programs import load_program

__version__ = VERSION
_HOMES = {
    "lsr_core.diagnosis.loss_path": ("LossPath", "loss_path"),
    "lsr_core.errors": ("Cancelled", "CodeError", "InputError", "LSRError", "NumericalError"),
    "lsr_core.networks.functions": ("PureFunction",),
    "lsr_core.problems.physics.blocks": ("ResidualBlock", "dirichlet"),
    "lsr_core.problems.physics.fields": ("Field",),
    "lsr_core.problems.physics.own": ("own_equation",),
    "lsr_core.problems.physics.polygons": ("Hull", "Polygon", "Rectangle"),
    "lsr_core.problems.physics.regions": ("Along", "Within"),
    "lsr_core.problems.physics.samplers": ("Box",),
    "lsr_core.problems.physics.shapes": ("Ball", "Ellipse"),
    "lsr_core.problems.physics.problem": ("PhysicsProblem", "make_problem"),
    "lsr_core.kinds.classes.problem": ("ClassificationProblem", "one_hot"),
    "lsr_core.kinds.operators": ("OperatorProblem",),
    "lsr_core.problems.streams": ("split_from_batches",),
    "lsr_core.problems.splits": ("Architecture", "MappedSplit", "Quantity", "Split"),
    "lsr_core.kinds.data.problem": ("SupervisedProblem",),
    "lsr_core.refinement.config": ("RefineConfig",),
    "lsr_core.refinement.predictor": ("RefinedPredictor",),
    "lsr_core.refinement.refine": ("refine", "sweep"),
    "lsr_core.refinement.refined": ("Refinement",),
    "lsr_core.refinement.results": ("Sweep",),
    "lsr_core.storage.bundles": ("load_problem", "save_problem"),
    "lsr_core.storage.export": ("load_predictor", "save_predictor"),
    "lsr_core.storage.programs": ("load_program",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Along",
    "Architecture",
    "Ball",
    "Box",
    "Cancelled",
    "ClassificationProblem",
    "CodeError",
    "Ellipse",
    "Field",
    "Hull",
    "InputError",
    "LSRError",
    "LossPath",
    "MappedSplit",
    "NumericalError",
    "OperatorProblem",
    "PhysicsProblem",
    "Polygon",
    "PureFunction",
    "Quantity",
    "Rectangle",
    "RefineConfig",
    "RefinedPredictor",
    "Refinement",
    "ResidualBlock",
    "Split",
    "SupervisedProblem",
    "Sweep",
    "Within",
    "dirichlet",
    "load_predictor",
    "load_problem",
    "load_program",
    "loss_path",
    "make_problem",
    "one_hot",
    "own_equation",
    "refine",
    "save_predictor",
    "save_problem",
    "split_from_batches",
    "sweep",
]


if not TYPE_CHECKING:  # a type checker would take every name for one that there is

    def __getattr__(name: str) -> Any:
        if name not in _HOME_OF:
            raise AttributeError(f"module 'lsr_core' has no attribute {name!r}")
        return getattr(importlib.import_module(_HOME_OF[name]), name)
