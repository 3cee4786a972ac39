"""What nobody foresaw, on a page: a sentence and an id there, the traceback under this id in the log of the server."""

from __future__ import annotations

import errno
import hashlib
import logging
import traceback

from lsr_core.errors import LSRError

LOG = logging.getLogger("lsr.pages")


def watch() -> None:
    """Have this script run, its fragments and its buttons report here, whoever runs the script."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    if (context := get_script_run_ctx()) is not None:
        context.on_script_error = show


def show(error: Exception) -> bool:
    """Say it on the page; the handler that Streamlit is given, which then shows nothing of its own."""
    import streamlit as st

    from lsr_app.words import formats

    st.error(formats.markdown(sentence(error)), icon=":material/error:")
    return True


def sentence(error: Exception) -> str:
    """What went wrong, in words a person can act on."""
    if isinstance(error, LSRError):
        return str(error)
    number = note(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = "The disk of the server is full, so this was not done; make room and try again"
    elif isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        what = "The folder of runs cannot be written, so this was not done; see to its permissions and try again"
    elif isinstance(error, OSError):
        what = f"A file could not be read or written ({error.strerror or type(error).__name__})"
    elif isinstance(error, MemoryError):
        what = "There is not enough memory for this"
    else:
        what = (
            "Something that was not foreseen stopped this part of the page; the other pages and runs are not concerned"
        )
    return f"{what}. The log of the server has the details under {number}."


def note(error: Exception) -> str:
    """Put the traceback into the log; returns the id it has there, which is the same for the same place and kind of error."""
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    number = hashlib.sha256("|".join([type(error).__name__, *places]).encode()).hexdigest()[:8]
    LOG.getChild(number).error(
        "".join(traceback.format_exception(error))
    )  # the server's log is sparing with each of a name
    return number


class Quiet(logging.Filter):
    """Takes out of Streamlit's log what stands in this one."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.getMessage() != "Uncaught app execution"


logging.getLogger("streamlit.error_util").addFilter(Quiet())
