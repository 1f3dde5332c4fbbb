"""One mechanism on many markets: what an audit of each found, put together by property."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from catallax.audit.judgement import Verdict
from catallax.audit.result import Finding
from catallax.errors import (
    MissingDependencyError,
    MissingPriorError,
    UnknownNameError,
    UnsupportedMarketError,
    nearest,
)
from catallax.priors.base import RandomSource

if TYPE_CHECKING:
    from catallax.audit.result import AuditReport
    from catallax.markets import Market
    from catallax.mechanisms import Mechanism

__all__ = ["Survey", "Surveyed", "survey"]

Watch = Callable[["Market"], None]


@dataclass(frozen=True)
class Surveyed:
    """What is known of one property after all markets.

    Attributes
    ----------
    name
        The property's slug.
    claimed
        Whether the mechanism claims it.
    held, undecided, violated
        On how many markets which verdict was given; after a market on which it is violated the
        property is not looked at any more.
    exact
        On how many of the markets where it held everything that can matter was looked at.
    checked
        How many comparisons were made in all.
    finding
        The violation, or else the first undecided finding, or else the last one that holds;
        None where the property applied to no market.
    market
        The name of the market of that finding.
    """

    name: str
    claimed: bool
    held: int = 0
    undecided: int = 0
    violated: int = 0
    exact: int = 0
    checked: int = 0
    finding: Finding | None = None
    market: str = ""

    @property
    def verdict(self) -> Verdict | None:
        """What to say of all markets together; None where it applied to none.

        "violated" if it is on one of them. What is not claimed holds only if every market says
        so; of a claim it is enough that some markets confirm it and none refutes it.
        """
        if self.violated:
            return "violated"
        if self.held and (self.claimed or not self.undecided):
            return "holds"
        return "undecided" if self.undecided else None

    def after(self, finding: Finding, market: str) -> Surveyed:
        """Return what is known after one more market; where nothing was checked, nothing is."""
        if finding.verdict == "holds" and not finding.checked:
            return self
        counts = {word: getattr(self, field) for word, field in _COUNT.items()}
        counts[finding.verdict] += 1
        kept, where = self.finding, self.market
        if (
            kept is None
            or _RANKS[finding.verdict] > _RANKS[kept.verdict]
            or (finding.verdict == kept.verdict == "holds")
        ):
            kept, where = finding, market
        return Surveyed(
            name=self.name,
            claimed=self.claimed,
            held=counts["holds"],
            undecided=counts["undecided"],
            violated=counts["violated"],
            exact=self.exact + (finding.verdict == "holds" and finding.exact),
            checked=self.checked + finding.checked,
            finding=kept,
            market=where,
        )


_RANKS = {"holds": 0, "undecided": 1, "violated": 2}
_COUNT = {"holds": "held", "undecided": "undecided", "violated": "violated"}


@dataclass(frozen=True)
class Survey:
    """What many audits of one mechanism found.

    Attributes
    ----------
    mechanism
        Its name.
    properties
        What is known of each property, in the order in which they are listed.
    markets
        On how many markets it was audited.
    refused
        The markets that it, or this installation, declines, each with the reason.
    runs
        How often the mechanism was run.
    """

    mechanism: str
    properties: tuple[Surveyed, ...]
    markets: int
    refused: dict[str, str] = field(default_factory=dict)
    runs: int = 0

    def __getitem__(self, name: str) -> Surveyed:
        """Return what is known of a property.

        Raises
        ------
        UnknownNameError
            If it was not looked at.
        """
        for one in self.properties:
            if one.name == name:
                return one
        known = [one.name for one in self.properties]
        raise UnknownNameError(f"no property '{name}' was looked at: {nearest(name, known)}")

    @property
    def broken(self) -> tuple[Surveyed, ...]:
        """The properties that are claimed and violated."""
        return tuple(one for one in self.properties if one.claimed and one.violated)

    def __str__(self) -> str:
        """Write a heading, and one line for each property."""
        refused = f", {len(self.refused)} refused" if self.refused else ""
        lines = [f"{self.mechanism} on {self.markets} markets{refused} ({self.runs:,} runs)"]
        width = max((len(one.name) for one in self.properties), default=0)
        lines += [f"  {one.name:<{width}}  {_sentence(one)}" for one in self.properties]
        return "\n".join(lines)


def _sentence(one: Surveyed) -> str:
    claimed = "claimed" if one.claimed else "not claimed"
    if one.verdict is None:
        return f"did not apply ({claimed})"
    if one.verdict == "violated":
        assert one.finding is not None
        return f"violated ({claimed}) on '{one.market}': {one.finding.story}"
    if one.verdict == "holds" and one.undecided:
        open_ = f"undecided on {one.undecided} of {one.held + one.undecided}"
        counts = f"held on {one.held}, exactly on {one.exact}"
        return f"holds where decided ({open_}; {claimed}): {counts}; {one.checked:,} checks"
    counts = f"held on {one.held}, exactly on {one.exact}, undecided on {one.undecided}"
    return f"{one.verdict} ({claimed}): {counts}; {one.checked:,} checks"


def survey(
    mechanism: Mechanism,
    markets: Sequence[Market],
    properties: Iterable[str],
    claimed: Iterable[str] = (),
    *,
    rng: RandomSource = 0,
    budget: int | None = None,
    again: int | None = None,
    watch: Watch | None = None,
) -> Survey:
    """Audit a mechanism on many markets.

    A property that is violated on a market is not looked at on those after it.

    Parameters
    ----------
    mechanism
        The mechanism.
    markets
        The markets, the smallest first.
    properties
        Names of the properties to look at.
    claimed
        Those that it claims.
    rng
        What is drawn in audits is drawn with it; each market has a generator of its own.
    budget
        Runs of the mechanism on each market; by default that of `audit`.
    again
        Runs with which what is undecided on a market is looked at once more, by itself; by
        default it stays undecided.
    watch
        Called with each market before its audit.

    Returns
    -------
    Survey
    """
    from catallax.audit.audit import audit

    claims = frozenset(claimed)
    found = {name: Surveyed(name, name in claims) for name in properties}
    refused: dict[str, str] = {}
    runs = 0
    name = mechanism.slug
    generators = np.random.default_rng(rng).spawn(len(markets))
    for market, generator in zip(markets, generators, strict=True):
        if watch is not None:
            watch(market)
        wanted = [name for name, one in found.items() if not one.violated]
        report = _audited(market, mechanism, wanted, generator, budget, refused)
        if report is None:
            continue
        name, runs = report.mechanism, runs + report.runs
        findings = {finding.name: finding for finding in report}
        open_ = [finding.name for finding in report.undecided]
        if again is not None and open_:
            second = audit(market, mechanism, open_, rng=generator, budget=again)
            runs += second.runs
            findings |= {finding.name: finding for finding in second}
        for finding in findings.values():
            found[finding.name] = found[finding.name].after(finding, market.name)
    return Survey(name, tuple(found.values()), len(markets) - len(refused), refused, runs)


def _audited(
    market: Market,
    mechanism: Mechanism,
    wanted: list[str],
    generator: np.random.Generator,
    budget: int | None,
    refused: dict[str, str],
) -> AuditReport | None:
    """Audit one market, or note that the mechanism declines it."""
    from catallax.audit.audit import audit
    from catallax.audit.properties import get
    from catallax.audit.setting import Setting

    try:
        setting = Setting.of(market, mechanism)
        asked = [name for name in wanted if get(name).excuse(setting) is None]
        if not asked:
            return None
        return audit(market, mechanism, asked, rng=generator, budget=budget)
    except (UnsupportedMarketError, MissingPriorError, MissingDependencyError) as error:
        refused[market.name] = str(error)
        return None
