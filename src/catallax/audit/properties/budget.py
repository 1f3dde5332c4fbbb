"""Budget balance in every outcome."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from catallax.audit.judgement import Array, Violation
from catallax.audit.problems import Branch
from catallax.audit.properties.base import RunProperty
from catallax.audit.properties.registry import register
from catallax.audit.properties.words import amount, number, profile_words
from catallax.audit.runs import Run, Runner
from catallax.audit.setting import LOST_IN_SUMS, ROUNDING, Setting

__all__ = ["StrongBudget", "WeakBudget"]


class _Budget(RunProperty):
    """A bound on what is left with the mechanism."""

    @abstractmethod
    def missed(self, surplus: float) -> float:
        """Return by how much a surplus misses the bound."""

    def judge(self, setting: Setting, values: Array, run: Run) -> Violation | None:
        """Find the outcome that misses it most."""
        worst = 0.0
        for branch in run.branches:
            missed = self.missed(branch.surplus)
            if missed > max(worst, self._rounding(setting, values, branch)):
                worst = missed
        return Violation(worst, values) if worst else None

    def _rounding(self, setting: Setting, values: Array, branch: Branch) -> float:
        """Return what is nothing but rounding in a sum of prices."""
        n_buyers = len(setting.market.buyers)
        sides = (branch.buyer, branch.pays), (n_buyers + branch.seller, branch.receives)
        own = setting.own_roundings(values)
        found = sum(float((own[who] + ROUNDING * np.abs(prices)).sum()) for who, prices in sides)
        if branch.transfers is not None:
            found += float((own + ROUNDING * np.abs(branch.transfers)).sum())
        return found + LOST_IN_SUMS * setting.largest(values)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say what buyers pay and sellers receive."""
        setting, values = runner.setting, violation.values
        branches = runner(values).branches
        worst = max(branches, key=lambda branch: self.missed(branch.surplus))
        chance = "" if len(branches) == 1 else f", with probability {number(worst.chance)},"
        given = 0.0 if worst.transfers is None else float(worst.transfers.sum())
        besides = f", {number(given)} is given away besides" if given else ""
        word = "deficit" if worst.surplus < 0 else "surplus"
        left = amount(abs(worst.surplus), setting.market.currency)
        return (
            f"{profile_words(setting, values)}{chance} buyers pay {number(worst.pays.sum())} and "
            f"sellers receive {number(worst.receives.sum())}{besides}: a {word} of {left}"
        )


@register
class WeakBudget(_Budget):
    """No outcome runs a deficit."""

    slug = "weak-budget-ex-post"
    meaning = "In every outcome buyers pay at least what sellers receive and transfers cost."

    def missed(self, surplus: float) -> float:
        """Return the deficit."""
        return -surplus


@register
class StrongBudget(_Budget):
    """Every outcome breaks even."""

    slug = "strong-budget-ex-post"
    meaning = "In every outcome buyers pay exactly what sellers receive and transfers cost."

    def missed(self, surplus: float) -> float:
        """Return what is left or missing."""
        return abs(surplus)
