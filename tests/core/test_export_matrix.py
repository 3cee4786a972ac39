"""Every kind of network in every form that runs without this package: one fresh process reads all files of a form."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn

import lsr_core
from benchmarks._networks import NETWORKS, problem, read_together
from lsr_core.errors import InputError
from lsr_core.networks.transforms import names as conditions
from lsr_core.portable import kernels
from lsr_core.portable.check import BATCHES, spread, standalone_of, tolerance
from lsr_core.portable.gaussian import erf, erfc, gelu, gelu_backward
from lsr_core.portable.graph import explicit
from lsr_core.portable.kernels import convolution, layer_norm
from lsr_core.portable.measured import predictor_of
from lsr_core.portable.realparts import RealParts
from lsr_core.refinement.predictor import RefinedPredictor

# The test of the graphs holds every activation and every hard condition; here stands one of each kind.
KINDS = [name for name in NETWORKS if not name.startswith(("mlp, ", "pinn-mlp, `"))]
QUICK = ("mlp, gelu", "cnn-classifier", "fno-1d")
ONNX = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="the extra `onnx` is not installed",
)


@cache
def traced(name: str, dtype: torch.dtype, plain: bool) -> tuple[RefinedPredictor, Tensor, fx.GraphModule]:
    """Predictor, inputs and graph, which several forms share."""
    given = problem(name)
    predictor = predictor_of(given, lsr_core.refine(given, max_rank=8, rank=8).delta.double(), dtype)
    inputs = given.train.inputs.to(dtype)
    return predictor, inputs, explicit(predictor, inputs[:2], plain=plain)


def agree(names: list[str], form: str, precision: str, folder: Path) -> None:
    dtype = getattr(torch, precision)
    files, wanted = [], []
    for place, name in enumerate(names):
        predictor, inputs, graph = traced(name, dtype, standalone_of(form).plain)
        path = folder / str(place)
        standalone_of(form).write(path, graph, inputs[:2], name)
        batches = {f"batch_{size}": spread(inputs, size) for size in BATCHES}
        files.append((form, path, batches))
        wanted.append({key: predictor.predict(value) for key, value in batches.items()})
    found, said = read_together(files)
    for name, expected, outputs in zip(names, wanted, found, strict=True):
        assert outputs, (name, said[-2000:])
        scale = max(float(values.abs().max()) for values in expected.values())
        for key, values in expected.items():
            assert outputs[key].shape == values.shape, (name, key)
            # ONNX must be better here than the limit by which files are given out
            allowed = 1e-12 if precision == "float64" else tolerance(form, dtype)
            assert float((outputs[key] - values).abs().max()) / scale <= allowed, (name, key)


@pytest.mark.parametrize("form", ["pt2", "python"])
def test_some_kinds(form: str, tmp_path: Path) -> None:
    agree(list(QUICK), form, "float64", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("form", ["pt2", "python"])
def test_all_kinds(form: str, precision: str, tmp_path: Path) -> None:
    agree(KINDS, form, precision, tmp_path)


@ONNX
@pytest.mark.slow
def test_onnx_in_float64_without_its_kernels(tmp_path: Path) -> None:
    agree(list(QUICK), "onnx", "float64", tmp_path)


@ONNX
@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_onnx_of_all_kinds(precision: str, tmp_path: Path) -> None:
    agree(KINDS, "onnx", precision, tmp_path)


@ONNX
@pytest.mark.slow
def test_onnx_of_every_hard_condition(tmp_path: Path) -> None:
    agree([f"pinn-mlp, `{name}`" for name in conditions()], "onnx", "float64", tmp_path)


@pytest.mark.parametrize("name", ["fno-1d", "fno-2d", "neuraloperator-fno, 1d", "neuraloperator-fno, 2d"])
def test_transforms_as_products_leave_no_complex_number(name: str) -> None:
    predictor, inputs, graph = traced(name, torch.float64, True)
    operations = " ".join(str(node.target) for node in graph.graph.nodes)
    assert "fft" not in operations
    assert "complex" not in operations
    wanted = predictor.predict(inputs)
    assert float((graph(inputs) - wanted).abs().max() / wanted.abs().max()) <= 1e-12


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("size", [7, 8])
def test_a_product_is_the_transform(norm: Any, size: int) -> None:
    values = torch.rand(3, 6, 5, size, dtype=torch.float64)
    wanted = torch.fft.rfftn(values, dim=(1, 3), norm=norm)
    with RealParts({}):
        found = torch.fft.rfftn(values, dim=(1, 3), norm=norm)
        back = torch.fft.irfftn(found, s=(6, size), dim=(1, 3), norm=norm)
        line = torch.fft.irfft(torch.fft.rfft(values, norm=norm), n=size, norm=norm)
    assert torch.allclose(found.real, wanted.real, rtol=0, atol=1e-13)
    assert torch.allclose(found.imag, wanted.imag, rtol=0, atol=1e-13)
    assert torch.allclose(back, values, rtol=0, atol=1e-13)
    assert torch.allclose(line, values, rtol=0, atol=1e-13)


def test_kernels_are_the_functions_they_stand_for() -> None:
    x = torch.linspace(-9, 9, 20_001, dtype=torch.float64)
    grad = torch.linspace(-1, 1, 20_001, dtype=torch.float64)
    tight = {"rtol": 0, "atol": 2e-15}
    assert torch.allclose(erf(x), torch.erf(x), **tight)
    assert torch.allclose(erfc(x), torch.erfc(x), **tight)
    assert torch.allclose(gelu(x), nn.functional.gelu(x), **tight)
    assert torch.allclose(gelu_backward(grad, x), torch.ops.aten.gelu_backward(grad, x), **tight)
    bent = {"approximate": "tanh"}
    assert torch.allclose(gelu(x, **bent), nn.functional.gelu(x, **bent), **tight)
    assert torch.allclose(
        gelu_backward(grad, x, **bent), torch.ops.aten.gelu_backward(grad, x, **bent), rtol=0, atol=1e-14
    )
    rows, (weight, bias) = torch.rand(5, 4, 3, dtype=torch.float64), torch.rand(2, 3, dtype=torch.float64)
    normalised = (normalise(rows, [3], weight, bias, 1e-5) for normalise in (layer_norm, torch.native_layer_norm))
    for ours, theirs in zip(*normalised, strict=True):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)  # three values that are nearly equal magnify rounding
    image, kernel = torch.rand(3, 2, 9, 8, dtype=torch.float64), torch.rand(4, 2, 3, 2, dtype=torch.float64)
    for arguments in (([2, 1], [1, 0]), ([1, 3], [0, 1])):
        rest = (*arguments, [1, 1], False, [0, 0], 1)
        wanted = torch.convolution(image, kernel, None, *rest)
        assert torch.allclose(convolution(image, kernel, None, *rest), wanted, rtol=0, atol=1e-13)


def test_what_has_no_graph_says_why_and_what_instead() -> None:
    class Phase(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 4).double()

        def forward(self, inputs: Tensor) -> Tensor:
            return torch.angle(torch.fft.rfft(self.linear(inputs)))

    predictor = RefinedPredictor(Phase(), {"linear.bias": torch.ones(4, dtype=torch.float64)})
    with pytest.raises(InputError, match=r"ONNX has no complex numbers.*angle.*pt2.*python"):
        explicit(predictor, torch.rand(3, 4, dtype=torch.float64), plain=True)


def test_a_predictor_file_is_the_predictor(tmp_path: Path) -> None:
    for name in KINDS:
        given = problem(name)
        delta = torch.linspace(-1, 1, sum(value.numel() for value in given.model.parameters()), dtype=torch.float64)
        path = lsr_core.save_predictor(tmp_path / "predictor", given, delta, {"rank": 1})
        inputs = given.train.inputs[:17]
        wanted = predictor_of(given, delta, torch.float64).predict(inputs)
        assert torch.equal(lsr_core.load_predictor(path).predict(inputs), wanted), name


ATEN = torch.ops.aten
WIDE = 4 * torch.randn(3, 4, 6, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
SLOPE = torch.randn(WIDE.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
FOUR = torch.linspace(0.5, 2, 4, dtype=torch.float64)
FILTERS = torch.randn(6, 2, 3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
CALLS: dict[str, tuple[Any, ...]] = {
    "softplus": (ATEN.softplus, WIDE, 2.0, 5.0),
    "softplus_backward": (ATEN.softplus_backward, SLOPE, WIDE, 2.0, 5.0),
    "mish": (ATEN.mish, WIDE),
    "mish_backward": (ATEN.mish_backward, SLOPE, WIDE),
    "leaky_relu": (ATEN.leaky_relu, WIDE, 0.1),
    "leaky_relu_backward": (ATEN.leaky_relu_backward, SLOPE, WIDE, 0.1, False),
    "elu": (ATEN.elu, WIDE, 1.5, 2.0, 0.5),
    "elu_backward": (ATEN.elu_backward, SLOPE, 1.5, 2.0, 0.5, False, WIDE),
    "hardswish": (ATEN.hardswish, WIDE),
    "hardswish_backward": (ATEN.hardswish_backward, SLOPE, WIDE),
    "hardsigmoid": (ATEN.hardsigmoid, WIDE),
    "hardsigmoid_backward": (ATEN.hardsigmoid_backward, SLOPE, WIDE),
    "group_norm": (ATEN.native_group_norm, WIDE, FOUR, FOUR, 3, 4, 48, 2, 1e-5),
    "batch_norm": (ATEN.native_batch_norm, WIDE, FOUR, FOUR, None, None, True, 0.1, 1e-5),
    "avg_pool2d": (ATEN.avg_pool2d, WIDE, [2, 3], [1, 2]),
    "prelu": (ATEN._prelu_kernel, WIDE, FOUR.reshape(1, 4, 1, 1)),
    "prelu_backward": (ATEN._prelu_kernel_backward, SLOPE, WIDE, FOUR.reshape(1, 4, 1, 1).expand(WIDE.shape)),
    "convolution, transposed": (ATEN.convolution, WIDE, FILTERS.reshape(4, 3, 3, 3), FOUR[:3], [2, 3], [1, 0], [1, 2], True, [1, 0], 1),
    "convolution": (ATEN.convolution, WIDE, FILTERS, None, [1, 1], [2, 1], [2, 1], False, [0, 0], 2),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_what_is_written_out_is_torch_s_own(name: str) -> None:
    operator, *arguments = CALLS[name]
    found, wanted = getattr(kernels, name.partition(",")[0])(*arguments), operator(*arguments)
    pairs = zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=1e-13, atol=1e-13)
