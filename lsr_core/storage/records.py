"""The JSON files of a run: who made it, what was asked, how it stands (what came out is `Summary`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.summary import Errors, ResidualNorms, Summary
from lsr_core.refinement.uses import JOBS

__all__ = ["Errors", "Failure", "JobKind", "Manifest", "ResidualNorms", "State", "Status", "Summary", "Worker"]

RUN_FORMAT_VERSION = 2
UNCHECKED_FORMAT = 1  # without digests
State = Literal["queued", "running", "complete", "cancelled", "failed"]
if TYPE_CHECKING:
    JobKind = str
else:
    JobKind = Literal[tuple(name for name, job in JOBS.items() if job.module)]
FINAL_STATES: tuple[State, ...] = ("complete", "cancelled", "failed")


Moment = Annotated[float, Field(ge=0, lt=253_402_300_800)]  # seconds since 1970, before the year 10000
Seconds = Annotated[
    float, AfterValidator(lambda value: max(0.0, value))
]  # earlier versions subtracted a clock that may be set back


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null", allow_inf_nan=False)


class Worker(_Record):
    """Identity of a process; the start time tells it from a later process with the same id."""

    host: str = Field(max_length=255)
    pid: int = Field(ge=1, lt=2**31)
    started: Moment


class Failure(_Record):
    """Why a run failed, in words a person can act on."""

    message: str = Field(max_length=100_000)
    file: str | None = Field(None, max_length=10_000)
    key: str | None = Field(None, max_length=10_000)


class Status(_Record):
    """`status.json`, rewritten as the run advances.

    Attributes:
        digests: the run has ended, and `digests.json` notes its files.
    """

    status: State = "queued"
    stage: str = Field("", max_length=1_000)
    fraction: float = Field(0.0, ge=0, le=1)
    elapsed: Seconds = 0.0
    remaining: Seconds | None = None
    heartbeat: Moment = 0.0
    digests: bool = False
    worker: Worker | None = None
    error: Failure | None = None


class Manifest(_Record):
    """`run.json`: written once when the run is made; title and listed may be edited by the owner.

    Attributes:
        session_only: made of what a browser brought and did not keep; nobody else sees it, and it goes when the browser does.
        config: of the refinement, which every kind of job has at its heart.
        settings: what the kind of job has besides, checked by that job.
        tags, note: the owner's own words about it.
    """

    format_version: int = RUN_FORMAT_VERSION
    id: str = Field(max_length=100)
    kind: JobKind = "refine"
    title: str = Field(max_length=200)
    created: Moment
    owner: str = Field(max_length=200)
    listed: bool = True
    session_only: bool = False
    problem: str = Field(max_length=1_000)
    config: RefineConfig
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    environment: dict[str, str] = Field(default_factory=dict)
    forecast_bytes: int | None = Field(None, ge=0, lt=2**63)
    tags: tuple[Annotated[str, Field(min_length=1, max_length=40)], ...] = Field((), max_length=20)
    note: str = Field("", max_length=4_000)
