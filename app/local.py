"""The dashboard on this machine only: the script, without the gate of `served.py`. `lsr dashboard` starts it."""

from __future__ import annotations

from pathlib import Path

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from streamlit.starlette import App

from lsr_app import ahead

ahead.start_imports()
# A name that somebody else's DNS points here is no name of this machine, whatever the browser thinks of its origin.
known = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
app = App(Path(__file__).with_name("main.py"), middleware=[known, Middleware(ahead.PreloadPlotly)])
