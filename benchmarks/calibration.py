"""Error bars of a smoothed refinement beside those of others, on small regression sets; one JSON line.

    python benchmarks/calibration.py [--splits 20] [--first 0] [--sets diabetes linnerud iris wine cancer friedman1 friedman2 friedman3]

Needs scikit-learn (`pip install 'lsr-explorer[samples]'`), whose sets these are: `diabetes` (442 patients, ten inputs), `linnerud` (20 men, weight
from three exercises), `iris` (width of the petal from the other three lengths, 150 flowers), `wine` (alcohol from twelve other measurements, 178
wines), `cancer` (mean texture from the 29 other measurements, 569 patients) and Friedman's three functions at 200 points with noise. Each of the
splits fits nine tenths and measures the rest; inputs and target are standardised by the fitted part, figures are in its units. A tanh network with
50 units takes 60 steps of Adam on it and is then given to

    network      as it is, with the residual's own spread
    refined      `refine(..., regularise="auto", prior="weights")`, as the network has been trained on these samples
    step         the same with the default prior; like `network` where it says not to refine
    ridge        scikit-learn's RidgeCV on the same features, the rows of its Jacobian, with the residual's own spread
    ensemble     five such networks from other starts (Lakshminarayanan et al. 2017), mixture of their means, with the residual's own spread
    laplace      laplace-torch 0.3, all weights, full matrix, prior and noise by its marginal likelihood; and `last layer`; left out where that
                 package is not installed (it brings torchvision, which it can do without: `pip install --no-deps laplace-torch
                 curvlinops-for-pytorch backpack-for-pytorch asdfghjkl einops einconv unfoldNd linear_operator`)

root mean square error, mean negative log-likelihood, coverage and width of 90 % bands, and processor seconds beyond training; means over the splits.
`lost` names, set by set, what each of the others is better at than `refined`; `shares` is the share of sets in which `refined` is no worse than each
of the others in both error and likelihood.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import PlainRowJacobian
from lsr_core.problems.splits import Split
from lsr_core.refinement.progress import silent
from lsr_core.refinement.refine import refine

WIDTH, STEPS, RATE, MEMBERS = 50, 60, 1e-2, 5
NINETY = 1.6448536269514722  # standard deviations of a central band of 90 %
SETS = ("diabetes", "linnerud", "iris", "wine", "cancer", "friedman1", "friedman2", "friedman3")
MEASURED = {
    "iris": ("iris", 3),
    "wine": ("wine", 0),
    "cancer": ("breast_cancer", 1),
}  # the column that the others are to tell
Prediction = tuple[Tensor, Tensor]
Method = Callable[[nn.Module, Split, Tensor], Prediction]


def sets(name: str) -> tuple[np.ndarray, np.ndarray]:
    from sklearn import datasets

    if name in ("diabetes", "linnerud"):
        found = getattr(datasets, f"load_{name}")()
        return found.data, found.target.reshape(len(found.target), -1)[:, 0]
    if name in MEASURED:
        source, column = MEASURED[name]
        table = getattr(datasets, f"load_{source}")().data
        return np.delete(table, column, axis=1), table[:, column]
    noise = {"friedman1": 1.0, "friedman2": 100.0, "friedman3": 0.1}[name]
    made: tuple[np.ndarray, np.ndarray] = getattr(datasets, f"make_{name}")(n_samples=200, noise=noise, random_state=0)
    return made


def network(inputs: int, seed: int, split: Split) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(inputs, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1)).double()
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        (model(split.inputs) - split.targets).square().mean().backward()
        optimiser.step()
    return model.eval()


def constant(mean: Tensor, residual: Tensor) -> Prediction:
    return mean, torch.full_like(mean, float(residual.square().mean().sqrt()))


@torch.no_grad()
def by_network(model: nn.Module, train: Split, inputs: Tensor) -> Prediction:
    return constant(model(inputs), model(train.inputs) - train.targets)


def by_refinement(prior: str) -> Method:
    def predict(model: nn.Module, train: Split, inputs: Tensor) -> Prediction:
        found = refine(SupervisedProblem("set", model, train), regularise="auto", prior=prior, progress=silent)
        if found.predictor.spread is not None:
            return found.predictor.predict(inputs, std=True)
        return constant(found.predictor.predict(inputs), found.predictor.predict(train.inputs) - train.targets)

    return predict


def by_ridge(model: nn.Module, train: Split, inputs: Tensor) -> Prediction:
    from sklearn.linear_model import RidgeCV

    function = ParametricFunction.from_module(model, dtype=torch.float64)
    rows, new = (PlainRowJacobian(function, x, 1).rows_at(x).numpy() for x in (train.inputs, inputs))
    with torch.no_grad():
        left = (train.targets - model(train.inputs)).numpy()[:, 0]
        base = model(inputs)
    ridge = RidgeCV(alphas=np.logspace(-8, 6, 60), fit_intercept=False).fit(rows, left)
    residual = torch.from_numpy(left - ridge.predict(rows))
    return constant(base + torch.from_numpy(ridge.predict(new))[:, None], residual)


@torch.no_grad()
def by_ensemble(model: nn.Module, train: Split, inputs: Tensor) -> Prediction:
    with torch.enable_grad():
        members = [model, *(network(inputs.shape[1], 100 + seed, train) for seed in range(MEMBERS - 1))]
    means = torch.stack([member(inputs) for member in members])
    fitted = torch.stack([member(train.inputs) for member in members]).mean(0)
    noise = (fitted - train.targets).square().mean()
    return means.mean(0), (means.var(0) + noise).sqrt()


def by_laplace(weights: str) -> Method:
    def predict(model: nn.Module, train: Split, inputs: Tensor) -> Prediction:
        from laplace import Laplace

        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*train), batch_size=len(train.inputs))
        found = Laplace(model, "regression", subset_of_weights=weights, hessian_structure="full")
        found.fit(loader)
        prior, sigma = (torch.zeros(1, dtype=torch.float64, requires_grad=True) for _ in range(2))
        optimiser = torch.optim.Adam([prior, sigma], lr=0.1)
        for _ in range(100):
            optimiser.zero_grad()
            (-found.log_marginal_likelihood(prior.exp(), sigma.exp())).backward()
            optimiser.step()
        mean, variance = found(inputs)
        noise = float(sigma.detach().exp()) ** 2
        return mean.detach(), (variance.detach().reshape(mean.shape) + noise).sqrt()

    return predict


def methods() -> dict[str, Method]:
    found: dict[str, Method] = {
        "network": by_network, "refined": by_refinement("weights"), "step": by_refinement("step"), "ridge": by_ridge,
        "ensemble": by_ensemble,
    }  # fmt: skip
    if importlib.util.find_spec("laplace") is not None:
        found |= {"laplace": by_laplace("all"), "last layer": by_laplace("last_layer")}
    return found


def measured(name: str, splits: int, first: int) -> dict[str, dict[str, float]]:
    x, y = sets(name)
    found: dict[str, list[list[float]]] = {method: [] for method in methods()}
    for seed in range(first, first + splits):
        order = np.random.default_rng(seed).permutation(len(x))
        held, kept = order[: len(x) // 10], order[len(x) // 10 :]
        inputs = torch.from_numpy((x - x[kept].mean(0)) / x[kept].std(0)).double()
        centre, scale = float(y[kept].mean()), float(y[kept].std())
        targets = torch.from_numpy((y - centre) / scale).double()[:, None]
        train, test = (Split(inputs[part], targets[part]) for part in (kept, held))
        model = network(x.shape[1], seed, train)
        for method, predict in methods().items():
            started = time.process_time()
            mean, std = predict(model, train, test.inputs)
            seconds = time.process_time() - started
            error = (mean - test.targets).reshape(-1)
            std = std.reshape(-1)
            likelihood = 0.5 * (2 * torch.pi * std.square()).log() + 0.5 * (error / std).square() + np.log(scale)
            inside = (error.abs() <= NINETY * std).double().mean()
            figures = (scale * error.square().mean().sqrt(), likelihood.mean(), inside, scale * 2 * NINETY * std.mean())
            found[method].append([*(float(value) for value in figures), seconds])
    names = ("rmse", "nll", "coverage_90", "width_90", "seconds")
    return {
        method: {key: round(float(value), 4) for key, value in zip(names, np.mean(rows, axis=0), strict=True)}
        for method, rows in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first split")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record: dict[str, Any] = {"benchmark": "calibration", "splits": arguments.splits, "first": arguments.first}
    record |= {name: measured(name, arguments.splits, arguments.first) for name in arguments.sets}
    record["shares"] = {
        other: float(
            np.mean(
                [
                    all(record[s]["refined"][key] <= record[s][other][key] for key in ("rmse", "nll"))
                    for s in arguments.sets
                ]
            )
        )
        for other in methods()
        if other != "refined"
    }
    record["lost"] = {
        name: {
            other: [key for key in ("rmse", "nll") if record[name]["refined"][key] > record[name][other][key]]
            for other in methods()
            if other != "refined"
        }
        for name in arguments.sets
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
