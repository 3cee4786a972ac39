"""Whose problems and runs they are, who is here, and what goes when its browser is gone."""
