"""Networks with habits of other people: each ends at the dense answer, by NumPy from differences of its outputs, or in a sentence about the cause."""

from __future__ import annotations

import functools
import re
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from lsr_core import InputError, SupervisedProblem, refine
from tests.core import twins
from tests.core.oddities import Lambda, linear

ROWS = 40
Two = namedtuple("Two", "u v")


class Swish(torch.autograd.Function):
    """In the form of today, with setup_context and without rules of its own for transforms."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x * torch.sigmoid(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return g * (s + x * s * (1 - s))


class Rounded(torch.autograd.Function):
    """Passes gradients straight through, as networks that are to be quantised do."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.round(decimals=1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g


def mlp(*between: Callable[[Tensor], Tensor]) -> nn.Module:
    """Layers 3, 4, 1 with functions of hidden values between."""

    def forward(self: Any, x: Tensor) -> Tensor:
        return self.b(functools.reduce(lambda hidden, part: part(hidden), between, self.a(x)))

    return Lambda(forward, a=linear(3, 4), b=linear(4, 1))


def doing(forward: Callable[[Any, Tensor], Any], **more: Any) -> nn.Module:
    return Lambda(forward, **{"a": linear(3, 4), "b": linear(4, 1), **more})


def buffered(module: nn.Module, **buffers: Tensor) -> nn.Module:
    for name, value in buffers.items():
        module.register_buffer(name, value)
    return module


def hooked(register: Callable[[nn.Sequential], Any]) -> nn.Module:
    net = nn.Sequential(linear(3, 4), nn.Tanh(), linear(4, 1))
    register(net)
    return net


def with_weight(weight: Tensor) -> nn.Module:
    net = nn.Sequential(linear(3, 4), nn.Tanh(), linear(4, 1))
    net[0].weight = nn.Parameter(weight)
    return net


def _masked(self: Any, x: Tensor) -> Tensor:
    hidden, mask, out = torch.tanh(self.a(x)), x[:, 0] > 0, torch.zeros(len(x), 1, dtype=x.dtype)
    out[mask], out[~mask] = self.b(hidden[mask]), self.c(hidden[~mask])
    return out


def _settled(self: Any, x: Tensor) -> Tensor:
    hidden = torch.zeros(len(x), 4, dtype=x.dtype)
    for _ in range(200):
        found = torch.tanh(self.a(x) + 0.2 * self.c(hidden))
        if (found - hidden).abs().max() < 1e-14:
            break
        hidden = found
    return self.b(found)


def _in_place(self: Any, x: Tensor) -> Tensor:
    x -= 0.5
    x *= 2
    return self.b(torch.tanh(self.a(x)))


def _causal(self: Any, x: Tensor) -> Tensor:
    hidden, mask = self.c(x[:, :, None]), torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)
    return self.b(self.attend(hidden, hidden, hidden, attn_mask=mask)[0][:, -1])


def _counted(self: Any, x: Tensor) -> Tensor:
    self.calls += 1
    return self.b(torch.tanh(self.a(x))) * (1 + self.calls)


def _followed(self: Any, x: Tensor) -> Tensor:
    self.mean.mul_(0.9).add_(0.1 * x.mean(0).detach())
    return self.b(torch.tanh(self.a(x - self.mean)))


def _solved(self: Any, x: Tensor) -> Tensor:
    return torch.linalg.solve(self.w @ self.w.T + torch.eye(3, dtype=x.dtype), x.T).T @ self.v


def _autocast(self: Any, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return self.b(torch.tanh(self.a(x.float()))).to(x.dtype)


RIGHT: dict[str, Callable[[], nn.Module]] = {
    "a function with setup_context": lambda: mlp(Swish.apply),
    "a hook that doubles the gradient of a weight": lambda: hooked(lambda net: net[0].weight.register_hook(lambda g: 2 * g)),
    "orthogonal by parametrisation": lambda: nn.Sequential(parametrizations.orthogonal(linear(3, 3)), nn.Tanh(), linear(3, 1)),
    "a list of parameters": lambda: doing(
        lambda self, x: torch.tanh(x @ self.w[0]) @ self.w[1], w=nn.ParameterList([torch.randn(3, 4), torch.randn(4, 1)])
    ),
    "a dictionary of parameters": lambda: doing(
        lambda self, x: torch.tanh(x @ self.p["w"]) @ self.p["v"], p=nn.ParameterDict({"w": torch.randn(3, 4), "v": torch.randn(4, 1)})
    ),
    "an average of weights": lambda: torch.optim.swa_utils.AveragedModel(nn.Sequential(linear(3, 4), nn.Tanh(), linear(4, 1))),
    "a weight stored by columns": lambda: with_weight(torch.randn(3, 4).T),
    "a branch by the mean of the batch": lambda: doing(lambda self, x: self.b(self.a(x).tanh() if x.mean() > 0 else self.a(x).sin())),
    "rows assigned by a mask": lambda: doing(_masked, c=linear(4, 1)),
    "iterations until nothing changes": lambda: doing(_settled, c=linear(4, 4)),
    "inputs changed in place": lambda: doing(_in_place),
    "outputs without an axis": lambda: doing(lambda self, x: self.b(torch.tanh(self.a(x)))[:, 0]),
    "outputs with an axis more": lambda: doing(lambda self, x: self.b(torch.tanh(self.a(x)))[:, None]),
    "values computed again on the way back": lambda: doing(
        lambda self, x: self.b(checkpoint(lambda z: torch.tanh(self.a(z)), x, use_reentrant=False))
    ),
    "traced by fx": lambda: torch.fx.symbolic_trace(nn.Sequential(linear(3, 4), nn.Tanh(), linear(4, 1))),
    "inputs scaled by their smallest and largest": lambda: buffered(
        doing(lambda self, x: self.b(torch.tanh(self.a((x - self.low) / (self.high - self.low))))), low=-torch.ones(3), high=torch.ones(3)
    ),
    "inputs scaled by NumPy": lambda: doing(lambda self, x: self.b(torch.tanh(self.a(torch.from_numpy((x.numpy() - 0.1) / 0.6))))),
    "an exponential of the outputs": lambda: doing(lambda self, x: torch.exp(self.b(torch.tanh(self.a(x))))),
    "attention with a mask": lambda: Lambda(_causal, c=linear(1, 2), attend=nn.MultiheadAttention(2, 1, batch_first=True), b=linear(2, 1)),
    "sorted and summed": lambda: mlp(lambda h: torch.sort(h, 1).values.cumsum(1), torch.tanh),
    "a system of equations solved inside": lambda: doing(_solved, w=nn.Parameter(torch.randn(3, 3)), v=nn.Parameter(torch.randn(3, 1))),
    "an argument that has a value already": lambda: doing(lambda self, x, scale=2.0: scale * self.b(torch.tanh(self.a(x)))),
    "numbers looked up that forward rounds itself": lambda: Lambda(
        lambda self, x: self.b(self.e((3 * x[:, 0]).abs().long().clamp(0, 2)) * torch.tanh(self.a(x))),
        e=nn.Embedding(3, 4), a=linear(3, 4), b=linear(4, 1),
    ),
    "a product with a sparse matrix": lambda: mlp(lambda h: torch.sparse.mm(torch.eye(4, dtype=h.dtype).to_sparse(), h.T).T.tanh()),
    "a function that vmap does not know": lambda: Lambda(
        lambda self, x: self.b(functional.rrelu(self.a(x), training=False)), a=linear(3, 2), b=linear(2, 1)
    ),
    "noise from a seed of its own": lambda: mlp(
        torch.tanh, lambda h: h + 0.1 * torch.randn(h.shape, dtype=h.dtype, generator=torch.Generator().manual_seed(3))
    ),
}  # fmt: skip
REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "rounded with a gradient straight through": (lambda: mlp(Rounded.apply), "or rounds its values"),
    "a backward hook that doubles what goes on": (
        lambda: hooked(lambda net: net[2].register_full_backward_hook(lambda module, given, taken: (2 * given[0],))),
        "the gradient is not that of the outputs",
    ),
    "a counter of calls in the outputs": (lambda: buffered(doing(_counted), calls=torch.zeros(())), "two evaluations at the same inputs differ"),
    "a mean that follows the inputs": (lambda: buffered(doing(_followed), mean=torch.zeros(3)), "two evaluations at the same inputs differ"),
    "dropout by function": (lambda: mlp(lambda h: functional.dropout(h, 0.3)), "two evaluations at the same inputs differ"),
    "weights in a plain list": (
        lambda: Lambda(lambda self, x: x @ self.plain[0], plain=[torch.randn(3, 1, requires_grad=True)]),  # type: ignore[list-item]
        "nothing to refine; tensors and layers in a plain list are none",
    ),
    "a pair with names": (lambda: doing(lambda self, x: Two(self.b(self.a(x)), x)), r"such as out\[0\]"),
    "an array of NumPy": (lambda: doing(lambda self, x: self.b(self.a(x)).detach().numpy()), "an object of type ndarray"),
    "half precision by autocast": (lambda: doing(_autocast), r"makes single precision at `.*float\(\)"),
    "arguments by keyword alone": (lambda: doing(lambda self, *, x: self.b(self.a(x))), r"forward fails at .*takes 1 positional argument"),
    "batch norm as it trains": (lambda: nn.Sequential(linear(3, 4), nn.BatchNorm1d(4), linear(4, 1)).train(), "uses the statistics of the batch"),
}  # fmt: skip


def problem(make: Callable[[], nn.Module]) -> SupervisedProblem:
    torch.manual_seed(0)
    return SupervisedProblem("foreign", make().double(), *(twins.data(ROWS, 3, seed=seed) for seed in (1, 2, 3)))


def dense(model: nn.Module, inputs: Tensor, targets: Tensor) -> tuple[float, float]:
    """Mean squares before, and the least that any change of the parameters leaves to first order."""
    parameters = [value for value in model.parameters() if value.requires_grad]
    with torch.no_grad():
        vector = torch.cat([value.reshape(-1) for value in parameters])

        def outputs(at: Tensor) -> np.ndarray:
            nn.utils.vector_to_parameters(at.clone(), parameters)
            return model(inputs.clone()).reshape(-1).numpy()

        units = 1e-6 * torch.eye(len(vector), dtype=vector.dtype)
        columns = [(outputs(vector + unit) - outputs(vector - unit)) / 2e-6 for unit in units]
        rest = targets.numpy().reshape(-1) - outputs(vector)
    jacobian = np.stack(columns, 1)
    left = rest - jacobian @ np.linalg.lstsq(jacobian, rest, rcond=1e-9)[0]
    return float(np.mean(rest**2)), float(np.mean(left**2))


@pytest.mark.parametrize("name", RIGHT)
def test_it_ends_at_the_dense_answer(name: str) -> None:
    given = problem(RIGHT[name])
    inputs = given.train.inputs.clone()
    count = sum(value.numel() for value in given.model.parameters() if value.requires_grad)
    rank = min(count, ROWS)
    summary = refine(given, max_rank=rank, rank=rank).summary
    assert torch.equal(given.train.inputs, inputs)  # nothing was written into them
    before, after = dense(given.model, given.train.inputs, given.train.targets)
    assert summary.base.train_mse == pytest.approx(before, rel=1e-9)
    assert summary.refined.train_mse == pytest.approx(after, rel=1e-6, abs=1e-5 * before)
    assert after < 0.5 * before


@pytest.mark.parametrize("name", REFUSED)
def test_it_ends_in_a_sentence_about_the_cause(name: str) -> None:
    make, words = REFUSED[name]
    with pytest.raises(InputError) as error:
        refine(problem(make), max_rank=3)
    assert re.search(words, str(error.value)), error.value
