"""Exact laws of sums of independent draws from any priors, with the votes of those who drew.

`law` and `excess` are the doors; they take whichever way fits: `draws` knows one draw, `series`
sums of draws with densities or nothing smooth at all, `values` sums of atoms, `steep` poles and
needles.
"""

from catallax.groups.sums.draws.voters import Voters, voters_of
from catallax.groups.sums.excess import expected_excess
from catallax.groups.sums.law import (
    VoteLaw,
    ballot_law,
    probability_at_least,
    vote_law,
)

__all__ = [
    "VoteLaw",
    "Voters",
    "ballot_law",
    "expected_excess",
    "probability_at_least",
    "vote_law",
    "voters_of",
]
