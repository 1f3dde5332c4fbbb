"""Voting rules in files: shares come from the members, and coalitions name ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catallax.errors import VotingRuleError
from catallax.groups.boolean_rules import Coalitions
from catallax.groups.member import Member
from catallax.groups.rules import VotingRule
from catallax.groups.weighted_rules import WeightedQuota

__all__ = ["read_rule", "written_rule"]


def read_rule(
    given: Any, buyers: tuple[Member, ...], sellers: tuple[Member, ...], where: str
) -> VotingRule:
    """Return the rule of a file, where shares come from the members and coalitions name ids.

    Parameters
    ----------
    given
        One line of text, or keys.
    buyers, sellers
        The members.
    where
        What errors call the rule.

    Raises
    ------
    CatallaxError
        One subclass per cause.
    """
    from catallax.groups.rule_words import make_rule

    spec = dict(given) if isinstance(given, Mapping) else given
    kind = spec.get("kind") if isinstance(spec, dict) else None
    if isinstance(spec, dict) and kind == WeightedQuota.kind:
        for key, members in (("buyer_shares", buyers), ("seller_shares", sellers)):
            stated = [member.share for member in members]
            if key not in spec and any(share is not None for share in stated):
                spec[key] = stated
        if "buyer_shares" not in spec and "seller_shares" not in spec:
            raise VotingRuleError(
                f"{where}: a weighted quota needs the members' shares; give each a 'share'"
            )
    if isinstance(spec, dict) and kind == Coalitions.kind and isinstance(spec.get("enough"), list):
        places = [{one.id: k for k, one in enumerate(side)} for side in (buyers, sellers)]
        spec["enough"] = [_by_position(one, places, where) for one in spec["enough"]]
    return make_rule(spec, where=where)


def _by_position(coalition: Any, places: list[dict[str | int, int]], where: str) -> Any:
    if not isinstance(coalition, list) or len(coalition) != 2:
        raise VotingRuleError(
            f"{where}: {coalition!r} is no coalition; write the ids of its buyers and of its "
            'sellers, as in [["ann"], ["cy", "dee"]]'
        )
    found = []
    for ids, known, role in zip(coalition, places, ("buyer", "seller"), strict=True):
        listed = ids if isinstance(ids, list) else [ids]
        for one in listed:
            if not isinstance(one, str | int) or one not in known:
                raise VotingRuleError(
                    f"{where}: the coalition names {role} {one!r}, and there is none; name ids of "
                    f"the {role}s in two lists"
                )
        found.append([known[one] for one in listed])
    return found


def written_rule(
    rule: VotingRule | None, buyers: tuple[Member, ...], sellers: tuple[Member, ...]
) -> Any:
    """Return the rule as a file holds it; what the members' shares say is left out."""
    if rule is None:
        return None
    spec = rule.to_dict()
    if isinstance(rule, Coalitions):
        sides = (buyers, sellers)
        spec["enough"] = [
            [[side[k].id for k in part] for side, part in zip(sides, one, strict=True)]
            for one in rule.enough
        ]
    if isinstance(rule, WeightedQuota):
        sides = (("buyer_shares", buyers), ("seller_shares", sellers))
        for key, members in sides:
            stated = [member.share for member in members]
            if spec.get(key) == stated:
                del spec[key]
            elif key not in spec and None not in stated:
                spec[key] = [1.0] * len(members)
    return spec
