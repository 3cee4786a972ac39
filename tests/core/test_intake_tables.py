"""The same numbers come out of every kind of file, and become the splits that were asked for."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
import scipy.sparse
import torch

from lsr_core.errors import InputError
from lsr_core.intake import tables
from lsr_core.intake.arrays import ArrayInfo
from lsr_core.intake.mapping import DataMapping, SplitArrays, choices, forecast_bytes, make_splits, rows

X = np.random.default_rng(0).normal(size=(30, 2))
Y = np.sin(X[:, :1])


def write(path: Path) -> dict[str, np.ndarray]:
    """A file of the kind its suffix says, and what must come out."""
    if path.suffix == ".npz":
        np.savez(path, x=X, y=Y)
    elif path.suffix == ".npy":
        np.save(path, X)
        return {path.stem: X}
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"x": X, "y": Y})
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("x", data=X, compression="gzip")
            file["y"] = Y
    else:
        columns = {"a": X[:, 0], "b": X[:, 1], "u": Y[:, 0]}
        if path.suffix == ".parquet":
            pq.write_table(pa.table(columns), path)
        else:
            lines = ["a,b,u", *(",".join(repr(float(v)) for v in row) for row in zip(*columns.values(), strict=True))]
            path.write_text("\n".join(lines) + "\n")
        return columns
    return {"x": X, "y": Y}


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv", ".parquet", ".mat", ".h5"])
def test_what_was_written_is_read(tmp_path: Path, suffix: str) -> None:
    wanted = write(tmp_path / f"data{suffix}")

    infos = {info.name: info for info in tables.listing(tmp_path / f"data{suffix}")}
    found = tables.read(tmp_path / f"data{suffix}", list(wanted))

    assert infos.keys() == wanted.keys()
    for name, array in wanted.items():
        assert infos[name].dtype == "float64"
        assert infos[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


def beside_numbers(path: Path) -> set[str]:
    """A file with `x` and what is no array of numbers; the names of the latter."""
    if path.suffix == ".parquet":
        other = {"when": [datetime(2024, 3, 1)], "who": ["a"], "on": [True], "cost": [Decimal("1.5")], "many": [[1.0]]}
        pq.write_table(pa.table({"x": [1.0], **other}), path)
        return set(other)
    if path.suffix == ".mat":
        scipy.io.savemat(
            path,
            {"x": X, "s": {"a": 1.0}, "t": "text", "c": np.array(["a", 1.0], object), "A": scipy.sparse.eye(3).tocsc()},
        )
        return {"s", "t", "c", "A"}
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("x", data=X, compression="lzf")
            file["who"], file["names"] = np.array([b"a"]), ["a", "b"]
            file["pairs"] = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
        return {"who", "names", "pairs"}
    np.savez(
        path, x=X, who=np.array(["a"]), when=np.array(["2024-03-01"], "datetime64[D]"), any=np.array([1, "a"], object)
    )
    return {"who", "when", "any"}


@pytest.mark.parametrize("suffix", [".parquet", ".mat", ".h5", ".npz"])
def test_what_is_no_array_of_numbers_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"data{suffix}"
    names = beside_numbers(path)
    infos = tables.listing(path)
    assert {info.name for info in infos if info.unusable} == names
    assert [info.name for info in infos if not info.unusable] == ["x"]
    assert len(tables.read(path, ["x"])["x"])
    with pytest.raises(InputError, match="save it as"):
        tables.read(path, [min(names)])


def test_a_packed_file_is_to_be_unpacked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is packed; unpack it and give the \.csv inside"):
        tables.listing(tmp_path / "data.csv.gz")


def test_matlab_7_3_has_its_dimensions_in_the_order_of_matlab(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.mat", "w", userblock_size=512) as file:
        file["x"] = X.T  # as MATLAB stores it

    assert tables.listing(tmp_path / "data.mat") == [ArrayInfo("x", (30, 2), "float64", 8)]
    np.testing.assert_array_equal(tables.read(tmp_path / "data.mat", ["x"])["x"], X)


def test_a_field_over_axes_is_taken_point_by_point() -> None:
    x, t = np.linspace(0, 1, 4)[:, None], np.linspace(0, 2, 3)[None]
    field = 10 * x + t

    inputs, outputs = rows({"x": x, "t": t, "u": field}, SplitArrays(("x", "t"), ("u",)))

    assert inputs.shape == (12, 2)
    np.testing.assert_allclose(outputs[:, 0], 10 * inputs[:, 0] + inputs[:, 1])


def test_rows_are_split_once_each_and_the_seed_decides_which() -> None:
    mapping = DataMapping(SplitArrays(("x",), ("y",)), fractions=(0.2, 0.1), seed=3)

    mapped = make_splits({"x": X, "y": Y}, mapping)

    assert {name: len(split.inputs) for name, split in mapped.splits.items()} == {
        "train": 21,
        "validation": 6,
        "test": 3,
    }
    seen = torch.cat([split.inputs for split in mapped.splits.values()])
    assert torch.equal(seen[:, 0].sort().values, torch.from_numpy(np.sort(X[:, 0])))
    again = make_splits({"x": X, "y": Y}, mapping).splits["test"].inputs
    assert torch.equal(again, mapped.splits["test"].inputs)


def test_columns_and_given_splits() -> None:
    table = np.concatenate([X, Y], axis=1)
    mapping = DataMapping(SplitArrays(("d[0]", "d[1]"), ("d[2]",)), validation=SplitArrays(("v[0]", "v[1]"), ("v[2]",)))

    mapped = make_splits({"d": table, "v": table[:5]}, mapping)

    assert len(mapped.splits["validation"].inputs) == 5
    assert len(mapped.splits["train"].inputs) + len(mapped.splits["test"].inputs) == 30
    np.testing.assert_array_equal(mapped.inputs, X)


def test_rows_that_are_not_finite_are_named_or_left_out() -> None:
    y = Y.copy()
    y[[2, 7]] = [[np.nan], [np.inf]]

    with pytest.raises(InputError, match=r"2 of 30 rows .*rows 3, 8"):
        make_splits({"x": X, "y": y}, DataMapping(SplitArrays(("x",), ("y",))))
    assert make_splits({"x": X, "y": y}, DataMapping(SplitArrays(("x",), ("y",)), drop=True)).dropped == 2


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(InputError, match=r"29 rows.*30"):
        rows({"x": X, "y": Y[1:]}, SplitArrays(("x",), ("y",)))


def test_what_can_be_chosen_and_what_it_takes() -> None:
    infos = [ArrayInfo("d", (10, 2), "float64", 8), ArrayInfo("v", (10,), "float32", 4)]

    assert choices(infos) == ["d", "d[0]", "d[1]", "v"]
    assert forecast_bytes(infos, ["d[0]", "v"]) == 160 + 320 + 40 + 160
