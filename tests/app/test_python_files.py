"""Problems from Python files and programs: what is executed, when, and what is said when it fails."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lsr_core
from lsr_app import cli
from lsr_app.reading import physicsdata
from lsr_app.serve import order
from lsr_app.services import results
from lsr_core.errors import InputError
from lsr_core.jobs import keeping, queue
from lsr_core.storage import code_problems
from lsr_core.storage.bundles import load_problem, read_description, save_problem
from lsr_core.storage.code import VARIABLE
from lsr_core.storage.runs import Run, RunStore
from tests import bundles

GUIDE = (Path(__file__).parents[2] / "docs" / "python-file.md").read_text(encoding="utf-8")
DATA = """
import torch
from pathlib import Path
from lsr_core import Split, SupervisedProblem

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.outer = torch.nn.Linear(1, 12), torch.nn.Linear(12, 1)

    def forward(self, x):
        return self.outer(torch.tanh(self.inner(x)))

def problem():
    with Path(__file__).with_name("calls").open("a") as stream:
        stream.write("x")
    x = torch.linspace(-1, 1, 90, dtype=torch.float64)[:, None]
    return SupervisedProblem("mine", Net().double(), *(Split(x[k::3], torch.sin(3 * x[k::3])) for k in range(3)))
"""
BESIDE = DATA.replace(
    'with Path(__file__).with_name("calls").open("a") as stream:\n        stream.write("x")',
    'factor = torch.load(Path(__file__).with_name("factor.pt"))',
).replace("torch.sin(3", "factor * torch.sin(3")
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lsr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line in a folder of its own, where nothing has been trusted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LSR_RUNS", raising=False)
    monkeypatch.setenv(VARIABLE, "{}")
    code_problems._made.clear()

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = cli.run([str(argument) for argument in arguments])
        return (status, *capsys.readouterr())

    return call


def refined(lsr: Call, *arguments: object) -> tuple[dict[str, Any], Run]:
    status, out, err = lsr("refine", *arguments, "--max-rank", 16, "--json")
    assert status == 0, err
    record = json.loads(out)
    return record, Run(Path(record["folder"]))


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on another day."""
    monkeypatch.setenv(VARIABLE, "{}")
    code_problems._made.clear()


def test_the_guide_s_equation_is_refined(lsr: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    Path("my_problem.py").write_text(example, encoding="utf-8")
    record, run = refined(lsr, "my_problem.py")
    assert record["refined"]["relative_l2"] < 1e-8 < record["base"]["relative_l2"]
    forget(monkeypatch)
    about = physicsdata.read(run.problem_path)  # what the page shows of it executes nothing
    assert about is not None
    assert [block.points for block in about.blocks] == [200, 1, 1]
    assert "my_problem.py" in about.formula


def test_weights_beside_the_file_are_found_in_its_folder(
    lsr: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("mine.py").write_text(BESIDE)
    torch.save(torch.tensor(2.0), "factor.pt")
    _, run = refined(lsr, "mine.py")
    forget(monkeypatch)
    assert lsr("export", run.path, "--format", "csv", "--out", "out.csv", "--trust")[0] == 0
    forget(monkeypatch)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    status, _, err = lsr("export", run.path, "--format", "csv", "--out", "out.csv", "--trust")
    assert status == 2
    assert "start the command in the folder of the original" in err


def test_trust_in_a_run_of_a_session_says_that_its_code_is_not_there(lsr: Call, tmp_path: Path) -> None:
    x = torch.linspace(-1, 1, 30)[:, None]
    model = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    problem = lsr_core.SupervisedProblem("here", model, *[lsr_core.Split(x, x**2)] * 2)
    run = keeping.keep_result(lsr_core.refine(problem, max_rank=4), tmp_path / "runs", "local")
    status, _, err = lsr("export", run.path, "--format", "pt2", "--out", "out.pt2", "--trust")
    assert status == 2
    assert "made in a Python session" in err


def test_a_run_means_the_same_after_the_file_has_changed(lsr: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.py").write_text(DATA)
    _, run = refined(lsr, "mine.py")
    assert Path("calls").read_text() == "x"  # once, though several steps needed the problem
    Path("mine.py").write_text("raise SystemExit(3)")
    forget(monkeypatch)
    assert lsr("export", run.path, "--format", "csv", "--out", "out.csv")[0] == 2  # nothing was trusted
    status, _, err = lsr("export", run.path, "--format", "csv", "--out", "out.csv", "--trust")
    assert status == 0, err
    again = lsr_core.refine(load_problem(run.problem_path), run.manifest.config).summary
    assert again.base.test_mse == run.summary.base.test_mse
    assert again.rank == run.summary.rank


def test_without_trust_figures_are_there_and_rebuilding_says_what_it_needs(
    lsr: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("mine.py").write_text(DATA)
    _, run = refined(lsr, "mine.py")
    Path("calls").unlink()
    forget(monkeypatch)
    data = results.load(run)
    assert data.summary.rank == run.summary.rank
    assert data.about.architecture == "from mine.py"
    status, _, err = lsr("path", run.path)
    assert status == 2
    assert "--trust" in err
    assert "code.py" in err
    assert lsr("export", run.path, "--format", "json", "--out", "run.json")[0] == 0  # needs no code
    assert not Path("calls").exists()


def test_a_worker_started_from_here_executes_it_and_another_does_not(
    lsr: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("mine.py").write_text(DATA)
    bundle = save_problem(tmp_path / "bundle", code_problems.from_file("mine.py"))
    config = lsr_core.RefineConfig(max_rank=4)
    done = [queue.submit(RunStore(tmp_path / "runs"), bundle, config, owner="test")]
    prepared = queue.create(RunStore(tmp_path / "runs"), bundle, config, owner="test")
    monkeypatch.setenv(VARIABLE, "{}")
    queue.start(prepared)
    patience = time.monotonic() + 120
    while not {done[0].status().status, prepared.status().status} <= {"complete", "failed"}:
        assert time.monotonic() < patience
        time.sleep(0.05)
    assert done[0].status().status == "complete"
    status = prepared.status()
    assert status.status == "failed"
    assert status.error is not None
    assert "--trust" in status.error.message


def test_a_module_s_function_is_a_problem_too(lsr: Call) -> None:
    package = Path("own_package")
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "numbers_of.py").write_text("ROWS = 90\n")
    relative = DATA.replace("import torch\n", "import torch\nfrom .numbers_of import ROWS\n", 1).replace("90", "ROWS")
    (package / "models.py").write_text(relative.replace("def problem", "def small"))
    record, _ = refined(lsr, "own_package.models:small")
    assert record["problem"] == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def problem():\n    return 1 / 0\n", ["mine.py, line 2", "ZeroDivisionError"]),
        ("def problem(:\n", ["mine.py, line 1", "SyntaxError"]),
        ("import no_such_package_xyz\n", ["mine.py, line 1", "no_such_package_xyz"]),
        ("def other():\n    pass\n", ["no function 'problem'", "mine.py:other"]),
        ("def problem():\n    return 3\n", ["returned int", "SupervisedProblem"]),
        ("def problem(size):\n    return size\n", ["TypeError", "size"]),
        ("raise SystemExit(4)\n", ["mine.py, line 1", "SystemExit"]),
        (DATA.replace("nn.Linear(12, 1)", "nn.Linear(12, 2)"), ["gives (2, 2)", "expected (2, 1)"]),
        (DATA.replace("self.inner(x)", "self.innr(x)"), ["mine.py, line 12", "innr"]),
        (DATA.replace("torch.sin(3 * x[k::3])", "x[k::3] / 0"), ["mine.py, line 18", "NaN or infinite"]),
    ],
)
def test_what_is_wrong_in_the_file_is_one_line_with_its_place(lsr: Call, text: str, words: list[str]) -> None:
    Path("mine.py").write_text(text)
    status, _, err = lsr("refine", "mine.py")
    assert status == 2
    assert len(err.splitlines()) == 1, err
    for word in words:
        assert word in err
    assert "Traceback" in lsr("refine", "mine.py", "--debug")[2]


SERVER = """
import json, sys
from pathlib import Path
import lsr_core
from lsr_app.services import gallery, problems

folder = gallery.given_problem()
refined = lsr_core.refine(problems.load(folder), max_rank=8)
errors = [refined.summary.base.test_mse, refined.summary.refined.test_mse]
Path("seen.json").write_text(json.dumps([problems.title(folder), *errors]))
"""


def test_the_dashboard_s_server_has_the_problem_of_the_file(
    lsr: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listening: list[socket.socket] = []

    def started(given: order.Order, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        listening.append(socket.create_server((given.host, given.port)))
        return subprocess.Popen([sys.executable, "-c", SERVER], env=environment, stdin=subprocess.PIPE)

    Path("my_problem.py").write_text(DATA, encoding="utf-8")
    monkeypatch.setattr(order, "start", started)
    status, _, err = lsr(
        "dashboard", "my_problem.py", "--port", free_port(), "--no-browser", "--runs", tmp_path / "runs"
    )
    listening[0].close()
    assert status == 0, err
    assert "?problem=given" in err
    assert str(tmp_path) not in err
    title, before, after = json.loads(Path("seen.json").read_text())
    assert title == "mine"
    assert after < before


def test_the_dashboard_says_in_one_line_what_is_wrong_in_the_file(lsr: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> subprocess.Popen[bytes]:
        raise AssertionError("a server was started")

    monkeypatch.setattr(order, "start", never)
    Path("broken.py").write_text("def problem():\n    return 1 / 0\n", encoding="utf-8")
    status, out, err = lsr("dashboard", "broken.py", "--port", free_port(), "--no-browser")
    assert (status, out) == (2, "")
    assert "broken.py" in err
    assert "line 2" in err
    assert len(err.strip().splitlines()) == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_residual_that_fails_in_the_run_is_named_with_its_line(lsr: Call) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    text = example.replace('u["u_xx"] + 9', 'u["u_x"] + 9')
    (line,) = [number for number, line in enumerate(text.splitlines(), start=1) if 'u["u_x"]' in line]
    Path("mine.py").write_text(text, encoding="utf-8")
    status, _, err = lsr("refine", "mine.py", "--max-rank", 8)
    assert status == 2
    assert f"mine.py, line {line}:" in err.splitlines()[-1]
    assert "add it to `needs`" in err


def test_code_in_a_bundle_is_not_executed_and_a_zip_cannot_bring_it(lsr: Call, tmp_path: Path) -> None:
    import shutil

    Path("mine.py").write_text(DATA)
    bundle = save_problem(tmp_path / "bundle", code_problems.from_file("mine.py"))
    zipped = shutil.make_archive("bundle", "zip", bundle)
    with pytest.raises(InputError, match=r"code\.py"):
        load_problem(Path(zipped))
    (bundle / "code.py").write_text(DATA + "\n# changed")
    with pytest.raises(InputError, match=r"SHA-256|bytes"):
        load_problem(bundle)
    forged = tmp_path / "forged"
    network = {"architecture": "python-file", "arguments": read_description(bundle).network.arguments}
    bundles.write(forged, problem=bundles.description(network=network))
    with pytest.raises(InputError, match="this file is missing"):
        load_problem(forged)


@pytest.fixture
def program(tmp_path: Path) -> torch.nn.Module:
    """model.pt2 with its data, fixed.pt2 for five samples only."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(1, 12), torch.nn.Tanh(), torch.nn.Linear(12, 1)).double().eval()
    x = torch.linspace(-1, 1, 60, dtype=torch.float64)[:, None]
    free = ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(model, (x[:5],), dynamic_shapes=free), tmp_path / "model.pt2")
    torch.export.save(torch.export.export(model, (x[:5],)), tmp_path / "fixed.pt2")
    arrays = {}
    for place, name in enumerate(("train", "validation", "test")):
        arrays |= {f"{name}_inputs": x[place::3].numpy(), f"{name}_targets": np.sin(3 * x[place::3].numpy())}
    for name in ("model", "fixed"):
        np.savez(tmp_path / f"{name}.npz", **arrays)
    return model


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_a_program_is_a_network_once_it_is_trusted(lsr: Call, program: torch.nn.Module) -> None:
    status, _, err = lsr("refine", "model.pt2")
    assert status == 2
    assert "unpickles" in err
    assert "--trust" in err
    record, run = refined(lsr, "model.pt2", "--trust")
    assert record["n_params"] == sum(value.numel() for value in program.parameters())
    loaded = load_problem(run.problem_path)
    rows = loaded.train.inputs  # type: ignore[union-attr]
    assert torch.allclose(loaded.model(rows), program(rows), rtol=1e-14)
    assert record["refined"]["test_mse"] < 1e-6 * record["base"]["test_mse"]
    assert "exactly 5 samples" in lsr("refine", "fixed.pt2", "--trust")[2]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_pickles_and_torchscript_are_refused_with_two_lines(lsr: Call, program: torch.nn.Module) -> None:
    torch.save(program, "whole.pt")
    torch.jit.script(program).save("script.pt")
    for file, what in (("whole.pt", "pickled"), ("script.pt", "TorchScript")):
        status, _, err = lsr("refine", file, "--trust")
        assert status == 2
        for word in (what, "torch.export.export(", "torch.export.save("):
            assert word in err


TYPED = """
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of

def problem():
    return problem_of(
        TypedArguments(
            inputs={"x": [0, 1]}, equations=[{"equation": "laplace(u) = -9*sin(3*x)", "points": 40}],
            conditions=[{"where": "x = 0", "equation": "u = 0"}, {"where": "x = 1", "equation": "u = sin(3)"}],
        ),
        StartingNetwork(widths=[12]),
    )

def weighed():
    from dataclasses import replace
    made = problem()
    return replace(made, blocks=(replace(made.blocks[0], weight=7.0), *made.blocks[1:]))

def hooked():
    made = problem()
    made.model.register_forward_hook(lambda model, inputs, outputs: 2 * outputs)
    return made
"""


def test_what_a_bundle_can_say_needs_no_code_afterwards(lsr: Call, tmp_path: Path) -> None:
    """A typed equation and a network that is built by name: `lsr solve` takes them, and the predictor opens without the file."""
    Path("typed.py").write_text(TYPED)
    _, run = refined(lsr, "typed.py")
    assert not (run.problem_path / "code.py").exists()
    status, _, errors = lsr("export", run.path.name, "--format", "predictor", "--out", "field.safetensors")
    assert status == 0, errors
    Path("typed.py").unlink()
    assert lsr_core.load_predictor("field.safetensors").predict(torch.rand(3, 1)).shape == (3, 1)


@pytest.mark.parametrize("function", ["weighed", "hooked"])
def test_what_a_bundle_cannot_say_keeps_its_code(lsr: Call, function: str) -> None:
    Path("typed.py").write_text(TYPED)
    made = code_problems.from_file(f"typed.py:{function}")
    assert made.architecture is not None
    assert made.architecture.name == "python-file"
