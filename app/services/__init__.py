"""All that a page asks for: the only cached functions, and the only place where the dashboard reads runs."""
