"""Threshold payments: everybody pays or receives the report at which she would just trade."""

from __future__ import annotations

import numpy as np

from catallax.audit.judgement import Violation
from catallax.audit.properties.base import CurveProperty
from catallax.audit.properties.registry import register
from catallax.audit.properties.words import amount, number, truth_words
from catallax.audit.runs import Runner
from catallax.audit.search.candidates import Landscape
from catallax.audit.search.curves import Curve, explore
from catallax.audit.setting import ROUNDING, Setting

__all__ = ["ThresholdPayments"]


@register
class ThresholdPayments(CurveProperty):
    """Prices are critical reports (Myerson's payment identity).

    Where outcomes give reasons, it is also looked at whether somebody does not trade whose report
    is as good as the one with which, they say, she would.
    """

    slug = "threshold-payments"
    meaning = (
        "Every trading buyer pays the lowest bid, and every trading seller receives the highest "
        "ask, with which she would still trade (over the coin: the average of these)."
    )

    def judge(self, setting: Setting, curve: Curve) -> Violation | None:
        """Compare prices with the area beside the curve of chances."""
        threshold, off = missed(curve)
        off = np.where(setting.possible(curve.slot, curve.reports), off, 0.0)
        if not off.any():
            return _refused(setting, curve)
        at = int(np.argmax(off))
        values = curve.profile(float(curve.reports[at]))
        details = {"price": float(curve.price[at]), "threshold": float(threshold[at])}
        return Violation(float(off[at]), values, curve.agent, None, details)

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Explore the agent's reports at these values, and judge the true one."""
        agent, values = violation.agent, violation.values
        assert agent is not None
        curve = explore(runner, Landscape(runner, values), agent)
        if "refused" in violation.details:
            return _refused(runner.setting, curve)
        threshold, off = missed(curve)
        at = np.flatnonzero(curve.reports == values[agent.slots[0]])
        if not at.size or not off[at[0]]:
            return None
        price, level = float(curve.price[at[0]]), float(threshold[at[0]])
        details = {"price": price, "threshold": level}
        return Violation(float(off[at[0]]), values, agent, None, details)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say what is paid, and what would have been enough."""
        agent = violation.agent
        assert agent is not None
        buyer = agent.role == "buyer"
        off = amount(violation.amount, runner.setting.market.currency)
        if "refused" in violation.details:
            needed, word = number(violation.details["refused"]), "bid" if buyer else "ask"
            return (
                f"{truth_words(agent, violation.values)} does not trade, though the mechanism's "
                f"reasons say that {'a' if buyer else 'an'} {word} of {needed} would"
            )
        price, level = (number(violation.details[word]) for word in ("price", "threshold"))
        limit = "the lowest bid" if buyer else "the highest ask"
        return (
            f"{truth_words(agent, violation.values)} {'pays' if buyer else 'receives'} {price}, "
            f"and {limit} that still trades is {level}: {off} off"
        )


def _refused(setting: Setting, curve: Curve) -> Violation | None:
    """Look for somebody who does not trade though her report is as good as the one stated."""
    own, needed = float(curve.values[curve.slot]), curve.refused
    if not np.isfinite(needed) or not setting.possible(curve.slot, np.array([own]))[0]:
        return None
    rounding = 2 * (curve.rounding + ROUNDING * max(abs(own), abs(needed)))
    if own != needed and abs(own - needed) <= rounding:
        return None
    return Violation(abs(own - needed), curve.values, curve.agent, None, {"refused": needed})


def missed(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Return what each report should cost, and by how much its price is off; 0.0 for rounding.

    Where she trades at the worst report that was tried too, her threshold may be worse still:
    then only a price worse than that report is off.
    """
    threshold = thresholds(curve)
    if threshold is None:
        return curve.price, np.zeros(curve.reports.size)
    buyer = curve.agent.role == "buyer"
    off = curve.price - threshold if buyer else threshold - curve.price
    if not curve.chance[0 if buyer else -1]:
        off = np.abs(off)
    amounts = np.maximum(np.abs(curve.reports), np.abs(threshold))
    rounding = 2 * (curve.rounding + ROUNDING * amounts + curve.paid)
    return threshold, np.where((curve.chance > 0) & (off > rounding), off, 0.0)


def thresholds(curve: Curve) -> np.ndarray | None:
    """Return what each report should cost: report times chance less the area under the chances.

    Returns
    -------
    ndarray of float64 or None
        For a buyer ``r x(r) - integral of x up to r``, for a seller the mirror; without a coin
        that is the critical report where she trades, or, if she trades at every report that was
        tried, the worst of them. None where chances are not known between the reports.
    """
    reports, chance = curve.reports, curve.chance
    if not curve.located or reports.size < 2:
        return None
    # Between two reports the chance is that of both; where they differ they are next floats, and
    # the critical report is the one of them that trades.
    if curve.agent.role == "buyer":
        area = np.diff(reports) * chance[:-1]
        return reports * chance - np.concatenate([[0.0], np.cumsum(area)])
    area = np.diff(reports) * chance[1:]
    return reports * chance + np.concatenate([np.cumsum(area[::-1])[::-1], [0.0]])
