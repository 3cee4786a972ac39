"""What a run shows besides errors: input functions of an operator, and classes."""
