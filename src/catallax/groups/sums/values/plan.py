"""How a series is summed: at which frequencies, by which kernels, and how much work that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.series.vaaler import interval
from catallax.groups.sums.values.bivariate import Bivariate, bivariate_of
from catallax.groups.sums.values.mixture import Mixture
from catallax.groups.sums.values.product import Frequencies, product_of
from catallax.groups.sums.values.screen import Screen, screen_of
from catallax.groups.sums.values.several import Several
from catallax.groups.sums.values.sieve import LOOKED_UP, Sieve, sieve_of
from catallax.groups.sums.values.tables import Total
from catallax.groups.sums.values.tally import Tally, tally_of

__all__ = ["OUTSIDE", "PHASE", "Plan", "Rest", "planned"]

Array = NDArray[np.float64]
Rest = Mixture | Several

# With more values than this a stretch of frequencies takes no longer.
_MOST_WORK, _MOST_POINTS = 1 << 36, 400
# How much may be summed at single frequencies.
_MOST_SIFTED = 1 << 34
# How many nanoseconds that may take if it is compiled, on one core.
_MOST_COMPILED = 1 << 40
# Where a frequency takes more than so many numbers looked up, votes may tell sooner.
_SLOW = 500.0
# Frequencies are passed over that together add no more than this.
_PASSED, _PASSED_BY_KINDS, _PASSED_BY_PAIRS = 4e-9, 8e-9, 4e-9
# As long as so many products one total of votes takes where members are of several kinds.
_EFFORT = 64.0
# And so many nanoseconds such a product.
_UNIT = 1.75
OUTSIDE = 1e-12
"""What may lie outside of the window of the sum."""
PHASE = 16
"""As long as so many sums takes to find one phase."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is summed at which frequencies.

    Attributes
    ----------
    rest, tally
        The draws; the second where compiled sums are to be had.
    places, period, step
        The interval about the mean, what sums are taken modulo, and the frequencies in between.
    count, block, blocks
        How many frequencies, and how they are divided; in blocks of one all are looked at closely.
    points
        How many values there are.
    sieve, product
        What tells blocks that matter, for members of many kinds, and compiled sums for those.
    """

    rest: Rest
    tally: Tally | Several | None
    places: list[float]
    period: float
    step: float
    count: int
    block: int
    direct: bool
    sieve: Sieve | Screen | None = None
    product: Frequencies | Bivariate | None = None

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-(self.count + self.block // 2) // self.block)

    @property
    def passed(self) -> float:
        """What all frequencies may add that are passed over."""
        return _PASSED_BY_KINDS if isinstance(self.rest, Several) else _PASSED

    @property
    def points(self) -> float:
        """How many values there are, or as long as how many of them a block takes."""
        if self.sieve is not None:
            return self.sieve.choice.effort
        return sum(part.draws.measure.atoms.size for part in self.rest.parts)

    @property
    def totals(self) -> int:
        """How many numbers are kept for each frequency."""
        compiled = self.tally is not None or self.product is not None
        return self.rest.totals if not compiled and isinstance(self.rest, Mixture) else 1

    @property
    def effort(self) -> float:
        """About how much work a frequency is for members of several kinds."""
        if self.product is not None:
            if self.direct or isinstance(self.product, Bivariate):
                return self.product.work
            return self.product.kept
        assert isinstance(self.rest, Mixture)
        return _effort(self.rest)

    @property
    def time(self) -> float:
        """About how much work all frequencies are together."""
        if self.product is not None and self.sieve is not None:
            return self.blocks * self.sieve.choice.effort * LOOKED_UP
        share = 1.0 if self.sieve is None else self.sieve.choice.share
        return share * self.count * self.effort

    @property
    def excess(self) -> float:
        """How many times too much work this is; at most 1 if it is not."""
        if self.product is not None:
            return self.time / _MOST_COMPILED
        if isinstance(self.sieve, Screen):
            screened = self.blocks * self.sieve.choice.effort * LOOKED_UP
            return max(screened / _MOST_COMPILED, self.time / _MOST_SIFTED)
        points = min(self.points, _MOST_POINTS if self.direct else math.inf)
        found = self.blocks * points / _MOST_WORK
        return found if self.sieve is None else max(found, self.time / _MOST_SIFTED)

    def sizes(self, each: Sequence[Array]) -> Array:
        """Bound the transform of the sum by bounds of those of the parts' draws."""
        if self.tally is not None:
            return self.tally.sizes(each)
        assert isinstance(self.rest, Mixture)
        return self.rest.size(each)


def _effort(rest: Mixture) -> float:
    return _EFFORT * (rest.totals + len(rest.parts)) * rest.chances.size


def planned(rest: Rest, total: float, count: int) -> Plan:
    """Choose how so many frequencies are summed.

    Parameters
    ----------
    rest
        The draws.
    total
        What their sum is compared with.
    count
        How many frequencies.
    """
    ends, period = interval(*rest.window(OUTSIDE), total)
    step = 2.0 * math.pi / period
    places = [end - rest.centre for end in ends]
    if isinstance(rest, Several):
        block = rest.block(step, count, _PASSED_BY_KINDS, PHASE)
        return Plan(rest, rest, places, period, step, count, block, block == 1)
    tally = tally_of(rest)
    if tally is None:
        plan = _of_many_kinds(rest, places, period, count)
        if plan is not None:
            return plan
    block, direct = rest.block(step, count, _PASSED, PHASE)
    return Plan(rest, tally, places, period, step, count, block, direct)


def _of_many_kinds(rest: Mixture, places: list[float], period: float, count: int) -> Plan | None:
    """Return the fastest way with compiled sums of all frequencies, or of those that matter."""
    step = 2.0 * math.pi / period
    total = Total(step, places, period, count, _PASSED_BY_KINDS)
    product = product_of(rest)
    over = None if product is None else Frequencies(product, total)
    close = _UNIT * _effort(rest) if product is None else product.kept
    sieve: Sieve | Screen | None = sieve_of(rest, step, count, _PASSED_BY_KINDS, close / LOOKED_UP)
    if sieve is not None and sieve.least > _SLOW:
        screen = screen_of(rest, total, close)
        if screen is not None and screen.least < sieve.least:
            sieve = screen
        pairs = bivariate_of(rest, replace(total, passed=_PASSED_BY_PAIRS))
        if pairs is not None and pairs.work < min(
            sieve.least * LOOKED_UP, math.inf if product is None else product.work
        ):
            return Plan(rest, None, places, period, step, count, 1, True, None, pairs)
    if product is not None and (sieve is None or sieve.least * LOOKED_UP >= product.work):
        return Plan(rest, None, places, period, step, count, 1, True, None, over)
    if sieve is None:
        return None
    block = sieve.choice.block
    return Plan(rest, None, places, period, step, count, block, False, sieve, over)
