"""Networks and data of other forms: taken as they are, or refused in one sentence that names the cause."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lsr_core.diagnosis.verdict import verdict_of
from lsr_core.errors import InputError
from lsr_core.jobs.queue import create
from lsr_core.jobs.worker import execute
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.portable.deliver import deliver
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.refine import refine
from lsr_core.storage import code_problems
from lsr_core.storage.bundles import save_problem
from lsr_core.storage.runs import RunStore
from tests.core import twins


class Wrapped(nn.Module):
    """A network whose outputs are put into another form."""

    def __init__(self, form: Callable[[Tensor], Any], outputs: int = 2) -> None:
        super().__init__()
        self.net, self.form = twins.network(2, 5, outputs), form

    def forward(self, x: Tensor) -> Any:
        return self.form(self.net(x))


class TwoArguments(Wrapped):
    def forward(self, x: Tensor, t: Tensor) -> Any:  # type: ignore[override]
        return self.net(torch.cat([x, t], dim=1))


def problem(model: nn.Module, inputs: Any = None, outputs: int = 2) -> SupervisedProblem:
    x = torch.rand(60, 2, generator=twins.generator(1), dtype=torch.float64) if inputs is None else inputs
    y = torch.sin(3 * torch.as_tensor(x).double()[:, :outputs])
    return SupervisedProblem("p", model.eval(), *(Split(x[part::3], y[part::3]) for part in range(3)))


FORMS: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "dictionary": (lambda y: {"u": y[:, :1], "v": y[:, 1:]}, r"a dictionary \(u, v\).*torch.cat\(\[out\['u'\]"),
    "tuple": (lambda y: (y, None), r"a tuple of 2, not a tensor.*out\[0\]"),
    "list": (lambda y: [y], "a list of 1"),
    "object": (lambda y: str(y.shape), "an object of type str"),
    "complex": (lambda y: torch.complex(y, y), r"complex numbers.*view_as_real"),
    "shape": (lambda y: y[:, :1], r"gives \(2, 1\); expected \(2, 2\)"),
}


@pytest.mark.parametrize("name", FORMS)
def test_outputs_that_are_no_tensor_are_named(name: str) -> None:
    form, said = FORMS[name]
    with pytest.raises(InputError, match=said) as error:
        refine(problem(Wrapped(form)), max_rank=3)
    assert error.value.key == "model"


class Forces(Wrapped):
    """Minus the gradient of an energy, taken inside forward."""

    def forward(self, x: Tensor) -> Any:
        return -torch.func.vmap(torch.func.grad(lambda z: self.net(z)[0]))(x)


def test_a_network_that_differentiates_inside_refines() -> None:
    given = problem(Forces(lambda y: y, outputs=1))
    result = refine(given, max_rank=8)
    assert result.summary.refined.test_mse is not None
    assert result.summary.refined.test_mse < 0.5 * (result.summary.base.test_mse or 0)


def test_several_arguments_are_named() -> None:
    with pytest.raises(InputError, match=r"2 arguments \(x, t\).*self.net\(x\[:, 0:1\], x\[:, 1:2\]\)"):
        refine(problem(TwoArguments(lambda y: y)), max_rank=3)


def test_numbers_of_the_wrong_kind_are_named() -> None:
    table = nn.Sequential(nn.Embedding(10, 3), nn.Flatten(), nn.Linear(6, 2))
    with pytest.raises(InputError, match=r"looks numbers up \(Embedding\), and the inputs are float64.*long"):
        refine(problem(table), max_rank=3)
    whole = torch.randint(0, 10, (60, 2), generator=twins.generator(2))
    with pytest.raises(InputError, match=r"computes with its inputs \(Linear\), and these are int64.*double"):
        refine(problem(twins.network(2, 4, 2), whole), max_rank=3)


def test_complex_targets_are_refused_and_nothing_is_dropped() -> None:
    x = torch.rand(30, 2, dtype=torch.float64, generator=twins.generator(1))
    split = Split(x, torch.exp(1j * x[:, :1]))
    with pytest.raises(InputError, match=r"are complex.*view_as_real\(targets\)") as error:
        SupervisedProblem("p", twins.network(2, 4, 1), split)
    assert error.value.key == "train_targets"
    both = Split(x, torch.view_as_real(split.targets).flatten(1))
    assert refine(SupervisedProblem("p", twins.network(2, 6, 2), both, both, both), max_rank=8).rank > 0


REFUSED: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "masked": (lambda a: np.ma.masked_greater(a, 0.9), r"values are masked"),
    "sparse": (lambda a: torch.from_numpy(a).to_sparse(), r"is a sparse tensor.*to_dense"),
    "objects": (lambda a: a.astype(object), r"an array of object.*astype\(float\)"),
    "text": (lambda a: a.astype(str), "an array of text"),
}


@pytest.mark.parametrize("pair", [tuple, lambda pair: Split(*pair)])
@pytest.mark.parametrize("kind", REFUSED)
def test_arrays_without_all_their_values_are_refused(kind: str, pair: Callable[[Any], Any]) -> None:
    x = np.random.default_rng(0).random((60, 2))
    made, said = REFUSED[kind]
    with pytest.raises(InputError, match=said) as error:
        SupervisedProblem("p", twins.network(2, 5, 2), pair([made(x), torch.from_numpy(x)]))
    assert error.value.key == "train_inputs"


def test_a_loader_is_told_how_to_be_a_pair() -> None:
    data = TensorDataset(torch.rand(8, 2), torch.rand(8, 2))
    for given in (data, DataLoader(data)):
        with pytest.raises(InputError, match=r"loader"):
            SupervisedProblem("p", twins.network(2, 5, 2), given)  # type: ignore[arg-type]
    gathered = Split(*map(torch.cat, zip(*DataLoader(data), strict=True)))
    assert torch.equal(gathered.inputs, data.tensors[0])


def test_one_number_a_sample_without_an_axis_is_told_to_have_one() -> None:
    x = torch.rand(30, dtype=torch.float64, generator=twins.generator(1))
    with pytest.raises(InputError, match=r"inputs\[:, None\]"):
        refine(SupervisedProblem("p", twins.network(1, 5, 1), Split(x, x)), max_rank=3)


def test_a_forward_that_writes_into_a_parameter_is_named() -> None:
    class Writes(Wrapped):
        def forward(self, x: Tensor) -> Any:
            with torch.no_grad():
                self.net[0].bias.mul_(1.0)
            return self.net(x)

    with pytest.raises(InputError, match="writes into a parameter at"):
        refine(problem(Writes(lambda y: y)), max_rank=3)


@pytest.mark.parametrize(
    "kind", ["numpy", "lists", "pairs", "other byte order", "read-only", "requires a gradient", "list of tensors"]
)
def test_data_may_be_arrays(kind: str) -> None:
    x = np.random.default_rng(0).random((60, 2))
    y = np.sin(3 * x)
    if kind == "read-only":
        x.setflags(write=False)
    forms: dict[str, Callable[[np.ndarray], Any]] = {
        "lists": np.ndarray.tolist,
        "other byte order": lambda a: a.astype(">f8"),
        "requires a gradient": lambda a: torch.tensor(a, requires_grad=True),
        "list of tensors": lambda a: list(torch.tensor(a)),
    }
    made = forms.get(kind, lambda a: a)
    pairs = [(made(x[part::3]), made(y[part::3])) for part in range(3)]
    splits: list[Any] = pairs if kind == "pairs" else [Split(*pair) for pair in pairs]
    given = SupervisedProblem("p", twins.network(2, 5, 2), *splits)
    tensors = [Split(torch.from_numpy(x[part::3].copy()), torch.from_numpy(y[part::3].copy())) for part in range(3)]
    plain = SupervisedProblem("p", twins.network(2, 5, 2), *tensors)
    assert refine(given, max_rank=5).summary.refined == refine(plain, max_rank=5).summary.refined


FILES = {
    "images": """
import torch
from torch import nn
from lsr_core import Split, SupervisedProblem

def problem():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.GELU(), nn.Conv2d(2, 1, 3, padding=1)).eval()
    x = torch.rand(24, 1, 4, 4)
    y = nn.functional.avg_pool2d(x, 3, 1, 1)
    return SupervisedProblem("image", net, *[Split(x[i::3], y[i::3]) for i in range(3)])
""",
    "whole numbers": """
import torch
from torch import nn
from lsr_core import Split, SupervisedProblem

def problem():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1)).eval()
    x = torch.randint(0, 10, (60, 2))
    return SupervisedProblem("tokens", net, *[Split(x[i::3], torch.sin(x[i::3].double()).sum(1, keepdim=True)) for i in range(3)])
""",
}


@pytest.mark.parametrize("name", FILES)
def test_a_python_file_refines_as_in_python(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSR_CODE", raising=False)
    file = tmp_path / f"{name.replace(' ', '_')}.py"
    file.write_text(FILES[name])
    made = code_problems.from_file(str(file))
    assert isinstance(made, SupervisedProblem)
    result = refine(made, max_rank=8)
    assert verdict_of(result).sentence
    bundle = save_problem(tmp_path / "bundle", made)
    store = RunStore(tmp_path / "runs")

    run = create(store, bundle, RefineConfig(max_rank=8), owner="test")
    execute(run)
    summary = store.open(run.id).summary
    assert summary.refined.test_mse == pytest.approx(result.summary.refined.test_mse, rel=1e-6)
    assert (summary.refined.test_mse or 0) < (summary.base.test_mse or 0)
    check = deliver(tmp_path / "out.pt2", made, result.delta, "pt2")
    assert check.difference <= check.tolerance


def test_a_python_file_with_another_form_says_what_to_wrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSR_CODE", raising=False)
    file = tmp_path / "two.py"
    two = "class Two(nn.Sequential):\n        def forward(self, x, t):\n            return x\n    net = Two("
    text = FILES["images"].replace("net = nn.Sequential(", two)
    file.write_text(text)
    with pytest.raises(InputError, match=r"two.py: problem: forward takes 2 arguments \(x, t\)"):
        code_problems.from_file(str(file))


def test_an_index_out_of_a_table_is_said_of_whole_numbers() -> None:
    table = nn.Sequential(nn.Embedding(3, 3), nn.Flatten(), nn.Linear(6, 2))
    inputs = torch.tensor([[0, 1], [2, 7]] * 9)
    split = Split(inputs, torch.ones(18, 2, dtype=torch.float64))
    with pytest.raises(InputError, match=r"for inputs of shape \(\d+, 2\) in int64"):
        refine(SupervisedProblem("table", table, split, split, split), max_rank=2)
