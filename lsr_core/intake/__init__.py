"""Files that anybody may have made: read within bounds, looked at, and mapped to a problem."""
