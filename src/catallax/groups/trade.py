"""A trade between two groups: how many members each side has, and what is known of their values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import CatallaxError, PriorError, ReportError
from catallax.groups.requirements import is_finite
from catallax.priors import Intervals, Prior, make_prior
from catallax.priors.base import RandomSource
from catallax.priors.checks import show

__all__ = ["Group", "GroupReports", "GroupTrade", "PriorLike", "rules_out"]

Array = NDArray[np.float64]
Positions = NDArray[np.int64]
PriorLike = Prior | Mapping[str, Any] | str

MOST_MEMBERS = 10_000_000


class Members(NamedTuple):
    """Members of one group that share a prior.

    Parameters
    ----------
    prior
        Their prior.
    positions
        Who they are, ascending from 0.
    """

    prior: Prior
    positions: Positions


@dataclass(frozen=True)
class Group:
    """One side of a trade: its members and their priors.

    Attributes
    ----------
    size
        How many members there are.
    prior
        The prior of all of them, or a tuple with one for each.
    word
        "buyer" or "seller".
    """

    size: int
    prior: Prior | tuple[Prior, ...]
    word: str

    def __len__(self) -> int:
        """Count the members."""
        return self.size

    def prior_of(self, position: int) -> Prior:
        """Return the prior of one member."""
        return self.prior if isinstance(self.prior, Prior) else self.prior[position]

    @cached_property
    def parts(self) -> tuple[Members, ...]:
        """The members by prior, in the order in which the priors appear."""
        if isinstance(self.prior, Prior):
            return (Members(self.prior, np.arange(self.size)),)
        found: dict[Prior, list[int]] = {}
        for position, prior in enumerate(self.prior):
            found.setdefault(prior, []).append(position)
        return tuple(Members(prior, np.array(who)) for prior, who in found.items())

    @cached_property
    def total_mean(self) -> float:
        """The expected sum of all members' values."""
        return math.fsum(part.positions.size * part.prior.mean for part in self.parts)

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest possible sum."""
        ends = [(part.positions.size, part.prior.support) for part in self.parts]
        return (
            math.fsum(count * low for count, (low, _) in ends),
            math.fsum(count * high for count, (_, high) in ends),
        )

    def sample(self, rng: np.random.Generator, rows: int) -> Array:
        """Draw profiles of values, shape (rows, members)."""
        out = np.empty((rows, self.size))
        for prior, positions in self.parts:
            out[:, positions] = prior.sample(rng, (rows, positions.size))
        return out


@dataclass(frozen=True, init=False, repr=False)
class GroupTrade:
    """Two groups that decide together on one trade.

    Either the trade takes place for all or it does not: all buyers get the good and pay the same,
    all sellers give it up and receive the same. Values and costs are independent, each drawn from
    its owner's prior.

    Parameters
    ----------
    n_buyers, n_sellers
        How many members each side has; they may differ.
    buyer_prior, seller_prior
        The prior of every buyer's value and of every seller's cost: a `Prior`, its one-line form
        or its keys; or a list with one for each member.

    Raises
    ------
    CatallaxError
        If a side has no members, or a list has not one prior for each.
    PriorError
        If a prior is none, or its expected value is not finite.

    References
    ----------
    Xu, Zhang, Conitzer, Non-excludable bilateral trade between groups (AAAI 2024), section 3.

    Examples
    --------
    >>> trade = GroupTrade(5, 3, "uniform(0, 1)", ["uniform(0, 1)", "point(0.5)", "point(0.5)"])
    >>> trade.buyers.total_mean, trade.sellers.total_mean
    (2.5, 1.5)
    >>> GroupTrade(2, 2, "pareto(1)", "uniform(0, 1)")
    Traceback (most recent call last):
        ...
    catallax.errors.PriorError: the buyers' prior pareto(1) has an infinite mean, and so have the
    gains from trade; end its support or use a lighter tail
    """

    n_buyers: int
    n_sellers: int
    buyer_prior: Prior | tuple[Prior, ...]
    seller_prior: Prior | tuple[Prior, ...]

    def __init__(
        self,
        n_buyers: int,
        n_sellers: int,
        buyer_prior: PriorLike | Sequence[PriorLike],
        seller_prior: PriorLike | Sequence[PriorLike],
    ) -> None:
        given = (("buyer", n_buyers, buyer_prior), ("seller", n_sellers, seller_prior))
        for word, size, prior in given:
            count = _read_size(size, word)
            object.__setattr__(self, f"n_{word}s", count)
            object.__setattr__(self, f"{word}_prior", _read_priors(prior, count, word))

    def __repr__(self) -> str:
        """Return sizes and priors in one line."""
        shown = ", ".join(_describe(prior) for prior in (self.buyer_prior, self.seller_prior))
        return f"GroupTrade({self.n_buyers}, {self.n_sellers}, {shown})"

    @cached_property
    def buyers(self) -> Group:
        """The buyers' side."""
        return Group(self.n_buyers, self.buyer_prior, "buyer")

    @cached_property
    def sellers(self) -> Group:
        """The sellers' side."""
        return Group(self.n_sellers, self.seller_prior, "seller")

    @property
    def expected_gain(self) -> float:
        """The expected total value less the expected total cost."""
        return self.buyers.total_mean - self.sellers.total_mean

    @property
    def scale(self) -> float:
        """The size of the amounts at stake: what a rounding is small against."""
        parts = (*self.buyers.parts, *self.sellers.parts)
        return max((p.positions.size * _magnitude(p.prior) for p in parts), default=0.0)

    def sample(self, rng: RandomSource, rows: int) -> tuple[Array, Array]:
        """Draw profiles of values and costs.

        Parameters
        ----------
        rng
            A seed, a `numpy.random.SeedSequence` or a `numpy.random.Generator`.
        rows
            How many profiles.

        Returns
        -------
        tuple of ndarray
            Values, shape (rows, n_buyers), and costs, shape (rows, n_sellers).
        """
        generator = np.random.default_rng(rng)
        return self.buyers.sample(generator, rows), self.sellers.sample(generator, rows)

    def check(self, reports: GroupReports, prices: tuple[float, float] | None = None) -> None:
        """Refuse reports that are not one for each member, or that a member's prior rules out.

        Parameters
        ----------
        reports
            Bids and asks.
        prices
            Where reports are ballots: the least bid and the largest ask in favour. A prior that
            lies wholly on one side of its price then rules nothing out: it foretells a yes, or a
            no, and people may vote otherwise than was guessed.

        Raises
        ------
        ReportError
            Naming the member and the report.
        """
        sides = ((self.buyers, reports.bids, "bid"), (self.sellers, reports.asks, "ask"))
        for (group, values, word), price in zip(sides, prices or (None, None), strict=True):
            if values.size != group.size:
                raise ReportError(
                    f"there are {values.size} {word}s for {group.size} {group.word}s; "
                    "give one for each"
                )
            for prior, positions in group.parts:
                wrong = positions[rules_out(prior, values[positions], group.word, price)]
                if wrong.size:
                    low, high = possible_reports(prior)
                    at = int(wrong[0])
                    raise ReportError(
                        f"the {word} {show(values[at])} of {group.word} {at + 1} lies outside "
                        f"the prior {prior.describe()}, from {show(low)} to {show(high)}; "
                        f"correct the {word} or widen the prior"
                    )


def _magnitude(prior: Prior) -> float:
    ends = [abs(end) for end in prior.support if math.isfinite(end)]
    return max([abs(prior.mean), *ends])


def possible_reports(prior: Prior) -> tuple[float, float]:
    """Return the least and the largest report that can be truthful under a prior."""
    low, high = prior.support
    if isinstance(prior, Intervals):  # its mass lies at the lower ends of what was answered
        return float(prior.low.min()), float(prior.high.max())
    return low, high


def rules_out(
    prior: Prior, reports: Array, word: str, price: float | None = None
) -> NDArray[np.bool_]:
    """Say which reports a prior rules out.

    Parameters
    ----------
    prior
        The prior of those who report.
    reports
        What they report; any shape.
    word
        "buyer" or "seller".
    price
        Where reports are ballots: the least bid (a seller's: the largest ask) in favour.

    Examples
    --------
    >>> from catallax.priors import Point, Uniform
    >>> reports = np.array([10.0, 30.0, 70.0])
    >>> rules_out(Uniform(0, 50), reports, "buyer").tolist()
    [False, False, True]
    >>> rules_out(Point(10), reports, "buyer").tolist()
    [False, True, True]
    >>> rules_out(Uniform(0, 50), reports, "buyer", 20.0).tolist()
    [False, False, True]
    >>> rules_out(Uniform(0, 50), reports, "buyer", 60.0).tolist()  # a no was foretold
    [False, False, False]
    >>> rules_out(Point(10), reports, "buyer", 20.0).tolist()
    [False, False, False]
    """
    low, high = possible_reports(prior)
    if price is not None:
        open_vote = low < price <= high if word == "buyer" else low <= price < high
        if not open_vote:
            return np.zeros(reports.shape, np.bool_)
    return np.asarray((reports < low) | (reports > high))


def _read_size(size: Any, word: str) -> int:
    if isinstance(size, bool) or not isinstance(size, int | np.integer):
        raise CatallaxError(f"the number of {word}s is {size!r}; give a whole number from 1 up")
    if size < 1:
        raise CatallaxError(f"there are {size} {word}s; a trade needs at least one on each side")
    if size > MOST_MEMBERS:
        raise CatallaxError(f"{size:,} {word}s are too many; at most {MOST_MEMBERS:,}")
    return int(size)


def _read_priors(
    given: PriorLike | Sequence[PriorLike], size: int, word: str
) -> Prior | tuple[Prior, ...]:
    if isinstance(given, Prior | Mapping | str) or not isinstance(given, Sequence):
        prior = make_prior(given, where=f"the {word}s' prior")
        _check_mean(prior, f"the {word}s' prior")
        return prior
    if len(given) != size:
        raise CatallaxError(
            f"there are {len(given)} priors for {size} {word}s; give one for each, or one for all"
        )
    # Equal texts are read once, so that thousands of members cost no more than their kinds.
    seen: dict[str, Prior] = {}
    made = []
    for position, one in enumerate(given):
        where = f"the prior of {word} {position + 1}"
        if isinstance(one, str):
            if one not in seen:
                seen[one] = make_prior(one, where=where)
            prior = seen[one]
        else:
            prior = make_prior(one, where=where)
        made.append(prior)
    first = {prior: position for position, prior in reversed(list(enumerate(made)))}
    for prior, position in first.items():
        _check_mean(prior, f"the prior of {word} {position + 1},")
    return made[0] if len(first) == 1 else tuple(made)


def _check_mean(prior: Prior, what: str) -> None:
    mean = prior.mean
    if not math.isfinite(mean):
        raise PriorError(
            f"{what} {prior.describe()} has an infinite mean, and so have the gains from trade; "
            "end its support or use a lighter tail"
        )


def _describe(prior: Prior | tuple[Prior, ...]) -> str:
    if isinstance(prior, Prior):
        return prior.describe()
    shown = [one.describe() for one in prior[:3]]
    more = [f"... ({len(prior)} in all)"] if len(prior) > 3 else []
    return "[" + ", ".join(shown + more) + "]"


@dataclass(frozen=True, eq=False, init=False, repr=False)
class GroupReports:
    """What the members of both groups report: one bid per buyer and one ask per seller.

    Parameters
    ----------
    bids, asks
        Finite numbers in units of money, shapes ``(n_buyers,)`` and ``(n_sellers,)``. They are
        copied, and read-only from then on.

    Raises
    ------
    ReportError
        If one of them is not a finite number; the message names the member.

    Examples
    --------
    >>> GroupReports([0.7, 0.4], [0.2]).bids
    array([0.7, 0.4])
    """

    bids: Array
    asks: Array

    def __init__(self, bids: ArrayLike, asks: ArrayLike) -> None:
        object.__setattr__(self, "bids", _read_reports(bids, "bid", "buyer"))
        object.__setattr__(self, "asks", _read_reports(asks, "ask", "seller"))

    def __repr__(self) -> str:
        """Return a short description."""
        return f"<reports of two groups: {self.bids.size} bids, {self.asks.size} asks>"


def _read_reports(given: Any, word: str, member: str) -> Array:
    entries = given if isinstance(given, np.ndarray) else list(given)
    for position, entry in enumerate(entries):
        if not is_finite(entry):
            raise ReportError(
                f"the {word} of {member} {position + 1} is {entry!r}; give a finite number"
            )
    array = np.array(entries, dtype=np.float64)
    if array.ndim != 1:
        raise ReportError(f"{word}s of shape {array.shape} are no list; give one per {member}")
    array.flags.writeable = False
    return array
