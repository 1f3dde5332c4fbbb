"""Agents named on the command line: ID, buyer:ID or seller:ID."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from catallax.errors import UnknownAgentError

if TYPE_CHECKING:
    from catallax.markets import Agents, Market
    from catallax.mechanisms.outcome import Role

__all__ = ["Question", "found_agents"]


class Question(NamedTuple):
    """An agent of one market: the text that named her, her side, and her identifier."""

    text: str
    role: Role
    agent: str | int


def found_agents(markets: list[Market], texts: tuple[str, ...]) -> list[list[Question]]:
    """Find the agents that are asked about.

    Parameters
    ----------
    markets
        The markets.
    texts
        What was written on the command line.

    Returns
    -------
    list of list of Question
        For each market, those of the agents that it has, in the order of the texts.

    Raises
    ------
    UnknownAgentError
        If no market has an agent, or a market has a buyer and a seller of that name.
    """
    found: list[list[Question]] = [[] for _ in markets]
    for text in dict.fromkeys(texts):
        anywhere = False
        for questions, market in zip(found, markets, strict=True):
            meant = _in_market(market, text)
            if len(meant) > 1:
                raise UnknownAgentError(
                    f"market '{market.name}' has both a buyer and a seller '{text}': ask for "
                    f"buyer:{text} or seller:{text}"
                )
            questions += meant
            anywhere = anywhere or bool(meant)
        if not anywhere:
            raise UnknownAgentError(_nobody(markets, text))
    return found


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


def _nobody(markets: list[Market], text: str) -> str:
    role, _, rest = text.partition(":")
    if role not in ("buyer", "seller"):
        role, rest = "", text
    if len(markets) > 1:
        return f"none of the {len(markets)} markets has {_article(role)} '{rest}'"
    market = markets[0]
    if role:
        side = market.buyers if role == "buyer" else market.sellers
        return f"there is no {role} '{rest}': {side.nearest(rest)}"
    named = market.buyers if len(market.buyers) else market.sellers
    return f"there is no buyer or seller '{text}': {named.nearest(text)}"


def _article(role: str) -> str:
    return f"a {role}" if role else "an agent"
