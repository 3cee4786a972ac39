"""Refinements on the way of a training: the figures of a plain refinement, and a training that goes on as if alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.integrations.during import RefineDuring, keep_in
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Split
from lsr_core.refinement.refine import refine
from lsr_core.storage.runs import RunStore

RANK = 8


def data() -> list[Split]:
    x = torch.rand(90, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    y = torch.sin(3 * x[:, :1]) * x[:, 1:]
    return [Split(x[part::3], y[part::3]) for part in range(3)]


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 10), nn.Tanh(), nn.Dropout(0.1), nn.Linear(10, 1))


def trained(epochs: int, after: Any = None) -> nn.Sequential:
    """A loop of one's own; with dropout, so that a random number more or less would show."""
    model, (train, _, _) = network(), data()
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for epoch in range(epochs):
        optimiser.zero_grad()
        (model(train.inputs) - train.targets).square().mean().backward()
        optimiser.step()
        if after is not None:
            after(model, epoch)
    return model


def test_a_loop_of_ones_own_is_not_disturbed_and_its_gains_are_those_of_refine() -> None:
    during = RefineDuring(*data(), every=2, max_rank=RANK)
    watched, alone = trained(5, during), trained(5)
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(watched.state_dict()[name], value, rtol=0, atol=0)
    assert watched.training
    assert [gain.epoch for gain in during.gains] == [1, 3]
    plain = refine(SupervisedProblem("plain", trained(4).eval(), *data()), max_rank=RANK)
    assert during.gains[1].network == pytest.approx(plain.summary.base.test_mse, rel=1e-12)
    assert during.gains[1].refined == pytest.approx(plain.summary.refined.test_mse, rel=1e-9)
    assert during.gains[1].rank == plain.rank


def test_a_refinement_that_is_refused_does_not_end_the_training() -> None:
    during = RefineDuring(*data(), every=1, max_rank=10**6)
    trained(2, during)
    assert during.gains or list(during.failures) == [0, 1]
    wide = [Split(split.inputs, split.targets.repeat(1, 2)) for split in data()]
    refused = RefineDuring(*wide, every=1)
    trained(2, refused)
    assert refused.gains == []
    assert "(2, 1)" in refused.failures[0]


def test_results_become_runs(tmp_path: Path) -> None:
    during = RefineDuring(*data(), every=1, max_rank=RANK, on_result=keep_in(tmp_path))
    trained(1, during)
    (run,) = RunStore(tmp_path).list()
    assert run.status().status == "complete"
    assert run.summary.refined.test_mse == pytest.approx(during.gains[0].refined, rel=1e-12)


def test_what_cannot_tell_a_gain_is_refused() -> None:
    with pytest.raises(InputError, match="validation or for test"):
        RefineDuring(data()[0])
    with pytest.raises(InputError, match="every"):
        RefineDuring(*data(), every=0)


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # the library asks torch in its older way
def test_the_callback_of_lightning_logs_the_same_numbers(tmp_path: Path) -> None:
    """With the library itself, where the extra `lightning` is installed."""
    lightning = pytest.importorskip("lightning")
    from lsr_core.integrations.lightning import RefineCallback

    class Module(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = network()

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return (self.model(batch[0]) - batch[1]).square().mean()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 1e-2)

    train = data()[0]
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*train), batch_size=len(train.inputs))
    during = RefineDuring(*data(), every=2, max_rank=RANK)
    logger = lightning.pytorch.loggers.CSVLogger(tmp_path)
    trainer = lightning.Trainer(
        max_epochs=4, callbacks=[RefineCallback(during)], logger=logger, accelerator="cpu", enable_progress_bar=False,
        enable_checkpointing=False, enable_model_summary=False, log_every_n_steps=1,
    )  # fmt: skip
    trainer.fit(Module(), loader)
    assert [gain.epoch for gain in during.gains] == [1, 3]
    logged = [row["lsr/refined_mse"] for row in logger.experiment.metrics if "lsr/refined_mse" in row]
    written = (Path(logger.log_dir) / "metrics.csv").read_text()
    assert logged == [] or logged == [gain.refined for gain in during.gains]
    assert all(str(gain.refined) in written for gain in during.gains)
