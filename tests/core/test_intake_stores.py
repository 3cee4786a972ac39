"""VTU, Zarr and images: what their own libraries write is read with the values that were meant."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lsr_core.errors import InputError
from lsr_core.intake import tables

VALUES = np.arange(12.0).reshape(4, 3)


def everything(path: Path) -> dict[str, np.ndarray]:
    return tables.read(path, [info.name for info in tables.listing(path) if not info.unusable])


def test_a_mesh_gives_points_and_what_is_stored_at_them(tmp_path: Path) -> None:
    meshio = pytest.importorskip("meshio")
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    mesh = meshio.Mesh(
        points, [("triangle", np.array([[0, 1, 2], [0, 2, 3]]))],
        point_data={"u": np.arange(4.0), "flow": VALUES}, cell_data={"k": [np.array([5.0, 7.0])]},
    )  # fmt: skip
    meshio.vtu.write(str(tmp_path / "mesh.vtu"), mesh)
    found = everything(tmp_path / "mesh.vtu")
    np.testing.assert_array_equal(found["points"], points[:, :2])
    np.testing.assert_array_equal(found["u"], np.arange(4.0))
    np.testing.assert_array_equal(found["flow"], VALUES)
    np.testing.assert_array_equal(found["k"], [5, 7])
    np.testing.assert_allclose(found["centres of cells"], [[2 / 3, 1 / 3], [1 / 3, 2 / 3]])


def test_a_mesh_in_space_keeps_its_third_coordinate(tmp_path: Path) -> None:
    meshio = pytest.importorskip("meshio")
    points = np.eye(4, 3)
    meshio.vtu.write(
        str(tmp_path / "mesh.vtu"),
        meshio.Mesh(points, [("tetra", np.array([[0, 1, 2, 3]]))], point_data={"u": np.arange(4)}),
    )
    np.testing.assert_array_equal(everything(tmp_path / "mesh.vtu")["points"], points)


def zipped_store(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as target:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                target.write(file, file.relative_to(folder.parent))
    return archive


@pytest.mark.parametrize("version", [2, 3])
def test_a_zarr_store_is_read_as_it_is_meant(version: int, tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(tmp_path / "field.zarr", mode="w", zarr_format=version)
    group.create_array("x", data=np.arange(4.0))
    packed = group.create_array("flow/u", data=np.array([[1, 2], [3, -99]], dtype=np.int16), chunks=(1, 2))
    packed.attrs.update({"scale_factor": 0.5, "add_offset": 10.0, "_FillValue": -99})
    path = zipped_store(tmp_path / "field.zarr", tmp_path / "field.zarr.zip")
    assert {info.name: info.shape for info in tables.listing(path)} == {"x": (4,), "flow/u": (2, 2)}
    found = everything(path)
    np.testing.assert_array_equal(found["flow/u"], [[10.5, 11], [11.5, np.nan]])
    np.testing.assert_array_equal(found["x"], np.arange(4.0))


def test_a_store_as_xarray_writes_it(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("zarr")
    data = xarray.Dataset({"u": (("x", "t"), VALUES)}, coords={"x": np.arange(4.0), "t": np.arange(3.0)})
    data.to_zarr(tmp_path / "data.zarr", zarr_format=2, consolidated=True)
    found = everything(zipped_store(tmp_path / "data.zarr", tmp_path / "data.zip"))
    np.testing.assert_array_equal(found["u"], VALUES)
    assert set(found) == {"u", "x", "t"}


def png(values: np.ndarray, **more: Any) -> bytes:
    target = io.BytesIO()
    Image.fromarray(values).save(target, "PNG", **more)
    return target.getvalue()


def images(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_folders_of_images_are_arrays_in_natural_order(tmp_path: Path) -> None:
    grey = {place: np.full((4, 5), place, dtype=np.uint8) for place in (2, 10)}
    path = images(
        tmp_path / "pairs.zip",
        {f"data/{side}/{place}.png": png(values + shift) for shift, side in enumerate(("input", "target")) for place, values in grey.items()}
        | {"data/__MACOSX/._2.png": b"nothing", "data/readme.txt": b"words"},
    )  # fmt: skip
    found = everything(path)
    assert {name: values.shape for name, values in found.items()} == {
        "images": (4, 4, 5),
        "input": (2, 4, 5),
        "target": (2, 4, 5),
        "folder": (4,),
    }
    np.testing.assert_allclose(found["input"][:, 0, 0], [2 / 255, 10 / 255], rtol=1e-6)
    np.testing.assert_allclose(found["target"][:, 0, 0], [3 / 255, 11 / 255], rtol=1e-6)
    assert found["folder"].tolist() == [0, 0, 1, 1]


def test_colours_come_first_and_sixteen_bits_are_over_their_own_largest(tmp_path: Path) -> None:
    colours = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    found = everything(images(tmp_path / "colour.zip", {"a.png": png(colours)}))
    np.testing.assert_allclose(found["images"][0], colours.transpose(2, 0, 1) / 255, rtol=1e-6)
    deep = everything(images(tmp_path / "deep.zip", {"a.png": png(np.full((2, 2), 32768, dtype=np.uint16))}))
    np.testing.assert_allclose(deep["images"], 32768 / 65535, rtol=1e-6)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"a.png": png(np.zeros((2, 2), np.uint8)), "b.png": png(np.zeros((2, 3), np.uint8))}, "all must be as large"),
        ({"a.txt": b"words"}, "neither a Zarr store nor images"),
        ({"a.png": png(np.zeros((2, 2), np.uint8))[:40]}, "upload.zip"),
    ],
)  # fmt: skip
def test_what_is_no_set_of_images_is_refused(members: dict[str, bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        everything(images(tmp_path / "upload.zip", members))
    assert words in str(refused.value)
