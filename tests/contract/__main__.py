"""`python -m tests.contract` writes the list again. What goes has to be named in the newest part of CHANGELOG.md first."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.contract.listing import current
from tests.contract.snapshot import announced, difference, read, write


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        now = current(Path(scratch))
    gone, new = difference(read(), now)
    print("\n".join([*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)]) or "nothing has changed")
    if silent := [line for line in gone if not announced(line)]:
        print(
            f"not written: CHANGELOG.md says nothing of {silent[0]!r}; name it there in backticks, with what to use instead"
        )
        return 1
    write(now)
    return 0


sys.exit(main())
