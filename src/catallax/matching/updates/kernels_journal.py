"""Array-only kernels that note what they change, so that a change can be taken back.

An entry is what something was of an agent before it changed for the first time. Entries are
kept in one list until the step is done. Exchanging them with what is there now takes the step
back, and exchanging them again takes it anew.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from catallax.compiled import compiled, subkernel

__all__ = ["Live", "Room", "Rows", "drop_notes", "exchange", "label_of", "note", "summary"]

# What is noted of an agent.
REPORT, WEIGHT, PARTNER, LABEL, STANDING, TIE, NEAR = 0, 1, 2, 3, 4, 5, 6
KINDS = 7
# How an agent stands towards the bloc: apart from it, sharing its label, or inside.
APART, SHARES, INSIDE = 0, 1, 2
# So many agents are looked at together for one who matters: there hardly is any.
BLOCK = 256
# Places in `Room.work`: entries of rows read, searches, entries noted, changes of who trades,
# how many entries may be read, and whether those who share the bloc's label have been looked at.
SPENT, STAMP, NOTED, CROSSED, MOST, SIFTED = 0, 1, 2, 3, 4, 5
# Places in `Live.bloc`: its roots on either side (-1: there is no bloc), pairs in it, large
# losses outside it since it was built, how many of them are borne before it is built anew, and
# its labels on either side.
ROOT, SIZE, LOSSES, PATIENCE, COMMON = 0, 2, 3, 4, 5


class Rows(NamedTuple):
    """The graph: neighbours of agent v are `neighbours[start[v]:start[v + 1]]`."""

    start: Any
    neighbours: Any
    n_buyers: int


class Live(NamedTuple):
    """What is followed, and changes in place; an entry for each agent.

    Reports and weights; partners in one possible pairing and labels (-1 without a trade);
    how the agent stands towards the bloc (unless apart, her label is that of the bloc, and what
    stands here says nothing), through whom she is tied to it, how many of her neighbours are
    inside; and `bloc`, figures about it.
    """

    report: Any
    weight: Any
    partner: Any
    label: Any
    standing: Any
    tie: Any
    near: Any
    bloc: Any


class Room(NamedTuple):
    """Working space; an entry for each agent, zeros where kernels rely on them.

    `lost` holds an array for each side, of which `n_lost` tells the entries in use and `ends`
    up to where the first and the second of two candidates had labelled them;
    `bloc_lost` tells whether the bloc has lost its label there. `noted` has a row for each kind
    of entry: one more than the place of an agent's entry in the list, which is `kind`, `agent`
    and `old`.
    """

    mark: Any
    link: Any
    place: Any
    lost: Any
    n_lost: Any
    ends: Any
    bloc_lost: Any
    path: Any
    heap: Any
    is_torn: Any
    torn: Any
    leavers: Any
    work: Any
    noted: Any
    kind: Any
    agent: Any
    old: Any


@subkernel
def note(kind, v, old, room):
    """Note what something of an agent was, unless that is known from an earlier change."""
    if room.noted[kind, v] == 0:
        filled = room.work[NOTED]
        room.kind[filled] = kind
        room.agent[filled] = v
        room.old[filled] = old
        room.noted[kind, v] = filled + 1
        room.work[NOTED] = filled + 1


@subkernel
def drop_notes(room):
    """Begin a new list."""
    for k in range(room.work[NOTED]):
        room.noted[room.kind[k], room.agent[k]] = 0
    room.work[NOTED] = 0


@compiled
def exchange(kind, agent, old, live):
    """Exchange what was noted with what is there."""
    for k in range(kind.size):
        v = agent[k]
        before = old[k]
        if kind[k] == REPORT:
            old[k] = live.report[v]
            live.report[v] = before
        elif kind[k] == WEIGHT:
            old[k] = live.weight[v]
            live.weight[v] = before
        elif kind[k] == PARTNER:
            old[k] = live.partner[v]
            live.partner[v] = np.int32(before)
        elif kind[k] == LABEL:
            old[k] = live.label[v]
            live.label[v] = np.int32(before)
        elif kind[k] == STANDING:
            old[k] = live.standing[v]
            live.standing[v] = np.int8(before)
        elif kind[k] == TIE:
            old[k] = live.tie[v]
            live.tie[v] = np.int32(before)
        else:
            old[k] = live.near[v]
            live.near[v] = np.int32(before)


@subkernel
def label_of(v, live, n_buyers):
    """Tell who sets the threshold of a trader."""
    if live.standing[v] != APART:
        return np.int64(live.bloc[COMMON + (0 if v < n_buyers else 1)])
    return np.int64(live.label[v])


@subkernel
def _before(kind, v, now, room):
    at = room.noted[kind, v]
    return room.old[at - 1] if at else np.float64(now)


@subkernel
def summary(live, room, bloc_before, n_buyers, told):
    """List what the notes say of prices, so that nobody has to look at them again.

    Listed is who traded or trades and reports anew, or has another threshold than before. Of
    those with the bloc's label of whom nothing is noted it is told once, side by side.

    Parameters
    ----------
    live, room
        What there is now, and the notes.
    bloc_before
        What `live.bloc` was.
    n_buyers
        The number of buyers.
    told
        To be written. `agents`: who is listed. `sources`, `levels`, `reports`, before and
        after: who sets the threshold (-1 without a trade), its level, and the report.
        `wide_sources`, `wide_levels`: the same for the bloc, by side, before and after.

    Returns
    -------
    int
        How many are listed.
    """
    agents, sources, levels, reports, wide_sources, wide_levels = told
    for side in range(2):
        source_before, source = bloc_before[COMMON + side], live.bloc[COMMON + side]
        wide_sources[side, 0], wide_sources[side, 1] = source_before, source
        if source_before >= 0:
            now = live.weight[source_before]
            wide_levels[side, 0] = _before(WEIGHT, source_before, now, room)
        if source >= 0:
            wide_levels[side, 1] = live.weight[source]
    found = 0
    for k in range(room.work[NOTED]):
        kind, v = room.kind[k], room.agent[k]
        if kind == WEIGHT or kind > STANDING:
            continue
        if (
            (kind > REPORT and room.noted[REPORT, v] != 0)
            or (kind > PARTNER and room.noted[PARTNER, v] != 0)
            or (kind > LABEL and room.noted[LABEL, v] != 0)
        ):
            continue
        source_before, source = np.int64(-1), np.int64(-1)
        if _before(PARTNER, v, live.partner[v], room) >= 0:
            if _before(STANDING, v, live.standing[v], room) != APART:
                source_before = np.int64(bloc_before[COMMON + (0 if v < n_buyers else 1)])
            else:
                source_before = np.int64(_before(LABEL, v, live.label[v], room))
        if live.partner[v] >= 0:
            source = label_of(v, live, n_buyers)
        if source_before < 0 and source < 0:
            continue
        level_before, level = 0.0, 0.0
        if source_before >= 0:
            level_before = _before(WEIGHT, source_before, live.weight[source_before], room)
        if source >= 0:
            level = live.weight[source]
        same = source_before == source and level_before == level
        if same and room.noted[REPORT, v] == 0 and live.standing[v] == APART:
            continue
        agents[found] = v
        sources[0, found], sources[1, found] = source_before, source
        levels[0, found], levels[1, found] = level_before, level
        reports[0, found] = _before(REPORT, v, live.report[v], room)
        reports[1, found] = live.report[v]
        found += 1
    return found
