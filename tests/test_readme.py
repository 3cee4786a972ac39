"""The README's examples run as they are printed, and its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import lsr_samples
from lsr_core.storage.runs import RunStore
from lsr_samples.make_runs import SHIPPED_ID

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("dtype", ["torch.float64", "torch.float32"])
@pytest.mark.always
def test_the_python_example_runs_and_refines_in_both_precisions(dtype: str) -> None:
    (example,) = EXAMPLES
    code = example.replace("torch.float64", dtype) + "print(x.dtype, refined.dtype, result.predictor.dtype)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    rank, base, refined, *dtypes = done.stdout.split()
    assert int(rank) > 0
    assert float(refined) < 1e-3 * float(base)
    assert dtypes == [dtype, "torch.float64", "torch.float64"]


@pytest.mark.parametrize("command", ["dashboard", "samples", "refine", "iterate", "training", "runs", "path", "export"])
def test_the_commands_exist(command: str) -> None:
    assert f"`lsr {command}" in README
    done = subprocess.run(
        [sys.executable, "-m", "lsr_app", command, "--help"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_picture_shows_the_shipped_run_as_it_is() -> None:
    """`python -m docs.making.animation` makes it again; packed pixels may differ by the version of the library that packs them."""
    from docs.making import animation

    def words(svg: str) -> str:
        return re.sub(r"base64,[^\"]+", "", svg)

    shown = animation.OUT.read_text(encoding="utf-8")
    assert animation.OUT.relative_to(ROOT).as_posix() in README
    assert words(shown) == words(animation.picture(RunStore(lsr_samples.runs_folder()).open(SHIPPED_ID)))
    assert len(shown) < 150_000
    assert "http" not in words(shown).replace("http://www.w3.org/2000/svg", "")
