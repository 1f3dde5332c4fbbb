"""The words in which violations are told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.audit.runs import Own, Runner

if TYPE_CHECKING:
    from catallax.audit.judgement import Violation
    from catallax.audit.setting import Agent, Setting

__all__ = [
    "amount",
    "gain_story",
    "number",
    "outcome_words",
    "profile_words",
    "report_words",
    "undecided_words",
]

Array = NDArray[np.float64]

# Profiles of more agents than this are not spelt out.
_MOST_SPELT = 6
# Nearer to zero than this part of the interval, a hundred times the runs would not decide.
_HOPELESS = 10


def number(value: float) -> str:
    """Write a report or a price with the digits that tell it apart.

    Examples
    --------
    >>> number(0.30000000000000004), number(0.5000001), number(12.0)
    ('0.3', '0.5000001', '12')
    """
    return f"{value:.12g}"


def amount(value: float, currency: str = "") -> str:
    """Write a violation in money, to six digits.

    Examples
    --------
    >>> amount(0.10999999999999999), amount(1e-6, "USD")
    ('0.11', '1e-06 USD')
    """
    return f"{value:.6g} {currency}".rstrip()


def undecided_words(low: float, high: float) -> str:
    """Say whether a larger budget would help where an interval allows both verdicts.

    An interval becomes half as wide with four times the runs.

    Examples
    --------
    >>> undecided_words(-0.25, 0.75)
    'undecided at this budget; if the middle is right, one about 4 times as large would decide'
    >>> undecided_words(-1.0, 1.01)
    'undecided at this budget; a larger one may never decide, as the middle is next to 0'
    """
    middle, half = abs(low + high) / 2, (high - low) / 2
    if middle <= half / _HOPELESS:
        return "undecided at this budget; a larger one may never decide, as the middle is next to 0"
    times = max(2, math.ceil((half / middle) ** 2))
    return (
        f"undecided at this budget; if the middle is right, one about {times:,} times as large "
        "would decide"
    )


def outcome_words(owns: Sequence[Own], agent: Agent, setting: Setting) -> str:
    """Say what the outcomes of the coin mean for an agent: "buys for 0.4"."""
    verb, other = ("buys", "paying") if agent.role == "buyer" else ("sells", "receiving")
    trading = [own for own in owns if own.partner >= 0]
    chance = sum(own.chance for own in trading)
    paid = sum(own.chance * own.price for own in trading)
    extra = sum(own.chance * own.transfer for own in owns)
    besides = f" and receives {number(extra)} besides" if extra else ""
    if not trading:
        return f"does not trade{besides}"
    if len(owns) == 1:
        return f"{verb} for {number(paid)}{besides}"
    return f"{verb} with probability {number(chance)}, {other} {number(paid)} on average{besides}"


def report_words(agent: Agent, report: float | Array) -> str:
    """Say what an agent reports: "asking 0.48"."""
    verb = "bidding" if agent.role == "buyer" else "asking"
    if np.ndim(report) == 0:
        return f"{verb} {number(float(report))}"
    return f"{verb} ({', '.join(number(float(one)) for one in np.asarray(report))})"


def truth_words(agent: Agent, values: Array) -> str:
    """Say what is true of an agent: "seller 's2' with cost 0.3"."""
    own = values[list(agent.slots)]
    if own.size != 1:
        return f"{agent.label} with values ({', '.join(number(float(one)) for one in own)})"
    word = "value" if agent.role == "buyer" else "cost"
    return f"{agent.label} with {word} {number(float(own[0]))}"


def gain_story(runner: Runner, violation: Violation) -> str:
    """Tell who gains how much by which report, and what comes of it."""
    agent, values, report = violation.agent, violation.values, violation.report
    assert agent is not None and report is not None
    lied = values.copy()
    lied[list(agent.slots)] = report
    setting = runner.setting
    after = outcome_words(runner(lied).own(agent), agent, setting)
    before = outcome_words(runner(values).own(agent), agent, setting)
    gained = amount(violation.amount, setting.market.currency)
    return (
        f"{truth_words(agent, values)} gains {gained} by {report_words(agent, report)}: "
        f"then {after}, at the truth {before}"
    )


def profile_words(setting: Setting, values: Array) -> str:
    """Say what all report: "at bids 0.9 and asks 0.2, 0.3"."""
    if setting.size > _MOST_SPELT:
        return "at the reports of the witness"
    parts = []
    for word, part in (("bid", values[: setting.n_first]), ("ask", values[setting.n_first :])):
        if part.size:
            plural = "s" if part.size > 1 else ""
            parts.append(f"{word}{plural} {', '.join(number(float(one)) for one in part)}")
    return f"at {' and '.join(parts)}" if parts else "in a market without agents"
