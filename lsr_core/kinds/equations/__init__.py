"""A network that should satisfy an equation; the language of equations, its problem included, is `lsr_core.problems.physics`."""
