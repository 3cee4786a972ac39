"""The subspace that a setting asks for."""

from __future__ import annotations

from lsr_core.refinement.basis import Basis, OnFraction, empty_basis
from lsr_core.refinement.factored import build_factored
from lsr_core.refinement.published import build_published
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.streamed import build_streamed


def build_basis(setting: Setting, on_fraction: OnFraction) -> Basis:
    """V by the strategy of the setting."""
    if setting.max_rank == 0:
        return empty_basis(setting)
    if setting.config.published is not None:
        return build_published(setting, on_fraction)
    if setting.strategy.name == "factored":
        return build_factored(setting, on_fraction)
    return build_streamed(setting, on_fraction)
