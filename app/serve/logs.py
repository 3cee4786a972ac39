"""What the server writes down: a line for what went wrong, a count for what goes wrong again and again."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from typing import Any

from lsr_app.serve.limits import Bucket, Buckets, Ticks

LONGEST = 2_000
OF_A_KIND, OF_A_KIND_PER_SECOND = 5, 1 / 60
IN_ALL, IN_ALL_PER_SECOND = 200, 0.2  # with LONGEST: 0.4 MB at once, and then 24 kB a minute
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class Sparing(logging.Handler):
    """Writes to a stream, each kind of line a few times and all of them so many a minute; says how many it left out."""

    def __init__(self, stream: Any, clock: Ticks = time.monotonic) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._stream = stream
        self._kinds = Buckets(OF_A_KIND, OF_A_KIND_PER_SECOND, clock, most=256)
        self._all = Bucket(IN_ALL, IN_ALL_PER_SECOND, clock)
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record or count it. What it says may come from outside, so it cannot draw lines of its own on a terminal."""
        kind = self._kinds.of(f"{record.name} {record.levelno} {record.pathname}:{record.lineno}")
        if kind.wait() > 0 or self._all.wait() > 0:
            self._left_out += 1
            return
        kind.take()
        self._all.take()
        try:
            text = _CONTROLS.sub("?", self.format(record))
            if len(text) > LONGEST:
                text = f"{text[: LONGEST // 4]}\n[…]\n{text[-LONGEST * 3 // 4 :]}"
            if self._left_out:
                text = f"[{self._left_out} more were not written]\n{text}"
                self._left_out = 0
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return  # a disk that is full, or a terminal that is gone, is no reason to stop


def install() -> None:
    """Send all that this process has to say through one such handler: Streamlit, uvicorn, asyncio, warnings and threads."""
    from streamlit import logger as streamlit_logger

    logging.basicConfig(level=logging.WARNING, handlers=[Sparing(sys.stderr)], force=True)
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    # Streamlit gives every logger a handler of its own, when it is made and when the settings are read.
    streamlit_logger.setup_formatter = _join
    streamlit_logger.set_log_level(logging.WARNING)
    streamlit_logger.update_formatter()
    threading.excepthook = _of_thread
    sys.excepthook = lambda kind, error, trace: logging.getLogger("lsr").error("stopped", exc_info=(kind, error, trace))
    sys.unraisablehook = lambda found: logging.getLogger("lsr").error("ignored: %s", found.exc_value)


def _join(logger: logging.Logger) -> None:
    own = getattr(logger, "streamlit_console_handler", None)
    if own is not None:
        logger.removeHandler(own)
    logger.propagate = True


def _of_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None and not isinstance(found.exc_value, SystemExit):
        trace = (found.exc_type, found.exc_value, found.exc_traceback)
        logging.getLogger("lsr").error("a thread stopped", exc_info=trace)
