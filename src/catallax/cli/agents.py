"""Agents named on the command line: ID, buyer:ID or seller:ID; of many markets MARKET:ID."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from catallax.errors import UnknownAgentError, UnknownNameError, nearest

if TYPE_CHECKING:
    from catallax.markets import Agents, Market, Markets
    from catallax.mechanisms.outcome import Role

__all__ = ["Question", "found_agents"]


_AROUND = 3
"""So many names before and after an unknown one are shown."""
_COMPARED = 5_000
"""So many names are compared with it letter by letter."""


class Question(NamedTuple):
    """An agent of one market: the text that named her, her side, and her identifier.

    Of many markets `market` is the name of hers.
    """

    text: str
    role: Role
    agent: str | int
    market: str | int | None = None


def found_agents(
    markets: Sequence[Market | Markets], texts: tuple[str, ...], sources: Sequence[str] = ()
) -> list[list[Question]]:
    """Find the agents that are asked about.

    Parameters
    ----------
    markets
        The markets.
    texts
        What was written on the command line.
    sources
        Where the markets come from, for the error.

    Returns
    -------
    list of list of Question
        For each market, those of the agents that it has, in the order of the texts.

    Raises
    ------
    UnknownAgentError
        If no market has an agent, or a market has a buyer and a seller of that name.
    """
    from catallax.markets import Markets

    found: list[list[Question]] = [[] for _ in markets]
    for text in dict.fromkeys(texts):
        anywhere = False
        for questions, market in zip(found, markets, strict=True):
            if isinstance(market, Markets):
                meant = _in_markets(market, text)
            else:
                meant = _only(_in_market(market, text), market.name, text)
            questions += meant
            anywhere = anywhere or bool(meant)
        if not anywhere:
            raise UnknownAgentError(_nobody(markets, text, sources))
    return found


def _only(meant: list[Question], market: str, text: str) -> list[Question]:
    """Refuse a text that may mean a buyer as well as a seller."""
    if len(meant) > 1:
        raise UnknownAgentError(
            f"market '{market}' has both a buyer and a seller '{text}': ask for buyer:{text} or "
            f"seller:{text}"
        )
    return meant


def _in_markets(markets: Markets, text: str) -> list[Question]:
    """Find who is meant by a text such as MARKET:ID; colons may be parts of names."""
    for at in (place for place, letter in enumerate(text) if letter == ":"):
        try:
            name = markets.names[markets.number(text[:at])]
        except UnknownNameError:
            continue
        rest = text[at + 1 :]
        meant = _only(_in_market(markets[name], rest), str(name), rest)
        if meant:
            return [question._replace(text=text, market=name) for question in meant]
    return []


def _in_market(market: Market, text: str) -> list[Question]:
    """List who a text may mean; a side in front of it counts, unless it is part of the name."""
    whole = [
        Question(text, side.role, agent)
        for side in (market.buyers, market.sellers)
        if (agent := _identifier(side, text)) is not None
    ]
    role, _, rest = text.partition(":")
    side = {"buyer": market.buyers, "seller": market.sellers}.get(role)
    if side is not None and (agent := _identifier(side, rest)) is not None:
        return [Question(text, side.role, agent)]
    return whole


def _identifier(side: Agents, text: str) -> str | int | None:
    try:
        return side.ids[side.index(text)]
    except UnknownAgentError:
        return None


def _nobody(markets: Sequence[Market | Markets], text: str, sources: Sequence[str] = ()) -> str:
    from catallax.markets import Markets

    for place, many in enumerate(markets):
        if isinstance(many, Markets):
            where = sources[place] if sources else many.name
            return f"{where}: {_nobody_in(many, text)}"
    role, _, rest = text.partition(":")
    if role not in ("buyer", "seller"):
        role, rest = "", text
    if len(markets) > 1:
        return f"none of the {len(markets)} markets has {_article(role)} '{rest}'"
    (market,) = (one for one in markets if not isinstance(one, Markets))
    if role:
        side = market.buyers if role == "buyer" else market.sellers
        return f"there is no {role} '{rest}': {side.nearest(rest)}"
    from catallax.mechanisms.outcome_tables import hint

    return f"there is no buyer or seller '{text}': {hint((market.buyers, market.sellers), text)}"


def _nobody_in(markets: Markets, text: str) -> str:
    """Say what of MARKET:ID is not known: the market, or the agent in it."""
    if ":" not in text:
        return (
            f"'{text}' names none of the {len(markets):,} markets; name agents after theirs, as "
            "MARKET:ID, MARKET:buyer:ID or MARKET:seller:ID"
        )
    for at in (place for place, letter in enumerate(text) if letter == ":"):
        try:
            name = markets.names[markets.number(text[:at])]
        except UnknownNameError:
            continue
        return f"market '{name}': {_nobody([markets[name]], text[at + 1 :])}"
    name = text.partition(":")[0]
    return f"there is no market '{name}': {_nearest_market(name, markets)}"


def _nearest_market(name: str, markets: Markets) -> str:
    """Name the market that was meant, or those that would stand next to it in a list."""
    known = sorted(map(str, markets.names))
    hint = nearest(name, known[:_COMPARED])
    if hint.startswith("did you mean") or len(known) <= 2 * _AROUND:
        return hint
    place = bisect_left(known, name)
    around = known[max(place - _AROUND, 0) : place + _AROUND]
    return f"the nearest of its {len(known):,} are {', '.join(around)}"


def _article(role: str) -> str:
    return f"a {role}" if role else "an agent"
