"""Networks by name, as functions of their parameters, and their derivatives."""

from lsr_core.networks import pinn as pinn  # registers `pinn-mlp`
