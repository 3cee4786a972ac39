"""MLflow: a run's settings, figures, errors by rank, files, and the refined predictor as a model that needs torch only."""

from __future__ import annotations

import tempfile
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

from lsr_core.errors import LSRError
from lsr_core.integrations import told
from lsr_core.storage.runs import Run

MODEL = Path(__file__).with_name("mlflow_model.py")
_BATCH = 900  # metrics in one request; the server takes a thousand
NEEDS = ["torch", "numpy", "pandas"]


def log(run: Run, experiment: str, *, tracking_uri: str | None = None, model: bool = True) -> str:
    """Keep a complete refinement as a run of MLflow.

    Errors by rank are metrics whose step is the rank. The model is of the flavour pyfunc, made of code and the export `python`: it takes
    an array or a table (n, inputs) and gives an array (n, outputs).

    Args:
        run: complete, with a predictor.
        experiment: name; made if it is not there.
        tracking_uri: where; None = as MLflow is set up.
        model: whether the refined predictor is kept too.

    Returns:
        Id of MLflow's run.

    Raises:
        InputError: the network cannot be exported; leave the model out.
        LSRError: MLflow refuses, with its words.
    """
    try:
        return _log(mlflow.MlflowClient(tracking_uri), run, experiment, model)
    except MlflowException as error:
        raise LSRError(f"MLflow refuses: {' '.join(str(error).split())[:300]}") from error


def _log(client: mlflow.MlflowClient, run: Run, experiment: str, model: bool) -> str:
    known = client.get_experiment_by_name(experiment)
    place = known.experiment_id if known is not None else client.create_experiment(experiment)
    made = client.create_run(place, run_name=run.summary.problem[:200]).info.run_id
    try:
        _figures(client, made, run)
        with tempfile.TemporaryDirectory(prefix="lsr-mlflow-") as scratch:
            _files(client, made, run, Path(scratch), model)
    except BaseException:
        client.set_terminated(made, "FAILED")
        raise
    client.set_terminated(made, "FINISHED")
    return str(made)


def _figures(client: mlflow.MlflowClient, made: str, run: Run) -> None:
    client.log_batch(made, params=[Param(key, value) for key, value in told.settings(run).items()])
    single = [Metric(name, value, 0, 0) for name, value in told.figures(run.summary).items()]
    ranked = [Metric(name, value, 0, rank) for rank, values in told.by_rank(run) for name, value in values.items()]
    every = single + ranked
    for start in range(0, len(every), _BATCH):
        client.log_batch(made, metrics=every[start : start + _BATCH])


def _files(client: mlflow.MlflowClient, made: str, run: Run, scratch: Path, model: bool) -> None:
    (scratch / "verdict.md").write_text(told.verdict(run.summary), encoding="utf-8")
    (scratch / "summary.json").write_text(run.summary.model_dump_json(indent=1), encoding="utf-8")
    told.exported(run, "predictor", scratch / "predictor.safetensors")
    for name in ("verdict.md", "summary.json", "predictor.safetensors"):
        client.log_artifact(made, str(scratch / name))
    if model:
        told.exported(run, "python", scratch / "predictor.zip")
        mlflow.pyfunc.save_model(
            scratch / "model", python_model=str(MODEL), artifacts={"predictor": str(scratch / "predictor.zip")}, pip_requirements=NEEDS
        )  # fmt: skip
        client.log_artifacts(made, str(scratch / "model"), "model")
