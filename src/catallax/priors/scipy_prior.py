"""Any distribution of `scipy.stats`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from catallax.errors import PriorError, nearest
from catallax.priors.base import Parts, Prior, register
from catallax.priors.checks import as_number, show
from catallax.priors.density import DensityPrior, node_grid
from catallax.priors.floats import FloatArray
from catallax.priors.steps import Atoms, StepPrior, gather

__all__ = ["Scipy", "ScipyDiscrete"]

_MOST_VALUES = 1_000_000


def _distribution(name: object) -> Any:
    """Return the distribution of `scipy.stats` of that name."""
    from scipy import stats  # heavy

    found = getattr(stats, name, None) if isinstance(name, str) else None
    if not isinstance(found, stats.rv_continuous | stats.rv_discrete):
        known = [
            key
            for key, value in vars(stats).items()
            if isinstance(value, stats.rv_continuous | stats.rv_discrete)
        ]
        raise PriorError(f"scipy.stats has no distribution {name!r}: {nearest(name, known)}")
    return found


def _is_discrete(distribution: Any) -> bool:
    return not hasattr(distribution, "pdf")


def _keys(distribution: Any) -> list[str]:
    """Return the names of the parameters, in the order of `scipy.stats`."""
    shapes = [s.strip() for s in (distribution.shapes or "").split(",") if s.strip()]
    return [*shapes, "loc"] if _is_discrete(distribution) else [*shapes, "loc", "scale"]


class _FromScipy(Prior):
    """What both kinds share: parameters by name, and the frozen distribution."""

    name: str
    parameters: tuple[tuple[str, float], ...]

    def _accept(self) -> None:
        distribution = _distribution(self.name)
        keys = _keys(distribution)
        given = dict(self.parameters)
        self._check_keys(given, keys)
        for key in keys:
            if key not in given and key not in ("loc", "scale"):
                raise PriorError(f"{key!r} is missing; write scipy({self.name!r}, {_list(keys)})")
        numbers = tuple((key, as_number(given[key], key)) for key in keys if key in given)
        self._set(parameters=numbers)
        low, high = self._frozen.support()
        if math.isnan(low) or math.isnan(high):
            shown = ", ".join(f"{key}={show(value)}" for key, value in numbers)
            raise PriorError(
                f"scipy.stats.{self.name} is no distribution at {shown}; see its documentation"
            )

    @cached_property
    def _frozen(self) -> Any:
        return _distribution(self.name)(**dict(self.parameters))

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        low, high = self._frozen.support()
        return float(low), float(high)

    def spec(self) -> dict[str, Any]:
        """Return the prior as it is written in a market file."""
        return {"kind": self.kind, "name": self.name} | dict(self.parameters)

    def describe(self) -> str:
        """Return the prior in one line."""
        shown = "".join(f", {key}={show(value)}" for key, value in self.parameters)
        return f"scipy({self.name!r}{shown})"


def _list(keys: Sequence[str]) -> str:
    return ", ".join(key + ("?" if key in ("loc", "scale") else "") for key in keys)


@register
@dataclass(frozen=True, eq=False, repr=False)
class Scipy(_FromScipy, DensityPrior):
    """A continuous distribution of `scipy.stats`, by name.

    Discrete ones of finite support become a `ScipyDiscrete` through `make_prior` or
    `parse_prior`. Irregularities are looked for between the quantiles at 1e-9 and 1 - 1e-9.

    Parameters
    ----------
    name
        Its name in `scipy.stats`.
    parameters
        Pairs of a parameter's name and its value: shapes, `loc`, `scale`.

    Examples
    --------
    >>> from catallax.priors import parse_prior
    >>> parse_prior("scipy('gamma', 2, scale=3)").mean
    6.0
    """

    kind: ClassVar[str] = "scipy"
    name: str
    parameters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if _is_discrete(_distribution(self.name)):
            raise PriorError(f"scipy.stats.{self.name} is discrete; use ScipyDiscrete")
        self._accept()

    @classmethod
    def usage(cls) -> str:
        """Return the arguments of this kind."""
        return "write scipy(name, shape parameters, loc?, scale?)"

    @classmethod
    def from_spec(cls, given: Mapping[str, Any], base: Path | None = None) -> Prior:
        """Make the prior; a discrete distribution gives a `ScipyDiscrete`."""
        del base
        if "name" not in given:
            raise PriorError(f"'name' is missing; {cls.usage()}")
        name = given["name"]
        parameters = tuple((key, value) for key, value in given.items() if key != "name")
        discrete = _is_discrete(_distribution(name))
        return ScipyDiscrete(name, parameters) if discrete else Scipy(name, parameters)

    @classmethod
    def _positional(cls, args: Sequence[Any]) -> list[str]:
        return ["name", *_keys(_distribution(args[0]))] if args else ["name"]

    @property
    def mean(self) -> float:
        """The expected value; may be infinite."""
        mean = float(self._frozen.mean())
        if math.isnan(mean):
            raise PriorError(
                f"{self.describe()} has no mean; give its support ends, or use another"
            )
        return mean

    def _parts(self) -> Parts:
        return Parts((self.support,), np.empty(0), np.empty(0))

    def _cdf(self, x: FloatArray) -> FloatArray:
        return np.asarray(self._frozen.cdf(x), dtype=np.float64)

    def _sf(self, x: FloatArray) -> FloatArray:
        return np.asarray(self._frozen.sf(x), dtype=np.float64)

    def _quantile(self, q: FloatArray) -> FloatArray:
        return np.asarray(self._frozen.ppf(q), dtype=np.float64)

    def _upper_quantile(self, p: FloatArray) -> FloatArray:
        return np.asarray(self._frozen.isf(p), dtype=np.float64)

    def _log_density(self, x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            height = np.asarray(self._frozen.logpdf(x), dtype=np.float64)
        return np.where(np.isnan(height), -np.inf, height)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        return self._ratio(self._frozen.sf, self._frozen.logsf, x)

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        return self._ratio(self._frozen.cdf, self._frozen.logcdf, x)

    def _ratio(self, tail: Any, log_tail: Any, x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            above, height = tail(x), self._frozen.pdf(x)
            ratio = np.asarray(above / height, dtype=np.float64)
            faint = (above < 1e-250) | (height < 1e-250)
            if faint.any():
                ratio[faint] = np.exp(log_tail(x[faint]) - self._frozen.logpdf(x[faint]))
        return np.where(np.isnan(ratio), 0.0, ratio)

    def _nodes(self) -> FloatArray:
        low, high = self.support
        # Farther out many of these distributions are only as good as 1 - cdf.
        return node_grid(self._quantile, self._upper_quantile, low, high, smallest=1e-9)

    def _upper_revenue(self) -> float:
        return self._revenue(self._upper_quantile)

    def _lower_revenue(self) -> float:
        return self._revenue(lambda p: 0.0 - self._quantile(p))

    def _revenue(self, quantile: Any) -> float:
        """Return the limit of p times the value whose tail is p."""
        with np.errstate(all="ignore"):
            if math.isfinite(float(self._frozen.mean())):
                return 0.0
            chances = np.array([1e-40, 1e-50])
            near, far = (chances * quantile(chances)).tolist()
        if not near > 0 or not far > 0:
            return 0.0
        slope = math.log(far / near) / math.log(10.0) if math.isfinite(far) else math.inf
        return 0.0 if slope < -1e-3 else math.inf if slope > 1e-3 else far


@dataclass(frozen=True, eq=False, repr=False)
class ScipyDiscrete(_FromScipy, StepPrior):
    """A discrete distribution of `scipy.stats` with finitely many values, by name.

    Parameters
    ----------
    name
        Its name in `scipy.stats`.
    parameters
        Pairs of a parameter's name and its value: shapes and `loc`.

    Examples
    --------
    >>> from catallax.priors import parse_prior
    >>> parse_prior("scipy('binom', n=2, p=0.5)").cdf([0, 1, 2]).round(12).tolist()
    [0.25, 0.75, 1.0]
    """

    kind: ClassVar[str] = "scipy"
    name: str
    parameters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        self._accept()
        low, high = self.support
        if not high - low < _MOST_VALUES:
            raise PriorError(
                f"{self.describe()} has more than {_MOST_VALUES:,} values or no end; cut it where "
                "it is negligible and write discrete(values, probabilities)"
            )

    def _atoms_of(self) -> Atoms:
        low, high = self.support
        values = np.arange(low, high + 1)
        return gather(values, np.asarray(self._frozen.pmf(values), dtype=np.float64))
