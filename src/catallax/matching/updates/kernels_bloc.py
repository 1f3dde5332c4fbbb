"""Array-only kernels that keep a bloc: pairs of traders who all have the same thresholds.

In a pairing an arc goes from one pair to another if the buyer of the first knows the seller of
the second. Where arcs lead from any pair of a set to any other, whatever reaches one reaches
all, so all buyers of the set have one threshold and so have all sellers (the law of one
price). Large markets have one such set that holds most of their traders, and whoever sets its
threshold moves with every trade: so it is kept as one.

Whoever else has the bloc's label shares it: that is said of her, and no label is kept. So when
the label changes nothing has to be done for her, except to see that the bloc still reaches her.

The bloc proves itself: every member but the root's pair has a *tie*, a neighbour in the bloc
on the other side, whose partner is one step nearer to the root. Ties of buyers lead along the
arcs to the root, ties of sellers against them. The bloc need not be as large as it could be.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled, subkernel
from catallax.matching.updates.kernels_journal import (
    APART,
    BLOCK,
    COMMON,
    INSIDE,
    LABEL,
    LOSSES,
    MOST,
    NEAR,
    PATIENCE,
    ROOT,
    SHARES,
    SIZE,
    SPENT,
    STAMP,
    STANDING,
    TIE,
    note,
)

__all__ = ["build", "mend", "part_with_all", "release", "share", "sift", "stand"]

# A way to the root of more steps than this is not looked at to its end.
FAR = 2000
# So often those who share the bloc's label look for somebody whom it reaches.
LOOKS = 32


@subkernel
def stand(v, standing, live, room):
    """Let an agent stand in another way towards the bloc."""
    note(STANDING, v, live.standing[v], room)
    live.standing[v] = standing


@subkernel
def _part(v, n_buyers, live, room):
    """Give somebody with the bloc's label one of her own, the same unless it is lost."""
    stand(v, APART, live, room)
    note(LABEL, v, live.label[v], room)
    side = 0 if v < n_buyers else 1
    if room.bloc_lost[side]:
        live.label[v] = -1
        room.lost[side][room.n_lost[side]] = v
        room.n_lost[side] += 1
    else:
        live.label[v] = live.bloc[COMMON + side]


@subkernel
def sift(side, rows, live, room):
    """Part with those who share the bloc's label on a side, and whom the bloc does not reach.

    To be called before the label changes; the root has it, and is not looked at.
    """
    n_buyers, partner, standing = rows.n_buyers, live.partner, live.standing
    first, last = (0, n_buyers) if side == 0 else (n_buyers, partner.size)
    room.work[STAMP] += 1
    stamp, mark, reached, others = room.work[STAMP], room.mark, room.link, room.leavers
    filled, left = 0, 0
    for y in range(first, last):
        if standing[y] == SHARES:
            if live.near[partner[y]] != 0:
                mark[y] = stamp
                reached[filled] = y
                filled += 1
            else:
                others[left] = y
                left += 1
    # Nearly all are next to the bloc, or to one of these: so the others look around first.
    looks, head = 0, 0
    while left > 0 and looks < LOOKS:
        looks += 1
        still = 0
        for x in range(left):
            y = others[x]
            o = partner[y]
            room.work[SPENT] += rows.start[o + 1] - rows.start[o]
            for k in range(rows.start[o], rows.start[o + 1]):
                u = rows.neighbours[k]
                if standing[u] == SHARES and mark[u] == stamp:
                    mark[y] = stamp
                    reached[filled] = y
                    filled += 1
                    break
            else:
                others[still] = y
                still += 1
        if still == left:
            head = filled  # nobody reaches these
            break
        left = still
    while head < filled and left > 0:
        u = reached[head]
        head += 1
        room.work[SPENT] += rows.start[u + 1] - rows.start[u]
        for k in range(rows.start[u], rows.start[u + 1]):
            y = partner[rows.neighbours[k]]
            if y >= 0 and standing[y] == SHARES and mark[y] != stamp:
                mark[y] = stamp
                reached[filled] = y
                filled += 1
                left -= 1
    if left == 0:
        return
    for y in range(first, last):
        if standing[y] == SHARES and mark[y] != stamp:
            _part(y, n_buyers, live, room)


@subkernel
def part_with_all(side, n_buyers, live, room):
    """Part with all who share the bloc's label on a side."""
    first, last = (0, n_buyers) if side == 0 else (n_buyers, live.partner.size)
    for y in range(first, last):
        if live.standing[y] == SHARES:
            _part(y, n_buyers, live, room)


@subkernel
def share(side, n_buyers, live, room):
    """Let all who have the bloc's label on a side share it."""
    first, last = (0, n_buyers) if side == 0 else (n_buyers, live.partner.size)
    common, label, standing = live.bloc[COMMON + side], live.label, live.standing
    for begin in range(first, last, BLOCK):
        end, hits = min(begin + BLOCK, last), 0
        for y in range(begin, end):
            hits += (label[y] == common) & (standing[y] == APART)
        for y in range(begin, end if hits > 0 else begin):
            if label[y] == common and standing[y] == APART:
                stand(y, SHARES, live, room)


@subkernel
def _expel(v, n_torn, rows, live, room):
    """Take an agent out of the bloc, whose label she shares; who was tied through her is torn."""
    stand(v, SHARES, live, room)
    room.work[SPENT] += rows.start[v + 1] - rows.start[v]
    for k in range(rows.start[v], rows.start[v + 1]):
        w = rows.neighbours[k]
        note(NEAR, w, live.near[w], room)
        live.near[w] -= 1
        if live.standing[w] == INSIDE and live.tie[w] == v and not room.is_torn[w]:
            room.is_torn[w] = True
            room.torn[n_torn] = w
            n_torn += 1
    return n_torn


@subkernel
def release(length, rows, live, room):
    """Take the pairs on a path out of the bloc, before partners are handed on along it.

    Returns the number of members that are torn.
    """
    n_torn = np.int64(0)
    for t in range(length):
        v = room.path[t]
        if live.standing[v] == INSIDE:
            live.bloc[SIZE] -= 1
            n_torn = _expel(v, n_torn, rows, live, room)
            n_torn = _expel(live.partner[v], n_torn, rows, live, room)
    return n_torn


@subkernel
def _tied_again(w, rows, live, room):
    """Tie a torn member to the root another way, if her neighbours offer one."""
    root = live.bloc[ROOT + (0 if w < rows.n_buyers else 1)]
    for k in range(rows.start[w], rows.start[w + 1]):
        u = rows.neighbours[k]
        if live.standing[u] != INSIDE or u == live.partner[w]:
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


@subkernel
def _joins(i, rows, live, room):
    """Take a pair into the bloc if both of its traders know somebody there."""
    j = live.partner[i]
    if live.near[i] == 0 or live.near[j] == 0:
        return False
    for v in (i, j):
        for k in range(rows.start[v], rows.start[v + 1]):
            if live.standing[rows.neighbours[k]] == INSIDE:
                note(TIE, v, live.tie[v], room)
                live.tie[v] = rows.neighbours[k]
                break
    # A label that is lost is lost for all; otherwise whatever is new will reach the root.
    for v in (i, j):
        stand(v, INSIDE, live, room)
        room.work[SPENT] += rows.start[v + 1] - rows.start[v]
        for k in range(rows.start[v], rows.start[v + 1]):
            w = rows.neighbours[k]
            note(NEAR, w, live.near[w], room)
            live.near[w] += 1
    live.bloc[SIZE] += 1
    return True


@subkernel
def _dissolve(rows, live, room):
    """Give the bloc up: all who have its label are on their own."""
    for v in range(live.partner.size):
        if live.standing[v] != APART:
            _part(v, rows.n_buyers, live, room)
        if live.near[v] != 0:
            note(NEAR, v, live.near[v], room)
            live.near[v] = 0
    live.bloc[ROOT], live.bloc[ROOT + 1], live.bloc[SIZE] = -1, -1, 0
    live.bloc[COMMON], live.bloc[COMMON + 1] = -1, -1
    live.bloc[LOSSES], live.bloc[PATIENCE] = 0, 0


@subkernel
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
    if live.standing[live.bloc[ROOT]] != INSIDE:
        # Another root, the ties of which need not be looked at any more.
        for x in range(n_torn):
            w = torn[x]
            if live.standing[w] == INSIDE:
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
                live.standing[w] != INSIDE
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
                if live.standing[w] == INSIDE:
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


@subkernel
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


@subkernel
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
    j = np.int64(live.partner[i])
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
                stand(w, INSIDE, live, room)
                for k in range(rows.start[w], rows.start[w + 1]):
                    u = rows.neighbours[k]
                    note(NEAR, u, live.near[u], room)
                    live.near[u] += 1
    for s in range(2):
        share(s, rows.n_buyers, live, room)
