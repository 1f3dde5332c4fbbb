"""What a mechanism claims, in the names of the properties that an audit checks."""

from __future__ import annotations

from collections.abc import Iterable

from catallax.mechanisms import Claims, Mechanism, SeparableMechanism

__all__ = ["claimed_properties", "claims_of"]

_RATIONAL = {"ex post": ("ir-ex-post", "ir-interim"), "interim": ("ir-interim",), "none": ()}
# A balanced budget has no deficit, and what holds in every outcome holds in expectation.
_BUDGET = {
    "strong ex post": (
        "strong-budget-ex-post",
        "weak-budget-ex-post",
        "strong-budget-ex-ante",
        "weak-budget-ex-ante",
    ),
    "weak ex post": ("weak-budget-ex-post", "weak-budget-ex-ante"),
    "strong ex ante": ("strong-budget-ex-ante", "weak-budget-ex-ante"),
    "weak ex ante": ("weak-budget-ex-ante",),
    "none": (),
}


def claims_of(claims: Claims) -> frozenset[str]:
    """Return the properties that declared claims amount to.

    Parameters
    ----------
    claims
        As a mechanism declares them.

    Returns
    -------
    frozenset of str
        Names of properties, with those that follow (DSIC implies BIC, and so on). Every mechanism
        claims that its outcomes are feasible. DSIC on both sides implies that nobody who improves
        her report trades less (Myerson 1981).

    Examples
    --------
    >>> sorted(claims_of(Claims("BIC", "none", "interim", "weak ex ante")))
    ['bic-buyers', 'feasibility', 'ir-interim', 'weak-budget-ex-ante']
    """
    names = {"feasibility", *_RATIONAL[claims.individual_rationality], *_BUDGET[claims.budget]}
    for side, claim in (("buyers", claims.buyers), ("sellers", claims.sellers)):
        if claim != "none":
            names.add(f"bic-{side}")
        if claim == "DSIC":
            names.add(f"dsic-{side}")
    if {"dsic-buyers", "dsic-sellers"} <= names:
        names.add("monotone")
    return frozenset(names)


def claimed_properties(
    mechanism: Mechanism, claims: Claims | Iterable[str] | None = None
) -> frozenset[str]:
    """Return the properties that a mechanism claims.

    Parameters
    ----------
    mechanism
        The mechanism.
    claims
        What to hold it to instead of its own claims: `Claims`, or names of properties.

    Returns
    -------
    frozenset of str
        Names of properties. A `SeparableMechanism` that is truthful for both sides also claims
        that everybody pays or receives her threshold.

    Raises
    ------
    UnknownNameError
        If a name is none of a property; with the nearest.

    Examples
    --------
    >>> import catallax as cx
    >>> gsom = cx.mechanisms.get("gsom")
    >>> "threshold-payments" in claimed_properties(gsom)
    True
    >>> sorted(claimed_properties(gsom, ["ir-ex-post"]))
    ['ir-ex-post']
    """
    if claims is None:
        names = claims_of(mechanism.claims)
        threshold = isinstance(mechanism, SeparableMechanism) and "monotone" in names
        return names | {"threshold-payments"} if threshold else names
    if isinstance(claims, Claims):
        return claims_of(claims)
    from catallax.audit import properties

    names = frozenset([claims] if isinstance(claims, str) else claims)
    for name in sorted(names):
        properties.get(name)
    return names
