"""What mkdocs asks while it builds: pages made from the code, pages that lie outside `docs`, and shipped runs as live figures."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # mkdocs may have been started from anywhere

from docs.making import figures, reference  # noqa: E402

OUTSIDE = {"contributing.md": "CONTRIBUTING.md", "security.md": "SECURITY.md", "changelog.md": "CHANGELOG.md"}
_GENERATED = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)


def on_files(files: Any, config: Any) -> Any:
    """Pages from the root of the repository, with their links as seen from `docs`."""
    for name, source in OUTSIDE.items():
        files.append(File.generated(config, name, content=seen_from_docs((ROOT / source).read_text(encoding="utf-8"))))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put in what is generated; links to the files outside lead to their pages."""
    for name, source in OUTSIDE.items():
        markdown = re.sub(rf"\]\((?:\.\./)*{source}", f"]({name}", markdown)
    return _GENERATED.sub(lambda found: reference.MAKERS[found[1]](), markdown)


def on_post_build(config: Any) -> None:
    """Shipped runs, each with its rank slider, below `figures`; the page for addresses that a server does not know goes."""
    site = Path(config["site_dir"])
    figures.publish(site / "figures")
    (site / "404.html").unlink(missing_ok=True)


def seen_from_docs(text: str) -> str:
    """Links of a file at the root, rewritten for a page in `docs`."""
    return re.sub(r"\]\(docs/", "](", text)
