"""Array-only kernels that follow a best matching and all its thresholds while weights change.

Agents are numbered, labelled and compared as in `kernels_relabel`.
"""

# Numba infers the types of arguments; annotations would only repeat the docstrings.
# pyright: reportMissingParameterType=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numpy as np

from catallax.compiled import compiled, subkernel
from catallax.matching.updates.kernels_bloc import build, mend, release, stand
from catallax.matching.updates.kernels_compare import better, heavier
from catallax.matching.updates.kernels_journal import (
    APART,
    CROSSED,
    LABEL,
    LOSSES,
    MOST,
    NOTED,
    PARTNER,
    PATIENCE,
    REPORT,
    SIZE,
    SPENT,
    STAMP,
    WEIGHT,
    drop_notes,
    exchange,
    label_of,
    note,
    summary,
)
from catallax.matching.updates.kernels_relabel import forget, relabel

__all__ = ["both_rows", "entries", "entry_of", "step"]

# After more changes than this at once a bloc may well be built in vain.
FEW = 10


@compiled
def both_rows(start, neighbours, n_sellers, all_start, all_neighbours):
    """Write the rows of buyers and sellers, numbered together, from the rows of the buyers."""
    n_buyers = start.size - 1
    edges = neighbours.size
    for v in range(n_buyers + n_sellers + 1):
        all_start[v] = start[v] if v <= n_buyers else 0
    for j in neighbours:
        all_start[n_buyers + 1 + j] += 1
    for v in range(n_buyers + 1, n_buyers + n_sellers + 1):
        all_start[v] += all_start[v - 1]
    # The rows of the sellers are filled from their starts, which end where the next begin.
    for i in range(n_buyers):
        for k in range(start[i], start[i + 1]):
            v = n_buyers + neighbours[k]
            all_neighbours[k] = v
            all_neighbours[all_start[v]] = i
            all_start[v] += 1
    for v in range(n_buyers + n_sellers, n_buyers, -1):
        all_start[v] = all_start[v - 1]
    all_start[n_buyers] = edges


@compiled
def entry_of(a, rows, live):
    """Find whom an agent that does not trade would have to beat; -1 where nothing would do."""
    other_side = 1 if a < rows.n_buyers else 0
    best = np.int64(-1)
    for k in range(rows.start[a], rows.start[a + 1]):
        u = rows.neighbours[k]
        candidate = np.int64(u) if live.partner[u] < 0 else label_of(u, live, rows.n_buyers)
        if best < 0 or better(other_side, candidate, best, live.weight, rows.n_buyers):
            best = candidate
    return best


@compiled
def entries(first, last, rows, live, entry):
    """Find that for all agents from `first` to `last` that do not trade."""
    for a in range(first, last):
        entry[a - first] = -1
        if live.partner[a] < 0:
            entry[a - first] = entry_of(a, rows, live)


@subkernel
def _allowed(x, e, entering, n_buyers, live):
    """Tell whether a trader is on the way to whoever sets the threshold."""
    return label_of(live.partner[x] if entering else x, live, n_buyers) == e


@subkernel
def _path(a, e, entering, rows, live, room):
    """Find whom every agent on the way hands her partner to, from both of its ends at once.

    Returns the number of agents of a's side on the path: each takes the partner of the next.
    There always is one where labels are right.
    """
    start, neighbours, partner = rows.start, rows.neighbours, live.partner
    mark, link, path, work = room.mark, room.link, room.path, room.work
    work[STAMP] += 1
    ahead, behind = work[STAMP], -work[STAMP]
    forward, backward = room.lost
    n_forward, n_backward = 1, 0
    if entering:
        root = a
        if partner[e] < 0:
            for k in range(start[e], start[e + 1]):
                x = neighbours[k]
                if x == a:
                    path[0] = a
                    return 1
                if partner[x] >= 0 and _allowed(x, e, entering, rows.n_buyers, live):
                    mark[x] = behind
                    link[x] = -1
                    backward[n_backward] = x
                    n_backward += 1
        else:
            mark[e] = behind
            link[e] = -1
            backward[0] = e
            n_backward = 1
    else:
        root = e if partner[e] < 0 else partner[e]
        if root == a:
            path[0] = a
            return 1
        mark[a] = behind
        link[a] = -1
        backward[0] = a
        n_backward = 1
    mark[root] = ahead
    link[root] = -1
    forward[0] = root
    head_forward, head_backward = 0, 0
    x, y, met = -1, -1, False
    while not met:
        if head_forward == n_forward or head_backward == n_backward:
            return 0
        if n_forward - head_forward <= n_backward - head_backward:
            x = forward[head_forward]
            head_forward += 1
            work[SPENT] += start[x + 1] - start[x]
            for k in range(start[x], start[x + 1]):
                y = partner[neighbours[k]]
                if y < 0 or mark[y] == ahead:
                    continue
                if mark[y] == behind:
                    met = True
                    break
                if _allowed(y, e, entering, rows.n_buyers, live):
                    mark[y] = ahead
                    link[y] = x
                    forward[n_forward] = y
                    n_forward += 1
        else:
            y = backward[head_backward]
            head_backward += 1
            o = partner[y]
            work[SPENT] += start[o + 1] - start[o]
            for k in range(start[o], start[o + 1]):
                x = neighbours[k]
                if mark[x] == behind:
                    continue
                if mark[x] == ahead:
                    met = True
                    break
                if partner[x] >= 0 and _allowed(x, e, entering, rows.n_buyers, live):
                    mark[x] = behind
                    link[x] = y
                    backward[n_backward] = x
                    n_backward += 1
    length = 0
    while x >= 0:
        path[length] = x
        length += 1
        x = link[x]
    for t in range(length // 2):
        path[t], path[length - 1 - t] = path[length - 1 - t], path[t]
    while y >= 0:
        path[length] = y
        length += 1
        y = link[y]
    return length


@subkernel
def _pair(v, o, partner, room):
    """Give an agent another partner, or none."""
    note(PARTNER, v, partner[v], room)
    partner[v] = o


@subkernel
def _shift(a, e, entering, length, partner, room):
    """Hand the partners on along the path: who trades changes at its ends."""
    path = room.path
    if not entering and partner[path[0]] == e:
        _pair(e, -1, partner, room)
    for t in range(length - 1):
        handed = partner[path[t + 1]]
        _pair(path[t], handed, partner, room)
        _pair(handed, path[t], partner, room)
    last = path[length - 1]
    if entering and last != e:
        _pair(last, e, partner, room)
        _pair(e, last, partner, room)
    else:
        _pair(last, -1, partner, room)


@subkernel
def _cross(a, e, entering, rows, live, room):
    """Let an agent enter or leave the trades; tell whether that was done at a fair cost."""
    length = _path(a, e, entering, rows, live, room)
    if length == 0:
        return False
    room.work[CROSSED] += 1
    forget(a, rows, live, room)
    for side in range(2):
        room.ends[side, 0] = room.n_lost[side]
    forget(e, rows, live, room)
    for side in range(2):
        room.ends[side, 1] = room.n_lost[side]
    n_torn = release(length, rows, live, room)
    _shift(a, e, entering, length, live.partner, room)
    for c in (a, e):
        note(LABEL, c, live.label[c], room)
        live.label[c] = -1
        if live.standing[c] != APART:
            stand(c, APART, live, room)
        if live.partner[c] >= 0:
            side = 0 if c < rows.n_buyers else 1
            room.lost[side][room.n_lost[side]] = c
            room.n_lost[side] += 1
    return mend(n_torn, length, rows, live, room)


@subkernel
def _change_weights(reporters, reports, agents, weights, rows, live, room, large, most):
    """Give agents new weights, one after another, and follow the matching and all labels.

    Parameters
    ----------
    reporters, reports
        Who reports anew, and what they reported before; what they report now is in its place.
    agents, weights
        Who weighs what from now on.
    rows, live, room
        The graph, what changes in place, and space to work in; see `kernels_relabel`.
    large
        How many agents must lose their labels at once for a bloc to be built.
    most
        How many entries of rows may be read.

    Returns
    -------
    bool
        Whether all is done; if not, matching afresh is cheaper, and what is noted has to be
        taken back.
    """
    work = room.work
    work[MOST] = most
    for step in range(reporters.size):
        note(REPORT, reporters[step], reports[step], room)
    for step in range(agents.size):
        a = np.int64(agents[step])
        before = work[SPENT]
        work[SPENT] += rows.start[a + 1] - rows.start[a]
        trades = live.partner[a] >= 0
        e = label_of(a, live, rows.n_buyers) if trades else entry_of(a, rows, live)
        weighed = live.weight[a]
        note(WEIGHT, a, weighed, room)
        live.weight[a] = weights[step]
        if e < 0:
            continue  # she knows nobody, and nobody knows her
        for side in range(2):
            room.n_lost[side] = 0
            room.bloc_lost[side] = False
        # Labels by those who move or change sides are lost; everybody else's are functions of
        # the weights alone, whoever is paired with whom.
        should = heavier(a, e, live.weight, rows.n_buyers) == (a < rows.n_buyers)
        if should == trades:
            e = np.int64(-1)
            forget(a, rows, live, room)
            for side in range(2):
                room.ends[side, :] = room.n_lost[side]
        elif not _cross(a, e, should, rows, live, room):
            return False
        many = max(room.n_lost[0], room.n_lost[1]) >= large
        if many and agents.size > FEW and live.bloc[SIZE] == 0:
            return False  # a bloc would be built for these changes alone
        for side in range(2):
            relabel(side, a, e, weighed, rows, live, room)
        side = 0 if room.n_lost[0] >= room.n_lost[1] else 1
        if room.n_lost[side] >= large:
            live.bloc[LOSSES] += 1
            if live.bloc[LOSSES] > live.bloc[PATIENCE]:
                build(side, large, rows, live, room)
                if agents.size <= FEW and live.bloc[SIZE] > 0:
                    work[SPENT] = before  # what is spent on a bloc is saved by the next changes
        spent = work[SPENT]
        if spent > most or (8 * spent > most and spent * agents.size > 2 * most * (step + 1)):
            return False  # too much, or on the way to far too much
    return True


@compiled
def step(reporters, reports, agents, weights, rows, live, room, large, most, bloc, told):
    """Go on to new reports and weights; see `_change_weights`.

    Parameters
    ----------
    bloc
        A copy of `live.bloc`.
    told
        Arrays that `summary` writes to.

    Returns
    -------
    tuple
        How many it lists (-1 where all is as it was, as it would have taken too long), whether
        other agents trade than before, and the notes.
    """
    done = _change_weights(reporters, reports, agents, weights, rows, live, room, large, most)
    work = room.work
    filled = work[NOTED]
    kind, agent, old = room.kind[:filled].copy(), room.agent[:filled].copy(), room.old[:filled]
    old = old.copy()
    crossed = work[CROSSED] != 0
    listed = np.int64(-1)
    if done:
        listed = np.int64(summary(live, room, bloc, rows.n_buyers, told))
    else:
        exchange(kind, agent, old, live)
        live.bloc[:] = bloc
    work[SPENT], work[CROSSED] = 0, 0
    drop_notes(room)
    return listed, crossed, kind, agent, old
