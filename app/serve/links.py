"""What the command line knows of links and addresses; it has none of the server's libraries."""

from __future__ import annotations

import re
import secrets

PARAMETER = "token"
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?")


def new_token() -> str:
    """256 random bits for a link."""
    return secrets.token_urlsafe(32)


def is_origin(text: str) -> bool:
    """Whether this is what a browser sends as `Origin`: scheme, name and port, in small letters, and nothing else."""
    return _ORIGIN.fullmatch(text) is not None
