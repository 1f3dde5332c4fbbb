"""Array-only kernels that number the members of a set of agents.

A set is a bit for each agent, and for every 64 of them how many members come before. Of a million
agents that is 190 kB, which stay in the processor's own caches, where a number for each would not.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import config, types
from numba.extending import intrinsic

from catallax.compiled import compiled

__all__ = ["contains", "new_set", "number_in"]

WORD, BITS, ONE = np.uint64(6), np.uint64(63), np.uint64(1)


def _ones(_context, word):
    def generate(_context, builder, _signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(word), generate


def _counted(word):
    """Count where kernels run as plain Python, to be debugged (NUMBA_DISABLE_JIT)."""
    return int(word).bit_count()


ones: Any = _counted if vars(config)["DISABLE_JIT"] else intrinsic(_ones)


@compiled
def new_set(members, n_agents):
    """Return the set of these agents, who are listed ascending: its bits, and who comes before."""
    words = (n_agents >> 6) + 1
    bits = np.zeros(words, np.uint64)
    before = np.empty(words, np.int32)
    for agent in members:
        at = np.uint64(agent)
        bits[at >> WORD] |= ONE << (at & BITS)
    count = 0
    for word in range(words):
        before[word] = count
        count += np.int64(ones(bits[word]))
    return bits, before


@compiled
def contains(at, bits):
    """Tell whether an agent (64 bits, without a sign) is a member: 1 or 0."""
    return np.int64((bits[at >> WORD] >> (at & BITS)) & ONE)


@compiled
def number_in(at, bits, before):
    """Return how many members come before one of them."""
    word = at >> WORD
    return np.int64(before[word]) + np.int64(ones(bits[word] & ((ONE << (at & BITS)) - ONE)))
