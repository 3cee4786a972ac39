"""What a foreign state dict was taken for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Guess:
    """A registered architecture with arguments to be looked over, and which of its tensors is which foreign one.

    Attributes:
        names: foreign name by own name.
        open: arguments that shapes cannot tell; the activation always is one.
        tensors: what is loaded, after norms and constants have been folded into the layers.
        uses: what became of each foreign tensor: its name in the registered network, or what it was folded into.
        notes: sentences about what had to be taken on trust.
        form: how the layers are put together, in a few words, where the tensors leave that open.
        likely: whether the names say so; otherwise only predictions can.
        others: what else the same tensors may be.
    """

    architecture: str
    arguments: dict[str, Any]
    names: dict[str, str]
    open: tuple[str, ...] = field(default=("activation",))
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    uses: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    form: str = ""
    likely: bool = True
    others: tuple[Guess, ...] = ()

    @property
    def all(self) -> tuple[Guess, ...]:
        """This one and the others, by `form`."""
        return (self, *self.others)
