"""From any violation to a small one that a person can read."""
