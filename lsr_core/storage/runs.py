"""Runs on disk: a directory each, self-contained, readable on any machine, and untrusted when it comes from another."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, JsonValue, ValidationError

from lsr_core.errors import InputError
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.results import Directions, Fields, LossPaths, Spectrum, Sweep
from lsr_core.refinement.smoothing_record import SmoothingCurves
from lsr_core.storage import atomic, digests, inside
from lsr_core.storage.records import RUN_FORMAT_VERSION, UNCHECKED_FORMAT, JobKind, Manifest, Status, Summary
from lsr_core.storage.result_arrays import read_result
from lsr_core.storage.workers import observed
from lsr_core.validation import describe

ID_PATTERN = re.compile(r"[0-9a-f]{32}")
MAX_JSON_BYTES = 4 * 2**20
MAX_ARRAY_BYTES = 2 * 2**30
MAX_LOG_BYTES = 256 * 2**10
LOG = "log.txt"
_DELETED = ".deleted-"
_Record = TypeVar("_Record", bound=BaseModel)


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
        return best if inside.there(best) else self.problem_path

    @property
    def delta_path(self) -> Path:
        return self.path / "delta.safetensors"

    @property
    def spread_path(self) -> Path:
        """Standard deviations of a smoothed refinement; no file where there are none."""
        return self.path / "spread.safetensors"

    @cached_property
    def manifest(self) -> Manifest:
        manifest, has_digest = self._read("run.json", Manifest)
        if not 1 <= manifest.format_version <= RUN_FORMAT_VERSION:
            raise InputError(
                f"run format {manifest.format_version} is not known; this version reads 1 to {RUN_FORMAT_VERSION}",
                file="run.json",
                key="format_version",
            )
        if manifest.format_version > UNCHECKED_FORMAT and not has_digest:
            raise InputError("has no digest at its end; the file was damaged or changed", file="run.json")
        return manifest

    def status(self) -> Status:
        """How the run stands, read afresh at each call; one whose worker is gone has failed."""
        return observed(self.recorded_status())

    def recorded_status(self) -> Status:
        """The status as last written."""
        return self._read("status.json", Status)[0]

    @cached_property
    def summary(self) -> Summary:
        return self._read("summary.json", Summary)[0]

    @cached_property
    def sweep(self) -> Sweep:
        return read_result(self.path / "sweep.npz", Sweep, MAX_ARRAY_BYTES)

    @cached_property
    def spectrum(self) -> Spectrum:
        return read_result(self.path / "spectrum.npz", Spectrum, MAX_ARRAY_BYTES)

    @cached_property
    def fields(self) -> Fields:
        return read_result(self.path / "fields.npz", Fields, MAX_ARRAY_BYTES)

    @cached_property
    def paths(self) -> LossPaths:
        return read_result(self.path / "paths.npz", LossPaths, MAX_ARRAY_BYTES)

    @cached_property
    def directions(self) -> Directions | None:
        """None for runs that were made before directions were kept."""
        path = self.path / "directions.npz"
        return read_result(path, Directions, MAX_ARRAY_BYTES) if digests.there(path) else None

    @cached_property
    def smoothing(self) -> SmoothingCurves | None:
        """None for runs that were not smoothed."""
        path = self.path / "smoothing.npz"
        return read_result(path, SmoothingCurves, MAX_ARRAY_BYTES) if digests.there(path) else None

    def log(self) -> str:
        """The last part of the log."""
        path = self.path / LOG
        if not digests.there(path):
            return ""
        with digests.opened(path, digests.MAX_FILE_BYTES) as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - MAX_LOG_BYTES))
            return inside.all_of(stream, path, MAX_LOG_BYTES).decode("utf-8", "replace")

    def size(self) -> int:
        """Bytes on disk."""
        total = 0
        for place, _, names in os.walk(self.path):
            for name in names:
                with suppress(FileNotFoundError):  # of a run at work
                    found = os.lstat(Path(place) / name)
                    total += found.st_size if stat.S_ISREG(found.st_mode) else 0
        return total

    def write_status(self, status: Status) -> None:
        atomic.write_text(self.path / "status.json", digests.sealed(status))

    def write_manifest(self, manifest: Manifest) -> None:
        atomic.write_text(self.path / "run.json", digests.sealed(manifest))
        self.__dict__.pop("manifest", None)

    def write_summary(self, summary: Summary) -> None:
        atomic.write_text(self.path / "summary.json", summary.model_dump_json(indent=1))

    def write_result(self, result: Sweep | Spectrum | Fields | LossPaths | Directions | SmoothingCurves) -> None:
        names = {
            Sweep: "sweep.npz",
            Spectrum: "spectrum.npz",
            Fields: "fields.npz",
            LossPaths: "paths.npz",
            Directions: "directions.npz",
            SmoothingCurves: "smoothing.npz",
        }
        arrays = {field.name: np.asarray(getattr(result, field.name)) for field in dataclasses.fields(result)}
        atomic.write_arrays(self.path / names[type(result)], arrays)

    def append_log(self, line: str) -> None:
        inside.append(self.path / LOG, f"{time.strftime('%H:%M:%S')} {line}\n")

    def _read(self, name: str, record: type[_Record]) -> tuple[_Record, bool]:
        """A record, and whether its digest stood at its end."""
        data, has_digest = digests.unsealed(digests.read(self.path / name, MAX_JSON_BYTES), name)
        try:
            return record.model_validate_json(data), has_digest
        except ValidationError as error:
            raise describe(error, name) from error


Runs = list[Run]  # in `RunStore` the name `list` is that of a method
Faults = dict[str, InputError]


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
        try:
            run.write_status(Status(heartbeat=time.time()))
            run.write_manifest(manifest)  # last: with it the folder is a run
        except BaseException:
            shutil.rmtree(run.path, ignore_errors=True)
            raise
        return run

    def open(self, run_id: str) -> Run:
        """The run with this id.

        Raises:
            InputError: the id is not 32 hexadecimal digits, or there is no such run.
        """
        if not ID_PATTERN.fullmatch(run_id):
            raise InputError("a run id has 32 characters 0-9 a-f", key="run")
        path = self.root / run_id
        if path.is_symlink() or not inside.there(path / "run.json"):
            raise InputError("no run with this id in this folder of runs", key="run")
        return Run(path)

    def list(self) -> list[Run]:
        """All readable runs, newest first; folders that are not runs are passed over."""
        return self.survey()[0]

    def survey(self) -> tuple[Runs, Faults]:
        """The same, and what is damaged in those that cannot be read, by id."""
        runs, faults = [], {}
        for path in self.root.iterdir() if self.root.is_dir() else ():
            if not ID_PATTERN.fullmatch(path.name):
                continue
            try:
                run = self.open(path.name)
                runs.append((run.manifest.created, run))
            except InputError as error:
                if error.file is not None:
                    faults[path.name] = error
        return [run for _, run in sorted(runs, key=lambda pair: pair[0], reverse=True)], faults

    def delete(self, run: Run) -> None:
        """Remove a run and all its files; the directory leaves the list at once."""
        doomed = run.path.with_name(f"{_DELETED}{run.id}")
        run.path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def tidy(self, seconds: float = atomic.LEFT_OVER_SECONDS) -> None:
        """Remove what killed writers have left: temporary files older than that, and runs whose deletion was cut short."""
        for path in self.root.iterdir():
            atomic.remove_if_left_over(path, seconds)
            if ID_PATTERN.fullmatch(path.name):
                atomic.remove_left_over(path, seconds)
            elif path.name.startswith(_DELETED) and ID_PATTERN.fullmatch(path.name.removeprefix(_DELETED)):
                shutil.rmtree(path, ignore_errors=True)
