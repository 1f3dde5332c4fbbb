"""Shrinking: from any violation to a small one that a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from catallax.audit.runs import Runner
from catallax.audit.witness import Witness, mechanism_name

if TYPE_CHECKING:
    from catallax.audit.properties.base import Property, Violation
    from catallax.audit.setting import Setting

__all__ = ["shrink"]


def shrink(prop: Property, setting: Setting, violation: Violation) -> tuple[Witness, int]:
    """Make a witness of a violation."""
    runner = Runner(setting)
    found = prop.again(runner, violation) or violation
    return witness_of(prop, runner, found), runner.spent


def witness_of(prop: Property, runner: Runner, violation: Violation) -> Witness:
    """Write a violation down as a witness."""
    agent, report = violation.agent, violation.report
    if report is not None:
        report = float(report) if np.ndim(report) == 0 else tuple(np.asarray(report).tolist())
    return Witness(
        market=runner.setting.market_at(violation.values),
        property=prop.slug,
        mechanism=mechanism_name(runner.setting.mechanism),
        role=None if agent is None else agent.role,
        agent=None if agent is None else agent.id,
        report=report,
        amount=violation.amount,
        story=prop.story(runner, violation),
        details=violation.details,
    )
