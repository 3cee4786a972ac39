"""The `lsr` command: results as JSON, and one line and one exit code for whatever goes wrong."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lsr_app import cli
from lsr_app.commands import dashboard
from lsr_app.serve.order import Order
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.lab.records import RaceRecord
from lsr_core.networks import architectures
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.problem import make_problem
from lsr_core.problems.splits import Architecture, Split
from lsr_core.storage import inside
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_core.storage.export import load_predictor, read_predictor_description
from lsr_core.storage.lab import read_experiment
from lsr_core.storage.runs import Run, RunStore
from lsr_samples import train_poisson_untrained
from tests import bundles
from tests.foreign.networks import with_equation

REFINE_KEYS = {
    *("run", "problem", "n_params", "n_residuals", "dtype", "device", "seed", "max_rank", "rank", "rank_choice"),
    *("base", "refined", "condition_number", "solved_condition_number", "delta_norm", "theta_norm", "residual_norm"),
    *("seconds", "peak_rss_bytes", "status"),
}
QUANTILE_KEYS = {"median", "p90", "p99", "max"}
ERROR_KEYS = {"train_mse", "val_mse", "test_mse", "test_relative_l2", "relative_l2"}


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout; constants that JSON does not know are refused."""
        value = json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
        assert isinstance(value, dict)
        return value

    def refused(self, *words: str, code: int = 2) -> None:
        """Exactly one line on stderr, with these words, no traceback, and the exit code of bad input."""
        assert self.code == code, self.err
        assert len(self.err.splitlines()) == 1, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in self.err


@pytest.fixture
def lsr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LSR_RUNS", raising=False)

    def call(*arguments: str | Path) -> Result:
        capsys.readouterr()
        code = cli.run([str(argument) for argument in arguments])
        return Result(code, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder of runs with one complete run of the tiny bundle."""
    folder = tmp_path_factory.mktemp("made")
    bundles.write(folder / "bundle")
    store = folder / "runs"
    assert cli.run(["refine", str(folder / "bundle"), "--max-rank", "12", "--runs", str(store)]) == 0
    return store, RunStore(store).list()[0].id


def test_refine_prints_what_scripts_rely_on(lsr: Any, tmp_path: Path) -> None:
    bundles.write(tmp_path / "bundle")
    result = lsr("refine", "bundle", "--max-rank", "12", "--seed", "3", "--rcond", "1e-14", "--json")
    assert result.code == 0, result.err
    record = result.json
    assert set(record) >= REFINE_KEYS
    assert set(record["base"]) == set(record["refined"]) == ERROR_KEYS
    assert set(record["base_quantiles"]) == set(record["refined_quantiles"]) == QUANTILE_KEYS
    assert set(record["residual_norm"]) >= {"base", "linear", "nonlinear"}
    assert (record["problem"], record["n_params"], record["n_residuals"]) == ("tiny", 21, 24)
    assert (record["status"], record["max_rank"], record["seed"], record["dtype"]) == ("complete", 12, 3, "float64")
    assert record["refined"]["train_mse"] < record["base"]["train_mse"]
    run = RunStore(tmp_path / "runs").open(record["run"])
    assert run.manifest.owner == "command line"
    assert run.manifest.config.seed == 3
    assert load_problem(run.problem_path).name == "tiny"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_trained_pinn_with_its_equation_is_refined(lsr: Any, tmp_path: Path, dtype: str) -> None:
    problem = with_equation()
    kept = replace(problem, model=problem.model.to(getattr(torch, dtype)))
    save_problem(tmp_path / "pinn", kept, training={"source": "uploaded weights"})
    result = lsr("refine", "pinn", "--max-rank", "100", "--json")
    assert result.code == 0, result.err
    assert result.json["base"]["relative_l2"] == pytest.approx(6.38e-4, rel=0.01)
    assert result.json["refined"]["relative_l2"] < 1e-4
    lsr("export", result.json["run"], "--format", "predictor", "--out", "predictor.safetensors")
    assert problem.test is not None
    inputs, exact = problem.test
    with torch.no_grad():
        refined = load_predictor(tmp_path / "predictor.safetensors")(inputs.double())
    error = float((refined - exact).norm() / exact.norm())
    assert error == pytest.approx(result.json["refined"]["relative_l2"], rel=1e-6)


def test_refine_in_words(lsr: Any, tmp_path: Path) -> None:
    bundles.write(tmp_path / "bundle")
    result = lsr("refine", "bundle", "--max-rank", "5", "--runs", "elsewhere")
    assert result.code == 0
    assert "rank" in result.out
    assert "test mse" in result.out
    errors = {line[:22].strip(): line[22:].split() for line in result.out.splitlines()}
    quantiles = [errors[f"test |error| {name}"] for name in ("median", "90 %", "99 %", "largest")]
    for column in (0, 1):
        values = [float(pair[column]) for pair in quantiles]
        assert values == sorted(values)
    assert len(list((tmp_path / "elsewhere").iterdir())) >= 1
    assert not (tmp_path / "runs").exists()


def test_gauss_newton_steps_of_an_equation(lsr: Any, tmp_path: Path) -> None:
    pde = equations.build("reaction", {"n_interior": 200})
    arguments = {"layers": [2, 6, 1], "domain": {name: list(bounds) for name, bounds in pde.domain.items()}}
    model = architectures.build("pinn-mlp", arguments).eval()
    problem = make_problem(pde, model, architecture=Architecture("pinn-mlp", arguments))
    save_problem(tmp_path / "bundle", problem)
    record = lsr("refine", "bundle", "--gauss-newton", "2", "--json").json
    keys = {"step", "rank", "fitted_residual", "fresh_residual", "relative_l2", "step_norm", "damping", "accepted", "seconds"}  # fmt: skip
    assert all(set(step) == keys for step in record["gauss_newton"])
    assert record["gauss_newton"][0]["step"] == 0
    assert record["residual_norm"]["nonlinear"] <= record["one_shot"]["residual_norm"]["base"]
    words = lsr("refine", "bundle", "--gauss-newton", "2").out
    assert "Gauss-Newton   0: rank" in words


def test_rank_zero_is_no_refinement(lsr: Any, tmp_path: Path) -> None:
    bundles.write(tmp_path / "bundle")
    record = lsr("refine", "bundle", "--rank", "0", "--max-rank", "4", "--json").json
    assert record["rank"] == 0
    assert record["refined"] == pytest.approx(record["base"])
    assert record["delta_norm"] == 0


def test_default_maximum_is_clamped_and_says_so(lsr: Any, tmp_path: Path) -> None:
    bundles.write(tmp_path / "bundle")
    record = lsr("refine", "bundle", "--json").json
    assert record["max_rank"] == 21
    assert any("clamped to 21" in note for note in record["notes"])


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (["--rank", "-1"], "rank"),
        (["--gauss-newton", "2"], "gauss_newton"),
        (["--rank", "22"], "rank"),
        (["--rank", "many"], "rank"),
        (["--rank", "1.5"], "rank"),
        (["--rank", "9", "--max-rank", "4"], "rank"),
        (["--max-rank", "-3"], "max_rank"),
        (["--max-rank", "22"], "max_rank"),
        (["--max-rank", "x"], "max_rank"),
        (["--oversampling", "-1"], "oversampling"),
        (["--power-iterations", "99"], "power_iterations"),
        (["--rcond", "nan"], "rcond"),
        (["--rcond", "2"], "rcond"),
        (["--dtype", "float16"], "dtype"),
        (["--device", "abacus"], "device"),
        (["--seed", "-1"], "seed"),
        (["--seed", str(2**70)], "seed"),
    ],
)
def test_settings_that_cannot_be_used(lsr: Any, tmp_path: Path, options: list[str], key: str) -> None:
    bundles.write(tmp_path / "bundle")
    result = lsr("refine", "bundle", *options, "--json")
    result.refused()
    record = result.json
    assert record["status"] == "failed"
    assert set(record["error"]) == {"file", "key", "message"}
    assert record["error"]["key"] == key
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["refine"], "PROBLEM"),
        (["refine", "x", "--bogus"], "--bogus"),
        (["bogus"], "bogus"),
        (["export", "x"], "--format"),
        (["path", "x", "--rank", "q"], "--rank"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_usage_errors(lsr: Any, arguments: list[str], words: str, as_json: bool) -> None:
    result = lsr(*arguments, *(["--json"] if as_json else []))
    result.refused(words)
    assert (result.json["status"] == "failed") if as_json else result.out == ""


def test_problems_that_are_not_there(lsr: Any, tmp_path: Path) -> None:
    lsr("refine", "nothing").refused("nothing", "sine2d")
    (tmp_path / "empty").mkdir()
    lsr("refine", "empty").refused("problem.json", "missing")
    (tmp_path / "file.zip").write_bytes(b"no zip")
    lsr("refine", "file.zip").refused("file.zip", "is no zip")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("spoil", "file", "key"),
    [
        ({"data": {**bundles.arrays(), "train_inputs": np.full((24, 2), np.nan)}}, "data.npz", "train_inputs"),
        ({"problem": bundles.description(format_version=2)}, "problem.json", "format_version"),
        ({"weights": b"12345678"}, "model.safetensors", None),
    ],
)
def test_a_bad_bundle_names_the_file_and_the_key(
    lsr: Any, tmp_path: Path, spoil: dict[str, Any], file: str, key: str | None
) -> None:
    bundles.write(tmp_path / "bundle", **spoil)
    result = lsr("refine", "bundle", "--json")
    result.refused(file)
    assert (result.json["error"]["file"], result.json["error"]["key"]) == (file, key)
    assert not (tmp_path / "runs").exists()


def test_control_characters_do_not_reach_the_terminal(lsr: Any) -> None:
    result = lsr("refine", "a\x1b[31mb")
    result.refused()
    assert "\x1b" not in result.err


def test_a_full_disk(lsr: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles.write(tmp_path / "bundle")

    def full(source: object, target: object, limit: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(inside, "copy", full)
    result = lsr("refine", "bundle", "--json")
    assert result.code == 1
    assert "disk is full" in result.json["error"]["message"]
    assert "Traceback" not in result.err
    assert list((tmp_path / "runs").iterdir()) == []


def test_runs_folder_that_is_a_file(lsr: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lsr("runs", "--runs", "file").refused("not a folder")


def test_samples(lsr: Any) -> None:
    record = lsr("samples", "--json").json
    assert [sample["name"] for sample in record["samples"]][:3] == ["sine2d", "sine2d-untrained", "noisy1d"]
    assert record["samples"][0]["n_params"] == 83_073
    assert "83,073" in lsr("samples").out


def test_runs(lsr: Any, made: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, run_id = made
    record = lsr("runs", "--runs", store, "--json").json
    assert [run["run"] for run in record["runs"]] == [run_id]
    assert record["runs"][0]["status"] == "complete"
    assert record["runs"][0]["refined_test_mse"] < record["runs"][0]["base_test_mse"]
    assert run_id in lsr("runs", "--runs", store).out
    assert lsr("runs", "--json").json["runs"] == []
    assert not (tmp_path / "runs").exists(), "listing makes no folder"
    monkeypatch.setenv("LSR_RUNS", str(store))
    assert run_id in lsr("runs").out


def test_path(lsr: Any, made: tuple[Path, str]) -> None:
    store, run_id = made
    record = lsr("path", run_id, "--runs", store, "--json").json
    assert set(record) >= {"alpha", "linearised_loss", "nonlinear_loss", "agreement_interval"}
    assert len(record["alpha"]) == len(record["linearised_loss"]) == len(record["nonlinear_loss"])
    start = record["alpha"].index(0.0)
    assert record["linearised_loss"][start] == pytest.approx(record["nonlinear_loss"][start])
    low, high = record["agreement_interval"]
    assert low <= 0 <= high
    other = lsr("path", store / run_id, "--rank", "3", "--json").json
    assert other["rank"] == 3
    assert other["linearised_loss"] != record["linearised_loss"]
    assert "alpha" in lsr("path", run_id, "--runs", store).out


@pytest.mark.parametrize("rank", ["-1", "13", "999999999999"])
def test_path_at_a_rank_that_is_not_there(lsr: Any, made: tuple[Path, str], rank: str) -> None:
    store, run_id = made
    lsr("path", run_id, "--runs", store, "--rank", rank).refused("rank")


def test_export_of_the_predictor(lsr: Any, made: tuple[Path, str], tmp_path: Path) -> None:
    store, run_id = made
    result = lsr("export", run_id, "--runs", store, "--format", "predictor", "--out", "p.safetensors", "--json")
    assert result.json["bytes"] == (tmp_path / "p.safetensors").stat().st_size
    run = Run(store / run_id)
    test = load_problem(run.problem_path).test
    assert test is not None
    error = load_predictor("p.safetensors").predict(test.inputs) - test.targets
    assert float(error.square().mean()) == pytest.approx(run.summary.refined.test_mse, rel=1e-6)
    description = read_predictor_description("p.safetensors")
    assert (description.rank, description.run) == (run.summary.rank, run_id)


def test_export_of_predictions_and_figures(lsr: Any, made: tuple[Path, str], tmp_path: Path) -> None:
    store, run_id = made
    run = Run(store / run_id)
    assert lsr("export", run_id, "--runs", store, "--format", "csv", "--out", "p.csv").code == 0
    header, *rows = list(csv.reader(io.StringIO((tmp_path / "p.csv").read_text())))
    assert header == ["x [m]", "y", "target u", "network u", "refined u"]
    table = np.array(rows, dtype=float)
    assert np.mean((table[:, 3] - table[:, 2]) ** 2) == pytest.approx(run.summary.base.test_mse)
    assert np.mean((table[:, 4] - table[:, 2]) ** 2) == pytest.approx(run.summary.refined.test_mse, rel=1e-6)
    assert lsr("export", run_id, "--runs", store, "--format", "json", "--out", "r.json").code == 0
    record = json.loads((tmp_path / "r.json").read_text(), parse_constant=pytest.fail)
    assert record["summary"]["rank"] == run.summary.rank
    assert len(record["sweep"]["test_mse"]) == 13


def test_export_of_what_runs_without_this_package(lsr: Any, made: tuple[Path, str], tmp_path: Path) -> None:
    store, run_id = made
    export = ("export", run_id, "--runs", store, "--format")
    result = lsr(*export, "python", "--out", "p.zip", "--json")
    record = json.loads(result.out)
    assert record["difference"] <= record["tolerance"] == 1e-12
    assert record["file_error"] == pytest.approx(record["memory_error"], rel=1e-6)
    assert lsr(*export, "report", "--out", "r.html").code == 0
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert run_id in text
    assert not list(tmp_path.glob("r.html.*"))
    assert lsr(*export, "json", "--precision", "float32", "--out", "x.json").code == 2
    assert lsr(*export, "python", "--precision", "half", "--out", "x.zip").code == 2
    assert not (tmp_path / "x.zip").exists()


@pytest.mark.slow
def test_an_export_of_a_smoothing_says_where_it_has_no_bands(lsr: Any, tmp_path: Path) -> None:
    """Smoothing keeps a network that meets the truth but for the noise, and its noise is not told."""
    x = torch.linspace(-1, 1, 60, dtype=torch.float64)[:, None]
    noise = 0.1 * torch.randn(60, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    architecture = Architecture("mlp", {"layers": [1, 6, 1], "activation": "tanh"})
    torch.manual_seed(0)
    model = architectures.build(architecture.name, architecture.arguments).double().eval()
    with torch.no_grad():
        y = model(x) + noise
    save_problem(tmp_path / "kept", SupervisedProblem("kept", model, Split(x, y), architecture=architecture))
    for prior, bands in (("auto", False), ("weights", True)):
        run = json.loads(lsr("refine", tmp_path / "kept", "--regularise", "auto", "--prior", prior, "--json").out)
        said = lsr("export", run["run"], "--format", "python", "--out", tmp_path / f"{prior}.zip").out
        assert (run["noise_std"] is not None) == bands
        assert ("without standard deviations" in said) != bands


def test_exports_that_cannot_be_written(lsr: Any, made: tuple[Path, str], tmp_path: Path) -> None:
    store, run_id = made
    start = ("export", run_id, "--runs", store, "--format")
    lsr(*start, "pickle", "--out", "x").refused("format", "predictor, csv, json")
    lsr(*start, "csv", "--out", tmp_path).refused("is a folder")
    lsr(*start, "csv", "--out", "no/where.csv").refused("does not exist")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("run", ["zzz", "0" * 32, "../../etc", "", "a" * 31 + "/"])
@pytest.mark.parametrize("command", ["path", "export"])
def test_runs_that_are_not_there(lsr: Any, command: str, run: str) -> None:
    extra = ["--format", "json", "--out", "x.json"] if command == "export" else []
    lsr(command, run, *extra).refused("lsr runs")


def test_a_run_that_is_not_complete(lsr: Any, made: tuple[Path, str], tmp_path: Path) -> None:
    store, run_id = made
    run = Run(Path(shutil.copytree(store / run_id, tmp_path / run_id)))
    run.write_status(run.status().model_copy(update={"status": "cancelled"}))
    lsr("path", tmp_path / run_id).refused("this run is cancelled")


def test_a_copied_run_opens_and_a_damaged_one_is_refused(lsr: Any, made: tuple[Path, str], tmp_path: Path) -> None:
    store, run_id = made
    copied = Path(shutil.copytree(store / run_id, tmp_path / "copied"))
    assert lsr("path", copied, "--json").json["problem"] == "tiny"
    (copied / "run.json").write_text("{}")
    lsr("path", copied).refused("run.json")
    shutil.copy(store / run_id / "run.json", copied)
    (copied / "problem" / "data.npz").write_bytes(b"x")
    lsr("path", copied).refused("data.npz")


def test_a_bug_is_one_line_too(lsr: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lsr_core.storage import bundles as module

    def broken() -> list[str]:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(module, "sample_names", broken)
    lsr("samples").refused("ZeroDivisionError: oh", "bug", code=1)
    monkeypatch.setenv("LSR_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        lsr("samples")


def test_ctrl_c_leaves_a_cancelled_run(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "lsr_app",
        "refine",
        "sine2d",
        "--strategy",
        "row-blocks",  # long enough to be interrupted
        "--max-rank",
        "1000",
        "--runs",
        str(tmp_path),
        "--json",
    ]
    flags = subprocess.CREATE_NEW_PROCESS_GROUP if os.name == "nt" else 0  # type: ignore[attr-defined,unused-ignore]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, creationflags=flags, start_new_session=True
    )
    deadline = time.monotonic() + 60
    store = RunStore(tmp_path)
    while time.monotonic() < deadline:
        if any(run.status().status == "running" for run in store.list()):
            break
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    (run,) = store.list()
    assert run.status().status == "cancelled"
    assert json.loads(out)["status"] == "cancelled"
    assert json.loads(out)["run"] == run.id


@pytest.mark.parametrize("host", ["", "127.0.0.1\n", "unix:///tmp/x", "192.0.2.77", "no-such-host.invalid"])
def test_dashboard_refuses_addresses_that_are_not_here(lsr: Any, host: str) -> None:
    lsr("dashboard", "--host", host).refused("host" if len(host) < 10 else host[:9])


def test_dashboard_says_when_the_port_is_taken(lsr: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        lsr("dashboard", "--port", str(port)).refused(str(port), "--port")
    lsr("dashboard", "--port", "0").refused("--port")
    lsr("dashboard", "--port", "x").refused("--port")


def test_dashboard_without_streamlit_says_what_to_install(lsr: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard.importlib.util, "find_spec", lambda name: None)
    lsr("dashboard").refused("lsr-explorer[dashboard]")


def test_dashboard_opens_what_it_is_given(
    lsr: Any, made: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, run_id = made
    started: list[tuple[Order, dict[str, str]]] = []

    class Server:
        stdin = None

        def __init__(self, order: Order, environment: dict[str, str]) -> None:
            started.append((order, environment))
            self.listening = socket.create_server((order.host, order.port))

        def wait(self, timeout: float | None = None) -> int:
            self.listening.close()
            return 0

        def poll(self) -> int | None:
            return 0 if self.listening.fileno() < 0 else None

    monkeypatch.setattr(dashboard.order, "start", Server)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    bundles.write(tmp_path / "bundle")
    options = ("--no-browser", "--port", port)
    for what, query in (
        ([], ""),
        (["noisy1d"], "?problem=noisy1d"),
        ([run_id, "--runs", store], f"?run={run_id}"),
        ([store / run_id], f"?run={run_id}"),
        (["bundle"], "?problem=given"),
    ):
        result = lsr("dashboard", *what, *options)
        assert result.code == 0
        assert f"http://127.0.0.1:{port}/{query} " in result.err.replace("\n", " ")
    assert started[0][1]["LSR_RUNS"] == str(tmp_path / "runs")
    assert started[3][1]["LSR_RUNS"] == str(store)
    assert started[4][1]["LSR_PROBLEM"] == str(tmp_path / "bundle")
    assert started[0][0] == Order("127.0.0.1", int(port))
    lsr("dashboard", "nothing", *options).refused("nothing")
    lsr("dashboard", "0" * 32, *options).refused("lsr runs")


def test_dashboard_names_no_address_that_does_not_answer(
    lsr: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ended(_: Order, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"], stdin=subprocess.PIPE)

    monkeypatch.setattr(dashboard.order, "start", ended)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    result = lsr("dashboard", "--no-browser", "--port", port, "--runs", tmp_path)
    assert result.code == 1
    assert "http://" not in result.err


def test_the_command_line_needs_no_library_of_an_extra() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = sorted(
        {line.split(">=")[0].replace("-", "_") for lines in project["optional-dependencies"].values() for line in lines}
    )
    assert {"streamlit", "starlette", "uvicorn", "h5py", "onnx"} <= set(extra)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({extra!r}));"
        "from lsr_app import cli; sys.exit(cli.run(['samples', '--json']))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["samples"]


@pytest.mark.slow
def test_fractions_prints_an_error_for_each_share(lsr: Any, tmp_path: Path) -> None:
    done = lsr("fractions", "noisy1d", "--fractions", "1,0.2", "--max-rank", "20", "--json", "--runs", tmp_path)
    record = done.json
    assert done.code == 0
    assert [row["fraction"] for row in record["fractions"]] == [0.2, 1.0]
    few, all_of_them = record["fractions"]
    assert few["n_params"] == int(0.2 * all_of_them["n_params"])
    assert all_of_them["refined"]["test_mse"] < all_of_them["base"]["test_mse"]
    assert len(RunStore(tmp_path).list()) == 2


def test_fractions_with_fewer_rows_than_parameters(lsr: Any, tmp_path: Path) -> None:
    bundles.write(tmp_path / "bundle", data=bundles.arrays(10))
    done = lsr("fractions", "bundle", "--fractions", "0.9,1,1")
    assert done.code == 0, done.err
    assert [line.split()[:2] for line in done.out.splitlines()[1:]] == [["0.9", "18"], ["1", "21"]]


@pytest.mark.parametrize("given", ["0", "2", "a", "0.1,,1"])
def test_shares_that_cannot_be_used(lsr: Any, tmp_path: Path, given: str) -> None:
    done = lsr("fractions", "noisy1d", "--fractions", given, "--runs", tmp_path)
    done.refused("above 0 and up to 1")


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a tiny untrained network for Poisson's equation."""
    sample = replace(train_poisson_untrained.SAMPLE, layers=(2, 6, 6, 1), options={"n_interior": 60})
    return save_problem(tmp_path_factory.mktemp("untrained") / "poisson", sample.made(0))


@pytest.mark.slow
def test_scales_shows_what_it_tried_and_writes_what_it_chose(lsr: Any, untrained: Path, tmp_path: Path) -> None:
    done = lsr("scales", untrained, "--rank", "16", "--out", "scaled", "--json")
    record = done.json
    assert done.code == 0
    last = [one for one in record["candidates"] if one["rank"] == record["rank"] == 16]
    assert record["chosen"]["fresh_residual"] == min(one["fresh_residual"] for one in last)
    assert len(done.err.splitlines()) == len(record["candidates"])
    architecture = load_problem(tmp_path / "scaled").architecture
    assert architecture is not None
    assert architecture.arguments["first_layer"] == {"scale": record["chosen"]["scales"]}
    lsr("scales", untrained, "--out", "scaled").refused("something already", "out")
    words = lsr("scales", untrained, "--rank", "4")
    assert [line for line in words.out.splitlines() if line.endswith("chosen")] == [words.out.splitlines()[1]]


def test_scales_are_for_untrained_networks_of_equations(lsr: Any) -> None:
    lsr("scales", "noisy1d").refused("searched for equations")


def test_conditioning_prints_floor_condition_number_and_methods_and_keeps_curves(lsr: Any, tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "bundle")
    found = lsr("conditioning", bundle, "--rank", "8", "--iterations", "10", "--json").json
    assert found["status"] == "complete"
    assert found["rank"] == 8
    assert found["condition_number"] == found["condition_numbers"]["original"] > 1
    assert found["conclusion"].startswith("In original coordinates")
    assert found["conclusion"].endswith(("stop it.", "weaker ones.", "holds it up.", "held it up.", "not by much."))
    expected = {"name", "dtype", "coordinates", "best_loss", "loss_above_floor", "iterations", "products", "seconds"}
    for method in found["methods"]:
        assert expected | {"settings", "diverged"} <= set(method)
        assert method["best_loss"] >= found["floor"]
        assert "curve" not in method
    record = read_experiment(Path(found["folder"]), RaceRecord)
    assert record is not None
    assert len(record.methods) == len(found["methods"])
    assert all(len(method.curve.losses) > 1 for method in record.methods)
    listed = lsr("runs", "--json").json["runs"]
    assert [(run["kind"], run["status"], run["error"]) for run in listed] == [("race", "complete", None)]
    lsr("path", found["run"]).refused("experiment")
    lsr("conditioning", bundle, "--space", "elsewhere").refused("space")
    lsr("conditioning", bundle, "--iterations", "0").refused("iterations")
    lsr("conditioning", bundle, "--rank", "400").refused("at most")


def test_isolate_prints_the_errors_of_every_contender(lsr: Any, tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "bundle")
    found = lsr("isolate", bundle, "--rank", "8", "--iterations", "5", "--json").json
    assert found["status"] == "complete"
    names = [contender["name"] for contender in found["contenders"]]
    assert names[:4] == ["network", "jacobian-subspace", "last-layer", "random-subspace"]
    assert all(contender["errors"]["test"] > 0 for contender in found["contenders"])
    text = lsr("isolate", bundle, "--rank", "3", "--iterations", "2").out
    assert "last-layer" in text
    lsr("isolate", bundle, "--rank", "400").refused("at most")
