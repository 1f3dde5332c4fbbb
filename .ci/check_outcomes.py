"""Check what an installed catallax printed against SciPy's assignment solver.

`python check_outcomes.py OUTCOMES TREE`: OUTCOMES holds one JSON object a line, as
`catallax clear instance:neighbourhood-energy --json` prints it for several mechanisms; TREE is
the source tree that must not be where the package was imported from.
"""

import json
import sys
from math import isclose
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

import catallax as cx


def best(allowed: np.ndarray, values: np.ndarray, costs: np.ndarray) -> float:
    """Return the largest sum of values less costs over all matchings."""
    gains = np.where(allowed, np.maximum(values[:, None] - costs[None, :], 0.0), 0.0)
    return float(gains[linear_sum_assignment(gains, maximize=True)].sum())


def must_equal(told: str, found: float, expected: float) -> None:
    if not isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9):
        sys.exit(f"{told}: printed {found!r}, should be {expected!r}")


def check_totals(name: str, outcome: dict, bids: dict, asks: dict) -> None:
    totals, trades = outcome["totals"], outcome["trades"]
    pays = sum(trade["buyer_pays"] for trade in trades)
    receives = sum(trade["seller_receives"] for trade in trades)
    gains = sum(bids[trade["buyer"]] - asks[trade["seller"]] for trade in trades)
    must_equal(f"{name}: trades", totals["trades"], len(trades))
    must_equal(f"{name}: gains from trade", totals["gains_from_trade"], gains)
    must_equal(f"{name}: buyers pay", totals["buyers_pay"], pays)
    must_equal(f"{name}: sellers receive", totals["sellers_receive"], receives)
    must_equal(f"{name}: surplus", totals["surplus"], pays - receives)
    for trade in trades:
        if trade["buyer_pays"] > bids[trade["buyer"]]:
            sys.exit(f"{name}: a buyer pays more than her bid: {trade}")
        if trade["seller_receives"] < asks[trade["seller"]]:
            sys.exit(f"{name}: a seller receives less than her ask: {trade}")


def main(outcomes: Path, tree: Path) -> None:
    if Path(str(cx.__file__)).resolve().is_relative_to(tree.resolve()):
        sys.exit("catallax was imported from the source tree, not from the wheel")
    market = cx.instances.get("neighbourhood-energy")
    reports = market.require_reports()
    bids, asks = reports.bids, reports.asks
    allowed = np.full((len(bids), len(asks)), market.graph.complete)
    allowed[market.graph.buyer, market.graph.seller] = True
    of_bids = dict(zip(market.buyers.ids, bids.tolist(), strict=True))
    of_asks = dict(zip(market.sellers.ids, asks.tolist(), strict=True))
    weights = {
        "first-best": (bids, asks),
        "gsom": (market.buyers.virtual_values(bids), asks),
        "gbom": (bids, market.sellers.virtual_costs(asks)),
    }
    seen = {}
    for line in outcomes.read_text(encoding="utf-8").splitlines():
        outcome = json.loads(line)
        name = outcome["mechanism"]
        seen[name] = outcome["totals"]
        check_totals(name, outcome, of_bids, of_asks)
        objective = best(allowed, *weights[name])
        must_equal(f"{name}: objective", outcome["totals"]["objective"], objective)
    if set(seen) != set(weights) or not all(totals["trades"] for totals in seen.values()):
        sys.exit(f"not every mechanism cleared the market: {seen}")
    # VCG: what all agents together keep is the sum of what the market loses without each.
    welfare = best(allowed, bids, asks)
    kept = sum(
        welfare - best(np.delete(allowed, i, 0), np.delete(bids, i), asks) for i in range(len(bids))
    ) + sum(
        welfare - best(np.delete(allowed, j, 1), bids, np.delete(asks, j)) for j in range(len(asks))
    )
    must_equal("first-best: surplus", seen["first-best"]["surplus"], welfare - kept)
    print("The installed wheel cleared the example right:", end=" ")
    print(
        ", ".join(
            f"{name} gains {totals['gains_from_trade']:.10g}" for name, totals in seen.items()
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
