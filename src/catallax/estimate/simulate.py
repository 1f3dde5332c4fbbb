"""Expectations of mechanisms on a market: exact where they can be, from samples otherwise."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from catallax.errors import CatallaxError, UnsupportedMarketError
from catallax.estimate.batch.forms import batch_form
from catallax.estimate.batch.tally import COLUMNS
from catallax.estimate.draws import DrawsKind, Plan, Sampler, sampler_of, seed_of
from catallax.estimate.result import (
    QUANTITIES,
    Estimate,
    MechanismEstimates,
    Simulation,
    exact_estimate,
)
from catallax.estimate.sampling import REFUSALS, Job, Run
from catallax.mechanisms import FirstBest, Mechanism, get
from catallax.priors.base import RandomSource
from catallax.progress import Progress

if TYPE_CHECKING:
    from catallax.estimate.exact import ExactValues
    from catallax.markets import Market

__all__ = ["USUAL", "mechanism_name", "simulate"]

USUAL = ("first-best", "gsom", "gbom", "random-offerer", "posted-price")
"""The mechanisms that are simulated if none are named."""
_USUAL_FOR_ITEMS = ("gbom-unit-demand", "sapp")

_SAMPLES = 10_000
_MOST_SAMPLES = 100_000_000
# Where expectations are exact, so many draws show how amounts vary.
_FOR_QUANTILES = 2**12


def simulate(
    market: Market,
    mechanisms: Sequence[str | Mechanism] | str | Mechanism | None = None,
    samples: int | None = None,
    rng: RandomSource = 0,
    workers: int | None = None,
    *,
    until: float | None = None,
    draws: DrawsKind = "plain",
    conditional: bool = False,
    exact: bool = True,
    progress: Progress | None = None,
) -> Simulation:
    """Find what can be expected of mechanisms on a market: gains, utilities, surplus, trades.

    Everybody's value or cost is drawn from her prior, all mechanisms clear the same draws, and
    totals are averaged; of lotteries the expectation over their own coin is taken. Where an
    expectation can be computed it is, and labelled so.

    Parameters
    ----------
    market
        A market whose agents all have priors. Its reports are not looked at.
    mechanisms
        Slugs, "module:Class", or mechanisms; by default `USUAL`, without those that do not apply.
    samples
        How many profiles to draw; by default 10,000. With `until` the most, by default 10^8.
    rng
        What to draw them with; the results depend on it and on nothing else.
    workers
        How many threads draw and clear; by default one for each core. The numbers are the same
        for any.
    until
        Stop as soon as the 95 % interval of every share of the first best reaches no farther than
        this to either side; for the first best itself, that of its gains relative to them.
    draws
        "plain", "antithetic" (every draw with its mirror) or "sobol" (scrambled Sobol points,
        randomised at least 32 times, which is what errors come from).
    conditional
        Lean on the conditional form of Lemma 5.3 (`catallax.estimate.batch.conditional`). It takes
        several times as long for each draw, and may need ten times fewer. Sobol points do without.
    exact
        Whether to compute what can be computed; otherwise everything is sampled.
    progress
        Called now and then with the part that is done, from 0 to 1, and how many samples that are.

    Returns
    -------
    Simulation
        Estimates by mechanism; those that do not apply to the market are in `skipped`.

    Raises
    ------
    MissingPriorError
        If an agent has no prior.
    UnknownNameError
        If there is no such mechanism.
    UnsupportedMarketError
        If none of the mechanisms applies to the market.
    CatallaxError
        If a number is out of range.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> cx.simulate(market, ["gsom"], exact=False, rng=7).samples
    10000
    >>> print(cx.simulate(market, ["gsom", "second-best"], rng=7))  # both can be computed
    Simulation of 'bilateral-uniform': 4,096 samples, seed 7
      gsom         gains = 0.125000, = 0.750000 of the first best
      second-best  gains = 0.140625, = 0.843750 of the first best
    """
    if conditional and draws == "sobol":
        raise CatallaxError(
            "conditional=True does not go with Sobol points, of which there are too few "
            "randomisations to fit it: use draws='plain' or draws='antithetic'"
        )
    sampler, seed, threads = sampler_of(market), seed_of(rng), _workers(workers)
    chosen = _named(mechanisms, sampler)
    wanted = _wanted_samples(samples, until)
    exact = exact and sampler.unit_demand is None
    known, skipped = _computed(market, chosen) if exact else ({}, {})
    best = _computed_first_best(market) if exact else None
    # With the first best computed as well, draws only show how amounts vary.
    computed = set(known) if best is not None else set()
    asked = [name for name in chosen if name not in skipped]
    nothing_to_find = computed.issuperset(asked)
    if nothing_to_find:
        wanted = min(wanted, _FOR_QUANTILES)
    plan = Plan.plan(draws, wanted, sum(sampler.sizes), growing=until is not None)
    jobs = []
    for name in asked:
        form = batch_form(chosen[name], market) if sampler.unit_demand is None else None
        few = min(_FOR_QUANTILES, plan.samples)
        jobs.append(Job(name, chosen[name], form, few if name in computed else plan.samples))
    run = Run(sampler, plan, seed, jobs, conditional=conditional, threads=threads, until=until)
    # What is too large for a number is told below, and once.
    with np.errstate(over="ignore", invalid="ignore"):
        run.go(progress)
        skipped |= run.skipped
        if not run.accounts:
            raise UnsupportedMarketError(_nothing_applies(market, skipped))
        estimates = {name: _estimates(name, chosen, run, known, best) for name in run.accounts}
        first_best = run.first_best if best is None else exact_estimate(best)
    for name, one in estimates.items():
        _refuse_overflow(market, name, one)
    return Simulation(
        market=market,
        samples=run.done,
        seed=seed,
        estimates=estimates,
        first_best=first_best,
        skipped={name: skipped[name] for name in chosen if name in skipped},
        draws=draws,
        conditional=run.conditional,
        until=until,
        reached=None if until is None else nothing_to_find or run.reached,
    )


def _estimates(
    name: str,
    chosen: dict[str, Mechanism],
    run: Run,
    known: dict[str, ExactValues],
    best: float | None,
) -> MechanismEstimates:
    """State what was computed, or else what was sampled."""
    account = run.accounts[name]
    share: Estimate | None = account.share
    if type(chosen[name]) is FirstBest or best == 0.0:  # of nothing to gain, all is kept
        share = exact_estimate(1.0)
    elif best is not None and name in known:
        share = exact_estimate(known[name].gains_from_trade / best)
    if name not in known:
        return account.estimates(name, share)
    values = {column: exact_estimate(getattr(known[name], column)) for column in COLUMNS}
    return account.estimates(name, share, f"exact ({known[name].method})", values)


def _refuse_overflow(market: Market, name: str, one: MechanismEstimates) -> None:
    for quantity in QUANTITIES:
        estimate: Estimate | None = getattr(one, quantity)
        if estimate is not None and not (isfinite(estimate.mean) and isfinite(estimate.stderr)):
            raise CatallaxError(
                f"market '{market.name}': {quantity} of {name} is too large for a floating-point "
                "number: state the amounts in a larger unit"
            )


# ---------------------------------------------------------------------------------- what is asked


def mechanism_name(mechanism: str | Mechanism) -> str:
    """Return what a mechanism is called in results.

    Examples
    --------
    >>> import catallax as cx
    >>> mechanism_name(cx.mechanisms.PostedPrice(0.5))
    'posted-price(price=0.5)'
    """
    if isinstance(mechanism, str):
        return mechanism
    kind = type(mechanism)
    own = kind.__module__.partition(".")[0] == "catallax"
    name = kind.slug if own else f"{kind.__module__}:{kind.__qualname__}"
    if not is_dataclass(mechanism):
        return name
    given = []
    for one in fields(mechanism):
        made = one.default_factory
        usual = one.default if made is MISSING else made()
        if getattr(mechanism, one.name) != usual:
            given.append(f"{one.name}={getattr(mechanism, one.name)!r}")
    return f"{name}({', '.join(given)})" if given else name


def _named(
    mechanisms: Sequence[str | Mechanism] | str | Mechanism | None, sampler: Sampler
) -> dict[str, Mechanism]:
    """Find the mechanisms, by name."""
    if mechanisms is None:
        mechanisms = USUAL if sampler.unit_demand is None else _USUAL_FOR_ITEMS
    if isinstance(mechanisms, str | Mechanism):
        mechanisms = [mechanisms]
    if not mechanisms:
        raise CatallaxError("no mechanism is named: name at least one, such as 'gsom'")
    chosen: dict[str, Mechanism] = {}
    for one in mechanisms:
        name = mechanism_name(one)
        if name in chosen:
            raise CatallaxError(f"mechanism '{name}' is named twice: name it once")
        chosen[name] = get(one)
    return chosen


def _wanted_samples(samples: int | None, until: float | None) -> int:
    if until is not None and not (until > 0 and isfinite(until)):
        raise CatallaxError(f"until = {until:g}: ask for a precision of more than 0, such as 0.001")
    if samples is None:
        return _SAMPLES if until is None else _MOST_SAMPLES
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer):
        raise CatallaxError(f"samples = {samples!r}: give a whole number")
    return int(samples)


def _workers(workers: int | None) -> int:
    if workers is None:
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    if isinstance(workers, bool) or not isinstance(workers, int | np.integer) or workers < 1:
        raise CatallaxError(f"workers = {workers!r}: give a whole number of at least 1")
    return int(workers)


def _nothing_applies(market: Market, skipped: dict[str, str]) -> str:
    (name, reason), more = next(iter(skipped.items())), len(skipped) - 1
    others = f" (and {more} more)" if more else ""
    return f"market '{market.name}': no mechanism that was named applies; {name}{others}: {reason}"


# ----------------------------------------------------------------------------- what can be computed


def _computed(
    market: Market, chosen: dict[str, Mechanism]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Compute what can be: exact values by name, and reasons of mechanisms that do not apply."""
    from catallax.estimate.exact import exact_values

    known, skipped = {}, {}
    for name, mechanism in chosen.items():
        try:
            values = exact_values(market, mechanism)
        except REFUSALS as error:
            skipped[name] = str(error)
            continue
        if values is not None:
            known[name] = values
    return known, skipped


def _computed_first_best(market: Market) -> float | None:
    from catallax.estimate.exact import exact_values

    try:
        values = exact_values(market, FirstBest())
    except REFUSALS:
        return None
    return None if values is None else values.gains_from_trade
