"""Array-only kernels that keep a bloc: pairs of traders who all have the same thresholds.

In a pairing an arc goes from one pair to another if the buyer of the first knows the seller of
the second. Where arcs lead from any pair of a set to any other, whatever reaches one reaches
all, so all buyers of the set have one threshold and so have all sellers (the law of one
price). Large markets have one such set that holds most of their traders, and whoever sets its
threshold moves with every trade: so it is kept as one.

The bloc proves itself: every member but the root's pair has a *tie*, a neighbour in the bloc
on the other side, whose partner is one step nearer to the root. Ties of buyers lead along the
arcs to the root, ties of sellers against them. The bloc need not be as large as it could be.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled
from catallax.matching.updates.kernels_journal import (
    COMMON,
    LABEL,
    LOSSES,
    MEMBER,
    MOST,
    NEAR,
    PATIENCE,
    ROOT,
    SIZE,
    SPENT,
    STAMP,
    TIE,
    note,
)

__all__ = ["build", "mend", "release"]

# A way to the root of more steps than this is not looked at to its end.
FAR = 2000


@compiled
def _let_go(v, n_buyers, live, room):
    """Make somebody of the bloc one of her own, with the bloc's label unless that is lost."""
    note(MEMBER, v, 1.0, room)
    note(LABEL, v, live.label[v], room)
    live.member[v] = False
    side = 0 if v < n_buyers else 1
    if room.bloc_lost[side]:
        live.label[v] = -1
        room.lost[side][room.n_lost[side]] = v
        room.n_lost[side] += 1
    else:
        live.label[v] = live.bloc[COMMON + side]


@compiled
def _expel(v, n_torn, rows, live, room):
    """Take an agent out of the bloc; whoever was tied through her is torn."""
    _let_go(v, rows.n_buyers, live, room)
    room.work[SPENT] += rows.start[v + 1] - rows.start[v]
    for k in range(rows.start[v], rows.start[v + 1]):
        w = rows.neighbours[k]
        note(NEAR, w, live.near[w], room)
        live.near[w] -= 1
        if live.member[w] and live.tie[w] == v and not room.is_torn[w]:
            room.is_torn[w] = True
            room.torn[n_torn] = w
            n_torn += 1
    return n_torn


@compiled
def release(length, rows, live, room):
    """Take the pairs on a path out of the bloc, before partners are handed on along it.

    Returns the number of members that are torn.
    """
    n_torn = 0
    for t in range(length):
        v = room.path[t]
        if live.member[v]:
            live.bloc[SIZE] -= 1
            n_torn = _expel(v, n_torn, rows, live, room)
            n_torn = _expel(live.partner[v], n_torn, rows, live, room)
    return n_torn


@compiled
def _tied_again(w, rows, live, room):
    """Tie a torn member to the root another way, if her neighbours offer one."""
    root = live.bloc[ROOT + (0 if w < rows.n_buyers else 1)]
    for k in range(rows.start[w], rows.start[w + 1]):
        u = rows.neighbours[k]
        if not live.member[u] or u == live.partner[w]:
            continue
        z = live.partner[u]
        steps = 0
        while z != root and not room.is_torn[z] and steps < FAR:
            z = live.partner[live.tie[z]]
            steps += 1
        room.work[SPENT] += 3 * steps  # each waits for memory, where rows are read in order
        if z == root:
            note(TIE, w, live.tie[w], room)
            live.tie[w] = u
            return True
    return False


@compiled
def _joins(i, rows, live, room):
    """Take a pair into the bloc if both of its traders know somebody there."""
    j = live.partner[i]
    if live.near[i] == 0 or live.near[j] == 0:
        return False
    for v in (i, j):
        for k in range(rows.start[v], rows.start[v + 1]):
            if live.member[rows.neighbours[k]]:
                note(TIE, v, live.tie[v], room)
                live.tie[v] = rows.neighbours[k]
                break
    # A label that is lost is lost for all; otherwise whatever is new will reach the root.
    for v in (i, j):
        note(MEMBER, v, 0.0, room)
        live.member[v] = True
        room.work[SPENT] += rows.start[v + 1] - rows.start[v]
        for k in range(rows.start[v], rows.start[v + 1]):
            w = rows.neighbours[k]
            note(NEAR, w, live.near[w], room)
            live.near[w] += 1
    live.bloc[SIZE] += 1
    return True


@compiled
def _dissolve(rows, live, room):
    """Give the bloc up: all its members are on their own."""
    for v in range(live.partner.size):
        if live.member[v]:
            _let_go(v, rows.n_buyers, live, room)
        if live.near[v] != 0:
            note(NEAR, v, live.near[v], room)
            live.near[v] = 0
    live.bloc[ROOT], live.bloc[ROOT + 1], live.bloc[SIZE] = -1, -1, 0
    live.bloc[COMMON], live.bloc[COMMON + 1] = -1, -1
    live.bloc[LOSSES], live.bloc[PATIENCE] = 0, 0


@compiled
def mend(n_torn, length, rows, live, room):
    """Tie the torn members again, let go whom nothing ties, and take in whom something does.

    The pairs along the path are those after partners have been handed on. Tells whether that was
    done before more was read than may be: a long thin bloc may take far longer than a new one.
    """
    if live.bloc[SIZE] <= 0:
        for x in range(n_torn):
            room.is_torn[room.torn[x]] = False
        if live.bloc[ROOT] >= 0:
            _dissolve(rows, live, room)
        return True
    torn, is_torn, partner = room.torn, room.is_torn, live.partner
    if not live.member[live.bloc[ROOT]]:
        # Another root, the ties of which need not be looked at any more.
        for x in range(n_torn):
            w = torn[x]
            if live.member[w]:
                i = w if w < rows.n_buyers else partner[w]
                live.bloc[ROOT], live.bloc[ROOT + 1] = i, partner[i]
                break
    n_leavers = 0
    most = live.bloc[SIZE] // 4 + 16
    while n_torn > 0 and n_leavers < most:
        left, progress = 0, False
        for x in range(n_torn):
            if room.work[SPENT] > room.work[MOST]:
                for y in range(left):
                    is_torn[torn[y]] = False
                for y in range(x, n_torn):
                    is_torn[torn[y]] = False
                return False
            w = torn[x]
            if (
                not live.member[w]
                or w == live.bloc[ROOT]
                or w == live.bloc[ROOT + 1]
                or _tied_again(w, rows, live, room)
            ):
                is_torn[w] = False
                progress = True
            else:
                torn[left] = w
                left += 1
        n_torn = left
        if not progress:
            for x in range(left):
                w = torn[x]
                if live.member[w]:
                    live.bloc[SIZE] -= 1
                    n_torn = _expel(w, n_torn, rows, live, room)
                    n_torn = _expel(partner[w], n_torn, rows, live, room)
                    room.leavers[n_leavers] = w
                    n_leavers += 1
    if n_torn > 0:
        for x in range(n_torn):
            is_torn[torn[x]] = False
        _dissolve(rows, live, room)
        return True
    for t in range(length):
        if partner[room.path[t]] >= 0:
            room.leavers[n_leavers] = room.path[t]
            n_leavers += 1
    progress = True
    while progress and n_leavers > 0 and room.work[SPENT] <= room.work[MOST]:
        left, progress = 0, False
        room.work[SPENT] += n_leavers
        for x in range(n_leavers):
            v = room.leavers[x]
            if _joins(v if v < rows.n_buyers else partner[v], rows, live, room):
                progress = True
            else:
                room.leavers[left] = v
                left += 1
        n_leavers = left
    return True


@compiled
def _reach(v, rows, live, room, stamp):
    """Mark the pairs that are reached from an agent, and tie the agents over whom they are."""
    room.mark[v] = stamp
    room.heap[0] = v
    head, filled = 0, 1
    while head < filled:
        v = room.heap[head]
        head += 1
        room.work[SPENT] += rows.start[v + 1] - rows.start[v]
        for k in range(rows.start[v], rows.start[v + 1]):
            u = rows.neighbours[k]
            y = live.partner[u]
            if y >= 0 and room.mark[y] != stamp:
                room.mark[y] = stamp
                room.heap[filled] = y
                filled += 1
                note(TIE, u, live.tie[u], room)
                live.tie[u] = v
    return filled


@compiled
def _likely_root(tries, n_lost, lost, rows, live):
    """Choose the buyer of a pair that has many neighbours, or after failures any; -1 if none."""
    best, best_degree = -1, -1
    for x in range(n_lost):
        v = lost[x]
        o = live.partner[v]
        if o < 0:
            continue
        degree = min(rows.start[v + 1] - rows.start[v], rows.start[o + 1] - rows.start[o])
        if tries > 1:
            degree = (x * 7919 + tries) % n_lost
        if degree > best_degree:
            best, best_degree = v, degree
    return best if best < rows.n_buyers else live.partner[best]


@compiled
def build(side, large, rows, live, room):
    """Build the bloc anew, around one of the many that have just lost their labels.

    Labels must all be right. `large` is the number of pairs for which it is worth its keep.
    """
    i, tries, patience = live.bloc[ROOT], live.bloc[LOSSES], live.bloc[PATIENCE]
    live.bloc[LOSSES] = 0
    if i < 0:
        i = _likely_root(tries, room.n_lost[side], room.lost[side], rows, live)
        if i < 0:
            return
    for s in range(2):
        room.bloc_lost[s] = False
    _dissolve(rows, live, room)
    j = live.partner[i]
    room.work[STAMP] += 1
    stamp = room.work[STAMP]
    _reach(i, rows, live, room, stamp)
    _reach(j, rows, live, room, stamp)
    size = 0
    for v in range(rows.n_buyers):
        o = live.partner[v]
        size += o >= 0 and room.mark[v] == stamp and room.mark[o] == stamp
    if size < large:
        live.bloc[PATIENCE] = min(256, 2 * patience + 1)
        return
    live.bloc[PATIENCE] = 256
    live.bloc[ROOT], live.bloc[ROOT + 1], live.bloc[SIZE] = i, j, size
    live.bloc[COMMON], live.bloc[COMMON + 1] = live.label[i], live.label[j]
    for v in range(rows.n_buyers):
        o = live.partner[v]
        if o >= 0 and room.mark[v] == stamp and room.mark[o] == stamp:
            for w in (v, np.int64(o)):
                note(MEMBER, w, 0.0, room)
                live.member[w] = True
                for k in range(rows.start[w], rows.start[w + 1]):
                    u = rows.neighbours[k]
                    note(NEAR, u, live.near[u], room)
                    live.near[u] += 1
