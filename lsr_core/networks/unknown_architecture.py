"""`with-unknowns`: a registered architecture, and numbers behind its outputs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator
from torch import nn

from lsr_core.networks import architectures
from lsr_core.networks.architectures import Arguments, register
from lsr_core.networks.pinn import Finite
from lsr_core.networks.unknowns import NAME, WithUnknowns


class WithUnknownsArguments(Arguments):
    """Arguments of `with-unknowns`.

    Attributes:
        network: name and arguments of a registered architecture, which gives the outputs that depend on the point.
        values: where the numbers start.
    """

    network: tuple[str, dict[str, Any]]
    values: Annotated[list[Finite], Field(min_length=1, max_length=64)]

    @field_validator("network")
    @classmethod
    def _known(cls, network: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
        if network[0] == NAME:
            raise ValueError("a network with unknowns stands inside another; name all unknowns in one")
        architectures.validate(*network)
        return network

    def parameter_count(self) -> int:
        return architectures.validate(*self.network).parameter_count() + len(self.values)


@register(NAME, WithUnknownsArguments)
def _with_unknowns(arguments: WithUnknownsArguments) -> nn.Module:
    return WithUnknowns(architectures.build(*arguments.network), arguments.values)
