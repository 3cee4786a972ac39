"""What a run leaves for other programs: predictions as CSV, its figures as JSON."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from lsr_core.problems.splits import Quantity, Split
from lsr_core.refinement.results import Sweep
from lsr_core.storage.runs import Run
from lsr_core.storage.steps import StepStore

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def predictions_csv(
    split: Split,
    network: Tensor,
    refined: Tensor,
    *,
    inputs: Sequence[Quantity] = (),
    outputs: Sequence[Quantity] = (),
) -> str:
    """Inputs, targets, network and refined predictor, one row a sample, every digit kept.

    Args:
        split: inputs (n, …) and targets (n, o).
        network: outputs (n, o) of the network at θ0.
        refined: outputs (n, o) of the refined predictor.
        inputs: names and units of the inputs; numbered if left out.
        outputs: the same for the outputs.
    """
    columns = [split.inputs.flatten(1), split.targets.flatten(1), network.flatten(1), refined.flatten(1)]
    input_labels = _labels(inputs, columns[0].shape[1], "input")
    output_labels = _labels(outputs, columns[1].shape[1], "output")
    header = [
        *input_labels,
        *(f"{part} {label}" for part in ("target", "network", "refined") for label in output_labels),
    ]
    values = np.concatenate([part.detach().cpu().double().numpy() for part in columns], axis=1)
    return table_csv(header, values)


def table_csv(header: Iterable[str], rows: np.ndarray) -> str:
    """A table of numbers (n, columns) as CSV; NaN is an empty cell."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in header])
    writer.writerows([["" if math.isnan(value) else repr(value) for value in row] for row in rows.tolist()])
    return stream.getvalue()


def run_json(run: Run) -> str:
    """All of a run's figures as one JSON object: manifest, status, summary, sweep; what is not finite is null.

    An iteration has its half steps and the looks at its baselines instead of a sweep.
    """
    record: dict[str, Any] = {
        "run": run.manifest.model_dump(mode="json"),
        "status": run.status().model_dump(mode="json"),
        "summary": None,
        "sweep": None,
        "spectrum": None,
    }
    if run.manifest.kind == "iterate":
        record |= _iteration(run)
    elif record["status"]["status"] == "complete":
        record["summary"] = run.summary.model_dump(mode="json")
        record["sweep"] = {
            field.name: np.asarray(getattr(run.sweep, field.name)).tolist() for field in dataclasses.fields(Sweep)
        }
        record["spectrum"] = {
            "singular_values": run.spectrum.singular_values.tolist(),
            "sketch_error": run.spectrum.sketch_error,
        }
    return json.dumps(finite(record), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _iteration(run: Run) -> dict[str, Any]:
    kept = StepStore(run.path)
    found = kept.summary()
    return {
        "summary": run.summary.model_dump(mode="json"),
        "iteration": None if found is None else found.model_dump(mode="json"),
        "steps": [step.model_dump(mode="json") for step in kept.steps()],
        "baselines": [point.model_dump(mode="json") for point in kept.baselines()],
    }


def finite(value: Any) -> Any:
    """The same JSON value with null in place of numbers that are not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return value


def _labels(quantities: Sequence[Quantity], count: int, kind: str) -> list[str]:
    if len(quantities) == count:
        return [f"{quantity.name} [{quantity.unit}]" if quantity.unit else quantity.name for quantity in quantities]
    return [f"{kind} {position + 1}" for position in range(count)]
