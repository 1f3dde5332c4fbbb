"""Sets of agents, told and numbered by bits, against Python's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.matching.plain.kernels_sets import _counted, contains, new_set, number_in

WORDS = [0, 1, 2**63, 2**64 - 1, 0x5555_5555_5555_5555]


@given(st.sets(st.integers(0, 320)), st.integers(0, 3))
def test_members_are_told_and_numbered(members: set[int], beyond: int) -> None:
    listed = sorted(members)
    n_agents = 1 + beyond + max(listed, default=0)
    bits, before = new_set(np.array(listed, np.int32), n_agents)
    for agent in range(n_agents):
        assert contains(np.uint64(agent), bits) == (agent in members)
        if agent in members:
            assert number_in(np.uint64(agent), bits, before) == listed.index(agent)


@pytest.mark.parametrize("word", WORDS)
def test_ones_are_counted_compiled_or_not(word: int) -> None:
    bits, before = new_set(np.array([], np.int32), 64)
    assert (bits.tolist(), before.tolist()) == ([0, 0], [0, 0])
    bits[0] = np.uint64(word)
    last = number_in(np.uint64(63), bits, before) + contains(np.uint64(63), bits)
    assert last == _counted(np.uint64(word)) == bin(word).count("1")
