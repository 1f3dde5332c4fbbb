"""What is left with a mechanism, in expectation over everybody's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from catallax.audit.search.means import Mean, bounded_mean, money_width
from catallax.audit.search.profiles import MOST_PROFILES, all_profiles, count_profiles, draw

if TYPE_CHECKING:
    from catallax.audit.runs import Runner

__all__ = ["Average", "surplus_of"]


@dataclass(frozen=True, eq=False)
class Average:
    """The surplus over everybody's values.

    Attributes
    ----------
    surplus
        Its expectation.
    size
        The largest sum of prices seen, for rounding.
    failed
        At how many profiles the mechanism failed.
    """

    surplus: Mean
    size: float
    failed: int = 0


def surplus_of(runner: Runner, allowed: int, rng: np.random.Generator) -> Average:
    """Average the surplus: exactly if all profiles can be run, else over `allowed` draws."""
    setting = runner.setting
    count = count_profiles(setting)
    exact = count is not None and count <= min(allowed, MOST_PROFILES)
    weighted = (
        all_profiles(setting) if exact else ((1.0, draw(setting, rng)) for _ in range(allowed))
    )
    chances, found, size, trades, failed = [], [], 0.0, 1, 0
    for weight, values in weighted:
        run = runner(values)
        if run.problem:
            failed += 1
            continue
        chances.append(weight)
        found.append(run.surplus)
        for branch in run.branches:
            size = max(size, float(np.abs(branch.receives).sum()), float(np.abs(branch.pays).sum()))
            trades = max(trades, branch.pays.size)
    if not found:
        return Average(Mean(0.0, None if exact else (-np.inf, np.inf), 0.0, 0.0, 0), 0.0, failed)
    sample = np.array(found)
    if exact:
        mean = float(np.dot(chances, sample) / np.sum(chances))
        spread = Mean(mean, None, float(sample.min()), float(sample.max()), sample.size)
        return Average(spread, size, failed)
    return Average(bounded_mean(sample, money_width(setting) * trades), size, failed)
