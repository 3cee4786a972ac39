"""Memory: what is forecast, what limits it, what a running job does when there is none left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lsr_core import RefineConfig, Split, SupervisedProblem
from lsr_core.errors import InputError, is_out_of_memory
from lsr_core.jobs import watch
from lsr_core.jobs.watch import OutOfMemory, Watch
from lsr_core.kinds.data import preparing
from lsr_core.linalg.streaming_qr import StreamingQR
from lsr_core.networks import architectures, footprints, rest_rows
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.factored import FactoredJacobian
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import RowBlockJacobian
from lsr_core.networks.uses import rules
from lsr_core.networks.uses.network import UsedNetwork
from lsr_core.refinement import peaks, resources
from lsr_core.refinement.cgroups import cgroup_room
from lsr_core.refinement.forecast import forecast
from lsr_core.refinement.refine import refine

MIB = 2**20
CNN = {"image": [1, 8, 8], "channels": [4, 6], "hidden": 60, "classes": 3}
FNO = {"points": 16, "width": 3, "depth": 2, "modes": 5}


def function_of(name: str, arguments: dict[str, object], fraction: float = 1.0) -> ParametricFunction:
    torch.manual_seed(0)
    model = architectures.build(name, arguments)
    generator = torch.Generator().manual_seed(0)
    return ParametricFunction.from_module(model, dtype=torch.float64, fraction=fraction, generator=generator)


def problem_of(name: str, arguments: dict[str, object], *shape: int, samples: int = 30) -> SupervisedProblem:
    torch.manual_seed(0)
    model = architectures.build(name, arguments)
    inputs = torch.rand(2 * samples, *shape)
    with torch.no_grad():
        outputs = torch.sin(3 * model(inputs))
    return SupervisedProblem("made", model, *(Split(inputs[part], outputs[part]) for part in (slice(samples), slice(samples, None))))  # fmt: skip


class TestRowsWithoutRules:
    @pytest.mark.parametrize("fraction", [1.0, 0.3])
    @pytest.mark.parametrize("n_bytes", [1, 10**5, 2**26])
    def test_by_chunks_they_are_those_of_all_at_once(
        self, monkeypatch: pytest.MonkeyPatch, n_bytes: int, fraction: float
    ) -> None:
        monkeypatch.setattr(rest_rows, "REST_BYTES", n_bytes)
        monkeypatch.delitem(rules.RULES, "ConvolutionBackward0")
        function = function_of("cnn-classifier", CNN, fraction)
        inputs = torch.rand(7, 1, 8, 8, dtype=torch.float64)
        network = UsedNetwork(function, inputs[:2])
        assert all(name.startswith("convolutions") for name in network.rest)
        rows = FactoredJacobian(function, inputs, 3, network=network).rows_at(inputs)
        torch.testing.assert_close(rows, RowBlockJacobian(function, inputs, 3).rows_at(inputs))

    @pytest.mark.parametrize("long", [0, 2**16])
    def test_images_by_rows_or_by_forward_mode(self, monkeypatch: pytest.MonkeyPatch, long: int) -> None:
        monkeypatch.setattr(rest_rows, "LONG", long)
        monkeypatch.delitem(rules.RULES, "ConvolutionBackward0")
        function = function_of("cnn-classifier", CNN)
        inputs = torch.rand(7, 1, 8, 8, dtype=torch.float64)
        operator = FactoredJacobian(function, inputs, 3, network=UsedNetwork(function, inputs[:2]))
        assert operator.network.rest
        drawn = [
            FactoredDirections.random(
                function.shapes, count, torch.Generator(), function.theta0, form=operator.network.form
            )
            for count in (5, 2)
        ]
        wanted = RowBlockJacobian(function, inputs, 3).rows_at(inputs)
        found = operator.times(*drawn)
        torch.testing.assert_close(found, torch.cat([wanted @ some.written() for some in drawn], dim=1))

    def test_complex_parameters(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rest_rows, "REST_BYTES", 10**5)
        function = function_of("fno-1d", FNO)
        inputs = torch.rand(3, 16, dtype=torch.float64)
        rows = rest_rows.rest_rows(function, list(function.shapes), inputs)
        torch.testing.assert_close(rows, RowBlockJacobian(function, inputs, 16).rows_at(inputs))

    def test_only_they_are_differentiated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Gradients by all parameters, of every sample and output at once, took 18 GB for 1.4 million parameters."""
        monkeypatch.delitem(rules.RULES, "ConvolutionBackward0")
        function = function_of("cnn-classifier", {**CNN, "hidden": 2000})
        inputs = torch.rand(40, 1, 8, 8, dtype=torch.float64)
        network = UsedNetwork(function, inputs[:2])
        operator = FactoredJacobian(function, inputs, 3, network=network)
        drawn = FactoredDirections.random(function.shapes, 3, torch.Generator(), function.theta0, form=network.form)
        whole = 40 * 3 * function.n_params * 8
        assert footprints.peak_of(lambda: operator.times(drawn)) < whole / 5


class TestFootprint:
    def test_of_a_chain_it_is_the_sum_of_what_reverse_mode_keeps(self) -> None:
        function = function_of("mlp", {"layers": [3, 50, 50, 1]})
        found = footprints.footprint(function, torch.rand(1, 3, dtype=torch.float64))
        assert 2 * 50 * 8 <= found.live <= 4 * 50 * 8  # a layer and what it is made from
        assert 2 * 50 * 8 <= found.kept <= 5 * 50 * 8

    def test_that_of_a_convolution_grows_with_the_image(self) -> None:
        small, large = (
            footprints.footprint(
                function_of("cnn-classifier", {**CNN, "image": [1, side, side]}),
                torch.rand(1, 1, side, side, dtype=torch.float64),
            )
            for side in (8, 16)
        )
        assert 3 < large.live / small.live < 5
        assert 3 < large.kept / small.kept < 5


class TestForecast:
    @pytest.mark.parametrize("gather", [1, 4])
    def test_a_factor_takes_its_rows_twice(self, gather: int) -> None:
        columns, rows = 60, torch.rand(400, 60, dtype=torch.float64)

        def factorised() -> torch.Tensor:
            qr = StreamingQR(columns, dtype=rows.dtype, device=rows.device, gather=gather * columns)
            for block in rows.split(50):
                qr.update(block)
            return qr.factor

        said = peaks.qr_bytes(columns, gather * columns, rows.dtype.itemsize)
        assert 0.7 * said <= footprints.peak_of(factorised) <= 1.3 * said
        job = problem_of("mlp", {"layers": [2, 20, 1]}, 2, samples=3000)
        basis = forecast(job, RefineConfig(max_rank=80, strategy="row-blocks")).stages["basis"]
        assert basis > resources.LIBRARIES + peaks.qr_bytes(81, 81, 8)

    def test_every_stage_of_a_job_is_a_term_and_the_peak_is_the_largest(self) -> None:
        found = forecast(problem_of("mlp", {"layers": [2, 20, 1]}, 2), RefineConfig(max_rank=5))
        assert found.peak_bytes == max(found.stages.values())
        assert list(found.stages) == [
            *("preparing", "basis", "validation and test rows", "checking", "loss paths", "moved networks"),
            *("verdict", "directions", "writing"),
        ]
        assert min(found.stages.values()) > resources.LIBRARIES

    def test_images_count_by_what_their_convolutions_keep(self) -> None:
        config = RefineConfig(max_rank=5, strategy="factored")
        small, large = (
            forecast(problem_of("cnn-classifier", {**CNN, "image": [1, side, side]}, 1, side, side), config)
            for side in (8, 32)
        )
        assert large.stages["basis"] > small.stages["basis"] + 3 * MIB

    def test_where_the_quickest_way_does_not_fit_another_is_taken(self) -> None:
        problem = problem_of("mlp", {"layers": [2, 60, 60, 1]}, 2, samples=200)
        ample = forecast(problem, RefineConfig(max_rank=60, memory_budget="4GB"))  # type: ignore[arg-type]
        needs = {
            name: forecast(problem, RefineConfig(max_rank=60, strategy=name, memory_budget="1B")).peak_bytes  # type: ignore[arg-type]
            for name in ("row-blocks", "factored", "matrix-free")
        }
        best = min(needs, key=lambda name: needs[name])
        assert best != ample.strategy
        tight = RefineConfig(max_rank=60, memory_budget=(needs[best] + needs[ample.strategy]) // 2)
        found = forecast(problem, tight)
        assert found.fits
        assert found.strategy != ample.strategy
        assert "needs more memory than may be used" in found.strategy_reason
        assert refine(problem, tight).summary.strategy == found.strategy

    def test_the_largest_rank_within_some_bytes_fits_them(self) -> None:
        problem = problem_of("mlp", {"layers": [2, 100, 100, 1]}, 2, samples=300)
        config = RefineConfig(max_rank=300, strategy="row-blocks")
        middle = (
            forecast(problem, config.model_copy(update={"max_rank": 0})).peak_bytes
            + forecast(problem, config).peak_bytes
        ) // 2
        rank = forecast(problem, config).largest_within(middle)
        assert 0 < rank < 300
        asked = config.model_copy(update={"memory_budget": middle})
        assert forecast(problem, asked.model_copy(update={"max_rank": rank})).fits
        assert not forecast(problem, asked.model_copy(update={"max_rank": rank + 1})).fits


class TestControlGroups:
    """Files as Linux, Docker and systemd have them."""

    @staticmethod
    def write(root: Path, files: dict[str, str]) -> Path:
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return root

    V1 = "35 31 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"

    def test_version_1_less_the_cache_of_files(self, tmp_path: Path) -> None:
        folder = "sys/fs/cgroup/memory/a"
        root = self.write(
            tmp_path,
            {
                "proc/self/mountinfo": self.V1,
                "proc/self/cgroup": "5:cpu:/\n4:memory:/a\n",
                f"{folder}/memory.limit_in_bytes": "400\n",
                f"{folder}/memory.usage_in_bytes": "300\n",
                f"{folder}/memory.stat": "cache 90\ntotal_inactive_file 50\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "5000\n",
            },
        )
        assert cgroup_room(root) == 150

    @pytest.mark.parametrize(
        ("parent", "child", "high", "room"),
        [
            ("200", "max", "max", 80),
            ("max", "100", "max", 40),
            ("max", "max", "70", 10),
            ("max", "max", "max", None),
        ],
    )
    def test_version_2_at_every_level(
        self, tmp_path: Path, parent: str, child: str, high: str, room: int | None
    ) -> None:
        top = "sys/fs/cgroup"
        root = self.write(
            tmp_path,
            {
                "proc/self/mountinfo": self.V2,
                "proc/self/cgroup": "0::/a/b\n",
                f"{top}/a/memory.max": parent,
                f"{top}/a/memory.current": "120",
                f"{top}/a/b/memory.max": child,
                f"{top}/a/b/memory.high": high,
                f"{top}/a/b/memory.current": "60",
            },
        )
        assert cgroup_room(root) == room

    def test_a_container_that_sees_only_its_own_group(self, tmp_path: Path) -> None:
        mount = "35 31 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        root = self.write(
            tmp_path,
            {
                "proc/self/mountinfo": mount,
                "proc/self/cgroup": "4:memory:/docker/abc\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "400",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "100",
            },
        )
        assert cgroup_room(root) == 300

    @pytest.mark.parametrize("text", ["", "\0", "4:memory", "0::", "30 23 - cgroup2", "max"])
    def test_nonsense_limits_nothing(self, tmp_path: Path, text: str) -> None:
        assert cgroup_room(self.write(tmp_path, {"proc/self/mountinfo": text, "proc/self/cgroup": text})) is None
        assert cgroup_room(tmp_path / "nowhere") is None

    def test_they_count_in_what_is_available(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resources, "cgroup_room", lambda: 50 * MIB)
        assert resources.available_bytes() <= 50 * MIB + resources.LIBRARIES
        found = forecast(problem_of("mlp", {"layers": [2, 400, 400, 1]}, 2, samples=800), RefineConfig(max_rank=700))
        assert not found.fits
        assert "may be used" in found.sentence


def in_child(code: str, *, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=timeout, check=False)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
{code}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited so on Linux")
class TestProcessLimits:
    def test_what_is_left_of_the_address_space_counts(self) -> None:
        code = "from lsr_core.refinement.resources import room_bytes; print(room_bytes())"
        done = in_child(LIMITED.format(limit=400 * MIB, code=code))
        assert 300 * MIB < int(done.stdout) < 400 * MIB

    def test_a_job_is_refused_where_not_even_the_libraries_fit(self, tmp_path: Path) -> None:
        code = f"""
from pathlib import Path
from lsr_core.jobs.queue import create
from lsr_core.storage.runs import RunStore
from lsr_core import RefineConfig
print(create(RunStore(Path({str(tmp_path)!r})), "noisy1d", RefineConfig(max_rank=5), owner="t").path)
"""
        folder = in_child(code).stdout.strip()
        work = f"from lsr_core.jobs.__main__ import main; sys.exit(main([{folder + '/run.json'!r}]))"
        done = in_child(LIMITED.format(limit=400 * MIB, code=work))
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        status = (Path(folder) / "status.json").read_text()
        assert '"failed"' in status
        assert "PyTorch alone needs about" in status

    @pytest.mark.parametrize("command", [["refine", "noisy1d"], ["samples"], ["suite", "pinnacle"]], ids=" ".join)
    def test_a_command_is_refused_too(self, command: list[str]) -> None:
        code = f"from lsr_app.cli import run; sys.exit(run({command!r}))"
        done = in_child(LIMITED.format(limit=400 * MIB, code=code))
        assert done.returncode == 2, done.stderr
        assert "PyTorch alone needs about" in done.stderr
        assert "Traceback" not in done.stderr


class TestWatch:
    @pytest.fixture
    def held(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
        """What a job holds, and the room there is."""
        state = {"resident": 300 * MIB, "room": 10_000 * MIB}
        monkeypatch.setattr(watch, "_resident", lambda: (state["resident"], 0))
        monkeypatch.setattr(watch, "room_bytes", lambda: state["room"])
        monkeypatch.setattr(watch, "PATIENCE", 0.2)
        return state

    @staticmethod
    def until(found: list[str]) -> None:
        limit = time.monotonic() + 20
        while not found and time.monotonic() < limit:
            time.sleep(0.005)

    def test_above_the_budget_by_a_quarter_the_next_report_stops_the_job(self, held: dict[str, int]) -> None:
        ended: list[str] = []
        with Watch(1000 * MIB, ended.append) as watching:
            held["resident"] = 1200 * MIB
            time.sleep(0.15)
            watching.check()
            held["resident"] = 1300 * MIB
            reason: list[str] = []
            limit = time.monotonic() + 10
            while not reason and time.monotonic() < limit:
                try:
                    watching.check()
                except OutOfMemory as error:
                    reason.append(str(error))
            assert "more than a quarter above the 1000 MB it may use" in reason[0]
        assert not ended

    def test_a_job_that_never_reports_is_ended(self, held: dict[str, int]) -> None:
        ended: list[str] = []
        with Watch(1000 * MIB, ended.append):
            held["resident"] = 1300 * MIB
            self.until(ended)
        assert len(ended) == 1

    def test_one_that_goes_on_to_grow_is_ended_at_once(
        self, held: dict[str, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watch, "PATIENCE", 60.0)
        ended: list[str] = []
        with Watch(None, ended.append) as watching:
            held["room"] = 100 * MIB
            while not watching._reason:
                time.sleep(0.002)
            held["resident"] = 400 * MIB
            self.until(ended)
        assert "memory is used up" in ended[0]
        assert "100 MB were left" in ended[0]

    def test_the_sentence_names_the_largest_rank_that_fits(self, held: dict[str, int]) -> None:
        problem = problem_of("mlp", {"layers": [2, 100, 100, 1]}, 2, samples=300)
        expected = forecast(problem, RefineConfig(max_rank=300, memory_budget="2GB"))  # type: ignore[arg-type]
        watching = Watch(expected.peak_bytes, lambda _: None)
        watching.expect(expected)
        held["resident"] = int(1.3 * expected.peak_bytes)
        watching._look()
        with pytest.raises(OutOfMemory, match=r"largest maximum rank that fits is \d|no rank fits"):
            watching.check()

    @pytest.mark.parametrize(
        ("error", "memory"),
        [
            (MemoryError(), True),
            (RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"), True),
            (RuntimeError("std::bad_alloc"), True),
            (RuntimeError("a parallel allocation of points"), False),
        ],
    )  # fmt: skip
    def test_which_exceptions_mean_memory(self, error: Exception, memory: bool) -> None:
        assert is_out_of_memory(error) is memory


HUNGRY = """
from pathlib import Path
from lsr_core.jobs import worker
from pathlib import Path
from lsr_core.jobs.queue import create
from lsr_core.storage.runs import RunStore
from lsr_core import RefineConfig
run = create(RunStore(Path(sys.argv[1])), "noisy1d", RefineConfig(max_rank=5, memory_budget={budget}), owner="t")
print(run.path, flush=True)
{enter}
import torch
def grow(run, report):
    kept = []
    while True:
        kept.append(torch.ones(2**21))  # native calls that never report
worker.work_of = lambda kind: grow
worker.execute(run)
"""


def _status(folder: str) -> str:
    return (Path(folder) / "status.json").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
class TestAJobThatGrows:
    def run(self, tmp_path: Path, code: str) -> tuple[int, str]:
        command = [sys.executable, "-c", "import sys\n" + code, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        return done.returncode, _status(done.stdout.split()[0])

    def test_ends_itself_above_its_budget(self, tmp_path: Path) -> None:
        code, status = self.run(tmp_path, HUNGRY.format(budget=500 * MIB, enter=""))
        assert code == 1
        assert '"failed"' in status
        assert "more than a quarter above the 500 MB it may use" in status

    def test_ends_with_its_sentence_under_a_limit_of_address_space(self, tmp_path: Path) -> None:
        enter = f"import resource, torch; resource.setrlimit(resource.RLIMIT_AS, ({1200 * MIB}, {1200 * MIB}))"
        code, status = self.run(tmp_path, HUNGRY.format(budget=None, enter=enter))
        assert code == 1
        assert '"failed"' in status
        assert "memory" in status
        assert "less" in status

    def test_ends_with_its_sentence_in_a_control_group_of_400_mb(self, tmp_path: Path) -> None:
        group = Path("/sys/fs/cgroup/memory") / f"lsr-test-{os.getpid()}"
        try:
            group.mkdir()
            (group / "memory.limit_in_bytes").write_text(str(400 * MIB))
        except OSError:
            pytest.skip("no control group (version 1) can be made here")
        try:
            enter = f"import os; open({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))"
            code, status = self.run(tmp_path, HUNGRY.format(budget=None, enter=enter))
        finally:
            group.rmdir()
        assert code == 1  # the kernel's kill would be -9
        assert '"failed"' in status
        assert "memory is used up" in status or "memory ran out" in status


def test_too_little_for_the_libraries_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(resources, "room_bytes", lambda: 100 * MIB)
    with pytest.raises(InputError, match="PyTorch alone needs about 330 MB, and 100 MB may be used here"):
        resources.require_libraries()


def test_what_does_not_fit_is_refused_before_a_route_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    def proved(*_: object, **__: object) -> None:
        raise AssertionError("rows of a large network were taken")

    monkeypatch.setattr(preparing, "proved_strategy", proved)
    model = architectures.build("mlp", {"layers": [8, 1000, 1000, 4]})
    split = Split(torch.rand(50, 8), torch.rand(50, 4))
    problem = SupervisedProblem("large", model, split)
    with pytest.raises(InputError, match="Needs about") as refused:
        refine(problem, max_rank=10, strategy="row-blocks", memory_budget="600MB")
    assert refused.value.key == "memory_budget"


@pytest.mark.skipif(sys.platform != "linux", reason="an allocator of its own")
def test_a_large_block_goes_back_to_the_system_whatever_lies_above_it() -> None:
    """Without the call glibc kept 20 MB and more of these, by what it had freed before."""
    script = """
import psutil, torch
from lsr_core.refinement.resources import return_large_blocks
return_large_blocks()
ones = lambda mib: torch.ones(mib * 2**18)
for _ in range(3):  # freed blocks raise the size that glibc still keeps
    ones(24)
held = []
before = psutil.Process().memory_info().rss
for grown in range(10):
    large = ones(8 + grown)
    held.append(torch.ones(20_000))
    del large
print((psutil.Process().memory_info().rss - before) / 2**20)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 5
