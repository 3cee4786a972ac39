"""Contenders for min ‖f + J δ‖, each with its settings from the cheapest on; work doubles from one to the next."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import torch
from _peers_values import Setting
from _tangent import Tangent
from scipy.sparse.linalg import lsmr
from torch import Tensor

import lsr_core

ITERATIONS = [10 * 2**power for power in range(11)]
RANKS = [25 * 2**power for power in range(8)]

PRECONDITIONED = [
    (50, 1e-2, 20),
    (100, 1e-4, 40),
    (200, 1e-6, 80),
    (400, 1e-8, 160),
    (800, 1e-10, 320),
    (800, 1e-12, 640),
]


def ranks(case: Tangent) -> list[int]:
    most = min(case.shape) - 1
    return [rank for rank in RANKS if rank <= most] or [most]


def ours(case: Tangent) -> Iterator[Setting]:
    """The whole call: checks, errors of all ranks, predictor; its rank chosen by the validation rows."""
    for rank in ranks(case):

        def work(rank: int = rank) -> Tensor:
            return lsr_core.refine(case.ours, max_rank=rank).delta

        yield Setting(f"max_rank={rank}", work)


def lsmr_by_products(case: Tangent) -> Iterator[Setting]:
    for count in ITERATIONS:

        def work(count: int = count) -> Tensor:
            errors = case.errors(case.plain.train).numpy()
            return torch.from_numpy(_lsmr(case.scipy_operator(), -errors, count))

        yield Setting(f"{count} iterations", work)


def lsmr_by_rows(case: Tangent) -> Iterator[Setting]:
    for count in ITERATIONS:

        def work(count: int = count) -> Tensor:
            errors = case.errors(case.plain.train).numpy()
            return torch.from_numpy(_lsmr(case.dense().numpy(), -errors, count))

        yield Setting(f"{count} iterations", work)


def _lsmr(operator: object, rhs: object, count: int) -> object:
    return lsmr(operator, rhs, atol=0, btol=0, conlim=0, maxiter=count)[0]


def linops_lsqr(case: Tangent) -> Iterator[Setting]:
    from linops import aslinearoperator
    from linops.lsqr import lsqr

    for count in ITERATIONS:

        def work(count: int = count) -> Tensor:
            rows = aslinearoperator(case.dense())
            return lsqr(rows, -case.errors(case.plain.train), atol=0, btol=0, conlim=0, iter_lim=count)

        yield Setting(f"{count} iterations", work)


def rlaopt_pcg(case: Tangent) -> Iterator[Setting]:
    """The smaller of the two normal equations, with a ridge relative to σ₁², preconditioned by Nyström."""
    from rlaopt.linalg import LinSys, NystromConfig
    from rlaopt.solvers import PCG, PCGConfig, PCGStoppingCriteria

    for rank, ridge, count in PRECONDITIONED:
        if rank >= min(case.shape):
            return

        def work(rank: int = rank, ridge: float = ridge, count: int = count) -> Tensor:
            torch.manual_seed(0)
            rows, errors = case.dense(), case.errors(case.plain.train)
            wide = rows.shape[0] < rows.shape[1]
            gram, rhs = (rows @ rows.T, -errors) if wide else (rows.T @ rows, -(rows.T @ errors))
            penalty = ridge * float(torch.linalg.vector_norm(gram, 2)) / len(gram) ** 0.5
            config = PCGConfig(preconditioner_config=NystromConfig(rank_init=rank, base_damping=penalty))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.set_default_dtype(torch.float64)  # version 0.1.0 draws its start of power iterations in it
                try:
                    solver = PCG(LinSys(gram, rhs, penalty), config)
                    found = solver.solve(None, PCGStoppingCriteria(max_iters=count, tol=1e-15)).solution[:, 0].detach()
                finally:
                    torch.set_default_dtype(torch.float32)
            return rows.T @ found if wide else found

        yield Setting(f"rank {rank}, ridge {ridge:g}, {count} iterations", work)


def fastlsq_sketch(case: Tangent) -> Iterator[Setting]:
    from fastlsq.linalg import solve_lstsq

    for rank in ranks(case):

        def work(rank: int = rank) -> Tensor:
            torch.manual_seed(0)
            return solve_lstsq(case.dense(), -case.errors(case.plain.train), method="rsvd", rank=rank, n_iter=1)

        yield Setting(f"rsvd, rank {rank}", work)


def fastlsq_exact(case: Tangent) -> Iterator[Setting]:
    """LAPACK's gelsd on all rows."""
    from fastlsq.linalg import solve_lstsq

    for cut in (1e-3, 1e-12):

        def work(cut: float = cut) -> Tensor:
            return solve_lstsq(case.dense(), -case.errors(case.plain.train), method="svd", rcond=cut)

        yield Setting(f"rcond={cut:g}", work)


CONTENDERS: dict[str, Callable[[Tangent], Iterator[Setting]]] = {
    "ours": ours,
    "SciPy lsmr, jvp and vjp": lsmr_by_products,
    "SciPy lsmr, rows": lsmr_by_rows,
    "torch-linops lsqr": linops_lsqr,
    "rlaopt Nyström-PCG": rlaopt_pcg,
    "FastLSQ rsvd": fastlsq_sketch,
    "FastLSQ svd (gelsd)": fastlsq_exact,
}
