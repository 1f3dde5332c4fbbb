"""Component functions of smooth rules: values, integrals, and whether they are monotone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.errors import MechanismError
from catallax.groups.witnesses import number

__all__ = ["Component", "Polynomial", "SmoothFunction", "read_component"]

Array = NDArray[np.float64]
GRID = 2001


@dataclass(frozen=True)
class Polynomial:
    """A component c0 + c1 z + c2 z^2 + ...: integrals and monotonicity in closed form.

    Attributes
    ----------
    coefficients
        c0, c1, ...
    """

    coefficients: tuple[float, ...]

    def __call__(self, z: Array) -> Array:
        """Return the values at z."""
        return np.asarray(np.polynomial.polynomial.polyval(z, self.coefficients), dtype=np.float64)

    def integral(self, low: float, ends: Array) -> Array:
        """Return the integrals from `low` to each of the ends."""
        whole = np.polynomial.polynomial.polyint(self.coefficients)
        value = np.polynomial.polynomial.polyval
        return np.asarray(value(ends, whole) - value(low, whole))

    def turn(self, low: float, high: float, sign: int) -> tuple[float, float] | None:
        """Return two arguments between which it goes the wrong way, if any."""
        slope = np.trim_zeros(np.polynomial.polynomial.polyder(self.coefficients), "b")
        roots = np.polynomial.polynomial.polyroots(slope) if slope.size > 1 else []
        inside = [float(r.real) for r in roots if abs(r.imag) < 1e-12 and low < r.real < high]
        return _first_turn(self, np.array(sorted({low, *inside, high})), sign)


@dataclass(frozen=True)
class SmoothFunction:
    """A component given as a Python function of arrays; integrals by quadrature to 1e-12.

    Attributes
    ----------
    function
        It takes an array and returns one of the same shape.
    """

    function: Callable[[Any], Any]

    def __call__(self, z: Array) -> Array:
        """Return the values at z."""
        given = np.asarray(z, dtype=np.float64)
        try:
            values = np.asarray(self.function(given), dtype=np.float64)
            values = np.broadcast_to(values, given.shape)
        except Exception as error:
            raise MechanismError(
                f"a component function failed: {type(error).__name__}: {error}; it takes an array "
                "and returns one of the same shape"
            ) from error
        if not np.isfinite(values).all():
            at = float(given.ravel()[int(np.argmin(np.isfinite(values).ravel()))])
            raise MechanismError(f"a component function is not finite at {number(at)}")
        return values

    def integral(self, low: float, ends: Array) -> Array:
        """Return the integrals from `low` to each of the ends, between neighbours adaptively."""
        from scipy import integrate

        points, back = np.unique(ends, return_inverse=True)
        starts = np.concatenate([[low], points[:-1]])
        cells = []
        for start, end in zip(starts, points, strict=True):
            # The full output keeps scipy from warning; its error is looked at here.
            area, error, *_ = integrate.quad(
                lambda z: float(self(np.array(z))),
                start,
                end,
                epsabs=1e-13,
                limit=200,
                full_output=1,
            )
            if error > 1e-9 * max(1.0, abs(area)):
                raise MechanismError(
                    f"a component function cannot be integrated from {number(start)} to "
                    f"{number(end)} (the error is {number(error)}); give a smooth one"
                )
            cells.append(area)
        return np.cumsum(cells)[back].reshape(np.shape(ends))

    def turn(self, low: float, high: float, sign: int) -> tuple[float, float] | None:
        """Return two arguments of a grid of 2,001 between which it goes the wrong way, if any."""
        return _first_turn(self, np.linspace(low, high, GRID), sign)


Component = Polynomial | SmoothFunction


def _first_turn(function: Component, points: Array, sign: int) -> tuple[float, float] | None:
    values = function(points)
    slack = 1e-12 * max(1.0, float(np.abs(values).max()))
    wrong = np.flatnonzero(sign * np.diff(values) < -slack)
    if not wrong.size:
        return None
    return float(points[wrong[0]]), float(points[wrong[0] + 1])


def read_component(given: object, what: str) -> Component:
    """Return a component from coefficients or a function.

    Parameters
    ----------
    given
        Coefficients c0, c1, ... of a polynomial, or a function of arrays.
    what
        What it is called in error messages.

    Raises
    ------
    MechanismError
        If it is neither.

    Examples
    --------
    >>> read_component([0, 0.5], "f of the buyers")
    Polynomial(coefficients=(0.0, 0.5))
    """
    if isinstance(given, Polynomial | SmoothFunction):
        return given
    if callable(given):
        return SmoothFunction(given)
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if isinstance(given, Sequence) and not isinstance(given, str) and len(given):
        try:
            numbers = tuple(float(one) for one in given)
        except (TypeError, ValueError):
            numbers = (np.nan,)
        if np.isfinite(numbers).all():
            return Polynomial(numbers)
    raise MechanismError(
        f"{what} is {given!r}; give the coefficients of a polynomial, as in [0, 0.5], or a function"
    )
