"""TensorBoard: a run's errors by rank as curves, its figures and its verdict as text."""

from __future__ import annotations

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from lsr_core.integrations import told
from lsr_core.storage.runs import Run


def log(run: Run, folder: Path) -> Path:
    """Write a complete refinement into a folder of its own below `folder`; the step of every curve is the rank.

    Returns:
        The folder that was written.
    """
    place = folder / run.id
    with SummaryWriter(str(place)) as writer:
        for rank, values in told.by_rank(run):
            for name, value in values.items():
                writer.add_scalar(name, value, rank)
        for name, value in told.figures(run.summary).items():
            writer.add_scalar(name, value, run.summary.rank)
        writer.add_text(f"{told.PREFIX}/verdict", told.verdict(run.summary))
        rows = "\n".join(f"| {name} | {value} |" for name, value in told.settings(run).items())
        writer.add_text(f"{told.PREFIX}/settings", f"| setting | value |\n|---|---|\n{rows}")
    return place
