"""Which modules get faults, and which tests should notice them."""

from __future__ import annotations

DAMPED = ("tests/core/test_damped_steps.py",)
LINALG, SWEEP = "tests/core/test_linalg.py", "tests/core/test_sweep_laws.py"

TARGETS = {
    "lsr_core/linalg/damped.py": DAMPED,
    "lsr_core/linalg/diagonal.py": ("tests/core/test_diagonal.py", "tests/core/test_triangle_laws.py"),
    "lsr_core/linalg/operators.py": (LINALG,),
    "lsr_core/linalg/randomized.py": (LINALG,),
    "lsr_core/linalg/ridge.py": (*DAMPED, LINALG),
    "lsr_core/linalg/streaming_qr.py": (LINALG,),
    "lsr_core/linalg/triangular.py": ("tests/core/test_triangle_laws.py", LINALG),
    "lsr_core/refinement/solve.py": ("tests/core/test_one_solve.py",),
    "lsr_core/refinement/sweep.py": (SWEEP,),
    "lsr_core/refinement/reduction.py": ("tests/core/test_pass_laws.py",),
    "lsr_core/problems/physics/residuals.py": ("tests/core/test_block_rows.py",),
    "lsr_core/problems/physics/blocks.py": ("tests/core/test_block_laws.py",),
}
