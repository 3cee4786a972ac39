"""The `lsr` command: commands by name, and what becomes of errors.

Exit codes: 0 success, 1 failure, 2 bad input (one line on stderr says what to do), 130 cancelled. With `--json` stdout
holds one JSON object, also on failure. `--debug`, anywhere, shows the traceback of what went wrong.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import typer

from lsr_app.commands import (
    bring,
    conditioning,
    dashboard,
    fractions,
    isolate,
    iterate,
    plane,
    publish,
    push,
    refine,
    results,
    runs,
    samples,
    scales,
    solve,
    suite,
    train,
    training,
)
from lsr_app.commands.common import BAD_INPUT, CANCELLED, FAILED, Cancellation, fail
from lsr_core.errors import Cancelled, InputError, LSRError

TRACEBACK_VARIABLE = "LSR_TRACEBACK"
app = typer.Typer(
    name="lsr",
    help="Refine trained networks by linearized subspace refinement, on the command line or in the browser.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_COMMANDS: dict[str, Callable[..., object]] = {
    "dashboard": dashboard.dashboard,
    "samples": samples.samples,
    "bring": bring.bring,
    "refine": refine.refine,
    "fractions": fractions.fractions,
    "scales": scales.scales,
    "train": train.train,
    "solve": solve.solve,
    "suite": suite.suite,
    "iterate": iterate.iterate,
    "conditioning": conditioning.conditioning,
    "isolate": isolate.isolate,
    "training": training.training,
    "runs": runs.runs,
    "plane": plane.plane,
    "path": results.path,
    "export": results.export,
    "publish": publish.publish,
    "push": push.push,
    "pull": push.pull,
}
_WITHOUT_LIBRARIES = {"runs"}


def _with_room(command: Callable[..., object]) -> Callable[..., object]:
    """The command, refused where not even PyTorch fits: the kernel would end it while that is loaded."""

    @wraps(command)
    def checked(*given: Any, **named: Any) -> object:
        from lsr_core.refinement.resources import require_libraries

        require_libraries()
        return command(*given, **named)

    return checked


for name, command in _COMMANDS.items():
    app.command(name)(command if name in _WITHOUT_LIBRARIES else _with_room(command))

# Newer versions of typer carry a copy of click of their own, so the class is taken from what typer exports.
_ClickError: Any = next(ancestor for ancestor in typer.BadParameter.__mro__ if ancestor.__name__ == "ClickException")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):  # a pipe on Windows has few letters, and θ is none of them
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(given))


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    as_json, debug = "--json" in arguments, "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        result = app(arguments, standalone_mode=False, prog_name="lsr")
        return result if isinstance(result, int) else 0
    except InputError as raised:
        from lsr_core.storage.code import located

        error = located(raised) or raised  # raised by this package, perhaps in a line of the user's own file
        if debug:
            print(getattr(error, "trace", "") or traceback.format_exc(), file=sys.stderr)
        return fail(BAD_INPUT, error.message, file=error.file, key=error.key, as_json=as_json)
    except Cancellation as error:
        return fail(CANCELLED, str(error), as_json=as_json, status="cancelled", run=error.run)
    except (KeyboardInterrupt, Cancelled, typer.Abort):
        return fail(CANCELLED, "cancelled", as_json=as_json, status="cancelled")
    except LSRError as error:
        return fail(FAILED, str(error), as_json=as_json)
    except MemoryError:
        return fail(FAILED, "not enough memory; ask for a smaller maximum rank or float32", as_json=as_json)
    except OSError as error:
        return fail(FAILED, _about(error), as_json=as_json)
    except typer.Exit as error:
        return error.exit_code
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _usage(error, as_json) if isinstance(error, _ClickError) else _bug(error, as_json)


def _usage(error: Any, as_json: bool) -> int:
    """A command line that typer does not understand."""
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message(), file=sys.stderr)
        return BAD_INPUT
    option = getattr(getattr(error, "param", None), "name", None)
    return fail(BAD_INPUT, error.format_message(), key=option, as_json=as_json, prefix=False)


def _bug(error: Exception, as_json: bool) -> int:
    """What nobody foresaw: still one line, with a way to see where it happened."""
    if os.environ.get(TRACEBACK_VARIABLE):
        raise error
    from lsr_core.storage.code import located

    if own := located(error):  # in a function that the user wrote, not in this package
        return fail(BAD_INPUT, own.message, file=own.file, key=own.key, as_json=as_json)
    what = f"{type(error).__name__}: {error}; this is a bug, --debug shows where it is"
    return fail(FAILED, what, as_json=as_json)


def _about(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}the disk is full; free some space or name another folder with --runs"
    return f"{where}{error.strerror or error}"
