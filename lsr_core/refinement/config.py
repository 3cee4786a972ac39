"""What a refinement is asked to do: one frozen, validated value that travels with every run."""

from __future__ import annotations

import math
import re
from typing import Literal

from pydantic import BaseModel, ByteSize, ConfigDict, Field, field_validator

RankChoice = Literal["auto", "knee"] | int
DEFAULT_MAX_RANK = 1000
MOST_STRENGTH = (
    1e8  # of a penalty, relative to the largest singular value: next to nothing is left of the step long before
)
RULES = ("auto", "none", "gcv", "loo", "evidence")


class RefineConfig(BaseModel):
    """Settings of one refinement (one-shot LSR, Cao & Zhang 2026).

    A run stores this value; together with the problem it is all that is needed to repeat the run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: RankChoice = Field(
        "auto",
        description="chosen by validation data (auto), by the knee of their error (knee), or a number; 0 = the network as it is",
    )
    max_rank: int | None = Field(
        None, ge=0, description="largest rank of the sweep; as many as fit, at most 1000, if not given"
    )
    oversampling: int = Field(20, ge=0, le=10_000, description="columns sketched beyond the maximum rank")
    power_iterations: int = Field(0, ge=0, le=20, description="passes that sharpen the sketch")
    rcond: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="cut-off of singular values, relative to the largest: of G V for data, where those that rounding alone "
        "has given a length are left out if it is not given; of G V with columns of length 1 for equations, there rows times rounding if it "
        "is not given",
    )
    damping: float = Field(
        0.0,
        ge=0,
        description="ridge penalty on the parameter step: (damping * largest singular value of G V)^2 * |step|^2 is added to "
        "the loss; 0 = none, 1e-4 to 1e-1 are worth a try with noisy data",
    )
    regularise: str = Field(
        "none",
        max_length=60,
        description="for noisy or few data: a ridge penalty on the parameter step, as strong as the data ask for by auto, gcv, loo or evidence, "
        "or so that a known noise is left (discrepancy:SIGMA), or a number as for damping; validation samples are fitted too",
    )
    prior: Literal["auto", "step", "weights"] = Field(
        "auto",
        description="what a smoothed refinement keeps small: the step, or (weights) the parameters that it leads to, for a network "
        "that was trained on the same noisy data; auto: three parts of the step and one of the weights with the rule auto, else the step",
    )
    bands: Literal["model", "conformal"] = Field(
        "model",
        description="of a smoothed refinement: standard deviations as the model has them, or (conformal) all multiplied by one number, so that "
        "95 percent bands hold training samples that are left out in turn",
    )
    dtype: Literal["float64", "float32"] = Field("float64", description="precision of the whole refinement")
    device: str = Field("cpu", description="where it computes: cpu, cuda, cuda:N or mps")
    seed: int = Field(0, ge=0, lt=2**63, description="seed of everything random: sketch, subsets, probes")
    source: Literal["outputs", "residuals"] = Field("outputs", description="Jacobian that the basis comes from")
    scaling: Literal["orthonormal", "singular-values"] = Field(
        "orthonormal", description="basis columns orthonormal, or divided by their singular values"
    )
    strategy: Literal["auto", "matrix-free", "row-blocks", "factored"] = Field(
        "auto", description="how the Jacobian is applied"
    )
    sketch: Literal["gaussian", "uniform"] = Field(
        "gaussian", description="random numbers of the sketch; uniform on [0, 1) is the published choice"
    )
    sketch_dtype: Literal["same", "float32"] = Field(
        "same", description="precision of the sketch; float32 finds the basis in single precision"
    )
    basis_points: int | None = Field(
        None,
        ge=1,
        description="size of a random subset of the training samples that the basis comes from; all if not given",
    )
    parameter_fraction: float = Field(
        1.0, gt=0, le=1, description="share of the scalars, drawn at random, that may move"
    )
    published: Literal[1, 2, 3, 4] | None = Field(
        None, description="basis and solve as in the authors' code, mode 1 to 4; see `published_settings`"
    )
    gauss_newton: int = Field(
        0, ge=0, le=1000, description="for nonlinear equations: at most so many Gauss-Newton steps after the solve"
    )
    linearised: Literal["logits", "probabilities"] = Field(
        "logits", description="of a classifier: its logits, weighted by their Fisher information, or its probabilities"
    )
    standardise: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="divide each of several outputs by the standard deviation of its targets in the solve and in the choice of the rank: "
        "auto where these differ by more than ten times",
    )
    layers: str | None = Field(
        None, max_length=200, description="only parameters whose name matches this pattern may move, e.g. linears.6.*"
    )
    memory_budget: ByteSize | None = Field(
        None, gt=0, description="what the process may use, in bytes or as 2GB; what is free if not given"
    )

    @field_validator("regularise", mode="before")
    @classmethod
    def _regularise_by_rule_or_number(cls, value: object) -> object:
        words = f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else value
        if not isinstance(words, str) or words in RULES:
            return words
        name, _, number = words.rpartition(":")
        try:
            found = float(number)
        except ValueError:
            found = math.nan
        most = math.inf if name else MOST_STRENGTH
        if name not in ("", "discrepancy") or not 0 <= found < most or (name and found == 0):
            raise ValueError(
                f"is {words[:40]!r}; give {', '.join(RULES)}, discrepancy:SIGMA with the noise of the data, or a number from 0 and below "
                f"{MOST_STRENGTH:.0e}"
            )
        return words

    @field_validator("rank", mode="before")
    @classmethod
    def _rank_in_words_or_digits(cls, value: object) -> object:
        if isinstance(value, str) and value not in ("auto", "knee"):
            if not re.fullmatch(r"[+-]?\d{1,9}", value):
                raise ValueError(f"is {value[:40]!r}; give auto, knee or a whole number")
            return int(value)
        return value

    @field_validator("rank")
    @classmethod
    def _rank_not_negative(cls, value: RankChoice) -> RankChoice:
        if isinstance(value, int) and value < 0:
            raise ValueError(f"rank must be 0 or more, got {value}")
        return value


def published_settings(mode: int = 1) -> dict[str, object]:
    """Settings of the authors' code (Cao & Zhang 2026), for like-for-like comparison.

    All modes: single precision, products column by column, uniform sketch, ten extra columns, no power iteration, no
    cut-off. Mode 1 takes the basis from the output Jacobian and divides it by the singular values, mode 2 from the
    residual Jacobian, unscaled; both solve on all rows. Modes 3 and 4 solve the system projected on the sketch's range
    instead, 3 with as many sketch columns as the rank.
    """
    settings: dict[str, object] = {
        "published": mode,
        "dtype": "float32",
        "strategy": "matrix-free",
        "sketch": "uniform",
        "oversampling": 10,
        "power_iterations": 0,
        "rcond": 0.0,
        "source": "outputs" if mode == 1 else "residuals",
        "scaling": "singular-values" if mode == 1 else "orthonormal",
    }
    if mode == 3:
        del settings["oversampling"]  # there is none
    return settings
