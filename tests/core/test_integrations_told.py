"""MLflow, TensorBoard and the Hub are told what the run holds, and what comes back predicts the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lsr_app import cli
from lsr_core.errors import InputError
from lsr_core.jobs.queue import create
from lsr_core.jobs.worker import execute
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Architecture, Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage import bundles
from lsr_core.storage.export import load_predictor
from lsr_core.storage.runs import Run, RunStore
from tests.core.hubstand import Stand, serving


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    from lsr_core.networks import architectures

    torch.manual_seed(0)
    arguments = {"layers": [2, 8, 1]}
    model: nn.Module = architectures.build("mlp", arguments).double()
    x = torch.rand(90, 2, dtype=torch.float64)
    y = torch.sin(3 * x[:, :1]) * x[:, 1:]
    parts = [Split(x[place::3], y[place::3]) for place in range(3)]
    problem = SupervisedProblem("waves", model, *parts, architecture=Architecture("mlp", arguments))
    folder = tmp_path_factory.mktemp("told")
    made = create(
        RunStore(folder / "runs"),
        bundles.save_problem(folder / "bundle", problem),
        RefineConfig(max_rank=6),
        owner="me",
    )
    execute(made)
    return made


def predictions(run: Run) -> tuple[np.ndarray, np.ndarray]:
    from lsr_core.integrations import told

    path = run.path.parent.parent / "memory.safetensors"
    told.exported(run, "predictor", path)
    x = torch.rand(7, 2, dtype=torch.float64)
    return x.numpy(), load_predictor(path).predict(x).numpy()


@pytest.mark.filterwarnings("ignore:.*Any type hint")  # of the library's own examples of a model
def test_mlflow_holds_the_same_numbers_and_its_model_predicts_the_same(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
    from lsr_core.integrations import mlflow as ours

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a folder is enough here; its library asks for a database
    uri = f"file:{tmp_path / 'mlruns'}"
    made = ours.log(run, "waves", tracking_uri=uri)
    client = mlflow.MlflowClient(uri)
    kept = client.get_run(made)
    assert kept.info.status == "FINISHED"
    assert kept.data.metrics["lsr/refined/test_mse"] == run.summary.refined.test_mse
    assert kept.data.params["run"] == run.id
    ranked = {metric.step: metric.value for metric in client.get_metric_history(made, "lsr/by_rank/test_mse")}
    assert ranked == pytest.approx(dict(enumerate(run.sweep.test_mse)), rel=1e-12)
    names = {entry.path for entry in client.list_artifacts(made)}
    assert {"verdict.md", "summary.json", "predictor.safetensors", "model"} <= names
    mlflow.set_tracking_uri(uri)
    x, wanted = predictions(run)
    loaded = mlflow.pyfunc.load_model(str(Path(client.download_artifacts(made, "model"))))
    np.testing.assert_allclose(loaded.predict(x), wanted, rtol=1e-12)


def test_tensorboard_has_a_curve_by_rank(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from lsr_core.integrations import tensorboard as ours

    place = ours.log(run, tmp_path)
    read = EventAccumulator(str(place)).Reload()
    curve = {event.step: event.value for event in read.Scalars("lsr/by_rank/test_mse")}
    assert curve == pytest.approx(dict(enumerate(run.sweep.test_mse)), rel=1e-6)  # single precision in its files
    assert "lsr/verdict/text_summary" in read.Tags()["tensors"]


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    pytest.importorskip("huggingface_hub", reason="the extra `hub` is not installed")
    import huggingface_hub

    with serving() as made:
        monkeypatch.setattr(
            "lsr_core.integrations.hub.HfApi",
            lambda: huggingface_hub.HfApi(endpoint=made.address, token="hf_of_nobody"),
        )
        yield made


def test_a_predictor_goes_to_the_hub_and_comes_back(
    run: Run, stand: Stand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["push", str(run.path), "hf:me/waves", "--json"]) == 0
    assert "commit" in json.loads(capsys.readouterr().out)["place"]
    assert set(stand.files["me/waves"]) == {"README.md", "predictor.safetensors", "summary.json"}
    assert stand.private["me/waves"]
    card = stand.files["me/waves"]["README.md"].decode()
    assert card.startswith("---\nlibrary_name: lsr-explorer\n")
    assert run.summary.verdict is not None
    assert run.summary.verdict.sentence in card
    assert f"| refined/test_mse | {run.summary.refined.test_mse:.6g} |" in card
    assert cli.run(["pull", "hf:me/waves", "--out", str(tmp_path / "got"), "--json"]) == 0
    x, wanted = predictions(run)
    found = load_predictor(tmp_path / "got" / "predictor.safetensors").predict(torch.from_numpy(x))
    np.testing.assert_array_equal(found.numpy(), wanted)


def test_the_bundle_goes_too_when_it_is_asked_for(run: Run, stand: Stand, tmp_path: Path) -> None:
    from lsr_core.integrations import hub

    hub.push(run, "me/data", data=True, private=False)
    assert not stand.private["me/data"]
    hub.pull("me/data", tmp_path / "got")
    problem = bundles.load_problem(tmp_path / "got" / "problem")
    assert problem.name == "waves"


def test_what_is_not_there_is_told_in_a_sentence(stand: Stand, tmp_path: Path) -> None:
    from lsr_core.integrations import hub

    with pytest.raises(InputError, match="the Hub refuses"):
        hub.pull("me/nothing", tmp_path / "a")
    stand.files["me/other"] = {"evil.py": b"import os", "README.md": b"words"}
    with pytest.raises(InputError, match="has no predictor"):
        hub.pull("me/other", tmp_path / "b")
    assert not (tmp_path / "b" / "evil.py").exists()
    with pytest.raises(InputError, match="write owner/name"):
        hub.pull("me/a/b", tmp_path / "c")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("waves", "give hf: with owner/name"),
        ("s3:bucket", "give hf: with owner/name"),
        ("hf:", "give hf: with owner/name"),
    ],
)
def test_other_targets_are_refused(target: str, words: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["push", str(run.path), target, "--json"]) == 2
    assert words in json.loads(capsys.readouterr().out)["error"]["message"]


def test_settings_without_use_are_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["push", str(run.path), "tensorboard:logs", "--public", "--json"]) == 2
    assert "has no use for it" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_the_trainer_of_neuraloperator_is_watched() -> None:
    """By its interface: the loop of its `train_one_epoch`, dictionaries as batches, a processor that normalises."""
    from lsr_core.integrations import neuraloperators
    from lsr_core.integrations.during import RefineDuring

    class Processor(nn.Module):
        def preprocess(self, given: dict[str, Any]) -> dict[str, Any]:
            return {**given, "x": given["x"] * 2, "y": given["y"] + 1 if self.training else given["y"]}

    class Trainer:
        def __init__(self) -> None:
            self.model = nn.Sequential(nn.Conv1d(1, 3, 3, padding=1), nn.Tanh(), nn.Conv1d(3, 1, 1))
            self.epochs: list[int] = []

        def train_one_epoch(self, epoch: int, loader: Any, loss: Any) -> str:
            self.model.train()
            self.epochs.append(epoch)
            return "metrics"

    batches = [{"x": torch.rand(5, 1, 6), "y": torch.rand(5, 1, 6)} for _ in range(3)]
    processor = Processor().eval()
    x, y = neuraloperators.samples(batches, processor)
    assert not processor.training
    torch.testing.assert_close(x, 2 * torch.cat([batch["x"] for batch in batches]))
    torch.testing.assert_close(y, 1 + torch.cat([batch["y"] for batch in batches]))
    trainer, during = Trainer(), RefineDuring((x, y), (x, y), every=2, max_rank=4)
    neuraloperators.watch(trainer, during)
    assert [trainer.train_one_epoch(epoch, batches, None) for epoch in range(4)] == ["metrics"] * 4
    assert [gain.epoch for gain in during.gains] == [1, 3]
    assert trainer.model.training
    with pytest.raises(InputError, match="needs x and y"):
        neuraloperators.samples([{"x": x}])


@pytest.mark.slow
@pytest.mark.always
@pytest.mark.filterwarnings("ignore:FNO.forward", "ignore:LpLoss.__call__")  # its trainer hands everything to both
def test_an_fno_trained_by_neuraloperator_is_refined_on_the_way() -> None:
    neuralop = pytest.importorskip("neuralop", reason="the extra `neuraloperator` is not installed")
    from lsr_core.integrations import neuraloperators
    from lsr_core.integrations.during import RefineDuring

    torch.manual_seed(0)
    x = torch.rand(24, 1, 16)
    y = x.roll(1, -1) ** 2
    data = [{"x": one, "y": other} for one, other in zip(x, y, strict=True)]
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    model = neuralop.models.FNO(n_modes=(4,), in_channels=1, out_channels=1, hidden_channels=4, n_layers=1)
    trainer = neuralop.Trainer(model=model, n_epochs=2)
    during = RefineDuring(neuraloperators.samples(loader), neuraloperators.samples(loader), every=1, max_rank=8)
    neuraloperators.watch(trainer, during)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    loss = neuralop.losses.LpLoss(d=1)
    trainer.train(
        loader, {}, optimiser, torch.optim.lr_scheduler.StepLR(optimiser, 10), training_loss=loss, eval_losses={}
    )
    assert not during.failures
    assert [gain.epoch for gain in during.gains] == [0, 1]
    assert all(gain.refined < gain.network for gain in during.gains)


@pytest.mark.slow
@pytest.mark.always
@pytest.mark.filterwarnings(
    "ignore:You defined a `validation_step`", "ignore:.*LeafSpec:FutureWarning"
)  # its solvers, its trainer
def test_a_solver_of_pina_is_refined_by_the_callback_of_lightning() -> None:
    pytest.importorskip("pina", reason="the extra `pina` is not installed")
    pytest.importorskip("lightning")
    from pina import Condition, LabelTensor, Trainer
    from pina.model import FeedForward
    from pina.problem import BaseProblem
    from pina.solver import SupervisedSingleModelSolver

    from lsr_core.integrations.during import RefineDuring
    from lsr_core.integrations.lightning import RefineCallback

    torch.manual_seed(0)
    x = torch.rand(60, 2)
    y = torch.sin(3 * x[:, :1]) * x[:, 1:]

    class Waves(BaseProblem):
        input_variables = ("x", "t")
        output_variables = ("u",)
        conditions = {"data": Condition(input=LabelTensor(x, ["x", "t"]), target=LabelTensor(y, ["u"]))}  # noqa: RUF012

    solver = SupervisedSingleModelSolver(
        problem=Waves(), model=FeedForward(2, 1, inner_size=8, n_layers=1), use_lt=False
    )
    during = RefineDuring((x[::2], y[::2]), (x[1::2], y[1::2]), every=1, max_rank=6)
    trainer = Trainer(
        solver=solver, max_epochs=2, accelerator="cpu", callbacks=[RefineCallback(during)], logger=False,
        enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.train()
    assert not during.failures
    assert [gain.epoch for gain in during.gains] == [0, 1]
