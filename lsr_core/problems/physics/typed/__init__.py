"""Equations that a user types: expressions of a small grammar, checked and then evaluated on tensors. Nothing typed is ever executed."""
