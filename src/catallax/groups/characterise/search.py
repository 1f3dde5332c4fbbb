"""Theorems 4.1 and 4.2 by search: for intervals of reports, and for groups too large to list."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.errors import MechanismError, ReportError
from catallax.groups.boolean_rules import Coalitions
from catallax.groups.characterise.tables import Characterisation
from catallax.groups.price_ranges import fitted_rule
from catallax.groups.rule_tables import BlackBox, answer_of
from catallax.groups.witnesses import (
    Deviation,
    Finding,
    Imbalance,
    Pivot,
    Profile,
    Side,
    TwoPivots,
    number,
)
from catallax.priors import Prior
from catallax.priors.base import RandomSource
from catallax.progress import Progress

__all__ = ["characterise_by_search"]

Array = NDArray[np.float64]
Reports = Prior | tuple[float, float]

ALTERNATIVES = 3
"""How many other reports of a member are tried at a profile, besides the two ends."""

LARGEST_VOTE = 12
"""Up to so many members all profiles of votes are asked for, to write the rule down."""


@dataclass(frozen=True)
class _Domain:
    """Where one member's reports come from."""

    low: float
    high: float
    prior: Prior | None

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        drawn = rng.uniform(self.low, self.high, count)
        if self.prior is not None:
            own = np.clip(self.prior.sample(rng, count), self.low, self.high)
            drawn = np.where(rng.random(count) < 0.7, own, drawn)
        # Rules like to go wrong at the ends.
        ends = np.where(rng.random(count) < 0.5, self.low, self.high)
        return np.where(rng.random(count) < 0.1, ends, drawn)


@dataclass
class _Side:
    """The tightest pivots of one side that were found."""

    low: tuple[float, Pivot] | None = None
    high: tuple[float, Pivot] | None = None

    def add(self, pivot: Pivot) -> None:
        ends = (pivot.refusing, pivot.accepting)
        low, high = ends if pivot.side == "buyer" else ends[::-1]
        if self.low is None or low > self.low[0]:
            self.low = (low, pivot)
        if self.high is None or high < self.high[0]:
            self.high = (high, pivot)

    def contradiction(self, tolerance: float) -> TwoPivots | None:
        if self.low is None or self.high is None or self.low[0] <= self.high[0] + tolerance:
            return None
        return TwoPivots(self.low[1], self.high[1])


@dataclass
class _Found:
    """What a search has seen so far."""

    lie: Deviation | None = None
    imbalance: Imbalance | None = None
    contradiction: TwoPivots | None = None
    sides: dict[Side, _Side] = field(default_factory=lambda: {"buyer": _Side(), "seller": _Side()})
    decisions: dict[float, tuple[float, float]] = field(default_factory=dict)
    deviations: int = 0
    pays: bool = False


def characterise_by_search(
    rule: BlackBox,
    buyers: Sequence[Reports],
    sellers: Sequence[Reports],
    *,
    rng: RandomSource,
    evaluations: int = 20_000,
    tolerance: float | None = None,
    progress: Progress | None = None,
) -> Characterisation:
    """Look for what breaks a rule, and for its price, without looking at every profile.

    Parameters
    ----------
    rule
        As in `characterise`.
    buyers, sellers
        For each member a prior, or an interval (low, high): reports are drawn from it and moved
        within it.
    rng
        A seed or a generator.
    evaluations
        How many times the rule may be asked.
    tolerance
        Gains and differences up to this size are rounding; by default 1e-7 of the largest end.
    progress
        Called now and then with the part that is done and what is being done.

    Returns
    -------
    Characterisation
        `exhaustive` is False. What was broken carries a witness, which is a proof. Where nothing
        was found ``holds`` is None; then the transfer is the interval that the members leave who
        were seen to decide, usually a few rounding errors wide, and the rule is what the votes at
        that price decided (groups of up to 12 members). Ties are not looked at.

    Raises
    ------
    MechanismError
        If the rule fails, randomises, or does not share its payments.
    ReportError
        If an interval is no interval.

    Examples
    --------
    >>> def vote(bids, asks):
    ...     x = (bids >= 0.375).all() and asks[0] <= 0.75
    ...     return x, 0.375 * x, 0.75 * x
    >>> found = characterise_by_search(vote, [(0, 1)] * 2, [(0, 1)], rng=1)
    >>> found.verdict, [round(end, 6) for end in found.transfer], found.rule.describe(2, 1)
    ('undecided', [0.75, 0.75], 'buyers 1 and 2 with seller 1')
    """
    domains = [_domain(f"buyer {k + 1}", one) for k, one in enumerate(buyers)]
    domains += [_domain(f"seller {k + 1}", one) for k, one in enumerate(sellers)]
    n = len(buyers)
    if not 0 < n < len(domains):
        raise ReportError("a rule for two groups needs a buyer and a seller")
    scale = max(max(abs(one.low), abs(one.high)) for one in domains)
    hunt = _Hunt(rule, domains, n, np.random.default_rng(rng), 1e-7 * scale, evaluations)
    if tolerance is not None:
        hunt.tolerance = float(tolerance)
    hunt.run(progress)
    return hunt.verdict()


def _domain(who: str, given: Reports) -> _Domain:
    if isinstance(given, Prior):
        low, high = given.support
        low = low if np.isfinite(low) else float(given.quantile(1e-9))
        high = high if np.isfinite(high) else float(given.quantile(1 - 1e-9))
        return _Domain(low, high, given)
    try:
        low, high = (float(end) for end in given)
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise ReportError(
            f"the reports of {who} are {given!r}; give a prior, or a finite interval (low, high)"
        )
    return _Domain(low, high, None)


class _Hunt:
    """One search: what it may ask, and what it has seen."""

    def __init__(
        self,
        rule: BlackBox,
        domains: list[_Domain],
        n: int,
        rng: np.random.Generator,
        tolerance: float,
        evaluations: int,
    ) -> None:
        self.rule, self.domains, self.n, self.rng = rule, domains, n, rng
        self.tolerance, self.evaluations = tolerance, evaluations
        self.found, self.asked = _Found(), 0

    # ------------------------------------------------------------------------------- asking

    def ask(self, profile: Array) -> tuple[float, ...]:
        answer = answer_of(self.rule, profile[: self.n], profile[self.n :])
        self.asked += 1
        if answer[0] not in (0.0, 1.0):
            raise MechanismError(
                "the rule randomises, and Theorems 4.1 and 4.2 are about those that do not; use "
                "characterise_smooth"
            )
        if len(answer) == 3:
            self.found.pays = True
            self._compare_sides(profile, answer)
        return answer

    def _compare_sides(self, profile: Array, answer: tuple[float, ...]) -> None:
        m = len(self.domains) - self.n
        given, taken = self.n * answer[1], m * answer[2]
        self.found.decisions.setdefault(answer[0], (given, taken))
        known = self.found.imbalance
        worst = 0.0 if known is None else abs(known.buyers_pay - known.sellers_receive)
        if abs(given - taken) > max(worst, self.tolerance * max(self.n, m)):
            self.found.imbalance = Imbalance(*self.split(profile), given, taken)

    def split(self, profile: Array) -> tuple[Profile, Profile]:
        values = tuple(profile.tolist())
        return values[: self.n], values[self.n :]

    # ---------------------------------------------------------------------------- searching

    def run(self, progress: Progress | None) -> None:
        while self.asked < self.evaluations:
            for side in ("buyer", "seller"):
                self._one_side(side)
            if progress is not None:
                progress(min(1.0, self.asked / self.evaluations), "searching")

    def _one_side(self, side: Side) -> None:
        """Look along lines of one side's members, while the other side stands still."""
        own = range(self.n) if side == "buyer" else range(self.n, len(self.domains))
        profile = np.array([self.domains[k].draw(self.rng, 1)[0] for k in range(len(self.domains))])
        met = _Side()
        for _ in range(3):
            members = self.rng.permutation(list(own))[:8]
            for member in members.tolist():
                if self.asked >= self.evaluations:
                    break
                for pivot in self._line(side, member, profile):
                    met.add(pivot)
                    self.found.sides[side].add(pivot)
            for k in own:
                profile[k] = self.domains[k].draw(self.rng, 1)[0]
        contradiction = met.contradiction(self.tolerance)
        if contradiction is not None and self.found.contradiction is None:
            self.found.contradiction = contradiction

    def _line(self, side: Side, member: int, profile: Array) -> list[Pivot]:
        domain = self.domains[member]
        others = domain.draw(self.rng, ALTERNATIVES)
        reports = np.unique([profile[member], domain.low, domain.high, *others])
        answers = [self.ask(self._with(profile, member, report)) for report in reports]
        if len(answers[0]) == 3:
            self._lies(side, member, profile, reports, np.array(answers))
        else:
            self.found.deviations += len(reports)
        pivots = []
        for k in range(len(reports) - 1):
            if answers[k][0] != answers[k + 1][0]:
                pivots.append(self._pivot(side, member, profile, reports[k : k + 2], answers[k][0]))
        return pivots

    def _with(self, profile: Array, member: int, report: float) -> Array:
        changed = profile.copy()
        changed[member] = report
        return changed

    def _lies(self, side: Side, member: int, profile: Array, reports: Array, said: Array) -> None:
        sign = 1.0 if side == "buyer" else -1.0
        money = -said[:, 1] if side == "buyer" else said[:, 2]
        utility = sign * reports[:, None] * said[None, :, 0] + money[None, :]
        gains = utility - np.diag(utility)[:, None]
        self.found.deviations += gains.size - len(reports)
        true, lie = np.unravel_index(int(np.argmax(gains)), gains.shape)
        gain = float(gains[true, lie])
        if gain > max(self.tolerance, 0.0 if self.found.lie is None else self.found.lie.gain):
            truth = self._with(profile, member, reports[true])
            place = member if side == "buyer" else member - self.n
            self.found.lie = Deviation(side, place, *self.split(truth), float(reports[lie]), gain)

    def _pivot(self, side: Side, member: int, profile: Array, ends: Array, first: float) -> Pivot:
        """Bisect the jump between two reports down to a width that is rounding."""
        low, high = float(ends[0]), float(ends[1])
        wrong_way = (first == 1.0) == (side == "buyer")  # as wide as it is, it says most
        for _ in range(0 if wrong_way else 60):
            middle = (low + high) / 2
            if high - low <= self.tolerance / 8 or not low < middle < high:
                break
            if self.ask(self._with(profile, member, middle))[0] == first:
                low = middle
            else:
                high = middle
        refusing, accepting = (low, high) if first == 0.0 else (high, low)
        place = member if side == "buyer" else member - self.n
        truth = self.split(self._with(profile, member, refusing))
        return Pivot(side, place, *truth, refusing, accepting)

    # ------------------------------------------------------------------------------ judging

    def verdict(self) -> Characterisation:
        found, m = self.found, len(self.domains) - self.n
        one_price, transfer = self._one_price()
        nothing = f"nothing against it in {found.deviations} deviations that were drawn"
        two_prices = Finding(None, nothing)
        if found.contradiction is not None:
            two_prices = Finding(False, found.contradiction.story(), found.contradiction)
        truthful = two_prices
        if found.pays:
            truthful = Finding(None, nothing)
            if found.lie is not None:
                truthful = Finding(False, found.lie.story(), found.lie)
        balanced = None
        if found.pays:
            balanced = Finding(None, "the buyers paid what the sellers received, wherever asked")
            if found.imbalance is not None:
                balanced = Finding(False, found.imbalance.story(), found.imbalance)
        rule = None if transfer is None else self._vote(transfer)
        if truthful.holds is None and transfer is not None:
            words = "the votes" if rule is None else f"yes from {rule.describe(self.n, m)}"
            price = number((transfer[0] + transfer[1]) / 2 / self.n)
            looks = f"it looks like a vote at {price}, trade on {words}"
            truthful = Finding(None, f"{nothing}; {looks}")
        elif truthful.holds is None and one_price.holds is False:
            truthful = Finding(None, f"{nothing}; it needs two prices, for {one_price.story}")
        return Characterisation(
            n_buyers=self.n,
            n_sellers=m,
            truthful=truthful,
            balanced=balanced,
            two_prices=two_prices,
            one_price=one_price,
            transfer=transfer,
            without_trade=found.decisions.get(0.0, (0.0, 0.0))[0],
            rule=rule,
            ties="none",
            exhaustive=False,
            checked=found.deviations,
        )

    def _one_price(self) -> tuple[Finding, tuple[float, float] | None]:
        if self.found.contradiction is not None:
            witness = self.found.contradiction
            return Finding(False, witness.story(), witness), None
        sizes = {"buyer": self.n, "seller": len(self.domains) - self.n}
        sides = [(sizes[side], met) for side, met in self.found.sides.items()]
        lows = [(s * met.low[0], s, met.low[1]) for s, met in sides if met.low is not None]
        highs = [(s * met.high[0], s, met.high[1]) for s, met in sides if met.high is not None]
        if not lows or not highs:
            return Finding(None, "no member was seen to decide"), None
        low, high = max(lows, key=lambda one: one[0]), min(highs, key=lambda one: one[0])
        if low[0] > high[0] + self.tolerance * max(sizes.values()):
            shares = (1, 1) if low[1] == high[1] else (low[1], high[1])
            witness = TwoPivots(low[2], high[2], shares)
            return Finding(False, witness.story(), witness), None
        return Finding(None, "one transfer fits all that was seen"), (
            low[0],
            max(low[0], high[0]),
        )

    def _vote(self, transfer: tuple[float, float]) -> Coalitions | None:
        """Ask for every profile of clear votes: each member at an end of the own interval."""
        size = len(self.domains)
        if size > LARGEST_VOTE:
            return None
        point = (transfer[0] + transfer[1]) / 2
        choices: list[list[tuple[float, bool]]] = []
        for k, one in enumerate(self.domains):
            price = point / (self.n if k < self.n else size - self.n)
            ends = [end for end in (one.low, one.high) if abs(end - price) > 4 * self.tolerance]
            choices.append([(end, (end > price) == (k < self.n)) for end in ends])
        if not all(choices):
            return None
        rows: list[list[Any]] = []
        x: list[float] = []
        for profile in itertools.product(*choices):
            rows.append([yes for _, yes in profile])
            x.append(self.ask(np.array([end for end, _ in profile]))[0])
        return fitted_rule(np.array(x), np.array(rows, dtype=np.bool_), self.n)
