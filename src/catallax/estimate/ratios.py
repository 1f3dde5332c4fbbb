"""Means and ratios of means from the same draws, each with its standard error.

An estimate may lean on *controls*: numbers from the same draws whose expectation is known to be
zero. Subtracting what a least-squares fit on the controls explains leaves the expectation where it
is, up to a term of the order of one over the number of draws, and leaves the variance of what is
not explained.

References
----------
Lavenberg and Welch, A perspective on the use of control variables to increase the efficiency of
Monte Carlo simulations (1981).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.profiles import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catallax.estimate.moments import Moments

__all__ = ["Paired"]

Array = NDArray[np.float64]

# Controls that vary less than this, relative to the most variable one, are combinations of others.
_FLAT = 1e-10


@dataclass(frozen=True, eq=False)
class Paired:
    """Numbers observed together in independent units, the last few of them controls.

    Attributes
    ----------
    units
        Moments of the means over independent units of draws.
    controls
        The columns that have expectation zero; none by default.

    Examples
    --------
    >>> import numpy as np
    >>> from catallax.estimate.moments import Moments
    >>> rows = np.array([[1.0, 2.0], [3.0, 5.0], [2.0, 5.0]])
    >>> seen = Paired(Moments.of(rows))
    >>> seen.mean(1), seen.ratio(0, 1).mean
    (Estimate(mean=4.0, stderr=1.0, exact=False), 0.5)
    """

    units: Moments
    controls: Sequence[int] = ()

    def mean(self, column: int) -> Estimate:
        """Estimate the expectation of a column."""
        weights = np.zeros(self.units.mean.size)
        weights[column] = 1.0
        return self._estimate(weights)

    def ratio(self, part: int, whole: int) -> Estimate | None:
        """Estimate the ratio of two expectations; None if nothing of the whole was seen.

        The error is that of the first-order expansion (delta method): the ratio is off by the
        mean of ``part - ratio * whole`` divided by the mean of the whole, and both are from the
        same draws. For the same reason the expected value of the ratio is off by a term of the
        order of one over the number of draws, far below the error.
        """
        total = self.mean(whole).mean
        if not total > 0.0:
            return None
        share = self.mean(part).mean / total
        weights = np.zeros(self.units.mean.size)
        weights[part] += 1.0
        weights[whole] -= share
        error = self._estimate(weights)
        return Estimate(share, error.stderr / total, False, error.degrees)

    def _estimate(self, weights: Array) -> Estimate:
        """Estimate the expectation of a weighted sum of columns."""
        weights = weights - self._explained(weights)
        count, fitted = self.units.count, len(self.controls)
        degrees = max(1, count - 1 - fitted)
        variance = max(0.0, float(weights @ self.units.products @ weights)) / degrees
        # The fit is from the same draws, which adds to the variance (Lavenberg and Welch).
        variance *= max(1, count - 2) / max(1, count - 2 - fitted) if fitted else 1.0
        mean, error = float(weights @ self.units.mean), sqrt(variance / max(1, count))
        return Estimate(mean, error, False, degrees)

    def _explained(self, weights: Array) -> Array:
        """Fit a weighted sum of columns by the controls; zero weights on all else."""
        fit = np.zeros(weights.size)
        which = np.asarray(self.controls, np.intp)
        products = self.units.products
        if which.size:
            inner = products[np.ix_(which, which)]
            scale = np.sqrt(np.diagonal(inner))
            scale[scale <= 0.0] = 1.0
            aim = (products[which] @ weights) / scale
            inner = inner / np.outer(scale, scale)
            fit[which] = np.linalg.lstsq(inner, aim, rcond=_FLAT)[0] / scale
        return fit
