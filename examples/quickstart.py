"""Clear a small market by three mechanisms, and ask why somebody pays what she pays.

Usage: python examples/quickstart.py
"""

from __future__ import annotations

import catallax as cx

UNIFORM = {"kind": "uniform", "low": 0, "high": 100}


def build() -> cx.Market:
    """Three gardeners look for a plot; two owners rent one out. Kim cannot use plot 2."""
    return cx.Market(
        buyers={
            "id": ["Ines", "Jo", "Kim"],
            "bid": [90, 75, 60],
            "prior": ["gardeners"] * 3,
        },
        sellers={"id": ["plot 1", "plot 2"], "ask": [20, 35], "prior": ["owners"] * 2},
        edges=[
            ("Ines", "plot 1"),
            ("Ines", "plot 2"),
            ("Jo", "plot 1"),
            ("Jo", "plot 2"),
            ("Kim", "plot 1"),
        ],
        # What is believed before the reports, and never fitted on them.
        priors={"gardeners": UNIFORM, "owners": UNIFORM},
        name="garden plots",
        currency="EUR",
    )


def main() -> None:
    """Clear the market, and print trades, totals and two reasons."""
    market = build()
    for mechanism in ("first-best", "gsom", "gbom"):
        outcome = cx.clear(market, mechanism)
        print(f"{mechanism}: {outcome.totals}")
        for buyer, seller, pays, receives, _ in outcome.trades.rows():
            print(f"  {buyer} takes {seller}, pays {pays:g}, and the owner receives {receives:g}")
        print(f"  {outcome.explain('Jo')}")
        print(f"  {outcome.explain('Kim')}")


if __name__ == "__main__":
    main()
