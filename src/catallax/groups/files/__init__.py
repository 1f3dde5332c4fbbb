"""Group decision files: a JSON or TOML document with both groups, a price and a rule."""
