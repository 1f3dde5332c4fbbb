"""Graphs with constraints: flows for caps and quotas, programs and search for all others."""
