"""Priors with smooth densities: normal, lognormal, beta."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy import special

from catallax.errors import PriorError
from catallax.priors.base import Parts, register
from catallax.priors.checks import as_number, check_ordered, show
from catallax.priors.curves import Curve
from catallax.priors.density import DensityPrior
from catallax.priors.floats import FloatArray

__all__ = ["Beta", "Lognormal", "Normal"]

_LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)
_LOG_LARGEST = 709.7
_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(24)


def mills(z: FloatArray) -> FloatArray:
    """Return P(Z > z) / density(z) of the standard normal, accurate in both tails."""
    return math.sqrt(math.pi / 2) * special.erfcx(z / math.sqrt(2.0))


def normal_span(z: FloatArray, d: FloatArray) -> FloatArray:
    """Return P(z < Z < z + d) / density(z) of the standard normal, for d >= 0.

    Each of the four ways is free of cancellation where it is used.
    """
    out = np.empty(z.shape)
    far = d * (np.abs(z) + np.minimum(d, 1e150)) > 4.0
    near = ~far
    if near.any():  # quadrature of exp(-(z u + u^2 / 2)) over [0, d]
        start, half = z[near], d[near] / 2
        total = np.zeros(start.shape)
        for node, weight in zip(_GAUSS_NODES, _GAUSS_WEIGHTS, strict=True):
            u = half * (1.0 + node)
            total += weight * np.exp(-u * (start + u / 2))
        out[near] = half * total
    above = far & (z >= 0)
    if above.any():
        start, reach = z[above], d[above]
        out[above] = mills(start) - mills(start + reach) * np.exp(-reach * (start + reach / 2))
    below = far & (z + d <= 0)
    if below.any():
        start, reach = z[below], d[below]
        out[below] = mills(-start - reach) * np.exp(-reach * (start + reach / 2)) - mills(-start)
    across = far & (z < 0) & (z + d > 0)
    if across.any():
        start, end = z[across], z[across] + d[across]
        whole = math.sqrt(2 * math.pi) - mills(end) * np.exp(-end * end / 2)
        out[across] = np.exp(start * start / 2) * whole - mills(-start)
    return out


@register
@dataclass(frozen=True, eq=False, repr=False, init=False)
class Normal(DensityPrior):
    """Normally distributed values, cut off where `low` and `high` are given.

    Parameters
    ----------
    mean, sd
        Of the normal distribution before it is cut off. The attribute `mean` is the expected
        value of the prior itself.
    low, high
        Where it is cut off; the rest keeps its shape.

    Examples
    --------
    >>> prior = Normal(0.5, 0.1, low=0)
    >>> prior.support
    (0.0, inf)
    >>> round(float(Normal(0, 1).virtual_value(0.0)), 9)
    -1.253314137
    """

    kind: ClassVar[str] = "normal"
    centre: float = field(metadata={"key": "mean"})
    sd: float
    low: float | None = None
    high: float | None = None

    def __init__(
        self, mean: float, sd: float, low: float | None = None, high: float | None = None
    ) -> None:
        self._set(centre=as_number(mean, "mean"), sd=as_number(sd, "sd", positive=True))
        self._set(low=_bound(low, "low", -math.inf), high=_bound(high, "high", math.inf))
        check_ordered(*self.support)
        below, above = self._ends
        if not below < above or max(below, -above) > 1e7:
            raise PriorError(
                f"between low = {show(self.support[0])} and high = {show(self.support[1])} lies "
                f"nothing of normal({show(self.centre)}, {show(self.sd)}); widen them or sd"
            )

    @property
    def support(self) -> tuple[float, float]:
        """Where it is cut off, or infinity."""
        low = -math.inf if self.low is None else self.low
        return low, math.inf if self.high is None else self.high

    @cached_property
    def _ends(self) -> tuple[float, float]:
        low, high = self.support
        return (low - self.centre) / self.sd, (high - self.centre) / self.sd

    @cached_property
    def _anchor(self) -> tuple[float, float, float]:
        """The densest point in units of sd, and the masses below and above it per density there."""
        below, above = self._ends
        anchor = min(max(0.0, below), above)
        at = np.array([anchor, -anchor])
        up, down = normal_span(at, np.array([above - anchor, anchor - below]))
        return anchor, float(down), float(up)

    @property
    def mean(self) -> float:
        """The expected value of the prior."""
        anchor, down, up = self._anchor
        ends = np.array(self._ends)
        with np.errstate(over="ignore"):
            dense = np.exp((anchor * anchor - ends * ends) / 2)
        low, high = self.support
        inside = self.centre + self.sd * float(dense[0] - dense[1]) / (down + up)
        return min(max(inside, low), high)

    def _parts(self) -> Parts:
        return Parts((self.support,), np.empty(0), np.empty(0))

    def _z(self, x: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            z = (np.clip(x, *self.support) - self.centre) / self.sd
        return np.clip(z, -1e150, 1e150)  # as good as infinite, and may be squared

    def _masses(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return P(V <= x) and P(V > x), each accurate where it is below one half."""
        anchor, down, up = self._anchor
        z = self._z(x)
        with np.errstate(all="ignore"):
            dense = np.exp((anchor - z) * (anchor + z) / 2) / (down + up)
            return dense * self._down(z), dense * self._up(z)

    def _up(self, z: FloatArray) -> FloatArray:
        return normal_span(z, np.maximum(self._ends[1] - z, 0.0))

    def _down(self, z: FloatArray) -> FloatArray:
        return normal_span(-z, np.maximum(z - self._ends[0], 0.0))

    def _cdf(self, x: FloatArray) -> FloatArray:
        lower, upper = self._masses(x)
        low, high = self.support
        inside = np.where(lower <= 0.5, lower, 1.0 - np.clip(upper, 0.0, 0.5))
        return np.where(x <= low, 0.0, np.where(x >= high, 1.0, inside))

    def _sf(self, x: FloatArray) -> FloatArray:
        lower, upper = self._masses(x)
        low, high = self.support
        inside = np.where(upper <= 0.5, upper, 1.0 - np.clip(lower, 0.0, 0.5))
        return np.where(x <= low, 1.0, np.where(x >= high, 0.0, inside))

    def _quantile(self, q: FloatArray) -> FloatArray:
        return self._from_log(np.log(q), np.log1p(-q))

    def _upper_quantile(self, p: FloatArray) -> FloatArray:
        return self._from_log(np.log1p(-p), np.log(p))

    def _from_log(self, below: FloatArray, above: FloatArray) -> FloatArray:
        """Return the quantile from the logarithms of P(V <= x) and P(V > x)."""
        start, end = self._ends
        with np.errstate(all="ignore"):
            if start <= -end:  # the lower side holds more, or the sides are alike
                whole = _log_difference(special.log_ndtr(end), special.log_ndtr(start))
                z = special.ndtri_exp(np.logaddexp(special.log_ndtr(start), below + whole))
                upper = -special.ndtri_exp(np.logaddexp(special.log_ndtr(-end), above + whole))
                z = np.where(z > 0, upper, z)
            else:
                whole = _log_difference(special.log_ndtr(-start), special.log_ndtr(-end))
                z = -special.ndtri_exp(np.logaddexp(special.log_ndtr(-end), above + whole))
                lower = special.ndtri_exp(np.logaddexp(special.log_ndtr(start), below + whole))
                z = np.where(z < 0, lower, z)
        return np.clip(self.centre + self.sd * z, *self.support)

    def _log_density(self, x: FloatArray) -> FloatArray:
        anchor, down, up = self._anchor
        z = self._z(x)
        low, high = self.support
        height = (anchor - z) * (anchor + z) / 2 - math.log((down + up) * self.sd)
        return np.where((x >= low) & (x <= high), height, -np.inf)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return self.sd * self._up(self._z(x))

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return self.sd * self._down(self._z(x))


def _bound(value: float | None, key: str, default: float) -> float | None:
    if value is None or value == default:
        return None
    return as_number(value, key)


def _log_difference(larger: float, smaller: float) -> float:
    return float(larger + np.log(-np.expm1(smaller - larger)))


@register
@dataclass(frozen=True, eq=False, repr=False)
class Lognormal(DensityPrior):
    """Values whose logarithm is normally distributed.

    Parameters
    ----------
    median
        The median.
    sigma
        The standard deviation of the logarithm.

    Examples
    --------
    >>> float(Lognormal(3, 0.5).quantile(0.5))
    3.0
    """

    kind: ClassVar[str] = "lognormal"
    median: float
    sigma: float

    def __post_init__(self) -> None:
        self._set(median=as_number(self.median, "median", positive=True))
        self._set(sigma=as_number(self.sigma, "sigma", positive=True))

    @property
    def support(self) -> tuple[float, float]:
        """From 0 to infinity."""
        return 0.0, math.inf

    @property
    def mean(self) -> float:
        """The expected value."""
        exponent = math.log(self.median) + self.sigma * self.sigma / 2
        return math.exp(exponent) if exponent < 709.0 else math.inf

    def _parts(self) -> Parts:
        return Parts((self.support,), np.empty(0), np.empty(0))

    def _z(self, x: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", over="ignore"):
            return (np.log(np.maximum(x, 0.0)) - math.log(self.median)) / self.sigma

    def _cdf(self, x: FloatArray) -> FloatArray:
        return special.ndtr(self._z(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return special.ndtr(-self._z(x))

    def _quantile(self, q: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return self.median * np.exp(self.sigma * special.ndtri(q))

    def _upper_quantile(self, p: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return self.median * np.exp(-self.sigma * special.ndtri(p))

    def _log_density(self, x: FloatArray) -> FloatArray:
        z = self._z(x)
        with np.errstate(all="ignore"):
            height = -z * z / 2 - _LOG_ROOT_2PI - math.log(self.sigma) - np.log(x)
        return np.where((x > 0) & (x < np.inf), height, -np.inf)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return np.where(x > 0, self._times_mills(x, self._z(x)), np.inf)

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return np.where(x > 0, self._times_mills(x, -self._z(x)), 0.0)

    def _value_curve(self) -> Curve:
        # Beyond about this value the virtual value is positive: no number reaches it.
        if math.log(self.median) + self.sigma * self.sigma > _LOG_LARGEST:
            raise self._too_spread("value")
        return super()._value_curve()

    def _times_mills(self, x: FloatArray, z: FloatArray) -> FloatArray:
        """Return x sigma mills(z), also where mills(z) alone overflows."""
        within = np.clip(x, 5e-324, np.finfo(np.float64).max)
        far = self.sigma * np.exp(np.log(within) + z * z / 2 + _LOG_ROOT_2PI)
        return np.where(z < -30.0, far, x * (self.sigma * mills(z)))


@register
@dataclass(frozen=True, eq=False, repr=False)
class Beta(DensityPrior):
    """Beta distributed values between `low` and `high`.

    Parameters
    ----------
    a, b
        The shape: the density is proportional to ``u ** (a - 1) * (1 - u) ** (b - 1)`` at the
        share u of the way from `low` to `high`.
    low, high
        The interval.

    Examples
    --------
    >>> prior = Beta(0.5, 0.5)  # two heaps at the ends: ironed
    >>> len(prior.ironed_values)
    1
    """

    kind: ClassVar[str] = "beta"
    a: float
    b: float
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        self._set(a=as_number(self.a, "a", positive=True), b=as_number(self.b, "b", positive=True))
        self._set(low=as_number(self.low, "low"), high=as_number(self.high, "high"))
        check_ordered(self.low, self.high)

    @property
    def support(self) -> tuple[float, float]:
        """The interval."""
        return self.low, self.high

    @property
    def mean(self) -> float:
        """The expected value."""
        return self.low + (self.high - self.low) * self.a / (self.a + self.b)

    def _parts(self) -> Parts:
        return Parts((self.support,), np.empty(0), np.empty(0))

    def _shares(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        width = self.high - self.low
        inside = np.clip(x, self.low, self.high)
        return (inside - self.low) / width, (self.high - inside) / width

    def _cdf(self, x: FloatArray) -> FloatArray:
        return _beta_below(self.a, self.b, *self._shares(x))

    def _sf(self, x: FloatArray) -> FloatArray:
        u, w = self._shares(x)
        return _beta_below(self.b, self.a, w, u)

    def _quantile(self, q: FloatArray) -> FloatArray:
        u = special.betaincinv(self.a, self.b, q)
        w = special.betaincinv(self.b, self.a, 1.0 - q)
        width = self.high - self.low
        return np.where(u <= 0.5, self.low + width * u, self.high - width * w)

    def _upper_quantile(self, p: FloatArray) -> FloatArray:
        w = special.betaincinv(self.b, self.a, p)
        return self.high - (self.high - self.low) * w

    def _log_density(self, x: FloatArray) -> FloatArray:
        u, w = self._shares(x)
        inside = (x >= self.low) & (x <= self.high)
        return np.where(inside, self._log_height(u, w) - math.log(self.high - self.low), -np.inf)

    def _log_height(self, u: FloatArray, w: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return (
                special.xlogy(self.a - 1, u)
                + special.xlogy(self.b - 1, w)
                - special.betaln(self.a, self.b)
            )

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        u, w = self._shares(x)
        return self._ratio(self.b, self.a, w, u, self._log_height(u, w))

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        u, w = self._shares(x)
        return self._ratio(self.a, self.b, u, w, self._log_height(u, w))

    def _ratio(
        self, a: float, b: float, u: FloatArray, w: FloatArray, log_height: FloatArray
    ) -> FloatArray:
        """Return P(U <= u) / density(u) in units of x, where w = 1 - u."""
        below = _beta_below(a, b, u, w)
        with np.errstate(all="ignore"):
            ratio = below * np.exp(-log_height)
        faint = (below < 1e-250) & (u < 0.5)  # the series of the tail, for both may underflow
        if faint.any():
            ratio[faint] = u[faint] * w[faint] / a * special.hyp2f1(a + b, 1.0, a + 1.0, u[faint])
        return (self.high - self.low) * np.where(np.isnan(ratio), np.inf, ratio)


def _beta_below(a: float, b: float, u: FloatArray, w: FloatArray) -> FloatArray:
    """Return P(U <= u) where w = 1 - u, accurate in both tails."""
    below = special.betainc(a, b, u)
    most = ~(below <= 0.5)
    if not most.any():  # the other tail takes as long again
        return below
    return np.where(most, 1.0 - special.betainc(b, a, w), below)
