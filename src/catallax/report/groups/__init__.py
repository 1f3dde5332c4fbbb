"""Trade between groups as tables and pictures."""
