"""Whose run it is: a browser is known by the token the server gave it, of which only a digest is kept."""

from __future__ import annotations

import binascii
import hashlib
import secrets
from collections.abc import Mapping, MutableMapping
from typing import Any

COOKIE = "_streamlit_xsrf"
_FALLBACK = "browser_id"


def of(cookies: Mapping[str, str], session: MutableMapping[str, Any]) -> str:
    """Owner string of this browser, the same after a reload and in every tab.

    The cookie masks its token anew with every page; the token below the mask stays. Without a cookie (XSRF protection
    switched off, tests) the owner is a random id that lasts as long as the session.
    """
    token = unmasked(cookies.get(COOKIE, ""))
    if token is None:
        token = session.setdefault(_FALLBACK, secrets.token_bytes(16))
    return f"browser:{hashlib.sha256(b'lsr run owner' + token).hexdigest()[:32]}"


def unmasked(cookie: str) -> bytes | None:
    """Token in a cookie `2|mask|masked token|time`, all in hexadecimal; None if it is not one."""
    parts = cookie.strip("\"'").split("|")
    if len(parts) != 4 or parts[0] != "2":
        return None
    try:
        mask, masked = binascii.a2b_hex(parts[1]), binascii.a2b_hex(parts[2])
    except (binascii.Error, ValueError):
        return None
    if len(mask) != 4 or len(masked) < 16:
        return None
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
