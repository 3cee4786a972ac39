"""The published recipe of one-shot LSR (Cao & Zhang 2026, arXiv 2601.13989), written afresh from its description.

    python benchmarks/recipe.py [--rank 100] [--repeats 3]

It is the opponent of the other benchmarks, with the published settings: float32, Ω uniform on [0, 1), ten extra
columns, no power iteration; Y = J Ω by forward products in chunks under vmap, Q from a QR, Z = Jᵀ Q by reverse products
in chunks, an SVD of the k × m matrix Zᵀ, V divided by the singular values, G V by further forward products, least
squares without a cut-off, Δθ = V c. Memory is released as soon as the recipe has no further use for it.

Run as a script it checks itself on a small network: the reduced problem must be the one that dense Jacobian rows give.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import _harness as harness
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, jvp, vjp, vmap

CHUNK = 10  # published: 100 to 600 on a GPU; on a CPU few columns stay in the cache and are faster


@dataclass(frozen=True)
class Flat:
    """A network as a function of one flat vector: `flat(theta, inputs)` gives outputs (n, o); `theta` is θ0."""

    call: Callable[[dict[str, Tensor], Tensor], Tensor]
    shapes: dict[str, torch.Size]
    theta: Tensor

    @classmethod
    def of(cls, module: nn.Module, dtype: torch.dtype = torch.float32, device: str = "cpu") -> Flat:
        """Of a private copy in the given dtype and on the given device."""
        module = copy.deepcopy(module).to(device=device, dtype=dtype)
        named = {name: value.detach() for name, value in module.named_parameters()}
        return cls(
            lambda parameters, inputs: functional_call(module, parameters, (inputs,)),
            {name: value.shape for name, value in named.items()},
            torch.cat([value.reshape(-1) for value in named.values()]),
        )

    def __call__(self, theta: Tensor, inputs: Tensor) -> Tensor:
        pieces = theta.split([shape.numel() for shape in self.shapes.values()])
        named = {name: piece.view(shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)}
        return self.call(named, inputs).reshape(len(inputs), -1)


@dataclass(frozen=True)
class Recipe:
    """What the recipe gives: Δθ (m,), the coefficients (r,), κ(G V) if asked for, the seconds of its steps."""

    delta: Tensor
    coefficients: Tensor
    condition_number: float | None
    seconds: dict[str, float] = field(default_factory=dict)


@torch.no_grad()
def published(
    function: Flat,
    inputs: Tensor,
    residual: Tensor,
    rank: int,
    oversampling: int = 10,
    chunk: int = CHUNK,
    seed: int = 0,
    condition: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> Recipe:
    """min ‖residual + G V c‖ in the subspace of the published range finder ("mode 1", V divided by S).

    Args:
        function: network or residual function; its Jacobian at `function.theta` is J = G.
        inputs: all training points.
        residual: f(θ0) at these points, flattened sample by sample.
        chunk: columns that one vmap takes.
        condition: also compute κ(G V).
    """
    clock = _Clock(progress)
    theta = function.theta
    width = rank + oversampling
    generator = torch.Generator().manual_seed(seed)

    omega = torch.rand(len(theta), width, generator=generator, dtype=theta.dtype).to(theta.device)
    sketch = push(function, inputs, omega, chunk)
    del omega
    clock("J Ω")
    range_, _ = torch.linalg.qr(sketch)
    del sketch
    clock("QR")
    pulled = pull(function, inputs, range_, chunk)
    del range_
    clock("Jᵀ Q")
    _, values, right = torch.linalg.svd(pulled.T, full_matrices=False)
    del pulled
    clock("SVD")
    basis = right[:rank].T / values[:rank]
    del right
    reduced = push(function, inputs, basis, chunk)
    clock("G V")
    coefficients = torch.linalg.lstsq(reduced, -residual.reshape(-1, 1), driver="gels").solution[:, 0]
    delta = basis @ coefficients
    clock("solve")
    seconds = dict(clock.seconds)
    kappa = None
    if condition:
        spectrum = torch.linalg.svdvals(reduced)
        kappa = float(spectrum[0] / spectrum[-1])
    return Recipe(delta, coefficients, kappa, seconds)


def push(function: Flat, inputs: Tensor, tangents: Tensor, chunk: int) -> Tensor:
    """J @ tangents, (n·o, k): one forward product a column."""

    def one(tangent: Tensor) -> Tensor:
        return jvp(lambda theta: function(theta, inputs), (function.theta,), (tangent,))[1].reshape(-1)

    return torch.cat([vmap(one, in_dims=1, out_dims=1)(part) for part in tangents.split(chunk, dim=1)], dim=1)


def pull(function: Flat, inputs: Tensor, cotangents: Tensor, chunk: int) -> Tensor:
    """Jᵀ @ cotangents, (m, k): one reverse product a column."""
    with torch.enable_grad():
        back = vjp(lambda theta: function(theta, inputs).reshape(-1), function.theta)[1]
    parts = [vmap(back, in_dims=1, out_dims=1)(part)[0] for part in cotangents.split(chunk, dim=1)]
    return torch.cat(parts, dim=1)


@torch.no_grad()
def predict(function: Flat, delta: Tensor, inputs: Tensor) -> Tensor:
    """q(θ0, x) + J(x) Δθ, (n, o)."""
    outputs, correction = jvp(lambda theta: function(theta, inputs), (function.theta,), (delta,))
    return outputs + correction


def memory_need(n_params: int, n_rows: int, rank: int, oversampling: int = 10, itemsize: int = 4) -> dict[str, int]:
    """Bytes of the recipe's large matrices at its peak, the SVD; activations and work space come on top.

    At the SVD of the k × m matrix its argument, the copy that LAPACK overwrites and the right singular vectors live at once; when V is
    made, the singular vectors, their scaled copy and (in the published order) Ω and Z are still there.
    """
    one = n_params * (rank + oversampling) * itemsize
    return {"one_matrix": one, "at_least": 3 * one, "as_published": 5 * one, "rows": n_rows * (rank + 10) * itemsize}


class _Clock:
    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._since = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds[step] = round(now - self._since, 3)
        self._since = now
        self._progress(f"recipe: {step} {self.seconds[step]:.2f} s")


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--rank", type=int, default=100)
    options = parser.parse_args()
    harness.begin(options)
    machine = harness.Machine()
    rank = 20 if options.quick else options.rank
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    points = torch.rand(600, 2, dtype=torch.float64) * 2 - 1
    wanted = torch.sin(3 * points).prod(dim=1)

    def run(dtype: torch.dtype) -> dict[str, float | None]:
        function, inputs = Flat.of(network, dtype), points.to(dtype)
        residual = function(function.theta, inputs).detach()[:, 0] - wanted.to(dtype)
        result = published(function, inputs, residual, rank, condition=True)
        after = (predict(function, result.delta, inputs)[:, 0] - wanted).square().mean()
        return {"train_mse": float(after), "condition_number": result.condition_number}

    def dense() -> dict[str, float]:
        """The same subspace size from the exact singular vectors of the dense Jacobian, in double precision."""
        function = Flat.of(network, torch.float64)
        rows = jacrev(lambda theta: function(theta, points)[:, 0])(function.theta).detach()
        residual = function(function.theta, points).detach()[:, 0] - wanted
        right = torch.linalg.svd(rows, full_matrices=False)[2][:rank].T
        modes = rows @ right
        coefficients = torch.linalg.lstsq(modes, -residual[:, None], driver="gelsd").solution
        after = (residual + (modes @ coefficients)[:, 0]).square().mean()
        return {"train_mse": float(after), "base_mse": float(residual.square().mean())}

    contenders = {
        "float32": lambda: run(torch.float32),
        "float64": lambda: run(torch.float64),
        "dense": dense,
    }
    outcomes = harness.alternate(contenders, options.repeats)
    results = {name: harness.medians(runs) for name, runs in outcomes.items()}
    harness.emit({"benchmark": "recipe", "rank": rank, **results, "machine": machine.report()})


if __name__ == "__main__":
    main()
