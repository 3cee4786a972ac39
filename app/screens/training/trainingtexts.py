"""The words of this page."""

from __future__ import annotations

TRAINING_CAPTION = "Checkpoints"
TRAINING_COLUMNS = (
    "Epoch",
    "Network",
    "Refined predictor",
    "Factor",
    "Rank",
    "κ(G V)",
    "Limited by",
    "Confidence",
    "Seconds",
)
LIMITS = {
    "conditioning": "Conditioning",
    "unfinished": "Unfinished training",
    "nonconvexity": "Nonconvexity",
    "units": "Idle units",
    "capacity": "Capacity or data",
    "open": "Not decided",
    "precision": "Precision",
    "stationary": "Nothing: stationary",
    "overfitting": "Overfitting",
    "noise": "Noise",
    "unsolved": "Not solved",
    "undetermined": "Not determined",
}


def training_takes(epochs: list[int], duration: str) -> str:
    """What refining every checkpoint costs."""
    return (
        f"{len(epochs)} checkpoints, from epoch {epochs[0]:,} to {epochs[-1]:,}; about {duration} in all at the speed "
        "this machine has now."
    )
