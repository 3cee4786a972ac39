"""The dashboard on this machine only: the script, without the gate of `served.py`. `lsr dashboard` starts it."""

from __future__ import annotations

from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from lsr_app import ahead

ahead.start_imports()
app = App(Path(__file__).with_name("main.py"), middleware=[Middleware(ahead.PreloadPlotly)])
