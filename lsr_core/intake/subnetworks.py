"""Several networks under one roof: which of them is meant is asked, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor

from lsr_core.errors import InputError

TOGETHER = "all of them, as one network"
_PARTS = (
    "enc",
    "dec",
    "branch",
    "trunk",
    "lift",
    "proj",
    "fno_",
    "head",
    "backbone",
    "body",
    "input",
    "output",
    "embed",
    "in_",
    "out_",
)

_AVERAGES = ("ema", "averag", "shadow", "target", "teacher", "swa")


class SeveralNetworks(InputError):
    """A file with the state dicts of several networks, of which one is to be chosen.

    Attributes:
        names: their keys in the file.
    """

    def __init__(self, names: Sequence[str], file: str) -> None:
        self.names = tuple(names)
        super().__init__(f"holds several networks, {', '.join(self.names)[:300]}; say which one is meant", file=file)


def only(tensors: Mapping[str, Tensor], network: str, file: str, *, ask: bool) -> dict[str, Tensor]:
    """The tensors of one network.

    Args:
        tensors: by dotted name.
        network: the first part of its tensors' names, `TOGETHER`, or empty.
        ask: whether several are to be asked about.

    Raises:
        SeveralNetworks: there are several and none is named.
        InputError: none is called so.
    """
    if network == TOGETHER or (not network and not ask):
        return dict(tensors)
    groups = _groups(tensors)
    if network:
        if network not in groups:
            raise InputError(
                f"is not among its networks; these are {', '.join(groups)[:300]}", file=file, key=network[:80]
            )
        return {
            name.removeprefix(f"{network}."): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{network}.")
        }
    several = [name for name, matrices in groups.items() if matrices > 1]
    if len(several) > 1 and not parts(several):
        raise SeveralNetworks([*several, TOGETHER], file)
    return dict(tensors)


def parts(names: Iterable[str]) -> bool:
    """Whether these are what parts of one network are called, such as encoder and decoder, and none is an average of another."""
    return all(
        name.lower().startswith(_PARTS) and not any(word in name.lower() for word in _AVERAGES) for name in names
    )


def _groups(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """How many matrices there are under each first part of the names that is a word; a list of tensors is no network."""
    found: dict[str, int] = {}
    listed = set()
    for name, tensor in tensors.items():
        first, dot, rest = name.partition(".")
        if dot and not first.isdigit():
            found[first] = found.get(first, 0) + (tensor.ndim > 1)
            if rest.isdigit():
                listed.add(first)
    return {name: count for name, count in found.items() if name not in listed}
