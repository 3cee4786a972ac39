"""The words of this page."""

from __future__ import annotations

BANDS = {"low": "Low band, up to 8 half waves", "middle": "Middle band, 9 to 32", "high": "High band, beyond 32"}
STEP_MARKS = {"lsr": "LSR solve", "align": "Alignment of the network"}
SECONDS_MEASURES = {"relative_l2": "Relative L2 error", "fresh_residual": "Residual at fresh points"}
STOPPED = {
    "steps": "all rounds done",
    "seconds": "its time was up",
    "stagnation": "nothing was gained any more",
    "asked": "stopped when asked",
}
BANDS_CAPTION = "Energy by band"
NO_STEP_YET = "The first half step is on its way."
NO_SPECTRA = "This run has no reference on a grid, so there are no spectra and no error fields; the residual is shown."
NO_FIELDS = "The error fields of this half step were not kept."


def energies_fall(rank: int, bands: list[tuple[str, str, str]]) -> str:
    """What a single refinement did to the energies; (band, before, after)."""
    listed = ", ".join(f"from {before} to {after} in the {name} band" for name, before, after in bands)
    return f"At rank {rank:,} refinement takes the energy of the error {listed}."


def spectra_note(transform: str) -> str:
    """How spectra are made; Parseval's identity and the binning are those of `lsr_core.diagnosis.frequencies`."""
    return (
        f"Transform: {transform or 'see the record of the run'}. Frequency k along an input stands for k half waves over its length; the frequencies "
        "of all inputs are joined as √(k₁² + k₂²) and counted in bins of width 1 around 0, 1, 2, … Energies are mean squares: "
        "all bins together are the mean square error over the area, by the trapezoid rule, in which points at an edge count half (Parseval)."
    )
