"""Every extra in an empty environment: what it brings works, and what it does not bring is refused with the line that installs it.

python -m release.extras [--only NAME] [--python PROGRAM]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from release.distributions import wheel
from release.environment import Environment, environment
from release.project import CONSTRAINTS, ROOT

PORT = "18519"

_REFINES = """
import json, subprocess, sys
done = subprocess.run([sys.argv[1], "refine", "noisy1d", "--json"], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
record = json.loads(done.stdout)
assert record["refined"]["test_mse"] < record["base"]["test_mse"] / 4
"""
_REFUSES_DASHBOARD = """
import subprocess, sys
done = subprocess.run([sys.argv[1], "dashboard", "--no-browser"], capture_output=True, text=True)
assert done.returncode == 2 and "lsr-explorer[dashboard]" in done.stderr, done
"""
_SERVES_AS_THE_IMAGE = """
import json, re, subprocess, sys, urllib.error, urllib.request
server = subprocess.Popen([sys.argv[1], *json.loads(sys.argv[2])], stderr=subprocess.PIPE, text=True)
try:
    said = []
    while not (said and said[-1].startswith("LSR Explorer: ")):
        line = server.stderr.readline()
        assert line, "".join(said)
        said.append(line)
    link = re.search(r"http://\\S+", said[-1])[0]
    assert "?token=" in link, link
    try:
        urllib.request.urlopen(link.split("?")[0], timeout=20)
        raise AssertionError("answered without the token")
    except urllib.error.HTTPError as error:
        assert error.code == 401, error.code
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    assert b"<title>" in browser.open(link, timeout=60).read()
    exec(json.loads(sys.argv[3]))
finally:
    server.terminate()
    server.wait()
"""
_DRAWS = """
import lsr_app, pathlib
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(str(pathlib.Path(lsr_app.__file__).with_name("main.py")), default_timeout=120).run()
assert not app.exception and not app.error, (app.exception, app.error)
assert len(app.get("plotly_chart")) >= 3
"""
_WRITES_FILES = """
import numpy, pathlib
rows = numpy.linspace(0, 1, 12).reshape(6, 2)
import h5py, openpyxl, pyarrow, pyarrow.parquet
with h5py.File("rows.h5", "w") as file:
    file["x"] = rows
pyarrow.parquet.write_table(pyarrow.table({"a": rows[:, 0], "b": rows[:, 1]}), "rows.parquet")
book = openpyxl.Workbook()
for line in [["a", "b"], *rows.tolist()]:
    book.active.append(line)
book.save("rows.xlsx")
"""
_READS_FILES = """
import numpy, pathlib
from lsr_core.intake import tables
rows = numpy.linspace(0, 1, 12).reshape(6, 2)
for name in ("rows.h5", "rows.parquet", "rows.xlsx"):
    path = pathlib.Path(name)
    found = tables.read(path, [info.name for info in tables.listing(path)])
    assert numpy.allclose(numpy.column_stack(list(found.values())), rows), (name, found)
"""
_REFUSES_FILES = """
import pathlib
from lsr_core.errors import InputError
from lsr_core.intake import tables
pathlib.Path("rows.parquet").write_bytes(b"PAR1")
try:
    tables.listing(pathlib.Path("rows.parquet"))
except InputError as error:
    assert "lsr-explorer[files]" in error.message, error.message
else:
    raise AssertionError("read without its library")
"""
_EXPORTS = """
import json, pathlib, subprocess, sys
made = subprocess.run([sys.argv[1], "refine", "noisy1d", "--max-rank", "20", "--json"], capture_output=True, text=True, check=True)
run = json.loads(made.stdout)["run"]
done = subprocess.run([sys.argv[1], "export", run, "--format", "onnx", "--out", "p.onnx", "--json"], capture_output=True, text=True)
"""
_ONNX_WORKS = (
    _EXPORTS
    + """
assert done.returncode == 0, done.stderr
assert json.loads(done.stdout)["difference"] < 1e-9
"""
)
_REFUSES_ONNX = (
    _EXPORTS
    + """
assert done.returncode == 2 and "lsr-explorer[onnx]" in done.stderr, done
"""
)
_LIGHTNING = """
import torch, lightning
from torch import nn
from lsr_core import Split
from lsr_core.integrations.during import RefineDuring
from lsr_core.integrations.lightning import RefineCallback
x = torch.rand(90, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
y = torch.sin(3 * x[:, :1]) * x[:, 1:]
parts = [Split(x[k::3], y[k::3]) for k in range(3)]
class Fit(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 10), nn.Tanh(), nn.Linear(10, 1))
    def forward(self, x): return self.net(x)
    def training_step(self, batch, _): return nn.functional.mse_loss(self(batch[0]), batch[1])
    def configure_optimizers(self): return torch.optim.Adam(self.parameters(), 1e-2)
during = RefineDuring(*parts, every=1, max_rank=8)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(parts[0].inputs, parts[0].targets), batch_size=30)
lightning.Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
    enable_model_summary=False, callbacks=[RefineCallback(during, part="net")]).fit(Fit(), loader)
assert len(during.gains) == 1 and during.gains[0].refined < during.gains[0].network
"""


class Trial(NamedTuple):
    """An extra, what shows that it works, and that nothing else came with it."""

    extra: str
    works: tuple[str, ...]
    refused: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()  # modules


TRIALS = (
    Trial("", (_REFINES,), (_REFUSES_DASHBOARD, _REFUSES_FILES, _REFUSES_ONNX), ("streamlit", "plotly", "pandas", "h5py", "onnx")),
    Trial("dashboard", (_REFINES, _DRAWS, _SERVES_AS_THE_IMAGE, _WRITES_FILES, _READS_FILES), (_REFUSES_ONNX,), ("onnx", "lightning")),
    Trial("files", (_WRITES_FILES, _READS_FILES), (_REFUSES_DASHBOARD,), ("streamlit", "pandas", "onnx")),
    Trial("onnx", (_ONNX_WORKS,), (_REFUSES_FILES,), ("streamlit", "pyarrow")),
    Trial("lightning", (_LIGHTNING,), (_REFUSES_DASHBOARD,), ("streamlit", "onnx")),
    # Of these what is shown is that the library and what stands beside it here load; their own tests say what they do.
    Trial("deepxde", ("import os; os.environ['DDE_BACKEND'] = 'pytorch'; import deepxde, lsr_core.integrations.deepxde",)),
    Trial("neuraloperator", ("import neuralop, lsr_core.integrations.neuraloperators",)),
    Trial("pina", ("import pina, lsr_core.integrations.lightning",)),
    Trial("mlflow", ("import mlflow, lsr_core.integrations.mlflow, lsr_core.integrations.mlflow_model",)),
    Trial("tensorboard", ("import torch.utils.tensorboard, lsr_core.integrations.tensorboard",)),
    Trial("cluster", ("import submitit, lsr_core.jobs.executors",)),
    Trial("hub", ("import huggingface_hub, lsr_core.integrations.hub",)),
)  # fmt: skip


def image() -> tuple[list[str], str]:
    """What the image runs and how its health is looked at, by the Dockerfile, at a port that nobody else uses."""
    lines = dict(
        line.split(maxsplit=1) for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines() if line
    )
    command: list[str] = json.loads(lines["CMD"])
    port = command[command.index("--port") + 1]
    health = json.loads(lines["HEALTHCHECK"].split("CMD ", 1)[1])[-1]
    return [word.replace(port, PORT) for word in command], health.replace(port, PORT)


def check(trial: Trial, place: Environment) -> None:
    """Run what the trial holds in an environment where its extra is installed.

    Raises:
        RuntimeError: something does not hold; with its name and what it said.
    """
    for name in trial.absent:
        place.run(
            [str(place.python), "-c", f"import importlib.util as u; assert u.find_spec({name!r}) is None, {name!r}"]
        )
    for code in (*trial.works, *trial.refused):
        place.run([str(place.python), "-W", "ignore", "-c", code, str(place.lsr), *map(json.dumps, image())])


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", action="append", choices=[trial.extra or "core" for trial in TRIALS])
    options.add_argument("--python", default=sys.executable)
    given = options.parse_args(arguments)
    failed = 0
    with tempfile.TemporaryDirectory() as out:
        built = wheel(Path(out))
        for trial in TRIALS:
            name = trial.extra or "core"
            if given.only and name not in given.only:
                continue
            began = time.perf_counter()
            try:
                with environment(given.python) as place:
                    place.install("-c", str(CONSTRAINTS), f"{built}[{trial.extra}]" if trial.extra else str(built))
                    check(trial, place)
            except RuntimeError as error:
                failed += 1
                print(f"FAIL {name}: {error}", flush=True)
            else:
                works = len(trial.works) + len(trial.refused) + len(trial.absent)
                print(f"ok   {name}: {works} of {works} hold, {time.perf_counter() - began:.0f} s", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
