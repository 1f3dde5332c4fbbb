"""What is left with a mechanism, in expectation over everybody's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from catallax.audit.means import Mean, bounded_mean, money_width
from catallax.audit.profiles import MOST_PROFILES, all_profiles, count_profiles, draw

if TYPE_CHECKING:
    from catallax.audit.runs import Runner
    from catallax.audit.search import Search

__all__ = ["Average", "average_surplus", "surplus_of"]


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


def average_surplus(search: Search, allowed: int) -> Average:
    """Average what is left with the mechanism over all profiles, or over a sample."""
    search.setting.require_priors("this")
    allowed = max(2, allowed)
    # What single cases are looked for with, should no draw show one.
    kept = 0 if search.kinds else allowed // 4
    found = surplus_of(search.runner, allowed - kept, search.rng)
    if found.surplus.interval is not None:
        search.look_closer(kept)
    return found


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
