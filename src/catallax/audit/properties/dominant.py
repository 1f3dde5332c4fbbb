"""Truthfulness in dominant strategies: no report is better than the truth, whatever others say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from catallax.audit.judgement import Judgement, Violation
from catallax.audit.properties.base import CurveProperty
from catallax.audit.properties.registry import register
from catallax.audit.properties.words import gain_story
from catallax.audit.runs import Runner
from catallax.audit.search.curves import Curve
from catallax.audit.setting import Setting

if TYPE_CHECKING:
    from catallax.audit.search.search import Search

__all__ = ["TruthfulBuyers", "TruthfulSellers"]


class _Truthful(CurveProperty):
    """The gain of a true value t at a report r over the truth, for all pairs of a curve."""

    role: ClassVar[Literal["buyer", "seller"]]

    @property
    def sides(self) -> tuple[Literal["buyer", "seller"], ...]:
        """One side's curves."""
        return (self.role,)

    def excuse(self, setting: Setting) -> str | None:
        """Apply to vectors of bids too."""
        return None

    def judge(self, setting: Setting, curve: Curve) -> Violation | None:
        """Let every report that may be true be the truth, and compare it with every other."""
        truths = setting.possible(curve.slot, curve.reports)
        at = np.flatnonzero(truths)
        if not at.size:
            return None
        utility = curve.gains(curve.reports[at])
        gain = utility - utility[np.arange(at.size), at][:, None]
        rounding = curve.roundings(curve.reports[at]) + curve.paid[at][:, None]
        gain = np.where(gain > rounding, gain, 0.0)
        truth, report = np.unravel_index(int(np.argmax(gain)), gain.shape)
        amount = float(gain[truth, report])
        if not amount:
            return None
        values = curve.profile(float(curve.reports[at[truth]]))
        return Violation(amount, values, curve.agent, float(curve.reports[report]))

    def check(self, search: Search) -> Judgement:
        """Report the worst of all curves; where there are values for items, of all vectors."""
        if self.role != "buyer" or not search.vectors:
            return super().check(search)
        rounding = search.setting.rounding
        found = [
            Violation(one.gain, one.values, one.agent, one.report)
            for one in search.vectors
            if one.gain > rounding(one.values)
        ]
        return self._judgement(
            search,
            found,
            search.said_of_curves().replace("every report", "vectors of bids"),
            checked=sum(one.tried for one in search.vectors),
            exact=False,
        )

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Compare the report with the truth, in two runs."""
        agent, values = violation.agent, violation.values
        assert agent is not None and violation.report is not None
        lied = values.copy()
        lied[list(agent.slots)] = violation.report
        honest, other = runner(values), runner(lied)
        if honest.problem or other.problem:
            return None
        amount = other.utility(agent, values) - honest.utility(agent, values)
        prices = [own.price for run in (honest, other) for own in run.own(agent)]
        own = values[list(agent.slots)].tolist()
        rounding = runner.setting.own_rounding(agent, values, *own, *prices)
        if amount <= rounding + 4 * max(honest.tick, other.tick):
            return None
        return Violation(amount, values, agent, violation.report)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say who gains how much by which report."""
        return gain_story(runner, violation)


@register
class TruthfulBuyers(_Truthful):
    """Truthfulness of buyers in dominant strategies."""

    slug = "dsic-buyers"
    meaning = (
        "No buyer gains by bidding anything but her value, whatever all others report (over the "
        "mechanism's own coin in expectation)."
    )
    role = "buyer"


@register
class TruthfulSellers(_Truthful):
    """Truthfulness of sellers in dominant strategies."""

    slug = "dsic-sellers"
    meaning = (
        "No seller gains by asking anything but her cost, whatever all others report (over the "
        "mechanism's own coin in expectation)."
    )
    role = "seller"
