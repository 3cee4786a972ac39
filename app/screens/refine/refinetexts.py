"""The words of this page."""

from __future__ import annotations

from lsr_app.words import texts

GALLERY = {
    "data": "Functions from data",
    "equations": "Differential equations",
    "others": "Operators and classes",
}  # groups of samples

WORK = {"refine": "Refine once", "iterate": "Iterative LSR"}

SAMPLES = "Samples"
SAMPLES_LEAD = "Trained networks that come with the product; each fills the form above."
EACH_SOLVE = "Each solve: "

ALL_LAYERS = "All"

SETTINGS_OPEN = {
    "basis_points": "all samples",
    "memory_budget": "what is free",
    "rcond": "automatic",
}  # what leaving it open means

SETTING_CHOICES = {
    "strategy": texts.STRATEGIES,
    "sketch": {"gaussian": "Gaussian", "uniform": "Uniform"},
    "sketch_dtype": {"same": "Same"},
    "source": {"outputs": "Outputs", "residuals": "Residuals"},
    "scaling": {"orthonormal": "Orthonormal", "singular-values": "Singular values"},
    "prior": {"auto": "Automatic", "step": "The step", "weights": "The weights"},
    "bands": {"model": "As the model has them", "conformal": "By samples left out"},
    "linearised": {"logits": "Logits", "probabilities": "Probabilities"},
    "standardise": {"auto": "Where sizes differ", "yes": "Always", "no": "Never"},
}


FORM_LEAD_OWN = "What you brought is chosen. Say how far to refine it; the work runs in the background."

FORM_LEAD_RETRY = "The form holds the settings of this run. Change what went wrong and start again."


def use_largest(rank: int) -> str:
    return f"Use rank {rank:,}"


def fills(name: str) -> str:
    return f"Fills the form. On the command line it is called {name}."
