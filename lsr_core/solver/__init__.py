"""Equations from scratch: Gauss-Newton in tangent spaces of untrained networks, window after window of time where one is not enough."""
