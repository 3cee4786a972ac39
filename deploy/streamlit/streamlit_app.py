"""The demonstration on Streamlit Community Cloud, which starts Streamlit itself: there the file to run is this one.

The server of this package, and its limits on connections and uploads, is not in front of it; the cloud's is. Jobs, the queue and
what is kept have the limits of `lsr dashboard --demo`.
"""

from __future__ import annotations

import os
import runpy
import tempfile
from pathlib import Path

os.environ.setdefault("LSR_DEMO", "1")
os.environ.setdefault("LSR_RUNS", str(Path(tempfile.gettempdir(), "lsr-demonstration")))

import lsr_app

runpy.run_path(str(Path(lsr_app.__file__).with_name("main.py")), run_name="__main__")
