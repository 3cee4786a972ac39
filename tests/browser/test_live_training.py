"""A training of Lightning with its callback, looked at in the dashboard while it goes on; its MLflow run holds the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect

from lsr_app.reading import rundata
from lsr_app.words import formats
from lsr_core.integrations.during import RefineDuring, keep_in
from lsr_core.refinement.refined import Refinement
from tests.browser.conftest import Server
from tests.browser.journeys import expect_listed, visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]  # of the trainer, about its own


def test_every_refinement_is_there_while_the_training_goes_on(
    page: Page, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lightning = pytest.importorskip("lightning.pytorch", reason="the extra `lightning` is not installed")
    mlflow = pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
    from lightning.pytorch.loggers import MLFlowLogger

    from lsr_core.integrations.lightning import RefineCallback

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    torch.manual_seed(0)
    inputs = torch.rand(240, 2)
    targets = torch.sin(3 * inputs[:, :1]) * torch.cos(2 * inputs[:, 1:])
    parts = [(inputs[place::3], targets[place::3]) for place in range(3)]
    shown: list[tuple[int, str, float]] = []
    keep = keep_in(server.store.root)

    def look(epoch: int, found: Refinement) -> None:
        run: Any = keep(epoch, found)
        assert trainer.current_epoch == epoch < trainer.max_epochs  # the training has not ended
        visit(page, run=run.id)
        _, _, _, refined = rundata.read(run).headline(run.summary.rank)
        expect(page.locator(".lsr-number .lsr-refined").first).to_have_text(formats.error(refined))
        expect_listed(page, "live waves")
        shown.append((epoch, run.id, run.summary.refined.test_mse))

    class Module(lightning.LightningModule):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))

        def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
            return (self.model(batch[0]) - batch[1]).square().mean()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 3e-3)

    during = RefineDuring(*parts, every=4, name="live waves", on_result=look, max_rank=20)
    uri = f"file:{tmp_path / 'mlruns'}"
    logger = MLFlowLogger("training", tracking_uri=uri)
    trainer = lightning.Trainer(
        max_epochs=9, accelerator="cpu", logger=logger, callbacks=[RefineCallback(during)], enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1,
    )  # fmt: skip
    trainer.fit(Module(), torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*parts[0]), batch_size=40))

    assert during.failures == {}
    assert [epoch for epoch, _, _ in shown] == [3, 7]
    client = mlflow.MlflowClient(uri)
    told = client.get_metric_history(logger.run_id, "lsr/refined_mse")
    assert [metric.value for metric in told] == [value for _, _, value in shown]
    for (_, run, _), gain in zip(shown, during.gains, strict=True):
        assert server.run(run).summary.base.test_mse == gain.network
        assert server.run(run).summary.rank == gain.rank
