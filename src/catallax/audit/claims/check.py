"""Hold a mechanism to its claims: one line in anybody's test suite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from catallax.audit.claims.battery import battery
from catallax.audit.claims.claims import claimed_properties
from catallax.audit.claims.survey import Survey, survey
from catallax.errors import UnsupportedMarketError
from catallax.mechanisms import get
from catallax.priors.base import RandomSource

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.mechanisms import Claims, Mechanism

__all__ = ["BUDGET", "BrokenClaimError", "check_mechanism"]

BUDGET = 150
"""Runs of the mechanism on each market, unless another number is asked for."""


class BrokenClaimError(AssertionError):
    """A mechanism does not keep what it claims.

    Attributes
    ----------
    survey
        What the audits found; its `broken` properties have a finding each, with a witness.
    """

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        super().__init__(_complaint(survey))


def check_mechanism(
    mechanism: str | Mechanism,
    rng: RandomSource = 0,
    budget: int | None = None,
    claims: Claims | Iterable[str] | None = None,
    *,
    properties: Iterable[str] | None = None,
    markets: Sequence[Market] | None = None,
) -> Survey:
    """Audit every claim of a mechanism on a battery of small markets.

    Parameters
    ----------
    mechanism
        A slug, "module:Class", or a mechanism.
    rng
        What the random markets of the battery, and the audits, draw with.
    budget
        Runs of the mechanism on each market; by default `BUDGET`, 150, which is recommended:
        with fewer, statements about expectations stay undecided on many markets, and no claim
        is broken by that.
    claims
        What to hold it to instead of its own claims: `Claims`, or names of properties.
    properties
        Names of more properties to look at; what is not claimed may be violated.
    markets
        The markets, instead of `battery(rng)`.

    Returns
    -------
    Survey
        What was found. Markets that the mechanism refuses are counted in it.

    Raises
    ------
    BrokenClaimError
        If a claimed property is violated: an `AssertionError` with a story for each, and the
        witness.
    UnsupportedMarketError
        If the mechanism refuses all markets, so that nothing was checked.

    Examples
    --------
    >>> from catallax.audit import check_mechanism
    >>> print(check_mechanism("trade-reduction", claims=["weak-budget-ex-post"], budget=20))
    trade-reduction on ... markets, ... refused (... runs)
      weak-budget-ex-post  holds (claimed): held on ..., undecided on 0; ... checks
    """
    chosen = get(mechanism)
    claimed = claimed_properties(chosen, claims)
    more = claimed_properties(chosen, properties or ())
    tried = battery(rng) if markets is None else list(markets)
    found = survey(
        chosen,
        tried,
        _in_order(claimed | more),
        claimed,
        rng=rng,
        budget=BUDGET if budget is None else budget,
    )
    if not found.markets:
        why = next(iter(found.refused.values()), "there is no market")
        raise UnsupportedMarketError(
            f"mechanism '{found.mechanism}' refuses all {len(tried)} markets, so nothing was "
            f"checked ({why}); pass markets=[...] that it takes"
        )
    if found.broken:
        raise BrokenClaimError(found)
    return found


def _in_order(wanted: Iterable[str]) -> list[str]:
    """Put names of properties into the order in which they are listed."""
    from catallax.audit.properties import names

    chosen = frozenset(wanted)
    return [name for name in names() if name in chosen]


def _complaint(survey: Survey) -> str:
    lines = [f"mechanism '{survey.mechanism}' does not keep what it claims:"]
    for one in survey.broken:
        assert one.finding is not None
        lines.append(f"  {one.name}, on market '{one.market}': {one.finding.story}")
    lines.append(
        "  (error.survey['NAME'].finding.witness.write('witness.json') keeps a market to look at)"
    )
    return "\n".join(lines)
