"""Run the command line as `python -m catallax.cli`."""

import sys

from catallax.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
