"""Cap-monotonicity of the bilateral rule of a meta-auction (Definition 4.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from catallax.audit.judgement import Judgement, Violation
from catallax.audit.properties.base import Property
from catallax.audit.properties.registry import register
from catallax.audit.properties.words import amount, number
from catallax.audit.runs import Runner
from catallax.audit.search.candidates import breakpoints
from catallax.audit.setting import Setting
from catallax.errors import MechanismError, UnsupportedMarketError
from catallax.mechanisms import Claims, Mechanism

if TYPE_CHECKING:
    from catallax.audit.search.search import Search
    from catallax.markets import Market
    from catallax.mechanisms import BilateralRule
    from catallax.priors import Prior

__all__ = ["CapMonotone", "OnlyRule"]

# Caps and reports are looked at on so many quantiles besides breakpoints and reports.
_QUANTILES = 21
_MOST = 64


@dataclass(frozen=True)
class OnlyRule(Mechanism):
    """A bilateral rule by itself, of which nothing but cap-monotonicity can be asked."""

    rule: Any

    slug = "bilateral-rule"
    summary = "a bilateral rule by itself"
    claims = Claims("none", "none", "none", "none")

    @property
    def audited_as(self) -> str:
        """The name of the rule's class, as module:Class."""
        kind = type(self.rule)
        return f"{kind.__module__}:{kind.__qualname__}"

    def clear(self, market: Market, reports: Any) -> Any:
        """Refuse: a rule clears no market."""
        raise UnsupportedMarketError(
            f"{self.rule!r} is a rule for one pair and clears no market; put it into a meta-auction"
        )


@register
class CapMonotone(Property):
    """A larger cap never turns a trade into none.

    Where sellers post, the price must not rise with the cap; where buyers post, it must not
    fall. A violation is counted as what the one who is offered the price loses who would just
    have accepted the better one: the difference of prices, or, where the price becomes
    impossible, the gain at the highest value (lowest cost) that there is.

    References
    ----------
    arXiv 2604.00129, Definition 4.8 and Lemma 4.12.
    """

    slug = "cap-monotone"
    meaning = (
        "Whenever the bilateral rule trades under a cap on the seller's cost, it trades under "
        "every larger cap too, at the same reports."
    )
    need = "own"

    def excuse(self, setting: Setting) -> str | None:
        """Need a rule, and sellers' priors."""
        if rule_of(setting.mechanism) is None:
            return "the mechanism has no bilateral rule"
        sellers = setting.market.sellers
        if not len(sellers):
            return "there is no seller"
        if any(sellers.prior(index) is None for index in range(len(sellers))):
            return "not every seller has a prior"
        return None

    def check(self, search: Search) -> Judgement:
        """Post prices at all caps and reports of a grid, for every prior of a seller."""
        setting = search.setting
        found: list[Violation] = []
        checked = 0
        for at, prior in _sellers(setting):
            reports, caps = grid(setting, prior)
            checked += reports.size * caps.size
            violation = _worst(setting, at, prior, reports, caps)
            if violation is not None:
                found.append(violation)
        return Judgement(
            max(found, key=lambda one: one.amount, default=None),
            how=(
                "at caps and reports from the market's reports, its priors' breakpoints and "
                f"{_QUANTILES} of their quantiles, for every prior of a seller"
            ),
            checked=checked,
            exact=False,
            profiles=0,
        )

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Post the two prices again."""
        setting = runner.setting
        if rule_of(setting.mechanism) is None:
            return None
        caps = np.array(violation.details["caps"])
        seller = violation.agent
        if seller is None or seller.priors[0] is None:
            return None
        report = np.array([float(violation.details["report"])])
        return _worst(setting, seller.index, seller.priors[0], report, caps)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say which prices are posted under which caps."""
        details = violation.details
        setting = runner.setting
        seller = violation.agent
        assert seller is not None
        prior = seller.priors[0]
        shown = "" if prior is None else f" with prior {prior.describe()}"
        low, high = details["caps"]
        poster = rule_of(setting.mechanism).poster  # type: ignore[union-attr]
        words = "asks" if poster == "seller" else "faces a buyer who bids"
        return (
            f"{seller.label}{shown} {words} {number(details['report'])}: under the cap "
            f"{number(low)} the price is {_price(details['prices'][0])}, under the larger cap "
            f"{number(high)} it is {_price(details['prices'][1])}, which loses a trade worth up to "
            f"{amount(violation.amount, setting.market.currency)}"
        )


def _price(price: float | str) -> str:
    return number(price) if isinstance(price, float) else str(price)


def rule_of(mechanism: Mechanism) -> BilateralRule | None:
    """Return the bilateral rule of a mechanism that has one."""
    rule = getattr(mechanism, "rule", None)
    has = callable(getattr(rule, "price", None)) and getattr(rule, "poster", None) is not None
    return rule if has else None


def _sellers(setting: Setting) -> list[tuple[int, Prior]]:
    """Return the first seller of every prior."""
    found: dict[Prior, int] = {}
    for index in range(len(setting.market.sellers)):
        prior = setting.market.sellers.prior(index)
        if prior is not None:
            found.setdefault(prior, index)
    return [(at, prior) for prior, at in found.items()]


def grid(setting: Setting, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    """Return reports of the poster and caps, both ascending."""
    rule = rule_of(setting.mechanism)
    assert rule is not None
    buyers = {p for p in setting.priors[: setting.n_first] if p is not None}
    costs, values = _points(prior, "seller"), [_points(one, "buyer") for one in buyers]
    if setting.own is not None:
        costs = np.union1d(costs, setting.own[setting.n_first :])
        values.append(setting.own[: setting.n_first])
    every = np.unique(np.concatenate([costs, *values]))
    reports = costs if rule.poster == "seller" else np.unique(np.concatenate([*values, costs]))
    lowest = setting.lowest(setting.n_first) if rule.poster == "seller" else -np.inf
    middles = (every[1:] + every[:-1]) / 2
    return _thin(reports[reports >= lowest]), _thin(np.union1d(every, middles), 2 * _MOST)


def _points(prior: Prior, role: str) -> np.ndarray:
    return np.union1d(prior.quantile(np.linspace(0.02, 0.98, _QUANTILES)), breakpoints(prior, role))


def _thin(points: np.ndarray, most: int = _MOST) -> np.ndarray:
    if points.size <= most:
        return points
    return points[np.unique(np.linspace(0, points.size - 1, most).astype(int))]


def _worst(
    setting: Setting, at: int, prior: Prior, reports: np.ndarray, caps: np.ndarray
) -> Violation | None:
    """Find the two caps, and the report, between which the largest trade is lost."""
    rule = rule_of(setting.mechanism)
    assert rule is not None
    best: Violation | None = None
    for report in reports:
        counted = caps[caps >= report] if rule.poster == "seller" else caps
        if counted.size < 2:
            continue
        prices = _prices(rule, prior, counted, float(report))
        lost, low, high = _lost(rule.poster, counted, prices, _bound(setting, prior, rule.poster))
        if lost <= setting.rounding(counted[[low, high]], float(report)):
            continue
        if best is None or lost > best.amount:
            best = _violation(
                setting, at, rule.poster, float(report), counted, prices, lost, low, high
            )
    return best


def _prices(rule: BilateralRule, prior: Prior, caps: np.ndarray, report: float) -> np.ndarray:
    try:
        prices = np.asarray(rule.price(prior, caps, np.full(caps.size, report)), float)
    except Exception as error:
        raise MechanismError(
            f"the rule {rule!r} fails: {type(error).__name__}: {error}; it must take arrays"
        ) from error
    if prices.shape != caps.shape or np.isnan(prices).any():
        raise MechanismError(f"the rule {rule!r} posts no price, or NaN, for some pair")
    return prices


def _bound(setting: Setting, prior: Prior, poster: str) -> float:
    """Return the highest value of a buyer (the lowest cost of the seller) that there is."""
    if poster == "buyer":
        low = prior.support[0]
        return low if np.isfinite(low) else float(prior.quantile(0.001))
    ends = [float(p.quantile(0.999)) for p in setting.priors[: setting.n_first] if p is not None]
    own = [] if setting.own is None else setting.own[: setting.n_first].tolist()
    high = prior.support[1]
    return max([*ends, *own, high if np.isfinite(high) else float(prior.quantile(0.999))])


def _lost(
    poster: str, caps: np.ndarray, prices: np.ndarray, bound: float
) -> tuple[float, int, int]:
    """Return what a larger cap costs at most, and the places of the two caps."""
    worth = np.minimum(prices, bound) if poster == "seller" else -np.maximum(prices, bound)
    # A cost above the cap does not trade, so the smallest caps say nothing of a price above.
    best = np.minimum.accumulate(worth)
    lost = worth - best
    high = int(np.argmax(lost))
    low = int(np.argmin(worth[: high + 1]))
    return float(lost[high]), low, high


def _violation(
    setting: Setting,
    at: int,
    poster: str,
    report: float,
    caps: np.ndarray,
    prices: np.ndarray,
    lost: float,
    low: int,
    high: int,
) -> Violation:
    values = setting.medians.copy() if setting.own is None else setting.own.copy()
    if poster == "seller":
        values[setting.n_first + at] = report
    shown = [float(p) if np.isfinite(p) else "impossible" for p in (prices[low], prices[high])]
    details = {
        "report": report,
        "caps": [float(caps[low]), float(caps[high])],
        "prices": shown,
    }
    return Violation(lost, values, setting.agent(len(setting.market.buyers) + at), None, details)
