"""torch.export programs as networks. Reading one unpickles parts of it, so only programs that somebody vouches for are read."""

from __future__ import annotations

import io
import warnings
import zipfile
from io import BufferedReader
from pathlib import Path

import torch
from torch import nn

from lsr_core.errors import InputError
from lsr_core.storage import inside

MAX_BYTES = 4 * 2**30
WHY = "it is a program, and reading it unpickles parts of it, which can do anything that you can do; if it is yours, add --trust"
CONVERT = (
    "`program = torch.export.export(model.eval(), (inputs,), dynamic_shapes=({0: torch.export.Dim('batch')},))` and "
    "`torch.export.save(program, 'model.pt2')`"
)


def load_program(path: str | Path, *, trust: bool = False) -> nn.Module:
    """The network of a `.pt2` file; its parameters become θ, in the order of the program.

    Args:
        path: what `torch.export.save` wrote, with a free batch size.
        trust: that whoever made the file may do on this machine what you may do.

    Raises:
        InputError: not trusted, not such a file, or a batch size that the program has fixed.
    """
    path = Path(path)
    if not trust:
        raise InputError(f"not read: {WHY.replace('--trust', 'trust=True')}", file=path.name)
    with inside.opened_as_named(path, MAX_BYTES) as stream:
        return from_bytes(inside.all_of(stream, path, MAX_BYTES), path.name)


def refuse_pickles(path: Path) -> None:
    """Refuse a pickled module or TorchScript; nothing of the file is unpickled.

    Raises:
        InputError: with the two lines that convert it.
    """
    with inside.opened_as_named(path, MAX_BYTES) as stream:
        first = stream.read(2)
        names = _members(stream) if first == b"PK" else []
    what = "a pickle" if first[:1] == b"\x80" else "no torch.export program"
    if first == b"PK":
        if any("/code/" in name for name in names) and any(name.endswith("constants.pkl") for name in names):
            what = "TorchScript"
        elif any(name.endswith("data.pkl") for name in names):
            what = "a pickled module or state dict"
        elif path.suffix == ".pt2":
            return
    raise InputError(
        f"is {what}, which is not loaded here: reading one can execute anything. A state dict goes into the network that problem() in a "
        "Python file makes (`lsr refine my_problem.py`), or, with its data, to `lsr bring` or the page Bring your own. A module becomes a "
        f"program by two lines where it was made: {CONVERT}",
        file=path.name,
    )


def _members(stream: BufferedReader) -> list[str]:
    try:
        with zipfile.ZipFile(stream) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return []  # whoever reads the program will say that it is damaged


def from_bytes(data: bytes, file: str) -> nn.Module:
    """The network of a trusted program; raises as `load_program`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(io.BytesIO(data))
            try:
                module = program.module(check_guards=False)  # guards do not run under vmap
            except TypeError:  # torch before 2.9
                module = program.module()
    except Exception as error:  # the reader's own errors have no common class
        raise InputError(
            f"is no torch.export program that this torch {torch.__version__} reads ({' '.join(str(error).split())[:200]}); "
            "save it again with torch.export.save",
            file=file,
        ) from error
    inputs = [value for value in program.graph_signature.user_inputs if value is not None]
    if len(inputs) != 1:
        raise InputError(f"takes {len(inputs)} inputs; a network here has one, a batch (n, …)", file=file)
    _check_batch(program, str(inputs[0]), file)
    for switch in ("train", "eval"):  # an exported module refuses both, though it has nothing to switch
        module.__dict__.pop(switch, None)
    return module


def _check_batch(program: torch.export.ExportedProgram, name: str, file: str) -> None:
    (value,) = (node.meta["val"] for node in program.graph.nodes if node.op == "placeholder" and node.name == name)
    if isinstance(value.shape[0], int):
        raise InputError(
            f"its graph takes exactly {value.shape[0]} samples at a time; export it again with a free batch size: "
            "torch.export.export(model, (inputs,), dynamic_shapes=({0: torch.export.Dim('batch')},))",
            file=file,
        )
