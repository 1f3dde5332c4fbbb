"""Estimates and amounts as text, to the digits that their errors leave."""

from __future__ import annotations

from math import floor, log10

from catallax.mechanisms.profiles import Estimate

__all__ = ["half_width", "plain_number", "written"]


def half_width(estimate: Estimate) -> float:
    """Return how far the 95 % interval reaches to either side.

    Examples
    --------
    >>> round(half_width(Estimate(1.0, 0.1, False)), 3)
    0.196
    """
    low, high = estimate.interval()
    return (high - low) / 2


def plain_number(value: float, decimals: int) -> str:
    """Write a number with so many decimals, and zero as such.

    Examples
    --------
    >>> plain_number(1234.5678, 2), plain_number(0.0, 4), plain_number(-0.0001, 2)
    ('1,234.57', '0', '0.00')
    """
    if abs(value) >= 1e15:
        return f"{value:.6g}"
    # Adding zero makes a negative zero a plain one.
    return f"{round(value, decimals) + 0.0:,.{decimals}f}" if value else "0"


def written(estimate: Estimate) -> str:
    """Write an estimate to the digits that its error leaves.

    Parameters
    ----------
    estimate
        What to write.

    Returns
    -------
    str
        The mean, and after "±" half of the 95 % interval, with two digits; a known expectation
        with six decimals after an equals sign.

    Examples
    --------
    >>> written(Estimate(0.123456, 0.001, False)), written(Estimate(0.125, 0.0, True))
    ('0.1235 ± 0.0020', '= 0.125000')
    """
    width = float(f"{half_width(estimate):.1e}")
    if 0.0 < abs(estimate.mean) < 1e-4 and (estimate.exact or width == 0.0):
        return f"= {estimate.mean:.6g}" if estimate.exact else f"{estimate.mean:.6g}"
    if estimate.exact or width == 0.0:
        decimals = 6 - max(0, floor(log10(max(abs(estimate.mean), 1e-300))))
        number = plain_number(estimate.mean, min(max(decimals, 0), 6))
        return f"= {number}" if estimate.exact else number
    decimals = max(1 - floor(log10(width)), 0)
    if decimals > 12:
        return f"{estimate.mean:.6g} ± {width:.2g}"
    return f"{plain_number(estimate.mean, decimals)} ± {plain_number(width, decimals)}"
