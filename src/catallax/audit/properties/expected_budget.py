"""Budget balance in expectation over everybody's values."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from catallax.audit.judgement import Judgement, Verdict, Violation
from catallax.audit.properties.base import Property, RunProperty
from catallax.audit.properties.interim import draws_of
from catallax.audit.properties.registry import get, register
from catallax.audit.properties.words import amount, undecided_words
from catallax.audit.runs import Runner
from catallax.audit.search.profiles import count_profiles
from catallax.audit.search.surplus import Average, surplus_of
from catallax.audit.setting import LOST_IN_SUMS, ROUNDING, Setting

if TYPE_CHECKING:
    from catallax.audit.search.search import Search

__all__ = ["StrongExpectedBudget", "WeakExpectedBudget"]

# Up to so many profiles are all looked at when a witness is run again.
_MOST_AGAIN = 1024


class _ExpectedBudget(Property):
    """A bound on what is left with the mechanism on average."""

    need = "average"
    in_every_outcome: ClassVar[str]

    def companions(self) -> tuple[Property, ...]:
        """Look at single outcomes too."""
        return self, self._in_every_outcome()

    def _in_every_outcome(self) -> RunProperty:
        found = get(self.in_every_outcome)
        assert isinstance(found, RunProperty)
        return found

    @abstractmethod
    def misses(self, low: float, high: float) -> tuple[float, float]:
        """Return the least and the most by which a surplus in an interval misses the bound."""

    def excuse(self, setting: Setting) -> str | None:
        """Need priors of everybody."""
        return None if setting.has_priors else "not every agent has a prior"

    def check(self, search: Search) -> Judgement:
        """Compare the expected surplus, or its interval, with the bound."""
        average = search.average
        surplus, rounding = average.surplus, _rounding(search.setting, average)
        low, high = surplus.interval or (surplus.mean, surplus.mean)
        least, most = self.misses(low, high)
        everywhere = self.misses(surplus.least, surplus.most)[1] <= rounding
        # A rare deficit may be missing among the draws, and not in the search for single cases.
        everywhere &= search.worst_run(self._in_every_outcome()) is None
        verdict: Verdict = "undecided"
        if not surplus.count:
            pass
        elif least > rounding:
            verdict = "violated"
        elif most <= rounding or everywhere:
            verdict = "holds"
        violation = Violation(
            self.misses(surplus.mean, surplus.mean)[1],
            search.setting.medians,
            details={"samples": surplus.count},
        )
        exact = surplus.interval is None and not average.failed
        return Judgement(
            violation if verdict == "violated" else None,
            how=_how(surplus.count, exact, average.failed),
            checked=surplus.count,
            exact=exact,
            verdict=verdict,
            interval=surplus.interval,
            profiles=surplus.count,
            story=_found(search.setting, average, verdict, everywhere),
        )

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Take the expectation afresh: exactly if profiles are few, else with a fixed seed."""
        if not runner.setting.has_priors:
            return None
        average = _afresh(runner, violation)
        surplus = average.surplus
        low, high = surplus.interval or (surplus.mean, surplus.mean)
        if surplus.count == 0 or self.misses(low, high)[0] <= _rounding(runner.setting, average):
            return None
        missed = self.misses(surplus.mean, surplus.mean)[1]
        return Violation(missed, violation.values, details=violation.details)

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say what is left on average."""
        surplus = _afresh(runner, violation).surplus
        word = "deficit" if surplus.mean < 0 else "surplus"
        left = amount(abs(surplus.mean), runner.setting.market.currency)
        over = (
            f"all {surplus.count} profiles"
            if surplus.interval is None
            else f"{surplus.count} draws"
        ).replace("all 1 profiles", "the only profile there is")
        return (
            f"in expectation the mechanism is left with a {word} of {left} (over {over}; between "
            f"{amount(surplus.least)} and {amount(surplus.most)} in single ones)"
        )


def _afresh(runner: Runner, violation: Violation) -> Average:
    allowed = draws_of(violation)
    count = count_profiles(runner.setting)
    if count is not None and count <= _MOST_AGAIN:
        allowed = max(allowed, count)
    return surplus_of(runner, allowed, np.random.default_rng(0))


def _rounding(setting: Setting, average: Average) -> float:
    return ROUNDING * average.size + LOST_IN_SUMS * setting.largest(setting.medians)


def _how(count: int, exact: bool, failed: int) -> str:
    if exact:
        return f"exactly, over all {count} profiles of the priors"
    if failed:
        return f"over {count} profiles, without {failed} at which the mechanism fails"
    return f"over {count} draws from the priors (the interval covers with 99.9 percent)"


def _found(setting: Setting, average: Average, verdict: str, everywhere: bool) -> str:
    surplus, currency = average.surplus, setting.market.currency
    if not surplus.count:
        return "there was no outcome to look at"
    if surplus.interval is None:
        return f"the expected surplus is {amount(surplus.mean + 0.0, currency)}, exactly"
    if everywhere:
        return f"so it is at each of {surplus.count} profiles"
    low, high = surplus.interval
    end = f": {undecided_words(low, high)}" if verdict == "undecided" else ""
    return f"the expected surplus lies between {amount(low)} and {amount(high, currency)}{end}"


@register
class WeakExpectedBudget(_ExpectedBudget):
    """No deficit in expectation."""

    slug = "weak-budget-ex-ante"
    in_every_outcome = "weak-budget-ex-post"
    meaning = (
        "In expectation over everybody's values buyers pay at least what sellers receive and "
        "transfers cost."
    )

    def misses(self, low: float, high: float) -> tuple[float, float]:
        """Return the deficit."""
        return -high, -low


@register
class StrongExpectedBudget(_ExpectedBudget):
    """Neither deficit nor surplus in expectation."""

    slug = "strong-budget-ex-ante"
    in_every_outcome = "strong-budget-ex-post"
    meaning = (
        "In expectation over everybody's values buyers pay exactly what sellers receive and "
        "transfers cost."
    )

    def misses(self, low: float, high: float) -> tuple[float, float]:
        """Return the distance from zero."""
        least = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
        return least, max(abs(low), abs(high))
