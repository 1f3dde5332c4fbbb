"""What people see of an outcome or a prior: tables, pictures and files.

Nothing is computed here: these functions format, draw and write what the other rooms return.
Each module is imported by name where it is used, because matplotlib and rich are slow to load:

- `catallax.report.outcomes.tables`: tables for a terminal;
- `catallax.report.outcomes.picture` and `catallax.report.priors.picture`: pictures;
- `catallax.report.outcomes.files`: outcomes as CSV or Parquet files.
"""
