"""Cap-monotonicity."""
OnlyRule = None
