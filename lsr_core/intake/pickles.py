"""What a `.pt` file would import, found without unpickling it."""

from __future__ import annotations

import pickletools
import zipfile
import zlib
from pathlib import Path

from lsr_core.errors import InputError
from lsr_core.intake import inert

MAX_PICKLE_BYTES = 4 * 2**20
MAX_STEPS = 600_000
_ALLOWED = {
    "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch.Size",
    "torch._utils._rebuild_tensor", "torch.device", "torch._tensor._rebuild_from_type_v2",
}  # fmt: skip
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # names that protocol 2 writes, as torch reads them
_STORAGES = {
    f"torch.{name}Storage"
    for name in ("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool", "ComplexFloat", "ComplexDouble")
}  # fmt: skip
CONVERT = (
    "Convert it where it was made: `model = torch.load(\"FILE\", weights_only=False)` and "
    "`torch.save(model.state_dict(), \"weights.pt\")`."
)  # fmt: skip
CONVERT_SCRIPT = (
    "Convert it where it was made: `model = torch.jit.load(\"FILE\")` and "
    "`torch.save(model.state_dict(), \"weights.pt\")`."
)  # fmt: skip
CONVERT_PROGRAM = (
    "Convert it where it was made: `program = torch.export.load(\"FILE.pt2\")` and "
    "`torch.save(dict(program.state_dict), \"weights.pt\")`."
)  # fmt: skip


def check(path: Path) -> list[str]:
    """Let only tensors and harmless data beside them pass; nothing of the file is executed.

    Returns:
        Names beside those of tensors, for which `inert` has stand-ins.

    Raises:
        InputError: not the zip that torch writes, TorchScript, or a pickle that wants more than that.
    """
    file = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            return _scan(archive.read(_pickle_of(archive, file)), file)
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise InputError(
            "is no complete file of torch.save (1.6 or later); it may be truncated. Save the state dict again: "
            "`torch.save(model.state_dict(), \"weights.pt\")`",
            file=file,
        ) from error  # fmt: skip


def _pickle_of(archive: zipfile.ZipFile, file: str) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) > 200_000:
        raise InputError("has too many members for a state dict", file=file)
    names = [member.filename.lower() for member in members]  # torch finds them in either case
    if any(name.endswith("constants.pkl") or "/code/" in name for name in names):
        raise InputError(f"is TorchScript, which holds code. {CONVERT_SCRIPT}", file=file)
    if any(name.endswith("/models/model.json") for name in names):
        raise InputError(f"is a program of torch.export, not weights. {CONVERT_PROGRAM}", file=file)
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise InputError("is compressed, which torch.save never does; save it again", file=file)
    if len(set(names)) < len(names):
        raise InputError("two of its members have the same name; save it again", file=file)
    pickles = [member for member in members if member.filename.lower().endswith(".pkl")]
    if len(pickles) != 1 or not pickles[0].filename.endswith("/data.pkl"):
        raise InputError(f"is no file of torch.save. {CONVERT}", file=file)
    if pickles[0].file_size > MAX_PICKLE_BYTES:
        raise InputError("its table of tensors is too large for a state dict", file=file)
    return pickles[0]


def _scan(data: bytes, file: str) -> list[str]:
    beside: dict[str, None] = {}
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if count > MAX_STEPS:
            raise InputError("its table of tensors is too large for a state dict", file=file)
        if opcode.name in ("PERSID", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4", "OBJ", "NEWOBJ_EX"):
            raise InputError(f"holds Python objects, which are never unpickled. {CONVERT}", file=file)
        if opcode.name == "GLOBAL":
            module, _, last = str(argument).partition(" ")
            wanted = f"{_PYTHON_2.get(module, module)}.{last}"
            if wanted in _ALLOWED | _STORAGES:
                continue
            if not inert.accepts(wanted):
                raise InputError(f"would import {wanted[:80]}; it holds more than tensors. {CONVERT}", file=file)
            beside[wanted] = None
    return list(beside)
