"""Our own mechanisms, those that draw profiles beforehand with fewer of them."""

from __future__ import annotations

from catallax.mechanisms import Mechanism, RandomOffererBalanced, SecondBest, get

SAMPLED = {kind.slug: kind for kind in (RandomOffererBalanced, SecondBest)}


def quick(name: str, samples: int = 20) -> Mechanism:
    """Return a mechanism whose first run on a market does not take seconds."""
    return SAMPLED[name](samples=samples) if name in SAMPLED else get(name)
