"""Outcomes that are followed: what is asked for is read, and the rest is left alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.changes import Changes, SideChanges
from catallax.mechanisms.explain import ThresholdReasons
from catallax.mechanisms.house import of_the_house
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
        return float(self._with_reports(role, critical, said)[0])

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
        on_left = moved.agents < len(self.market.buyers)
        return Changes(
            self.market,
            self._side_changes("buyer", moved, np.flatnonzero(on_left)),
            self._side_changes("seller", moved, np.flatnonzero(~on_left)),
        )

    def _side_changes(self, role: Role, moved: Moved, here: NDArray[np.intp]) -> SideChanges:
        side, first = (0, 0) if role == "buyer" else (1, len(self.market.buyers))
        wide = moved.is_wide(side)
        if not here.size and not wide:
            return SideChanges.none()
        if here.size and self._inverts_exactly(role):
            # Who only reports anew pays the same: a critical report is never beyond a report.
            sources, levels = moved.sources[:, here], moved.levels[:, here]
            other = (sources[0] != sources[1]) | (levels[0] != levels[1])
            listed, here = here, here[other]
            if not here.size and not wide:
                return SideChanges.none()
        else:
            listed = here
        agents = moved.agents[here] - np.int32(first)
        traded, trades = moved.sources[:, here] >= 0
        before, after = self._prices_of_few(role, agents, moved, here)
        if wide:
            apart = np.zeros(len(self.market.buyers if side == 0 else self.market.sellers), bool)
            apart[moved.agents[listed] - first] = True
            shared = [
                self._shared(role, int(source), float(level))
                for source, level in zip(
                    moved.wide_sources[side], moved.wide_levels[side], strict=True
                )
            ]
            if shared[0] is not None and shared[1] is not None:
                few = agents, traded, trades, before, after
                return self._changes_of_all(role, apart, few, shared[0], shared[1])
            matching = self._matching
            with matching.version.lock:
                store = matching.version.store()
                others = (store.in_common(side) - first).astype(np.int32)
                apart = np.zeros(
                    len(self.market.buyers if side == 0 else self.market.sellers), bool
                )
                apart[moved.agents[listed] - first] = True
                others = others[~apart[others]]
                said = store.report[others + first]
            prices = [
                self._with_reports(role, self._common(role, others, int(source), level), said)
                for source, level in zip(
                    moved.wide_sources[side], moved.wide_levels[side], strict=True
                )
            ]
            agents = np.concatenate([agents, others])
            before = np.concatenate([before, prices[0]])
            after = np.concatenate([after, prices[1]])
            all_trade = np.ones(others.size, np.bool_)
            traded = np.concatenate([traded, all_trade])
            trades = np.concatenate([trades, all_trade])
        return SideChanges.of(agents, traded, trades, before, after)

    def _shared(self, role: Role, source: int, level: float) -> tuple[Array, int] | None:
        """Find the two critical reports of many who share a threshold, and the rival between.

        The first is of those listed before the rival, if she is of their side, and the second
        of the others. None where priors differ.
        """
        from catallax.matching import Thresholds

        mechanism, market, n_buyers = self._rule.mechanism, self.market, len(self.market.buyers)
        side = market.buyers if role == "buyer" else market.sellers
        own = (source < n_buyers) == (role == "buyer")
        at = source if source < n_buyers else source - n_buyers
        rival = at if own else len(side)
        if mechanism.pays_level(role):
            return np.array([level, level]), rival
        if len(side.priors) != 1 or not shares(mechanism):
            return None
        thresholds = Thresholds(
            np.full(2, np.argmax(side.prior_of == 0), np.int32), np.array([level, level]),
            np.array([True, False]),
            np.full(2, at if source < n_buyers else -1 - at, np.int32),
        )  # fmt: skip
        return critical_reports(mechanism, market, thresholds, role), rival

    def _changes_of_all(
        self, role: Role, apart: NDArray[np.bool_], few: tuple[NDArray[Any], ...],
        before: tuple[Array, int], after: tuple[Array, int],
    ) -> SideChanges:  # fmt: skip
        """List changes of a few and of all who share a threshold."""
        from catallax.matching.updates.kernels_compare import common_changes

        buyers, n_buyers = role == "buyer", len(self.market.buyers)
        here = slice(n_buyers) if buyers else slice(n_buyers, None)
        order = np.argsort(few[0])
        version = self._matching.version
        with version.lock:
            store = version.store()
            agents, flags, prices = common_changes(
                store.together()[here], apart, *(part[order] for part in few),
                before[0], after[0], np.array([before[1], after[1]]), store.report[here], buyers,
            )  # fmt: skip
        for part in (agents, flags, prices):
            part.flags.writeable = False
        return SideChanges(agents, flags[0], flags[1], prices[0], prices[1])

    def _inverts_exactly(self, role: Role) -> bool:
        """Tell whether critical reports are the very floats at which weights turn.

        They are in the mechanisms and priors that come with catallax.
        """
        mechanism = self._rule.mechanism
        if not of_the_house(mechanism) or not shares(mechanism):
            return False
        if mechanism.pays_level(role):
            return True
        side = self.market.buyers if role == "buyer" else self.market.sellers
        return len(side.priors) <= _FEW and all(
            type(prior).__module__.startswith("catallax.") for prior in side.priors
        )

    def _prices_of_few(
        self, role: Role, agents: Indices, moved: Moved, here: NDArray[np.intp]
    ) -> tuple[Array, Array]:
        """Find prices before and after of those who are listed one by one; 0 without a trade."""
        from catallax.matching.updates.updated import stated

        sources, levels = moved.sources[:, here], moved.levels[:, here]
        traded, trades = sources >= 0
        same = (sources[0] == sources[1]) & (levels[0] == levels[1])
        # Before where it is another threshold than after; and after.
        earlier, later = np.flatnonzero(traded & ~same), np.flatnonzero(trades)
        critical = np.zeros(sources.shape)
        if earlier.size or later.size:
            thresholds = stated(
                np.concatenate([agents[earlier], agents[later]]),
                np.concatenate([sources[0, earlier], sources[1, later]]),
                np.concatenate([levels[0, earlier], levels[1, later]]),
                len(self.market.buyers), buyers=role == "buyer",
            )  # fmt: skip
            found = critical_reports(self._rule.mechanism, self.market, thresholds, role)
            critical[1, later] = found[earlier.size :]
            critical[0] = np.where(same, critical[1], 0.0)
            critical[0, earlier] = found[: earlier.size]
        prices = self._with_reports(role, critical, moved.reports[:, here])
        prices = np.where(sources >= 0, prices, 0.0)
        return prices[0], prices[1]

    @staticmethod
    def _with_reports(role: Role, critical: Array, said: Array) -> Array:
        # As in `SeparableMechanism.clear`, an inverse may be off by a rounding.
        return (np.minimum if role == "buyer" else np.maximum)(critical, said)

    def _common(self, role: Role, agents: Indices, source: int, level: float) -> Array:
        """Find the critical reports of many, ascending, who share a threshold."""
        from catallax.matching.updates.updated import stated

        mechanism, market = self._rule.mechanism, self.market
        buyers, n_buyers = role == "buyer", len(market.buyers)
        if mechanism.pays_level(role):
            return np.full(agents.size, level)
        side = market.buyers if buyers else market.sellers
        who, times = agents, None
        if len(side.priors) == 1 and shares(mechanism) and agents.size > 2:
            # Only whether they win a tie with who sets it sets them apart: who is listed first.
            own = (source < n_buyers) == buyers
            rival = source if buyers else source - n_buyers
            earlier = int(np.searchsorted(agents, rival)) if own else agents.size
            times = np.array([earlier, agents.size - earlier])
            who = agents[[0, -1]]
        thresholds = stated(
            who, np.full(who.size, source), np.full(who.size, level), n_buyers, buyers=buyers
        )
        critical = critical_reports(mechanism, market, thresholds, role)
        return critical if times is None else np.repeat(critical, times)

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
            price[who] = self._with_reports(role, critical, matching.reports_of(who, buyers=buyers))
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
    first, of = alike(
        side.prior_of[thresholds.agent], thresholds.source, thresholds.level, thresholds.wins_ties
    )
    kinds = Thresholds(*(part[first] for part in vars(thresholds).values()))
    return invert(market, kinds)[of]


def shares(mechanism: SeparableMechanism) -> bool:
    """Tell whether its own class says that weights and prices depend on the prior alone."""
    return "some_weights" in vars(type(mechanism))
