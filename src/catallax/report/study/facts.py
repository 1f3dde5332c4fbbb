"""What a study's report says besides numbers: how it was run, what mechanisms claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catallax.estimate.study import Rule, Study
    from catallax.mechanisms import Claims

__all__ = ["TRUTHFUL", "claim_rows", "facts_of", "needed", "versions_of"]

TRUTHFUL = (
    "All figures assume that everybody reports her true value or cost. They say nothing about "
    "whether anybody has a reason to: where a mechanism is not truthful, people may report "
    "something else, and then it keeps less, or other people gain."
)
"""What the numbers of every study take for granted."""


def facts_of(study: Study) -> dict[str, str]:
    """Say how every cell was estimated.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    dict
        Facts by name.
    """
    options = study.options
    facts = {
        "samples": f"{options.samples:,} draws of all values and costs for each cell"
        + (f", or fewer once shares are known to ± {options.until:g}" if options.until else ""),
        "seeds": ", ".join(map(str, study.seeds)),
        "draws": {
            "plain": "independent",
            "antithetic": "antithetic: every draw with its mirror",
            "sobol": "scrambled Sobol points",
        }[options.draws]
        + (", with the conditional form of Lemma 5.3" if options.conditional else ""),
        "reports": "truthful: every value and cost as it was drawn",
        "exact values": "wherever there are any" if options.exact else "not used",
        "mechanisms": ", ".join(rule.label for rule in study.rules),
    }
    if any(setting.recipe.varies for setting in study.settings):
        facts["random graphs"] = "every seed draws another graph; all mechanisms get the same ones"
    return facts


def versions_of() -> dict[str, str]:
    """Return the versions that results depend on, and a hash of the source."""
    from catallax.estimate.study import code_fingerprint, versions

    return versions() | {"source": code_fingerprint()[:16]}


def claim_rows(rules: Sequence[Rule]) -> list[dict[str, str]]:
    """Say what each mechanism claims, and whether anybody has put it to the test.

    Parameters
    ----------
    rules
        The mechanisms of a study.

    Returns
    -------
    list of dict
        Keys rule, buyers, sellers, nobody_loses, budget and audited.

    Examples
    --------
    >>> from catallax.estimate.study.rules import rule_of
    >>> claim_rows([rule_of("gsom")])[0]["buyers"]
    'truthful (DSIC)'
    """
    return [_claim_row(rule) for rule in rules]


def _claim_row(rule: Rule) -> dict[str, str]:
    claims: Claims | None = getattr(rule.build(), "claims", None)
    foreign = rule.source is not None
    return {
        "rule": rule.label,
        "buyers": _truthful(None if claims is None else claims.buyers),
        "sellers": _truthful(None if claims is None else claims.sellers),
        "nobody_loses": _said(None if claims is None else claims.individual_rationality),
        "budget": _said(None if claims is None else claims.budget),
        "audited": "nothing was audited: these are its own words"
        if foreign
        else "see the table of properties of catallax",
    }


def _truthful(claim: str | None) -> str:
    words = {
        "DSIC": "truthful (DSIC)",
        "BIC": "truthful on average (BIC)",
        "none": "not truthful",
    }
    return "not said" if claim is None else words.get(claim, str(claim))


def _said(claim: str | None) -> str:
    return "not said" if claim is None else "not claimed" if claim == "none" else str(claim)


def needed(study: Study) -> list[str]:
    """Say what it takes to run the study again besides its file and the versions.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    list of str
        One line each; none where nothing else is needed.
    """
    lines = []
    for rule in study.rules:
        if rule.source is not None:
            module = rule.mechanism.partition(":")[0].partition(".")[0]
            lines.append(
                f"the source of '{module}', which defines {rule.mechanism} (SHA-256 "
                f"{rule.source[:16]}…): a mechanism of somebody's own, beside the study file"
            )
    if any(setting.recipe.kind == "document" for setting in study.settings):
        lines.append("the market files that it names by path")
    return list(dict.fromkeys(lines))
