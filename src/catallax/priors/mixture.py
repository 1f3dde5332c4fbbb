"""Mixtures of priors of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from catallax.errors import PriorError
from catallax.priors.base import Parts, Prior, register
from catallax.priors.checks import as_weights, show
from catallax.priors.curves import Curve, StepCurve
from catallax.priors.density import DensityPrior
from catallax.priors.floats import BoolArray, FloatArray, IntArray, smallest_float
from catallax.priors.registry import make_prior

__all__ = ["Mixture"]

_SUM_TOLERANCE = 1e-9


@register
@dataclass(frozen=True, eq=False, repr=False, init=False)
class Mixture(DensityPrior):
    """A value from one of several priors, drawn with given probabilities.

    Parameters
    ----------
    components
        Priors, or their keys or one-line forms; mixtures too.
    weights
        The probability of each; they sum to 1 up to 1e-9 and are divided by their sum.

    Examples
    --------
    >>> prior = Mixture(["uniform(0, 1)", "point(2)"], [0.5, 0.5])
    >>> prior.cdf([0.5, 1.5, 2.0]).tolist()
    [0.25, 0.5, 1.0]
    """

    kind: ClassVar[str] = "mixture"
    components: tuple[Prior, ...]
    weights: FloatArray

    def __init__(
        self, components: Sequence[Prior | Mapping[str, Any] | str], weights: ArrayLike
    ) -> None:
        if isinstance(components, str) or not isinstance(components, Sequence):
            raise PriorError("components must be a list of priors")
        if not components:
            raise PriorError("components is empty; give at least one prior")
        made = tuple(
            make_prior(component, where=f"components[{k}]")
            for k, component in enumerate(components)
        )
        shares = as_weights(weights, "weights", len(made), "components")
        total = float(shares.sum())
        if abs(total - 1.0) > _SUM_TOLERANCE:
            raise PriorError(f"weights sum to {show(total)}, not 1; divide them by their sum")
        self._set(components=made, weights=shares)

    @classmethod
    def from_spec(cls, given: Mapping[str, Any], base: Path | None = None) -> Self:
        """Make the mixture, its components' tables looked up in `base`."""
        listed = given.get("components")
        if isinstance(listed, Sequence) and not isinstance(listed, str):
            made = [
                make_prior(component, base=base, where=f"components[{k}]")
                for k, component in enumerate(listed)
            ]
            given = dict(given) | {"components": made}
        return super().from_spec(given, base)

    @cached_property
    def _weighted(self) -> list[tuple[float, Prior]]:
        shares = self.weights / self.weights.sum()
        return [(float(w), p) for w, p in zip(shares, self.components, strict=True) if w > 0]

    @property
    def support(self) -> tuple[float, float]:
        """From the smallest to the largest value of any component."""
        ends = [component.support for _, component in self._weighted]
        return min(low for low, _ in ends), max(high for _, high in ends)

    @property
    def mean(self) -> float:
        """The expected value."""
        return float(sum(weight * component.mean for weight, component in self._weighted))

    @cached_property
    def _mixed(self) -> Parts:
        inner = [component._parts() for _, component in self._weighted]
        atoms = np.concatenate([parts.atoms for parts in inner])
        masses = np.concatenate(
            [w * parts.masses for (w, _), parts in zip(self._weighted, inner, strict=True)]
        )
        values, where = np.unique(atoms, return_inverse=True)
        pieces = [piece for parts in inner for piece in parts.pieces]
        # Cut wherever a component begins, ends or has an atom: between two cuts all is smooth.
        cuts = sorted({end for piece in pieces for end in piece} | set(values.tolist()))
        starts = np.array([start for start, _ in pieces])
        ends = np.array([end for _, end in pieces])
        covered = tuple(
            (float(low), float(high))
            for low, high in pairwise(cuts)
            if ((starts <= low) & (ends >= high)).any()
        )
        mass = np.bincount(where, weights=masses, minlength=values.size).astype(np.float64)
        return Parts(covered, values, mass)

    def _parts(self) -> Parts:
        return self._mixed

    def _sum(self, method: str, x: FloatArray) -> FloatArray:
        total = np.zeros(x.shape)
        for weight, component in self._weighted:
            total += weight * getattr(component, method)(x)
        return np.minimum(total, 1.0)

    def _cdf(self, x: FloatArray) -> FloatArray:
        return np.where(x >= self.support[1], 1.0, self._sum("_cdf", x))

    def _sf(self, x: FloatArray) -> FloatArray:
        return np.where(x < self.support[0], 1.0, self._sum("_sf", x))

    def _below(self, x: FloatArray) -> FloatArray:
        return np.where(x > self.support[1], 1.0, self._sum("_below", x))

    def _at_least(self, x: FloatArray) -> FloatArray:
        return np.where(x <= self.support[0], 1.0, self._sum("_at_least", x))

    def _quantile(self, q: FloatArray) -> FloatArray:
        candidates = np.array([component._quantile(q) for _, component in self._weighted])
        points = np.unique(np.concatenate([self._nodes(), self._mixed.atoms]))
        guess = np.interp(q, self._cdf(points), points)
        return _first(candidates, guess, lambda x, some: self._cdf(x) >= q[some])

    def _upper_quantile(self, p: FloatArray) -> FloatArray:
        candidates = np.array([component._upper_quantile(p) for _, component in self._weighted])
        points = np.unique(np.concatenate([self._nodes(), self._mixed.atoms]))
        guess = np.interp(-p, -self._sf(points), points)
        return _first(candidates, guess, lambda x, some: self._sf(x) <= p[some])

    def _sample(self, rng: np.random.Generator, count: int) -> FloatArray:
        shares = np.array([weight for weight, _ in self._weighted])
        chosen = rng.choice(shares.size, size=count, p=shares / shares.sum())
        out = np.empty(count)
        for k, (_, component) in enumerate(self._weighted):
            drawn = chosen == k
            out[drawn] = component._sample(rng, int(drawn.sum()))
        return out

    def _density(self, x: FloatArray) -> FloatArray:
        total = np.zeros(x.shape)
        for weight, component in self._weighted:
            total += weight * component._density(x)
        return total

    def _logs(self, x: FloatArray) -> tuple[list[FloatArray], FloatArray]:
        """Return every component's weighted log density, and the largest of them."""
        logs = [np.log(w) + component._log_density(x) for w, component in self._weighted]
        return logs, np.max(logs, axis=0)

    def _log_density(self, x: FloatArray) -> FloatArray:
        logs, _ = self._logs(x)
        with np.errstate(divide="ignore"):
            return np.logaddexp.reduce(logs, axis=0)

    def _upper_ratio(self, x: FloatArray) -> FloatArray:
        return self._ratio("_upper_ratio", "_sf", x)

    def _lower_ratio(self, x: FloatArray) -> FloatArray:
        return self._ratio("_lower_ratio", "_below", x)

    def _ratio(self, ratio: str, tail: str, x: FloatArray) -> FloatArray:
        """Return tail / density with everything divided by the largest density: no underflow."""
        logs, largest = self._logs(x)
        top, bottom = np.zeros(x.shape), np.zeros(x.shape)
        with np.errstate(all="ignore"):
            for log, (weight, component) in zip(logs, self._weighted, strict=True):
                share = np.exp(log - largest)
                dense = share > 0
                own = share * getattr(component, ratio)(x)
                # Where this component has no density its tail still counts; and its ratio may
                # overflow where another component is the denser by far.
                alone = np.exp(np.log(weight * getattr(component, tail)(x)) - largest)
                top += np.where(dense & np.isfinite(own), own, alone)
                bottom += np.where(dense, share, 0.0)
            out = top / bottom
        # Where every density underflows, what is beyond is either everything or nothing.
        beyond = np.where(self._sum(tail, x) > 0.5, np.inf, 0.0)
        return np.where(np.isnan(out), beyond, out)

    def _nodes(self) -> FloatArray:
        return np.unique(np.concatenate([component._nodes() for _, component in self._weighted]))

    def _upper_revenue(self) -> float:
        return max(w * c._upper_revenue() for w, c in self._weighted)

    def _lower_revenue(self) -> float:
        return max(w * c._lower_revenue() for w, c in self._weighted)

    def _value_curve(self) -> Curve:
        parts = self._mixed
        return super()._value_curve() if parts.pieces else StepCurve(parts.atoms, parts.masses)

    def _cost_curve(self) -> Curve:
        parts = self._mixed
        if parts.pieces:
            return super()._cost_curve()
        return StepCurve(0.0 - parts.atoms[::-1], parts.masses[::-1].copy())


def _first(
    candidates: FloatArray,
    guess: FloatArray,
    holds: Callable[[FloatArray, IntArray], BoolArray],
) -> FloatArray:
    """Return the first float that passes, which lies between the components' quantiles."""
    low, high = candidates.min(axis=0), candidates.max(axis=0)
    return smallest_float(holds, np.clip(guess, low, high), low, high)
