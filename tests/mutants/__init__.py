"""Faults put into the engine one at a time, to see that a test notices each."""
