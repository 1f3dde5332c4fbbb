"""The one order of all agents, against a sort of tuples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catallax.matching.order import order_agents, rank_agents

# Neighbours, both zeros, the smallest and the largest numbers: what a cut-off key takes for equal.
CLOSE = [0.5, *(np.nextafter(0.5, end) for end in (0, 1)), 1.0, np.nextafter(1.0, 2)]
WEIGHTS = st.sampled_from(
    [*CLOSE, *(-x for x in CLOSE), 0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, np.inf, -np.inf]
) | st.floats(allow_nan=False)


def expected(bids: np.ndarray, asks: np.ndarray) -> list[int]:
    """Heaviest first, buyers before sellers, the first buyer highest, the first seller lowest."""
    agents = [(-weight, 0, i, i) for i, weight in enumerate(bids.tolist())]
    agents += [(-weight, 1, -j, -1 - j) for j, weight in enumerate(asks.tolist())]
    return [agent[-1] for agent in sorted(agents)]


def check(bids: np.ndarray, asks: np.ndarray) -> None:
    buyer_rank, seller_rank, agent_at = rank_agents(bids, asks)
    assert agent_at.tolist() == expected(bids, asks) == order_agents(bids, asks).tolist()
    assert agent_at[buyer_rank].tolist() == list(range(bids.size))
    assert agent_at[seller_rank].tolist() == [-1 - j for j in range(asks.size)]
    assert {side.dtype for side in (buyer_rank, seller_rank, agent_at)} == {np.dtype(np.int32)}


@given(st.lists(WEIGHTS, max_size=30), st.lists(WEIGHTS, max_size=30))
def test_order(bids: list[float], asks: list[float]) -> None:
    check(np.array(bids, float), np.array(asks, float))


@pytest.mark.parametrize("spread", [0.0, 1e-13, 1.0, 1e300])
def test_many_weights_that_differ_in_the_last_places(spread: float) -> None:
    """Clusters around a few numbers far apart: no key has room for all of both."""
    rng = np.random.default_rng(4)
    centres = np.array([-1e4, -0.3, 0.0, 0.3, 1e4]) if spread < 2 else np.zeros(1)
    bids, asks = (rng.choice(centres, 3000) + spread * rng.random(3000) for _ in range(2))
    check(bids, np.concatenate([asks, bids[:500]]))
