"""What mechanisms claim, held against a battery of small markets, and the stored table of it."""
