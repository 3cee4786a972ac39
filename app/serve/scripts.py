"""The inline scripts of pages, of which the content policy names every one: Streamlit's own, and one of ours."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

# A browser runs a script again only when its text has changed, so there are two that do the same.
TO_TOP = tuple(
    f"/* {turn} */document.querySelector('[data-testid=stMain]')?.scrollTo(0, 0)" for turn in ("there", "back again")
)


def digests() -> list[str]:
    """Of all of them, in the policy's form, so that no other inline script runs."""
    import streamlit

    page = Path(streamlit.__file__).with_name("static") / "index.html"
    texts = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    return [f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}" for text in (*texts, *TO_TOP)]
