"""A problem made ready for one refinement: dtype, device, checks, strategy, sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.operators import dot_test
from lsr_core.networks.functions import ParametricFunction, check_outputs
from lsr_core.networks.strategies import Strategy, choose_strategy
from lsr_core.problems.supervised import Split, SupervisedProblem
from lsr_core.refinement.config import DEFAULT_MAX_RANK, RefineConfig

HEALTH_SAMPLES = 64
ADJOINT_TOLERANCE = 1e5  # multiples of eps


@dataclass(frozen=True, eq=False)
class Setting:
    """Everything a refinement works with, on its device and in its dtype; targets are (n, o)."""

    config: RefineConfig
    function: ParametricFunction
    strategy: Strategy
    splits: dict[str, Split]
    display: str
    max_rank: int
    rcond: float
    adjoint_error: float
    notes: tuple[str, ...]

    @property
    def train(self) -> Split:
        return self.splits["train"]

    @property
    def n_residuals(self) -> int:
        return self.train.targets.numel()

    @property
    def n_outputs(self) -> int:
        return self.train.targets.shape[1]

    def generator(self, stream: int) -> torch.Generator:
        """An independent source of random numbers for each use, on the CPU so that a seed means the same everywhere."""
        return torch.Generator().manual_seed((self.config.seed * 1_000_003 + stream) % 2**63)


def prepare(problem: SupervisedProblem, config: RefineConfig) -> Setting:
    """Check and convert.

    Raises:
        InputError: a device or dtype this machine does not have, a rank beyond min(n, m), a network that cannot be linearised.
    """
    device = _device(config)
    dtype = torch.float64 if config.dtype == "float64" else torch.float32
    function = ParametricFunction.from_module(problem.model, dtype=dtype, device=device)
    splits = {name: converted(split, dtype, device) for name, split in problem.splits().items()}
    train = splits["train"]
    n_outputs = train.targets.shape[1]
    sample_wise = check_outputs(function, train.inputs, n_outputs)
    for name, split in splits.items():
        if name != "train":
            check_outputs(function, split.inputs, n_outputs)
    max_rank, notes = clamp_rank(config, train.targets.numel(), function.n_params)
    strategy = choose_strategy(
        function,
        train.inputs,
        n_outputs,
        width=max_rank + config.oversampling,
        wanted=config.strategy,
        sample_wise=sample_wise,
    )
    generator = torch.Generator().manual_seed(config.seed)
    adjoint_error = dot_test(strategy.at(train.inputs[:HEALTH_SAMPLES]), generator)
    if not adjoint_error <= ADJOINT_TOLERANCE * torch.finfo(dtype).eps:
        raise InputError(
            f"forward and reverse derivatives disagree by {adjoint_error:.1e}; a custom function in it has a wrong gradient",
            key="model",
        )
    rcond = config.rcond if config.rcond is not None else train.targets.numel() * torch.finfo(dtype).eps
    return Setting(
        config, function, strategy, splits, problem.display[0], max_rank, min(rcond, 0.5), adjoint_error, tuple(notes)
    )


def clamp_rank(config: RefineConfig, n_residuals: int, n_params: int) -> tuple[int, list[str]]:
    """The largest rank of the sweep, with a note where the default was clamped.

    Raises:
        InputError: a rank was asked for that is larger than min(n, m).
    """
    limit = min(n_residuals, n_params)
    for key, asked in (("max_rank", config.max_rank), ("rank", config.rank)):
        if isinstance(asked, int) and asked > limit:
            raise InputError(
                f"is {asked}, but {n_residuals} residuals and {n_params} parameters allow at most {limit}; ask for less",
                key=key,
            )
    fixed = config.rank if isinstance(config.rank, int) else 0
    if config.max_rank is not None:
        if fixed > config.max_rank:
            raise InputError(
                f"is {fixed}, larger than the maximum rank {config.max_rank}; raise one or lower the other", key="rank"
            )
        return config.max_rank, []
    if limit < DEFAULT_MAX_RANK:
        return limit, [f"Maximum rank clamped to {limit}: there are {n_residuals} residuals and {n_params} parameters."]
    return max(DEFAULT_MAX_RANK, fixed), []


def converted(split: Split, dtype: torch.dtype, device: torch.device) -> Split:
    """The split on a device and in a dtype, targets as (n, o); inputs that are integers stay so."""
    inputs: Tensor = split.inputs.to(device)
    if inputs.is_floating_point():
        inputs = inputs.to(dtype)
    return Split(inputs, split.targets.to(device=device, dtype=dtype).reshape(len(split.targets), -1))


def _device(config: RefineConfig) -> torch.device:
    try:
        device = torch.device(config.device)
    except RuntimeError as error:
        raise InputError(f"{config.device!r} is not a device; use cpu, cuda, cuda:N or mps", key="device") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("no CUDA device is usable from this PyTorch; use cpu", key="device")
    if device.type == "mps":
        if not torch.backends.mps.is_available():
            raise InputError("no MPS device is usable from this PyTorch; use cpu", key="device")
        if config.dtype == "float64":
            raise InputError("MPS has no float64; ask for float32 or use cpu", key="dtype")
    if device.type not in ("cpu", "cuda", "mps"):
        raise InputError(f"{config.device!r} is not supported; use cpu, cuda, cuda:N or mps", key="device")
    return device


def relative_l2(mse: float, split: Split) -> float:
    """‖q − y‖/‖y‖ from the mean square error."""
    scale = float(split.targets.square().mean())
    return math.sqrt(mse / scale) if scale > 0 else math.nan
