"""How a followed outcome is compared with one that was cleared afresh: in everything it says."""

from __future__ import annotations

import numpy as np

SIDES = ("buyer", "seller")


def bits(values):
    """Show an array so that two are equal only bit for bit, the signs of zeros included."""
    array = np.ascontiguousarray(values)
    return array.dtype.str, array.shape, array.tobytes()


def same_thresholds(one, other):
    for name in ("agent", "level", "wins_ties", "source"):
        assert bits(getattr(one, name)) == bits(getattr(other, name)), name


def same_matching(one, other):
    assert one.solver == other.solver
    assert one.tick == other.tick
    for name in ("buyer_weights", "seller_weights", "buyer", "seller"):
        assert bits(getattr(one, name)) == bits(getattr(other, name)), name
    for name in ("trading_buyers", "trading_sellers", "waiting_buyers", "waiting_sellers"):
        same_thresholds(getattr(one, name), getattr(other, name))
    for name in ("slack", "buyer_elsewhere", "seller_elsewhere"):
        assert bits(getattr(one.pair_bounds, name)) == bits(getattr(other.pair_bounds, name)), name
    for buyers in (True, False):
        trading = set((one.buyer if buyers else one.seller).tolist())
        for agent in range(one.graph.n_buyers if buyers else one.graph.n_sellers):
            if agent not in trading:
                same_thresholds(
                    one.waiting(agent, buyers=buyers), other.waiting(agent, buyers=buyers)
                )


def same_outcome(one, other, *, words=True):
    """Hold two outcomes against each other; the first is asked without the pairs first."""
    for side in SIDES:
        for mine, theirs in zip(one.traders(side), other.traders(side), strict=True):
            assert bits(mine) == bits(theirs)
    if words:
        for side, agents in (("seller", one.market.sellers), ("buyer", one.market.buyers)):
            for agent in agents.ids.to_list():
                assert one.price(agent, side) == other.price(agent, side)
                assert one.explain(agent, side) == other.explain(agent, side)
    assert (one.mechanism, one.solver, one.tick) == (other.mechanism, other.solver, other.tick)
    assert one.transfers is None
    assert one.cleared_by == other.cleared_by
    for name in ("bids", "asks"):
        assert bits(getattr(one.reports, name)) == bits(getattr(other.reports, name))
    for name in ("buyer_index", "seller_index", "buyer_pays", "seller_receives", "weights"):
        assert bits(getattr(one, name)) == bits(getattr(other, name)), name
    assert bits(one.gains) == bits(other.gains)
    for side in SIDES:
        for mine, theirs in zip(
            one.reasons.critical(one, side), other.reasons.critical(other, side), strict=True
        ):
            assert bits(mine) == bits(theirs)
    if words:
        assert one.totals == other.totals
        assert one.to_dict() == other.to_dict()
        assert repr(one) == repr(other)
        assert one.trades.equals(other.trades)
        assert one.agents.equals(other.agents)
    same_matching(one.reasons.matching, other.reasons.matching)


def told_changes(outcome):
    """List what an outcome says has changed."""
    told = []
    for side in (outcome.changes.buyers, outcome.changes.sellers):
        parts = (side.agent, side.traded, side.trades, side.before, side.after)
        told.append(list(zip(*(part.tolist() for part in parts), strict=True)))
        assert np.isfinite(side.before).all()
        assert np.isfinite(side.after).all()
    assert len(outcome.changes) == len(told[0]) + len(told[1])
    return told


def found_changes(before, after):
    """Find what has changed from one outcome to another, from all prices of both."""
    found = []
    for side in SIDES:
        old, new = (
            dict(zip(*(part.tolist() for part in one.traders(side)), strict=True))
            for one in (before, after)
        )
        found.append(
            [
                (who, who in old, who in new, old.get(who, 0.0), new.get(who, 0.0))
                for who in sorted({*old, *new})
                if (who in old, old.get(who)) != (who in new, new.get(who))
            ]
        )
    return found
