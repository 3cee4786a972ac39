"""Makes a release in `dist`: sdist and wheel, a bill of materials, the answer of an audit, hashes of them all.

    python -m release.build [--without-audit]

Ends with 1 where a check fails, where a library has a known weakness, or where nobody could say so (unless --without-audit). Built twice from
one commit the wheel is the same to the byte: its files bear the time of the commit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from release import distributions
from release.environment import Environment, environment
from release.project import CONSTRAINTS, ROOT

DIST = ROOT / "dist"
EXTRAS = "dashboard,files,onnx"  # what the bill of materials and the audit look at


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--without-audit", action="store_true", help="go on where the index knows no weaknesses")
    given = options.parse_args(arguments)
    DIST.mkdir(exist_ok=True)
    for old in DIST.iterdir():
        old.unlink()
    if changed := _said("git", "status", "--porcelain").strip():
        raise SystemExit(f"commit first; a release is of one commit, and these differ from it:\n{changed}")
    commit_time = _said("git", "log", "-1", "--format=%ct").strip()
    distributions.build(DIST, SOURCE_DATE_EPOCH=commit_time)
    (built,) = DIST.glob("*.whl")
    _called("-m", "twine", "check", "--strict", *map(str, sorted(DIST.iterdir())))
    _called("-m", "check_wheel_contents", "--config", str(ROOT / "pyproject.toml"), str(built))
    with environment() as place:
        place.install("-c", str(CONSTRAINTS), f"{built}[{EXTRAS}]")
        bill = DIST / f"{built.name.split('-py3')[0]}.cdx.json"
        options_of_bill = [
            "--output-reproducible",
            "--validate",
            "--pyproject",
            str(ROOT / "pyproject.toml"),
            "-o",
            str(bill),
        ]
        _called("-m", "cyclonedx_py", "environment", *options_of_bill, str(place.python), SOURCE_DATE_EPOCH=commit_time)
        print(f"{bill.name}: {len(json.loads(bill.read_text(encoding='utf-8'))['components'])} components")
        left = audit(_audited(place))
    (DIST / "SHA256SUMS").write_text(sums(DIST), encoding="utf-8")
    print((DIST / "SHA256SUMS").read_text(encoding="utf-8"), end="")
    print(left)
    return int(left.startswith("weak") or (left.startswith("unknown") and not given.without_audit))


def sums(folder: Path) -> str:
    """The lines of `sha256sum` for the files of a folder."""
    files = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def audit(answer: dict[str, Any]) -> str:
    """What pip-audit's JSON says, in one line that begins with sound, weak or unknown."""
    found = answer["dependencies"]
    weak = {one["name"]: [known["id"] for known in one["vulns"]] for one in found if one.get("vulns")}
    unknown = [one["name"] for one in found if "skip_reason" in one and one["name"] != "lsr-explorer"]
    if weak:
        return "weak: " + "; ".join(f"{name} ({', '.join(ids)})" for name, ids in weak.items())
    if unknown:
        return f"unknown: the index knows no advisories on {len(unknown)} of {len(found)} libraries, {unknown[0]} among them"
    return f"sound: no known weakness in {len(found)} libraries"


def _audited(place: Environment) -> dict[str, Any]:
    """pip-audit on what is installed there; it asks PyPI's own interface, which mirrors often lack."""
    path = place.run([str(place.python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    command = [sys.executable, "-m", "pip_audit", "--path", path, "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(f"pip-audit: {done.stderr[-1000:]}") from None
    return answer


def _called(*arguments: str, **variables: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments[:3])} failed:\n{(done.stdout + done.stderr)[-3000:]}")


def _said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
