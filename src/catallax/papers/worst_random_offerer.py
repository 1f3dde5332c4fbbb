"""The random offerer at its worst: a pair of laws on which it keeps less than on any published."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from catallax.estimate.exact import exact_values
from catallax.markets import instances
from catallax.papers.registry import Options, register
from catallax.papers.reproduction import Reproduction, Row

__all__ = ["finite_share", "limit_share", "share_by_formula", "worst_random_offerer"]

_GIVEN = ((20.0, 0.1, 0.480992), (30.0, 0.08, 0.476525))
_HALF_DIGIT = 5e-7
# Here the share differs from its limit by about H^-b: less than a millionth.
_FAR = 220.0
_PUBLISHED_RATIO = 2.0749


def limit_share(b: float) -> float:
    """Return the share of the first best as H grows, for a seller of P(c <= x) = (x/H)^b.

    Examples
    --------
    >>> round(1 / limit_share(0.067947), 7)
    2.1148734
    """
    return (b + (1 + 2 * b) * (b / (1 + b)) ** b) / (2 * (1 + b))


def share_by_formula(log_high: float, b: float) -> float:
    """Return the share of the first best at a finite H.

    The seller offers H and gains 1 / (1+b); the buyer of value v offers k v with k = b / (1+b)
    and gains ``k^b (1 - k^2) ((1 - e) / b + 1)``, where e = H^-b; the first best is
    ``e / (1+b) + (1 - e) / b``.

    Examples
    --------
    >>> round(share_by_formula(20.0, 0.1), 6)
    0.480992
    """
    k, faded = b / (1 + b), math.exp(-b * log_high)
    buyer = k**b * (1 - k * k) * ((1 - faded) / b + 1)
    return (1 / (1 + b) + buyer) / 2 / (faded / (1 + b) + (1 - faded) / b)


def finite_share(log_high: float, b: float) -> float:
    """Compute the share of the first best by quadrature.

    Parameters
    ----------
    log_high
        The logarithm of H, the top of the buyer's values.
    b
        The power of the seller's law.
    """
    market = instances.get("random-offerer-worst-case", log_high=log_high, b=b)
    offered, best = exact_values(market, "random-offerer"), exact_values(market, "first-best")
    if offered is None or best is None:
        raise AssertionError(f"the quadrature failed at ln H = {log_high:g}, b = {b:g}")
    return offered.gains_from_trade / best.gains_from_trade


@register(
    "worst-random-offerer",
    "a pair of laws on which the random offerer keeps 1/2.1148734 of the first best",
    "derived here; the worst published ratio is 2.0749, in arXiv 2603.08679",
)
def worst_random_offerer(options: Options) -> Reproduction:
    """Compute finite cases by quadrature, and the limit with its worst exponent."""
    rows = []
    for place, (log_high, b, known) in enumerate(_GIVEN):
        options.tell(place / 4, f"ln H = {log_high:g}")
        share = finite_share(log_high, b)
        rows.append(Row(f"share, ln H = {log_high:g}, b = {b:g}", known, share, _HALF_DIGIT))
        what = f"the same against its formula, ln H = {log_high:g}"
        rows.append(Row(what, share_by_formula(log_high, b), share, 1e-9))
    options.tell(0.5, "ln H = 50")
    worst = _least(lambda b: share_by_formula(50.0, b))
    least = finite_share(50.0, worst)
    what = f"share, ln H = 50, at its worst b = {worst:.5f}"
    note = "0.473767 is the share at b = 0.07135"
    rows.append(Row(what, 0.473767, least, _HALF_DIGIT, "at most", note=note))
    b = _least(limit_share)
    share = limit_share(b)
    options.tell(0.75, f"ln H = {_FAR:g}")
    far = finite_share(_FAR, b)
    rows += [
        Row("the worst b as H grows", 0.067947, b, _HALF_DIGIT),
        Row("share as H grows, by the formula", 0.4728415508, share, 3e-10),
        Row(f"share, ln H = {_FAR:g}, by quadrature", share, far, 2 * math.exp(-b * _FAR)),
        Row("first best / random offerer as H grows", 2.1148734, 1 / share, 5e-8),
        Row("the same, against the worst published", _PUBLISHED_RATIO, 1 / far, 0.0, "at least"),
    ]
    notes = (
        "the buyer's values have equal revenue on [1, H], the seller's costs P(c <= x) = (x/H)^b; "
        "as H grows the share is [b + (1 + 2b) (b/(1+b))^b] / (2 (1+b)), up to about H^-b",
        "at ln H = 50 a slightly larger b is worse than the one behind 0.473767",
    )
    return Reproduction("worst-random-offerer", tuple(rows), notes)


def _least(function: Callable[[float], float]) -> float:
    """Return where a function of b is least."""
    from scipy import optimize

    found: Any = optimize.minimize_scalar(
        function, bounds=(0.01, 0.5), method="bounded", options={"xatol": 1e-12}
    )
    return float(found.x)
