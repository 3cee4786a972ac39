"""`python -m lsr_app` is the `lsr` command."""

from __future__ import annotations

from lsr_app.cli import main

if __name__ == "__main__":
    main()
