"""Networks that cannot be refined, or not in full precision: the message names the cause and its line."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from lsr_core import (
    InputError,
    Split,
    SupervisedProblem,
    refine,
)
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.probe import examine
from lsr_core.networks.routes import in_words
from tests.core import oddities, twins

INPUTS = twins.data(9, 3).inputs


class TestCauses:
    """What makes a network impossible to refine is named, with its line."""

    @staticmethod
    def refused(forward: object, match: str, dtype: torch.dtype = torch.float64) -> None:
        torch.manual_seed(0)
        model = oddities.Lambda(forward, a=nn.Linear(3, 5), b=nn.Linear(5, 1)).to(dtype).eval()  # type: ignore[arg-type]
        splits = [twins.data(20, 3, seed=seed) for seed in (1, 2, 3)]
        with pytest.raises(InputError, match=match):
            refine(SupervisedProblem("refused", model, *splits), max_rank=3)

    def test_no_grad(self) -> None:
        @torch.no_grad()
        def forward(self: nn.Module, x: Tensor) -> Tensor:
            return self.b(torch.tanh(self.a(x)))

        self.refused(
            forward, r"do not depend on the parameters: forward runs without gradients.*test_route_causes.py, line"
        )

    def test_inference_mode(self) -> None:
        @torch.inference_mode()
        def forward(self: nn.Module, x: Tensor) -> Tensor:
            return self.b(torch.tanh(self.a(x)))

        self.refused(
            forward, r"do not depend on the parameters: forward runs without gradients.*test_route_causes.py, line"
        )

    def test_detached(self) -> None:
        self.refused(
            lambda self, x: self.b(torch.tanh(self.a(x))).detach() * 1,
            r"do not depend .* a value leaves the graph at .*detach",
        )

    def test_derivatives_that_are_zero(self) -> None:
        self.refused(
            lambda self, x: self.b(torch.relu(self.a(x) - 1e3)) * 0, r"are exactly zero at the samples that were tried"
        )

    def test_derivatives_that_are_zero_at_most_samples(self) -> None:
        """They are proved at samples where they are not."""
        model = oddities.Lambda(
            lambda self, x: self.b(x) * (x[:, :1] > 1.5), a=nn.Linear(3, 5), b=nn.Linear(3, 1, bias=False)
        )  # type: ignore[arg-type]
        train = twins.data(60, 3, seed=1)
        inputs = train.inputs.clamp(-1, 1)
        inputs[41, 0] = 2.0
        result = refine(
            SupervisedProblem("rare", model.double().eval(), train._replace(inputs=inputs), None, None), max_rank=1
        )
        assert result.summary.refined.train_mse < result.summary.base.train_mse

    def test_a_detached_part(self) -> None:
        self.refused(
            lambda self, x: self.b(torch.tanh(self.a(x))) * self.a(x).detach().sum(1, keepdim=True),
            r"part of the outputs is cut off from the parameters: a value leaves the graph at .*detach.* \(test_route_causes.py, line",
        )

    def test_a_number_read_out(self) -> None:
        self.refused(
            lambda self, x: self.b(torch.tanh(self.a(x))) * (1 + self.a.weight.sum().item()),
            r"part of the outputs is cut off .*item",
        )

    def test_float32_inside(self) -> None:
        self.refused(
            lambda self, x: self.b(self.a(x.float())),
            r"forward makes single precision at .*x.float\(\).*ask for dtype float32",
        )

    def test_a_forward_that_fails(self) -> None:
        self.refused(lambda self, x: self.b(x), r"forward fails at .*self.b\(x\).*for inputs of shape \(2, 3\)")

    def test_a_wrong_gradient(self) -> None:
        self.refused(
            lambda self, x: self.b(oddities.WrongSwish.apply(self.a(x))), "a custom function in it has a wrong gradient"
        )

    def test_a_value_that_is_needed_and_changed(self) -> None:
        def forward(self: nn.Module, x: Tensor) -> Tensor:
            moved = x * 1
            hidden = self.a(moved)
            moved += 1
            return self.b(torch.tanh(hidden))

        self.refused(
            forward,
            r"could not be trained either: a value that the backward pass needs is changed in place.*moved \+= 1",
        )

    def test_rounded_values(self) -> None:
        def forward(self: nn.Module, x: Tensor) -> Tensor:
            hidden = self.a(x)
            return self.b(hidden + (torch.round(4 * hidden) / 4 - hidden).detach())

        self.refused(forward, "part of the outputs is cut off")

    def test_script(self) -> None:
        model = torch.jit.script(twins.network(2, 4, 1))
        with pytest.raises(InputError, match="TorchScript module"):
            refine(twins.problem(model), max_rank=2)

    def test_a_wrapper_for_devices_is_taken_off(self) -> None:
        model = twins.network(2, 4, 1)
        plain, wrapped = (refine(twins.problem(each), max_rank=5) for each in (model, nn.DataParallel(model)))
        torch.testing.assert_close(plain.delta, wrapped.delta)

    def test_a_compiled_network_is_the_one_inside(self) -> None:
        model = twins.network(2, 4, 1)
        compiled = torch.compile(model, backend=lambda *_: pytest.fail("compiled"))
        plain, inside = (refine(twins.problem(each), max_rank=5) for each in (model, compiled))
        torch.testing.assert_close(plain.delta, inside.delta)

    def test_parameters_that_are_none_yet_or_hold_few_values(self) -> None:
        lazy = nn.Sequential(nn.LazyLinear(4), nn.Tanh(), nn.Linear(4, 1))
        with pytest.raises(InputError, match=r"0\.weight: has no shape yet; call the network once"):
            refine(twins.problem(lazy), max_rank=2)
        sparse = oddities.Lambda(lambda self, x: x @ self.w, w=nn.Parameter(torch.eye(2).to_sparse()))
        with pytest.raises(InputError, match=r"w: is sparse; .*to_dense"):
            refine(twins.problem(sparse), max_rank=2)

    def test_layers_in_a_plain_list(self) -> None:
        model = oddities.Lambda(lambda self, x: self.out(self.hidden[0](x)), out=nn.Linear(4, 1))
        model.hidden = [nn.Linear(2, 4)]
        with pytest.raises(InputError, match=r"line \d+\): part of the network is not in float64.*nn\.ModuleList"):
            refine(twins.problem(model), max_rank=2)
        with pytest.raises(InputError, match=r"nothing to refine; .*in a plain list"):
            refine(twins.problem(oddities.Lambda(lambda self, x: self.hidden[0](x), norm=nn.Tanh())), max_rank=2)


KEPT_BACK = {
    "a value that leaves the graph": (
        lambda self, x: functional.linear(self.a(x).tanh(), self.b.weight.data, self.b.bias), "b.weight", "a value leaves the graph at",
    ),
    "a checkpoint": (
        lambda self, x: self.b(checkpoint(lambda z: torch.tanh(self.a(z)), x, use_reentrant=True)), "a.weight, a.bias", "checkpoint",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT_BACK)
@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad=True")
def test_parameters_whose_gradient_is_kept_back_are_named(name: str) -> None:
    forward, kept, why = KEPT_BACK[name]
    torch.manual_seed(0)
    model = oddities.Lambda(forward, a=nn.Linear(3, 5), b=nn.Linear(5, 1)).double().eval()
    splits = [twins.data(30, 3, seed=seed) for seed in (1, 2, 3)]
    result = refine(SupervisedProblem("kept", model, *splits), max_rank=4)
    assert re.search(rf"change with {kept} and have no gradient by that, because .*{why}", result.summary.notes[0])


def test_unused_parameters_are_not_called_kept_back() -> None:
    torch.manual_seed(0)
    model = oddities.network("unused head")
    splits = [twins.data(30, 3, seed=seed) for seed in (1, 2, 3)]
    assert not refine(SupervisedProblem("unused", model, *splits), max_rank=4).summary.notes


def test_single_precision_inside_is_noted_and_gives_what_it_can() -> None:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        kept = torch.zeros(len(x), 5)
        kept[:] = self.a(x)
        return self.b(torch.tanh(kept).to(x.dtype))

    torch.manual_seed(0)
    models = [
        oddities.Lambda(does, a=nn.Linear(3, 5), b=nn.Linear(5, 1)).double().eval() for does in (forward, forward)
    ]
    models[1].does = lambda self, x: self.b(torch.tanh(self.a(x)))
    models[1].load_state_dict(models[0].state_dict())
    splits = [twins.data(30, 3, seed=seed) for seed in (1, 2, 3)]
    single, double = (refine(SupervisedProblem("s", model, *splits), rank=5, max_rank=5) for model in models)
    assert "forward holds single precision at `kept[:] = self.a(x)`" in single.summary.notes[-1]
    assert single.summary.refined.test_mse == pytest.approx(double.summary.refined.test_mse, rel=1e-4)
    assert not double.summary.notes


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("a size is odd"), r"fails on the way at `.*\(test_route_causes\.py, line \d+\): RuntimeError, a size is odd"),
        (RuntimeError("vmap: inplace arithmetic(self, *extra_args) is not possible"), "is filled in place.*strategy matrix-free"),
        (NotImplementedError("no kernel"), "torch does not offer it.*strategy matrix-free"),
    ],
)  # fmt: skip
def test_what_fails_on_the_way_is_told_as_what_it_is(error: Exception, words: str) -> None:
    with pytest.raises(InputError, match=words), in_words():
        raise error


def test_frozen_by_detach_is_no_fault() -> None:
    torch.manual_seed(0)
    model = (
        oddities.Lambda(lambda self, x: self.b(torch.tanh(self.a(x)).detach()), a=nn.Linear(3, 5), b=nn.Linear(5, 1))
        .double()
        .eval()
    )
    splits = [twins.data(30, 3, seed=seed) for seed in (1, 2, 3)]
    result = refine(SupervisedProblem("features", model, *splits), max_rank=6)
    assert result.summary.refined.train_mse < result.summary.base.train_mse  # type: ignore[operator]
    assert "change with a.weight, a.bias" in result.summary.notes[0]


def test_the_probe_finds_changes_in_place() -> None:
    function = ParametricFunction.from_module(oddities.network("in-place scale"), dtype=torch.float64)
    found = examine(function, INPUTS[:2])
    assert "hidden *= 5" in (found.in_place or "")
    assert found.severed is None
    assert found.single is None


def test_integers_as_inputs_have_a_proof() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(8, 1)).double().eval()
    x = torch.randint(0, 10, (60, 2))
    splits = [Split(x[i::3], torch.sin(x[i::3].double()).sum(1, keepdim=True)) for i in range(3)]
    assert refine(SupervisedProblem("tokens", model, *splits), max_rank=5).summary.adjoint_error < 1e-12
