"""The lesson: what its experiments measure, which answer they make right, and its words."""
