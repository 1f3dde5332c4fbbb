"""Families by trying every set of trades, in whole numbers with the documented favours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catallax.matching.ticks import favours


@dataclass
class FamilyAnswer:
    """The best set of trades, and for every agent the first weight that trades, in ticks."""

    edges: list[int]
    value: int
    first: list[int | None]


def feasible_sets(family, edges: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    """List all matchings that the family allows, asking it about each."""
    of_buyer: dict[int, list[int]] = {}
    for e, (i, _) in enumerate(edges):
        of_buyer.setdefault(i, []).append(e)
    matchings: list[tuple[int, ...]] = [()]
    for own in of_buyer.values():
        matchings += [
            (*chosen, e)
            for chosen in matchings
            for e in own
            if all(edges[e][1] != edges[other][1] for other in chosen)
        ]
    return [chosen for chosen in matchings if family.allows(chosen)]


def tables(sets, edges, n_buyers: int, n_sellers: int, *, pairs_matter: bool):
    """Membership of agents, and the favour of every set."""
    inside = np.zeros((len(sets), n_buyers + n_sellers), np.int64)
    of = favours(n_buyers, n_sellers)
    favour = np.zeros(len(sets), np.int64)
    for row, chosen in enumerate(sets):
        for e in chosen:
            i, j = edges[e]
            inside[row, i] = inside[row, n_buyers + j] = 1
            extra = of.pairs(np.array([i]), np.array([j]))[0] if pairs_matter else 0
            favour[row] += of.buyers[i] + of.sellers[j] + extra
    return inside, favour, np.concatenate([of.buyers, of.sellers])


def best(pairs: list[tuple[int, int]]) -> tuple[int, int]:
    """Largest pair, money first."""
    return max(pairs)


def solve(
    family, edges, buyers: list[int], sellers: list[int], *, pairs_matter: bool = True
) -> FamilyAnswer:
    """Solve for whole weights in ticks; in complete graphs no pair is favoured as such."""
    n_buyers = len(buyers)
    sets = feasible_sets(family, edges)
    inside, favour, own = tables(sets, edges, n_buyers, len(sellers), pairs_matter=pairs_matter)
    weights = np.array([*buyers, *(-u for u in sellers)], np.int64)
    money = inside @ weights
    values = list(zip(money.tolist(), favour.tolist(), strict=True))
    optimum = best(values)
    chosen = {inside[k].tobytes() for k, value in enumerate(values) if value == optimum}
    assert len(chosen) == 1, "the favours must single out who trades"
    assert values.count(optimum) == 1 or not pairs_matter, "and with whom"
    first: list[int | None] = []
    for agent in range(weights.size):
        with_her = [
            (m - int(weights[agent]), f - int(own[agent]))
            for (m, f), member in zip(values, inside[:, agent], strict=True)
            if member
        ]
        without = [v for v, member in zip(values, inside[:, agent], strict=True) if not member]
        if not with_her:
            first.append(None)
            continue
        (m1, f1), (m0, f0) = best(with_her), best(without)
        # In with weight x as soon as (m1 + x, f1 + own) exceeds (m0, f0).
        x = m0 - m1 + (f1 + int(own[agent]) <= f0)
        first.append(x if agent < n_buyers else -x)
    return FamilyAnswer(list(sets[values.index(optimum)]), optimum[0], first)


def pair_bounds(family, edges, buyers, sellers, i: int, j: int):
    """W_none - W_in, W_in - W_i and W_j - W_in of the trade (i, j), from their definitions."""
    sets = feasible_sets(family, edges)

    def value(chosen) -> int:
        total = 0
        for e in chosen:
            a, b = edges[e]
            total += (buyers[a] if a != i else 0) - (sellers[b] if b != j else 0)
        return total

    def largest(keep) -> float:
        return max((value(s) for s in sets if keep([edges[e] for e in s])), default=-np.inf)

    w_in = largest(lambda ends: (i, j) in ends)
    none = largest(lambda ends: all(a != i and b != j for a, b in ends))
    only_i = largest(lambda ends: any(a == i for a, _ in ends) and all(b != j for _, b in ends))
    only_j = largest(lambda ends: any(b == j for _, b in ends) and all(a != i for a, _ in ends))
    return none - w_in, w_in - only_i, only_j - w_in
