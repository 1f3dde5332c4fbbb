"""Many profiles of one plain graph at once: matched, charged, added up."""
