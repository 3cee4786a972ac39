"""Hostile meshes, Zarr stores and archives of images, made in the same way as those of `files`."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from PIL import Image

from lsr_core.intake.archives import MAX_MEMBERS
from lsr_core.intake.images import MAX_SIDE
from tests.hostile.files import LAUGHS, plain, zipped

DATA = ".data.zip"  # taken for data and not for a bundle


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """An image whose header says this size, with these bytes of deflated rows."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def grey(side: int = 4) -> bytes:
    target = io.BytesIO()
    Image.fromarray(np.zeros((side, side), np.uint8)).save(target, "PNG")
    return target.getvalue()


def store(**said: Any) -> bytes:
    """A store of version 2 with one array, whose metadata are these."""
    usual = {
        "zarr_format": 2,
        "shape": [4],
        "chunks": [4],
        "dtype": "<f8",
        "compressor": None,
        "filters": None,
        "fill_value": 0,
        "order": "C",
    }
    metadata = json.dumps({**usual, **said}).encode()
    return zipped({"s/.zgroup": b'{"zarr_format": 2}', "s/a/.zarray": metadata, "s/a/0": b"\0" * 32})


def third(**said: Any) -> bytes:
    usual = {
        "zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "float64", "fill_value": 0, "attributes": {},
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4]}}, "codecs": [{"name": "bytes"}],
        "chunk_key_encoding": {"name": "default"},
    }  # fmt: skip
    return zipped({"s/a/zarr.json": json.dumps({**usual, **said}).encode(), "s/a/c/0": b"\0" * 32})


def vtu(points: bytes) -> bytes:
    return (
        b'<VTKFile type="UnstructuredGrid" version="0.1"><UnstructuredGrid><Piece NumberOfPoints="2" NumberOfCells="0"><Points>'
        + points
        + b"</Points><Cells/></Piece></UnstructuredGrid></VTKFile>"
    )


plain("vtu_empty", ".vtu", b"")
plain("vtu_noise", ".vtu", bytes(range(256)) * 8)
plain("vtu_laughs", ".vtu", LAUGHS.replace(b"workbook", b"VTKFile"))
plain(
    "vtu_outside_entity",
    ".vtu",
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + vtu(b"<DataArray>&x;</DataArray>"),
)
plain("vtu_truncated", ".vtu", vtu(b'<DataArray type="Float64" NumberOfComponents="3" format="ascii">0 0 0')[:150])
plain(
    "vtu_promise",
    ".vtu",
    vtu(b'<DataArray type="Float64" NumberOfComponents="3" format="binary">' + b"/////////38=" * 20 + b"</DataArray>"),
)
plain("vtu_deep", ".vtu", b"<VTKFile>" + b"<a>" * 200_000)
plain("data_zip_noise", DATA, bytes(range(256)) * 8)
plain("data_zip_nothing_known", DATA, zipped({"run.py": b"import os"}))
plain("data_zip_slip", DATA, zipped({"../../evil.sh": b"x"}))
plain("data_zip_many", DATA, zipped({f"a{place}.png": b"" for place in range(MAX_MEMBERS + 1)}))
plain("data_zip_bomb", DATA, zipped({"a.png": b"\0" * 230_000_000}, zipfile.ZIP_DEFLATED))
plain("images_no_image", DATA, zipped({"a.png": b"words"}))
plain("images_of_another_kind", DATA, zipped({"a.png": b"GIF89a" + b"\0" * 60}))
plain("images_script", DATA, zipped({"a.png": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run\n"}))
plain("images_huge", DATA, zipped({"a.png": png(MAX_SIDE + 1, 4)}))
plain(
    "images_bomb",
    DATA,
    zipped({f"{place}.png": png(MAX_SIDE, MAX_SIDE, b"\0" * (MAX_SIDE * (MAX_SIDE + 1))) for place in range(20)}),
)
plain("images_truncated", DATA, zipped({"a.png": grey(64)[:60]}))
plain("images_of_two_sizes", DATA, zipped({"a.png": grey(4), "b.png": grey(5)}))
plain("zarr_pickle", DATA, store(dtype="|O", filters=[{"id": "pickle"}]))
plain("zarr_pickle_filter", DATA, store(filters=[{"id": "pickle", "protocol": 5}]))
plain("zarr_objects", DATA, store(dtype="|O"))
plain("zarr_huge", DATA, store(shape=[10**12], chunks=[4]))
plain("zarr_huge_chunk", DATA, store(shape=[4], chunks=[10**12]))
plain("zarr_negative", DATA, store(shape=[-4]))
plain("zarr_strange_codec", DATA, store(compressor={"id": "os.system"}))
plain("zarr_not_json", DATA, zipped({"s/a/.zarray": b"{"}))
plain("zarr_deep_json", DATA, zipped({"s/a/.zarray": b"[" * 200_000}))
plain("zarr_large_json", DATA, zipped({"s/a/.zarray": b" " * 2_000_000}))
plain("zarr_chunk_cut", DATA, zipped({"s/a/.zarray": json.dumps({
    "zarr_format": 2, "shape": [4], "chunks": [4], "dtype": "<f8", "compressor": {"id": "zlib"}, "filters": None, "fill_value": 0, "order": "C"
}).encode(), "s/a/0": zlib.compress(b"\0" * 32)[:9]}))  # fmt: skip
plain("zarr3_strange_codec", DATA, third(codecs=[{"name": "sharding_indexed"}, {"name": "numcodecs.pickle"}]))
plain("zarr3_strange_type", DATA, third(data_type={"name": "struct"}))
plain("zarr3_outside_store", DATA, zipped({"s/zarr.json": pickle.dumps([1])}))
