"""An exported file against the predictor in memory: read in a fresh process, before anybody gets it."""

from __future__ import annotations

import copy
import inspect
import math
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.taking import in_precision
from lsr_core.portable.form import Standalone
from lsr_core.portable.forms import form_of
from lsr_core.portable.measured import relative_error
from lsr_core.portable.runner import STD
from lsr_core.problems.splits import Split
from lsr_core.refinement.predictor import RefinedPredictor

BATCHES = (1, 17, 300)
CHUNK = 4096
# relative difference of standard deviations: far from the samples they are what is left of rows less their part in the subspace, which cancels
DEVIATIONS = {torch.float64: 1e-7, torch.float32: 1e-3}
# A long step J(x) Δθ is a small sum of large terms, and no two programs round them alike: up to so many times what the last digit of Δθ makes
# of it, and up to this difference, the file is as right as the predictor in memory.
DIGITS, MOST = 100, 1e-6
LAST = 16  # of the last digits: enough that they do not round to none
SECONDS = 300
_OTHERWISE = {
    torch.float32: "With a long step J(x) Δθ is a small sum of large terms, which float32 cannot hold: export in float64, or at a lower rank",
    torch.float64: "Export the format `predictor`",
}
RUNNER = Path(__file__).with_name("runner.py")


@dataclass(frozen=True)
class Check:
    """How a file agrees with the predictor in memory.

    Attributes:
        difference: the largest |file − memory| over the batches, over the largest |memory| in them.
        tolerance: that it was held against.
        file_error: relative L2 error ‖q − y‖/‖y‖ of what the file computes, on the split; NaN for an equation whose solution nobody knows.
        memory_error: the same of the predictor in memory in its own dtype.
        split: its name.
    """

    difference: float
    tolerance: float
    file_error: float
    memory_error: float
    split: str

    @property
    def sentence(self) -> str:
        errors = f"; {self.split} error {self.file_error:.3e}, in memory {self.memory_error:.3e}"
        return (
            f"Checked in a fresh process at batch sizes {', '.join(map(str, BATCHES))}: max|difference|/max|q| = {self.difference:.1e} "
            f"(at most {self.tolerance:.0e} allowed){'' if math.isnan(self.memory_error) else errors}."
        )


def tolerance(form: str, dtype: torch.dtype) -> float:
    """Largest max|difference|/max|q| with which a file is given out."""
    return 1e-12 if dtype == torch.float64 else standalone_of(form).single


def standalone_of(form: str) -> Standalone:
    """How files of this form are written and read.

    Raises:
        InputError: there is no such form, or it needs this package.
    """
    found = form_of(form).standalone
    if found is None:
        raise InputError(f"is {form!r}, which is no form that runs without this package", key="format")
    return found


def reader_text(form: str) -> str:
    """The function that reads a form as a file of its own, for the runner."""
    read = standalone_of(form).read
    return (
        f"from __future__ import annotations\n\n{textwrap.dedent(inspect.getsource(read))}\n\nread = {read.__name__}\n"
    )


def check(
    path: Path, form: str, predictor: RefinedPredictor, exact: RefinedPredictor, named: tuple[str, Split]
) -> Check:
    """Compare a written file with the predictor in memory.

    Args:
        predictor: in the dtype of the file.
        exact: in the dtype of Δθ.
        named: name of a split and the split, whose inputs are used.

    Raises:
        InputError: the file cannot be read in a fresh process, or what it computes differs by more than the tolerance.
    """
    name, split = named
    dtype = predictor.dtype
    inputs = in_precision(split.inputs, dtype)
    batches = {f"batch_{size}": spread(inputs, size) for size in BATCHES}
    pieces = {f"part_{place}": part for place, part in enumerate(inputs.split(CHUNK))}
    found = evaluate(path, form, {**batches, **pieces})
    allowed = tolerance(form, dtype)
    memory = {key: predictor.predict(batch) for key, batch in batches.items()}
    scale = max(
        float(values.abs().max()) for values in memory.values()
    )  # one sample alone may lie where the field is zero
    worst = 0.0
    for key, values in memory.items():
        if found[key].shape != values.shape:
            raise InputError(f"the file gives {tuple(found[key].shape)}, expected {tuple(values.shape)}", key="format")
        difference = float((found[key] - values).abs().max()) / (scale or 1.0)
        worst = max(worst, difference if math.isfinite(difference) else math.inf)
    if worst > allowed and dtype == torch.float64:
        allowed = max(allowed, min(MOST, DIGITS * _last_digit(predictor, batches, memory) / (scale or 1.0)))
    if worst > allowed:
        raise InputError(
            f"the file in {form} differs from the predictor in memory by {worst:.1e} of its largest value, more than {allowed:.0e}; "
            f"it was not kept. {_OTHERWISE[dtype]}",
            key="format",
        )
    _check_deviations(form, predictor, batches, found)
    outputs = torch.cat([found[key] for key in pieces])
    precise = exact.predict(split.inputs)
    return Check(worst, allowed, relative_error(outputs, split), relative_error(precise, split), name)


def _last_digit(predictor: RefinedPredictor, batches: Mapping[str, Tensor], memory: Mapping[str, Tensor]) -> float:
    """How far predictions move, for each last digit by which the entries of Δθ move at random."""
    moved = copy.deepcopy(predictor)
    generator = torch.Generator().manual_seed(0)
    for step in moved.delta.values():
        digits = LAST * torch.randn(step.shape, generator=generator, dtype=torch.float64)
        step.mul_(1 + torch.finfo(predictor.dtype).eps * digits.to(step.device))
    return max(float((moved.predict(batch) - memory[key]).abs().max()) for key, batch in batches.items()) / LAST


def _check_deviations(
    form: str, predictor: RefinedPredictor, batches: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> None:
    if predictor.spread is None:
        return
    allowed = DEVIATIONS[predictor.dtype]
    for key, batch in batches.items():
        _, std = predictor.predict(batch, std=True)
        given = found.get(f"{key}{STD}")
        gap = math.inf if given is None or given.shape != std.shape else float((given / std - 1).abs().max())
        if not gap <= allowed:
            raise InputError(
                f"standard deviations of the file in {form} differ from those in memory by {gap:.1e}, more than {allowed:.0e}; it was not "
                f"kept. {_OTHERWISE[predictor.dtype]}",
                key="format",
            )


def evaluate(path: Path, form: str, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a file computes, in a process of its own in which this package cannot be imported.

    Raises:
        InputError: it cannot be read or run there.
    """
    with tempfile.TemporaryDirectory(prefix="lsr-check-") as scratch:
        reader, given, results = (Path(scratch) / name for name in ("reader.py", "inputs.npz", "outputs.npz"))
        reader.write_text(reader_text(form), encoding="utf-8")
        np.savez(given, allow_pickle=False, **{name: value.cpu().numpy() for name, value in inputs.items()})
        command = [sys.executable, "-P", str(RUNNER), str(reader), str(path.resolve()), str(given), str(results)]
        try:
            done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"the check of the file took more than {SECONDS} s; it was not kept", key="format"
            ) from error
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            plainly = f"a fresh process could not run the file ({last[:300]}); export the format `predictor`"
            raise InputError(standalone_of(form).explain(last) or plainly, key="format")
        with np.load(results, allow_pickle=False) as read:
            return {name: torch.from_numpy(read[name]) for name in read.files}


def spread(inputs: Tensor, size: int) -> Tensor:
    """`size` samples spread evenly over the inputs, again from the start where there are fewer."""
    return inputs[(torch.arange(size) * max(1, len(inputs) // size)) % len(inputs)]
