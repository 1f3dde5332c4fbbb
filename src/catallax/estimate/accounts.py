"""The account of one mechanism: what its blocks come to, and the estimates from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.batch.tally import COLUMNS, Seen, Tally
from catallax.estimate.distribution import Distribution
from catallax.estimate.moments import Moments
from catallax.estimate.ratios import Paired
from catallax.estimate.result import Estimate, MechanismEstimates

if TYPE_CHECKING:
    from catallax.estimate.draws import Plan

__all__ = ["Account", "Entry"]

Array = NDArray[np.float64]

GAINS = COLUMNS.index("gains_from_trade")
FIRST_BEST = len(COLUMNS)
"""The column of the first best's gains, after those of the mechanism."""

COUNTS = (COLUMNS.index("trades"), COLUMNS.index("trade_probability"))
"""The columns that are no amounts of money."""

# A share that varies less than this, relative to itself, was the same in every draw.
_ROUNDING = 1e-13

# Quantiles come from the first so many amounts.
_MOST_SEEN = 2**17


@dataclass(frozen=True, eq=False)
class Entry:
    """What one block adds to an account.

    Attributes
    ----------
    samples
        Moments of the profiles.
    units
        Means over whole units of the block; shape (units, columns). If a unit is longer than a
        block: their sum over the block alone.
    tally
        Where the amounts that were seen come from.
    """

    samples: Moments
    units: Array
    tally: Tally

    @classmethod
    def of(cls, rows: Array, tally: Tally, plan: Plan) -> Entry:
        """Reduce the rows of a block."""
        if plan.unit == 1:
            return cls(Moments.of(rows), rows[:0], tally)
        if plan.unit > len(rows):
            return cls(Moments.of(rows), rows.sum(axis=0, keepdims=True), tally)
        whole = rows.reshape(-1, plan.unit, rows.shape[1]).mean(axis=1)
        return cls(Moments.of(rows), whole, tally)


@dataclass(eq=False)
class Account:
    """Collects the entries of a mechanism, in the order of the blocks.

    Attributes
    ----------
    plan
        How profiles are drawn.
    controls
        How many columns after `FIRST_BEST` are controls.
    unit
        In multiples of what the amounts in the entries are stated.
    """

    plan: Plan
    controls: int
    unit: float = 1.0
    samples: Moments = field(init=False)
    units: Moments = field(init=False)

    def __post_init__(self) -> None:
        """Begin empty."""
        columns = FIRST_BEST + 1 + self.controls
        self.samples, self.units = Moments.none(columns), Moments.none(columns)
        self._open, self._open_count = np.zeros(columns), 0
        self._seen: dict[str, list[Seen]] = {}
        self._kept: dict[str, int] = {}

    def add(self, entry: Entry) -> None:
        """Take in the next block."""
        self.samples = self.samples.merged(entry.samples)
        if 1 < self.plan.unit <= entry.samples.count:
            self.units = self.units.merged(Moments.of(entry.units))
        elif self.plan.unit > 1:
            self._open = self._open + entry.units[0]
            self._open_count += entry.samples.count
            if self._open_count == self.plan.unit:
                whole = (self._open / self.plan.unit)[None, :]
                self.units = self.units.merged(Moments.of(whole))
                self._open, self._open_count = np.zeros(self._open.size), 0
        for name in ("gains", "buyer_pays", "seller_receives"):
            room = _MOST_SEEN - self._kept.get(name, 0)
            seen: Seen = getattr(entry.tally, name)
            if room > 0 and seen.amounts.size:
                weights = None if seen.weights is None else seen.weights[:room]
                self._seen.setdefault(name, []).append(Seen(seen.amounts[:room], weights))
                self._kept[name] = self._kept.get(name, 0) + min(room, seen.amounts.size)

    @property
    def paired(self) -> Paired:
        """What is estimated from: independent units, and the controls."""
        units = self.samples if self.plan.unit == 1 else self.units
        return Paired(units, range(FIRST_BEST + 1, FIRST_BEST + 1 + self.controls))

    def estimate(self, column: int) -> Estimate:
        """Estimate one column."""
        found = self.paired.mean(column)
        if column not in COUNTS:
            unit = self.unit
            return Estimate(found.mean * unit, found.stderr * unit, False, found.degrees)
        sure = column == COLUMNS.index("trade_probability") and found.stderr == 0.0
        if not sure:
            return found
        # Never, or always, in n draws says no more than: with a probability of about 1 / n.
        count = self.samples.count + 4
        return Estimate(found.mean, sqrt(2 / count * (1 - 2 / count) / count), False, found.degrees)

    @property
    def share(self) -> Estimate | None:
        """Estimate the share of the first best."""
        found = self.paired.ratio(GAINS, FIRST_BEST)
        if found is None or self._unexplained(found.mean) > (_ROUNDING * found.mean) ** 2:
            return found
        # The same share in every draw with gains says no more than: another one in about one of
        # as many draws as the gains are worth, those with large gains counting for more.
        squares = self.samples.products[FIRST_BEST, FIRST_BEST] / self.samples.count
        squares += self.samples.mean[FIRST_BEST] ** 2
        count = self.samples.count * self.samples.mean[FIRST_BEST] ** 2 / squares + 4
        return Estimate(found.mean, sqrt(2 / count * (1 - 2 / count) / count), False, found.degrees)

    def _unexplained(self, share: float) -> float:
        """Return the variance of gains less a share of the first best, relative to the latter."""
        weights = np.zeros(self.samples.mean.size)
        weights[GAINS] = 1.0
        weights[FIRST_BEST] -= share
        return self.samples.variance(weights) / self.samples.mean[FIRST_BEST] ** 2

    def distribution(self, name: str) -> Distribution | None:
        """Summarise the amounts that were seen."""
        seen = self._seen.get(name, [])
        if not seen:
            return None
        amounts = np.concatenate([one.amounts for one in seen])
        weights = [one.weights for one in seen]
        if all(one is None for one in weights):
            return Distribution.of(amounts)
        filled = [np.ones(one.amounts.size) if one.weights is None else one.weights for one in seen]
        return Distribution.of(amounts, np.concatenate(filled))

    def variance_reduction(self) -> dict[str, float]:
        """Compare the errors with those of as many plain draws.

        Returns
        -------
        dict
            For the share under "common_draws": by how much smaller its variance is than with
            draws of the mechanism's own. Where draws are not plain, or there are controls, for
            each quantity by how much smaller its variance is than with plain draws.
        """
        found: dict[str, float] = {}
        share = self.share
        if share is not None:
            own, both = np.zeros(FIRST_BEST + 1 + self.controls), {}
            own[GAINS] = 1.0
            both = own.copy()
            both[FIRST_BEST] -= share.mean
            paired = self.samples.variance(both)
            first = np.zeros(own.size)
            first[FIRST_BEST] = share.mean
            if paired > 0.0:
                apart = self.samples.variance(own) + self.samples.variance(first)
                found["common_draws"] = apart / paired
            if self._reduced and share.stderr > 0.0:
                total = self.paired.mean(FIRST_BEST).mean
                plain = paired / self.samples.count / total**2
                found["share_of_first_best"] = plain / share.stderr**2
        for column, name in enumerate(COLUMNS if self._reduced else ()):
            error, weights = (
                self.paired.mean(column).stderr,
                np.zeros(FIRST_BEST + 1 + self.controls),
            )
            weights[column] = 1.0
            if error > 0.0:
                plain = self.samples.variance(weights) / self.samples.count
                found[name] = plain / error**2
        return found

    @property
    def _reduced(self) -> bool:
        return self.plan.kind != "plain" or self.controls > 0

    def estimates(
        self,
        mechanism: str,
        share: Estimate | None,
        how: str = "samples",
        known: Mapping[str, Estimate] | None = None,
    ) -> MechanismEstimates:
        """State what was found.

        Parameters
        ----------
        mechanism
            The name of the mechanism.
        share
            Its share of the first best.
        how
            How the expectations were found.
        known
            Expectations by column, where they need not be estimated.
        """
        columns: Mapping[str, Any] = known or {
            name: self.estimate(column) for column, name in enumerate(COLUMNS)
        }
        return MechanismEstimates(
            mechanism=mechanism,
            how=how,
            share_of_first_best=share,
            gains=self.distribution("gains"),
            buyer_pays=self.distribution("buyer_pays"),
            seller_receives=self.distribution("seller_receives"),
            variance_reduction={} if known else self.variance_reduction(),
            **columns,
        )
