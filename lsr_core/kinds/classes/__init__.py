"""A network of logits, and inputs with the class that each belongs to."""
