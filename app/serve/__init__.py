"""The server that `lsr dashboard` starts: what it listens to, whom it answers, what it limits, and what it writes down."""
