"""What an audit returns: one finding for each property, and all of them as a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catallax.errors import UnknownNameError, nearest
from catallax.mechanisms.explain import money
from catallax.notebook import Rows, html_page

if TYPE_CHECKING:
    from catallax.audit.judgement import Verdict
    from catallax.audit.witness import Witness
    from catallax.markets import Market

__all__ = ["AuditReport", "Finding"]


@dataclass(frozen=True)
class Finding:
    """What an audit found about one property.

    Attributes
    ----------
    name
        The property's slug, such as "dsic-buyers".
    meaning
        What the property says, in one sentence.
    how
        How it was checked, in one sentence.
    verdict
        "holds" (at everything that was tried, or exactly; see `exact`), "violated", or
        "undecided": an expectation whose interval still allows both.
    worst
        The worst violation, in money; 0.0 where the property holds, and where what is violated
        is no amount (a pair without an edge has no price). An expectation's is that in the market
        that was audited; the witness may have other priors, and another amount.
    profiles
        How many profiles of reports were looked at.
    checked
        How many comparisons were made: deviations of agents, outcomes, or types.
    exact
        Whether everything that can matter was looked at, so that "holds" is no sample's word.
    interval
        For a statement about an expectation that is estimated: the interval that the worst
        amount lies in, at 99.9 percent; None where it is exact.
    story
        One line: what goes wrong, or what was found.
    witness
        The smallest market and profile found in which the property fails; None unless violated.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> finding = cx.audit(market, "gsom", "ir-ex-post", budget=100)["ir-ex-post"]
    >>> finding.verdict, finding.worst
    ('holds', 0.0)
    """

    name: str
    meaning: str
    how: str
    verdict: Verdict
    worst: float
    profiles: int
    checked: int
    exact: bool
    interval: tuple[float, float] | None
    story: str
    witness: Witness | None = None

    def __repr__(self) -> str:
        """Show the verdict and the story."""
        return f"<{self.name}: {self.verdict}; {self.story}>"

    def to_dict(self) -> dict[str, Any]:
        """Give the finding as the JSON object that the command line prints.

        Returns
        -------
        dict
            Keys name, verdict, worst, checked, story, witness (a market document with what
            fails in it, or None), and meaning, how, profiles, exact, interval.
        """
        return {
            "name": self.name,
            "verdict": self.verdict,
            "worst": self.worst,
            "checked": self.checked,
            "story": self.story,
            "witness": None if self.witness is None else self.witness.to_dict(),
            "meaning": self.meaning,
            "how": self.how,
            "profiles": self.profiles,
            "exact": self.exact,
            "interval": None if self.interval is None else list(self.interval),
        }


@dataclass(frozen=True, eq=False)
class AuditReport:
    """All findings of an audit.

    Attributes
    ----------
    market
        The market that was audited.
    mechanism
        The mechanism's name: a slug, or module:Class.
    findings
        One for each property that was asked for, in the order of `properties`.
    runs
        How often the mechanism was run, for the search and for shrinking witnesses.
    skipped
        Properties that do not apply, each with the reason.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> report = cx.audit(market, "first-best", budget=200)
    >>> [finding.name for finding in report.violated][:2]
    ['weak-budget-ex-post', 'strong-budget-ex-post']
    >>> report["dsic-buyers"].verdict
    'holds'
    """

    market: Market
    mechanism: str
    findings: tuple[Finding, ...]
    runs: int = 0
    skipped: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Finding:
        """Return the finding of a property.

        Raises
        ------
        UnknownNameError
            If the property was not looked at; the message says why, or names the nearest.
        """
        for finding in self.findings:
            if finding.name == name:
                return finding
        if name in self.skipped:
            raise UnknownNameError(f"'{name}' was left out: {self.skipped[name]}")
        known = [finding.name for finding in self.findings]
        raise UnknownNameError(f"this audit has no property '{name}': {nearest(name, known)}")

    def __iter__(self) -> Iterator[Finding]:
        """Go through the findings."""
        return iter(self.findings)

    def __len__(self) -> int:
        """Count the findings."""
        return len(self.findings)

    def __contains__(self, name: object) -> bool:
        """Whether a property was looked at."""
        return any(finding.name == name for finding in self.findings)

    @property
    def holding(self) -> tuple[Finding, ...]:
        """The findings that hold."""
        return tuple(finding for finding in self.findings if finding.verdict == "holds")

    @property
    def violated(self) -> tuple[Finding, ...]:
        """The findings that are violated."""
        return tuple(finding for finding in self.findings if finding.verdict == "violated")

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """The findings that are undecided."""
        return tuple(finding for finding in self.findings if finding.verdict == "undecided")

    @property
    def frame(self) -> Any:
        """The findings as a data frame of the library the market came from.

        Columns property, verdict, worst, profiles, checked, exact, low and high (the interval,
        null where it is exact), story.
        """
        import polars as pl

        intervals = [finding.interval or (None, None) for finding in self.findings]
        columns: dict[str, Any] = {
            "property": pl.Series([f.name for f in self.findings], dtype=pl.String),
            "verdict": pl.Series([f.verdict for f in self.findings], dtype=pl.String),
            "worst": pl.Series([f.worst for f in self.findings], dtype=pl.Float64),
            "profiles": pl.Series([f.profiles for f in self.findings], dtype=pl.Int64),
            "checked": pl.Series([f.checked for f in self.findings], dtype=pl.Int64),
            "exact": pl.Series([f.exact for f in self.findings], dtype=pl.Boolean),
            "low": pl.Series([low for low, _ in intervals], dtype=pl.Float64),
            "high": pl.Series([high for _, high in intervals], dtype=pl.Float64),
            "story": pl.Series([f.story for f in self.findings], dtype=pl.String),
        }
        return self.market.frame(columns)

    def told(self, finding: Finding) -> str:
        """Return a finding's story, with the market it happens in if that is another one.

        Parameters
        ----------
        finding
            One of these findings.

        Returns
        -------
        str
            One line.

        Examples
        --------
        >>> import catallax as cx
        >>> market = cx.Market([{"id": 1, "bid": 2}, {"id": 2, "bid": 3}], [{"id": 1, "ask": 1}])
        >>> report = cx.audit(market, "first-best", "strong-budget-ex-post", budget=50)
        >>> report.told(report.findings[0])
        'in a smaller market (1 buyer, 1 seller): at bid ... a deficit of ...'
        """
        witness = finding.witness
        if witness is None:
            return finding.story
        priors = _other_priors(self.market, witness)
        was, now = _size(self.market), _size(witness.market)
        if was == now:
            return f"with other priors ({priors}): {finding.story}" if priors else finding.story
        words = [f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in zip(now, _NOUNS, strict=True)]
        # Edges are told where it is they alone that are fewer.
        shown = words if was[:2] == now[:2] else words[:2]
        priors = f" with other priors ({priors})" if priors else ""
        return f"in a smaller market ({', '.join(shown)}){priors}: {finding.story}"

    def __repr__(self) -> str:
        """Count the verdicts in one line."""
        counts = [len(self.holding), len(self.violated), len(self.undecided)]
        words = [f"{n} {w}" for n, w in zip(counts, _WORDS, strict=True) if n]
        return (
            f"<Audit of {self.mechanism} on '{self.market.name}': "
            f"{', '.join(words) or 'nothing looked at'}>"
        )

    def _repr_html_(self) -> str:
        """Show every finding in a notebook."""
        rows = [
            (one.name, one.verdict, one.worst, one.checked, self.told(one)) for one in self.findings
        ]
        rows += [(name, "left out", None, None, why) for name, why in self.skipped.items()]
        columns = ("property", "verdict", "worst", "checks", "what was found")
        return html_page(
            f"audit of {self.mechanism} on '{self.market.name}'", Rows(columns, rows, len(rows))
        )

    def __str__(self) -> str:
        """Write one line for each property, and a heading."""
        runs = f"{self.runs:,} runs" if self.runs != 1 else "1 run"
        lines = [f"{self.mechanism} on '{self.market.name}' ({runs})"]
        width = max((len(finding.name) for finding in self.findings), default=0)
        for finding in self.findings:
            amount = ""
            if finding.verdict == "violated" and finding.worst:
                amount = f" by {money(float(f'{finding.worst:.6g}'), self.market.currency)}"
            lines.append(
                f"  {finding.name:<{width}}  {finding.verdict}{amount}: {self.told(finding)}"
            )
        lines += [f"  {name:<{width}}  left out: {why}" for name, why in self.skipped.items()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Give the report as the JSON object that the command line prints.

        Returns
        -------
        dict
            Keys market, mechanism, runs, properties (see `Finding.to_dict`) and skipped.
        """
        return {
            "market": self.market.name,
            "mechanism": self.mechanism,
            "runs": self.runs,
            "properties": [finding.to_dict() for finding in self.findings],
            "skipped": dict(self.skipped),
        }

    def write_witnesses(self, folder: str | Path) -> list[Path]:
        """Write every witness to a file of its own, called after the mechanism and the property.

        Parameters
        ----------
        folder
            Where to write; made if it is not there.

        Returns
        -------
        list of pathlib.Path
            Market files that can be read, cleared and audited again.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in self.mechanism)
        return [
            finding.witness.write(Path(folder) / f"{stem}.{finding.name}.json")
            for finding in self.findings
            if finding.witness is not None
        ]


_WORDS = ("hold", "violated", "undecided")
_NOUNS = ("buyer", "seller", "edge")


def _size(market: Market) -> tuple[int, int, int]:
    return len(market.buyers), len(market.sellers), market.graph.n_edges


# So many priors are told.
_TOLD = 4


def _other_priors(market: Market, witness: Witness) -> str:
    """List a witness's priors where an expectation is about others than the market's."""
    from catallax.audit.properties.registry import get, names

    # A property of one's own that is not registered is about single outcomes, for all we know.
    if witness.property not in names() or not get(witness.property).expected:
        return ""
    changed, told = False, []
    pairs = ((market.buyers, witness.market.buyers), (market.sellers, witness.market.sellers))
    for before, after in pairs:
        for place, name in enumerate(after.ids):
            prior = after.prior(place)
            if prior is not None:
                changed |= name not in before or prior != before.prior(before.index(name))
                told.append(prior.describe())
    more = [f"{len(told) - _TOLD} more"] if len(told) > _TOLD else []
    return ", ".join(told[:_TOLD] + more) if changed else ""
