"""Markets on disk: folders with a ``market.toml`` and JSON documents, read and written."""
