"""From tables of any library to columns that are clean, with the place of every row for errors."""
