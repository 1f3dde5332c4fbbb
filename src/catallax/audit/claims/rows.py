"""Rows of the table of mechanisms and properties, made anew and verified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from catallax.audit.claims.stored import stored_table, stored_witness
from catallax.audit.claims.table import Cell
from catallax.errors import (
    MissingReportError,
    UnsupportedMarketError,
)
from catallax.mechanisms import Lottery, get
from catallax.priors.base import RandomSource

if TYPE_CHECKING:
    from catallax.audit.claims.survey import Surveyed
    from catallax.audit.result import Finding
    from catallax.audit.witness import Witness
    from catallax.markets import Market
    from catallax.mechanisms import Mechanism

__all__ = ["make_row", "verify_row", "without_sampling"]


def make_row(
    mechanism: str | Mechanism,
    rng: RandomSource = 0,
    budget: int | None = None,
    random: int = 12,
    again: int | None = None,
    watch: Callable[[Market], None] | None = None,
) -> tuple[dict[str, Cell], dict[str, Witness]]:
    """Audit all properties of a mechanism on the battery.

    Parameters
    ----------
    mechanism
        A slug, or a mechanism.
    rng
        What the random markets, and the audits, draw with.
    budget
        Runs of the mechanism on each market; by default that of `audit`.
    random
        How many random markets there are besides the fixed ones.
    again
        Runs with which what is undecided on a market is looked at once more, by itself.
    watch
        Called with each market before its audit.

    Returns
    -------
    tuple
        The cells, and the witness of each that is violated, by the names of the properties.
    """
    from catallax.audit import properties
    from catallax.audit.claims.battery import battery
    from catallax.audit.claims.claims import claimed_properties
    from catallax.audit.claims.survey import survey

    chosen = get(mechanism)
    found = survey(
        chosen,
        without_sampling(chosen, battery(rng, random)),
        properties.names(),
        claimed_properties(chosen),
        rng=rng,
        budget=budget,
        again=again,
        watch=watch,
    )
    cells = {one.name: _cell(one) for one in found.properties}
    witnesses = {
        one.name: one.finding.witness
        for one in found.properties
        if one.violated and one.finding is not None and one.finding.witness is not None
    }
    return cells, witnesses


def verify_row(
    mechanism: str,
    rng: RandomSource = 0,
    budget: int | None = None,
    watch: Callable[[Market], None] | None = None,
) -> list[str]:
    """Run a row of the stored table again: every witness, and the battery for all other cells.

    Parameters
    ----------
    mechanism
        The mechanism's slug.
    rng
        What the random markets, and the audits, draw with.
    budget
        Runs of the mechanism on each market; by default that of `check_mechanism`.
    watch
        Called with each market before its audit.

    Returns
    -------
    list of str
        A line for each cell that is not as the table says; empty if all are.

    Raises
    ------
    UnknownNameError
        If the table has no such mechanism.

    Examples
    --------
    >>> verify_row("trade-reduction", budget=20)
    []
    """
    from catallax.audit.claims.battery import battery
    from catallax.audit.claims.check import BUDGET
    from catallax.audit.claims.survey import survey

    table = stored_table()
    said = {name: table.cell(mechanism, name).verdict for name in table.meanings}
    lines = [
        f"{mechanism}: {name} is said to be violated, and its witness shows nothing"
        for name, verdict in said.items()
        if verdict == "violated" and stored_witness(mechanism, name).rerun() is None
    ]
    chosen = get(mechanism)
    found = survey(
        chosen,
        without_sampling(chosen, battery(rng)),
        [name for name, verdict in said.items() if verdict != "violated"],
        rng=rng,
        budget=BUDGET if budget is None else budget,
        watch=watch,
    )
    return lines + [
        f"{mechanism}: {one.name} is said to be '{said[one.name]}', and is violated on market "
        f"'{one.market}': {'' if one.finding is None else one.finding.story}"
        for one in found.properties
        if one.violated
    ]


def without_sampling(mechanism: Mechanism, markets: Sequence[Market]) -> list[Market]:
    """Leave out the markets for which a mechanism draws profiles before it looks at reports.

    `second-best` and `random-offerer-balanced` do, where they cannot list all profiles. There
    their expected budgets are balanced up to the standard error that they report, which no audit
    could confirm; and to draw them takes seconds a market, of which audits make many.

    Parameters
    ----------
    mechanism
        Any mechanism; one without the parameter `samples` draws nothing.
    markets
        Markets with reports.

    Returns
    -------
    list of Market
        Those on which it draws nothing, and those that it refuses.
    """
    if not hasattr(mechanism, "samples"):
        return list(markets)
    sketch: Any = replace(cast("Any", mechanism), samples=2)
    return [market for market in markets if not _draws(sketch, market)]


def _draws(mechanism: Mechanism, market: Market) -> bool:
    """Whether a mechanism says that it rests on a sample."""
    try:
        result = mechanism.clear(market, mechanism.read_reports(market))
    except (UnsupportedMarketError, MissingReportError):
        return False
    details = result.details if isinstance(result, Lottery) else {}
    return details.get("method") == "samples" or not details.get("exact", True)


def _cell(one: Surveyed) -> Cell:
    finding = one.finding if one.verdict == "violated" else None
    return Cell(
        verdict=one.verdict or "does not apply",
        claimed=one.claimed,
        held=one.held,
        exact=one.exact,
        undecided=one.undecided,
        checked=one.checked,
        worst=_worst(finding),
        story="" if finding is None else finding.story,
    )


def _worst(finding: Finding | None) -> float:
    """Return the worst of all markets that were looked at, the witness's among them."""
    if finding is None:
        return 0.0
    return max(finding.worst, 0.0 if finding.witness is None else finding.witness.amount)
