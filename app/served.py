"""The dashboard for others: the same script behind the gate. `lsr dashboard --host …` starts it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from pathlib import Path

import streamlit
from starlette.middleware import Middleware
from streamlit.starlette import App

from lsr_app import ahead
from lsr_app.gate import TOKEN_VARIABLE, Gate, page_policy


def _script_hashes() -> list[str]:
    """Of the scripts that stand in Streamlit's page itself, so that no other inline script runs."""
    page = Path(streamlit.__file__).with_name("static") / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    return [f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}" for text in scripts]


# Taken out of the environment, which workers inherit.
token = os.environ.pop(TOKEN_VARIABLE, None)
ahead.start_imports()
app = App(
    Path(__file__).with_name("main.py"),
    middleware=[
        Middleware(Gate, token=token or None, policy=page_policy(_script_hashes())),
        Middleware(ahead.PreloadPlotly),
    ],
)
