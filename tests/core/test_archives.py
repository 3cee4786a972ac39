"""Zips that anybody may have made."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from lsr_core.errors import InputError
from lsr_core.storage.archives import unpack
from lsr_core.storage.bundles import load_problem
from tests import bundles

NAMES = ("problem.json", "model.safetensors", "data.npz")


def pack(path: Path, members: dict[str, bytes] | list[tuple[str | zipfile.ZipInfo, bytes]], **options: int) -> Path:
    pairs = list(members.items()) if isinstance(members, dict) else members
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with zipfile.ZipFile(path, "w", options.get("compression", zipfile.ZIP_STORED)) as archive:
            for name, content in pairs:
                archive.writestr(name, content)
    return path


def refused(archive: Path, folder: Path, match: str, max_bytes: int = 10**9) -> None:
    folder.mkdir()
    with pytest.raises(InputError, match=match) as caught:
        unpack(archive, folder, NAMES, max_bytes)
    assert caught.value.file == archive.name
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted([archive.name, folder.name])


@pytest.mark.parametrize("prefix", ["", "mine/"])
def test_a_packed_bundle_is_read(tmp_path: Path, prefix: str) -> None:
    folder = bundles.write(tmp_path / "b")
    archive = pack(tmp_path / "b.zip", {prefix + name: (folder / name).read_bytes() for name in NAMES})
    assert load_problem(archive).name == "tiny"


@pytest.mark.parametrize(
    "name",
    [
        "../data.npz",
        "a/../../data.npz",
        "/data.npz",
        "C:data.npz",
        "C:/data.npz",
        "..\\data.npz",
        "\\\\host\\data.npz",
        "../",
    ],
)
def test_paths_that_leave(tmp_path: Path, name: str) -> None:
    refused(pack(tmp_path / "b.zip", {name: b"x"}), tmp_path / "out", "leaves the folder")


@pytest.mark.parametrize("name", ["notes.txt", "a/b/data.npz", "__MACOSX/._data.npz", "data.npz.exe"])
def test_files_that_do_not_belong(tmp_path: Path, name: str) -> None:
    refused(pack(tmp_path / "b.zip", {name: b"x"}), tmp_path / "out", "does not belong")


def test_links(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("data.npz")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(pack(tmp_path / "b.zip", [(link, b"/etc/hostname")]), tmp_path / "out", "link")


@pytest.mark.parametrize("second", ["data.npz", "folder/data.npz"])
def test_doubles(tmp_path: Path, second: str) -> None:
    refused(pack(tmp_path / "b.zip", [("data.npz", b"x"), (second, b"y")]), tmp_path / "out", "twice")


def test_several_folders(tmp_path: Path) -> None:
    refused(pack(tmp_path / "b.zip", {"a/data.npz": b"x", "b/problem.json": b"y"}), tmp_path / "out", "several folders")


def test_bomb_by_ratio(tmp_path: Path) -> None:
    archive = pack(tmp_path / "b.zip", {"data.npz": bytes(30_000_000)}, compression=zipfile.ZIP_DEFLATED)
    assert archive.stat().st_size < 40_000
    refused(archive, tmp_path / "out", "more than 200 times")


def test_bomb_by_size(tmp_path: Path) -> None:
    archive = pack(tmp_path / "b.zip", {"data.npz": bytes(6_000), "problem.json": bytes(6_000)})
    refused(archive, tmp_path / "out", "unpacks to 12,000 bytes", max_bytes=10_000)


def test_sizes_that_lie(tmp_path: Path) -> None:
    """A directory that declares fewer bytes than there are: no more than that is ever written."""
    archive = pack(tmp_path / "b.zip", {"data.npz": bytes(5_000_000)}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(archive.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 1_000)
    archive.write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"damaged|truncated"):
        unpack(archive, tmp_path / "out", NAMES)
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 1_000


def test_encrypted(tmp_path: Path) -> None:
    archive = pack(tmp_path / "b.zip", {"data.npz": b"secret"})
    content = bytearray(archive.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(content)
    refused(archive, tmp_path / "out", "password")


@pytest.mark.parametrize("cut", [10, 60, -30])
def test_truncated(tmp_path: Path, cut: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data.npz", bytes(100))
    path = tmp_path / "b.zip"
    path.write_bytes(stream.getvalue()[:cut])
    refused(path, tmp_path / "out", "truncated")


def test_zip_without_a_description(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"problem\.json: this file is missing"):
        load_problem(pack(tmp_path / "b.zip", {"data.npz": b"x"}))
