"""Outcomes that are followed: what is asked for is read, and the rest is left alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.changes import Changes, SideChanges
from catallax.mechanisms.explain import ThresholdReasons
from catallax.mechanisms.outcome import Outcome
from catallax.mechanisms.outcome_tables import locate

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.matching import Thresholds
    from catallax.matching.updates.stores import Moved
    from catallax.matching.updates.updated import UpdatedMatching
    from catallax.mechanisms.base import SeparableMechanism
    from catallax.mechanisms.outcome import Role

__all__ = ["UpdatedOutcome"]

Array = NDArray[np.float64]
Indices = NDArray[np.int32]

# Fewer thresholds than this are inverted one by one.
_FEW = 200


class UpdatedOutcome(Outcome):
    """An outcome that was followed from an earlier one.

    It is the outcome of clearing afresh, bit for bit; whatever it consists of is made when it
    is first asked for.
    """

    @classmethod
    def of(
        cls, earlier: Outcome, mechanism: SeparableMechanism, matching: UpdatedMatching,
        moved: Moved | None, reports: Reports | None,
    ) -> UpdatedOutcome:  # fmt: skip
        """Make an outcome of what was followed."""
        outcome = cls.__new__(cls)
        known = vars(outcome)
        known.update(
            market=earlier.market,
            mechanism=earlier.mechanism,
            solver=matching.solver,
            reasons=ThresholdReasons(mechanism, matching),
            tick=None,
            transfers=None,
            cleared_by=earlier.cleared_by,
            _moved=moved,
        )
        if reports is not None:
            known["reports"] = reports
        return outcome

    @property
    def goes_on(self) -> bool:
        """Whether the next update may go on from the arrays that this was read from."""
        return self._untouched

    @property
    def _untouched(self) -> bool:
        """Whether nobody has made another outcome of it with `dataclasses.replace`."""
        return "_moved" in vars(self)

    @property
    def _matching(self) -> UpdatedMatching:
        return cast("UpdatedMatching", self._rule.matching)

    @property
    def _rule(self) -> ThresholdReasons:
        return cast("ThresholdReasons", self.reasons)

    @cached_property
    def reports(self) -> Reports:  # type: ignore[override]
        """What was reported."""
        from catallax.markets import Reports

        n_buyers, version = len(self.market.buyers), self._matching.version
        with version.lock:
            report = version.store().report
            return Reports(report[:n_buyers], report[n_buyers:])

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
        return self._prices("buyer")[self.buyer_index]

    @cached_property
    def seller_receives(self) -> Array:  # type: ignore[override]
        """What the sellers of the trades receive."""
        return self._prices("seller")[self.seller_index]

    @cached_property
    def weights(self) -> Array:  # type: ignore[override]
        """What each trade adds to the objective."""
        matching = self._matching
        buyers, sellers = matching.buyer_weights, matching.seller_weights
        return buyers[self.buyer_index] - sellers[self.seller_index]

    def traders(self, role: Role) -> tuple[Indices, Array]:
        """List who of a side trades, and at what price; see `Outcome.traders`."""
        if not self._untouched:
            return super().traders(role)
        pairs = self._matching.pairs
        who = pairs.buyer if role == "buyer" else pairs.seller
        return who, self._prices(role)[who]

    def price(self, agent: object, role: Role | None = None) -> float | None:
        """Tell what an agent pays or receives for her trade; see `Outcome.price`."""
        if not self._untouched:
            return super().price(agent, role)
        role, index = locate(self.market, agent, role)
        buyers = role == "buyer"
        threshold = self._matching.threshold(index, buyers=buyers)
        if threshold is None:
            return None
        critical = critical_reports(self._rule.mechanism, self.market, threshold, role)
        said = self._matching.reports_of(threshold.agent, buyers=buyers)
        return float((np.minimum if buyers else np.maximum)(critical, said)[0])

    def said(self, role: Role, index: int) -> float:
        """Give what an agent reported."""
        if "reports" in vars(self):
            return super().said(role, index)
        who = np.array([index])
        return float(self._matching.reports_of(who, buyers=role == "buyer")[0])

    def partner(self, role: Role, index: int) -> int | None:
        """Find the place of an agent's trade among the trades, or None."""
        if not self._untouched:
            return super().partner(role, index)
        pairs = self._matching.pairs
        side = pairs.buyer if role == "buyer" else pairs.seller
        at = int(np.searchsorted(side, index))
        if at == side.size or side[at] != index:
            return None
        return at if role == "buyer" else super().partner(role, index)

    @cached_property
    def changes(self) -> Changes | None:
        """What has changed from the outcome that this was updated from; see `Outcome.changes`."""
        if not self._untouched:
            return super().changes
        moved: Moved | None = vars(self)["_moved"]
        if moved is None:
            return Changes(self.market, SideChanges.none(), SideChanges.none())
        n_buyers = len(self.market.buyers)
        on_left = moved.agents < n_buyers
        return Changes(
            self.market,
            self._side_changes("buyer", moved, np.flatnonzero(on_left)),
            self._side_changes("seller", moved, np.flatnonzero(~on_left)),
        )

    def _side_changes(self, role: Role, moved: Moved, here: NDArray[np.intp]) -> SideChanges:
        buyers, first = role == "buyer", 0 if role == "buyer" else len(self.market.buyers)
        agents, matching = moved.agents[here], self._matching
        sources, levels, reports = (
            part[:, here] for part in (moved.sources, moved.levels, moved.reports)
        )
        side = 0 if buyers else 1
        if moved.is_wide(side):
            with matching.version.lock:
                store = matching.version.store()
                every = store.in_common(side).astype(np.int32)
                others = every[~np.isin(every, agents)] if agents.size else every
                said = store.report[others]
            agents = np.concatenate([agents, others])
            many = (2, others.size)
            sources = np.hstack([sources, np.broadcast_to(moved.wide_sources[side][:, None], many)])
            levels = np.hstack([levels, np.broadcast_to(moved.wide_levels[side][:, None], many)])
            reports = np.hstack([reports, np.broadcast_to(said, many)])
        if not agents.size:
            return SideChanges.none()
        agents = agents - np.int32(first)
        prices = [
            self._price_then(role, agents, *then)
            for then in zip(sources, levels, reports, strict=True)
        ]
        return SideChanges.of(agents, sources[0] >= 0, sources[1] >= 0, *prices)

    def _price_then(
        self, role: Role, agents: Indices, source: Indices, level: Array, said: Array
    ) -> Array:
        """Find prices at given thresholds; 0 without one."""
        from catallax.matching.updates.updated import stated

        price = np.zeros(agents.size)
        trades = np.flatnonzero(source >= 0)
        if trades.size:
            buyers = role == "buyer"
            thresholds = stated(
                agents[trades], source[trades], level[trades], len(self.market.buyers),
                buyers=buyers,
            )  # fmt: skip
            critical = critical_reports(self._rule.mechanism, self.market, thresholds, role)
            price[trades] = (np.minimum if buyers else np.maximum)(critical, said[trades])
        return price

    @cached_property
    def _priced(self) -> dict[Role, Array]:
        return {}

    def _prices(self, role: Role) -> Array:
        """Find the prices of all of a side; 0 for those who do not trade."""
        priced = self._priced
        if role not in priced:
            matching, buyers = self._matching, role == "buyer"
            pairs = matching.pairs
            who = pairs.buyer if buyers else pairs.seller
            price = np.zeros(len(self.market.buyers if buyers else self.market.sellers))
            critical = self._all_critical(role, matching.thresholds_of(who, buyers=buyers))
            # As in `SeparableMechanism.clear`, an inverse may be off by a rounding.
            said = matching.reports_of(who, buyers=buyers)
            price[who] = (np.minimum if buyers else np.maximum)(critical, said)
            priced[role] = price
        return priced[role]

    def _all_critical(self, role: Role, thresholds: Thresholds) -> Array:
        """Find critical reports, looking up those that were known of an earlier outcome.

        They are kept with the thresholds at which they were found: of the same agent at the
        same threshold the critical report is the same, in whatever outcome.
        """
        mechanism, market = self._rule.mechanism, self.market
        if mechanism.pays_level(role) or not thresholds.agent.size:
            return critical_reports(mechanism, market, thresholds, role)
        from catallax.matching import Thresholds
        from catallax.matching.updates.kernels_compare import unknown

        version = self._matching.version
        with version.lock:
            memory, size = version.memory, len(market.buyers if role == "buyer" else market.sellers)
            if role not in memory:
                nobody = np.iinfo(np.int32).min
                memory[role] = np.full(size, nobody, np.int32), np.empty(size), np.empty(size)
            known = memory[role]
            bits = known[1].view(np.int64), np.ascontiguousarray(thresholds.level).view(np.int64)
            new = unknown(thresholds.agent, thresholds.source, bits[1], known[0], bits[0])
            if new.size:
                some = Thresholds(*(part[new] for part in vars(thresholds).values()))
                found = critical_reports(mechanism, market, some, role)
                for part, values in zip(known, (some.source, some.level, found), strict=True):
                    part[some.agent] = values
            return known[2][thresholds.agent]


def critical_reports(
    mechanism: SeparableMechanism, market: Market, thresholds: Thresholds, role: Role
) -> Array:
    """Find critical reports, once for all who share a prior and a threshold.

    Parameters
    ----------
    mechanism, market
        What gives them.
    thresholds, role
        Of whom.
    """
    from catallax.matching import Thresholds

    invert = mechanism.critical_bids if role == "buyer" else mechanism.critical_asks
    if thresholds.agent.size < _FEW or not shares(mechanism) or mechanism.pays_level(role):
        return invert(market, thresholds)
    from catallax.matching.updates.kernels_compare import alike

    side = market.buyers if role == "buyer" else market.sellers
    first, of = alike(side.prior_of[thresholds.agent], thresholds.source, thresholds.wins_ties)
    kinds = Thresholds(*(part[first] for part in vars(thresholds).values()))
    return invert(market, kinds)[of]


def shares(mechanism: SeparableMechanism) -> bool:
    """Tell whether its own class says that weights and prices depend on the prior alone."""
    return "some_weights" in vars(type(mechanism))
