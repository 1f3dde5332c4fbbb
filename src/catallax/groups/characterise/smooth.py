"""Which smooth lotteries are truthful: Theorem 5.1 decided for a black box by mixed differences."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.groups.characterise.tables import amounts, balance, truthfulness
from catallax.groups.rule_tables import BlackBox, RuleTable, tabulate
from catallax.groups.witnesses import Finding, Interaction, Reversal

__all__ = ["SmoothCharacterisation", "characterise_smooth"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SmoothCharacterisation:
    """What a lottery for two groups is, on the reports that were looked at.

    Attributes
    ----------
    separable
        Is x, for given asks, a sum of one function of each bid, and for given bids one of each ask?
    monotone
        Does x rise with every bid and fall with every ask?
    additive
        Is x a sum over all members of both sides at once? Smooth rules need that to be truthful and
        balanced.
    truthful
        Does no member gain by a lie, by all deviations; None if the rule states no payments.
    balanced
        Do the buyers always pay what the sellers receive; None without payments.
    checked
        How many profiles were looked at.
    table
        The rule on these reports.
    """

    separable: Finding
    monotone: Finding
    additive: Finding
    truthful: Finding | None
    balanced: Finding | None
    checked: int
    table: RuleTable = field(repr=False)

    @property
    def verdict(self) -> Literal["smooth-truthful", "not-truthful"]:
        """Whether Theorem 5.1 has nothing against the rule, nor any deviation."""
        findings = (self.separable, self.monotone, self.truthful)
        fine = all(finding is None or finding.holds for finding in findings)
        return "smooth-truthful" if fine else "not-truthful"

    @property
    def story(self) -> str:
        """What the rule is, in one line."""
        for finding in (self.monotone, self.separable, self.truthful):
            if finding is not None and not finding.holds:
                return f"not truthful if smooth: {finding.story}"
        return f"separable and monotone: {self.additive.story}"

    def components(self, side: Literal["buyer", "seller"], others: Sequence[float]) -> list[Array]:
        """Return the component functions of one side, given the other side's reports.

        Parameters
        ----------
        side
            Whose components.
        others
            The other side's reports, as they are in the table.

        Returns
        -------
        list of ndarray
            For each member the values of f_i (of g_j) at its reports. The first member's holds the
            constant; of all others the first value is 0.
        """
        own, rest = self._axes(side)
        index: list[Any] = [0] * len(self.table.reports)
        for axis, report in zip(rest, others, strict=True):
            index[axis] = int(np.flatnonzero(self.table.reports[axis] == report)[0])
        parts = []
        for axis in own:
            line = self.table.x[
                tuple(slice(None) if k == axis else index[k] for k in range(len(index)))
            ]
            parts.append(line - (0.0 if axis == own[0] else line[0]))
        return parts

    def _axes(self, side: str) -> tuple[list[int], list[int]]:
        every = range(len(self.table.reports))
        own = [k for k in every if (k < self.table.n_buyers) == (side == "buyer")]
        return own, [k for k in every if k not in own]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "verdict": self.verdict,
            "story": self.story,
            "separable": self.separable.to_dict(),
            "monotone": self.monotone.to_dict(),
            "additive": self.additive.to_dict(),
            "truthful": None if self.truthful is None else self.truthful.to_dict(),
            "balanced": None if self.balanced is None else self.balanced.to_dict(),
            "checked": self.checked,
        }


def characterise_smooth(
    rule: BlackBox | RuleTable,
    buyers: Sequence[ArrayLike] = (),
    sellers: Sequence[ArrayLike] = (),
    *,
    tolerance: float | None = None,
) -> SmoothCharacterisation:
    """Decide whether a smooth lottery is truthful for some payments, and for its own.

    Parameters
    ----------
    rule
        A function of bids ``(n,)`` and asks ``(m,)`` that returns the probability x of a trade, or
        (x, payment, receipt); or a `RuleTable`.
    buyers, sellers
        For each member the reports at which the rule is asked about.
    tolerance
        Differences up to this size are rounding; by default 1e-9, for amounts times the largest.

    Returns
    -------
    SmoothCharacterisation
        With the components, or the witness.

    Notes
    -----
    x(b_i, b_k) - x(b_i, b_k') - x(b_i', b_k) + x(b_i', b_k') is zero for all reports of two members
    of one side exactly if x is separable, and it is enough to look at neighbouring reports. For a
    twice differentiable rule a mixed difference that is not zero is a mixed derivative that is not
    zero somewhere, and then no payments are truthful. Rules that jump are another matter: a vote
    has mixed differences and is truthful.

    A grid says nothing about what lies between its points. On the grid itself some rules with small
    interactions are truthful, for a finite step leaves room for the payments; that is why
    separability and the deviations are reported apart.

    References
    ----------
    Xu, Zhang, Conitzer (2024), Theorem 5.1, Lemmas 5.1 and 5.2.

    Examples
    --------
    >>> grid = [0, 0.5, 1]
    >>> characterise_smooth(lambda b, a: b.mean() * (1 - a[0]), [grid, grid], [grid]).story
    'separable and monotone: buyer 1 and seller 1 interact, so no payments balance the budget'
    >>> print(characterise_smooth(lambda b, a: b[0] * b[1], [grid, grid], [grid]).story)
    not truthful if smooth: buyers 1 and 2 interact: the mixed difference from (0, 0) to (0.5, 0.5)
    is 0.25, not 0 (bids 0, 0; asks 0)
    """
    table = rule if isinstance(rule, RuleTable) else tabulate(rule, buyers, sellers)
    allowed = 1e-9 if tolerance is None else float(tolerance)
    n = table.n_buyers
    inside = [pair for pair in _pairs(table) if (pair[0] < n) == (pair[1] < n)]
    across = [pair for pair in _pairs(table) if (pair[0] < n) != (pair[1] < n)]
    separable = _no_interaction(table, inside, allowed)
    truthful = balanced = None
    if table.pays is not None:
        money = allowed * max(1.0, amounts(table)) if tolerance is None else allowed
        truthful, _ = truthfulness(table, money)
        balanced = balance(table, money)
    return SmoothCharacterisation(
        separable=separable,
        monotone=_monotone(table, allowed),
        additive=_additive(table, across, separable, allowed),
        truthful=truthful,
        balanced=balanced,
        checked=table.profiles,
        table=table,
    )


def _pairs(table: RuleTable) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(len(table.reports)), 2))


def _largest(table: RuleTable, pairs: list[tuple[int, int]]) -> tuple[float, Any, tuple[int, int]]:
    """Return the mixed difference of neighbouring reports that is farthest from zero."""
    best: tuple[float, Any, tuple[int, int]] = (0.0, None, (0, 0))
    for first, second in pairs:
        mixed = np.diff(np.diff(table.x, axis=first), axis=second)
        if mixed.size:
            place = np.unravel_index(int(np.argmax(np.abs(mixed))), mixed.shape)
            if best[1] is None or abs(mixed[place]) > abs(best[0]):
                best = (float(mixed[place]), place, (first, second))
    return best


def _no_interaction(table: RuleTable, pairs: list[tuple[int, int]], tolerance: float) -> Finding:
    size, place, (first, second) = _largest(table, pairs)
    if place is None or abs(size) <= tolerance:
        return Finding(True, "no two members of a side interact")
    side, one = table.side(first)
    _, other = table.side(second)
    ends = tuple(float(table.reports[k][place[k] + 1]) for k in (first, second))
    witness = Interaction(side, (one, other), *table.at(place), (ends[0], ends[1]), size)
    return Finding(False, witness.story(), witness)


def _additive(
    table: RuleTable, pairs: list[tuple[int, int]], separable: Finding, tolerance: float
) -> Finding:
    if not separable.holds:
        return Finding(False, separable.story, separable.witness)
    size, place, (first, second) = _largest(table, pairs)
    if place is None or abs(size) <= tolerance:
        return Finding(True, "a sum over all members of both sides, so some payments balance")
    one, other = table.side(first), table.side(second)
    return Finding(
        False,
        f"{one[0]} {one[1] + 1} and {other[0]} {other[1] + 1} interact, so no payments balance "
        "the budget",
    )


def _monotone(table: RuleTable, tolerance: float) -> Finding:
    worst: tuple[float, Any, int] = (tolerance, None, 0)
    for axis in range(len(table.reports)):
        sign = 1.0 if axis < table.n_buyers else -1.0
        falls = -sign * np.diff(table.x, axis=axis)
        if falls.size and falls.max() > worst[0]:
            worst = (float(falls.max()), np.unravel_index(int(falls.argmax()), falls.shape), axis)
    if worst[1] is None:
        return Finding(True, "every better report makes the trade no less likely")
    place, axis = list(worst[1]), worst[2]
    after = list(place)
    after[axis] += 1
    if axis >= table.n_buyers:
        place, after = after, place  # a better ask is a lower one
    side, member = table.side(axis)
    chances = float(table.x[tuple(place)]), float(table.x[tuple(after)])
    other = float(table.reports[axis][after[axis]])
    witness = Reversal(side, member, *table.at(place), other, chances)
    return Finding(False, witness.story(), witness)
