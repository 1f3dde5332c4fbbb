"""Array-only kernels that mend thresholds after a candidate has moved, entered or left.

Buyers and sellers are numbered together: buyer i as i, seller j as `n_buyers` + j. On either
side the label of a trader is the agent that sets her threshold. A *candidate* of her side is
whoever does not trade there, or a trader of the other side, who could be let go with her
partner. Buyers take the heaviest candidate that reaches them, sellers the lightest.

Traders of the bloc (see `kernels_bloc`) have one label a side, kept once for all of them; while
labels are mended, it is that of its root.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

from catallax.compiled import compiled
from catallax.matching.updates.kernels_compare import better
from catallax.matching.updates.kernels_journal import COMMON, LABEL, ROOT, SPENT, note

__all__ = ["forget", "relabel"]


# So many candidates between the old and the new label of the bloc are looked at one by one.
FEW = 16


@compiled
def _forget_one(y, c, side, live, room):
    if y >= 0 and live.label[y] == c and not live.member[y]:
        note(LABEL, y, c, room)
        live.label[y] = -1
        room.lost[side][room.n_lost[side]] = y
        room.n_lost[side] += 1


@compiled
def forget(c, rows, live, room):
    """Take their labels from all whom candidate c labels."""
    side = 0 if (c < rows.n_buyers) == (live.partner[c] < 0) else 1
    label, partner, start, neighbours = live.label, live.partner, rows.start, rows.neighbours
    if live.bloc[ROOT + side] >= 0 and live.bloc[COMMON + side] == c:
        room.bloc_lost[side] = True
        first, last = (0, rows.n_buyers) if side == 0 else (rows.n_buyers, label.size)
        member, lost, filled = live.member, room.lost[side], room.n_lost[side]
        for y in range(first, last):
            if label[y] == c and not member[y]:
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


@compiled
def _sift_up(heap, place, at, side, label, weight, n_buyers):
    """Move an entry of the heap towards its top, where the best label stands."""
    v = heap[at]
    while at > 0:
        above = (at - 1) >> 1
        u = heap[above]
        if not better(side, label[v], label[u], weight, n_buyers):
            break
        heap[at] = u
        place[u] = at + 1
        at = above
    heap[at] = v
    place[v] = at + 1


@compiled
def _pop(heap, place, size, side, label, weight, n_buyers):
    """Take the agent with the best label off the heap of `size` entries."""
    top = heap[0]
    place[top] = 0
    size -= 1
    if size > 0:
        v = heap[size]
        at = 0
        while True:
            below = 2 * at + 1
            if below >= size:
                break
            if below + 1 < size and better(
                side, label[heap[below + 1]], label[heap[below]], weight, n_buyers
            ):
                below += 1
            if not better(side, label[heap[below]], label[v], weight, n_buyers):
                break
            heap[at] = heap[below]
            place[heap[at]] = at + 1
            at = below
        heap[at] = v
        place[v] = at + 1
    return top


@compiled
def _improve(y, c, side, size, rows, live, room):
    """Give an agent the label c if it is better than what she has; return the heap's size."""
    if live.member[y]:
        y = live.bloc[ROOT + side]
    label = live.label
    if label[y] >= 0 and not better(side, c, label[y], live.weight, rows.n_buyers):
        return size
    note(LABEL, y, label[y], room)
    label[y] = c
    if room.place[y] == 0:
        room.heap[size] = y
        room.place[y] = size + 1
        size += 1
    _sift_up(room.heap, room.place, room.place[y] - 1, side, label, live.weight, rows.n_buyers)
    return size


@compiled
def _best_of_bloc(side, rows, live):
    """Find the best candidate that reaches the bloc at once: for all its traders the same."""
    partner, member, weight, n_buyers = live.partner, live.member, live.weight, rows.n_buyers
    first, last = (0, n_buyers) if side == 0 else (n_buyers, partner.size)
    best = partner[live.bloc[ROOT + side]]
    for u in range(partner.size):
        if (u < first) | (u >= last):
            if not member[u]:
                continue
            candidate = u  # with her partner, who is one of the bloc
        else:
            if live.near[u] == 0 or member[u]:
                continue
            candidate = u if partner[u] < 0 else live.label[u]
            if candidate < 0:
                continue
        if better(side, candidate, best, weight, n_buyers):
            best = candidate
    return best


@compiled
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
            candidate = live.label[live.bloc[ROOT + side] if live.member[u] else u]
        if candidate >= 0 and better(side, candidate, best, live.weight, rows.n_buyers):
            best = candidate
    return best


@compiled
def _hand_on(y, c, side, filled, rows, live, room):
    """Give an agent the best label there is left, which is final; return the queue's size."""
    if live.member[y]:
        y = live.bloc[ROOT + side]
    note(LABEL, y, live.label[y], room)
    live.label[y] = c
    if room.place[y] == 0:
        room.path[filled] = y
        return filled + 1
    _sift_up(room.heap, room.place, room.place[y] - 1, side, live.label, live.weight, rows.n_buyers)
    return filled


@compiled
def _spread(u, side, filled, rows, live, room):
    """Hand the label of an agent on to whom it reaches and improves; return the queue's size."""
    partner, label, member, near = live.partner, live.label, live.member, live.near
    weight, n_buyers, neighbours = live.weight, rows.n_buyers, rows.neighbours
    c, root = label[u], live.bloc[ROOT + side]
    if member[u]:
        first, last = (0, n_buyers) if side == 0 else (n_buyers, partner.size)
        for y in range(first, last):
            if member[y] or partner[y] < 0 or near[partner[y]] == 0 or label[y] == c:
                continue
            if label[y] < 0 or better(side, c, label[y], weight, n_buyers):
                filled = _hand_on(y, c, side, filled, rows, live, room)
        return filled
    room.work[SPENT] += rows.start[u + 1] - rows.start[u]
    for k in range(rows.start[u], rows.start[u + 1]):
        y = partner[neighbours[k]]
        if y < 0 or y == u:
            continue
        # What comes to nothing is looked at here, since it is nearly all there is.
        known = label[root] if member[y] else label[y]
        if known < 0 or (known != c and better(side, c, known, weight, n_buyers)):
            filled = _hand_on(y, c, side, filled, rows, live, room)
    return filled


@compiled
def _run_from(u, side, rows, live, room):
    """Spread the best label there is from an agent, as far as it goes."""
    room.path[0] = u
    filled = 1
    while filled > 0:
        filled -= 1
        filled = _spread(room.path[filled], side, filled, rows, live, room)


@compiled
def _run(side, size, rows, live, room):
    """Spread the labels of all agents on the heap, the best first."""
    while size > 0:
        u = _pop(room.heap, room.place, size, side, live.label, live.weight, rows.n_buyers)
        size -= 1
        _run_from(u, side, rows, live, room)


@compiled
def _push(y, side, size, rows, live, room):
    """Put an agent with her label on the heap; return its size."""
    if room.place[y] == 0:
        room.heap[size] = y
        room.place[y] = size + 1
        size += 1
    _sift_up(room.heap, room.place, room.place[y] - 1, side, live.label, live.weight, rows.n_buyers)
    return size


@compiled
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


@compiled
def _between(side, low, high, n_buyers, live, found):
    """List candidates of a side better than one of them, and at most as good as a weight.

    Returns how many they are; one too many where they are too many to be listed.
    """
    weight, partner = live.weight, live.partner
    bottom, top = (weight[low], high) if side == 0 else (high, weight[low])
    number = 0
    for v in range(weight.size):
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


@compiled
def _offer_few(side, number, size, rows, live, room):
    """Put all whom a few candidates label, or could at once, on the heap; return its size."""
    first, last = (0, rows.n_buyers) if side == 0 else (rows.n_buyers, live.label.size)
    few = room.torn
    for x in range(number):
        size = _offer(few[x], side, size, rows, live, room)
    for y in range(first, last):
        c = live.label[y]
        if c >= 0 and not live.member[y]:
            for x in range(number):
                if c == few[x]:
                    size = _push(y, side, size, rows, live, room)
    return size


@compiled
def _label_at_hand(y, side, size, rows, live, room):
    """Label an agent from what is near, and put her on the heap; return its size."""
    note(LABEL, y, live.label[y], room)
    room.work[SPENT] += rows.start[live.partner[y] + 1] - rows.start[live.partner[y]]
    live.label[y] = _best_at_hand(y, side, rows, live)
    return _push(y, side, size, rows, live, room)


@compiled
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
        return size
    size = _offer_few(side, number, size, rows, live, room)
    # Those who had another label, and those who trade only now, may have any.
    ends = room.ends[side]
    start, stop = (ends[0], ends[1]) if common == first else (0, ends[0])
    for x in range(room.n_lost[side]):
        y = room.lost[side][x]
        other = start <= x < stop or y in (first, second)
        if other and partner[y] >= 0 and not live.member[y]:
            c = _best_at_hand(y, side, rows, live)
            if better(side, c, last, live.weight, n_buyers):
                size = _improve(y, c, side, size, rows, live, room)
    for c in (first, second):
        if c >= 0 and better(side, c, last, live.weight, n_buyers):
            size = _offer(c, side, size, rows, live, room)
    while size > 0:
        u = _pop(room.heap, room.place, size, side, label, live.weight, n_buyers)
        size -= 1
        if label[u] == last and last not in (first, second):
            # Whom these reach in turn has lost her label, or has a better one: she will ask.
            _spread(u, side, 0, rows, live, room)
        else:
            _run_from(u, side, rows, live, room)
    return 0


@compiled
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
    label, partner = live.label, live.partner
    root = live.bloc[ROOT + side]
    n_lost, lost = room.n_lost[side], room.lost[side]
    if root >= 0 and label[root] != live.bloc[COMMON + side]:
        note(LABEL, root, label[root], room)
        label[root] = live.bloc[COMMON + side]
    size = 0
    if root >= 0 and room.bloc_lost[side]:
        note(LABEL, root, label[root], room)
        label[root] = _best_of_bloc(side, rows, live)
        size = _push(root, side, size, rows, live, room)
        size = _follow_bloc(side, first, second, before, size, rows, live, room)
    for x in range(n_lost):
        y = lost[x]
        if partner[y] >= 0 and not live.member[y] and label[y] < 0:
            size = _label_at_hand(y, side, size, rows, live, room)
    for c in (first, second):
        if c >= 0:
            size = _offer(c, side, size, rows, live, room)
    _run(side, size, rows, live, room)
    if root >= 0:
        live.bloc[COMMON + side] = label[root]
