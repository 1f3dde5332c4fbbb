"""Array-only kernels that mend thresholds after a candidate has moved, entered or left.

Buyers and sellers are numbered together: buyer i as i, seller j as `n_buyers` + j. On either
side the label of a trader is the agent that sets her threshold. A *candidate* of her side is
whoever does not trade there, or a trader of the other side, who could be let go with her
partner. Buyers take the heaviest candidate that reaches them, sellers the lightest.

Traders of the bloc (see `kernels_bloc`) have one label a side, kept once for all of them and for
those who share it; while labels are mended, it is that of its root.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import subkernel
from catallax.matching.updates.kernels_bloc import part_with_all, share, sift, stand
from catallax.matching.updates.kernels_compare import better
from catallax.matching.updates.kernels_heap import pop, sift_up
from catallax.matching.updates.kernels_journal import (
    APART,
    BLOCK,
    COMMON,
    INSIDE,
    LABEL,
    ROOT,
    SHARES,
    SIFTED,
    SPENT,
    note,
)

__all__ = ["forget", "relabel"]


# So many candidates between the old and the new label of the bloc are looked at one by one.
FEW = 16


@subkernel
def _forget_one(y, c, side, live, room):
    if y >= 0 and live.label[y] == c and live.standing[y] == APART:
        note(LABEL, y, c, room)
        live.label[y] = -1
        room.lost[side][room.n_lost[side]] = y
        room.n_lost[side] += 1


@subkernel
def forget(c, rows, live, room):
    """Take their labels from all whom candidate c labels."""
    side = 0 if (c < rows.n_buyers) == (live.partner[c] < 0) else 1
    label, partner, start, neighbours = live.label, live.partner, rows.start, rows.neighbours
    if live.bloc[ROOT + side] >= 0 and live.bloc[COMMON + side] == c:
        room.bloc_lost[side] = True
        first, last = (0, rows.n_buyers) if side == 0 else (rows.n_buyers, label.size)
        standing, lost, filled = live.standing, room.lost[side], room.n_lost[side]
        for y in range(first, last):
            if label[y] == c and standing[y] == APART:
                note(LABEL, y, c, room)
                label[y] = -1
                lost[filled] = y
                filled += 1
        room.n_lost[side] = filled
        return
    # Whoever has the label has it over others with the same, or from the candidate herself.
    head = room.n_lost[side]
    if partner[c] >= 0:
        _forget_one(partner[c], c, side, live, room)
    else:
        for k in range(start[c], start[c + 1]):
            _forget_one(partner[neighbours[k]], c, side, live, room)
    while head < room.n_lost[side]:
        u = room.lost[side][head]
        head += 1
        room.work[SPENT] += start[u + 1] - start[u]
        for k in range(start[u], start[u + 1]):
            y = partner[neighbours[k]]
            if y >= 0 and label[y] == c:
                _forget_one(y, c, side, live, room)


@subkernel
def _known(y, side, live):
    """Tell the label that an agent has while labels are mended."""
    return live.label[y if live.standing[y] == APART else live.bloc[ROOT + side]]


@subkernel
def _relabelled(y, c, side, rows, live, room):
    """Give an agent another label; return where it is kept: for all of the bloc at its root."""
    if live.standing[y] == INSIDE:
        y = live.bloc[ROOT + side]
        if not room.work[SIFTED]:
            room.work[SIFTED] = 1
            sift(side, rows, live, room)
    elif live.standing[y] == SHARES:
        stand(y, APART, live, room)
    note(LABEL, y, live.label[y], room)
    live.label[y] = c
    return y


@subkernel
def _improve(y, c, side, size, rows, live, room):
    """Give an agent the label c if it is better than what she has; return the heap's size."""
    label = live.label
    known = _known(y, side, live)
    if known >= 0 and not better(side, c, known, live.weight, rows.n_buyers):
        return size
    y = _relabelled(np.int64(y), np.int64(c), side, rows, live, room)
    if room.place[y] == 0:
        room.heap[size] = y
        room.place[y] = size + 1
        size += 1
    sift_up(room.heap, room.place, room.place[y] - 1, side, label, live.weight, rows.n_buyers)
    return size


@subkernel
def _best_of_bloc(side, rows, live):
    """Find the best candidate that reaches the bloc at once: for all its traders the same."""
    partner, standing, weight, n_buyers = live.partner, live.standing, live.weight, rows.n_buyers
    label, near = live.label, live.near
    first, last = (0, n_buyers) if side == 0 else (n_buyers, partner.size)
    start, stop = (n_buyers, partner.size) if side == 0 else (0, n_buyers)
    best = np.int64(partner[live.bloc[ROOT + side]])
    # Who is inside, or waits, follows no pattern; that one is better than all before is rare.
    sign = 1.0 if side == 0 else -1.0
    for begin in range(start, stop, BLOCK):  # with her partner, who is inside too
        end, level, hits = min(begin + BLOCK, stop), sign * weight[best], 0
        for u in range(begin, end):
            hits += (sign * weight[u] >= level) & (standing[u] == INSIDE)
        for u in range(begin, end if hits > 0 else begin):
            if standing[u] == INSIDE and better(side, u, best, weight, n_buyers):
                best = u
    for begin in range(first, last, BLOCK):  # who waits
        end, level, hits = min(begin + BLOCK, last), sign * weight[best], 0
        for u in range(begin, end):
            hits += (sign * weight[u] >= level) & (partner[u] < 0) & (near[u] != 0)
        for u in range(begin, end if hits > 0 else begin):
            waits = partner[u] < 0 and near[u] != 0
            if waits and better(side, u, best, weight, n_buyers):
                best = u
    for u in range(first, last):  # whoever reaches a trader next to the bloc
        if (standing[u] == APART) & (label[u] >= 0) & (near[u] != 0):
            candidate = np.int64(label[u])
            if better(side, candidate, best, weight, n_buyers):
                best = candidate
    return best


@subkernel
def _best_at_hand(y, side, rows, live):
    """Find the best candidate that reaches a trader from her neighbours' labels."""
    partner = live.partner
    best = partner[y]
    for k in range(rows.start[partner[y]], rows.start[partner[y] + 1]):
        u = rows.neighbours[k]
        if u == y:
            continue
        if partner[u] < 0:
            candidate = u
        else:
            candidate = _known(u, side, live)
        if candidate >= 0 and better(side, candidate, best, live.weight, rows.n_buyers):
            best = candidate
    return best


@subkernel
def _hand_on(y, c, side, filled, rows, live, room):
    """Give an agent the best label there is left, which is final; return the queue's size."""
    y = _relabelled(np.int64(y), np.int64(c), side, rows, live, room)
    if room.place[y] == 0:
        room.path[filled] = y
        return filled + 1
    sift_up(room.heap, room.place, room.place[y] - 1, side, live.label, live.weight, rows.n_buyers)
    return filled


@subkernel
def _spread_from_bloc(c, everywhere, side, filled, rows, live, room):
    """Hand the label of the bloc on to who is next to it, or to those who share its label."""
    partner, label, standing, weight = live.partner, live.label, live.standing, live.weight
    first, last = (0, rows.n_buyers) if side == 0 else (rows.n_buyers, partner.size)
    others, number = room.link, 0
    for y in range(first, last):  # they follow no pattern, so nothing is decided here
        others[number] = y
        number += (standing[y] == APART) & (partner[y] >= 0) & (label[y] != c)
    for x in range(number):
        y = others[x]
        if live.near[partner[y]] != 0 and (
            label[y] < 0 or better(side, c, label[y], weight, rows.n_buyers)
        ):
            filled = _hand_on(y, c, side, filled, rows, live, room)
    for u in range(first, last if everywhere else first):
        if standing[u] != SHARES:
            continue
        room.work[SPENT] += rows.start[u + 1] - rows.start[u]
        for k in range(rows.start[u], rows.start[u + 1]):
            y = partner[rows.neighbours[k]]
            if y < 0 or standing[y] != APART or label[y] == c:
                continue
            if label[y] < 0 or better(side, c, label[y], weight, rows.n_buyers):
                filled = _hand_on(y, c, side, filled, rows, live, room)
    return filled


@subkernel
def _spread(u, everywhere, side, filled, rows, live, room):
    """Hand the label of an agent on to whom it reaches and improves; return the queue's size.

    From the bloc it reaches whoever is next to it, and, if it is to go everywhere, next to
    those who share its label.
    """
    partner, label, standing, c = live.partner, live.label, live.standing, live.label[u]
    if standing[u] == INSIDE:
        return _spread_from_bloc(c, everywhere, side, filled, rows, live, room)
    root = live.bloc[ROOT + side]
    room.work[SPENT] += rows.start[u + 1] - rows.start[u]
    for k in range(rows.start[u], rows.start[u + 1]):
        y = partner[rows.neighbours[k]]
        if y < 0 or y == u:
            continue
        # What comes to nothing is looked at here, since it is nearly all there is.
        known = label[y] if standing[y] == APART else label[root]
        if known < 0 or (known != c and better(side, c, known, live.weight, rows.n_buyers)):
            filled = _hand_on(y, c, side, filled, rows, live, room)
    return filled


@subkernel
def _run_from(u, side, rows, live, room):
    """Spread the best label there is from an agent, as far as it goes."""
    room.path[0] = u
    filled, everywhere = np.int64(1), np.bool_(True)
    while filled > 0:
        filled -= 1
        filled = _spread(room.path[filled], everywhere, side, filled, rows, live, room)


@subkernel
def _run(side, size, rows, live, room):
    """Spread the labels of all agents on the heap, the best first."""
    while size > 0:
        u = pop(room.heap, room.place, size, side, live.label, live.weight, rows.n_buyers)
        size -= 1
        _run_from(u, side, rows, live, room)


@subkernel
def _push(y, side, size, rows, live, room):
    """Put an agent with her label on the heap; return its size."""
    if room.place[y] == 0:
        room.heap[size] = y
        room.place[y] = size + 1
        size += 1
    sift_up(room.heap, room.place, room.place[y] - 1, side, live.label, live.weight, rows.n_buyers)
    return size


@subkernel
def _offer(c, side, size, rows, live, room):
    """Let a candidate label whom she reaches at once; return the heap's size."""
    partner = live.partner
    if (partner[c] < 0) != ((c < rows.n_buyers) == (side == 0)):
        return size  # no candidate of this side
    if partner[c] >= 0:
        return _improve(partner[c], c, side, size, rows, live, room)
    for k in range(rows.start[c], rows.start[c + 1]):
        y = partner[rows.neighbours[k]]
        if y >= 0:
            size = _improve(y, c, side, size, rows, live, room)
    return size


@subkernel
def _between(side, low, high, n_buyers, live, found):
    """List candidates of a side better than one of them, and at most as good as a weight.

    Returns how many they are; one too many where they are too many to be listed.
    """
    weight, partner = live.weight, live.partner
    bottom, top = (weight[low], high) if side == 0 else (high, weight[low])
    number = 0
    for begin in range(0, weight.size, BLOCK):
        end, hits = min(begin + BLOCK, weight.size), 0
        for v in range(begin, end):
            hits += (weight[v] >= bottom) & (weight[v] <= top)
        if hits == 0:
            continue
        for v in range(begin, end):
            if weight[v] < bottom or weight[v] > top:
                continue
            if (partner[v] < 0) != ((v < n_buyers) == (side == 0)):
                continue
            if better(side, v, low, weight, n_buyers):
                if number == FEW:
                    return FEW + 1
                found[number] = v
                number += 1
    return number


@subkernel
def _offer_few(side, number, size, rows, live, room):
    """Put all whom a few candidates label, or could at once, on the heap; return its size."""
    first, last = (0, rows.n_buyers) if side == 0 else (rows.n_buyers, live.label.size)
    few = room.torn
    for x in range(number):
        size = _offer(np.int64(few[x]), side, size, rows, live, room)
    for x in range(number):
        c = few[x]
        for y in range(first, last):
            if live.label[y] == c and live.standing[y] == APART:
                size = _push(np.int64(y), side, size, rows, live, room)
    return size


@subkernel
def _label_at_hand(y, side, size, rows, live, room):
    """Label an agent from what is near, and put her on the heap; return its size."""
    note(LABEL, y, live.label[y], room)
    room.work[SPENT] += rows.start[live.partner[y] + 1] - rows.start[live.partner[y]]
    live.label[y] = _best_at_hand(y, side, rows, live)
    return _push(np.int64(y), side, size, rows, live, room)


@subkernel
def _follow_bloc(side, first, second, before, size, rows, live, room):
    """Label those who had the bloc's label and are next to it; return the heap's size.

    Between the old label and the new there is hardly any candidate: once what those few reach
    is labelled, nobody there needs to look around. Where they are many nothing is done.
    """
    n_buyers, label, partner = rows.n_buyers, live.label, live.partner
    root = live.bloc[ROOT + side]
    last = label[root]
    # When they trade places, the threshold that the first has set is the second's weight.
    common = live.bloc[COMMON + side]
    high = before if second < 0 else live.weight[second]
    if common == first:
        high = max(high, before) if side == 0 else min(high, before)
    number = _between(side, last, high, n_buyers, live, room.torn)
    if number > FEW:
        part_with_all(side, rows.n_buyers, live, room)
        return size
    size = _offer_few(side, number, size, rows, live, room)
    # Those who had another label, and those who trade only now, may have any.
    ends = room.ends[side]
    start, stop = (ends[0], ends[1]) if common == first else (0, ends[0])
    for x in range(room.n_lost[side]):
        y = room.lost[side][x]
        other = start <= x < stop or y in (first, second)
        if other and partner[y] >= 0 and live.standing[y] == APART:
            c = np.int64(_best_at_hand(y, side, rows, live))
            if better(side, c, last, live.weight, n_buyers):
                size = _improve(y, c, side, size, rows, live, room)
    for c in (first, second):
        if c >= 0 and better(side, c, last, live.weight, n_buyers):
            size = _offer(c, side, size, rows, live, room)
    while size > 0:
        u = pop(room.heap, room.place, size, side, label, live.weight, n_buyers)
        size -= 1
        if label[u] == last and last not in (first, second):
            # Whom these reach in turn has lost her label, or has a better one: she will ask.
            _spread(u, np.bool_(False), side, np.int64(0), rows, live, room)
        else:
            _run_from(u, side, rows, live, room)
    return 0


@subkernel
def relabel(side, first, second, before, rows, live, room):
    """Label whoever has lost her label, best labels first, and spread two new candidates.

    Parameters
    ----------
    side
        Whose labels: 0 for buyers, 1 for sellers.
    first, second
        The candidates, who labelled all who have lost their labels; -1 for nobody.
    before
        What the first weighed until now; the second has not changed.
    rows, live, room
        See `kernels_journal`.
    """
    label, partner, standing = live.label, live.partner, live.standing
    root, lost = live.bloc[ROOT + side], room.lost[side]
    room.work[SIFTED] = 0
    if root >= 0 and label[root] != live.bloc[COMMON + side]:
        note(LABEL, root, label[root], room)
        label[root] = live.bloc[COMMON + side]
    size = np.int64(0)
    if root >= 0 and room.bloc_lost[side]:
        _relabelled(root, np.int64(_best_of_bloc(side, rows, live)), side, rows, live, room)
        size = _push(root, side, size, rows, live, room)
        size = _follow_bloc(side, first, second, before, size, rows, live, room)
    for x in range(room.n_lost[side]):
        y = lost[x]
        if partner[y] >= 0 and standing[y] == APART and label[y] < 0:
            size = _label_at_hand(y, side, size, rows, live, room)
    for c in (first, second):
        if c >= 0:
            size = _offer(c, side, size, rows, live, room)
    _run(side, size, rows, live, room)
    if root < 0:
        return
    live.bloc[COMMON + side] = label[root]
    if room.work[SIFTED]:
        share(side, rows.n_buyers, live, room)
