"""The remark on GSOM-BIC, which Lemma A.8 of the same paper contradicts."""

from __future__ import annotations

from catallax.markets import Market
from catallax.mechanisms import Outcome, clear
from catallax.papers.registry import Options, register
from catallax.papers.reproduction import Reproduction, Row

__all__ = ["gsom_bic_remark"]


@register(
    "gsom-bic-remark",
    "what the seller of the remark after Theorem A.9 receives: 3/8, and not the 1/2 of Lemma A.8",
    "arXiv 2604.00129, remark after Theorem A.9",
)
def gsom_bic_remark(options: Options) -> Reproduction:
    """Clear the market of the remark: a uniform buyer who bids 1, sellers at 0 and 1/2."""
    del options
    market = Market(
        [{"id": "b", "bid": 1.0, "prior": "uniform(0, 1)"}],
        [{"id": "j", "ask": 0.0}, {"id": "k", "ask": 0.5}],
    )
    balanced, plain = clear(market, "gsom-bic"), clear(market, "gsom")
    assert isinstance(balanced, Outcome)
    rows = (
        Row("seller j receives", 3 / 8, float(balanced.seller_receives[0]), 1e-12),
        Row("buyer b pays", 1 / 2, float(balanced.buyer_pays[0]), 1e-12),
        Row("seller j receives in GSOM at this bid", 1 / 2, float(plain.seller_receives[0]), 1e-12),
    )
    note = "Lemma A.8's closed form gives 1/2: it forgets that the buyer may have another seller"
    return Reproduction("gsom-bic-remark", rows, (note,))
