"""From a solve to its summary; every solve takes this way, whatever came before and after it."""

from __future__ import annotations

import math
from typing import Any

from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.resources import peak_rss_bytes
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.summary import Method, RouteLeft, Summary


def method_of(setting: Setting, subspace: Subspace) -> Method:
    """How a solve in this subspace is made."""
    return Method(
        max_rank=subspace.rank,
        strategy=setting.strategy.name,
        strategy_reason=setting.strategy.reason,
        routes_left=[RouteLeft(route=left.route, reason=left.reason) for left in setting.routes_left],
        adjoint_error=setting.adjoint_error,
        sketch_error=None if math.isnan(subspace.sketch_error) else subspace.sketch_error,
        rcond=setting.rcond,
    )


def summarise(problem: str, config: RefineConfig, method: Method, **figures: Any) -> Summary:
    """The summary of a solve.

    Args:
        problem: its name.
        figures: what else `Summary` holds.
    """
    return Summary(
        problem=problem,
        dtype=config.dtype,
        device=config.device,
        seed=config.seed,
        peak_rss_bytes=peak_rss_bytes(),
        **{name: getattr(method, name) for name in Method.model_fields},
        **figures,
    )
