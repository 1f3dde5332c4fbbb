"""What every prior can do, and the register of kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from catallax.errors import PriorError
from catallax.priors.curves import Curve, IronedInterval
from catallax.priors.floats import FloatArray, elementwise, inverted, read_only
from catallax.priors.record import Record

__all__ = ["KINDS", "Parts", "Prior", "RandomSource", "register"]

RandomSource = int | np.random.SeedSequence | np.random.Generator

KINDS: dict[str, type[Prior]] = {}
"""Every kind of prior, by the name it has in market files."""

Kind = TypeVar("Kind", bound="type[Prior]")


def register(kind: Kind) -> Kind:
    """Make a class of priors known to `make_prior` under its `kind`.

    Parameters
    ----------
    kind
        A subclass of `Prior`.

    Returns
    -------
    type
        The same class, so that this works as a decorator.
    """
    KINDS[kind.kind] = kind
    return kind


class Parts(NamedTuple):
    """What a law is made of: smooth pieces and atoms; the rest of the line is gaps.

    Parameters
    ----------
    pieces
        Disjoint intervals (start, end), ascending, inside which the density is smooth.
    atoms
        Ascending values that have a positive probability.
    masses
        Their probabilities.
    """

    pieces: tuple[tuple[float, float], ...]
    atoms: FloatArray
    masses: FloatArray


class Prior(Record, ABC):
    """A distribution of one agent's private value or cost.

    Immutable, equal by value, picklable. Every method takes numbers or arrays of any shape and
    returns float64 of the same shape; none returns NaN. A NaN argument raises `PriorError`.

    The virtual value is, between atoms, a right-continuous step: -inf below the support and the
    virtual value of the largest value above it. The virtual cost is its mirror.
    """

    # ------------------------------------------------------------------ the distribution

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """The smallest and the largest possible value; may be infinite."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """The expected value; may be infinite."""

    @abstractmethod
    def _cdf(self, x: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _sf(self, x: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _quantile(self, q: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _parts(self) -> Parts: ...

    def _below(self, x: FloatArray) -> FloatArray:
        return self._cdf(x)

    def _at_least(self, x: FloatArray) -> FloatArray:
        return self._sf(x)

    # What a mixture asks of its components; priors with densities override these.

    def _upper_quantile(self, p: FloatArray) -> FloatArray:
        """Return where P(V > x) falls to p."""
        return self._quantile(1.0 - p)

    def _density(self, x: FloatArray) -> FloatArray:
        return np.zeros(x.shape)

    def _log_density(self, x: FloatArray) -> FloatArray:
        return np.full(x.shape, -np.inf)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        return np.zeros(x.shape)

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        return np.zeros(x.shape)

    def _nodes(self) -> FloatArray:
        return np.empty(0)

    def _upper_revenue(self) -> float:
        """Return the limit of x P(V >= x) as x grows; 0 wherever the mean is finite."""
        return 0.0

    def _lower_revenue(self) -> float:
        """Return the limit of x P(V <= -x) as x grows."""
        return 0.0

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return P(V <= x)."""
        return elementwise(self._cdf, x)

    def sf(self, x: ArrayLike) -> FloatArray:
        """Return P(V > x), accurate in the upper tail."""
        return elementwise(self._sf, x)

    def probability_at_least(self, x: ArrayLike) -> FloatArray:
        """Return P(V >= x), which counts an atom at x."""
        return elementwise(self._at_least, x)

    def probability_below(self, x: ArrayLike) -> FloatArray:
        """Return P(V < x), which leaves out an atom at x."""
        return elementwise(self._below, x)

    def density(self, x: ArrayLike) -> FloatArray:
        """Return the density of the smooth part at x; atoms are in `atoms`."""
        return elementwise(self._density, x)

    @property
    def atoms(self) -> tuple[FloatArray, FloatArray]:
        """The values of positive probability, ascending, and their probabilities; read-only."""
        parts = self._parts()
        return read_only(parts.atoms), read_only(parts.masses)

    def quantile(self, q: ArrayLike) -> FloatArray:
        """Return the smallest x with P(V <= x) >= q; the lower end of the support at q = 0.

        Raises
        ------
        PriorError
            Some q is not in [0, 1].
        """

        def inside(levels: FloatArray) -> FloatArray:
            if ((levels < 0) | (levels > 1)).any():
                raise PriorError("a quantile is asked at a probability outside [0, 1]")
            low, high = self.support
            inner = np.where(levels >= 1, high, self._quantile(levels))
            return np.where(levels <= 0, low, inner)

        return elementwise(inside, q, what="probability")

    def sample(self, rng: RandomSource, size: int | tuple[int, ...] | None = None) -> FloatArray:
        """Draw independent values.

        Parameters
        ----------
        rng
            A seed, a `numpy.random.SeedSequence` or a `numpy.random.Generator`.
        size
            The shape of the result; a single number if left out.

        Returns
        -------
        ndarray of float64
            The draws.
        """
        generator = np.random.default_rng(rng)
        shape = () if size is None else size
        with np.errstate(all="ignore"):
            return self._sample(generator, int(np.prod(shape))).reshape(shape)[()]

    def _sample(self, rng: np.random.Generator, count: int) -> FloatArray:
        # In the open interval (0, 1), so that an unbounded support never yields infinity.
        uniform = np.minimum(rng.random(count) + 2.0**-54, 1.0 - 2.0**-53)
        return self._quantile(uniform)

    # ------------------------------------------------------------------ virtual values

    @abstractmethod
    def _value_curve(self) -> Curve:
        """Return the ironed virtual value."""

    @abstractmethod
    def _cost_curve(self) -> Curve:
        """Return the ironed virtual value of the mirrored prior."""

    @cached_property
    def _values(self) -> Curve:
        with np.errstate(all="ignore"):  # as in `elementwise`
            return self._value_curve()

    @cached_property
    def _costs(self) -> Curve:
        with np.errstate(all="ignore"):
            return self._cost_curve()

    def virtual_value(self, v: ArrayLike, ironed: bool = True) -> FloatArray:
        """Return the virtual value of a buyer with this prior.

        Parameters
        ----------
        v
            Values or bids.
        ironed
            Iron it (the slope of the concave hull of the revenue curve), or leave it as it is.

        Returns
        -------
        ndarray of float64
            Nondecreasing in `v` if ironed.

        References
        ----------
        Myerson, Optimal auction design (1981), sections 5 and 6.

        Examples
        --------
        >>> from catallax.priors import Uniform
        >>> Uniform(0, 1).virtual_value([0.25, 0.75]).tolist()
        [-0.5, 0.5]
        """
        curve = self._values
        return elementwise(curve.ironed if ironed else curve.raw, v, what="value")

    def virtual_cost(self, c: ArrayLike, ironed: bool = True) -> FloatArray:
        """Return the virtual cost of a seller with this prior.

        Parameters
        ----------
        c
            Costs or asks.
        ironed
            Iron it (the slope of the convex hull of the cost curve), or leave it as it is.

        Returns
        -------
        ndarray of float64
            Nondecreasing in `c` if ironed.

        Examples
        --------
        >>> from catallax.priors import Uniform
        >>> Uniform(0, 1).virtual_cost([0.25, 0.75]).tolist()
        [0.5, 1.5]
        """
        curve = self._costs
        function = curve.ironed if ironed else curve.raw
        return elementwise(lambda x: 0.0 - function(0.0 - x), c, what="cost")

    def smallest_value(self, level: ArrayLike, strict: bool | ArrayLike = False) -> FloatArray:
        """Return the smallest value whose ironed virtual value reaches a level.

        The answer is the very float at which `virtual_value` turns. Where that is nondecreasing
        to the last place (steps, piecewise and the kinds with a formula: uniform, exponential,
        pareto, equal-revenue) whoever wins at a level never has a bid below it. The densities of
        normal, lognormal, beta, most of scipy and their mixtures are special functions: a bid may
        lie below the answer by a few units of the last place, more where the virtual value is flat.

        Parameters
        ----------
        level
            Levels; -inf asks for the lower end of the support.
        strict
            Exceed the level instead of reaching it; one answer for all or one for each.

        Returns
        -------
        ndarray of float64
            +inf where no value does.

        Examples
        --------
        >>> from catallax.priors import Discrete
        >>> prior = Discrete([1, 2, 3], [0.5, 0.1, 0.4])  # 1 and 2 are ironed together
        >>> level = prior.virtual_value(1)
        >>> bool(level == prior.virtual_value(2))
        True
        >>> float(prior.smallest_value(level)), float(prior.smallest_value(level, strict=True))
        (1.0, 3.0)
        """
        curve = self._values
        return inverted(curve.smallest, level, strict)

    def largest_cost(self, level: ArrayLike, strict: bool | ArrayLike = False) -> FloatArray:
        """Return the largest cost whose ironed virtual cost is at most a level.

        Parameters
        ----------
        level
            Levels; +inf asks for the upper end of the support.
        strict
            Stay below the level instead of at or below it; one answer for all or one for each.

        Returns
        -------
        ndarray of float64
            -inf where no cost does.

        Examples
        --------
        >>> from catallax.priors import Uniform
        >>> float(Uniform(0, 1).largest_cost(0.5))
        0.25
        """
        curve = self._costs
        return inverted(lambda t, s: 0.0 - curve.smallest(0.0 - t, s), level, strict)

    @property
    def ironed_values(self) -> tuple[IronedInterval, ...]:
        """The intervals on which the virtual value was ironed, ascending."""
        return self._values.intervals

    @property
    def ironed_costs(self) -> tuple[IronedInterval, ...]:
        """The intervals on which the virtual cost was ironed, ascending."""
        return tuple(
            IronedInterval(0.0 - block.high, 0.0 - block.low, 0.0 - block.level)
            for block in reversed(self._costs.intervals)
        )
