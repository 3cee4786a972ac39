"""Data leave no number open."""

from lsr_core.refinement.estimating import Estimating

KIND = Estimating()
