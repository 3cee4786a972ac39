"""A network from functions to functions, and pairs of both: data whose errors are those of whole functions."""
