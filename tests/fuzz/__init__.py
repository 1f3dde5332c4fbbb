"""Files broken in every way, and what the command line makes of them.

`python -m tests.fuzz --cases 100000` runs many; `test_fuzz.py` runs a few of each kind.
"""
