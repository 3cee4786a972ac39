"""Which registered network a foreign state dict belongs to, by the names and shapes of its tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake import branches, chained, extras, neuraloperators, parallel, stored
from lsr_core.intake.chains import few
from lsr_core.intake.guessed import Guess as Guess
from lsr_core.networks import architectures


def guess(tensors: Mapping[str, Tensor], points: Sequence[int] | None = None) -> Guess:
    """The first architecture that every tensor fits.

    Args:
        tensors: of a foreign state dict, unwrapped, in the order in which they were registered, which decides where shapes do not.
        points: of the grid, for an operator, if the data say; editable later.

    Raises:
        InputError: none fits; the tensors that could not be placed are named.
    """
    if any("fno_blocks." in name for name in tensors):
        return neuraloperators.guess(tensors, points)
    if branches.known(tensors):
        return branches.guess(tensors, points)
    try:
        found = chained.guesses(tensors)
    except InputError as error:
        otherwise = _stored(tensors) or _otherwise(tensors)
        if otherwise is None:
            raise error from None
        return otherwise
    return _or_turned(found, tensors)


def _stored(tensors: Mapping[str, Tensor]) -> Guess | None:
    """Arrays without PyTorch's names or its way of storing them; turned only where they follow one another no other way."""
    found = [_read_as(layers, turned) for turned, layers in stored.readings(tensors).items()]
    return replace(found[0], others=(*found[0].others, *_unlikely(found[1:]))) if found else None


def _or_turned(found: Guess, tensors: Mapping[str, Tensor]) -> Guess:
    """The same with its matrices turned among what it may be; first, where they then follow one another in the order of the file and now do not.

    Raises:
        InputError: a bias was taken for a matrix, and nothing else fits.
    """
    if mistaken := [
        found.names[own] for own in found.names if own.endswith(".weight") and stored.is_bias(found.names[own])
    ]:
        otherwise = _stored(tensors)
        if otherwise is None:
            shape = tuple(tensors[mistaken[0]].shape)
            raise InputError(
                f"is called a bias and has the shape {shape}, which fits no layer; save it with one axis",
                key=mistaken[0][:80],
            )
        return otherwise
    layers = stored.readings(tensors).get(True)
    if layers is None:
        return found
    turned = _read_as(layers, True)
    names = [found.names[own] for own in found.names if own.endswith(".weight")]
    of_torch = all(name.rpartition(".")[2] == "weight" for name in names)
    if of_torch or names == [name for name in tensors if name in names]:
        return replace(found, others=(*found.others, *_unlikely([turned])))
    return replace(turned, others=(*turned.others, *_unlikely([found])))


def _read_as(layers: stored.Layers, turned: bool) -> Guess:
    made, of = layers
    found = chained.guesses(made)
    matrices = [name for own, names in of.items() if own.endswith("weight") for name in names]
    said = (f"{few(matrices)}: taken as stored (inputs, outputs) and turned.",) if turned else ()

    def own(one: Guess) -> Guess:
        notes = tuple(_in_file(note, of) for note in one.notes)
        return replace(one, form=f"{stored.TURNED}, {one.form}" if turned else one.form, notes=(*notes, *said), uses={
            name: use for key, use in one.uses.items() for name in of.get(key, [key])
        })  # fmt: skip

    return replace(own(found), others=tuple(own(other) for other in found.others))


def _in_file(note: str, of: Mapping[str, list[str]]) -> str:
    """A note that begins with a tensor's own name begins with that of the file."""
    first, space, rest = note.partition(" ")
    bare = first.rstrip(":")
    return f"{of[bare][0]}{first[len(bare) :]}{space}{rest}" if bare in of else note


def _unlikely(found: Sequence[Guess]) -> list[Guess]:
    return [replace(part, likely=False, others=()) for one in found for part in one.all]


def _otherwise(tensors: Mapping[str, Tensor]) -> Guess | None:
    """What is no chain by itself: with something beside it, or side by side; None where that is not known either."""
    found = extras.guesses(tensors)
    if found is not None:
        return found
    side_by_side = parallel.joined(tensors)
    if side_by_side is None:
        return None
    made, of = side_by_side
    found = chained.guesses(made)
    return replace(
        found,
        **_as_in_file(found, of),
        others=tuple(replace(other, **_as_in_file(other, of)) for other in found.others),
    )


def _as_in_file(found: Guess, of: Mapping[str, list[str]]) -> dict[str, Any]:
    """What became of the tensors of the file, where those of a guess are made of several."""
    uses = {name: use for own, use in found.uses.items() for name in of.get(own, [own])}
    joined = sorted({", ".join(parts) for parts in of.values() if len(parts) > 1})
    notes = (
        *found.notes,
        f"{few(joined)}: side by side in one layer, with zeros between what is apart; outputs in this order.",
    )
    return {"uses": uses, "notes": notes}


def convert(
    architecture: str, arguments: Mapping[str, Any], tensors: Mapping[str, Tensor], names: Mapping[str, str]
) -> dict[str, Tensor]:
    """The state dict of the registered network, with the foreign values.

    Raises:
        InputError: arguments that do not fit, or tensors that are missing, left over, or of another shape.
    """
    checked = architectures.validate(architecture, arguments)
    given = sum(t.numel() * (2 if t.is_complex() else 1) for t in tensors.values())
    if checked.parameter_count() > 2 * given + 1000:  # before anything of that size is made
        raise InputError(
            f"describe {checked.parameter_count():,} parameters, the file holds {given:,}", key="network.arguments"
        )
    model = architectures.build(architecture, arguments)
    if left := sorted(set(tensors) - set(names.values())):
        raise InputError(f"no place for {len(left)} tensors of the file: {few(left)}", key=architecture)
    state, parameters = model.state_dict(), dict(model.named_parameters())
    if missing := [name for name in parameters if name not in names]:
        raise InputError(f"the file has nothing for {few(missing)}", key=architecture)
    dtype = torch.float64 if any(t.dtype in (torch.float64, torch.complex128) for t in tensors.values()) else torch.float32  # fmt: skip
    converted = {}
    for name, value in state.items():
        if name not in names:
            converted[name] = value.to(dtype) if value.is_floating_point() else value
            continue
        foreign = tensors[names[name]]
        foreign = torch.view_as_real(foreign) if foreign.is_complex() else foreign
        if foreign.shape != value.shape:
            if foreign.numel() != 1 or value.numel() != 1:
                raise InputError(
                    f"has the shape {tuple(foreign.shape)}, these arguments need {tuple(value.shape)}",
                    key=names[name][:80],
                )
            foreign = foreign.reshape(value.shape)
        converted[name] = foreign.to(dtype).contiguous().clone()
    return converted
