"""The version of this package; `pyproject.toml` takes it from here. What its parts mean: docs/stability.md."""

VERSION = "0.2.0"
