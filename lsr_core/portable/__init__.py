"""The refined predictor in forms that run without this package."""
