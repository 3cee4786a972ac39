"""The JSON files of a run: who made it, what was asked, how it stands (what came out is `Summary`)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.summary import Errors, ResidualNorms, Summary

__all__ = ["Errors", "Failure", "JobKind", "Manifest", "ResidualNorms", "State", "Status", "Summary", "Worker"]

RUN_FORMAT_VERSION = 1
State = Literal["queued", "running", "complete", "cancelled", "failed"]
JobKind = Literal["refine", "iterate", "race", "plane", "isolate", "training", "cases"]
FINAL_STATES: tuple[State, ...] = ("complete", "cancelled", "failed")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class Worker(_Record):
    """Identity of a process; the start time tells it from a later process with the same id."""

    host: str
    pid: int
    started: float


class Failure(_Record):
    """Why a run failed, in words a person can act on."""

    message: str
    file: str | None = None
    key: str | None = None


class Status(_Record):
    """`status.json`, rewritten as the run advances."""

    status: State = "queued"
    stage: str = ""
    fraction: float = 0.0
    elapsed: float = 0.0
    remaining: float | None = None
    heartbeat: float = 0.0
    worker: Worker | None = None
    error: Failure | None = None


class Manifest(_Record):
    """`run.json`: written once when the run is made; title and listed may be edited by the owner.

    Attributes:
        config: of the refinement, which every kind of job has at its heart.
        settings: what the kind of job has besides, checked by that job.
        expires: whether the dashboard deletes it some time after its owner has left.
    """

    format_version: int = RUN_FORMAT_VERSION
    id: str
    kind: JobKind = "refine"
    title: str = Field(max_length=200)
    created: float
    owner: str = Field(max_length=200)
    listed: bool = True
    expires: bool = False
    problem: str
    config: RefineConfig
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    environment: dict[str, str] = Field(default_factory=dict)
    forecast_bytes: int | None = None
