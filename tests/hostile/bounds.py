"""Files just beyond a bound, one for each bound and reader, made in the same way as those of `files`."""

from __future__ import annotations

import json
import struct
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
import torch

from lsr_core.intake.arrays import MAX_ARRAYS, MAX_DIMENSIONS, MAX_NAME, MAX_ROWS
from lsr_core.storage import weights
from tests import bundles
from tests.hostile.files import HOSTILE, npy, npy_header, plain, tensors_file, torch_zip, zipped

BEFORE = set(HOSTILE)
LONG = "n" * (MAX_NAME + 1)
MEGABYTE = 2**20


def made(name: str, suffix: str, make: Callable[[Path], Any]) -> None:
    HOSTILE[name] = (suffix, lambda path: make(path) and None)


def promised(shape: str, descr: str = "'<f8'", body: int = 64) -> bytes:
    return npy_header(shape, descr) + b"\0" * body


def deflated(size: int) -> bytes:
    """An npz whose one array unpacks to `size` zero bytes, honestly declared."""
    return zipped({"a.npy": npy_header(f"({size // 8},)") + b"\0" * size}, zipfile.ZIP_DEFLATED)


# numpy: rows, dimensions, names, number, size, ratio, types, headers
plain("npy_too_many_rows", ".npy", promised(f"({MAX_ROWS + 1},)", "'|u1'", MAX_ROWS + 1))
plain("npy_one_dimension_more", ".npy", npy(np.zeros((1,) * (MAX_DIMENSIONS + 1))))
plain("npz_one_dimension_more", ".npz", zipped({"a.npy": npy(np.zeros((1,) * (MAX_DIMENSIONS + 1)))}))
plain("npz_long_name", ".npz", zipped({f"{LONG}.npy": npy(np.ones(3))}))
plain("npz_one_array_more", ".npz", zipped({f"a{i}.npy": npy(np.ones(1)) for i in range(MAX_ARRAYS + 1)}))
plain("npz_too_many_rows", ".npz", zipped({"a.npy": promised(f"({MAX_ROWS + 1},)", "'|u1'", MAX_ROWS + 1)}))
plain("npz_ratio", ".npz", deflated(40 * MEGABYTE))
plain("npz_ratio_shared", ".npz", zipped({f"a{i}.npy": promised("(1048576,)", body=8 * MEGABYTE) for i in range(5)}, 8))
plain("npz_too_large", ".npz", zipped({"a.npy": npy_header("(4000000, 8)") + b"\0" * 64}))
plain("npz_member_in_member", ".npz", zipped({"a.npz": zipped({"b.npy": npy(np.ones(3))})}))
plain("npz_dates", ".npz", zipped({"a.npy": npy(np.array(["2020-01-01"], dtype="M8[D]"))}))
plain("npz_void", ".npz", zipped({"a.npy": promised("(3,)", "'|V8'")}))
plain("npz_bytes", ".npz", zipped({"a.npy": npy(np.array([b"abc"]))}))
plain("npz_long_double", ".npz", zipped({"a.npy": promised("(3,)", "'<f99'")}))
for name, shape in {
    "float": "(2.0, 3)", "text": "('a',)", "bool": "(True,)", "nested": "((1, 2),)", "none": "None", "list": "[1, 2]",
    "huge": "(99999999999999999999999,)", "negative": "(-1,)", "call": "(pow(9, 9),)", "empty_text": "''",
}.items():  # fmt: skip
    plain(f"npy_shape_{name}", ".npy", promised(shape))
for name, descr in {
    "words": "'nonsense'",
    "list": "[('a', '<f8')]",
    "empty": "''",
    "number": "7",
    "objects": "'|O8'",
}.items():
    plain(f"npy_type_{name}", ".npy", promised("(3,)", descr))
plain("npy_long_header", ".npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b" " * 100)
plain("npy_version", ".npy", b"\x93NUMPY\x09\x00" + b" " * 100)


def doubled_npz(path: Path) -> None:
    data = bytearray(zipped({"a.npy": npy(np.ones(3)), "b.npy": npy(np.ones(3))}))
    path.write_bytes(bytes(data).replace(b"b.npy", b"a.npy"))


made("npz_two_of_a_name", ".npz", doubled_npz)

# text
plain("csv_bom_only", ".csv", b"\xef\xbb\xbf")
plain("csv_bom_and_blank", ".csv", b"\xef\xbb\xbf \n\n")
plain("csv_one_column_more", ".csv", b",".join(b"c%d" % i for i in range(MAX_ARRAYS + 1)) + b"\n1\n")
plain("csv_long_name", ".csv", LONG.encode() + b",y\n1,2\n")
plain("csv_too_many_rows", ".csv", b"x\n" + b"1\n" * (MAX_ROWS + 1))
plain("csv_too_large", ".csv", b"x,y\n" + b"1,2\n" * (13 * MEGABYTE))
plain("csv_long_second_line", ".csv", b"x,y\n" + b"1," * 400_000 + b"\n")
plain("csv_only_blanks", ".csv", b" \n" * 1000)
plain("csv_one_word_last", ".csv", b"x,y\n" + b"1,2\n" * 1000 + b"1,end\n")
plain("csv_carriage_returns", ".csv", b"x,y\rone,two\r")
plain("csv_quotes_never_closed", ".csv", b'"' * 70_000)
plain("csv_hexadecimal", ".csv", b"x,y\n0x10,2\n")


# MATLAB, HDF5, Parquet
def h5(make: Callable[[h5py.File], Any]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            make(file)

    return write


def groups(depth: int) -> Callable[[h5py.File], Any]:
    return lambda file: file.create_group("/".join(["g"] * depth)).create_dataset("a", data=np.ones(3))


def filtered(file: h5py.File) -> None:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((4,))
    properties.set_filter(h5py.h5z.FILTER_SCALEOFFSET, h5py.h5z.FLAG_OPTIONAL, (2, 0))
    space = h5py.h5s.create_simple((4,))
    h5py.h5d.create(file.id, b"a", h5py.h5t.NATIVE_INT32, space, properties)


def links(file: h5py.File) -> None:
    file["a"] = h5py.SoftLink("/nowhere")
    file["b"] = h5py.SoftLink("/b")


made("h5_long_name", ".h5", h5(lambda file: file.create_dataset(LONG, data=np.ones(3))))
made("h5_too_deep", ".h5", h5(groups(12)))
made("h5_one_dimension_more", ".h5", h5(lambda file: file.create_dataset("a", data=np.zeros((1,) * 7))))
made("h5_thirty_dimensions", ".h5", h5(lambda file: file.create_dataset("a", data=np.zeros((1,) * 30))))
made("h5_too_many_rows", ".h5", h5(lambda file: file.create_dataset("a", data=np.zeros(MAX_ROWS + 1, "u1"))))
made("h5_many", ".h5", h5(lambda file: [file.create_dataset(f"a{i}", data=1.0) for i in range(MAX_ARRAYS + 1)]))
made("h5_no_shape", ".h5", h5(lambda file: file.create_dataset("a", data=h5py.Empty("f8"))))
made("h5_complex", ".h5", h5(lambda file: file.create_dataset("a", data=np.array(["x"], dtype="S1"))))
made("h5_records", ".h5", h5(lambda file: file.create_dataset("a", data=np.zeros(3, dtype=[("x", "f8")]))))
made("h5_strange_filter", ".h5", h5(filtered))
made("h5_soft_links", ".h5", h5(links))
made("h5_references", ".h5", h5(lambda file: file.create_dataset("a", data=[file.ref], dtype=h5py.ref_dtype)))
made("h5_ragged", ".h5", h5(lambda file: file.create_dataset("a", shape=(2,), dtype=h5py.vlen_dtype("f8"))))
made(
    "h5_too_large", ".h5", h5(lambda file: file.create_dataset("a", data=np.zeros((4_000_000, 7), "f8"), compression=1))
)
made("hdf5_noise", ".hdf5", lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 20))
made("mat_text", ".mat", lambda path: scipy.io.savemat(path, {"a": "words"}))
made(
    "mat_too_many_rows",
    ".mat",
    lambda path: scipy.io.savemat(path, {"a": np.zeros((MAX_ROWS + 1, 1), "u1")}, do_compression=True),
)
made("mat_dimensions", ".mat", lambda path: scipy.io.savemat(path, {"a": np.zeros((1, 2) * 4)}))
made("mat_version_4", ".mat", lambda path: path.write_bytes(struct.pack("<5i", 0, 2**30, 2**20, 0, 2) + b"a\0"))
made("mat_sparse", ".mat", lambda path: scipy.io.savemat(path, {"a": scipy.sparse.eye(10**6, format="csc")}))
made("parquet_long_name", ".parquet", lambda path: pq.write_table(pa.table({LONG: [1.0]}), path))
made(
    "parquet_one_column_more",
    ".parquet",
    lambda path: pq.write_table(pa.table({f"c{i}": [1.0] for i in range(MAX_ARRAYS + 1)}), path),
)
made(
    "parquet_too_many_rows",
    ".parquet",
    lambda path: pq.write_table(pa.table({"a": np.zeros(MAX_ROWS + 1, "i1")}), path),
)
made(
    "parquet_same_names",
    ".parquet",
    lambda path: pq.write_table(pa.Table.from_arrays([pa.array([1.0])] * 2, ["a", "a"]), path),
)
made("parquet_lists", ".parquet", lambda path: pq.write_table(pa.table({"a": [[1.0, 2.0]]}), path))
made("parquet_dates", ".parquet", lambda path: pq.write_table(pa.table({"a": pa.array([1], pa.timestamp("s"))}), path))
made("parquet_no_columns", ".parquet", lambda path: pq.write_table(pa.table({}), path))
made("parquet_booleans", ".parquet", lambda path: pq.write_table(pa.table({"a": [True]}), path))
made(
    "parquet_ratio",
    ".parquet",
    lambda path: pq.write_table(
        pa.table({"a": np.zeros(4_000_000), "b": np.zeros(4_000_000)}), path, compression="zstd"
    ),
)
made("parquet_magic_only", ".parquet", lambda path: path.write_bytes(b"PAR1" + b"\xff\xff\xff\x7f" + b"PAR1"))


# weights
def tensor(shape: list[int], dtype: str = "F32", size: int | None = None) -> tuple[dict[str, Any], bytes]:
    bytes_ = 4 * int(np.prod(shape, dtype=object)) if size is None else size
    return {"dtype": dtype, "shape": shape, "data_offsets": [0, bytes_]}, b"\0" * bytes_


def one(name: str, entry: Any, data: bytes = b"\0" * 4) -> bytes:
    return tensors_file({name: entry}, data)


plain("safetensors_long_header", ".safetensors", tensors_file(b" " * (weights.MAX_HEADER_BYTES + 1)))
plain(
    "safetensors_one_tensor_more",
    ".safetensors",
    tensors_file({f"{i}": tensor([0])[0] for i in range(weights.MAX_TENSORS + 1)}),
)
plain("safetensors_long_name", ".safetensors", one("n" * (weights.MAX_NAME + 1), *tensor([1])))
plain("safetensors_one_dimension_more", ".safetensors", one("w", *tensor([1] * (weights.MAX_DIMENSIONS + 1))))
for kind in ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "F6_E2M3", "U16", "U32", "U64", "", "f32", "X" * 5000):
    plain(f"safetensors_type_{kind[:8]}", ".safetensors", one("w", *tensor([2, 2], kind, 4)))
for name, entry in {
    "text": "F32", "number": 7, "nothing": None, "no_shape": {"dtype": "F32", "data_offsets": [0, 4]},
    "shape_text": {"dtype": "F32", "shape": "ab", "data_offsets": [0, 4]},
    "negative": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
    "float": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]},
    "offsets": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
    "type_list": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]},
}.items():  # fmt: skip
    plain(f"safetensors_entry_{name}", ".safetensors", one("w", entry))
plain("safetensors_list", ".safetensors", tensors_file([1, 2]))
plain("safetensors_metadata_list", ".safetensors", tensors_file({"__metadata__": [1], "w": tensor([1])[0]}, b"\0" * 4))
plain(
    "safetensors_long_number", ".safetensors", tensors_file(b'{"w": {"dtype": "F32", "shape": [' + b"9" * 5000 + b"]}}")
)
plain("safetensors_header_only_length", ".safetensors", b"\x10")
made(
    "pt_capital_pickle",
    ".pt",
    lambda path: path.write_bytes(zipped({"x/data.pkl": b"\x80\x02}.", "x/DATA.PKL": b"cos\nsystem\n."})),
)
made(
    "pt_capital_only",
    ".pt",
    lambda path: path.write_bytes(zipped({"x/DATA.PKL": b"cos\nsystem\n(S'true'\ntR.", "x/version": b"3\n"})),
)
made("pt_second_pickle", ".pt", lambda path: torch_zip(path, b"\x80\x02}.", **{"x/sub/data.pkl": b"cos\nsystem\n."}))
made("pt_extension_opcode", ".pt", lambda path: torch_zip(path, b"\x80\x02\x82\x01."))
made("pt_persistent_text", ".pt", lambda path: torch_zip(path, b"\x80\x02Pabc\n."))
made("pt_endless_memo", ".pt", lambda path: torch_zip(path, b"\x80\x02" + b"]q\x00" * 1_000_000 + b"."))
made("pt_long_name", ".pt", lambda path: torch.save({"n" * (weights.MAX_NAME + 1): torch.ones(1)}, path))
made("pt_dimensions", ".pt", lambda path: torch.save({"w": torch.ones((1,) * (weights.MAX_DIMENSIONS + 1))}, path))
made("pt_sparse", ".pt", lambda path: torch.save({"w": torch.eye(3).to_sparse()}, path))
made("pt_float8", ".pt", lambda path: torch.save({"w": torch.ones(4).to(torch.float8_e4m3fn)}, path))
made("pth_integers", ".pth", lambda path: torch.save({"w": torch.ones(4, dtype=torch.int32)}, path))


# bundles: points, rows, members
def bundle(
    change: Callable[[dict[str, Any]], Any], data: Mapping[str, np.ndarray] | None = None
) -> Callable[[Path], None]:
    """A well-formed bundle but for one change of its description, or other data."""

    def write(path: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            folder = bundles.write(Path(scratch), **({} if data is None else {"data": data}))
            described = json.loads((folder / "problem.json").read_text())
            change(described)
            (folder / "problem.json").write_text(json.dumps(described))
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in folder.iterdir():
                    archive.write(file, file.name)

    return write


def equation(name: str, **arguments: Any) -> Callable[[Path], None]:
    """A bundle of an equation, which draws its points itself."""
    inputs = 1 if name == "typed" else 2
    network = {"architecture": "mlp", "arguments": {"layers": [inputs, 2, 1], "activation": "tanh"}}

    def change(described: dict[str, Any]) -> None:
        described.update(kind="physics", physics={"equation": name, "arguments": arguments, "seed": 0}, network=network)
        described.update(inputs=[], outputs=[])

    return bundle(change)


def typed(points: Any, rows: int = 1, conditions: int = 1) -> Callable[[Path], None]:
    return equation(
        "typed", inputs={"x": [0, 1]}, outputs=["u"], equations=[{"equation": "u_xx + u = 0", "points": points}] * rows,
        conditions=[{"where": "x = 0", "equation": "u = 0", "points": points}] * conditions,
    )  # fmt: skip


made("zip_points_float", ".zip", equation("heat", n_interior=2e6))
made("zip_points_text", ".zip", equation("heat", n_interior="5000000"))
made(
    "zip_points_sum",
    ".zip",
    equation("heat", n_interior=400_000, n_initial=90_000, n_boundary=90_000, constraints="soft"),
)
made("zip_points_true", ".zip", equation("heat", n_interior=True))
made("zip_points_huge", ".zip", equation("heat", n_interior=10**30))
made("zip_typed_points", ".zip", typed(500_000))
made("zip_typed_points_text", ".zip", typed("600000"))
made("zip_typed_points_float", ".zip", typed(6e5))
made("zip_typed_points_sum", ".zip", typed(100_000, rows=5))
made("zip_typed_conditions_sum", ".zip", typed(90_000, conditions=6))
made("zip_typed_many_rows", ".zip", typed(10, rows=9))
made("zip_typed_many_conditions", ".zip", typed(10, conditions=17))


def tall(rows: int) -> dict[str, np.ndarray]:
    data = bundles.arrays()
    return {**data, "train_inputs": np.zeros((rows, 2)), "train_targets": np.zeros((rows, 1))}


made("zip_many_rows", ".zip", bundle(lambda described: None, tall(2_100_000)))
made("zip_parameters", ".zip", bundle(lambda d: d["network"]["arguments"].update(layers=[2, 10_000, 10_000, 1])))
made("zip_layers", ".zip", bundle(lambda d: d["network"]["arguments"].update(layers=[2] * 100_000)))
made("zip_width_text", ".zip", bundle(lambda d: d["network"]["arguments"].update(layers=["2", "1"])))
made("zip_long_title", ".zip", bundle(lambda d: d.update(title="t" * 2_000_000)))
made("zip_unknown_network", ".zip", bundle(lambda d: d["network"].update(architecture="os.system")))
made("zip_unknown_key", ".zip", bundle(lambda d: d.update(exec="import os")))
made("zip_other_version", ".zip", bundle(lambda d: d.update(format_version=10**9)))
made("zip_nan_seed", ".zip", bundle(lambda d: d.update(seeds={"data": float("nan")})))
made("zip_other_digest", ".zip", bundle(lambda d: d["files"]["data.npz"].update(sha256="0" * 64)))

NEW = tuple(name for name in HOSTILE if name not in BEFORE)
