"""A smooth lottery for two groups of given sizes: its odds, its payments, and what it must keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import MechanismError, ReportError
from catallax.groups.components import Component, SmoothFunction
from catallax.groups.trade import GroupTrade
from catallax.groups.witnesses import number
from catallax.priors.moments import quadrature

__all__ = ["PairFunction", "Parts", "SmoothRule", "check_rule"]

Array = NDArray[np.float64]
PairFunction = Callable[[Array, Array], Array]
Parts = tuple[tuple[Component, float], ...]

GRID = 201
_SLACK = 1e-9


@dataclass(frozen=True)
class SmoothRule:
    """A smooth rule for n buyers and m sellers whose reports lie in [low, high].

    Attributes
    ----------
    f, g
        One component of each member, with the part of the side that it stands for.
    pairs
        phi, of which the average over all pairs counts.
    constant
        Probability that nobody moves.
    low, high
        The ends of the interval.
    """

    f: Parts
    g: Parts
    pairs: PairFunction | None
    constant: float
    low: float
    high: float

    def check(self, bids: Array, asks: Array) -> None:
        """Refuse reports outside the interval."""
        for values, word, side in ((bids, "bid", "buyer"), (asks, "ask", "seller")):
            outside = np.flatnonzero((values < self.low) | (values > self.high))
            if outside.size:
                at = int(outside[0])
                raise ReportError(
                    f"the {word} {number(float(values[at]))} of {side} {at + 1} lies outside the "
                    f"support [{number(self.low)}, {number(self.high)}] of the smooth rule; "
                    "correct it, or widen the support"
                )

    def chance(self, bids: ArrayLike, asks: ArrayLike) -> Array:
        """Return the probability of a trade; bids of shape ``(..., n)``, asks ``(..., m)``."""
        given = np.asarray(bids, dtype=np.float64), np.asarray(asks, dtype=np.float64)
        total = self.constant + _sum(self.f, given[0]) + _sum(self.g, given[1])
        if self.pairs is not None:
            total = total + self._pairs(given[0][..., :, None], given[1][..., None, :])
        return np.clip(total, 0.0, 1.0)

    def _pairs(self, bids: Array, asks: Array) -> Array:
        assert self.pairs is not None
        values = np.asarray(self.pairs(bids, asks), dtype=np.float64)
        shape = np.broadcast_shapes(bids.shape, asks.shape)
        return np.broadcast_to(values, shape).mean(axis=(-2, -1))

    def payment(self, bids: Array, asks: Array) -> float:
        """Return what each buyer pays, by Theorem 5.1."""
        worst = np.full(bids.shape, self.low)
        total = self.low * float(self.chance(worst, asks)) + self._moves(self.f, bids, self.low)
        if self.pairs is not None:
            total += self._pair_moves(bids, asks, self.low, 0)
        return total

    def receipt(self, bids: Array, asks: Array) -> float:
        """Return what each seller receives, by Theorem 5.1."""
        worst = np.full(asks.shape, self.high)
        total = self.high * float(self.chance(bids, worst)) + self._moves(self.g, asks, self.high)
        if self.pairs is not None:
            total += self._pair_moves(bids, asks, self.high, 1)
        return total

    def transfer(self, bids: Array, asks: Array) -> float:
        """Return what the buyers pay and the sellers receive in all, where the budget balances."""
        n, m = bids.size, asks.size
        worst = np.full(n, self.low), np.full(m, self.high)
        base = float(self.chance(*worst)) * (n * self.low + m * self.high) / 2
        moved = n * self._moves(self.f, bids, self.low) + m * self._moves(self.g, asks, self.high)
        return base + moved

    def expected(self, trade: GroupTrade) -> tuple[float, float]:
        """Return the expected gains from trade and the probability of a trade, by quadrature.

        Parameters
        ----------
        trade
            The groups, whose priors lie in [low, high].

        Returns
        -------
        tuple of float
            E[x (sum v - sum c)] and E[x]. With x additive this is E[x] (E sum v - E sum c) and the
            covariance of each member's value with the member's own component: no member's report
            moves the odds with another's value.

        Raises
        ------
        MechanismError
            If there are pairs, which have no such form.
        """
        if self.pairs is not None:
            raise MechanismError("with pairs there is no exact law; draw samples instead")
        chance, moved = [self.constant], []
        for side, parts, sign in ((trade.buyers, self.f, 1.0), (trade.sellers, self.g, -1.0)):
            for prior, places in side.parts:
                law = quadrature(prior)
                centred = law.weights * (law.points - prior.mean)
                for (function, share), which in _alike(tuple(parts[k] for k in places)):
                    values = function(law.points)
                    chance.append(len(which) * share * float(law.weights @ values))
                    moved.append(sign * len(which) * share * float(centred @ values))
        probability = math.fsum(chance)
        return math.fsum([probability * trade.expected_gain, *moved]), probability

    @staticmethod
    def _moves(parts: Parts, reports: Array, start: float) -> float:
        """Return the sum of the integrals of z df(z), by parts, from the start to each report."""
        total = []
        for (function, share), places in _alike(parts):
            ends = reports[places]
            whole = ends * function(ends) - start * function(np.array(start))
            total.append(share * float((whole - function.integral(start, ends)).sum()))
        return math.fsum(total)

    def _pair_moves(self, bids: Array, asks: Array, start: float, moving: int) -> float:
        """Return the same of the average of phi, moving the buyers (0) or the sellers (1)."""
        own, others = (bids, asks) if moving == 0 else (asks, bids)

        def average(z: Array) -> Array:
            column, row = z[:, None, None], others[None, None, :]
            pair = (column, row) if moving == 0 else (row, column)
            values = np.asarray(self.pairs(*pair), dtype=np.float64)  # type: ignore[misc]
            return np.broadcast_to(values, (z.size, 1, others.size)).mean(axis=(1, 2))

        part = SmoothFunction(lambda z: average(np.atleast_1d(z).ravel()).reshape(np.shape(z)))
        return self._moves(((part, 1.0 / own.size),) * own.size, own, start)


def _sum(parts: Parts, reports: Array) -> Array:
    total = np.zeros(reports.shape[:-1])
    for (function, share), places in _alike(parts):
        total = total + share * function(reports[..., places]).sum(axis=-1)
    return total


def _alike(
    parts: Parts,
) -> list[tuple[tuple[Component, float], list[int]]]:
    """Gather the members who have the same component."""
    found: dict[tuple[Component, float], list[int]] = {}
    for place, part in enumerate(parts):
        found.setdefault(part, []).append(place)
    return list(found.items())


def check_rule(rule: SmoothRule) -> None:
    """Refuse a rule that is not monotone, or whose odds could leave [0, 1].

    Raises
    ------
    MechanismError
        With the reports that show it.
    """
    _check_slopes(rule)
    _check_range(rule)


def _check_slopes(rule: SmoothRule) -> None:
    for parts, sign, word in ((rule.f, 1, "buyer"), (rule.g, -1, "seller")):
        for (function, share), places in _alike(parts):
            if rule.pairs is not None:
                turn = _pair_turn(rule, function, share * len(parts), sign)
            else:
                turn = function.turn(rule.low, rule.high, sign)
            if turn is not None:
                raise MechanismError(
                    f"the component of {word} {places[0] + 1} goes "
                    f"{'down' if sign > 0 else 'up'} from {number(turn[0])} to {number(turn[1])}; "
                    f"a buyer's has to rise with the bid and a seller's to fall with the ask"
                )


def _pair_turn(
    rule: SmoothRule, function: Component, share: float, sign: int
) -> tuple[float, float] | None:
    """Look at a component together with phi, whatever common report the other side makes."""
    assert rule.pairs is not None
    points = np.linspace(rule.low, rule.high, GRID)
    grid = (points[:, None], points[None, :]) if sign > 0 else (points[None, :], points[:, None])
    values = np.broadcast_to(np.asarray(rule.pairs(*grid), dtype=np.float64), (GRID, GRID))
    if not np.isfinite(values).all():
        raise MechanismError("the function of pairs is not finite somewhere in the support")
    whole = values + share * function(points)[:, None]
    wrong = np.argwhere(sign * np.diff(whole, axis=0) < -_SLACK * max(1.0, np.abs(whole).max()))
    if not wrong.size:
        return None
    at = int(wrong[0][0])
    return float(points[at]), float(points[at + 1])


def _check_range(rule: SmoothRule) -> None:
    n, m = len(rule.f), len(rule.g)
    for bid, ask, word in ((rule.low, rule.high, "worst"), (rule.high, rule.low, "best")):
        bids, asks = np.full(n, bid), np.full(m, ask)
        total = rule.constant + float(_sum(rule.f, bids)) + float(_sum(rule.g, asks))
        if rule.pairs is not None:
            total += float(rule._pairs(bids[:, None], asks[None, :]))
        if not -_SLACK <= total <= 1 + _SLACK:
            raise MechanismError(
                f"the probability of a trade would be {number(total)} at the {word} reports (bids "
                f"{number(bid)}, asks {number(ask)}); it has to stay between 0 and 1, so make the "
                "components smaller"
            )
