"""Outcomes after some reports have changed, at the cost of what changes with them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from catallax.errors import MechanismError, ReportError
from catallax.mechanisms.base import Mechanism, SeparableMechanism
from catallax.mechanisms.explain import ThresholdReasons
from catallax.mechanisms.outcome import Outcome

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.matching import Matching, Thresholds
    from catallax.matching.updates.updated import UpdatedMatching
    from catallax.mechanisms.lottery import Lottery
    from catallax.mechanisms.outcome import Role

__all__ = ["UpdatedOutcome", "updated"]

Array = NDArray[np.float64]
Indices = NDArray[np.int32]

# Fewer thresholds than this are inverted one by one.
_FEW = 200


class UpdatedOutcome(Outcome):
    """An outcome that was followed from an earlier one.

    It is the outcome of clearing afresh, bit for bit. Who trades and what everybody pays or
    receives is known; who trades with whom, and what is listed in that order, is found when
    it is first asked for.
    """

    _critical: Array
    """Critical reports of those who trade: buyer i at i, seller j at n_buyers + j."""

    @classmethod
    def of(
        cls, earlier: Outcome, reports: Reports, matching: UpdatedMatching, critical: Array
    ) -> UpdatedOutcome:
        """Make an outcome of what was followed."""
        outcome = cls.__new__(cls)
        vars(outcome).update(
            market=earlier.market,
            reports=reports,
            mechanism=earlier.mechanism,
            solver=matching.solver,
            reasons=ThresholdReasons(_reasons(earlier).mechanism, matching),
            tick=None,
            transfers=None,
            cleared_by=earlier.cleared_by,
            _critical=critical,
        )
        return outcome

    @property
    def _matching(self) -> UpdatedMatching:
        return cast("UpdatedMatching", _reasons(self).matching)

    @cached_property
    def buyer_index(self) -> Indices:  # type: ignore[override]
        """The buyers of the trades."""
        return self._matching.buyer

    @cached_property
    def seller_index(self) -> Indices:  # type: ignore[override]
        """The sellers of the trades."""
        return self._matching.seller

    @cached_property
    def buyer_pays(self) -> Array:  # type: ignore[override]
        """What the buyers of the trades pay."""
        return self._prices("buyer", self.buyer_index)

    @cached_property
    def seller_receives(self) -> Array:  # type: ignore[override]
        """What the sellers of the trades receive."""
        return self._prices("seller", self.seller_index)

    @cached_property
    def weights(self) -> Array:  # type: ignore[override]
        """What each trade adds to the objective."""
        matching = self._matching
        buyers, sellers = matching.buyer_weights, matching.seller_weights
        return buyers[self.buyer_index] - sellers[self.seller_index]

    def traders(self, role: Role) -> tuple[Indices, Array]:
        """List who of a side trades, and at what price; see `Outcome.traders`."""
        pairs = self._matching.pairs
        if role == "buyer":
            return pairs.buyer, self.buyer_pays
        return pairs.seller, self._prices("seller", pairs.seller)

    def partner(self, role: Role, index: int) -> int | None:
        """Find the place of an agent's trade among the trades, or None."""
        pairs = self._matching.pairs
        side = pairs.buyer if role == "buyer" else pairs.seller
        at = int(np.searchsorted(side, index))
        if at == side.size or side[at] != index:
            return None
        return at if role == "buyer" else super().partner(role, index)

    def _prices(self, role: Role, agent: Indices) -> Array:
        # As in `SeparableMechanism.clear`, an inverse may be off by a rounding.
        if role == "buyer":
            return np.minimum(self._critical[agent], self.reports.bids[agent])
        first = len(self.market.buyers)
        return np.maximum(self._critical[first + agent], self.reports.asks[agent])


def updated(
    earlier: Outcome | Lottery, reports: Any = None, *, bids: Any = None, asks: Any = None
) -> Outcome | Lottery:
    """Clear again after some reports have changed; see `Outcome.update`."""
    from catallax.mechanisms.registry import clear

    mechanism = _mechanism(earlier)
    outcome = earlier if isinstance(earlier, Outcome) else earlier.outcomes[0][1]
    given = _new_reports(mechanism, outcome, reports, bids, asks)
    if isinstance(earlier, Outcome) and _followable(earlier, mechanism):
        ours = type(mechanism).__module__.partition(".")[0] == "catallax"
        try:
            found = _followed(earlier, cast("SeparableMechanism", mechanism), given)
        except Exception:
            if ours:
                raise
            found = None  # clearing afresh says of somebody else's mechanism what went wrong
        if found is not None:
            return found
    return clear(outcome.market, mechanism, given)


def _mechanism(earlier: Outcome | Lottery) -> Mechanism:
    """Find the mechanism with its parameters."""
    if earlier.cleared_by is not None:
        return earlier.cleared_by
    if isinstance(earlier, Outcome) and _is_separable(earlier):
        return _reasons(earlier).mechanism
    raise MechanismError(
        f"this result of '{earlier.mechanism}' does not tell its mechanism's parameters; "
        "clear the market with catallax.clear, and update what that returns"
    )


def _reasons(outcome: Outcome) -> ThresholdReasons:
    return cast("ThresholdReasons", outcome.reasons)


def _is_separable(outcome: Outcome) -> bool:
    """Tell whether an outcome is just what `SeparableMechanism.clear` makes."""
    return (
        isinstance(outcome.reasons, ThresholdReasons)
        and type(outcome.reasons.mechanism).clear is SeparableMechanism.clear
        and outcome.reasons.mechanism.slug == outcome.mechanism
        and outcome.transfers is None
    )


def _followable(outcome: Outcome, mechanism: Mechanism) -> bool:
    """Tell whether updates can be followed: a separable mechanism without constraints."""
    return _is_separable(outcome) and _reasons(outcome).mechanism == mechanism


def _new_reports(mechanism: Mechanism, outcome: Outcome, reports: Any, bids: Any, asks: Any) -> Any:
    """Give all reports, and check those that are new."""
    from catallax.markets import Reports, check_reports
    from catallax.markets.reports import changed_reports

    market, old = outcome.market, outcome.reports
    if reports is not None and (bids is not None or asks is not None):
        raise ReportError("give either all reports or the bids and asks that change, not both")
    if type(mechanism).read_reports is not Mechanism.read_reports:
        if reports is None:
            raise ReportError(
                f"the reports of '{mechanism.slug}' are more than a bid for each buyer: "
                "give all of them, outcome.update(reports)"
            )
        return mechanism.read_reports(market, reports)
    if reports is None:
        reports = changed_reports(market, old, bids=bids, asks=asks)
    elif not isinstance(reports, Reports):
        raise ReportError(
            "the reports to update with are Reports(bids=..., asks=...); name those that "
            "change with outcome.update(bids={...}, asks={...})"
        )
    if not _plain(market, old, reports):
        check_reports(market, reports)
    return reports


def _plain(market: Market, old: Reports, new: Reports) -> bool:
    """Tell whether what is new among reports needs no closer look (the old was looked at)."""
    if new.bids.shape != old.bids.shape or new.asks.shape != old.asks.shape:
        return False
    bids, asks = new.bids[_changes(old.bids, new.bids)], new.asks[_changes(old.asks, new.asks)]
    both = np.concatenate([bids, asks])
    largest = np.inf if market.largest_report is None else market.largest_report
    return bool((np.isfinite(both) & (np.abs(both) <= largest)).all() and (asks >= 0).all())


def _changes(old: Array, new: Array) -> NDArray[np.intp]:
    """Find where two arrays differ, be it in the sign of a zero."""
    if old is new:
        return np.empty(0, np.intp)
    return np.flatnonzero(
        np.ascontiguousarray(old).view(np.int64) != np.ascontiguousarray(new).view(np.int64)
    )


def _followed(
    outcome: Outcome, mechanism: SeparableMechanism, reports: Reports
) -> UpdatedOutcome | None:
    """Follow an outcome; None where the market has to be cleared afresh."""
    from catallax.matching.updates.follow import follow

    market, matching = outcome.market, _reasons(outcome).matching
    agents, weights = _changed_weights(outcome, mechanism, reports)
    found = follow(matching, agents, weights)
    if found is None:
        return None
    new, touched = found
    if touched is None:
        critical = _all_critical(mechanism, market, new)
    else:
        critical = _known_critical(outcome, mechanism).copy()
        critical[touched] = _some_critical(mechanism, market, new, touched)
    critical.flags.writeable = False
    result = UpdatedOutcome.of(outcome, reports, new, critical)
    if type(mechanism).__module__.partition(".")[0] != "catallax":
        for role in ("buyer", "seller"):
            if not np.isfinite(result.traders(role)[1]).all():
                return None  # clearing afresh says so
    return result


def _shares(mechanism: SeparableMechanism) -> bool:
    """Tell whether its own class says that weights and prices depend on the prior alone."""
    return "some_weights" in vars(type(mechanism))


def _changed_weights(
    outcome: Outcome, mechanism: SeparableMechanism, reports: Reports
) -> tuple[NDArray[np.intp], Array]:
    """Weigh whoever reports anew, and tell who weighs something else than before."""
    old, matching = outcome.reports, _reasons(outcome).matching
    n_buyers = len(outcome.market.buyers)
    if _shares(mechanism):
        buyers, sellers = _changes(old.bids, reports.bids), _changes(old.asks, reports.asks)
        weights = mechanism.some_weights(outcome.market, reports, buyers, sellers)
    else:
        buyers, sellers = np.arange(n_buyers), np.arange(len(outcome.market.sellers))
        weights = mechanism.weights(outcome.market, reports)
    agents, new = [], []
    for who, weight, known, first in (
        (buyers, weights[0], matching.buyer_weights, 0),
        (sellers, weights[1], matching.seller_weights, n_buyers),
    ):
        weight = np.asarray(weight, float)
        if weight.shape != who.shape:
            raise ValueError("one weight is needed for every buyer and every seller")
        moved = _changes(known[who], weight)
        agents.append(who[moved] + first)
        new.append(weight[moved])
    return np.concatenate(agents), np.concatenate(new)


def _known_critical(outcome: Outcome, mechanism: SeparableMechanism) -> Array:
    """Give the critical reports of those who trade in an earlier outcome, found once."""
    if isinstance(outcome, UpdatedOutcome):
        return outcome._critical
    known = vars(outcome)
    if "_known_critical" not in known:
        matching = _reasons(outcome).matching
        known["_known_critical"] = _all_critical(mechanism, outcome.market, matching)
    return known["_known_critical"]


def _all_critical(mechanism: SeparableMechanism, market: Market, matching: Matching) -> Array:
    """Find the critical reports of all who trade."""
    n_buyers = len(market.buyers)
    critical = np.zeros(n_buyers + len(market.sellers))
    from catallax.matching.updates.updated import UpdatedMatching

    if isinstance(matching, UpdatedMatching):  # without asking who trades with whom
        pairs = matching.pairs
        buyers = matching.thresholds_of(pairs.buyer, buyers=True)
        sellers = matching.thresholds_of(pairs.seller, buyers=False)
    else:
        buyers, sellers = matching.trading_buyers, matching.trading_sellers
    critical[buyers.agent] = _critical(mechanism, market, buyers, "buyer")
    critical[n_buyers + sellers.agent] = _critical(mechanism, market, sellers, "seller")
    return critical


def _some_critical(
    mechanism: SeparableMechanism, market: Market, matching: UpdatedMatching, who: Indices
) -> Array:
    """Find the critical reports of some agents, numbered together; 0 for who does not trade."""
    from catallax.matching.updates.updated import Labels

    state, n_buyers = cast("Labels", matching.state), len(market.buyers)
    critical = np.zeros(who.size)
    trades, is_buyer = state.partner[who] >= 0, who < n_buyers
    for role, here in (("buyer", trades & is_buyer), ("seller", trades & ~is_buyer)):
        agent = who[here] if role == "buyer" else who[here] - np.int32(n_buyers)
        thresholds = matching.thresholds_of(agent, buyers=role == "buyer")
        critical[here] = _critical(mechanism, market, thresholds, cast("Role", role))
    return critical


def _critical(
    mechanism: SeparableMechanism, market: Market, thresholds: Thresholds, role: Role
) -> Array:
    """Find critical reports, once for all who share a prior and a threshold."""
    from catallax.matching import Thresholds

    invert = mechanism.critical_bids if role == "buyer" else mechanism.critical_asks
    base = getattr(SeparableMechanism, invert.__name__)
    if thresholds.agent.size < _FEW or not _shares(mechanism) or invert.__func__ is base:
        return invert(market, thresholds)
    from catallax.matching.updates.kernels_compare import alike

    side = market.buyers if role == "buyer" else market.sellers
    first, of = alike(side.prior_of[thresholds.agent], thresholds.source, thresholds.wins_ties)
    few = Thresholds(*(part[first] for part in vars(thresholds).values()))
    return invert(market, few)[of]
