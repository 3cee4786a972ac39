"""The engine beside the libraries that have one of its parts: seconds of one core to equal error, one JSON line.

    python benchmarks/peers.py [NETWORK ...] [--tasks values squares products] [--limit 4] --threads 1

Three tasks on the same network in double precision: the leading singular values of the Jacobian to a relative error of 10⁻³ each; least squares
in the tangent space to twice the least validation error that any contender reaches; the Jacobian times 120 columns. Contenders go through
their settings from the cheapest on, until one takes longer than the limit beside one making of all rows; the time is that of the cheapest
setting that reaches the error. Libraries get the rows of the Jacobian from PyTorch (`vmap(jacrev)`, in the time), which is quicker for all of
them than products one by one, but where named otherwise. Needs the extra `peers`; a library that is missing is named.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import time
from collections.abc import Callable, Iterable

import _harness as harness
import _peers_products as products
import _peers_squares as squares
import _peers_values as values
import torch
from _tangent import TANGENTS, Tangent, tangent
from torch import Tensor

CLOSE = 1e-3  # relative error of every singular value
EQUAL = 2.0  # times the least validation error that any contender reaches
RESOLVED = 1e-9  # of the largest: values below are not asked for
QUICK = 0.06  # share of the samples
TASKS = ("values", "squares", "products")


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("names", nargs="*", choices=[*TANGENTS, []], help="of the networks; without, all of them")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--limit", type=float, default=4.0, help="seconds after which a contender is tried no further")
    parser.add_argument("--share", type=float, default=1.0, help="of the samples that each network has")
    options = parser.parse_args()
    harness.begin(options)
    machine, cases = harness.Machine(), []
    with held(options.threads):
        harness.warm_up()
        for name in options.names or TANGENTS:
            for task in options.tasks:
                cases.append(compared(name, task, options))
                harness.note(json.dumps(harness.rounded(cases[-1], 3), ensure_ascii=False))
    first = [case["first"] for case in cases]
    harness.emit(
        {
            "benchmark": "peers",
            "cases": cases,
            "ours_first": first.count("ours"),
            "of": len(cases),
            "missing": sorted({name for case in cases for name in case["missing"]}),
            "machine": machine.report(),
        }
    )


def held(threads: int) -> contextlib.AbstractContextManager[object]:
    """The libraries behind NumPy and SciPy at as many threads as PyTorch."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:  # comes with scikit-learn
        return contextlib.nullcontext()
    limits: contextlib.AbstractContextManager[object] = threadpool_limits(threads or None)
    return limits


def compared(name: str, task: str, options: argparse.Namespace) -> harness.Outcome:
    """One task on one network."""
    run = {"values": on_values, "squares": on_squares, "products": on_products}[task]
    run(tangent(name, QUICK), 0.0)  # libraries are imported and PyTorch's rules loaded before the clock runs
    case = tangent(name, QUICK if options.quick else options.share)
    began = time.process_time()
    case.dense()
    found = run(case, options.limit + time.process_time() - began)
    reached = {key: entry["seconds"] for key, entry in found["contenders"].items() if entry["seconds"] is not None}
    return {
        "task": task,
        "network": case.name,
        "rows": case.shape[0],
        "parameters": case.shape[1],
        "first": min(reached, key=lambda key: reached[key]) if reached else None,
        **found,
    }


def on_values(case: Tangent, limit: float) -> harness.Outcome:
    exact = values.reference(case)
    exact = exact[: int((exact > RESOLVED * exact[0]).sum())]
    exact = exact[: min(case.shape) // 2]
    case = case.with_rank(len(exact))
    tried, missing = all_tried(
        values.CONTENDERS, case, limit, lambda found: values.worst_error(found, exact), enough=CLOSE
    )
    return {"wanted": CLOSE, "values": len(exact), "contenders": reaching(tried, CLOSE), "missing": missing}


def on_squares(case: Tangent, limit: float) -> harness.Outcome:
    tried, missing = all_tried(squares.CONTENDERS, case, limit, case.validation_mse)
    least = min(error for runs in tried.values() for _, _, error in runs)
    return {
        "network_mse": case.validation_mse(torch.zeros(case.shape[1])),
        "wanted": EQUAL * least,
        "contenders": reaching(tried, EQUAL * least),
        "missing": missing,
    }


def on_products(case: Tangent, limit: float) -> harness.Outcome:
    """Products differ by rounding only, which is checked."""
    exact = products.forward_mode(case)
    ways = {
        name: lambda case, work=work: [values.Setting("", lambda: work(case))]
        for name, work in products.CONTENDERS.items()
    }
    tried, missing = all_tried(ways, case, limit, lambda found: float((found - exact).norm() / exact.norm()))
    return {"wanted": 1e-10, "contenders": reaching(tried, 1e-10), "missing": missing}


Run = tuple[str, float, float]  # setting, seconds, error


def all_tried(
    contenders: dict[str, Callable[[Tangent], Iterable[values.Setting]]],
    case: Tangent,
    limit: float,
    judged: Callable[[Tensor], float],
    enough: float = 0.0,
) -> tuple[dict[str, list[Run]], list[str]]:
    """All settings of all contenders up to the limit, or to an error that is enough; and what is not installed."""
    tried: dict[str, list[Run]] = {}
    missing = []
    for name, settings in contenders.items():
        try:
            tried[name] = list(_runs(settings(case), limit, judged, enough))
        except ImportError:
            missing.append(name)
            continue
        harness.note(
            f"{name}: {[(words, round(took, 3), harness.rounded(error, 2)) for words, took, error in tried[name]]}"
        )
    return tried, missing


def _runs(
    settings: Iterable[values.Setting], limit: float, judged: Callable[[Tensor], float], enough: float
) -> Iterable[Run]:
    for setting in settings:
        gc.collect()
        began = time.process_time()
        found = setting.work()
        took = time.process_time() - began
        error = judged(found)
        yield setting.words, took, error
        if took > limit or error <= enough:
            return


def reaching(tried: dict[str, list[Run]], wanted: float) -> harness.Outcome:
    """Of each contender the quickest run that reaches an error, or its best without a time."""
    found = {}
    for name, runs in ((name, runs) for name, runs in tried.items() if runs):
        good = [run for run in runs if run[2] <= wanted]
        words, took, error = min(good, key=lambda run: run[1]) if good else min(runs, key=lambda run: run[2])
        found[name] = {"seconds": took if good else None, "error": error, "setting": words}
        found[name] |= {} if good else {"best_after": took}
    return found


if __name__ == "__main__":
    main()
