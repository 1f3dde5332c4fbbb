"""Studies as tables, as charts and as one HTML file."""
