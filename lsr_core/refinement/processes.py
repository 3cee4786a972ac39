"""What a summary says of processes that shared the rows."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Processes(BaseModel):
    """Processes that shared the rows of a refinement.

    Attributes:
        count: of processes.
        sent_bytes: by all of them to each other.
        most_sent_bytes: by the one that sent most.
    """

    model_config = ConfigDict(extra="forbid")

    count: int
    sent_bytes: int
    most_sent_bytes: int
