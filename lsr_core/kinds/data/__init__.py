"""A network fitted to inputs and targets."""
