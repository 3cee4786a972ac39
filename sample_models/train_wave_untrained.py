"""The wave equation with β = 5 (Rathore et al. 2024) with a network at its random start.

python -m lsr_samples.train_wave_untrained [--seed 0] [--out DIR] [--search]
"""

from __future__ import annotations

from lsr_samples import physics

SAMPLE = physics.EquationSample(
    name="wave-untrained",
    title="Wave equation, untrained",
    description=(
        "A random tanh network that starts as the string does. Training fails on this problem; one linear "
        "solve does not."
    ),
    equation="wave",
    layers=(2, 64, 64, 1),
    scale={"x": 1.0, "t": 4.0},
    options={"n_interior": 5000},
    recipe={"training": "none", "scales": "found on seed 0 by `lsr scales`: by the residual on fresh points alone"},
)

if __name__ == "__main__":
    physics.main(SAMPLE)
