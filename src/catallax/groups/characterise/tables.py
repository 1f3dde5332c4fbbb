"""Which truthful rules are votes: Theorems 4.1 and 4.2 decided for a black box, with witnesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import MechanismError
from catallax.groups.boolean_rules import Coalitions
from catallax.groups.price_ranges import SidePrices, fitted_rule
from catallax.groups.rule_tables import BlackBox, RuleTable, tabulate
from catallax.groups.witnesses import Finding, Imbalance, TwoPivots, number

__all__ = ["Characterisation", "Ties", "Verdict", "characterise", "characterise_table"]

Array = NDArray[np.float64]
Verdict = Literal["one-price", "two-prices", "not-truthful", "undecided"]
Ties = Literal["for", "against", "mixed", "none"]

_EVERY_PRICE = (-np.inf, np.inf)


@dataclass(frozen=True, eq=False)
class Characterisation:
    """What a rule for two groups is.

    Attributes
    ----------
    n_buyers, n_sellers
        The sizes of the groups.
    truthful
        Does no member ever gain by a lie? By all deviations if the rule states payments, else
        whether some payments make it so, which is `two_prices`.
    balanced
        Do the buyers always pay what the sellers receive? None if the rule states no payments.
    two_prices
        Is the decision of the form of Theorem 4.1, with some payments or other?
    one_price
        Is it of the form of Theorem 4.2, so that some payments make it truthful and balanced?
    transfer
        The lowest and the highest transfer between the groups with which the vote of Theorem 4.2
        decides as this rule does; equal where the rule's own payments say it. None without one.
    without_trade
        What changes hands even where there is no trade, in all; 0 for a rule that states no
        payments.
    rule
        f of Theorem 4.2, None where there is none.
    ties
        How a member who is exactly at the price was counted: "for" or "against" the trade,
        "mixed", or "none" if no report is at the price.
    exhaustive
        Whether every profile of the given reports was looked at.
    checked
        How many deviations (profiles, if the rule states no payments) were looked at.
    buyers, sellers
        Prices and rules of one side for given reports of the other (Theorem 4.1); None after a
        search.
    """

    n_buyers: int
    n_sellers: int
    truthful: Finding
    balanced: Finding | None
    two_prices: Finding
    one_price: Finding
    transfer: tuple[float, float] | None
    without_trade: float
    rule: Coalitions | None
    ties: Ties
    exhaustive: bool
    checked: int
    buyers: SidePrices | None = field(default=None, repr=False)
    sellers: SidePrices | None = field(default=None, repr=False)

    @property
    def verdict(self) -> Verdict:
        """The strongest form of the paper that the rule as given is seen to have."""
        if self.truthful.holds is False:
            return "not-truthful"
        if self.truthful.holds is None:
            return "undecided"
        balanced = self.one_price if self.balanced is None else self.balanced
        return "one-price" if balanced.holds else "two-prices"

    @property
    def price(self) -> tuple[float, float] | None:
        """The lowest and the highest price of a buyer, tau of Theorem 4.2."""
        return None if self.transfer is None else _divided(self.transfer, self.n_buyers)

    @property
    def receipt(self) -> tuple[float, float] | None:
        """The lowest and the highest price of a seller; tau if the groups are of equal size."""
        return None if self.transfer is None else _divided(self.transfer, self.n_sellers)

    @property
    def story(self) -> str:
        """What the rule is, in one line."""
        if self.verdict == "not-truthful":
            return f"not truthful: {self.truthful.story}"
        if self.verdict == "undecided":
            return f"undecided: {self.truthful.story}"
        if self.verdict == "two-prices":
            why = self.one_price if self.one_price.holds is False else self.balanced
            return f"truthful with two prices: {'' if why is None else why.story}"
        return f"truthful and balanced: {self.one_price.story}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain data without infinities."""
        return {
            "verdict": self.verdict,
            "story": self.story,
            "truthful": self.truthful.to_dict(),
            "balanced": None if self.balanced is None else self.balanced.to_dict(),
            "two_prices": self.two_prices.to_dict(),
            "one_price": self.one_price.to_dict(),
            "transfer": _plain(self.transfer),
            "price": _plain(self.price),
            "receipt": _plain(self.receipt),
            "without_trade": self.without_trade,
            "rule": None if self.rule is None else self.rule.to_dict(),
            "ties": self.ties,
            "exhaustive": self.exhaustive,
            "checked": self.checked,
        }


def _divided(ends: tuple[float, float], size: int) -> tuple[float, float]:
    return ends[0] / size, ends[1] / size


def _plain(ends: tuple[float, float] | None) -> list[float | None] | None:
    return None if ends is None else [end if np.isfinite(end) else None for end in ends]


def characterise(
    rule: BlackBox | RuleTable,
    buyers: Sequence[ArrayLike] = (),
    sellers: Sequence[ArrayLike] = (),
    *,
    tolerance: float | None = None,
) -> Characterisation:
    """Decide which truthful rule, if any, a black box is.

    Parameters
    ----------
    rule
        A function of bids ``(n,)`` and asks ``(m,)`` that returns x (0 or 1), or (x, payment,
        receipt) with what each buyer pays and each seller receives; or a `RuleTable`.
    buyers, sellers
        For each member the finitely many reports it may make, which are also its possible values.
        The rule is asked about all their combinations. For more reports than can be looked at, and
        for intervals, there is `search`.
    tolerance
        Gains and differences up to this size are rounding; by default 1e-9 of the largest amount.

    Returns
    -------
    Characterisation
        The form, the prices and the voting rule, or the witness that breaks it.

    Raises
    ------
    MechanismError
        If the rule fails, randomises, or does not share its payments.
    ReportError
        If a member has no reports.

    Notes
    -----
    What is decided here is a little more than Theorems 4.1 and 4.2 say, and was found by comparing
    them with all rules on small grids:

    *Ties.* The theorems take members who are indifferent to be in favour of the trade (that is how
    Lemma 4.3 (d) comes by a closed set of trades). Without this a rule is truthful exactly if for
    given reports of the other side it is a monotone function of *three-way* votes: below, at and
    above one price. "Both bids at least 1" and "the first at least 1, the second above 1" are both
    truthful at the price 1, and of the form printed is only the one. `ties` says which it is.

    *Finitely many reports.* Between the report that refuses and the one that accepts any price
    will do, so prices come as closed intervals, and a rule is truthful for some payments exactly if
    the intervals of all members who decide somewhere have a point in common. That also says that
    the rule is monotone.

    *Payments.* Truthful payments are p = h(a) + tau_a x and r = k(b) + theta_b x, with any h and k:
    the paper's p = tau_a x is the case in which nothing is paid without a trade. With strong
    balance h and k are one constant, which changes hands in any case (`without_trade`). Where no
    buyer ever decides, tau_a may be anything.

    *Sizes.* Balance is n p = m r. So what one price is for groups of equal size is one *transfer*
    T for others: a buyer votes on T / n and a seller on T / m.

    *Individual payments.* Everything rests on one payment a side. Where each member may pay
    something else every monotone rule is truthful for some payments (Myerson), first best among
    them.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorems 4.1 and 4.2, Lemmas 4.3 to 4.6.

    Examples
    --------
    A vote of two buyers and a seller at the price 0.5 a head, the buyers' transfer being shared:

    >>> def vote(bids, asks):
    ...     x = (bids >= 0.5).all() and asks[0] <= 1.0
    ...     return x, 0.5 * x, 1.0 * x
    >>> grid = [0.25, 0.5, 0.75, 1.25]
    >>> found = characterise(vote, [grid, grid], [grid])
    >>> found.verdict, found.transfer, found.ties
    ('one-price', (1.0, 1.0), 'for')
    >>> found.rule.describe(2, 1)
    'buyers 1 and 2 with seller 1'

    First best, with a price halfway:

    >>> def halfway(bids, asks):
    ...     x = bids[0] >= asks[0]
    ...     return x, x * (bids[0] + asks[0]) / 2, x * (bids[0] + asks[0]) / 2
    >>> characterise(halfway, [grid], [grid]).story
    'not truthful: buyer 1 with value 1.25 gains 0.5 by bidding 0.25 instead (bids 1.25; asks 0.25)'
    """
    table = rule if isinstance(rule, RuleTable) else tabulate(rule, buyers, sellers)
    return characterise_table(table, tolerance)


def characterise_table(table: RuleTable, tolerance: float | None = None) -> Characterisation:
    """Do what `characterise` does for a rule that is already a table."""
    if not table.deterministic:
        raise MechanismError(
            "the rule randomises, and Theorems 4.1 and 4.2 are about those that do not; use "
            "characterise_smooth"
        )
    allowed = amounts(table) * 1e-9 if tolerance is None else float(tolerance)
    sides = SidePrices(table, "buyer"), SidePrices(table, "seller")
    two_prices = _two_prices(sides, allowed)
    one_price, transfer = _one_price(table, sides, allowed)
    truthful, balanced, checked = two_prices, None, table.profiles
    without_trade = 0.0
    if table.pays is not None and table.receives is not None:
        truthful, checked = truthfulness(table, allowed)
        balanced = balance(table, allowed)
        if truthful.holds and balanced.holds:
            transfer, without_trade = _stated(table, transfer or _EVERY_PRICE)
    rule, ties = None, "none"
    if one_price.holds and transfer is not None:
        rule, ties = _vote(table, transfer, allowed)
        story = _story(table, transfer, without_trade, rule, ties)
        one_price = Finding(True, story)
    return Characterisation(
        n_buyers=table.n_buyers,
        n_sellers=table.n_sellers,
        truthful=truthful,
        balanced=balanced,
        two_prices=two_prices,
        one_price=one_price,
        transfer=transfer,
        without_trade=without_trade,
        rule=rule,
        ties=ties,
        exhaustive=True,
        checked=checked,
        buyers=sides[0],
        sellers=sides[1],
    )


def amounts(table: RuleTable) -> float:
    """Return the largest amount a table speaks of."""
    sums = [np.abs(one).max() for one in table.reports]
    sums += [np.abs(one).max() for one in (table.pays, table.receives) if one is not None]
    return float(max(sums))


# ---------------------------------------------------------------------------------- the theorems


def _two_prices(sides: tuple[SidePrices, SidePrices], tolerance: float) -> Finding:
    for prices in sides:
        witness = prices.contradiction(tolerance)
        if witness is not None:
            return Finding(False, witness.story(), witness)
    return Finding(True, "whatever one side reports, the other side votes at one price")


def _one_price(
    table: RuleTable, sides: tuple[SidePrices, SidePrices], tolerance: float
) -> tuple[Finding, tuple[float, float] | None]:
    """Say whether one transfer fits all pivots of both sides, and which ones do."""
    sizes = (table.n_buyers, table.n_sellers)
    lows = [size * float(prices.low.max()) for size, prices in zip(sizes, sides, strict=True)]
    highs = [size * float(prices.high.min()) for size, prices in zip(sizes, sides, strict=True)]
    below, above = int(np.argmax(lows)), int(np.argmin(highs))
    low, high = lows[below], highs[above]
    if np.isfinite(low) and low > high + tolerance * max(sizes):
        first = sides[below].pivot(int(np.argmax(sides[below].low)), lowest=True)
        second = sides[above].pivot(int(np.argmin(sides[above].high)), lowest=False)
        shares = (1, 1) if sizes[below] == sizes[above] else (sizes[below], sizes[above])
        witness = TwoPivots(first, second, shares)
        return Finding(False, witness.story(), witness), None
    return Finding(True, "one transfer fits all"), (low, max(low, high))


def truthfulness(table: RuleTable, tolerance: float) -> tuple[Finding, int]:
    best, checked = table.best_lie()
    if best is None or best.gain <= tolerance:
        return Finding(True, f"none of {checked} deviations gains anything"), checked
    return Finding(False, best.story(), best), checked


def balance(table: RuleTable, tolerance: float) -> Finding:
    assert table.pays is not None and table.receives is not None
    given, taken = table.n_buyers * table.pays, table.n_sellers * table.receives
    gap = np.abs(given - taken)
    worst = np.unravel_index(int(np.argmax(gap)), gap.shape)
    if gap[worst] <= tolerance * max(table.n_buyers, table.n_sellers):
        return Finding(True, "the buyers always pay what the sellers receive")
    witness = Imbalance(*table.at(worst), float(given[worst]), float(taken[worst]))
    return Finding(False, witness.story(), witness)


def _stated(table: RuleTable, allowed: tuple[float, float]) -> tuple[tuple[float, float], float]:
    """Return the transfer that a truthful and balanced rule states, and what it takes in any case.

    A rule that always trades, or never, has no transfer that depends on the trade: if it always
    does, all it takes counts as the price.
    """
    assert table.pays is not None
    totals = table.n_buyers * table.pays
    traded, not_traded = totals[table.x == 1], totals[table.x == 0]
    if not traded.size:
        return allowed, float(not_traded.flat[0])
    base = float(not_traded.flat[0]) if not_traded.size else 0.0
    transfer = float(traded.flat[0]) - base
    return (transfer, transfer), base


# -------------------------------------------------------------------------------------- the votes


def _vote(
    table: RuleTable, transfer: tuple[float, float], tolerance: float
) -> tuple[Coalitions | None, Ties]:
    """Return f, and how those who are exactly at the price were counted."""
    low, high = transfer
    point = (low + high) / 2 if np.isfinite(low) and np.isfinite(high) else 0.0
    n = table.n_buyers
    mesh = np.meshgrid(*table.reports, indexing="ij")
    # How far above its price each report makes a member like the trade: (profiles, members).
    surplus = np.stack(
        [
            one.ravel() - point / n if axis < n else point / table.n_sellers - one.ravel()
            for axis, one in enumerate(mesh)
        ],
        axis=1,
    )
    x = table.x.ravel()
    rule = fitted_rule(x, surplus >= -tolerance, n)
    strict = fitted_rule(x, surplus > tolerance, n)
    if not (np.abs(surplus) <= tolerance).any() or (rule is not None and strict is not None):
        return rule, "none"
    if rule is not None:
        return rule, "for"
    return strict, "mixed" if strict is None else "against"


def _story(
    table: RuleTable,
    transfer: tuple[float, float],
    without_trade: float,
    rule: Coalitions | None,
    ties: Ties,
) -> str:
    n, m = table.n_buyers, table.n_sellers
    if (table.x == table.x.flat[0]).all():
        what = "it always trades" if table.x.flat[0] == 1 else "it never trades"
        if without_trade:
            what += f", and {number(without_trade)} changes hands in any case"
        return what
    each = f"price {_range(_divided(transfer, n))}"
    if n != m:
        receipt = _range(_divided(transfer, m))
        each = f"transfer {_range(transfer)} ({each[6:]} a buyer, {receipt} a seller)"
    votes = "three-way votes" if rule is None else f"yes from {rule.describe(n, m)}"
    fee = f", and {number(without_trade)} changes hands in any case" if without_trade else ""
    counted = {"for": ", ties for the trade", "against": ", ties against the trade"}.get(ties, "")
    return f"{each}, trade on {votes}{counted}{fee}"


def _range(ends: tuple[float, float]) -> str:
    low, high = ends
    return number(low) if low == high else f"from {number(low)} to {number(high)}"
