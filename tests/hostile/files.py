"""Malformed and hostile uploads, each made by a function of the path it is to be written to."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.torch
import scipy.io
import torch

from lsr_core.networks import architectures
from tests import bundles

Maker = Callable[[Path], None]
HOSTILE: dict[str, tuple[str, Maker]] = {}
GOOD = np.linspace(0.0, 1.0, 40).reshape(20, 2)


class Bomb:
    """Writes a canary when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.canary}",)


def canary(path: Path) -> Path:
    return path.with_name("canary")


def hostile(suffix: str) -> Callable[[Maker], Maker]:
    def add(make: Maker) -> Maker:
        HOSTILE[make.__name__] = (suffix, make)
        return make

    return add


def plain(name: str, suffix: str, data: bytes) -> None:
    HOSTILE[name] = (suffix, lambda path: path.write_bytes(data) and None)


def npy(array: np.ndarray, **more: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **more)
    return buffer.getvalue()


def npy_header(shape: str, descr: str = "'<f8'", version: bytes = b"\x01\x00") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tensors_file(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


for suffix in (".npz", ".npy", ".csv", ".parquet", ".mat", ".h5", ".pt", ".safetensors", ".zip"):
    plain(f"empty_{suffix[1:]}", suffix, b"")
    plain(f"noise_{suffix[1:]}", suffix, bytes(range(256)) * 8)

# numpy
plain("npy_huge_shape", ".npy", npy_header("(1000000000, 1000000)") + b"\0" * 64)
plain("npy_negative_shape", ".npy", npy_header("(-4, 2)") + b"\0" * 64)
plain("npy_overflowing_shape", ".npy", npy_header("(9223372036854775807, 9223372036854775807)"))
plain("npy_truncated", ".npy", npy(GOOD)[:200])
plain("npy_object_dtype", ".npy", npy_header("(1,)", "'|O'") + pickle.dumps([1]))
plain("npy_text", ".npy", npy(np.array(["a", "b"])))
plain("npy_complex_cut", ".npy", npy(np.ones(300, dtype=complex))[:900])
plain("npy_records", ".npy", npy(np.zeros(3, dtype=[("a", "f8"), ("b", "f8")])))
plain("npy_code_in_header", ".npy", npy_header("(__import__('os').system('true'),)"))
plain("npy_deep_header", ".npy", npy_header("(" * 3000 + ")" * 3000))
plain("npy_many_dimensions", ".npy", npy(np.zeros((1,) * 20)))
plain("npz_slip", ".npz", zipped({"../../evil.txt": b"x"}))
plain("npz_no_arrays", ".npz", zipped({"readme.txt": b"hello"}))
plain("npz_doubled", ".npz", zipped({"a.npy": npy(GOOD)})[:-30])
plain("npz_bomb", ".npz", zipped({"a.npy": npy(np.zeros(30_000_000))}, zipfile.ZIP_DEFLATED))
plain("npz_huge_member", ".npz", zipped({"a.npy": npy_header("(100000000000,)")}))
plain("npz_truncated_member", ".npz", zipped({"a.npy": npy(GOOD)[:150]}))


@hostile(".npy")
def npy_pickle(path: Path) -> None:
    path.write_bytes(npy(np.array([Bomb(canary(path))], dtype=object), allow_pickle=True))


@hostile(".npz")
def npz_pickle(path: Path) -> None:
    path.write_bytes(zipped({"a.npy": npy(np.array([Bomb(canary(path))], dtype=object), allow_pickle=True)}))


@hostile(".npy")
def npy_bare_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb(canary(path))))


# text
plain("csv_words", ".csv", b"x,y\none,two\n")
plain("csv_ragged", ".csv", b"x,y\n1,2\n3\n")
plain("csv_header_only", ".csv", b"x,y\n")
plain("csv_nul", ".csv", b"x,y\n1,\0\n")
plain("csv_utf16_without_mark", ".csv", "x,y\n1,2\n".encode("utf-16-le"))
plain("csv_doubled_name", ".csv", b"x,x\n1,2\n")
plain("csv_too_many_columns", ".csv", b",".join(b"c%d" % i for i in range(5000)) + b"\n")
plain("csv_endless_line", ".csv", b"1" * 2_000_000)
plain("csv_formula", ".csv", b"x,y\n=cmd|' /C calc'!A0,2\n")
plain("csv_open_quote", ".csv", b'x,y\n"1,2\n' + b"3,4\n" * 10)
plain("csv_two_commas", ".csv", b"x;y\n1,5,5;2,5,5\n")
plain("csv_blank_lines", ".csv", b"\n\n \n")


# matlab, hdf5, parquet
@hostile(".mat")
def mat_struct(path: Path) -> None:
    scipy.io.savemat(path, {"s": {"a": 1.0}})


@hostile(".mat")
def mat_cell(path: Path) -> None:
    scipy.io.savemat(path, {"c": np.array([1, "a"], dtype=object)})


@hostile(".mat")
def mat_truncated(path: Path) -> None:
    scipy.io.savemat(path, {"a": GOOD})
    path.write_bytes(path.read_bytes()[:300])


@hostile(".mat")
def mat_huge_shape(path: Path) -> None:
    scipy.io.savemat(path, {"a": GOOD})
    path.write_bytes(path.read_bytes().replace(struct.pack("<ii", 20, 2), struct.pack("<ii", 2**30, 2**10), 1))


@hostile(".mat")
def mat_negative_shape(path: Path) -> None:
    scipy.io.savemat(path, {"a": GOOD})
    path.write_bytes(path.read_bytes().replace(struct.pack("<ii", 20, 2), struct.pack("<ii", -20, 2), 1))


@hostile(".mat")
def mat_zlib_bomb(path: Path) -> None:
    scipy.io.savemat(path, {"a": GOOD})
    body = zlib.compress(b"\x0e\0\0\0" + struct.pack("<I", 2**31 - 16) + b"\0" * 200_000_000, 9)
    path.write_bytes(path.read_bytes()[:128] + struct.pack("<II", 15, len(body)) + body)


@hostile(".h5")
def h5_huge_shape(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("a", shape=(10**7, 10**6), chunks=(1000, 1000), dtype="f8")


@hostile(".h5")
def h5_nothing_stored(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("a", shape=(10**7,), chunks=(1000,), dtype="f8", fillvalue=1.0)


@hostile(".h5")
def h5_external_link(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = h5py.ExternalLink("/etc/passwd", "/")


@hostile(".h5")
def h5_external_storage(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("a", shape=(100,), dtype="u1", external=[("/etc/passwd", 0, 100)])


@hostile(".h5")
def h5_virtual(path: Path) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "a", shape=(4,))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("a", layout)


@hostile(".h5")
def h5_strings(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = ["x", "y"]


@hostile(".h5")
def h5_loop(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("g")
        group["again"] = file["g"]
        file["a"] = GOOD


@hostile(".h5")
def h5_truncated(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = GOOD
    path.write_bytes(path.read_bytes()[:900])


@hostile(".h5")
def h5_bomb(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "a", data=np.zeros((4000, 4000)), compression="gzip", compression_opts=9, chunks=(4000, 4000)
        )


@hostile(".parquet")
def parquet_text(path: Path) -> None:
    pq.write_table(pa.table({"a": ["x", "y"]}), path)


@hostile(".parquet")
def parquet_truncated(path: Path) -> None:
    pq.write_table(pa.table({"a": [1.0] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-40])


@hostile(".parquet")
def parquet_bomb(path: Path) -> None:
    pq.write_table(pa.table({"a": np.zeros(30_000_000)}), path, compression="gzip")


@hostile(".parquet")
def parquet_wide(path: Path) -> None:
    pq.write_table(pa.table({f"c{i}": [1.0] for i in range(2500)}), path)


@hostile(".parquet")
def parquet_damaged_footer(path: Path) -> None:
    pq.write_table(pa.table({"a": [1.0] * 1000}), path)
    data = bytearray(path.read_bytes())
    data[-60:-20] = b"\xff" * 40
    path.write_bytes(bytes(data))


# weights
plain("safetensors_huge_header", ".safetensors", tensors_file(b"{}", length=2**60))
plain("safetensors_not_json", ".safetensors", tensors_file(b"{nothing}"))
plain(
    "safetensors_huge_shape",
    ".safetensors",
    tensors_file({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}),
)
plain(
    "safetensors_overlap",
    ".safetensors",
    tensors_file({n: {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} for n in "ab"}, b"\0" * 16),
)
plain(
    "safetensors_wrong_size",
    ".safetensors",
    tensors_file({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 16]}}, b"\0" * 16),
)
plain(
    "safetensors_unknown_dtype",
    ".safetensors",
    tensors_file({"a": {"dtype": "Q9", "shape": [4], "data_offsets": [0, 16]}}, b"\0" * 16),
)
plain("safetensors_no_tensors", ".safetensors", tensors_file({}))
plain("safetensors_deep", ".safetensors", tensors_file(b"[" * 100_000))
plain("safetensors_nan", ".safetensors", safetensors.torch.save({"0.weight": torch.full((2, 2), float("nan"))}))
plain("safetensors_integers", ".safetensors", safetensors.torch.save({"0.weight": torch.ones(2, 2, dtype=torch.int8)}))


def torch_zip(path: Path, payload: bytes, **more: bytes) -> None:
    path.write_bytes(zipped({"x/data.pkl": payload, "x/version": b"3\n", **more}))


@hostile(".pt")
def pt_bomb(path: Path) -> None:
    torch.save(Bomb(canary(path)), path)


@hostile(".pt")
def pt_bomb_in_state_dict(path: Path) -> None:
    torch.save({"0.weight": torch.ones(2, 2), "extra": Bomb(canary(path))}, path)


@hostile(".pt")
def pt_lists_in_lists(path: Path) -> None:
    """A thousand million entries in a few hundred bytes, as lists of one another."""
    inner = [torch.ones(2)]
    for _ in range(3):
        inner = [inner] * 1000  # type: ignore[list-item]
    torch.save({"net": {"weights": inner}, "other": {"weights": inner}}, path)


@hostile(".pt")
def pt_bomb_in_a_list_of_networks(path: Path) -> None:
    torch.save([{"0.weight": torch.ones(2, 2)}, {"0.weight": torch.ones(2, 2), "extra": Bomb(canary(path))}], path)


@hostile(".pt")
def pt_bomb_in_old_format(path: Path) -> None:
    torch.save(Bomb(canary(path)), path, _use_new_zipfile_serialization=False)


@hostile(".pt")
def pt_bare_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb(canary(path))))


@hostile(".pt")
def pt_stack_global(path: Path) -> None:
    torch_zip(path, pickle.dumps(Bomb(canary(path)), protocol=4))


@hostile(".pt")
def pt_inst_opcode(path: Path) -> None:
    torch_zip(path, b"(S'touch " + str(canary(path)).encode() + b"'\nios\nsystem\n.")


class Own(torch.nn.Linear):
    """A class of somebody's own, whose code does not come with the file."""


@hostile(".pt")
def pt_module(path: Path) -> None:
    torch.save(Own(2, 2), path)


@hostile(".pt")
def pt_truncated(path: Path) -> None:
    torch.save({"0.weight": torch.ones(64, 64)}, path)
    path.write_bytes(path.read_bytes()[:4000])


@hostile(".pt")
def pt_truncated_pickle(path: Path) -> None:
    torch_zip(path, pickle.dumps({"a": 1}, protocol=2)[:-3])


@hostile(".pt")
def pt_compressed(path: Path) -> None:
    path.write_bytes(zipped({"x/data.pkl": b"\x80\x02}." + b"\0" * 10**7}, zipfile.ZIP_DEFLATED))


@hostile(".pt")
def pt_torchscript(path: Path) -> None:
    torch_zip(path, b"\x80\x02}.", **{"x/constants.pkl": b"\x80\x02).", "x/code/m.py": b"pass"})


@hostile(".pt")
def pt_no_tensors(path: Path) -> None:
    torch.save({"epoch": 3}, path)


@hostile(".pt")
def pt_nan(path: Path) -> None:
    torch.save({"0.weight": torch.full((2, 2), float("inf"))}, path)


@hostile(".pt")
def pt_expanded(path: Path) -> None:
    torch.save({"0.weight": torch.ones(1).expand(40_000, 40_000)}, path)


class Calls:
    """Reduces to a call of a name, as a hostile pickle may."""

    def __init__(self, name: str, *arguments: Any) -> None:
        self.name, self.arguments = name, arguments

    def bytes(self) -> bytes:
        """Protocol 2, as torch writes it: the name is called with the arguments, inside a dictionary beside a tensor's name."""
        module, _, last = self.name.rpartition(".")
        given = b"".join(pickle.dumps(argument, 2)[2:-1] for argument in self.arguments)
        return b"\x80\x02}U\x01ac" + f"{module}\n{last}\n".encode() + b"(" + given + b"tRs."


def called(name: str, suffix: str, target: str, *arguments: Any) -> None:
    HOSTILE[name] = (suffix, lambda path: torch_zip(path, Calls(target, *arguments).bytes()))


# checkpoints: harmless names have twins that are not, and harmless names are called as if they were others
called("ckpt_system", ".ckpt", "os.system", "true")
called("ckpt_eval", ".ckpt", "builtins.eval", "1")
called("ckpt_python_2_eval", ".bin", "__builtin__.eval", "1")
called("ckpt_getattr", ".ckpt", "builtins.getattr", "a", "upper")
called("ckpt_import", ".ckpt", "importlib.import_module", "antigravity")
called("ckpt_namespace_of_another", ".ckpt", "argparse.FileType", "r")
called("ckpt_numpy_load", ".ckpt", "numpy.load", "a.npy")
called("ckpt_numpy_fromfile", ".ckpt", "numpy.fromfile", "a")
called("ckpt_torch_load", ".ckpt", "torch.load", "a.pt")
called("ckpt_hub", ".ckpt", "torch.hub.load", "a", "b")
called("ckpt_functional_called", ".ckpt", "torch.nn.functional.gelu", 1)
called("ckpt_library_name_called", ".ckpt", "neuralop.utils.run", "true")
called("ckpt_lightning_name_called", ".ckpt", "lightning.pytorch.cli.run", "true")
called("ckpt_path", ".ckpt", "pathlib.Path", "/etc/passwd")
called("ckpt_dotted", ".ckpt", "neuralop.os.system", "true")
called("ckpt_bytearray", ".ckpt", "builtins.bytearray", 10**13)
called("ckpt_set_of_nothing", ".ckpt", "builtins.set", [])
called("ckpt_omegaconf", ".ckpt", "omegaconf.resolvers.oc.env", "HOME")


@hostile(".ckpt")
def ckpt_bomb_in_hyper_parameters(path: Path) -> None:
    torch.save({"state_dict": {"0.weight": torch.ones(2, 2)}, "hyper_parameters": {"a": Bomb(canary(path))}}, path)


@hostile(".ckpt")
def ckpt_bomb_in_metadata(path: Path) -> None:
    torch.save({"0.weight": torch.ones(2, 2), "_metadata": {"hook": Bomb(canary(path))}}, path)


def taped(members: dict[str, bytes], link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tape:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tape.addfile(info, io.BytesIO(data))
        if link:
            info = tarfile.TarInfo("model.pt")
            info.type, info.linkname = tarfile.SYMTYPE, link
            tape.addfile(info)
    return buffer.getvalue()


plain("nc_huge", ".nc", b"CDF\x01" + struct.pack(">III", 0, 10, 2**31 - 1) + b"\xff" * 200)
plain("nc_truncated", ".nc", b"CDF\x02" + b"\0" * 30)
plain("nc_hdf_damaged", ".nc", b"\x89HDF\r\n\x1a\n" + b"\0" * 90)
plain("tsv_words", ".tsv", b"x\ty\none\ttwo\n")
plain("txt_comments_only", ".txt", b"% a\n" * 1000)
plain("txt_endless_comment", ".txt", b"%" * 2_000_000)
plain("dat_nul", ".dat", b"1 2\n3 \0\n")

LAUGHS = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "' + b"b" * 50 + b'">' + b"".join(
    b'<!ENTITY b%d "' % i + (b"&b%s;" % (b"" if i == 0 else str(i - 1).encode())) * 30 + b'">' for i in range(9)
) + b"]><workbook>&b8;</workbook>"  # fmt: skip


def book(sheet: bytes, workbook: bytes | None = None) -> dict[str, bytes]:
    """A workbook of one sheet with this content."""
    import openpyxl

    buffer = io.BytesIO()
    openpyxl.Workbook().save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members["xl/worksheets/sheet1.xml"] = sheet
    if workbook is not None:
        members["xl/workbook.xml"] = workbook
    return members


ROWS = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
plain("xlsx_empty_sheet", ".xlsx", zipped(book(ROWS % b"")))
plain("xlsx_laughs", ".xlsx", zipped(book(ROWS % b"", LAUGHS)))
plain("xlsx_laughs_in_sheet", ".xlsx", zipped(book(LAUGHS.replace(b"workbook", b"worksheet"))))
plain("xlsx_bomb", ".xlsx", zipped(book(b" " * 150_000_000), zipfile.ZIP_DEFLATED))
plain("xlsx_far_cell", ".xlsx", zipped(book(ROWS % b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')))
plain("xlsx_outside_entity", ".xlsx", zipped(book(
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + ROWS[21:] % b'<row r="1"><c r="A1" t="str"><v>&x;</v></c></row>'
)))  # fmt: skip
plain(
    "xlsx_words",
    ".xlsx",
    zipped(
        book(ROWS % b'<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="2"><c r="A2" t="str"><v>b</v></c></row>')
    ),
)
plain("xlsx_no_book", ".xlsx", zipped({"a.txt": b"x"}))
# archives of weights
for suffix in (".ckpt", ".bin", ".mdlus", ".keras", ".tsv", ".txt", ".nc", ".xlsx"):
    plain(f"empty_{suffix[1:]}", suffix, b"")
    plain(f"noise_{suffix[1:]}", suffix, bytes(range(256)) * 8)
plain("mdlus_link", ".mdlus", taped({}, link="/etc/passwd"))
plain("mdlus_slip", ".mdlus", taped({"../../evil.txt": b"x"}))
plain("mdlus_no_weights", ".mdlus", taped({"args.json": b"{}"}))
plain("mdlus_pickle", ".mdlus", taped({"model.pt": pickle.dumps([1])}))
plain("mdlus_two", ".mdlus", taped({"a.pt": b"x", "b.pt": b"x"}))
plain("mdlus_many", ".mdlus", taped({f"a{i}": b"" for i in range(1100)}))
plain("mdlus_truncated", ".mdlus", taped({"model.pt": b"x" * 5000})[:900])
plain("keras_bomb", ".keras", zipped({"model.weights.h5": b"\0" * 230_000_000}, zipfile.ZIP_DEFLATED))
plain("keras_no_weights", ".keras", zipped({"config.json": b"{}"}))
plain("keras_damaged", ".keras", zipped({"model.weights.h5": b"\x89HDF\r\n\x1a\n" + b"\0" * 90}))

# bundles
plain("zip_slip", ".zip", zipped({"../problem.json": b"{}"}))
plain("zip_absolute", ".zip", zipped({"/etc/problem.json": b"{}"}))
plain("zip_stranger", ".zip", zipped({"run.py": b"import os"}))
plain("zip_bomb", ".zip", zipped({"data.npz": b"\0" * 50_000_000}, zipfile.ZIP_DEFLATED))
plain("zip_not_json", ".zip", zipped({"problem.json": b"{", "model.safetensors": b"x", "data.npz": b"x"}))
plain("zip_without_files", ".zip", zipped({"problem.json": b"{}"}))
plain("zip_deep_json", ".zip", zipped({"problem.json": b"[" * 200_000}))
plain("zip_truncated", ".zip", zipped({"problem.json": b"{}" * 1000})[:500])


@hostile(".zip")
def zip_link(path: Path) -> None:
    info = zipfile.ZipInfo("problem.json")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")


def attentive(path: Path, length: int, depth: int) -> None:
    """A small, well-formed bundle of a transformer whose attention over a long sequence asks for length² numbers, depth times."""
    arguments = {"length": length, "features": 1, "width": 1, "heads": 1, "depth": depth, "feedforward": 1}
    state = architectures.build("transformer-regressor", arguments).double().state_dict()
    rows = {"inputs": np.linspace(0, 1, 2 * length).reshape(2, length, 1), "targets": np.eye(2)[:, :1]}
    data = {f"{split}_{side}": array for split in ("train", "validation", "test") for side, array in rows.items()}
    network = {"architecture": "transformer-regressor", "arguments": arguments}
    with tempfile.TemporaryDirectory() as scratch:
        folder = bundles.write(
            Path(scratch), problem=bundles.description(network=network, inputs=[], outputs=[]), weights=state, data=data
        )
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in folder.iterdir():
                archive.write(file, file.name)
