"""`python -m lsr_app.serve`: the server. `lsr dashboard` starts it, and tells it through its standard input what to do."""

from __future__ import annotations

import os
import sys
import threading
from typing import IO

from lsr_app.serve import order, settings

LAST_SECONDS = 5.0


def main() -> int:
    """Serve until a signal comes, or whoever started this is gone."""
    pipe = sys.stdin.buffer
    given = order.read(pipe)
    settings.pin(given)
    from lsr_app.serve import logs

    logs.install()
    from lsr_app.serve import run

    server = run.Server(given)
    threading.Thread(target=_watch, args=(pipe, server), daemon=True).start()
    server.run()
    return 0


def _watch(pipe: IO[bytes], server: object) -> None:
    while pipe.read(2**16):
        pass
    server.should_exit = True  # type: ignore[attr-defined]
    threading.Event().wait(LAST_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
