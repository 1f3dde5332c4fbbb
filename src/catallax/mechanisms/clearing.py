"""Running a mechanism: its reports are read, and what somebody else's returns is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from catallax.errors import CatallaxError, MechanismError
from catallax.mechanisms.house import of_the_house
from catallax.mechanisms.lottery import Lottery
from catallax.mechanisms.outcome import Outcome
from catallax.mechanisms.unstated_reasons import with_own_reasons

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.mechanisms.base import Mechanism

__all__ = ["cleared"]


def cleared(market: Market, mechanism: Mechanism, reports: Any = None) -> Outcome | Lottery:
    """Clear a market; see `catallax.mechanisms.clear`."""
    given = mechanism.read_reports(market, reports)
    if of_the_house(mechanism):
        result = mechanism.clear(market, given)
    else:
        result = _judged(mechanism, market, given)
    object.__setattr__(result, "cleared_by", mechanism)  # for updates
    return result


def _judged(mechanism: Mechanism, market: Market, reports: Any) -> Outcome | Lottery:
    """Run somebody else's mechanism: what goes wrong in it is said of it."""
    name = f"mechanism '{type(mechanism).__module__}:{type(mechanism).__qualname__}'"
    try:
        result = mechanism.clear(market, reports)
    except CatallaxError:
        raise
    except Exception as error:
        raise MechanismError(
            f"{name} failed on market '{market.name}': {type(error).__name__}: {error}"
        ) from error
    if not isinstance(result, Outcome | Lottery):
        raise MechanismError(f"{name} gave {type(result).__name__}, not an Outcome or a Lottery")
    outcomes = [result] if isinstance(result, Outcome) else [one for _, one in result.outcomes]
    for outcome in outcomes:
        if problem := _nonsense(outcome, market):
            raise MechanismError(f"{name} on market '{market.name}': {problem}")
    if isinstance(result, Outcome):
        return with_own_reasons(result)
    return replace(
        result, outcomes=tuple((chance, with_own_reasons(one)) for chance, one in result.outcomes)
    )


def _nonsense(outcome: Outcome, market: Market) -> str | None:
    """Say what no outcome can be: infeasible trades, or prices that are no amounts."""
    i, j = (np.asarray(side) for side in (outcome.buyer_index, outcome.seller_index))
    prices = np.concatenate([outcome.buyer_pays, outcome.seller_receives])
    if not i.size == j.size == outcome.buyer_pays.size == outcome.seller_receives.size:
        return "the numbers of buyers, sellers and prices of its trades differ"
    if ((i < 0) | (i >= len(market.buyers))).any() or ((j < 0) | (j >= len(market.sellers))).any():
        return "it trades an agent that the market does not have"
    if not np.isfinite(prices).all():
        return "it sets a price that is not a finite number"
    graph = market.graph
    if graph.complete:
        edges = i.astype(np.int64) * graph.n_sellers + j
    else:
        pairs = zip(graph.buyer.tolist(), graph.seller.tolist(), strict=True)
        edge = {pair: k for k, pair in enumerate(pairs)}
        found = [edge.get(pair) for pair in zip(i.tolist(), j.tolist(), strict=True)]
        if None in found:
            at = found.index(None)
            pair = f"{market.buyers.label(int(i[at]))} with {market.sellers.label(int(j[at]))}"
            return f"it trades {pair}, who have no edge"
        edges = np.array(found, dtype=np.int64)
    if not market.family.allows(edges.tolist()):
        return "its trades together are not feasible"
    return None
