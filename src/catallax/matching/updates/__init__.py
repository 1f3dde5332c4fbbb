"""Plain graphs whose weights change: the new best matching, at the cost of what changes."""
