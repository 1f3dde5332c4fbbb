"""Interval-censored answers: the nonparametric maximum likelihood distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from catallax.errors import PriorError
from catallax.priors.base import register
from catallax.priors.checks import as_numbers, as_weights, show
from catallax.priors.floats import FloatArray
from catallax.priors.steps import Atoms, StepPrior, gather
from catallax.priors.tables import read_columns
from catallax.priors.turnbull import Turnbull, turnbull

__all__ = ["Intervals"]


@register
@dataclass(frozen=True, eq=False, repr=False, init=False)
class Intervals(StepPrior):
    """The distribution that makes interval answers ``low <= value < high`` most likely.

    The likelihood only says how much mass lies in each innermost (Turnbull) interval. All of it is
    put at the interval's lower end, which is conservative: nobody is taken to value more than
    what the answers prove. In market files, `low`, `high` and `weights` may be the names of columns
    of a `table`, where an empty upper end stands for infinity.

    Parameters
    ----------
    low
        Lower ends, finite.
    high
        Upper ends, above the lower ones; infinity, "inf" or None where there is none.
    weights
        A weight for each answer; equal if left out.

    Raises
    ------
    PriorError
        Also if the likelihood could not be maximised to a certified relative gap of 1e-9.

    References
    ----------
    Turnbull, The empirical distribution function with arbitrarily grouped, censored and truncated
    data (1976); Wang, Dimension-reduced nonparametric maximum likelihood computation for
    interval-censored data (2008).

    Examples
    --------
    Three refuse to pay 10, two accept 10 and one of them refuses 20:

    >>> prior = Intervals([0, 0, 0, 10, 10], [10, 10, 10, 20, None])
    >>> prior.atoms[0].tolist(), prior.atoms[1].round(9).tolist()
    ([0.0, 10.0], [0.6, 0.4])
    """

    kind: ClassVar[str] = "intervals"
    low: FloatArray
    high: FloatArray
    weights: FloatArray | None = None

    def __init__(
        self,
        low: ArrayLike,
        high: ArrayLike | Sequence[float | str | None],
        weights: ArrayLike | None = None,
    ) -> None:
        lower = as_numbers(low, "low")
        upper = as_numbers(_open_ended(high), "high", infinite=True)
        if upper.size != lower.size:
            raise PriorError(
                f"high has {upper.size} entries for {lower.size} low; give one for each"
            )
        wrong = upper <= lower
        if wrong.any():
            at = int(np.argmax(wrong))
            raise PriorError(
                f"answer {at}: high = {show(upper[at])} must be above low = {show(lower[at])}"
            )
        self._set(low=lower, high=upper, weights=None)
        if weights is not None:
            self._set(weights=as_weights(weights, "weights", lower.size, "answers"))

    @classmethod
    def from_spec(cls, given: Mapping[str, Any], base: Path | None = None) -> Self:
        """Make the prior from lists, or from columns of a table."""
        cls._check_keys(given, ["low", "high", "weights", "table"])
        if "table" not in given:
            return super().from_spec(given, base)
        columns = {key: given[key] for key in ("low", "high", "weights") if key in given}
        for key in ("low", "high"):
            if key not in columns:
                raise PriorError(f"a table is given without {key}; name its column")
        read = read_columns(given["table"], columns, base, blank={"high": np.inf})
        return cls(read["low"], read["high"], read.get("weights"))

    @cached_property
    def fit(self) -> Turnbull:
        """The innermost intervals, their probabilities, and the certified gap."""
        weights = np.ones(self.low.size) if self.weights is None else self.weights
        return turnbull(self.low, self.high, weights)

    def _atoms_of(self) -> Atoms:
        return gather(self.fit.low, self.fit.probabilities)


def _open_ended(high: object) -> object:
    if not isinstance(high, list | tuple):
        return high
    return [np.inf if h is None or h == "" else h for h in high]  # as in a blank cell
