"""What Windows and macOS have not, or have otherwise, as far as a Linux machine can show it (docs/systems.md has the rest)."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lsr_app import cli
from lsr_core.storage import atomic
from tests import bundles

ROOT = Path(__file__).parents[2]

# For this process and every worker that it starts: what Windows lacks is gone before anything is imported.
WITHOUT = """
import os
for name in ("fork", "forkpty", "killpg", "getpgid", "setsid", "O_NOFOLLOW", "O_DIRECTORY"):
    delattr(os, name)
os.supports_dir_fd = set()
"""
A_LIFE = """
import os, sys, time, warnings
warnings.filterwarnings("error", category=EncodingWarning, module="lsr_")
from pathlib import Path
from lsr_core.jobs import queue
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage import inside
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_core.storage.checking import damage
from lsr_core.storage.runs import RunStore

assert not hasattr(os, "fork") and not inside._HERE
bundle, store = Path("tiny"), RunStore(Path("runs"))
problem = load_problem(bundle)
save_problem(Path("again"), problem)
done = queue.submit(store, Path("again"), RefineConfig(max_rank=8), owner="me")
until = time.monotonic() + 120
while done.status().status in ("queued", "running") and time.monotonic() < until:
    time.sleep(0.1)
assert done.status().status == "complete", done.status()
assert damage(done.path) == []
assert done.summary.refined.test_mse < done.summary.base.test_mse
waiting = queue.create(store, Path("again"), RefineConfig(max_rank=8), owner="me")
queue.cancel(waiting)
assert waiting.status().status == "cancelled"
store.delete(waiting)
assert [run.id for run in store.list()] == [done.id]
"""


@pytest.mark.slow
def test_a_job_lives_from_queue_to_deletion_without_fork_groups_of_processes_and_open_folders(tmp_path: Path) -> None:
    bundles.write(tmp_path / "tiny")
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "sitecustomize.py").write_text(WITHOUT, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path / "before"), *sys.path])
    command = [sys.executable, "-X", "warn_default_encoding", "-c", A_LIFE]
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_file_that_is_being_read_is_replaced_a_moment_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    replace = os.replace

    def held(*arguments: object, **more: object) -> None:
        tried.append("")
        if len(tried) < 3:
            raise PermissionError("used by another process")
        replace(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(atomic, "_READERS_BLOCK", True)
    monkeypatch.setattr(os, "replace", held)
    atomic.write_text(tmp_path / "status.json", "new")
    assert (tmp_path / "status.json").read_text(encoding="utf-8") == "new"
    monkeypatch.setattr(atomic, "_READERS_BLOCK", False)
    tried.clear()
    with pytest.raises(PermissionError):
        atomic.write_text(tmp_path / "status.json", "newer")
    assert len(tried) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_what_commands_print_can_be_shown_in_a_windows_console(tmp_path: Path) -> None:
    shipped = str(ROOT / "sample_models" / "runs")
    ran = [[name, "--help"] for name in cli._COMMANDS]
    ran += [["samples"], ["runs", "--runs", shipped], ["path", f"{shipped}/5f0c1a7e9b3d4c268a1be0d7f4930007"]]
    for arguments in ran:
        out = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", errors="strict")
        with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as left:
            cli.main(arguments)
        out.flush()
        assert left.value.code == 0, arguments
        assert out.buffer.getvalue(), arguments  # type: ignore[attr-defined]


def test_names_of_files_are_names_on_every_system() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    names = [name for name in listed.split("\0") if name]
    if not names:
        pytest.skip("not a checkout of git")
    assert len({name.lower() for name in names}) == len(names)
    reserved = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
    for name in names:
        assert not re.search(r'[<>:"\\|?*\x00-\x1f]', name), name
        assert len(name) <= 150, name
        for part in name.split("/"):
            assert not reserved.fullmatch(part), name
            assert part == part.rstrip(". "), name
