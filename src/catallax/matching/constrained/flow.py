"""Markets with caps and quotas: a min-cost flow, and all thresholds from its residual network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catallax.markets.families import Family
from catallax.markets.scale import Scale
from catallax.matching.constrained import network as networks
from catallax.matching.constrained.network import Network, Residual
from catallax.matching.result import Matching, PairBounds, Thresholds, whole_thresholds
from catallax.matching.ticks import Ticks, favours, round_weights

__all__ = ["FlowMatching", "match_by_flow"]

Weights = NDArray[np.float64]
Whole = NDArray[np.int64]
WEIGHT_BITS = 42
PRICE_BITS = 58
# The solver multiplies costs by the number of nodes and must stay within 63 bits.
ALL_BITS = 60
FAR = networks.FAR


@dataclass(frozen=True, eq=False)
class FlowMatching(Matching):
    """A matching found as a min-cost flow on whole ticks."""

    _family: Family
    _ticks: Ticks
    _network: Network
    _flow: Whole

    @cached_property
    def trading_buyers(self) -> Thresholds:
        """Thresholds of the buyers that trade: what the market would do without each."""
        return self._side(self._network, self._residual, self.buyer, "buyer", trading=True)

    @cached_property
    def trading_sellers(self) -> Thresholds:
        """Thresholds of the sellers that trade: what the market would do without each."""
        return self._side(self._network, self._residual, self.seller, "seller", trading=True)

    @cached_property
    def waiting_buyers(self) -> Thresholds:
        """What it would cost to let each waiting buyer trade."""
        return self._side(*self._whole, self._left_out(self.buyer, "buyer"), "buyer", trading=False)

    @cached_property
    def waiting_sellers(self) -> Thresholds:
        """What it would bring to let each waiting seller trade."""
        left_out = self._left_out(self.seller, "seller")
        return self._side(*self._whole, left_out, "seller", trading=False)

    @cached_property
    def pair_bounds(self) -> PairBounds:
        """What the partners of each trade could do otherwise: three shortest paths a trade."""
        network, left = self._whole
        bounds = np.full((3, self.buyer.size), FAR)
        for k, (i, j) in enumerate(zip(self.buyer, self.seller, strict=True)):
            buyer, seller = int(network.buyer_node[i]), int(network.seller_node[j])
            root, end = int(network.buyer_root[i]), int(network.seller_root[j])
            bounds[0, k] = _distance(left, root, end, barred=(buyer, seller))
            if self.graph.complete:
                # All units pass the hub, and there it is open who is served by whom.
                hub = network.n_nodes - 1
                bounds[1, k] = _distance(left, hub, end, barred=(buyer, seller))
                bounds[2, k] = _distance(left, root, hub, barred=(buyer, seller))
                continue
            # The unit that reaches the buyer must go on from her, not be taken back; and the
            # one that leaves the seller must still leave her.
            bounds[1, k] = _distance(left, buyer, end, barred=(seller,), not_by=(buyer, root))
            bounds[2, k] = _distance(left, root, seller, barred=(buyer,), not_by=(end, seller))
        far = bounds == FAR
        # Doing nothing in place of a trade is always possible, so the first is always near.
        slack = -bounds[0] * self._ticks.tick
        elsewhere = np.where(far[1], np.inf, bounds[1] * self._ticks.tick)
        instead = np.where(far[2], -np.inf, -bounds[2] * self._ticks.tick)
        return PairBounds(slack, elsewhere, instead)

    @cached_property
    def _residual(self) -> Residual:
        priced = networks.build(self._family, self._ticks, only_useful=True, prices=True)
        left = networks.residual(priced, self._flow)
        return networks.contracted(priced, self._flow, left)

    @cached_property
    def _whole(self) -> tuple[Network, Residual]:
        """The network with all edges: agents with other weights could use the useless ones."""
        whole = networks.build(self._family, self._ticks, only_useful=False, prices=True)
        flow = np.zeros(whole.arcs.size, np.int64)
        n_shared = self._network.arcs.size - np.count_nonzero(self._network.edge_arc >= 0)
        if self.graph.complete:
            flow[:] = self._flow
        else:
            flow[:n_shared] = self._flow[:n_shared]
            known = self._network.edge_arc >= 0
            flow[whole.edge_arc[known]] = self._flow[self._network.edge_arc[known]]
        return whole, networks.residual(whole, flow)

    def _left_out(self, traders: NDArray[np.int32], role: Literal["buyer", "seller"]) -> Whole:
        size = self.graph.n_buyers if role == "buyer" else self.graph.n_sellers
        waiting = np.ones(size, bool)
        waiting[traders] = False
        return np.flatnonzero(waiting)

    def _side(
        self,
        network: Network,
        left: Residual,
        agent: NDArray[np.integer],
        role: Literal["buyer", "seller"],
        *,
        trading: bool,
    ) -> Thresholds:
        """Find the thresholds of some agents of a side from shortest paths around their arcs.

        A trading buyer is worth what it costs to bring a unit from her root to her by another
        way than through her own arc; a waiting one is let in by a way from her to her root.
        Sellers are the mirror. Where a group is not full its root is as near as the source, so
        one traversal serves all such groups; a full group takes one of its own.
        """
        buyers = role == "buyer"
        node = (network.buyer_node if buyers else network.seller_node)[agent]
        root = (network.buyer_root if buyers else network.seller_root)[agent]
        common = networks.SOURCE if buyers else networks.SINK
        from_root = buyers == trading
        around = left if from_root else _reversed(left)
        money, favour = np.empty(agent.size, np.int64), np.empty(agent.size, np.int64)
        start_at = np.where(self._is_full(network, root), root, common)
        for origin in np.unique(start_at):
            mine = start_at == origin
            found = _distances(around, int(origin), node[mine])
            # Potentials of the agent's own root stand at the same distance as the common one's
            # unless the root has no unit yet, and then its arc costs nothing.
            money[mine], favour[mine] = _true(left, found, int(origin), node[mine], from_root)
        known = money < FAR
        return self._thresholds(agent[known], money[known], favour[known], role, trading=trading)

    def _is_full(self, network: Network, root: Whole) -> NDArray[np.bool_]:
        arc = network.group_arc[root]
        flow = self._flow[np.maximum(arc, 0)]
        return (arc >= 0) & (flow >= network.arcs.capacity[np.maximum(arc, 0)])

    def _thresholds(
        self, agent: NDArray[np.integer], money: Whole, favour: Whole, role: str, *, trading: bool
    ) -> Thresholds:
        """Turn distances into the first weight, in ticks, with which each agent trades."""
        own = favours(self.graph.n_buyers, self.graph.n_sellers)
        buyers = role == "buyer"
        mine = (own.buyers if buyers else own.sellers)[agent]
        # What a buyer's weight has to beat, and what a seller's has to stay below.
        sign = -1 if buyers == trading else 1
        level, against = sign * money, sign * favour
        level = level + (mine <= against) if buyers else level - (-mine >= against)
        return whole_thresholds(agent, level, self._ticks, buyers=buyers, trading=trading)


def _reversed(left: Residual) -> Residual:
    """Turn every residual arc around."""
    n_nodes = left.start.size - 1
    tail = np.repeat(np.arange(n_nodes), np.diff(left.start))
    order = np.argsort(left.head, kind="stable")
    start = np.zeros(n_nodes + 1, np.int64)
    np.cumsum(np.bincount(left.head, minlength=n_nodes), out=start[1:])
    return Residual(start, tail[order], left.money[order], left.favour[order], left.high, left.low)


def _distances(around: Residual, origin: int, targets: Whole) -> tuple[Whole, Whole]:
    """Find reduced distances from a node to some others."""
    from catallax.matching.constrained.kernels_flow import distances

    n_nodes = around.start.size - 1
    marks = np.full(n_nodes, -1, np.int64)
    marks[targets] = -2
    money, favour = distances(
        origin, around.start, around.head, around.money, around.favour,
        np.zeros(n_nodes, bool), targets.size, marks,
    )  # fmt: skip
    return money[targets], favour[targets]


def _true(
    left: Residual, found: tuple[Whole, Whole], origin: int, nodes: Whole, from_origin: bool
) -> tuple[Whole, Whole]:
    """Add the potentials to reduced distances, except where there is no way."""
    tail, head = (origin, nodes) if from_origin else (nodes, origin)
    money, favour = left.true_distance(found, tail, head)
    return np.where(found[0] >= FAR, FAR, money), favour


def _distance(
    left: Residual,
    tail: int,
    head: int,
    barred: tuple[int, ...],
    not_by: tuple[int, int] | None = None,
) -> int:
    """Find the true distance in money between two nodes that avoids some nodes and one arc."""
    from catallax.matching.constrained.kernels_flow import distances

    n_nodes = left.start.size - 1
    closed = np.zeros(n_nodes, bool)
    closed[list(barred)] = True
    marks = np.full(n_nodes, -1, np.int64)
    marks[head] = -2
    money = left.money
    if not_by is not None:
        row = slice(left.start[not_by[0]], left.start[not_by[0] + 1])
        money = money.copy()
        money[row][left.head[row] == not_by[1]] = FAR // 2
    found, _ = distances(tail, left.start, left.head, money, left.favour, closed, 1, marks)
    if found[head] >= FAR // 2:
        return FAR
    return int(found[head] + left.high[head] - left.high[tail])


def match_by_flow(
    family: Family, buyer_weights: Weights, seller_weights: Weights, scale: Scale | None
) -> FlowMatching:
    """Match under caps and quotas; see `best_matching`."""
    graph = family.parts.graph
    size = (graph.n_buyers + graph.n_sellers + 2).bit_length()
    bits = min(WEIGHT_BITS, ALL_BITS - 2 - size)
    ticks = round_weights(graph, buyer_weights, seller_weights, bits, PRICE_BITS, scale)
    network = networks.build(family, ticks, only_useful=True)
    flow = networks.solve(network)
    if graph.complete:
        has = [np.where(arc >= 0, flow[np.maximum(arc, 0)], 0) > 0
               for arc in (network.buyer_arc, network.seller_arc)]  # fmt: skip
        buyer, seller = (np.flatnonzero(side).astype(np.int32) for side in has)
    else:
        arc = network.edge_arc
        traded = np.flatnonzero(np.where(arc >= 0, flow[np.maximum(arc, 0)], 0) > 0)
        traded = traded[np.argsort(graph.buyer[traded])]
        buyer, seller = graph.buyer[traded], graph.seller[traded]
    return FlowMatching(
        graph, buyer_weights, seller_weights, buyer, seller, "flow", ticks.tick,
        family, ticks, network, flow,
    )  # fmt: skip
