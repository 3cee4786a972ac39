"""Hostile files for what came later: meshes, heads of Tecplot, other encodings, and the further names of containers."""

from __future__ import annotations

import base64
import struct
import zlib

from tests.hostile.files import HOSTILE, LAUGHS, plain

FURTHER = {".hdf5": ".h5", ".pth": ".pt", ".tar": ".pt"}
"""Suffixes under which the same reader is asked, by the one whose hostile files they get."""
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def mesh(points: bytes, count: bytes = b"3", kind: bytes = b"ascii", head: bytes = b'<?xml version="1.0"?>') -> bytes:
    """A VTU of one triangle with this text as its points."""
    return head + (
        b'<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt32" '
        b'compressor="vtkZLibDataCompressor"><UnstructuredGrid><Piece NumberOfPoints="%s" NumberOfCells="1"><Points>'
        b'<DataArray type="Float64" NumberOfComponents="3" format="%s">%s</DataArray></Points><Cells>'
        b'<DataArray type="Int64" Name="connectivity" format="ascii">0 1 2</DataArray>'
        b'<DataArray type="Int64" Name="offsets" format="ascii">3</DataArray>'
        b'<DataArray type="UInt8" Name="types" format="ascii">5</DataArray></Cells></Piece></UnstructuredGrid></VTKFile>'
    ) % (count, kind, points)


def _bomb() -> bytes:
    """Points that are compressed zeros, 300 MB of them in blocks of 30 MB."""
    block = zlib.compress(b"\0" * 30_000_000, 9)
    header = struct.pack("<13I", 10, 30_000_000, 0, *[len(block)] * 10)
    return base64.b64encode(header) + base64.b64encode(block * 10)


plain("vtu_empty", ".vtu", b"")
plain("vtu_noise", ".vtu", bytes(range(256)) * 8)
plain("vtu_laughs", ".vtu", LAUGHS)
plain("vtu_outside_entity", ".vtu", mesh(b"&x;", head=OUTSIDE))
plain("vtu_truncated", ".vtu", mesh(b"0 0 0 1 0 0 0 1 0")[:300])
plain("vtu_other_count", ".vtu", mesh(b"0 0 0 1 0 0", b"4000000000"))
plain("vtu_bomb", ".vtu", mesh(_bomb(), b"12500000", b"binary"))
plain("vtu_deep", ".vtu", b"<a>" * 200_000)
plain("dat_tecplot_without_rows", ".dat", b'VARIABLES = "x", "u"\nZONE I=2\n')
plain("dat_tecplot_many_names", ".dat", b"VARIABLES = " + b'"x",' * 10_000 + b"\n" + b"1 " * 10_000 + b"\n")
plain("dat_tecplot_unclosed", ".dat", b'VARIABLES = "' + b"zone " * 12_000 + b"\n1 2\n")
plain("csv_half_utf16", ".csv", b"\xff\xfex\x00,\x00y\x00\n\x001")
plain("csv_controls", ".csv", b"x,y\n1,\x01\n")
plain("csv_undefined_in_windows", ".csv", b"\x81,\x8d\n1,2\n")
plain("txt_many_widths", ".txt", b"".join(b"a " * (place % 90) + b"\n" for place in range(2000)))
plain("csv_grouped_forever", ".csv", b'x\n"' + b"1,234" * 12_000 + b'"\n')
for further, known in FURTHER.items():
    for name, (suffix, make) in list(HOSTILE.items()):
        if suffix == known:
            HOSTILE[f"{name}_as_{further[1:]}"] = (further, make)
