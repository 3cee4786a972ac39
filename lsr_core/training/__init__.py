"""Nonlinear training of a network's weights: Levenberg-Marquardt, Adam, L-BFGS over one interface."""
