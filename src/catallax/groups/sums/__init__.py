"""Exact laws of sums of independent draws from any priors, with the votes of those who drew."""

from catallax.groups.sums.excess import expected_excess
from catallax.groups.sums.law import (
    VoteLaw,
    ballot_law,
    probability_at_least,
    vote_law,
)
from catallax.groups.sums.voters import Voters, voters_of

__all__ = [
    "VoteLaw",
    "Voters",
    "ballot_law",
    "expected_excess",
    "probability_at_least",
    "vote_law",
    "voters_of",
]
