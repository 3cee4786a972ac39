"""Refinements of one problem that differ only in the share of the parameters that may move; knows no streamlit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lsr_core.refinement.config import DEFAULT_MAX_RANK, RefineConfig

DEFAULT_SHARES = (0.01, 0.03, 0.1, 0.3, 1.0)
_FREE = {"parameter_fraction", "max_rank", "rank", "memory_budget"}


@dataclass(frozen=True)
class Share:
    """One refinement: share of the parameters, rank, error of the network and of the refined predictor, seconds."""

    fraction: float
    rank: int
    base: float
    refined: float
    seconds: float
    run: str


def config_for(config: RefineConfig, share: float, n_params: int) -> RefineConfig:
    """The same settings with another share; the maximum rank is at most the number of parameters that may move."""
    most = max(1, int(share * n_params))
    wanted = config.max_rank if config.max_rank is not None else min(DEFAULT_MAX_RANK, most)
    rank = min(config.rank, most) if isinstance(config.rank, int) else config.rank
    limited = min(wanted, most) if config.max_rank is not None or most < DEFAULT_MAX_RANK else None
    return config.model_copy(update={"parameter_fraction": share, "max_rank": limited, "rank": rank})


def comparable(one: RefineConfig, other: RefineConfig) -> bool:
    """Whether two settings differ in nothing but the share and what follows from it."""
    return one.model_dump(exclude=_FREE) == other.model_dump(exclude=_FREE)


def newest(shares: Iterable[tuple[float, Share]]) -> list[Share]:
    """One refinement for each share, the newest, by share; takes pairs (time of making, refinement)."""
    chosen: dict[float, tuple[float, Share]] = {}
    for made, share in shares:
        if share.fraction not in chosen or made > chosen[share.fraction][0]:
            chosen[share.fraction] = (made, share)
    return [chosen[fraction][1] for fraction in sorted(chosen)]
