"""Runs on disk: a directory each, self-contained, readable on any machine, and untrusted when it comes from another."""

from __future__ import annotations

import dataclasses
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, JsonValue, ValidationError

from lsr_core.errors import InputError
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.results import Directions, Fields, LossPaths, Spectrum, Sweep
from lsr_core.storage import atomic
from lsr_core.storage.arrays import read_arrays
from lsr_core.storage.records import RUN_FORMAT_VERSION, JobKind, Manifest, Status, Summary
from lsr_core.storage.workers import observed
from lsr_core.validation import describe

ID_PATTERN = re.compile(r"[0-9a-f]{32}")
MAX_JSON_BYTES = 4 * 2**20
MAX_LOG_BYTES = 256 * 2**10
LOG = "log.txt"
_Record = TypeVar("_Record", bound=BaseModel)
_Result = TypeVar("_Result")


class Run:
    """One run directory. Nothing is read before it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def problem_path(self) -> Path:
        return self.path / "problem"

    @property
    def refined_path(self) -> Path:
        """The bundle whose network Δθ belongs to: of iterative LSR the network at the best solve, else the problem itself."""
        best = self.path / "best"
        return best if best.is_dir() else self.problem_path

    @property
    def delta_path(self) -> Path:
        return self.path / "delta.safetensors"

    @cached_property
    def manifest(self) -> Manifest:
        manifest = self._read("run.json", Manifest)
        if manifest.format_version != RUN_FORMAT_VERSION:
            raise InputError(
                f"run format {manifest.format_version} is not known; this version reads {RUN_FORMAT_VERSION}",
                file="run.json",
                key="format_version",
            )
        return manifest

    def status(self) -> Status:
        """How the run stands, read afresh at each call; one whose worker is gone has failed."""
        return observed(self.recorded_status())

    def recorded_status(self) -> Status:
        """The status as last written."""
        return self._read("status.json", Status)

    @cached_property
    def summary(self) -> Summary:
        return self._read("summary.json", Summary)

    @cached_property
    def sweep(self) -> Sweep:
        return self._load("sweep.npz", Sweep)

    @cached_property
    def spectrum(self) -> Spectrum:
        return self._load("spectrum.npz", Spectrum)

    @cached_property
    def fields(self) -> Fields:
        return self._load("fields.npz", Fields)

    @cached_property
    def paths(self) -> LossPaths:
        return self._load("paths.npz", LossPaths)

    @cached_property
    def directions(self) -> Directions | None:
        """None for runs that were made before directions were kept."""
        return self._load("directions.npz", Directions) if (self.path / "directions.npz").is_file() else None

    def log(self) -> str:
        """The last part of the log."""
        path = self.path / LOG
        if not path.is_file():
            return ""
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - MAX_LOG_BYTES))
            return stream.read().decode("utf-8", "replace")

    def size(self) -> int:
        """Bytes on disk."""
        return sum(entry.stat().st_size for entry in self.path.rglob("*") if entry.is_file() and not entry.is_symlink())

    def write_status(self, status: Status) -> None:
        atomic.write_text(self.path / "status.json", status.model_dump_json(indent=1))

    def write_manifest(self, manifest: Manifest) -> None:
        atomic.write_text(self.path / "run.json", manifest.model_dump_json(indent=1))
        self.__dict__.pop("manifest", None)

    def write_summary(self, summary: Summary) -> None:
        atomic.write_text(self.path / "summary.json", summary.model_dump_json(indent=1))

    def write_result(self, result: Sweep | Spectrum | Fields | LossPaths | Directions) -> None:
        names = {
            Sweep: "sweep.npz",
            Spectrum: "spectrum.npz",
            Fields: "fields.npz",
            LossPaths: "paths.npz",
            Directions: "directions.npz",
        }
        arrays = {field.name: np.asarray(getattr(result, field.name)) for field in dataclasses.fields(result)}
        atomic.write_arrays(self.path / names[type(result)], arrays)

    def append_log(self, line: str) -> None:
        with (self.path / LOG).open("a", encoding="utf-8") as stream:
            stream.write(f"{time.strftime('%H:%M:%S')} {line}\n")

    def _read(self, name: str, record: type[_Record]) -> _Record:
        path = self.path / name
        try:
            if path.stat().st_size > MAX_JSON_BYTES:
                raise InputError(f"larger than {MAX_JSON_BYTES} bytes; not a file this program wrote", file=name)
            return record.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror}); the run is incomplete", file=name) from error
        except ValidationError as error:
            raise describe(error, name) from error

    def _load(self, name: str, result: Callable[..., _Result]) -> _Result:
        expected = {field.name: field for field in dataclasses.fields(result)}  # type: ignore[arg-type]
        arrays = read_arrays(self.path / name, required=expected)
        values = {key: array.item() if array.ndim == 0 else array for key, array in arrays.items() if key in expected}
        return result(**values)


class RunStore:
    """A folder of runs."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(
        self,
        *,
        problem: str,
        config: RefineConfig,
        owner: str,
        title: str,
        kind: JobKind = "refine",
        settings: Mapping[str, JsonValue] | None = None,
    ) -> Run:
        """Make the directory of a new, queued run; the caller then fills `problem_path`."""
        self.root.mkdir(parents=True, exist_ok=True)
        run = Run(self.root / secrets.token_hex(16))
        run.path.mkdir()
        manifest = Manifest(
            id=run.id,
            kind=kind,
            title=title[:200],
            created=time.time(),
            owner=owner,
            problem=problem,
            config=config,
            settings=dict(settings or {}),
        )
        run.write_manifest(manifest)
        run.write_status(Status(heartbeat=time.time()))
        return run

    def open(self, run_id: str) -> Run:
        """The run with this id.

        Raises:
            InputError: the id is not 32 hexadecimal digits, or there is no such run.
        """
        if not ID_PATTERN.fullmatch(run_id):
            raise InputError("a run id has 32 characters 0-9 a-f", key="run")
        path = self.root / run_id
        if path.is_symlink() or not (path / "run.json").is_file():
            raise InputError("no run with this id in this folder of runs", key="run")
        return Run(path)

    def list(self) -> list[Run]:
        """All readable runs, newest first; folders that are not runs are passed over."""
        if not self.root.is_dir():
            return []
        runs = []
        for path in self.root.iterdir():
            if not ID_PATTERN.fullmatch(path.name):
                continue
            try:
                run = self.open(path.name)
                runs.append((run.manifest.created, run))
            except InputError:
                continue
        return [run for _, run in sorted(runs, key=lambda pair: pair[0], reverse=True)]

    def delete(self, run: Run) -> None:
        """Remove a run and all its files; the directory leaves the list at once."""
        doomed = run.path.with_name(f".deleted-{run.id}")
        run.path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
