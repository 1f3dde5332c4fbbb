"""Answers by trying every feasible matching: slow, short, and what the fast code answers to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Whole weights are scaled by this, which leaves room for the tie order below them.
SCALE = 1_000_000


def all_matchings(n_buyers: int, n_sellers: int, edges: list[tuple[int, int]]) -> np.ndarray:
    """List every matching as a row of 0/1 over buyers, then sellers (edges do not matter)."""
    rows = [np.zeros(n_buyers + n_sellers, np.int64)]
    neighbours: dict[int, list[int]] = {}
    for i, j in edges:
        neighbours.setdefault(i, []).append(j)
    for i, around in neighbours.items():
        grown = []
        for row in rows:
            for j in around:
                if not row[n_buyers + j]:
                    longer = row.copy()
                    longer[i] = longer[n_buyers + j] = 1
                    grown.append(longer)
        rows = list({row.tobytes(): row for row in rows + grown}.values())
    return np.array(rows)


@dataclass
class Answer:
    """Who trades, the value, and each agent's level with its tie rule (None: cannot trade)."""

    trades: np.ndarray
    value: int
    level: list[int | None]
    wins_ties: list[bool | None]


def solve(matchings: np.ndarray, buyers: list[int], sellers: list[int]) -> Answer:
    """Solve for whole weights; ties: a trade happens, then the agent listed first wins."""
    n_buyers, n_sellers = len(buyers), len(sellers)
    plain = np.array([*buyers, *(-u for u in sellers)], np.int64)
    favour = np.array(
        [1000 + n_buyers - i for i in range(n_buyers)] + [-j for j in range(n_sellers)]
    )
    weights = plain * SCALE + favour
    totals = matchings @ weights
    plain_totals = matchings @ plain
    best = int(np.argmax(totals))
    trades = matchings[best].astype(bool)
    level: list[int | None] = []
    wins: list[bool | None] = []
    for agent in range(n_buyers + n_sellers):
        inside = matchings[:, agent] == 1
        if not inside.any():
            level.append(None)
            wins.append(None)
            continue
        # The own report at which being in is as good as being out.
        critical = plain_totals[~inside].max() - (plain_totals[inside] - plain[agent]).max()
        exact = totals[~inside].max() - (totals[inside] - weights[agent]).max()
        level.append(int(critical if agent < n_buyers else -critical))
        wins.append(bool(critical * SCALE + favour[agent] > exact))
    return Answer(trades, int(plain_totals[best]), level, wins)
