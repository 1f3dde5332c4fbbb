"""Priors whose virtual values have a formula, ironed or not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from catallax.errors import PriorError
from catallax.priors.base import Parts, register
from catallax.priors.checks import as_number, check_ordered, show
from catallax.priors.curves import ClosedCurve, Curve, IronedInterval
from catallax.priors.density import DensityPrior
from catallax.priors.floats import FloatArray

__all__ = ["EqualRevenue", "Exponential", "Pareto", "Uniform"]


@register
@dataclass(frozen=True, eq=False, repr=False)
class Uniform(DensityPrior):
    """Every value of an interval equally likely.

    Parameters
    ----------
    low, high
        The interval.

    Examples
    --------
    >>> prior = Uniform(0, 2)
    >>> float(prior.virtual_value(1.5)), float(prior.virtual_cost(0.5))
    (1.0, 1.0)
    """

    kind: ClassVar[str] = "uniform"
    low: float
    high: float

    def __post_init__(self) -> None:
        low, high = as_number(self.low, "low"), as_number(self.high, "high")
        check_ordered(low, high)
        if high - low == math.inf:
            raise PriorError(f"high - low overflows for {show(low)} and {show(high)}; rescale")
        self._set(low=low, high=high)

    @property
    def support(self) -> tuple[float, float]:
        """The interval."""
        return self.low, self.high

    @property
    def mean(self) -> float:
        """The middle of the interval."""
        return self.low + (self.high - self.low) / 2

    def _parts(self) -> Parts:
        return Parts(((self.low, self.high),), np.empty(0), np.empty(0))

    def _cdf(self, x: FloatArray) -> FloatArray:
        return np.clip((np.clip(x, self.low, self.high) - self.low) / (self.high - self.low), 0, 1)

    def _sf(self, x: FloatArray) -> FloatArray:
        return np.clip((self.high - np.clip(x, self.low, self.high)) / (self.high - self.low), 0, 1)

    def _quantile(self, q: FloatArray) -> FloatArray:
        return np.clip(self.low + q * (self.high - self.low), self.low, self.high)

    def _log_density(self, x: FloatArray) -> FloatArray:
        inside = (x >= self.low) & (x <= self.high)
        return np.where(inside, -math.log(self.high - self.low), -np.inf)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        return self.high - x

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        return x - self.low

    def _nodes(self) -> FloatArray:
        return np.linspace(self.low, self.high, 34)

    def _value_curve(self) -> Curve:
        low, high = self.low, self.high
        return ClosedCurve(low, high, lambda v: 2 * v - high, lambda t: (t + high) / 2, high)

    def _cost_curve(self) -> Curve:
        low, high = 0.0 - self.high, 0.0 - self.low
        return ClosedCurve(low, high, lambda v: 2 * v - high, lambda t: (t + high) / 2, high)


@register
@dataclass(frozen=True, eq=False, repr=False)
class Exponential(DensityPrior):
    """Exponentially distributed values above `loc`.

    Parameters
    ----------
    scale
        The mean above `loc`.
    loc
        The smallest value.

    Examples
    --------
    >>> float(Exponential(1).virtual_value(3.0))
    2.0
    """

    kind: ClassVar[str] = "exponential"
    scale: float
    loc: float = 0.0

    def __post_init__(self) -> None:
        self._set(scale=as_number(self.scale, "scale", positive=True))
        self._set(loc=as_number(self.loc, "loc"))

    @property
    def support(self) -> tuple[float, float]:
        """From `loc` to infinity."""
        return self.loc, math.inf

    @property
    def mean(self) -> float:
        """The expected value, ``loc + scale``."""
        return self.loc + self.scale

    def _parts(self) -> Parts:
        return Parts((self.support,), np.empty(0), np.empty(0))

    def _z(self, x: FloatArray) -> FloatArray:
        return np.maximum(x - self.loc, 0.0) / self.scale

    def _cdf(self, x: FloatArray) -> FloatArray:
        return -np.expm1(-self._z(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return np.exp(-self._z(x))

    def _quantile(self, q: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            return self.loc - self.scale * np.log1p(-q)

    def _upper_quantile(self, p: FloatArray) -> FloatArray:
        return self.loc - self.scale * np.log(p)

    def _log_density(self, x: FloatArray) -> FloatArray:
        return np.where(x >= self.loc, -self._z(x) - math.log(self.scale), -np.inf)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        return np.full(x.shape, self.scale)

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return self.scale * np.expm1(self._z(x))

    def _value_curve(self) -> Curve:
        scale = self.scale
        return ClosedCurve(self.loc, math.inf, lambda v: v - scale, lambda t: t + scale, math.inf)

    def _cost_curve(self) -> Curve:
        scale, loc = self.scale, self.loc

        def formula(x: FloatArray) -> FloatArray:
            return x - scale * np.expm1((0.0 - x - loc) / scale)

        def inverse(level: FloatArray) -> FloatArray:
            # z + exp(z) = y with z = (c - loc) / scale; Wright's omega is exp(z)
            y = (0.0 - level - loc) / scale + 1.0
            omega = special.wrightomega(y)
            z = np.where(y > 1.0, np.log(omega), y - omega)
            return 0.0 - (loc + scale * z)

        return ClosedCurve(-math.inf, 0.0 - loc, formula, inverse, 0.0 - loc)


@register
@dataclass(frozen=True, eq=False, repr=False)
class Pareto(DensityPrior):
    """Values with P(V >= x) = (x / scale) ** -alpha above `scale`.

    With `alpha` = 1 every price earns the same and the virtual value is 0 throughout. Below that
    the best revenue is infinite: virtual costs exist, virtual values do not.

    Parameters
    ----------
    alpha
        How fast the tail falls.
    scale
        The smallest value.

    Examples
    --------
    >>> float(Pareto(2).virtual_value(3.0)), float(Pareto(2).virtual_cost(2.0))
    (1.5, 5.0)
    """

    kind: ClassVar[str] = "pareto"
    alpha: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        self._set(alpha=as_number(self.alpha, "alpha", positive=True))
        self._set(scale=as_number(self.scale, "scale", positive=True))

    @property
    def support(self) -> tuple[float, float]:
        """From `scale` to infinity."""
        return self.scale, math.inf

    @property
    def mean(self) -> float:
        """The expected value, infinite for `alpha` up to 1."""
        return math.inf if self.alpha <= 1 else self.alpha * self.scale / (self.alpha - 1)

    def _parts(self) -> Parts:
        return Parts((self.support,), np.empty(0), np.empty(0))

    def _power(self, x: FloatArray) -> FloatArray:
        """Return log P(V >= x), not below 0 in absolute value."""
        return self.alpha * np.log(np.maximum(x / self.scale, 1.0))

    def _cdf(self, x: FloatArray) -> FloatArray:
        return -np.expm1(-self._power(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return np.exp(-self._power(x))

    def _quantile(self, q: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", over="ignore"):
            return self.scale * np.exp(-np.log1p(-q) / self.alpha)

    def _upper_quantile(self, p: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return self.scale * np.exp(-np.log(p) / self.alpha)

    def _log_density(self, x: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            height = math.log(self.alpha) - self._power(x) - np.log(x)
        return np.where(x >= self.scale, height, -np.inf)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        return x / self.alpha

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return (x / self.alpha) * np.expm1(self._power(x))

    def _upper_revenue(self) -> float:
        return 0.0 if self.alpha > 1 else self.scale if self.alpha == 1 else math.inf

    def _value_curve(self) -> Curve:
        if self.alpha < 1:
            return super()._value_curve()  # which explains that there is none
        share = (self.alpha - 1.0) / self.alpha
        if share == 0.0:
            return ClosedCurve(self.scale, math.inf, np.zeros_like, lambda t: t, 0.0)
        return ClosedCurve(self.scale, math.inf, lambda v: v * share, lambda t: t / share, math.inf)

    def _cost_curve(self) -> Curve:
        alpha, scale = self.alpha, self.scale

        def formula(x: FloatArray) -> FloatArray:
            return x - self._lower_ratio(0.0 - x)

        def inverse(level: FloatArray) -> FloatArray:
            # (1 - 1/alpha) u + u ** (alpha + 1) / alpha = y is convex in u = c / scale: Newton
            # from a point above the root never overshoots.
            y = np.maximum((0.0 - level) / scale, 1.0)
            u = y if alpha < 1 else np.minimum(y, (alpha * y) ** (1.0 / (alpha + 1.0)))
            for _ in range(100):
                power = u**alpha
                excess = u + (u / alpha) * (power - 1.0) - y
                lower = np.maximum(u - excess / (1.0 - 1.0 / alpha + (1 + 1 / alpha) * power), 1.0)
                if not (lower < u).any():
                    break
                u = lower
            return 0.0 - u * scale

        return ClosedCurve(-math.inf, 0.0 - scale, formula, inverse, 0.0 - scale)


@register
@dataclass(frozen=True, eq=False, repr=False)
class EqualRevenue(DensityPrior):
    """Values for which every price earns `low`: P(V >= x) = low / x, with an atom at `high`.

    A buyer's virtual value is 0 below `high`. A seller's virtual cost is c^2 / low, ironed against
    the atom from (low + high) / 2 on.

    Parameters
    ----------
    low, high
        The support; ``0 < low < high``.

    Examples
    --------
    >>> prior = EqualRevenue(1, 10)
    >>> float(prior.virtual_value(5.0)), float(prior.virtual_value(10.0))
    (0.0, 10.0)
    >>> prior.ironed_costs
    (IronedInterval(low=5.5, high=10.0, level=30.25),)
    """

    kind: ClassVar[str] = "equal-revenue"
    low: float
    high: float

    def __post_init__(self) -> None:
        low, high = as_number(self.low, "low", positive=True), as_number(self.high, "high")
        check_ordered(low, high)
        self._set(low=low, high=high)

    @property
    def support(self) -> tuple[float, float]:
        """From `low` to `high`."""
        return self.low, self.high

    @property
    def mean(self) -> float:
        """The expected value, ``low (1 + log(high / low))``."""
        return self.low * (1.0 + math.log(self.high / self.low))

    def _parts(self) -> Parts:
        atom = np.array([self.high])
        return Parts(((self.low, self.high),), atom, self.low / atom)

    def _cdf(self, x: FloatArray) -> FloatArray:
        return np.where(x >= self.high, 1.0, self._below(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return np.where(x >= self.high, 0.0, self._at_least(x))

    def _below(self, x: FloatArray) -> FloatArray:
        within = np.clip(x, self.low, self.high)
        return np.where(x > self.high, 1.0, (within - self.low) / within)

    def _at_least(self, x: FloatArray) -> FloatArray:
        return np.where(x > self.high, 0.0, self.low / np.clip(x, self.low, self.high))

    def _quantile(self, q: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.minimum(self.low / (1.0 - q), self.high)

    def _upper_quantile(self, p: FloatArray) -> FloatArray:
        return np.minimum(self.low / p, self.high)

    def _log_density(self, x: FloatArray) -> FloatArray:
        inside = (x >= self.low) & (x <= self.high)
        within = np.clip(x, self.low, self.high)
        return np.where(inside, math.log(self.low) - 2 * np.log(within), -np.inf)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        return x.copy()

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        return x * ((x - self.low) / self.low)

    def _value_curve(self) -> Curve:
        return ClosedCurve(self.low, self.high, np.zeros_like, lambda t: t, self.high)

    def _cost_curve(self) -> Curve:
        low, high = self.low, self.high
        knee = low + (high - low) / 2
        level = knee * (knee / low)

        def raw(x: FloatArray) -> FloatArray:
            return np.where(x == -high, -high, -x * (x / low))

        def formula(x: FloatArray) -> FloatArray:
            return np.where(x <= -knee, -level, np.maximum(-x * (x / low), -level))

        def inverse(wanted: FloatArray) -> FloatArray:
            return np.where(wanted <= -level, -high, -np.sqrt(np.maximum(-wanted, 0.0) * low))

        plateau = (IronedInterval(-high, -knee, -level),)
        return ClosedCurve(-high, -low, formula, inverse, -low, raw=raw, intervals=plateau)
