"""Clear the eBay Palm market under side rules by every mechanism that applies, in one table.

Two versions: at most 100 sales in all; and quotas, at most 20 sales to bidders of one rating
class and at most 40 of auctions that ran equally long, with the cap on top. The priors come
from the reports themselves, as in `ebay_market.py`, and its warning holds here too.

Usage: python examples/ebay_rules.py DATA_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from ebay_market import build

import catallax as cx

CAP = {"kind": "cap", "limit": 100}
QUOTAS = [
    {"kind": "quota", "over": "buyers", "column": "rating_class", "limits": 20},
    {"kind": "quota", "over": "sellers", "column": "auction_days", "limits": 40},
]


def with_rules(market: cx.Market, rules: list[dict[str, object]]) -> cx.Market:
    """Give the Palm market its rating classes and some rules."""
    buyers, sellers = market.buyers, market.sellers
    rating = buyers.table["bidder_rating"]
    classes = rating.cut([0, 5, 20, 100, 500]).cast(pl.String)
    reports = market.require_reports()
    return cx.Market(
        pl.DataFrame({"id": buyers.ids, "bid": reports.bids, "rating_class": classes}).with_columns(
            pl.lit("bidders").alias("prior")
        ),
        pl.DataFrame({"id": sellers.ids, "ask": reports.asks}).with_columns(
            pl.lit("openers").alias("prior"), sellers.table["auction_days"]
        ),
        market.graph,
        priors=market.priors,
        constraints=rules,
        name=market.name,
        currency=market.currency,
    )


def rows(market: cx.Market) -> list[dict[str, object]]:
    """Clear by every mechanism; those that do not apply say why on stderr."""
    best = cx.clear(market, "first-best").totals["gains_from_trade"]
    found = []
    for name in cx.mechanisms.names():
        try:
            totals = cx.clear(market, name).totals
        except cx.CatallaxError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        found.append(
            {
                "mechanism": name,
                "trades": totals["trades"],
                "gain": round(totals["gains_from_trade"], 2),
                "share of first best": round(totals["gains_from_trade"] / best, 4),
                "buyers pay": round(totals["buyers_pay"], 2),
                "sellers receive": round(totals["sellers_receive"], 2),
                "surplus": round(totals["surplus"], 2),
            }
        )
        print(found[-1], file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Build, clear and show."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    palm = build(Path(sys.argv[1]), "palm")
    pl.Config.set_tbl_rows(30).set_tbl_cols(10).set_tbl_formatting("ASCII_MARKDOWN")
    for title, rules in (("cap of 100", [CAP]), ("quotas and cap", [*QUOTAS, CAP])):
        print(f"\n{title}")
        print(pl.DataFrame(rows(with_rules(palm, rules)), infer_schema_length=None))


if __name__ == "__main__":
    main()
