"""Which prices a table allows: the reports at which single members decide the trade."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catallax.errors import ReportError
from catallax.groups.boolean_rules import Coalitions
from catallax.groups.rule_tables import RuleTable
from catallax.groups.witnesses import Pivot, Side, TwoPivots, number

__all__ = ["SidePrices", "fitted_rule"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SidePrices:
    """The prices of one side, for every profile of the other side's reports.

    A price is possible if it lies between the refused and the accepted report of every member of
    the side who decides the trade somewhere, whatever the others of the side report.

    Attributes
    ----------
    table
        The rule.
    side
        Whose prices.
    """

    table: RuleTable
    side: Side

    @cached_property
    def own(self) -> tuple[int, ...]:
        """The axes of this side's members."""
        axes = range(len(self.table.reports))
        return tuple(k for k in axes if (k < self.table.n_buyers) == (self.side == "buyer"))

    @cached_property
    def others(self) -> tuple[int, ...]:
        """The axes of the other side's members."""
        return tuple(k for k in range(len(self.table.reports)) if k not in self.own)

    @cached_property
    def _lines(self) -> tuple[Array, Array]:
        """Return the lowest and highest price of every line: (lines, other side's profiles)."""
        # A line: one member's report moves, the others of the side stand still.
        lows, highs = [], []
        for axis in self.own:
            rest = [k for k in self.own if k != axis]
            x = np.transpose(self.table.x, (axis, *rest, *self.others))
            x = x.reshape(x.shape[0], -1, self._width)
            values = self.table.reports[axis].reshape(-1, 1, 1)
            below, above = (x == 0, x == 1) if self.side == "buyer" else (x == 1, x == 0)
            low = np.where(below, values, -np.inf).max(axis=0)
            high = np.where(above, values, np.inf).min(axis=0)
            decides = np.isfinite(low) & np.isfinite(high)
            lows.append(np.where(decides, low, -np.inf))
            highs.append(np.where(decides, high, np.inf))
        return np.concatenate(lows), np.concatenate(highs)

    @property
    def _width(self) -> int:
        return int(np.prod([self.table.reports[k].size for k in self.others]))

    @cached_property
    def low(self) -> Array:
        """The lowest possible price for each profile of the others, flat; -inf for any."""
        return self._lines[0].max(axis=0)

    @cached_property
    def high(self) -> Array:
        """The highest possible price for each profile of the others, flat; inf for any."""
        return self._lines[1].min(axis=0)

    def contradiction(self, tolerance: float) -> TwoPivots | None:
        """Return two pivots between which no price lies, at the worst profile of the others."""
        with np.errstate(invalid="ignore"):
            excess = np.where(np.isfinite(self.low), self.low - self.high, -np.inf)
        worst = int(np.argmax(excess))
        if excess[worst] <= tolerance:
            return None
        return TwoPivots(self.pivot(worst, lowest=True), self.pivot(worst, lowest=False))

    def pivot(self, profile: int, *, lowest: bool) -> Pivot:
        """Return the pivot that sets the lowest, or the highest, price at a profile."""
        lines = self._lines[0 if lowest else 1][:, profile]
        line = int(np.argmax(lines) if lowest else np.argmin(lines))
        for axis in self.own:
            rest = [k for k in self.own if k != axis]
            sizes = tuple(self.table.reports[k].size for k in rest)
            count = int(np.prod(sizes))
            if line >= count:
                line -= count
                continue
            index: list[int] = [0] * len(self.table.reports)
            for k, place in zip(rest, np.unravel_index(line, sizes), strict=True):
                index[k] = int(place)
            wide = tuple(self.table.reports[k].size for k in self.others)
            for k, place in zip(self.others, np.unravel_index(profile, wide), strict=True):
                index[k] = int(place)
            return self._pivot_on(axis, index)
        raise AssertionError("a line belongs to some member")

    def _pivot_on(self, axis: int, index: list[int]) -> Pivot:
        along = tuple(slice(None) if k == axis else place for k, place in enumerate(index))
        x, values = self.table.x[along], self.table.reports[axis]
        if self.side == "buyer":
            refusing, accepting = values[x == 0].max(), values[x == 1].min()
        else:
            refusing, accepting = values[x == 0].min(), values[x == 1].max()
        index[axis] = int(np.searchsorted(values, refusing))
        side, member = self.table.side(axis)
        return Pivot(side, member, *self.table.at(index), float(refusing), float(accepting))

    # ------------------------------------------------------------------------------ by reports

    def position(self, reports: ArrayLike) -> int:
        """Return which profile of the other side this is.

        Raises
        ------
        ReportError
            If some report is not in the table.
        """
        given = np.asarray(reports, dtype=np.float64).ravel()
        sizes = tuple(self.table.reports[k].size for k in self.others)
        if given.size != len(sizes):
            raise ReportError(f"the other side has {len(sizes)} members, not {given.size}")
        places = []
        for axis, report in zip(self.others, given, strict=True):
            known = self.table.reports[axis]
            place = int(np.searchsorted(known, report))
            if place == known.size or known[place] != report:
                side, member = self.table.side(axis)
                shown = ", ".join(map(number, known[:8]))
                raise ReportError(
                    f"{side} {member + 1} has no report {number(float(report))} in the table; "
                    f"there are {shown}"
                )
            places.append(place)
        return int(np.ravel_multi_index(places, sizes))

    def range(self, reports: ArrayLike) -> tuple[float, float]:
        """Return the lowest and highest price that fit, given the other side's reports."""
        place = self.position(reports)
        return float(self.low[place]), float(self.high[place])

    def rule(self, reports: ArrayLike) -> Coalitions | None:
        """Return the side's voting rule, given the other side's reports.

        Returns
        -------
        Coalitions or None
            Of this side's members only; None if no price fits, or if members who are exactly at
            the only price are counted now as yes and now as no.
        """
        place = self.position(reports)
        low, high = float(self.low[place]), float(self.high[place])
        if low > high:
            return None
        x = np.transpose(self.table.x, (*self.own, *self.others)).reshape(-1, self._width)[:, place]
        mesh = np.meshgrid(*(self.table.reports[k] for k in self.own), indexing="ij")
        given = np.stack([one.ravel() for one in mesh], axis=1)
        price = (low + high) / 2 if np.isfinite(low) else 0.0
        buyers = self.side == "buyer"
        for votes in (
            (given >= price if buyers else given <= price),
            (given > price if buyers else given < price),
        ):
            found = fitted_rule(x, votes, given.shape[1] if buyers else 0)
            if found is not None:
                return found
        return None


def fitted_rule(x: Array, votes: NDArray[np.bool_], n_buyers: int) -> Coalitions | None:
    """Return the monotone rule that decides as was observed.

    Parameters
    ----------
    x
        Decisions, 0 or 1, shape ``(profiles,)``.
    votes
        The votes of all, buyers first, shape ``(profiles, members)``: every combination of the
        votes that the members can be seen to cast.
    n_buyers
        How many of the members are buyers.

    Returns
    -------
    Coalitions or None
        None if equal votes were decided differently, or a further yes prevents a trade. Members
        who always vote yes, or always no, have no part in the rule: nothing is known of them.
    """
    both = votes.any(axis=0) & ~votes.all(axis=0)
    cast, which = np.unique(votes & both, axis=0, return_inverse=True)
    which = which.ravel()
    some, every = np.zeros(len(cast)), np.ones(len(cast))
    np.maximum.at(some, which, x)
    np.minimum.at(every, which, x)
    if (some != every).any():
        return None
    decided = {tuple(row): accepted == 1 for row, accepted in zip(cast.tolist(), some, strict=True)}
    least = []
    for row, accepted in decided.items():
        yes = [k for k, vote in enumerate(row) if vote]
        fewer = [decided[(*row[:k], False, *row[k + 1 :])] for k in yes]
        if any(fewer) and not accepted:
            return None
        if accepted and not any(fewer):
            least.append(([k for k in yes if k < n_buyers], [k - n_buyers for k in yes]))
    return Coalitions([(b, [k for k in s if k >= 0]) for b, s in least])
