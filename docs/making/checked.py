"""The built site, looked through: every link and anchor leads somewhere in it, and nothing is fetched from elsewhere."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("link", "href"),
    ("object", "data"),
}
NOT_FETCHED = {"canonical", "prev", "next"}  # relations of links


class Page(HTMLParser):
    """Ids of a page, its links, and what it fetches."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        for name, value in given.items():
            if (tag, name) in FETCHED and given.get("rel") not in NOT_FETCHED:
                self.fetched.append(value)
            elif (tag, name) == ("a", "href"):
                self.links.append(value)


def faults(site: Path) -> list[str]:
    """Sentences about links that lead nowhere and things that are fetched from the network; empty where all is well."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        where = path.relative_to(site.resolve()).as_posix()
        found += [
            f"{where} fetches {url}"
            for url in page.fetched
            if urlsplit(url).scheme in ("http", "https") or url.startswith("//")
        ]
        for url in [*page.links, *page.fetched]:
            if reason := _fault(url, path, pages):
                found.append(f"{where}: {url} {reason}")
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        found += [f"{style.name} fetches from the network"] * any(
            mark in text for mark in ("url(http", "url(//", "@import")
        )
    return found


def _fault(url: str, path: Path, pages: dict[Path, Page]) -> str:
    parts = urlsplit(url)
    if parts.scheme or url.startswith("//") or not url:
        return ""
    if parts.path.startswith("/"):
        return "starts at the root of a server, so it does not work from disk"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "is not there"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
        return "has no such anchor"
    return ""


def main(site: str) -> int:
    found = faults(Path(site))
    print("\n".join(found) or f"{site}: every link leads somewhere, and nothing is fetched from the network")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
