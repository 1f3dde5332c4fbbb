"""The command line: `catallax clear`, `prior`, `instances` and `mechanisms`.

Commands read arguments and print; what they compute comes from the rooms below, which are
imported when a command runs, so that `catallax --help` starts at once.
"""

from catallax.cli.app import main

__all__ = ["main"]
