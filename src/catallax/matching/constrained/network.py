"""Caps and quotas as a flow network, and what its residual network tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catallax.markets.families import Family
from catallax.markets.families.bound import GroupLimits
from catallax.matching.limits import need_ortools
from catallax.matching.ticks import Ticks, favours

__all__ = [
    "FAR",
    "Arcs",
    "Network",
    "Residual",
    "build",
    "circulation",
    "contracted",
    "residual",
    "solve",
]

Whole = NDArray[np.int64]
FAR = 2**62
"""Distance of a node that cannot be reached."""
SOURCE, SINK = 0, 1


@dataclass(frozen=True, eq=False)
class Arcs:
    """Arcs with capacities and costs: money first, then favour; all shapes (arcs,)."""

    tail: Whole
    head: Whole
    capacity: Whole
    money: Whole
    favour: Whole

    @property
    def size(self) -> int:
        """Count the arcs."""
        return self.tail.size


@dataclass(frozen=True, eq=False)
class Network:
    """A circulation through source, groups of buyers, buyers, sellers, their groups and sink.

    Attributes
    ----------
    n_nodes
        Number of nodes.
    arcs
        First the arc from sink to source, whose capacity is the cap.
    buyer_node, seller_node
        Node of every agent.
    buyer_root, seller_root
        Node of every agent's group; the source (the sink) for agents without one.
    buyer_arc, seller_arc
        Arc by which a unit enters a buyer, and by which it leaves a seller; -1 for those kept
        out by an infinite weight, who can be asked about but not passed through.
    edge_arc
        Arc of every edge of the graph, -1 where there is none; empty for complete graphs, in
        which all units pass one hub.
    group_arc
        Arc from the source to every group's node and from there to the sink, by node; -1
        elsewhere.
    """

    n_nodes: int
    arcs: Arcs
    buyer_node: Whole
    seller_node: Whole
    buyer_root: Whole
    seller_root: Whole
    buyer_arc: Whole
    seller_arc: Whole
    edge_arc: Whole
    group_arc: Whole


def _roots(
    limits: GroupLimits | None, n_agents: int, first: int, alone: int
) -> tuple[Whole, Whole]:
    """Give the root node of every agent of a side, and the limits of the groups."""
    if limits is None:
        return np.full(n_agents, alone), np.empty(0, np.int64)
    return np.where(limits.group >= 0, first + limits.group, alone), limits.limit


def build(family: Family, ticks: Ticks, *, only_useful: bool, prices: bool = False) -> Network:
    """Build the network of a family with caps and at most one grouping on either side.

    Parameters
    ----------
    family
        A family whose structure is "network".
    ticks
        Rounded weights.
    only_useful
        Leave out edges on which a trade would lose: no optimum uses them, though an agent with
        another weight might.
    prices
        Count weights as prices do, without cutting the one that outweighs all others.
    """
    graph = family.parts.graph
    cut, full = (ticks.buyers, ticks.sellers), (ticks.all_buyers, ticks.all_sellers)
    weights = full if prices else cut
    nb, ns = graph.n_buyers, graph.n_sellers
    by_side = {b.over: b for b in family.bound if isinstance(b, GroupLimits)}
    caps = [
        int(b.limit[0]) for b in family.bound if isinstance(b, GroupLimits) and b.over == "trades"
    ]
    buyer_groups, seller_groups = by_side.get("buyers"), by_side.get("sellers")
    buyer_root, buyer_limits = _roots(buyer_groups, nb, 2, SOURCE)
    first = 2 + buyer_limits.size
    seller_root, seller_limits = _roots(seller_groups, ns, first, SINK)
    first += seller_limits.size
    buyer_node, seller_node = first + np.arange(nb), first + nb + np.arange(ns)
    hub = first + nb + ns
    n_nodes = hub + 1
    favour = favours(nb, ns)
    who, whom = np.flatnonzero(ticks.buyers_in), np.flatnonzero(ticks.sellers_in)
    if graph.complete:
        middle = (
            np.concatenate([buyer_node, np.full(ns, hub)]),
            np.concatenate([np.full(nb, hub), seller_node]),
            np.zeros(nb + ns, np.int64),
        )
        edges = np.empty(0, np.int64)
    else:
        i, j = graph.buyer, graph.seller
        useful = np.ones(i.size, bool)
        if only_useful:
            useful = ticks.buyers_in[i] & ticks.sellers_in[j]
            useful &= ticks.buyers[i] >= ticks.sellers[j]
        edges = np.flatnonzero(useful)
        i, j = i[edges], j[edges]
        middle = buyer_node[i], seller_node[j], -favour.pairs(i, j)
    one = [np.array([x]) for x in (SINK, SOURCE, min([nb, ns, *caps]), 0, 0)]
    zeros = np.zeros
    parts = [
        tuple(one),
        (
            np.full(buyer_limits.size, SOURCE),
            2 + np.arange(buyer_limits.size),
            buyer_limits,
            zeros(buyer_limits.size),
            zeros(buyer_limits.size),
        ),
        (
            2 + buyer_limits.size + np.arange(seller_limits.size),
            np.full(seller_limits.size, SINK),
            seller_limits,
            zeros(seller_limits.size),
            zeros(seller_limits.size),
        ),
        (
            buyer_root[who],
            buyer_node[who],
            np.ones(who.size),
            -weights[0][who],
            -favour.buyers[who],
        ),
        (
            seller_node[whom],
            seller_root[whom],
            np.ones(whom.size),
            weights[1][whom],
            -favour.sellers[whom],
        ),
        (*middle[:2], np.ones(middle[0].size), zeros(middle[0].size), middle[2]),
    ]
    columns = [np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True)]
    starts = np.cumsum([0, *(part[0].size for part in parts)])
    buyer_arc, seller_arc = np.full(nb, -1), np.full(ns, -1)
    buyer_arc[who] = starts[3] + np.arange(who.size)
    seller_arc[whom] = starts[4] + np.arange(whom.size)
    edge_arc = np.full(0 if graph.complete else graph.n_edges, -1)
    edge_arc[edges] = starts[5] + np.arange(edges.size)
    group_arc = np.full(n_nodes, -1)
    group_arc[2:first] = starts[1] + np.arange(first - 2)
    return Network(
        n_nodes, Arcs(*columns), buyer_node, seller_node, buyer_root, seller_root,
        buyer_arc, seller_arc, edge_arc, group_arc,
    )  # fmt: skip


def circulation(arcs: Arcs, cost: Whole, n_nodes: int, supply: Whole | None = None) -> Whole:
    """Solve a min-cost flow; gives the flow on every arc."""
    min_cost_flow = need_ortools("graph.python.min_cost_flow")
    flow: Any = min_cost_flow.SimpleMinCostFlow()  # its stubs mistake dtypes for shapes
    every = flow.add_arcs_with_capacity_and_unit_cost(
        arcs.tail.astype(np.int32), arcs.head.astype(np.int32), arcs.capacity, cost
    )
    if supply is not None:
        flow.set_nodes_supplies(np.arange(n_nodes, dtype=np.int32), supply)
    status = flow.solve()
    if status != flow.OPTIMAL:
        # Zero flow is feasible and capacities are finite: only a defect gets here.
        raise RuntimeError(f"the flow solver ended with {status}")
    return np.asarray(flow.flows(every), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Residual:
    """Residual arcs of an optimal flow in rows by tail, with costs made non-negative.

    Attributes
    ----------
    start, head
        Rows of residual arcs.
    money, favour
        Reduced costs.
    high, low
        Potentials of money and of favour: a true distance from x to y is the reduced one plus
        the potential of y less that of x.
    """

    start: Whole
    head: Whole
    money: Whole
    favour: Whole
    high: Whole
    low: Whole

    def true_distance(
        self, reduced: tuple[Whole, Whole], tail: Whole | int, head: Whole | int
    ) -> tuple[Whole, Whole]:
        """Turn reduced distances into true ones."""
        return (
            reduced[0] + self.high[head] - self.high[tail],
            reduced[1] + self.low[head] - self.low[tail],
        )


def _rows(arcs: Arcs, flow: Whole, n_nodes: int) -> tuple[Whole, Whole, Whole, Whole, Whole]:
    """List the residual arcs by tail: rows, tails, heads, money, favour."""
    forward, backward = flow < arcs.capacity, flow > 0
    tail = np.concatenate([arcs.tail[forward], arcs.head[backward]])
    head = np.concatenate([arcs.head[forward], arcs.tail[backward]])
    money = np.concatenate([arcs.money[forward], -arcs.money[backward]])
    favour = np.concatenate([arcs.favour[forward], -arcs.favour[backward]])
    order = np.argsort(tail, kind="stable")
    start = np.zeros(n_nodes + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=n_nodes), out=start[1:])
    return start, tail[order], head[order], money[order], favour[order]


def residual(network: Network, flow: Whole) -> Residual:
    """Build the residual network of a flow that is optimal in money and then in favour."""
    from catallax.matching.constrained.kernels_flow import potentials

    start, tail, head, money, favour = _rows(network.arcs, flow, network.n_nodes)
    high = potentials(start, head, money, np.ones(head.size, bool))
    money = money + high[tail] - high[head]
    # Favours count only where no money is at stake.
    low = potentials(start, head, favour, money == 0)
    favour = favour + low[tail] - low[head]
    return Residual(start, head, money, favour, high, low)


def contracted(network: Network, flow: Whole, left: Residual) -> Residual:
    """Pass by the agents that do not trade: a residual network with the same distances.

    Such a buyer can only be entered from her root, and such a seller only be left to hers, so
    every way through them is one arc between the nodes that remain, and of several such arcs
    only the shortest counts. What is left is about as large as the set of traders.
    """
    tail = np.repeat(np.arange(network.n_nodes), np.diff(left.start))
    arcs = np.stack([tail, left.head, left.money, left.favour])
    idle = np.zeros((2, network.n_nodes), bool)
    for side, node, arc in (
        (0, network.buyer_node, network.buyer_arc),
        (1, network.seller_node, network.seller_arc),
    ):
        idle[side, node[(arc < 0) | (flow[np.maximum(arc, 0)] == 0)]] = True
    entering = arcs[:, idle[0, arcs[1]]]
    arcs = arcs[:, ~idle[0, arcs[1]]]
    arcs = _bypassed(arcs, idle[0, arcs[0]], entering, end=0)
    leaving = arcs[:, idle[1, arcs[0]]]
    arcs = arcs[:, ~idle[1, arcs[0]]]
    arcs = _bypassed(arcs, idle[1, arcs[1]], leaving[[1, 0, 2, 3]], end=1)
    order = np.lexsort((arcs[3], arcs[2], arcs[1], arcs[0]))
    arcs = arcs[:, order]
    first = np.ones(order.size, bool)
    first[1:] = (arcs[0, 1:] != arcs[0, :-1]) | (arcs[1, 1:] != arcs[1, :-1])
    arcs = arcs[:, first]
    start = np.zeros(network.n_nodes + 1, np.int64)
    np.cumsum(np.bincount(arcs[0], minlength=network.n_nodes), out=start[1:])
    return Residual(start, arcs[1], arcs[2], arcs[3], left.high, left.low)


def _bypassed(arcs: Whole, touched: NDArray[np.bool_], links: Whole, *, end: int) -> Whole:
    """Move one end of the touched arcs along the only link of the node that they touch.

    `links` has rows outer node, inner node, money, favour; row `end` of the arcs is to
    be moved.
    """
    n_nodes = int(max(arcs[:2].max(initial=0), links[:2].max(initial=0))) + 1
    link = np.full(n_nodes, -1)
    link[links[1]] = np.arange(links.shape[1])
    moved = arcs[:, touched]
    by = link[moved[end]]
    moved, by = moved[:, by >= 0], by[by >= 0]
    moved[end] = links[0, by]
    moved[2:] += links[2:, by]
    return np.concatenate([arcs[:, ~touched], moved], axis=1)


def solve(network: Network) -> Whole:
    """Find the flow that is best in money and, among those, in favour."""
    from catallax.matching.constrained.kernels_flow import potentials

    arcs = network.arcs
    flow = circulation(arcs, arcs.money, network.n_nodes)
    start, _, head, money, _ = _rows(arcs, flow, network.n_nodes)
    high = potentials(start, head, money, np.ones(head.size, bool))
    reduced = arcs.money + high[arcs.tail] - high[arcs.head]
    # Every flow that is best in money agrees on the arcs with a reduced cost; the others are
    # free to be decided by favour.
    free = reduced == 0
    fixed = np.where(free, 0, flow)
    supply = np.zeros(network.n_nodes, np.int64)
    np.add.at(supply, arcs.tail, -fixed)
    np.add.at(supply, arcs.head, fixed)
    left = Arcs(*(getattr(arcs, name)[free] for name in Arcs.__dataclass_fields__))
    flow = fixed
    flow[free] = circulation(left, left.favour, network.n_nodes, supply)
    return flow
