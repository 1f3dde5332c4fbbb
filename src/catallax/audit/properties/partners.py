"""Partners that do not depend on the own report (Lemma 4.4)."""

from __future__ import annotations

from collections.abc import Sequence

from catallax.audit.judgement import Violation
from catallax.audit.properties.base import CurveProperty
from catallax.audit.properties.registry import register
from catallax.audit.properties.words import number, report_words, truth_words
from catallax.audit.runs import Own, Runner
from catallax.audit.search.curves import Curve
from catallax.audit.setting import Agent, Setting

__all__ = ["PartnerIndependence"]


@register
class PartnerIndependence(CurveProperty):
    """One partner at all reports with which an agent trades.

    It is what makes payments that are averages over the partner's values truthful. A violation
    is counted as the difference of the agent's prices with the two partners, which may be 0.

    References
    ----------
    arXiv 2604.00129, Lemma 4.4.
    """

    slug = "partner-independence"
    meaning = (
        "At all reports with which an agent trades, the others' fixed, she trades with the same "
        "partner (in each outcome of the coin)."
    )

    def judge(self, setting: Setting, curve: Curve) -> Violation | None:
        """Compare every report with the first ones that have another partner."""
        found: Violation | None = None
        truths = setting.possible(curve.slot, curve.reports).tolist()
        groups: dict[tuple[int, int, int], int] = {}
        for at, owns in enumerate(curve.owns):
            for place, own in enumerate(owns):
                if own.partner < 0:
                    continue
                key = (len(owns), place, own.partner)
                known = groups.get(key)
                if known is None or (truths[at] and not truths[known]):
                    groups[key] = at
        places = sorted(set(groups.values()), key=lambda at: not truths[at])
        for one in places:
            for other in places:
                gap = switched(curve.owns[one], curve.owns[other])
                if gap is not None and (found is None or gap > found.amount):
                    values = curve.profile(float(curve.reports[one]))
                    found = Violation(gap, values, curve.agent, float(curve.reports[other]))
            if found is not None and truths[one]:
                break
        return found

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Compare the partners at two reports."""
        agent, values = violation.agent, violation.values
        assert agent is not None
        runs = runner(values), runner(_moved(violation))
        if any(run.problem for run in runs):
            return None
        gap = switched(runs[0].own(agent), runs[1].own(agent))
        return None if gap is None else Violation(gap, values, agent, violation.report)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say who trades with whom at which report."""
        agent, values, report = violation.agent, violation.values, violation.report
        assert agent is not None and report is not None
        honest = runner(values).own(agent)
        moved = runner(_moved(violation)).own(agent)
        first, second = next(
            pair for pair in _paired(honest, moved) if -1 < pair[0].partner != pair[1].partner > -1
        )
        setting = runner.setting
        return (
            f"{truth_words(agent, values)} trades with {_partner(setting, agent, first)} at "
            f"{number(first.price)}, and by {report_words(agent, report)} with "
            f"{_partner(setting, agent, second)} at {number(second.price)}"
        )


def _moved(violation: Violation):
    assert violation.agent is not None and violation.report is not None
    moved = violation.values.copy()
    moved[list(violation.agent.slots)] = violation.report
    return moved


def _partner(setting: Setting, agent: Agent, own: Own) -> str:
    other = setting.market.sellers if agent.role == "buyer" else setting.market.buyers
    return other.label(own.partner)


def _paired(one: Sequence[Own], other: Sequence[Own]) -> list[tuple[Own, Own]]:
    """Pair outcomes of the coin by place; a single one stands for all of them."""
    if len(one) != len(other) and 1 not in (len(one), len(other)):
        return []
    size = max(len(one), len(other))
    first = list(one) * (size // max(1, len(one)))
    second = list(other) * (size // max(1, len(other)))
    return list(zip(first, second, strict=True))


def switched(one: Sequence[Own], other: Sequence[Own]) -> float | None:
    """Return by how much prices differ where the partner does; None if it nowhere does."""
    gaps = [
        abs(a.price - b.price)
        for a, b in _paired(one, other)
        if a.partner >= 0 and b.partner >= 0 and a.partner != b.partner
    ]
    return max(gaps, default=None)
