"""Refinements of one problem that differ only in which parameters may move; knows no streamlit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lsr_core.refinement.config import RefineConfig

DEFAULT_SHARES = (0.01, 0.03, 0.1, 0.3, 1.0)
_FREE = {"parameter_fraction", "layers", "max_rank", "rank", "memory_budget"}


@dataclass(frozen=True)
class Share:
    """One refinement.

    Attributes:
        fraction: share of the scalars drawn at random, as asked for.
        layers: pattern of the parameters they were drawn from; None = all.
        of_all: share of all scalars of the network that could move.
        rank, base, refined, seconds: rank, error of the network and of the refined predictor, duration.
        run: id of the run.
        made: when.
    """

    fraction: float
    layers: str | None
    of_all: float
    rank: int
    base: float
    refined: float
    seconds: float
    run: str
    made: float


def config_for(config: RefineConfig, share: float, n_params: int) -> RefineConfig:
    """The same settings with another share; a rank that is given is lowered to the number of parameters that may move.

    Args:
        n_params: scalars that the share is drawn from.
    """
    most = max(1, int(share * n_params))
    limited = None if config.max_rank is None else min(config.max_rank, most)
    rank = min(config.rank, most) if isinstance(config.rank, int) else config.rank
    return config.model_copy(update={"parameter_fraction": share, "max_rank": limited, "rank": rank})


def comparable(one: RefineConfig, other: RefineConfig) -> bool:
    """Whether two settings differ in nothing but the parameters that may move and what follows from them."""
    return one.model_dump(exclude=_FREE) == other.model_dump(exclude=_FREE)


def one_of_each(shares: Iterable[Share], preferred: str) -> list[Share]:
    """One refinement for each share and pattern, by share: the run `preferred` where it is among them, else the newest."""
    chosen: dict[tuple[float, str | None], Share] = {}
    for share in sorted(shares, key=lambda share: (share.run == preferred, share.made)):
        chosen[share.fraction, share.layers] = share
    return sorted(chosen.values(), key=lambda share: share.of_all)
