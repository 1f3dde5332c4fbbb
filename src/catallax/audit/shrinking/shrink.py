"""Shrinking: from any violation to a small one that a person can read.

A case is a market document, as in a file, with the violation in it. Reductions make smaller
documents of it; the first that still fails, by a fair part of what it failed by at first, takes
its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from catallax.audit.judgement import Violation
from catallax.audit.runs import Runner
from catallax.audit.search.profiles import count_profiles
from catallax.audit.setting import Setting
from catallax.audit.shrinking.case import Case
from catallax.audit.shrinking.reductions import ALLOWED, numbers_rounded, parts_dropped
from catallax.audit.shrinking.simpler_priors import priors_replaced, priors_simplified
from catallax.audit.unlisted import from_listed, without_unlisted
from catallax.audit.witness import Witness, lookup_name
from catallax.errors import CatallaxError, OutputError
from catallax.markets import Market
from catallax.markets.files.json_files import json_of_market
from catallax.markets.tables.words import plain_words
from catallax.priors import make_prior, parse_prior

if TYPE_CHECKING:
    from catallax.audit.properties.base import Property

__all__ = ["shrink"]

# Runs of the mechanism, markets, and agents in all markets, that shrinking one violation may take.
_MOST_RUNS = 5000
_MOST_TRIALS = 400
_MOST_AGENTS = 60_000
# What a smaller case keeps of the violation; in a large market a part of a typical amount will do.
_KEPT = 0.3
_TYPICAL = 0.1


class Shrinker:
    """Tries smaller cases and keeps the last that fails."""

    def __init__(self, prop: Property, setting: Setting, amount: float) -> None:
        self.prop, self.mechanism = prop, setting.mechanism
        self.least = _KEPT * amount
        typical = max(
            setting.typical,
            0.0 if setting.own is None else float(np.abs(setting.own).max(initial=0.0)),
        )
        if typical:
            self.least = min(self.least, _TYPICAL * typical)
        self.supported = False
        self.unit = setting.unit is not None
        self.runs = self.trials = self.agents = 0
        self.known: set[str] = set()

    @property
    def spent(self) -> bool:
        """Whether there is no more to be spent."""
        limits = (_MOST_RUNS, _MOST_TRIALS, _MOST_AGENTS)
        return any(
            x >= y for x, y in zip((self.runs, self.trials, self.agents), limits, strict=True)
        )

    def market(self, case: Case) -> Market:
        """Build the market of a case."""
        document = dict(case.document)
        if self.unit:  # a table of edges holds priors as texts
            document["edges"] = [_with_text(edge) for edge in document["edges"]]
        allowed = document.pop(ALLOWED, None)
        return from_listed(Market.from_json(json.dumps(document), "witness"), allowed)

    def failing(self, case: Case, *, anew: bool) -> tuple[Case, Violation, Runner] | None:
        """Look whether the property fails in a case; if asked, with other reports too."""
        key = json.dumps([case.document, case.focus, case.report, case.details])
        if key in self.known or self.spent:
            return None
        self.known.add(key)
        self.trials += 1
        self.agents += len(case.document["buyers"]) + len(case.document["sellers"])
        try:
            setting = Setting.of(self.market(case), self.mechanism)
            if (setting.unit is not None) != self.unit:
                return None
            if self.supported and not _supported(setting):
                return None
            runner = Runner(setting)
            violation = violation_of(case, setting)
            found = self.prop.again(runner, violation)
            if not self._enough(found) and anew:
                found = self.prop.anew(runner, violation)
        except CatallaxError:  # a market that cannot be, or that the mechanism declines
            return None
        self.runs += runner.spent_in_all + _hidden_runs(setting)
        if found is None or not self._enough(found):
            return None
        return case_of(case, found, setting), found, runner

    def _enough(self, found: Violation | None) -> bool:
        return found is not None and found.amount >= self.least

    def through(
        self, case: Case, reductions: Callable[[Case], Iterator[Case]], *, anew: bool
    ) -> Case:
        """Apply reductions until none of them leaves a failing case."""
        found = True
        while found and not self.spent:
            found = False
            for smaller in reductions(case):
                got = self.failing(smaller, anew=anew)
                if got is not None:
                    case, found = got[0], True
                    break
        return case


def shrink(prop: Property, setting: Setting, violation: Violation) -> tuple[Witness, int]:
    """Make a small witness of a violation.

    Parameters
    ----------
    prop
        The property that fails.
    setting
        The market in which it was found, with the mechanism.
    violation
        Where it fails.

    Returns
    -------
    tuple
        The witness, and how often the mechanism was run for it. Deterministic: constraints,
        agents and edges are dropped, priors made simpler and numbers rounder, as long as the
        property still fails by a third of what it did.
    """
    runner = Runner(setting)
    first = prop.again(runner, violation) or violation
    try:
        market, allowed = without_unlisted(setting.market_at(first.values))
        document = json.loads(json_of_market(market))
        if allowed:
            document[ALLOWED] = allowed
    except OutputError:  # a constraint that no file can hold: the witness is the case itself
        return witness_of(prop, runner, first), runner.spent_in_all
    shrinker = Shrinker(prop, setting, first.amount)
    if prop.need == "average":
        _without_reports(document)
    focus = None if first.agent is None else (first.agent.role, first.agent.id)
    case = Case(_inlined(document), focus, as_json(first.report), dict(first.details))
    shrinker.supported = prop.need != "average" and _supported(setting, first.values)
    case = _reduced(prop, shrinker, case)
    shrinker.known.clear()
    shrinker.runs = shrinker.trials = shrinker.agents = 0
    name = f"{lookup_name(setting.mechanism)} {prop.slug}"
    case = replace(case, document=case.document | {"name": name})
    last = shrinker.failing(case, anew=False)
    if last is None:  # it cannot be written down without loss
        return witness_of(prop, runner, first), runner.spent_in_all + shrinker.runs
    return witness_of(prop, last[2], last[1]), runner.spent_in_all + shrinker.runs


def _reduced(prop: Property, shrinker: Shrinker, case: Case) -> Case:
    """Apply all reductions, twice over."""
    expected = prop.expected
    reductions = (parts_dropped, lambda c: priors_simplified(c, expected=expected))
    # Few values first: sums over all profiles are cheaper than draws.
    case = shrinker.through(case, lambda c: priors_replaced(c, expected=expected), anew=True)
    for _ in range(2):
        for reduction in reductions:
            case = shrinker.through(case, reduction, anew=True)
        case = shrinker.through(case, numbers_rounded, anew=False)
    return case


def _hidden_runs(setting: Setting) -> int:
    """Return what a mechanism that samples its market beforehand spends on it, in runs."""
    samples = getattr(setting.mechanism, "samples", 0)
    if not isinstance(samples, int):
        return 0
    return min(count_profiles(setting) or samples, samples) // 4


def _supported(setting: Setting, values: Any = None) -> bool:
    """Whether all true values lie in the supports of their priors."""
    values = setting.own if values is None else values
    return values is None or all(setting.supported(k, float(x)) for k, x in enumerate(values))


def violation_of(case: Case, setting: Setting) -> Violation:
    """Return the violation that a case stands for, in its market."""
    values = np.zeros(setting.size) if setting.own is None else setting.own
    report = case.report
    agent = None
    if case.focus is not None:
        role, name = case.focus
        side = setting.market.buyers if role == "buyer" else setting.market.sellers
        if name in side:
            first = 0 if role == "buyer" else len(setting.market.buyers)
            agent = setting.agent(first + side.index(name))
    given = np.array(report) if isinstance(report, list) else report
    return Violation(0.0, values, agent, given, dict(case.details))


def case_of(case: Case, found: Violation, setting: Setting) -> Case:
    """Return a case with the reports and values at which the property was seen to fail."""
    document = case.document
    if setting.own is not None and not np.array_equal(found.values, setting.own):
        market = setting.market_at(found.values)
        document = json.loads(json_of_market(without_unlisted(market)[0]))
        document = _inlined(document)
        if ALLOWED in case.document:
            document[ALLOWED] = case.document[ALLOWED]
    focus = None if found.agent is None else (found.agent.role, found.agent.id)
    return Case(document, focus, as_json(found.report), dict(found.details))


def as_json(report: Any) -> float | list[float] | None:
    """Return a report as JSON has it."""
    if report is None:
        return None
    return float(report) if np.ndim(report) == 0 else np.asarray(report).tolist()


def _inlined(document: dict[str, Any]) -> dict[str, Any]:
    """Write every agent's prior out in place of its name, and drop priors that nobody has."""
    named = document.pop("priors", {})
    for side in ("buyers", "sellers", "edges"):
        for record in document.get(side) or []:
            if isinstance(record, dict) and isinstance(record.get("prior"), str):
                record["prior"] = named.get(record["prior"], record["prior"])
            if (
                side == "edges"
                and isinstance(record, dict)
                and isinstance(record.get("prior"), str)
            ):
                record["prior"] = plain_words(make_prior(record["prior"]).spec())
    return document


def _with_text(edge: Any) -> Any:
    """Write the prior of an edge as a text."""
    if not isinstance(edge, dict) or not isinstance(edge.get("prior"), dict):
        return edge
    prior = make_prior(edge["prior"])
    short = prior.describe()
    exact = "..." not in short and parse_prior(short) == prior
    return {**edge, "prior": short if exact else json.dumps(edge["prior"])}


def _without_reports(document: dict[str, Any]) -> None:
    """Take reports out: what holds on average over all values does not depend on them."""
    for side in ("buyers", "sellers", "edges"):
        for record in document.get(side) or []:
            if isinstance(record, dict):
                record.pop("bid", None)
                record.pop("ask", None)


def witness_of(prop: Property, runner: Runner, violation: Violation) -> Witness:
    """Write a violation down as a witness."""
    agent, report = violation.agent, as_json(violation.report)
    setting = runner.setting
    market = setting.market if prop.need == "average" else setting.market_at(violation.values)
    return Witness(
        market=market,
        property=prop.slug,
        mechanism=lookup_name(runner.setting.mechanism),
        role=None if agent is None else agent.role,
        agent=None if agent is None else agent.id,
        report=tuple(report) if isinstance(report, list) else report,
        amount=violation.amount,
        story=prop.story(runner, violation),
        details=violation.details,
    )
