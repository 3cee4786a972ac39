"""A classifier made ready for one refinement: as the rows of a least-squares problem."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.kinds.classes.problem import ClassificationProblem
from lsr_core.kinds.data import preparing
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.classifiers import ClassRows, class_rows
from lsr_core.networks.footprints import FORWARD_BYTES, peak_of, samples_within
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.measures import CHUNK
from lsr_core.refinement.setting import Outline, Setting, converted


@dataclass(frozen=True, eq=False)
class ClassSetting(Setting):
    """`splits` holds the rows to be met; `labelled` the same inputs with one-hot targets."""

    labelled: dict[str, Split]

    @property
    def rows(self) -> ClassRows:
        module = self.function.module
        assert isinstance(module, ClassRows)
        return module


def outline(problem: ClassificationProblem, config: RefineConfig) -> Outline:
    """As `data.preparing.outline`, for the rows of a classifier."""
    return preparing.outline(_regression(problem, config, with_targets=False), _inside(config))


def prepare(problem: ClassificationProblem, config: RefineConfig) -> ClassSetting:
    """As `data.preparing.prepare`, for the rows of a classifier."""
    ready = preparing.prepare(_regression(problem, config, with_targets=True), _inside(config))
    function = ready.function
    labelled = {name: converted(split, function.dtype, function.device) for name, split in problem.splits().items()}
    return ClassSetting(**{**vars(ready), "kind": problem.kind, "config": config}, labelled=labelled)


def _inside(config: RefineConfig) -> RefineConfig:
    """Patterns of layers as they are called within `ClassRows`, whose rows have weights already."""
    layers = config.layers and f"network.{config.layers}"
    return config.model_copy(update={"layers": layers, "standardise": "no"})


def _regression(problem: ClassificationProblem, config: RefineConfig, *, with_targets: bool) -> SupervisedProblem:
    """The least-squares problem; without targets where only shapes matter."""
    probabilities = config.linearised == "probabilities"
    splits = problem.splits()
    if with_targets and not probabilities:
        exact = class_rows(copy.deepcopy(problem.model), probabilities=False).double()
        splits = {name: Split(split.inputs, _targets(exact, split)) for name, split in splits.items()}
    return SupervisedProblem(
        problem.name,
        class_rows(problem.model, probabilities=probabilities),
        splits["train"],
        splits.get("validation"),
        splits.get("test"),
        splits.get("grid"),
    )


@torch.no_grad()
def _targets(rows: ClassRows, split: Split) -> Tensor:
    few = _double(split.inputs[:1]).expand(2, *split.inputs.shape[1:]).contiguous()
    samples = samples_within(FORWARD_BYTES, peak_of(lambda: rows.targets(few, split.targets[:1].double())) // 2, CHUNK)
    blocks = zip(split.inputs.split(samples), split.targets.split(samples), strict=True)
    return torch.cat([rows.targets(_double(inputs), targets.double()) for inputs, targets in blocks])


def _double(inputs: Tensor) -> Tensor:
    return inputs.double() if inputs.is_floating_point() else inputs
