"""Which profiles of values an audit looks at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.audit.search.candidates import breakpoints
from catallax.errors import MissingReportError, PriorError

if TYPE_CHECKING:
    from catallax.audit.setting import Setting
    from catallax.priors import Prior

__all__ = ["MOST_PROFILES", "all_profiles", "count_profiles", "draw", "profiles"]

Array = NDArray[np.float64]

MOST_PROFILES = 4096
"""Up to so many profiles of discrete priors are all looked at."""

# Of a large market, so many agents at most are moved to where they tie.
_MOST_TIED = 64
# After all profiles of discrete priors, so many that they exclude are looked at.
_BEYOND = 8


def count_profiles(setting: Setting, without: tuple[int, ...] = ()) -> int | None:
    """Count the profiles of discrete priors; None if there are too many, or other priors.

    Parameters
    ----------
    setting
        The market.
    without
        Slots that are left out.
    """
    count = 1
    for slot, prior in enumerate(setting.priors):
        if slot in without:
            continue
        if prior is None or prior._parts().pieces:
            return None
        count *= prior.atoms[0].size
        if count > MOST_PROFILES:
            return None
    return count


def all_profiles(setting: Setting, without: tuple[int, ...] = ()) -> Iterator[tuple[float, Array]]:
    """Go through all profiles of discrete priors, with their probabilities.

    Parameters
    ----------
    setting
        A market for which `count_profiles` counts.
    without
        Slots that are left out; their entries are 0.

    Yields
    ------
    tuple
        The probability and the profile.
    """
    choices: list[list[tuple[float, float]]] = []
    for slot, prior in enumerate(setting.priors):
        if slot in without:
            choices.append([(0.0, 1.0)])
            continue
        assert prior is not None
        choices.append(list(zip(*(part.tolist() for part in prior.atoms), strict=True)))
    for profile in product(*choices):
        chance = float(np.prod([mass for _, mass in profile])) if profile else 1.0
        yield chance, np.array([value for value, _ in profile])


def draw(setting: Setting, rng: np.random.Generator) -> Array:
    """Draw a profile from the priors; agents without a prior copy or mix what others report."""
    values = np.full(setting.size, np.nan)
    for prior, _, slots in setting.groups:
        values[slots] = prior.sample(rng, slots.size)
    unknown = np.flatnonzero(np.isnan(values))
    if unknown.size:
        pool = values[~np.isnan(values)]
        if setting.own is not None:
            pool = np.concatenate([pool, setting.own])
        if not pool.size:
            agent = setting.agent(0)
            raise MissingReportError(
                f"{agent.label} has neither a report nor a prior, so there is nothing to audit "
                "with; give the market reports or priors"
            )
        low, high = float(pool.min()), float(pool.max())
        beyond = (high - low) / 2 or abs(high) / 2 or 0.5
        low, high = low - beyond, high + beyond
        for slot in unknown:
            copied = rng.random() < 0.5
            value = rng.choice(pool) if copied else rng.uniform(low, high)
            values[slot] = max(float(value), setting.lowest(int(slot)))
    return setting.allowed(values)


def tied(setting: Setting, rng: np.random.Generator) -> Array:
    """Draw a profile and make about half of the agents meet somebody's weight exactly."""
    values = draw(setting, rng)
    for slot in rng.permutation(setting.size)[:_MOST_TIED]:
        if rng.random() < 0.5:
            options = [x for x in _ties(setting, values, int(slot)) if setting.supported(slot, x)]
            low, high = setting.lowest(int(slot)), setting.highest
            options = [x for x in options if low <= x <= high]
            if options:
                values[slot] = options[int(rng.integers(len(options)))]
    return values


def beyond(setting: Setting, rng: np.random.Generator) -> Array:
    """Draw a profile and let most agents report what is no possible value.

    Dominant strategies are best whatever the others report, and anybody may report anything.
    """
    values = draw(setting, rng)
    span = setting.typical or 1.0
    for prior, _, slots in setting.groups:
        low, high = (float(prior.quantile(q)) for q in (0.0005, 0.9995))
        beside = (low, -span) if rng.random() < 0.5 else (high, span)
        outside = beside[0] + beside[1] * rng.random(slots.size)
        between = rng.uniform(low, high, slots.size)  # the atoms of a discrete prior
        kind = rng.integers(4, size=slots.size)
        values[slots] = np.select([kind < 2, kind == 2], [outside, between], values[slots])
    lowest = [setting.lowest(slot) for slot in range(setting.size)]
    return setting.allowed(np.maximum(values, lowest))


def _ties(setting: Setting, values: Array, slot: int) -> list[float]:
    """Return values of an agent at which she ties with others, or stands on a breakpoint."""
    prior = setting.priors[slot]
    buyer = slot < setting.n_first
    others = np.delete(np.arange(setting.size), slot)
    if others.size > 8:
        others = others[np.linspace(0, others.size - 1, 8).astype(int)]
    found = [values[others]]
    if prior is not None:
        found.append(breakpoints(prior, "buyer" if buyer else "seller"))
        weights = [values[others]]
        for other in others:
            weight = _weight(
                setting.priors[other], float(values[other]), bool(other < setting.n_first)
            )
            if np.isfinite(weight):
                weights.append(np.array([weight]))
        invert = prior.smallest_value if buyer else prior.largest_cost
        with suppress(PriorError):
            found += [invert(np.concatenate(weights), strict) for strict in (False, True)]
    together = np.concatenate(found)
    return np.unique(together[np.isfinite(together)]).tolist()


def _weight(prior: Prior | None, value: float, buyer: bool) -> float:
    if prior is None:
        return value
    try:
        return float(prior.virtual_value(value) if buyer else prior.virtual_cost(value))
    except PriorError:
        return value


def profiles(setting: Setting, rng: np.random.Generator) -> Iterator[tuple[str, Array]]:
    """Go through the profiles at which statements about every profile are checked.

    Parameters
    ----------
    setting
        The market.
    rng
        What profiles are drawn with.

    Yields
    ------
    tuple
        What kind of profile it is, and the profile: "own" for the market's own reports, which
        come first; then "all" profiles of discrete priors in random order, a few "beyond" what
        the priors allow, and an end; or "drawn" ones and ones with "ties" in turn, every fifth
        one "beyond", without an end.
    """
    if setting.own is not None:
        yield "own", setting.own
    if setting.size == 0:
        if setting.own is None:
            yield "own", np.empty(0)
        return
    if count_profiles(setting) is not None:
        everything = [values for _, values in all_profiles(setting)]
        for turn, place in enumerate(rng.permutation(len(everything))):
            yield "all", everything[place]
            if turn == 2:  # early enough for small budgets
                yield "beyond", beyond(setting, rng)
        for _ in range(_BEYOND):
            yield "beyond", beyond(setting, rng)
        return
    believed = bool(setting.groups)
    while True:
        for turn in range(2):
            yield "drawn", draw(setting, rng)
            yield "ties", tied(setting, rng)
            if believed and not turn:
                yield "beyond", beyond(setting, rng)
