"""A copied run, bundle or export with something else in the place of each of its files: refused by all that reads or writes it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, SimpleNamespace

import pytest

from benchmarks._intruders import INTRUDERS, SECRET, Canary, put, take_away
from benchmarks.damage import files_of, refusals
from lsr_app import cli
from lsr_app.making import made
from lsr_app.places import RUNS_VARIABLE
from lsr_app.screens.export import exports
from lsr_core.diagnosis.training_records import TrainingRecord
from lsr_core.errors import InputError
from lsr_core.jobs.queue import create
from lsr_core.jobs.worker import execute
from lsr_core.lab.records import IsolationRecord, RaceRecord
from lsr_core.refinement.case_records import CasesRecord
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage import atomic, digests, inside
from lsr_core.storage.bundles import copy_bundle, load_problem, save_problem
from lsr_core.storage.checking import damage
from lsr_core.storage.export import load_predictor
from lsr_core.storage.functions import read_fields
from lsr_core.storage.lab import read_experiment
from lsr_core.storage.planes import read_plane
from lsr_core.storage.records import Status
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.states import read_state
from lsr_core.storage.steps import StepStore
from tests import bundles
from tests.app import iterations, synthetic
from tests.app.conftest import Opener, open_page, store  # noqa: F401

WATCHDOG = 60  # seconds; what hangs on a pipe or reads a device without end is ended, on the slowest machine
RUN_FILES = (
    *("delta.safetensors", "directions.npz", "fields.npz", "log.txt", "paths.npz", "run.json", "spectrum.npz", "status.json"),
    *("summary.json", "sweep.npz", "digests.json", "problem/problem.json", "problem/model.safetensors", "problem/data.npz"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _watchdog() -> Iterator[None]:
    def bark(number: int, frame: FrameType | None) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, bark)
    signal.alarm(WATCHDOG)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A complete run; every test puts back what it takes."""
    place = tmp_path_factory.mktemp("shared")
    run = create(RunStore(place / "runs"), bundles.write(place / "tiny"), RefineConfig(max_rank=6), owner="test")
    execute(run)
    return Run(run.path)


@contextmanager
def replaced(kind: str, path: Path, outside: Path) -> Iterator[Canary]:
    content = path.read_bytes()
    canary = put(kind, path, outside)
    try:
        yield canary
        assert canary.is_well
    finally:
        take_away(path, content)


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and all that a command prints."""
    code = cli.run(arguments)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_these_are_all_files_of_a_run(shared: Run) -> None:
    assert {path.relative_to(shared.path).as_posix() for path in files_of(shared)} == set(RUN_FILES)


@pytest.mark.parametrize("kind", INTRUDERS)
@pytest.mark.parametrize("name", RUN_FILES)
def test_readers(kind: str, name: str, shared: Run, tmp_path: Path) -> None:
    """Whatever pages and commands read is refused by a sentence that names the file; the rest is readable."""
    with replaced(kind, shared.path / name, tmp_path / "outside"):
        sentences, opens, others = refusals(shared.path)
        assert not others
        assert opens or name in ("digests.json", "run.json")
        found = [*sentences, *map(str, damage(shared.path))]
        assert any(Path(name).name in sentence for sentence in found)
        assert RunStore(shared.path.parent).survey()[0] or name == "run.json"
    assert not damage(shared.path)


@pytest.mark.parametrize("name", RUN_FILES)
def test_commands(name: str, shared: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link is neither followed nor shown by any command that takes a run."""
    given = ["--runs", str(shared.path.parent)]
    out = tmp_path / "out"
    with replaced("a symbolic link", shared.path / name, tmp_path / "outside"):
        assert said(["runs", *given, "--json"], capsys)[0] == 0
        for command in (
            ["export", shared.id, "--format", "json", "--out", str(out)],
            ["export", shared.id, "--format", "predictor", "--out", str(out)],
            ["path", shared.id],
            ["iterate", "--resume", shared.id],
            ["plane", shared.id, "--direction", "unknown"],
        ):
            code, text = said([*command, *given], capsys)
            assert code in (0, 2), text
            assert "Traceback" not in text
            assert code == 2 or not _reads(command, name)


def _reads(command: list[str], name: str) -> bool:
    """Files without which a command has nothing to say."""
    needed = {"run.json", "status.json", "digests.json", "summary.json"}
    if command[0] == "export" and "json" in command:
        needed |= {"sweep.npz", "spectrum.npz"}
    elif command[0] in ("export", "path"):
        needed |= {"delta.safetensors", "problem/problem.json", "problem/model.safetensors", "problem/data.npz"}
    return name in needed


@pytest.mark.parametrize("kind", INTRUDERS)
def test_a_log_is_not_written_into_something_else(kind: str, tmp_path: Path) -> None:
    """The worker stops with a sentence, and the status says which file it was."""
    run = create(RunStore(tmp_path / "runs"), bundles.write(tmp_path / "tiny"), RefineConfig(max_rank=3), owner="test")
    run.append_log("queued")
    canary = put(kind, run.path / "log.txt", tmp_path / "outside")
    with pytest.raises(InputError, match=r"log\.txt"):
        execute(run)
    assert canary.is_well
    status = Run(run.path).status()
    assert status.status == "failed"
    assert status.error is not None
    assert status.error.file == "log.txt"


@pytest.mark.parametrize("kind", INTRUDERS)
@pytest.mark.parametrize(
    "name", ["steps.jsonl", "baselines.jsonl", "iteration.json", "fields/grid.npz", "fields/0001.npz"]
)
def test_an_iteration(kind: str, name: str, tmp_path: Path) -> None:
    kept_runs = RunStore(tmp_path / "runs")
    run = iterations.create(kept_runs)
    iterations.add_steps(run, 0, 2)
    path = run.path / name
    if not path.exists():
        path.write_bytes(b"{}\n")
    canary = put(kind, path, tmp_path / "outside")
    kept = StepStore(run.path)
    reads: list[Callable[[], object]] = [kept.steps, kept.baselines, kept.summary, kept.grid, lambda: kept.fields(1)]
    refused = 0
    for read in reads:
        try:
            read()
        except InputError as error:
            refused += error.file == path.name
    assert refused
    if name == "steps.jsonl":
        with pytest.raises(InputError, match="steps"):
            kept.add(iterations.step_of(run, 3)[0])
    assert canary.is_well


@pytest.mark.parametrize("kind", INTRUDERS)
@pytest.mark.parametrize("name", ["problem.json", "model.safetensors", "data.npz"])
def test_a_bundle(kind: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bundles.write(tmp_path / "tiny")
    canary = put(kind, folder / name, tmp_path / "outside")
    runs = tmp_path / "runs"
    for attempt in (
        lambda: load_problem(folder),
        lambda: copy_bundle(folder, tmp_path / "copy"),
        lambda: create(RunStore(runs), folder, RefineConfig(), owner="test"),
    ):
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            attempt()
    code, text = said(["refine", str(folder), "--runs", str(runs)], capsys)
    assert code == 2
    assert name in text
    assert not (tmp_path / "copy").exists()
    assert not RunStore(runs).list()
    assert canary.is_well


@pytest.mark.parametrize("kind", ["a symbolic link", "a hard link", "a pipe"])
@pytest.mark.parametrize(
    "command", ["refine", "fractions", "scales", "iterate", "conditioning", "isolate", "training", "dashboard"]
)
def test_commands_that_take_a_bundle(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bundles.write(tmp_path / "tiny")
    canary = put(kind, folder / "data.npz", tmp_path / "outside")
    code, text = said([command, str(folder), "--runs", str(tmp_path / "runs")], capsys)
    if code == 2 and "No such option" in text:
        code, text = said([command, str(folder)], capsys)
    assert code == 2, text
    assert "data.npz" in text or "checkpoint" in text, text
    assert canary.is_well


READERS: dict[str, Callable[[Path], object]] = {
    "race.json": lambda run: read_experiment(run, RaceRecord),
    "isolation.json": lambda run: read_experiment(run, IsolationRecord),
    "training.json": lambda run: read_experiment(run, TrainingRecord),
    "cases.json": lambda run: read_experiment(run, CasesRecord),
    "plane.npz": read_plane,
    "state.safetensors": lambda run: read_state(run, 21),
    "functions/000003.npz": lambda run: read_fields(run, 3),
    "best/problem.json": lambda run: load_problem(Run(run).refined_path),
    "best/model.safetensors": lambda run: load_problem(Run(run).refined_path),
}


@pytest.mark.parametrize("kind", INTRUDERS)
@pytest.mark.parametrize("name", READERS)
def test_other_kinds_of_runs(name: str, kind: str, tmp_path: Path) -> None:
    run = RunStore(tmp_path / "runs").create(problem="t", config=RefineConfig(), owner="t", title="t")
    if name.startswith("best"):
        bundles.write(run.path / "best")
    path = run.path / name
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_text("{}")
    canary = put(kind, path, tmp_path / "outside")
    with pytest.raises(InputError, match=path.name.replace(".", r"\.")):
        READERS[name](run.path)
    assert canary.is_well


@pytest.mark.parametrize("inner", ["problem", "best", "fields", "functions", "exports"])
def test_a_folder_of_a_run_that_is_a_link(
    inner: str, shared: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read or written through it."""
    outside = tmp_path / "outside"
    bundles.write(outside)
    (outside / "0001.npz").write_bytes(b"x")
    before = {path: path.stat().st_mtime_ns for path in outside.rglob("*")}
    run = RunStore(tmp_path / "runs").create(problem="t", config=RefineConfig(), owner="t", title="t")
    (run.path / inner).symlink_to(outside)
    with pytest.raises(InputError):
        inside.read(run.path / inner / "0001.npz", 10)
    with pytest.raises(InputError):
        atomic.write_text(run.path / inner / "0002.npz", "x")
    with pytest.raises(InputError):
        inside.append(run.path / inner / "steps.jsonl", "x")
    if inner in ("problem", "best"):
        with pytest.raises(InputError):
            load_problem(run.refined_path)
    if inner == "exports":
        monkeypatch.setenv(RUNS_VARIABLE, str(run.path.parent))
        with pytest.raises(InputError):
            exports.start(run, 1)
    assert {path: path.stat().st_mtime_ns for path in outside.rglob("*")} == before


@pytest.mark.parametrize("kind", INTRUDERS)
@pytest.mark.parametrize("part", ["", ".note", ".error"])
def test_an_export(kind: str, part: str, shared: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file made of a run is given out only as it was made, and what stands beside it is not shown either."""
    monkeypatch.setenv(RUNS_VARIABLE, str(shared.path.parent))
    path = exports.target(shared, 2, "python")
    path.parent.mkdir(exist_ok=True)
    if part != ".error":
        hidden = path.with_name("hidden")
        hidden.write_text(SECRET)
        made.finish(hidden, path, "a sentence")
        assert exports.progress(shared, 2, "python") == "ready"
        assert exports.contents(shared, 2, "python") == SECRET.encode()
    else:
        made.fail(path, "a reason")
    try:
        canary = put(kind, Path(f"{path}{part}"), tmp_path / "outside")
        if part == ".error":
            with pytest.raises(InputError, match=r"\.error"):
                made.why(path)
        else:
            assert path.name in exports.progress(shared, 2, "python")
            with pytest.raises(InputError):
                exports.contents(shared, 2, "python")
        assert canary.is_well
    finally:
        for left in path.parent.iterdir():
            left.rmdir() if left.is_dir() and not left.is_symlink() else left.unlink()


@pytest.mark.parametrize("kind", INTRUDERS)
def test_a_predictor(kind: str, shared: Run, tmp_path: Path) -> None:
    path = tmp_path / "predictor.safetensors"
    assert cli.run(["export", str(shared.path), "--format", "predictor", "--out", str(path)]) == 0
    canary = put(kind, path, tmp_path / "outside")
    with pytest.raises(InputError, match=r"predictor\.safetensors"):
        load_predictor(path)
    assert canary.is_well


@pytest.mark.parametrize("kind", INTRUDERS)
@pytest.mark.parametrize(
    "name", ["status.json", "summary.json", "run.json", "fields.npz", "log.txt", "problem/problem.json"]
)
def test_pages(
    kind: str, name: str, shared: Run, store: RunStore, open_page: Opener, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    """A page says what is wrong, or shows what does not need the file; it neither hangs nor follows, and other runs are listed."""
    well = synthetic.complete(store, side=12, max_rank=20)
    run = Run(shutil.copytree(shared.path, store.root / shared.id))
    canary = put(kind, run.path / name, tmp_path / "outside")
    app = open_page(run=run.id)
    assert [entry.value for entry in [*app.error, *app.warning] if Path(name).name in entry.value.replace("\\", "")]
    assert canary.is_well
    assert not open_page(run=well.id).error


def test_the_log_of_a_failed_run_shows_no_other_file(
    store: RunStore, open_page: Opener, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    run = synthetic.unfinished(store, "failed")
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    (run.path / "log.txt").unlink()
    (run.path / "log.txt").symlink_to(secret)
    app = open_page(run=run.id)
    assert SECRET not in str([entry.value for entry in [*app.code, *app.markdown, *app.error, *app.warning]])
    assert any("symbolic link" in warning.value for warning in app.warning)


def test_what_an_installer_put_in_place_may_have_a_second_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installers link files from their store; such a folder is as good as the code beside it."""
    package = tmp_path / "site" / "lsr_samples"
    bundles.write(package / "tiny")
    for path in (package / "tiny").iterdir():
        (tmp_path / path.name).hardlink_to(path)
    with pytest.raises(InputError, match="hard link"):
        load_problem(package / "tiny")
    found = SimpleNamespace(submodule_search_locations=[str(package)])
    monkeypatch.setattr(inside.importlib.util, "find_spec", lambda name: found)
    inside.read(package / "tiny" / "problem.json", 2**20)


def test_what_a_user_types_may_lead_through_links(tmp_path: Path) -> None:
    """The folder of a bundle, named as text, is followed; inside it nothing is."""
    bundles.write(tmp_path / "there" / "tiny")
    (tmp_path / "here").symlink_to(tmp_path / "there")
    (tmp_path / "tiny").symlink_to(tmp_path / "there" / "tiny")
    problem = load_problem(str(tmp_path / "here" / "tiny"))
    assert load_problem(str(tmp_path / "tiny")).name == problem.name
    with pytest.raises(InputError, match="is a link"):
        load_problem(tmp_path / "tiny")
    save_problem(str(tmp_path / "here" / "copy"), problem)
    assert (tmp_path / "there" / "copy" / "problem.json").is_file()


def test_files_have_the_mode_that_the_user_asks_for(tmp_path: Path) -> None:
    """Written whole or line by line, all are what the umask makes of a new file."""
    plain = tmp_path / "plain"
    plain.touch()
    run = RunStore(tmp_path / "runs").create(problem="t", config=RefineConfig(), owner="t", title="t")
    run.append_log("a line")
    assert {(run.path / name).stat().st_mode for name in ("run.json", "status.json", "log.txt")} == {
        plain.stat().st_mode
    }


def test_what_killed_writers_left_goes_with_the_next_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_runs = RunStore(tmp_path / "runs")
    killed = kept_runs.create(problem="t", config=RefineConfig(), owner="t", title="t")
    (killed.path / ".sweep.npz.0a1b2c3d.tmp").write_bytes(b"half")
    (killed.path / ".best.0a1b2c3d.tmp" / "new").mkdir(parents=True)
    (kept_runs.root / "..pace.json.0a1b2c3d.tmp").write_bytes(b"half")
    (kept_runs.root / f".deleted-{'0' * 32}").mkdir()
    monkeypatch.setattr(RunStore.tidy, "__defaults__", (-1.0,))
    run = create(kept_runs, bundles.write(tmp_path / "tiny"), RefineConfig(max_rank=2), owner="test")
    execute(run)
    assert sorted(path.name for path in killed.path.iterdir()) == ["run.json", "status.json"]
    assert not list(kept_runs.root.glob(".deleted*")) + list(kept_runs.root.glob("*.tmp"))


def test_a_run_without_its_digests_is_not_taken_for_an_old_one(shared: Run) -> None:
    path = shared.path / digests.NAME
    content = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(InputError, match=r"digests\.json: this file is missing"):
            _ = Run(shared.path).sweep
        assert [error.file for error in damage(shared.path)] == [digests.NAME]
    finally:
        path.write_bytes(content)


def test_a_run_of_format_1_opens_unchecked(shared: Run, tmp_path: Path) -> None:
    """As earlier versions wrote it."""
    import json

    old = RunStore(tmp_path / "runs").root / shared.id
    shutil.copytree(shared.path, old)
    (old / digests.NAME).unlink()
    for name, drop in (("run.json", {"format_version": 1}), ("status.json", {})):
        given = {**json.loads((old / name).read_text()), **drop}
        given = {key: value for key, value in given.items() if key not in ("sha256", "digests")}
        (old / name).write_text(json.dumps({**given, **({"elapsed": -86394.0} if name == "status.json" else {})}))
    sentences, _, others = refusals(old)
    assert not sentences + others
    assert not damage(old)
    assert Run(old).status() == Status(**{**Run(shared.path).status().model_dump(), "digests": False, "elapsed": 0.0})
