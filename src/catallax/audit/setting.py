"""A market as an audit sees it: one vector of numbers, and agents who report some of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.errors import MissingPriorError, UnsupportedMarketError
from catallax.markets import Reports
from catallax.markets.agents import Role
from catallax.markets.unit_demand import UnitDemand, UnitDemandReports
from catallax.mechanisms import Mechanism

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.priors import Prior

__all__ = ["Agent", "Setting", "in_support"]

Array = NDArray[np.float64]

# Amounts that differ by less than this, relative to the amounts in play, differ by rounding.
ROUNDING = 1e-9
# What sums of amounts lose, relative to the largest of them.
LOST_IN_SUMS = 2e-13


@dataclass(frozen=True)
class Agent:
    """Somebody who reports.

    Attributes
    ----------
    role
        "buyer" or "seller".
    index
        Position on the side.
    id
        The market's identifier.
    slots
        Which entries of a vector of reports are hers: one, or, for a buyer with a value for each
        item, one for each edge.
    priors
        What is believed of each.
    """

    role: Role
    index: int
    id: str | int
    slots: tuple[int, ...]
    priors: tuple[Prior | None, ...]

    @property
    def label(self) -> str:
        """How stories call her, e.g. ``"seller 's2'"``."""
        return f"{self.role} {self.id!r}"


@dataclass(frozen=True, eq=False)
class Setting:
    """A market and a mechanism, with values and reports as vectors.

    A vector holds buyers' numbers first, in market order, then sellers'. Where one buyer has a
    value for each item (see `UnitDemand`), hers come first, in the order of the edges.

    Attributes
    ----------
    market, mechanism
        What is audited.
    unit
        The market of one unit-demand buyer, or None.
    own
        The values that came with the market as its reports, or None.
    """

    market: Market
    mechanism: Mechanism
    unit: UnitDemand | None
    own: Array | None

    @classmethod
    def of(cls, market: Market, mechanism: Mechanism) -> Setting:
        """See a market through an audit's eyes.

        Raises
        ------
        UnsupportedMarketError
            If bids stand on the edges and the mechanism does not read such markets, or the
            other way round.
        """
        unit = None
        if _has_values_on_edges(market):
            unit = UnitDemand.of(market)
            if type(mechanism).read_reports is Mechanism.read_reports:
                raise UnsupportedMarketError(
                    f"market '{market.name}' has its values on the edges: one buyer with a value "
                    "for each item is for the mechanisms 'gbom-unit-demand' and 'sapp'"
                )
        return cls(market, mechanism, unit, _own(market, unit))

    # ---------------------------------------------------------------------------------- vectors

    @property
    def n_first(self) -> int:
        """How many numbers buyers report together."""
        return len(self.market.buyers) if self.unit is None else self.unit.seller.size

    @property
    def size(self) -> int:
        """How many numbers there are in all."""
        return self.n_first + len(self.market.sellers)

    @property
    def n_agents(self) -> int:
        """How many agents there are."""
        return len(self.market.buyers) + len(self.market.sellers)

    @cached_property
    def _agents(self) -> dict[int, Agent]:
        return {}

    def agent(self, number: int) -> Agent:
        """Return an agent by number: buyers first, then sellers."""
        if number not in self._agents:
            n_buyers = len(self.market.buyers)
            role: Role = "buyer" if number < n_buyers else "seller"
            side = self.market.buyers if role == "buyer" else self.market.sellers
            index = number if role == "buyer" else number - n_buyers
            if role == "buyer" and self.unit is not None:
                slots, priors = tuple(range(self.n_first)), self.unit.priors
            else:
                first = 0 if role == "buyer" else self.n_first
                slots, priors = (first + index,), (side.prior(index),)
            self._agents[number] = Agent(role, index, side.ids[index], slots, priors)
        return self._agents[number]

    def number_of(self, agent: Agent) -> int:
        """Return the number of an agent: buyers first, then sellers."""
        return agent.index + (0 if agent.role == "buyer" else len(self.market.buyers))

    def agents(self, role: Role | None = None) -> list[int]:
        """Return the numbers of all agents, or of those of one side."""
        n_buyers = len(self.market.buyers)
        numbers = {"buyer": range(n_buyers), "seller": range(n_buyers, self.n_agents)}
        return list(range(self.n_agents)) if role is None else list(numbers[role])

    def reports(self, values: Array) -> Any:
        """Turn a vector into what the mechanism reads."""
        bids, asks = values[: self.n_first], values[self.n_first :]
        return Reports(bids, asks) if self.unit is None else UnitDemandReports(bids, asks)

    def market_at(self, values: Array) -> Market:
        """Return the market with a vector as its reports."""
        bids, asks = values[: self.n_first], values[self.n_first :]
        if self.unit is None:
            return self.market.with_reports(Reports(bids, asks))
        table = self.market.edge_table.with_columns(bid=bids)
        return self.market._changed(asks=asks, edge_table=table)

    def worth(
        self, values: Array, buyer: NDArray[np.integer], seller: NDArray[np.integer]
    ) -> tuple[Array, Array]:
        """Return what trades are worth to their buyers, and cost their sellers."""
        cost = values[self.n_first + seller]
        if self.unit is None:
            return values[buyer], cost
        return values[self._edge_of[seller]], cost

    @cached_property
    def _edge_of(self) -> NDArray[np.int64]:
        assert self.unit is not None
        edge = np.zeros(len(self.market.sellers), np.int64)
        edge[self.unit.seller] = np.arange(self.unit.seller.size)
        return edge

    # ------------------------------------------------------------------------------------ beliefs

    @cached_property
    def priors(self) -> tuple[Prior | None, ...]:
        """What is believed of each number; None where nothing is."""
        sellers = self.market.sellers
        second = tuple(sellers.prior(index) for index in range(len(sellers)))
        if self.unit is not None:
            return (*(self.unit.priors or (None,) * self.n_first), *second)
        buyers = self.market.buyers
        return (*(buyers.prior(index) for index in range(len(buyers))), *second)

    @cached_property
    def groups(self) -> tuple[tuple[Prior, Role, NDArray[np.int64]], ...]:
        """Every prior with the side it is on, and the slots it is the prior of."""
        found: dict[tuple[Prior, Role], list[int]] = {}
        for slot, prior in enumerate(self.priors):
            if prior is not None:
                found.setdefault((prior, "buyer" if slot < self.n_first else "seller"), []).append(
                    slot
                )
        return tuple((prior, role, np.array(slots)) for (prior, role), slots in found.items())

    @cached_property
    def medians(self) -> Array:
        """Everybody's median; 0 without a prior. What to write where any profile will do."""
        values = np.zeros(self.size)
        for prior, _, slots in self.groups:
            values[slots] = float(prior.quantile(0.5))
        return values

    def simple_profiles(self) -> Iterator[Array]:
        """Yield a few plain profiles: what a mechanism takes anywhere, it takes at one of them."""
        if self.own is not None:
            yield self.own
            yield self.own / 2
        yield self.medians
        yield np.zeros(self.size)

    @property
    def has_priors(self) -> bool:
        """Whether there is a prior for every number."""
        return all(prior is not None for prior in self.priors)

    def require_priors(self, what: str) -> tuple[Prior, ...]:
        """Return all priors.

        Raises
        ------
        MissingPriorError
            If an agent has none; the message names it and says what needs one.
        """
        for number in range(self.n_agents):
            agent = self.agent(number)
            if None in agent.priors:
                raise MissingPriorError(
                    f"{agent.label} has no prior, which {what} is an expectation over; give it "
                    "one, or leave the property out"
                )
        return tuple(prior for prior in self.priors if prior is not None)

    def supported(self, slot: int, value: float) -> bool:
        """Whether a value lies in the support of its prior (every value without a prior)."""
        return bool(in_support(self.priors[slot], np.array([value]))[0])

    def possible(self, slot: int, values: Array) -> NDArray[np.bool_]:
        """Whether each value may be true: in the support, or the one that came with the market."""
        found = in_support(self.priors[slot], values)
        return found if self.own is None else found | (values == self.own[slot])

    def all_possible(self, values: Array) -> bool:
        """Whether all values of a profile may be true."""
        for prior, _, slots in self.groups:
            found = in_support(prior, values[slots])
            if self.own is not None:
                found |= values[slots] == self.own[slots]
            if not found.all():
                return False
        return True

    def lowest(self, slot: int) -> float:
        """Return the lowest report that the market takes: negative asks need a prior that does."""
        largest = self.market.largest_report
        low = -np.inf if largest is None else -largest
        if slot < self.n_first:
            return low
        prior = self.priors[slot]
        return low if prior is not None and prior.support[0] < 0 else 0.0

    @property
    def highest(self) -> float:
        """The highest report that the market takes."""
        largest = self.market.largest_report
        return np.inf if largest is None else largest

    def allowed(self, values: Array) -> Array:
        """Return a profile with every number moved into the range that the market takes."""
        if not np.isfinite(self.highest):
            return values
        return np.clip(values, -self.highest, self.highest)

    # -------------------------------------------------------------------------------------- money

    @cached_property
    def typical(self) -> float:
        """The size of the amounts that the priors usually speak of; 0 without any."""
        return float(self.sizes.max(initial=0.0))

    def largest(self, values: Array, *amounts: float) -> float:
        """Return the largest of the amounts that are in play."""
        most = float(np.abs(values).max(initial=0.0))
        return max(self.typical, most, *map(abs, amounts), 0.0)

    def rounding(self, values: Array, *amounts: float) -> float:
        """Return the difference in money that is nothing but rounding at these amounts."""
        return ROUNDING * self.largest(values, *amounts)

    def own_rounding(self, agent: Agent, values: Array, *amounts: float) -> float:
        """Return what is nothing but rounding for one agent at these amounts of hers.

        It depends on what she values and pays, and hardly on somebody else who bids a billion:
        of that only so much as sums lose that it is part of.
        """
        own = float(self.sizes[list(agent.slots)].max(initial=0.0))
        return ROUNDING * max(own, *map(abs, amounts), 0.0) + LOST_IN_SUMS * self.largest(values)

    def own_roundings(self, values: Array) -> Array:
        """Return this for every agent, at these true values; shape (agents,)."""
        most = np.maximum(self.sizes, np.abs(values))
        if self.unit is not None:
            most = np.append(most[: self.n_first].max(initial=0.0), most[self.n_first :])
        return ROUNDING * most + LOST_IN_SUMS * self.largest(values)

    @cached_property
    def sizes(self) -> Array:
        """The size of the amounts that each number's prior usually speaks of; 0 without one."""
        sizes = np.zeros(self.size)
        for prior, _, slots in self.groups:
            sizes[slots] = _size(prior)
        return sizes


def _size(prior: Prior) -> float:
    """Return the size of the amounts that a prior usually speaks of."""
    return max(abs(float(prior.quantile(q))) for q in (0.05, 0.95))


def in_support(prior: Prior | None, values: Array) -> NDArray[np.bool_]:
    """Tell which values lie in the support of a prior: atoms, and pieces with their ends."""
    if prior is None:
        return np.ones(values.size, bool)
    parts = prior._parts()
    found = np.isin(values, parts.atoms)
    for start, end in parts.pieces:
        found |= (start <= values) & (values <= end)
    return found


def _has_values_on_edges(market: Market) -> bool:
    columns = set(market.edge_table.columns)
    return (
        len(market.buyers) == 1
        and market.bids is None
        and market.buyers.prior(0) is None
        and bool({"bid", "prior"} & columns)
    )


def _own(market: Market, unit: UnitDemand | None) -> Array | None:
    asks = market.asks if market.asks is not None or len(market.sellers) else np.empty(0)
    if unit is not None:
        bids = unit.bids
    else:
        bids = market.bids if market.bids is not None or len(market.buyers) else np.empty(0)
    if bids is None or asks is None:
        return None
    return np.concatenate([bids, asks])
