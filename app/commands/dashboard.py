"""`lsr dashboard`: the server on this machine, with every setting given explicitly so that it works from any folder."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from lsr_app import gate, theme
from lsr_app.commands.common import RunsOption, TrustOption, find_run, problem_folder, runs_root
from lsr_app.places import RUNS_VARIABLE, STANDBY_VARIABLE
from lsr_core.errors import InputError
from lsr_core.storage.code import VARIABLE as CODE_VARIABLE

DEFAULT_PORT = 8501
UPLOAD_MEGABYTES = 50
PATIENCE_SECONDS = 60.0


def dashboard(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROBLEM|RUN]",
            help="A sample, a bundle's path, my_problem.py, a .pt2 program, or a run's id or path.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; one that others can reach asks them for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = DEFAULT_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="On such an address: let everybody in.")] = False,
    trust: TrustOption = False,
    runs: RunsOption = None,
) -> int:
    """Open the dashboard in the browser; stop it with Ctrl-C."""
    missing = [name for name in ("streamlit", "plotly", "pandas") if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0]} is not installed; run: pip install 'lsr-explorer[dashboard]'", key="dashboard")
    shared = not _is_loopback(host)
    _check_address(host, port)
    environment = {**os.environ, STANDBY_VARIABLE: "1"}
    token = gate.new_token() if shared and not no_auth else None
    with ExitStack() as stack:
        query = _query(what, runs, trust, environment, stack)
        environment.update({key: os.environ[key] for key in (CODE_VARIABLE,) if key in os.environ})
        if token is not None:
            environment[gate.TOKEN_VARIABLE] = token
            query[gate.PARAMETER] = token
        reached = _reached_at(host)
        shown = f"[{reached}]" if ":" in reached else reached
        url = f"http://{shown}:{port}/" + (f"?{urlencode(query)}" if query else "")
        if shared:
            print(exposure(host, port, token is not None), file=sys.stderr, flush=True)
        print(f"LSR Explorer: {url}  (Ctrl-C stops it)", file=sys.stderr, flush=True)
        server = subprocess.Popen(command(host, port), env=environment)
        if not no_browser:
            threading.Thread(target=_open_when_ready, args=(server, reached, port, url), daemon=True).start()
        return _wait(server)


def command(host: str, port: int) -> list[str]:
    """The command line of the server."""
    settings = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.runOnSave": "false",
        # a full collection after every script run takes 0.2 s with torch loaded; Python's own still happens
        "runner.postScriptGC": "false",
        "server.enableXsrfProtection": "true",
        "server.enableCORS": "true",
        "server.maxUploadSize": str(UPLOAD_MEGABYTES),
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "viewer",
        "global.developmentMode": "false",
    }
    if not _is_loopback(host):
        settings["browser.serverAddress"] = _reached_at(host)  # otherwise a host on the internet is asked for it
    flags = [f"--{key}={value}" for key, value in settings.items()]
    script = Path(theme.__file__).with_name("local.py" if _is_loopback(host) else "served.py")
    return [sys.executable, "-m", "streamlit", "run", str(script), *flags, *theme.streamlit_flags()]


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
        f"{UPLOAD_MEGABYTES} MB at a time, and start jobs with this machine's processor and memory; they run as you. "
        "The connection is not encrypted: use a network you trust, an ssh tunnel, or a proxy with TLS. See SECURITY.md."
        + (" The link is shown once; addresses copied from the browser do not hold the token." if token else "")
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def _open_when_ready(server: subprocess.Popen[bytes], host: str, port: int, url: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection((host, port), timeout=1):
                webbrowser.open(url)
                return
        except OSError:
            time.sleep(0.2)


def _wait(server: subprocess.Popen[bytes]) -> int:
    """Wait for the server, which ends with this process: Ctrl-C is the normal way to stop both."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        return 1 if server.wait() else 0
    except KeyboardInterrupt:
        return 0
    finally:
        _end(server)
        signal.signal(signal.SIGTERM, before)


def _end(server: subprocess.Popen[bytes]) -> None:
    """A Ctrl-C in the terminal has reached the server as well; other signals have not."""
    try:
        if server.poll() is None:
            server.terminate()
            server.wait(timeout=5)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.kill()
