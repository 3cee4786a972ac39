"""Files handed to the uploaders of a page."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

PATIENCE_SECONDS = 90  # a reader starts a process of its own


def give(app: AppTest, key: str, file: Path) -> AppTest:
    return give_bytes(app, key, file.name, file.read_bytes())


def give_bytes(app: AppTest, key: str, name: str, content: bytes) -> AppTest:
    app.file_uploader(key=key).set_value((name, content, "application/octet-stream")).run(timeout=PATIENCE_SECONDS)
    assert not app.exception, [error.message for error in app.exception]
    return app


def npz(**arrays: Any) -> bytes:
    """The bytes of a .npz file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def said(app: AppTest) -> str:
    """All sentences and captions of the page, without the signs that keep Markdown quiet."""
    groups = (app.markdown, app.caption, app.info, app.success, app.warning, app.error)
    return "\n".join(str(element.value) for group in groups for element in group).replace("\\", "")


def refusal(app: AppTest) -> str:
    """The one error of the page."""
    assert len(app.error) == 1, [element.value for element in app.error]
    return str(app.error[0].value).replace("\\", "")


def field(app: AppTest, kind: str, label: str) -> Any:
    """The one widget of a kind with this label."""
    found = [widget for widget in getattr(app, kind) if widget.label == label]
    assert len(found) == 1, [widget.label for widget in getattr(app, kind)]
    return found[0]
