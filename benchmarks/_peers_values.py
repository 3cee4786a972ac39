"""Contenders for the leading singular values of a Jacobian, each with its settings from the cheapest on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from _tangent import Tangent
from scipy.sparse.linalg import svds
from torch import Tensor

from lsr_core.linalg.randomized import randomized_svd

OVERSAMPLING = 20
BLOCK = 30  # columns: fewer are slower than their products


class Setting(NamedTuple):
    """One way to run a contender: the words for it, and the work, whose result is judged outside of the clock."""

    words: str
    work: Callable[[], Tensor]


def ours(case: Tangent) -> Iterator[Setting]:
    """Rows that the engine makes and keeps, and its randomized SVD in narrow blocks."""
    for beyond in (OVERSAMPLING, case.rank // 2, case.rank, 2 * case.rank, 4 * case.rank):
        width = min(case.rank + beyond, *case.shape)

        def work(beyond: int = beyond, width: int = width) -> Tensor:
            found = randomized_svd(
                case.our_operator(),
                case.rank,
                oversampling=beyond,
                power_iterations=0,
                generator=torch.Generator().manual_seed(0),
                parts=-(-width // BLOCK),
            )
            return found.factors.singular_values

        yield Setting(f"{width} columns in blocks of {BLOCK}", work)


def skerch(case: Tangent) -> Iterator[Setting]:
    """It has no power iterations: more columns instead."""
    from skerch.algorithms import ssvd

    for factor in (1, 2, 4, 8):
        width = min(factor * case.rank + OVERSAMPLING, *case.shape)

        def work(width: int = width) -> Tensor:
            _, values, _ = ssvd(case.dense(), "cpu", torch.float64, width, meas_blocksize=width)
            return values[: case.rank]

        yield Setting(f"{width} columns", work)


def torch_lowrank(case: Tangent) -> Iterator[Setting]:
    for power in (0, 1, 2, 4, 8):

        def work(power: int = power) -> Tensor:
            torch.manual_seed(0)
            return torch.svd_lowrank(case.dense(), q=case.rank + OVERSAMPLING, niter=power)[1][: case.rank]

        yield Setting(f"niter={power}", work)


def scikit_learn(case: Tangent) -> Iterator[Setting]:
    from sklearn.utils.extmath import randomized_svd as theirs

    for power in (0, 1, 2, 4, 8):

        def work(power: int = power) -> Tensor:
            _, values, _ = theirs(
                case.dense().numpy(), case.rank, n_oversamples=OVERSAMPLING, n_iter=power, random_state=0
            )
            return torch.from_numpy(values.copy())

        yield Setting(f"n_iter={power}", work)


def scipy_solver(solver: str) -> Callable[[Tangent], Iterator[Setting]]:
    def settings(case: Tangent) -> Iterator[Setting]:
        for tolerance in (1e-2, 0.0):

            def work(tolerance: float = tolerance) -> Tensor:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found = svds(
                        case.dense().numpy(),
                        case.rank,
                        solver=solver,
                        tol=tolerance,
                        return_singular_vectors=False,
                        random_state=0,
                    )
                return torch.from_numpy(np.sort(found)[::-1].copy())

            yield Setting(f"tol={tolerance:g}", work)

    return settings


def dense_lapack(case: Tangent) -> Iterator[Setting]:
    """All values, by a QR first, which is quicker where one side is long."""
    yield Setting("all values", lambda: reference(case))


CONTENDERS: dict[str, Callable[[Tangent], Iterator[Setting]]] = {
    "ours": ours,
    "skerch": skerch,
    "torch.svd_lowrank": torch_lowrank,
    "scikit-learn": scikit_learn,
    "SciPy propack": scipy_solver("propack"),
    "SciPy arpack": scipy_solver("arpack"),
    "LAPACK": dense_lapack,
}


def reference(case: Tangent) -> Tensor:
    rows = case.dense()
    tall = rows.T if rows.shape[0] < rows.shape[1] else rows
    return torch.linalg.svdvals(torch.linalg.qr(tall, mode="r").R)[: case.rank]


def worst_error(values: Tensor, exact: Tensor) -> float:
    """Largest relative error of the leading values; those that are missing count as wholly wrong."""
    found = torch.zeros_like(exact)
    found[: len(values)] = values
    return float(((found - exact) / exact).abs().max())
