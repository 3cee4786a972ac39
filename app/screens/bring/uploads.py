"""Uploaded files: on disk for as long as they are read, and what was read kept in the session that uploaded them."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from lsr_app.screens.bring import bringtexts
from lsr_app.screens.bring.keeping import Keeper
from lsr_core.intake.readers import READERS

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile
    from torch import Tensor

    from lsr_core.intake.arrays import ArrayInfo

_KEEPER = Keeper()
_NAME = "uploads_session"
WEIGHTS = ("safetensors", "pt", "pth", "ckpt", "bin", "tar", "mdlus", "keras", "h5", "hdf5", "npz", "zip")


def weights(key: str) -> UploadedFile | None:
    """The field for a state dict."""
    return st.file_uploader(bringtexts.WEIGHTS_LABEL, type=list(WEIGHTS), key=key, help=bringtexts.HELP["weights"])


def data(label: str, key: str, help: str | None = None) -> UploadedFile | None:
    """A field for a file of numbers."""
    return st.file_uploader(label, type=[suffix.removeprefix(".") for suffix in READERS], key=key, help=help)


@contextmanager
def on_disk(file: UploadedFile) -> Iterator[Path]:
    """The upload under a harmless form of its name, in a folder that is gone afterwards."""
    name = re.sub(r"[^\w.-]", "_", Path(file.name).name)[-80:].lstrip(".") or "file"
    path = Path(name)
    with tempfile.TemporaryDirectory(prefix="lsr-upload-") as scratch:
        target = Path(scratch) / f"{path.stem}{path.suffix.lower()}"
        target.write_bytes(file.getbuffer())
        yield target


def tensors(file: UploadedFile, network: str = "") -> dict[str, Tensor]:
    """The state dict in an upload, of one network where it holds several. Raises as `state_dicts.read`."""
    from lsr_core.intake import state_dicts

    found: dict[str, Tensor] = _once(
        ("weights", file.file_id, network), file, lambda path: state_dicts.read(path, network)
    )
    return found


def listing(file: UploadedFile) -> list[ArrayInfo]:
    """What a data file says it holds. Raises InputError."""
    from lsr_core.intake import tables

    found: list[ArrayInfo] = _once(("list", file.file_id), file, tables.listing)
    return found


def arrays(file: UploadedFile, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Arrays of a data file. Raises InputError."""
    from lsr_core.intake import tables

    key = ("arrays", file.file_id, *names)
    found: dict[str, np.ndarray] = _once(key, file, lambda path: tables.read(path, names))
    return found


def _once(key: tuple[str, ...], file: UploadedFile, read: Callable[[Path], Any]) -> Any:
    """Each upload is read once as long as its session keeps it."""
    from lsr_core.errors import InputError

    def made() -> Any:
        try:
            with on_disk(file) as path:
                return read(path)
        except InputError as error:  # read again, it would fail again
            return error

    found = _KEEPER.get(_session(), key, made)
    if isinstance(found, InputError):
        raise found
    return found


def _session() -> str:
    """A name of this session; what is kept under it goes with it."""
    if _NAME not in st.session_state:
        st.session_state[_NAME] = secrets.token_hex(8)
    return _leaving(st.session_state[_NAME])


@st.cache_resource(scope="session", on_release=_KEEPER.forget, show_spinner=False)
def _leaving(name: str) -> str:
    return name
