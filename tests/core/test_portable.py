"""What is exported computes what the predictor in memory computes: for every network and form, in a fresh process."""

from __future__ import annotations

import gzip
import importlib.util
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, fx, nn

from lsr_core.errors import InputError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks import architectures
from lsr_core.portable import pt2
from lsr_core.portable.check import BATCHES, evaluate, spread
from lsr_core.portable.deliver import deliver, make
from lsr_core.portable.form import Form, Leaving, Standalone
from lsr_core.portable.forms import FORMS, standalone
from lsr_core.portable.graph import explicit
from lsr_core.portable.measured import predictor_of
from lsr_core.portable.python_module import plain
from lsr_core.problems.splits import Architecture, Split
from lsr_core.refinement.predictor import RefinedPredictor

DOMAIN = {"x": (-1.0, 1.0), "t": (0.0, 1.0)}
FEATURES: list[dict[str, Any]] = [
    {"kind": "periodic", "input": "x", "period": 2.0, "harmonics": 2},
    {"kind": "fourier", "count": 4},
]
ACTIVATIONS = ("tanh", "relu", "gelu", "silu", "sin")
TRANSFORMS = (
    "allen-cahn", "burgers", "convection-initial", "heat-initial", "poisson-dirichlet", "reaction-initial", "wave-initial",
)  # fmt: skip
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        f"mlp {name}": ("mlp", {"layers": [2, 5, 7, 2], "activation": name, "normalise_inputs": True})
        for name in ACTIVATIONS
    },
    "pinn-mlp features": ("pinn-mlp", {"layers": [2, 6, 1], "domain": DOMAIN, "features": FEATURES}),
    **{
        f"pinn-mlp {name}": (
            "pinn-mlp",
            {"layers": [2, 6, 1], "domain": DOMAIN, "features": FEATURES, "output": {"name": name, "arguments": {}}},
        )
        for name in TRANSFORMS
    },
}
ONNX = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="the extra `onnx` is not installed",
)


def problem(name: str, rows: int = 40) -> tuple[SupervisedProblem, Tensor]:
    architecture, arguments = NETWORKS[name]
    torch.manual_seed(4)
    model = architectures.build(architecture, arguments).double()
    if hasattr(model, "input_std"):
        model.input_std.fill_(0.7)
        model.input_mean.fill_(0.2)
    generator = torch.Generator().manual_seed(9)
    inputs = torch.rand(rows, 2, generator=generator, dtype=torch.float64)
    split = Split(inputs, torch.sin(inputs @ torch.ones(2, arguments["layers"][-1], dtype=torch.float64)))
    delta = 0.3 * torch.randn(
        sum(value.numel() for value in model.parameters()), generator=generator, dtype=torch.float64
    )
    named = SupervisedProblem(
        name="p", model=model, train=split, test=split, architecture=Architecture(architecture, arguments)
    )
    return named, delta


def difference(left: Tensor, right: Tensor) -> float:
    return float((left - right).abs().max() / right.abs().max())


SINGLE = ("mlp gelu", "pinn-mlp allen-cahn")


@pytest.mark.parametrize(
    ("name", "dtype"), [*((name, torch.float64) for name in NETWORKS), *((name, torch.float32) for name in SINGLE)]
)
def test_the_graph_is_the_predictor_at_every_batch_size(name: str, dtype: torch.dtype) -> None:
    given, delta = problem(name)
    predictor = predictor_of(given, delta, dtype)
    inputs = given.train.inputs.to(dtype)
    graph = explicit(predictor, inputs[:1])
    for size in BATCHES:
        batch = spread(inputs, size)
        assert difference(graph(batch), predictor(batch)) <= (1e-12 if dtype == torch.float64 else 1e-6)
    operations = {str(node.target) for node in graph.graph.nodes if node.op == "call_function"}
    assert all(name.startswith("aten.") for name in operations)


def test_a_layer_as_wide_as_the_traced_batch_does_not_fix_it() -> None:
    for width in (1, 2, 3, 4):
        model = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1)).double()
        steps = {key: torch.randn_like(value) for key, value in model.named_parameters()}
        predictor = RefinedPredictor(model, steps)
        graph = explicit(predictor, torch.rand(3, 2, dtype=torch.float64))
        for size in (1, 2, 3, 4, 5, 300):
            batch = torch.rand(size, 2, dtype=torch.float64)
            assert difference(graph(batch), predictor(batch)) <= 1e-12


def test_a_step_of_some_parameters_moves_only_these() -> None:
    given, _ = problem("mlp gelu")
    step = {"linears.1.bias": torch.ones(7, dtype=torch.float64)}
    predictor = RefinedPredictor(given.model, step)
    graph = explicit(predictor, given.train.inputs)
    assert difference(graph(given.train.inputs), predictor(given.train.inputs)) <= 1e-12
    assert [name for name, _ in graph.named_buffers() if name.startswith("step")] == ["step_linears_1_bias"]


@pytest.mark.parametrize(
    ("form", "precision"),
    [("pt2", "float64"), ("pt2", "float32"), ("python", "float64"), pytest.param("onnx", "float64", marks=ONNX)],
)
def test_a_file_agrees_in_a_process_without_this_package(form: str, precision: Any, tmp_path: Path) -> None:
    given, delta = problem("pinn-mlp heat-initial")
    result = deliver(tmp_path / "file", given, delta, form, precision)
    assert result.difference <= {"float64": 1e-12, "float32": 1e-6}[precision]
    assert (tmp_path / "file").stat().st_size > 0
    assert result.file_error == pytest.approx(result.memory_error, rel=1e-4)
    assert precision != "float64" or result.difference < 1e-12  # of ONNX too: numbers such as π keep their digits


@pytest.mark.parametrize("form", ["pt2", "python"])
def test_a_file_takes_inputs_of_any_floating_type_and_answers_in_its_own(form: str, tmp_path: Path) -> None:
    given, delta = problem("mlp tanh")
    deliver(tmp_path / "file", given, delta, form)
    inputs = given.train.inputs
    batches = {"double": inputs, "single": inputs.float(), "half": inputs.half()}
    found = evaluate(tmp_path / "file", form, batches)
    for name, batch in batches.items():
        assert found[name].dtype == torch.float64
        assert difference(found[name], predictor_of(given, delta, torch.float64)(batch.double())) <= 1e-12


class Numbers(nn.Module):
    """Numbers without an exact float32 wherever an operation takes one, before products of matrices among others."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2 * inputs, 6), nn.Tanh(), nn.Linear(6, 2))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.add(x / 0.7, torch.lerp(x, 2 * x, 0.123), alpha=0.345).clamp(0.1234567, 2.1)
        x = torch.where(x > 0.7, x, torch.full_like(x, 0.71)) ** 1.7
        return 0.1 * self.net(torch.cat([0.3 - x, (x - 0.1) / 1.3], dim=1) / 1.9) + 0.3


@ONNX
@pytest.mark.parametrize("inputs", [1, 3])
def test_onnx_keeps_every_digit_of_numbers_in_double_precision(inputs: int, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = Numbers(inputs).double().eval()
    draw = torch.Generator().manual_seed(2)
    x = torch.rand(40, inputs, generator=draw, dtype=torch.float64)
    split = Split(x, torch.sin(x[:, :1]).expand(-1, 2).clone())
    delta = 0.3 * torch.randn(sum(value.numel() for value in model.parameters()), generator=draw, dtype=torch.float64)
    result = deliver(tmp_path / "file", SupervisedProblem("p", model, split, test=split), delta, "onnx")
    assert result.difference <= 1e-13
    assert result.tolerance == 1e-12


@pytest.fixture
def slightly_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(predictor: RefinedPredictor, example: Tensor, *, plain: bool) -> Any:
        graph = explicit(predictor, example, plain=plain)
        graph.get_buffer("step_linears_0_bias").mul_(1 + 1e-9)
        return graph

    monkeypatch.setattr("lsr_core.portable.deliver.explicit", wrong)


@pytest.mark.usefixtures("slightly_wrong")
def test_a_wrong_file_is_not_given_out(tmp_path: Path) -> None:
    given, delta = problem("mlp tanh")
    with pytest.raises(InputError, match="was not kept"):
        deliver(tmp_path / "file.zip", given, delta, "python")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("slightly_wrong")
def test_a_long_step_whose_terms_cancel_is_held_to_the_digits_that_it_has(tmp_path: Path) -> None:
    """Two units are copies, and Δθ takes a million of one less a million of the other."""
    given, delta = problem("mlp tanh")
    *_, hidden, last = (module for module in given.model.modules() if isinstance(module, torch.nn.Linear))
    with torch.no_grad():
        for value in hidden.parameters():
            value[1] = value[0]
    steps = dict(zip(given.model.parameters(), delta.split([p.numel() for p in given.model.parameters()]), strict=True))
    row = steps[last.weight].view_as(last.weight)[0]
    row[0], row[1] = 1e6, -1e6
    result = deliver(tmp_path / "file.zip", given, delta, "python")
    assert 1e-12 < result.difference < result.tolerance < 1e-7


@ONNX
def test_what_onnxruntime_cannot_compute_is_written_out_or_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, delta = problem("mlp gelu")
    assert deliver(tmp_path / "gelu.onnx", given, delta, "onnx").difference <= 1e-12
    monkeypatch.setattr("lsr_core.portable.graph.decompositions", lambda dtype: {})
    with pytest.raises(InputError, match=r"no float64 kernel.*float32"):
        deliver(tmp_path / "refused.onnx", given, delta, "onnx")
    assert not (tmp_path / "refused.onnx").exists()


def test_a_network_that_cannot_be_traced_is_refused() -> None:
    class Choosy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(2, 1).double()

        def forward(self, inputs: Tensor) -> Tensor:
            return self.linear(inputs) if float(inputs.sum()) > 0 else inputs[:, :1]

    predictor = RefinedPredictor(Choosy(), {"linear.bias": torch.ones(1, dtype=torch.float64)})
    with pytest.raises(InputError, match=r"cannot be written as a graph.*predictor"):
        explicit(predictor, torch.rand(3, 2, dtype=torch.float64))


def test_a_name_cannot_leave_the_docstring(tmp_path: Path) -> None:
    nasty = 'x"""\nraise SystemExit(3)\n"""\\'
    assert '"' not in plain(nasty)
    assert "\n" not in plain(nasty)
    given, delta = problem("mlp relu")
    object.__setattr__(given, "title", nasty)
    path = tmp_path / "p.zip"
    deliver(path, given, delta, "python")
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["predictor.py", "predictor.safetensors"]
        text = archive.read("predictor.py").decode()
    assert "lsr_core" not in text
    inputs = given.train.inputs
    found = evaluate(path, "python", {"x": inputs})["x"]
    assert np.allclose(found, predictor_of(given, delta, torch.float64)(inputs), rtol=0, atol=1e-13)


def test_a_form_of_ones_own_is_written_checked_and_given_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, graph: fx.GraphModule, example: Tensor, about: str) -> None:
        pt2.write(path, graph, example, about)
        path.write_bytes(gzip.compress(path.read_bytes()))

    def read(path: Path) -> Any:
        import gzip
        import io

        import torch

        module = torch.export.load(io.BytesIO(gzip.decompress(path.read_bytes()))).module()
        return lambda inputs: module(torch.from_numpy(inputs)).detach().numpy()

    def other(path: Path) -> Any:
        return lambda inputs: inputs[:, :1] * 0

    given, delta = problem("mlp tanh")
    monkeypatch.setitem(FORMS, "toy", Form("toy", "Toy", "A toy.", ".toy", standalone=Standalone(write, read)))
    found = make(tmp_path / "file", "toy", Leaving(given, delta), "float32")
    assert found.sentence.startswith("Checked in a fresh process")
    assert 0 < found.figures["difference"] <= 1e-6
    assert gzip.decompress((tmp_path / "file").read_bytes())
    monkeypatch.setitem(FORMS, "toy", Form("toy", "Toy", "A toy.", ".toy", standalone=Standalone(write, other)))
    with pytest.raises(InputError, match="the file gives"):  # what is read is not what was written
        make(tmp_path / "wrong", "toy", Leaving(given, delta))
    assert not (tmp_path / "wrong").exists()


def test_every_form_makes_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsr_core.portable.weights.SECONDS", 1.0)
    given, delta = problem("mlp tanh")
    for name in FORMS:
        if name == "onnx":
            continue  # it has tests of its own, and may not be installed
        path = tmp_path / f"file{FORMS[name].suffix}"
        found = make(path, name, Leaving(given, delta, {"rank": 3}))
        assert path.stat().st_size > 0
        assert bool(found.sentence) == bool(found.figures) == (name != "predictor")
    with pytest.raises(InputError, match="give one of predictor, pt2"):
        make(tmp_path / "file", "other", Leaving(given, delta))
    assert standalone() == ["pt2", "onnx", "python"]
