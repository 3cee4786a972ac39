"""A local stand-in of the Hub's HTTP interface, as far as pushing and pulling a repository of small files uses it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SHA = "0" * 40


class Stand(ThreadingHTTPServer):
    """Keeps repositories in memory; `asked` has the path of every request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving() -> Iterator[Stand]:
    stand = Stand()
    thread = threading.Thread(target=stand.serve_forever, daemon=True)
    thread.start()
    try:
        yield stand
    finally:
        stand.shutdown()
        stand.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Stand
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""

    def do_POST(self) -> None:
        body = self._body()
        parts = self._parts()
        if parts[:3] == ["api", "repos", "create"]:
            said = json.loads(body)
            name = f"{said.get('organization') or 'me'}/{said['name']}"
            self.server.files.setdefault(name, {})
            self.server.private[name] = bool(said.get("private")) or said.get("visibility") == "private"
            self._json({"url": f"{self.server.address}/{name}"})
        elif parts[:2] == ["api", "validate-yaml"]:
            self._json({"errors": [], "warnings": []})
        elif parts[4:5] == ["preupload"]:
            files = json.loads(body)["files"]
            self._json(
                {"files": [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]}
            )
        elif parts[4:5] == ["commit"]:
            self._commit("/".join(parts[2:4]), body)
        else:
            self._json({"error": "not here"}, 404)

    def do_GET(self) -> None:
        self._get(True)

    def do_HEAD(self) -> None:
        self._get(False)

    def _commit(self, name: str, body: bytes) -> None:
        for line in body.splitlines():
            said = json.loads(line)
            if said["key"] == "file":
                self.server.files[name][said["value"]["path"]] = base64.b64decode(said["value"]["content"])
        self._json({"commitUrl": f"{self.server.address}/{name}/commit/{SHA}", "commitOid": SHA})

    def _get(self, whole: bool) -> None:
        parts = self._parts()
        if parts[:2] == ["api", "models"]:
            name = "/".join(parts[2:4])
            if name not in self.server.files:
                self._json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
            elif parts[4:5] == ["tree"]:
                self._json(
                    [
                        {"type": "file", "path": path, "size": len(data), "oid": SHA}
                        for path, data in self.server.files[name].items()
                    ]
                )
            else:
                self._json(
                    {"id": name, "sha": SHA, "siblings": [{"rfilename": path} for path in self.server.files[name]]}
                )
            return
        data = (
            self.server.files.get("/".join(parts[:2]), {}).get("/".join(parts[4:]))
            if parts[2:3] == ["resolve"]
            else None
        )
        if data is None:
            self._json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"X-Repo-Commit": SHA, "ETag": f'"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"'}
        self._send(200, data if whole else b"", {**headers, "Content-Type": "application/octet-stream"}, len(data))

    def _parts(self) -> list[str]:
        path = self.path.partition("?")[0]
        self.server.asked.append(f"{self.command} {path}")
        return [part for part in path.split("/") if part]

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            found = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _json(self, said: Any, code: int = 200, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(said).encode()
        self._send(code, data, {"Content-Type": "application/json", **(headers or {})}, len(data))

    def _send(self, code: int, data: bytes, headers: dict[str, str], length: int) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if data and self.command != "HEAD":
            self.wfile.write(data)
