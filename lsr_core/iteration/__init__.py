"""Iterative LSR: direct solves and alignments of the network in turn, beside the trainings it is compared with."""
