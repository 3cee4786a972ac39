"""What a network should satisfy when it is the solution of a differential equation."""
