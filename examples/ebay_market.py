"""Build a market folder from the eBay auctions of one item, and clear it.

The data are the files `ebay_auctions.csv`, `ebay_buyers.csv` and `ebay_edges.csv` (Jank and
Shmueli, *Modeling Online Auctions*); they do not come with catallax. A seller is an auction
and asks its opening bid; a buyer is a bidder and bids the most that she offered anywhere; they
may trade where she took part. The prior of every buyer is the distribution of all bidders'
bids, that of every seller the distribution of all opening bids.

Those priors are fitted on the very reports they then judge, which is fine for looking at a
market of the past and wrong for clearing one: there, a bid would move its owner's own price.
To clear a real market take the priors from earlier auctions.

Usage: python examples/ebay_market.py DATA_FOLDER palm OUTPUT_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

import catallax as cx

NAMES = {"palm": "Palm M515", "cartier": "Cartier wristwatches"}


def build(data: Path, item: str) -> cx.Market:
    """Build the market of one item from the tables in a folder."""
    of_item = pl.col("item") == item
    ids = {"auction_id": pl.String, "bidder_id": pl.String}
    auctions = pl.read_csv(data / "ebay_auctions.csv", schema_overrides=ids).filter(of_item)
    bidders = pl.read_csv(data / "ebay_buyers.csv", schema_overrides=ids).filter(of_item)
    took_part = pl.read_csv(data / "ebay_edges.csv", schema_overrides=ids).filter(of_item)
    values = bidders["value_usd"].cast(pl.Float64)
    asks = auctions["open_bid_usd"].cast(pl.Float64)
    return cx.Market(
        buyers=bidders.select(
            pl.col("bidder_id").alias("id"),
            values.alias("bid"),
            pl.lit("bidders").alias("prior"),
            "bidder_rating",
        ),
        sellers=auctions.select(
            pl.col("auction_id").alias("id"),
            asks.alias("ask"),
            pl.lit("openers").alias("prior"),
            "auction_days",
        ),
        edges=took_part.select(
            pl.col("bidder_id").alias("buyer"), pl.col("auction_id").alias("seller")
        ),
        priors={
            "bidders": {"kind": "empirical", "values": values.to_list()},
            "openers": {"kind": "empirical", "values": asks.to_list()},
        },
        name=NAMES[item],
        currency="USD",
    )


def main() -> None:
    """Build, write, clear and show."""
    if len(sys.argv) != 4 or sys.argv[2] not in NAMES:
        sys.exit(__doc__)
    market = build(Path(sys.argv[1]), sys.argv[2])
    market.write(sys.argv[3])
    print(f"wrote {market} to {sys.argv[3]}")
    for mechanism in ("first-best", "gsom", "gbom"):
        print(mechanism, cx.clear(market, mechanism).totals)


if __name__ == "__main__":
    main()
