"""How a server begins and ends: links that work, a token that nobody else on the machine reads, and no server without its command line."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lsr_app.serve.order import Order, is_loopback
from tests.app.serving import Shared, start

posix = pytest.mark.skipif(os.name != "posix", reason="signals and /proc are those of POSIX")


def server_of(opened: Shared) -> psutil.Process:
    (server,) = (one for one in psutil.Process(opened.process.pid).children() if "lsr_app.serve" in one.cmdline())
    return server


def ends(process: psutil.Process) -> bool:
    gone, _ = psutil.wait_procs([process], timeout=15)
    return bool(gone)


@posix
@pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
def test_the_link_of_every_address_of_this_machine_works(tmp_path: Path, address: str) -> None:
    try:
        socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET).close()
    except OSError:
        pytest.skip(f"this machine has no {address}")
    for opened in start(tmp_path, "--host", address, address=address):
        (link,) = re.findall(r"http://(\S+)/ ", opened.said)
        status, _, body = opened.ask("/", Host=link)
        assert status == 200
        assert b"Streamlit" in body
        assert opened.ask("/", Host=link, Origin=f"http://{link}")[0] == 200
        os.kill(opened.process.pid, signal.SIGHUP)
        assert opened.process.wait(timeout=20) == 0


@posix
def test_the_token_is_in_no_arguments_and_no_environment_and_a_killed_command_line_leaves_no_server(
    tmp_path: Path,
) -> None:
    """What starts the browser is a program of this test, which writes down its arguments."""
    program = tmp_path / "browser.py"
    program.write_text(
        f"#!{sys.executable}\nimport json, pathlib, stat, sys, urllib.parse\n"
        "page = pathlib.Path(urllib.parse.urlsplit(sys.argv[1]).path)\n"
        "told = {'arguments': sys.argv, 'text': page.read_text(), 'modes': [page.stat().st_mode, page.parent.stat().st_mode]}\n"
        f"target = pathlib.Path({str(tmp_path / 'told')!r})\n"
        "target.with_suffix('.new').write_text(json.dumps(told))\n"
        "target.with_suffix('.new').rename(target)\n"
    )
    program.chmod(0o700)
    for opened in start(tmp_path, "--browser", environment={"BROWSER": f"{program} %s"}):
        server = server_of(opened)
        for process in (server, *server.children(recursive=True)):
            assert opened.token not in " ".join(process.cmdline())
            assert opened.token not in " ".join(process.environ().values())
            assert process.environ()["PYTHONSAFEPATH"] == "1"  # modules in the working folder are not taken
        end = time.monotonic() + 30
        while not (tmp_path / "told").exists() and time.monotonic() < end:
            time.sleep(0.1)
        told = json.loads((tmp_path / "told").read_text())
        assert opened.token not in " ".join(told["arguments"])
        assert f"token={opened.token}" in told["text"]
        assert [stat.S_IMODE(mode) for mode in told["modes"]] == [0o600, 0o700]
        opened.process.kill()
        assert ends(server)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", opened.port), timeout=2)


@posix
def test_a_server_with_few_files_answers_while_connections_are_held_open(tmp_path: Path) -> None:
    """1,100 half-open connections and 256 files; the answer does not wait for them to go."""
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); sys.argv[0] = 'lsr'; from lsr_app.cli import main; main()"
    for opened in start(tmp_path, "--no-auth", python=["-c", limit]):
        held = []
        for number in range(1100):
            held.append(socket.create_connection(("127.0.0.1", opened.port), timeout=20))
            if number % 2:
                held[-1].sendall(b"GET / HTTP/1.1\r\n")
            if number % 100 == 99:
                assert opened.ask("/")[0] == 200
        assert opened.ask("/_stcore/health")[0] == 200
        for one in held:
            one.close()
        assert opened.log.stat().st_size < 5_000


def test_who_is_meant_to_come() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.0.0.2", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.7", "localhost.evil.example", "")))
    assert not Order("127.0.0.1", 1).shared
    assert Order("0.0.0.0", 1).shared
    assert Order("127.0.0.1", 1, origins=["https://lab.example.org"]).shared


def test_without_an_order_there_is_no_server() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "lsr_app.serve"], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    )
    assert result.returncode != 0
