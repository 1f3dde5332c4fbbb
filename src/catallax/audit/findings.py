"""From what a property says of a search to a finding, with a small witness where it is violated."""

from __future__ import annotations

from catallax.audit.judgement import Judgement
from catallax.audit.properties.base import Property
from catallax.audit.result import Finding
from catallax.audit.search.search import Search
from catallax.audit.shrinking.shrink import shrink

__all__ = ["finding_of"]


def finding_of(prop: Property, search: Search, said: Judgement) -> tuple[Finding, int]:
    """Make a finding of a judgement.

    Parameters
    ----------
    prop
        The property.
    search
        What it judged by.
    said
        The judgement.

    Returns
    -------
    tuple
        The finding, and how often the mechanism was run for its witness.
    """
    verdict = said.verdict or ("holds" if said.violation is None else "violated")
    witness, story, worst, runs = None, said.story, 0.0, 0
    if verdict == "violated" and said.violation is not None:
        search.tell(f"shrinking a witness of {prop.slug}")
        witness, runs = shrink(prop, search.setting, said.violation)
        story = witness.story
        worst = said.violation.amount
        # Shrinking looks for the worst report anew; expectations are then those of other priors.
        if not prop.expected:
            worst = max(worst, witness.amount)
    profiles = search.profiles_seen if said.profiles is None else said.profiles
    finding = Finding(
        name=prop.slug,
        meaning=prop.meaning,
        how=said.how,
        verdict=verdict,
        worst=float(worst),
        profiles=profiles,
        checked=said.checked,
        exact=said.exact and verdict != "undecided",
        interval=said.interval,
        story=story or _nothing(profiles, said.checked, said.exact),
        witness=witness,
    )
    return finding, runs


def _nothing(profiles: int, checked: int, exact: bool) -> str:
    what = "checks" if checked != 1 else "check"
    where = f"{profiles} profile{'s' if profiles != 1 else ''}"
    return f"no violation in {checked:,} {what} at {where}{' (all there are)' if exact else ''}"
