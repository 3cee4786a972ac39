"""A problem made ready for one refinement: dtype, device, checks, strategy, sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.linalg.reduction import ALONE, Reduction
from lsr_core.networks.answers import check_answer
from lsr_core.networks.checks import refuse_training_mode
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.probe import Findings
from lsr_core.networks.routes import Left
from lsr_core.networks.strategies import Strategy
from lsr_core.networks.taking import in_precision
from lsr_core.problems.kinds import ProblemKind
from lsr_core.problems.splits import CHECKED, MappedSplit, Split
from lsr_core.problems.streams import mapped
from lsr_core.refinement.config import DEFAULT_MAX_RANK, RefineConfig
from lsr_core.refinement.plan import Plan, make_plan
from lsr_core.refinement.routed import routed
from lsr_core.refinement.sizes import Sizes


@dataclass(frozen=True, eq=False)
class Setting:
    """Everything a refinement works with, on its device and in its dtype; targets are (n, o).

    Where outputs are divided by their sizes, `function` gives them and `splits` holds the targets so divided; `network` and `physical` are
    those of the outputs as they are.

    Attributes:
        parts: outputs that are told one by one, each of o/parts columns; 1 = all as one whole.
        reduction: which rows this process works on; splits hold all of them, and every count is one of all.
    """

    kind: ProblemKind
    config: RefineConfig
    function: ParametricFunction
    strategy: Strategy
    sizes: Sizes
    plan: Plan
    sample_wise: bool
    splits: dict[str, Split]
    parts: int
    display: str
    max_rank: int
    rcond: float
    adjoint_error: float
    routes_left: tuple[Left, ...]
    notes: tuple[str, ...]
    reduction: Reduction = field(default=ALONE, kw_only=True)

    @property
    def train(self) -> Split:
        return self.splits["train"]

    @property
    def n_residuals(self) -> int:
        return self.train.targets.numel()

    @property
    def n_samples(self) -> int:
        """What rows are parted by."""
        return len(self.train.inputs)

    @property
    def n_outputs(self) -> int:
        return self.train.targets.shape[1]

    @property
    def weight(self) -> float:
        """What the rows of `errors` and of their Jacobian are multiplied by, so that their squared norm is the loss."""
        return 1 / math.sqrt(self.n_residuals)

    @property
    def mean_square_target(self) -> float:
        """What turns mean squares on the training rows into relative errors."""
        return mean_square(self.train.targets)

    @property
    def part_sizes(self) -> Tensor:
        """What each of the outputs that are told one by one is divided by (parts,), in float64."""
        sizes = self.function.sizes
        whole = torch.ones(self.parts, dtype=torch.float64, device=self.function.device)
        return whole if sizes is None else sizes.view(self.parts, -1)[:, 0].double()

    def physical(self, values: Tensor) -> Tensor:
        """Outputs or errors of `function` (n, o, …) as those of the network."""
        sizes = self.function.sizes
        return values if sizes is None else values * sizes.to(values.dtype).view(-1, *[1] * (values.ndim - 2))

    def divided(self, values: Tensor) -> Tensor:
        """Outputs or errors (n, o) of the network as those of `function`."""
        sizes = self.function.sizes
        return values if sizes is None else values / sizes.to(values.dtype)

    def network(self, inputs: Tensor, theta: Tensor | None = None) -> Tensor:
        """The outputs of the network as they are (n, o), at θ0 or at `theta`."""
        return self.physical(self.function.outputs(inputs, theta))

    def squares(self, name: str) -> Tensor:
        """Mean squares (parts,) of the targets of a split as they are, in float64."""
        targets = self.splits[name].targets.unflatten(1, (self.parts, -1))
        norms = torch.linalg.vector_norm(targets, dim=(0, 2)).double() * self.part_sizes
        return norms.square() / (targets[:, 0].numel() or 1)

    def relative_l2(self, mse: float, name: str) -> float:
        """‖q − y‖/‖y‖ on a split from the mean square error, of the outputs as they are."""
        scale = float(self.squares(name).mean())
        return math.sqrt(mse / scale) if scale > 0 else math.nan

    def errors(self) -> Tensor:
        """Training rows (N,) at θ0, before the weight."""
        return (self.function.outputs(self.train.inputs) - self.train.targets).reshape(-1)

    def seed(self, stream: int) -> int:
        """A seed for each use of random numbers."""
        return (self.config.seed * 1_000_003 + stream) % 2**63

    def generator(self, stream: int) -> torch.Generator:
        """An independent source of random numbers, on the CPU so that a seed means the same everywhere."""
        return torch.Generator().manual_seed(self.seed(stream))


@dataclass(frozen=True, eq=False)
class Outline:
    """What is known of a refinement before any data are touched."""

    function: ParametricFunction
    strategy: Strategy
    sizes: Sizes
    plan: Plan
    max_rank: int
    notes: tuple[str, ...]
    findings: Findings


def function_of(model: nn.Module, config: RefineConfig) -> ParametricFunction:
    """The network by the parameters that may move, on the device and in the dtype that were asked for.

    Raises:
        InputError: a device this machine does not have, a network in training mode, layers that it does not have.
    """
    device = device_of(config)
    refuse_training_mode(model)
    return ParametricFunction.from_module(
        model,
        dtype=torch.float64 if config.dtype == "float64" else torch.float32,
        device=device,
        layers=config.layers,
        fraction=config.parameter_fraction,
        generator=torch.Generator().manual_seed(config.seed),
    )


def refuse_other_answers(function: ParametricFunction, rows: Tensor, shape: Sequence[int]) -> None:
    """Refuse a network that is no function of one tensor, before anything else is asked of it; raises as `check_answer`."""
    if function.module is None:
        return
    try:
        check_answer(function.module, rows, shape)
    except InputError:
        raise
    except Exception:  # forward itself fails, of which `examine` says where and what to do
        return


def rcond_of(config: RefineConfig, n_residuals: int, eps: float) -> float:
    """The cut-off of small singular values, relative to the largest, for outputs of a relative precision."""
    return min(config.rcond if config.rcond is not None else n_residuals * eps, 0.5)


def with_strategy(seen: Outline, strategy: Strategy, config: RefineConfig) -> Outline:
    """The outline with the strategy that was proved, and a plan for it."""
    sizes = routed(seen.sizes, strategy)
    plan = make_plan(sizes, config, strategy.name, seen.max_rank)
    strategy = replace(strategy, block_bytes=plan.block_bytes)
    return replace(seen, function=strategy.function, strategy=strategy, sizes=sizes, plan=plan)


def clamp_rank(
    config: RefineConfig, n_residuals: int, n_params: int, default: int = DEFAULT_MAX_RANK
) -> tuple[int, list[str]]:
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
    if limit < default:
        return limit, [
            f"Maximum rank clamped to {limit:,}: there are {n_residuals:,} residuals and {n_params:,} parameters."
        ]
    return max(default, fixed), []


def converted(split: Split, dtype: torch.dtype, device: torch.device) -> Split:
    """The split on a device and in a dtype, targets as (n, o); inputs that are integers stay so, rows in mapped files too."""
    inputs = in_precision(split.inputs.to(device), dtype)
    return type(split)(inputs, split.targets.to(device=device, dtype=dtype).reshape(len(split.targets), -1))


def divided(split: Split, sizes: Tensor) -> Split:
    """The split with its targets (n, o) divided by their sizes (o,): in a mapped file where they lie in one."""
    blocks = (block / sizes.to(block) for block in split.targets.split(CHECKED))
    targets = mapped(blocks).to(split.targets.device) if isinstance(split, MappedSplit) else torch.cat(list(blocks))
    return type(split)(split.inputs, targets)


def in_precision_of(function: ParametricFunction, inputs: Tensor) -> Tensor:
    """Inputs in the dtype of the function; integers stay so."""
    return in_precision(inputs, function.dtype)


def device_of(config: RefineConfig) -> torch.device:
    """The device of a config.

    Raises:
        InputError: this machine does not have it, or it lacks the dtype.
    """
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
    scale = mean_square(split.targets)
    return math.sqrt(mse / scale) if scale > 0 else math.nan


def mean_square(values: Tensor) -> float:
    """Mean of the squares, without a copy of the values."""
    return float(torch.linalg.vector_norm(values)) ** 2 / values.numel()
