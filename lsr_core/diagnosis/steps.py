"""The network at θ0 + Δθ: the nonlinear object that the refined predictor is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from lsr_core.networks.classifiers import ClassRows
from lsr_core.networks.footprints import FORWARD_BYTES, footprint, samples_within
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Fields
from lsr_core.refinement.setting import in_precision_of


def with_parameter_steps(refinement: Refinement) -> Fields:
    """The fields of a refinement with the network's outputs at θ0 + Δθ for every rank of the ladder filled in."""
    fields = refinement.fields
    function = refinement.setting.function.single_precision()  # the fields are kept in float32
    split = refinement.setting.splits[fields.split]
    points = torch.as_tensor(refinement.display_points[fields.stepped_points], device=split.inputs.device)
    inputs = in_precision_of(function, split.inputs[points])
    rows = function.module
    chunk = len(inputs)
    if refinement.setting.sample_wise:
        chunk = samples_within(FORWARD_BYTES, footprint(function, inputs).live, len(inputs))
    stepped = []
    for _, delta in refinement.deltas(fields.ranks.tolist()):
        outputs = function.outputs(inputs, theta=function.theta0 + delta.float(), chunk=chunk)
        if isinstance(rows, ClassRows):
            with torch.no_grad():
                outputs = rows.probabilities(inputs, outputs)
        stepped.append(refinement.setting.physical(outputs).cpu().numpy())
    return replace(fields, stepped=np.stack(stepped))
