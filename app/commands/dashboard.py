"""`lsr dashboard`: starts the server (`lsr_app.serve`), says where it is once it answers, and ends with it."""

from __future__ import annotations

import html
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from lsr_app.commands.common import RunsOption, TrustOption, find_run, problem_folder, runs_root
from lsr_app.places import RUNS_VARIABLE, STANDBY_VARIABLE
from lsr_app.serve import links, order
from lsr_core.errors import InputError
from lsr_core.refinement import serverlimits
from lsr_core.storage.code import VARIABLE as CODE_VARIABLE

DEFAULT_PORT = 8501


def dashboard(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROBLEM|RUN]",
            help="A sample, a bundle's path, my_problem.py, a typed equation as .json, a .pt2 program, or a run's id or path.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; one that others can reach asks them for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = DEFAULT_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="On such an address: let everybody in.")] = False,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Another address under which browsers come, as https://lab.example.org for a proxy; repeat."),
    ] = None,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="For strangers: small jobs, small files, and nothing that a visitor makes is kept or listed."
        ),
    ] = False,
    trust: TrustOption = False,
    runs: RunsOption = None,
) -> int:
    """Open the dashboard in the browser; stop it with Ctrl-C."""
    missing = [name for name in ("streamlit", "plotly", "pandas") if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0]} is not installed; run: pip install 'lsr-explorer[dashboard]'", key="dashboard")
    given = [_checked_origin(text) for text in origin or ()]
    _check_address(host, port)
    wanted = order.Order(host, port, None, given)
    if wanted.shared and not no_auth:
        wanted = order.Order(host, port, links.new_token(), given)
    if demo:
        os.environ[serverlimits.VARIABLE] = "1"
    environment = {**os.environ, STANDBY_VARIABLE: "1"}
    with ExitStack() as stack:
        query = _query(what, runs, trust, environment, stack)
        environment.update({key: os.environ[key] for key in (CODE_VARIABLE,) if key in os.environ})
        if wanted.token is not None:
            query[links.PARAMETER] = wanted.token
        reached = _reached_at(host)
        shown = f"[{reached}]" if ":" in reached else reached
        url = f"http://{shown}:{port}/" + (f"?{urlencode(query)}" if query else "")
        if wanted.shared:
            print(exposure(host, port, wanted.token is not None), file=sys.stderr, flush=True)
        opened = url if wanted.token is None or no_browser else _private_file(url, stack)

        def answers() -> None:
            print(f"LSR Explorer: {url}  (Ctrl-C stops it)", file=sys.stderr, flush=True)
            if not no_browser:  # some browsers keep whoever opens them until they are closed
                threading.Thread(target=webbrowser.open, args=(opened,), daemon=True).start()

        return _wait(order.start(wanted, environment), _near(host), port, answers)


def _query(
    what: str | None, runs: Path | None, trust: bool, environment: dict[str, str], stack: ExitStack
) -> dict[str, str]:
    """What the first page opens with. Paths go to the server through its environment, never through the URL."""
    from lsr_core.storage.bundles import load_problem, sample_names
    from lsr_core.storage.runs import ID_PATTERN

    environment[RUNS_VARIABLE] = str(runs_root(runs))
    if what is None:
        return {}
    if what in sample_names():
        return {"problem": what}
    if ID_PATTERN.fullmatch(what) or (Path(what) / "run.json").is_file():
        run = find_run(what, runs, trust)
        if not ID_PATTERN.fullmatch(run.path.resolve().name):
            raise InputError(
                "the folder of a run must keep its name, the 32 characters of its id", file=what, key="RUN"
            )
        if not ID_PATTERN.fullmatch(what):
            environment[RUNS_VARIABLE] = str(run.path.resolve().parent)
        return {"run": run.path.resolve().name}
    import lsr_samples

    folder = stack.enter_context(problem_folder(what, trust))
    load_problem(folder)
    environment[lsr_samples.PROBLEM_VARIABLE] = str(folder.resolve())
    return {"problem": lsr_samples.GIVEN}


def exposure(host: str, port: int, token: bool) -> str:
    """What listening on an address that others can reach means, in words."""
    who = "who has the link below" if token else "without a password, because of --no-auth"
    return (
        f"{host}:{port} can be reached from other machines. Everybody {who} can look at listed runs, upload up to "
        f"{serverlimits.current().upload_megabytes} MB at a time, and start jobs with this machine's processor and memory; they run as you. "
        "The connection is not encrypted: use a network you trust, an ssh tunnel, or a proxy with TLS. See SECURITY.md."
        + (" The link is shown once; addresses copied from the browser do not hold the token." if token else "")
    )


def _checked_origin(text: str) -> str:
    if not links.is_origin(text):
        raise InputError(
            f"is {text[:100]!r}; give what stands in the browser before the first single slash, as https://lab.example.org",
            key="origin",
        )
    return text


def _private_file(url: str, stack: ExitStack) -> str:
    """Address of a page that leads on to `url`: what a browser is started with can be read by everybody on this machine."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lsr-open-")))  # mode 0700
    page = folder / "open.html"
    page.touch(mode=0o600)
    page.write_text(f'<!doctype html><meta http-equiv=refresh content="0;url={html.escape(url)}">', encoding="utf-8")
    return page.as_uri()


def _reached_at(host: str) -> str:
    """An address for a link; of all addresses, the one this machine uses towards others."""
    if host not in ("0.0.0.0", "::"):
        return host
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("2001:db8::1" if ":" in host else "192.0.2.1", 9))  # sends nothing
            return str(probe.getsockname()[0])
    except OSError:
        return "::1" if ":" in host else "127.0.0.1"


def _check_address(host: str, port: int) -> None:
    if not re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", host):
        raise InputError(f"is {host[:80]!r}; give a name or an IP address of this machine", key="host")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                # On Windows the option would let the probe take a port that is in use.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InputError(
            f"port {port} on {host} cannot be used ({error.strerror}); choose another with --port", key="port"
        ) from error


def _near(host: str) -> str:
    """An address at which this machine reaches its own server."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _is_ready(server: subprocess.Popen[bytes], host: str, port: int) -> bool:
    """Wait until the port answers; false where the server ended before it did."""
    while server.poll() is None:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False


def _wait(server: subprocess.Popen[bytes], host: str, port: int, answers: Callable[[], None]) -> int:
    """Wait for the server, which ends with this process whatever ends that; Ctrl-C is the normal way to stop both.

    Args:
        answers: called once its port does.
    """

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    ends = [signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # which nohup asks for
        ends.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in ends}
    try:
        if _is_ready(server, host, port):
            answers()
        return 1 if server.wait() else 0
    except KeyboardInterrupt:
        return 0
    finally:
        _end(server)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(server: subprocess.Popen[bytes]) -> None:
    """A Ctrl-C in the terminal has reached the server as well; other signals have not."""
    try:
        if server.poll() is None:
            server.terminate()
            server.wait(timeout=5)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.kill()
    finally:
        if server.stdin is not None:
            server.stdin.close()
