"""Where networks are trained: refinements on the way, for a loop of one's own and for training libraries. Each library is an extra."""
