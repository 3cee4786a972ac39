"""The scripts that make a release, as far as they need no index."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from release import build, extras, first_figure, floors, pins, project

ROOT = Path(__file__).parents[1]


def test_floors_are_what_the_project_names() -> None:
    listed = project.floors("dashboard")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for line in listed:
        assert f'"{line.replace("==", ">=")}"' in text
    assert {"torch", "streamlit", "numpy", "pandas"} <= {line.split("==")[0] for line in listed}
    assert set(floors.wanted(newest=False)) >= set(listed)
    assert not {line for line in floors.wanted(newest=True) if line.startswith(("torch==", "numpy==", "streamlit=="))}


def test_no_floor_lies_above_its_pin() -> None:
    def numbers(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version.split(".") if part.isdigit())

    pinned = project.pins()
    for need in project.needs(*project.extras()).values():
        assert numbers(need.lowest) <= numbers(pinned[need.name]), need


def test_files_that_the_floors_are_tried_on_are_there() -> None:
    assert [path for path in floors.TESTS if not (ROOT / path).is_file()] == []


def test_every_extra_of_a_user_has_a_trial_whose_programs_can_be_read() -> None:
    for_makers = {"dev", "docs", "release", "fuzz", "references", "peers", "samples"}
    assert {trial.extra for trial in extras.TRIALS} == {"", *project.extras()} - for_makers
    for trial in extras.TRIALS:
        assert trial.works
        for code in (*trial.works, *trial.refused):
            compile(code, trial.extra, "exec")


def test_pins_move_to_what_was_resolved_and_comments_stay() -> None:
    now = {"torch": "2.13.0", "import-linter": "2.1", "gone": "1.0"}
    after = pins.moved(now, {"torch": "2.14.0+cpu", "import-linter": "2.2"})
    assert after == {"torch": "2.14.0", "import-linter": "2.2", "gone": "1.0"}
    assert (
        pins.rewritten("# why\ntorch==2.13.0\nimport-linter==2.1\n", after)
        == "# why\ntorch==2.14.0\nimport-linter==2.2\n"
    )
    assert set(pins.HELD) <= set(project.pins())


def test_hashes_are_those_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "b.whl").write_bytes(b"two")
    (tmp_path / "a.tar.gz").write_bytes(b"one")
    (tmp_path / "SHA256SUMS").write_text("old", encoding="utf-8")
    first, second = (hashlib.sha256(text).hexdigest() for text in (b"one", b"two"))
    assert build.sums(tmp_path) == f"{first}  a.tar.gz\n{second}  b.whl\n"


@pytest.mark.parametrize(
    ("torch", "said"),
    [
        ({"vulns": []}, "sound: no known weakness in 2 libraries"),
        ({"vulns": [{"id": "PYSEC-1"}]}, "weak: torch (PYSEC-1)"),
        ({"skip_reason": "not found"}, "unknown: the index knows no advisories on 1 of 2 libraries, torch among them"),
    ],
)
def test_an_audit_that_nobody_answered_is_not_called_sound(torch: dict[str, object], said: str) -> None:
    ours = {"name": "lsr-explorer", "skip_reason": "not found"}
    assert build.audit({"dependencies": [ours, {"name": "torch", **torch}]}) == said


def test_the_limit_of_the_first_figure_is_three_minutes() -> None:
    assert first_figure.LIMIT == 180.0


def test_the_dashboard_is_tried_as_the_image_starts_it() -> None:
    command, health = extras.image()
    assert command[0] == "dashboard"
    assert "0.0.0.0" in command
    for text in (" ".join(command), health):
        assert extras.PORT in text
        assert "8501" not in text
