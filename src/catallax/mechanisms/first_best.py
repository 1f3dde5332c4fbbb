"""First best: all gains there are, at the price of a deficit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.mechanisms.base import Claims, SeparableMechanism
from catallax.mechanisms.registry import register

if TYPE_CHECKING:
    from catallax.markets import Market, Reports

__all__ = ["FirstBest"]


@register
@dataclass(frozen=True)
class FirstBest(SeparableMechanism):
    """Trade the feasible matching with the largest gains, at Vickrey-Clarke-Groves payments.

    Every buyer pays, and every seller receives, the report at which she would just trade.
    No priors are needed, and nothing is lost; but without constraints buyers together pay no
    more, and usually less, than sellers receive, so somebody has to cover the deficit. (A cap
    or a quota makes rivals of agents who were none, and may leave a surplus.)

    References
    ----------
    Vickrey 1961; Clarke 1971; Groves 1973. Myerson and Satterthwaite 1983, on why the
    deficit cannot be avoided.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.2}])
    >>> cx.clear(market, "first-best").totals["surplus"]
    -0.7
    """

    slug = "first-best"
    summary = "all possible gains, VCG payments; never a surplus, unless constraints bring one"
    claims = Claims("DSIC", "DSIC", "ex post", "none")

    def some_weights(
        self,
        market: Market,
        reports: Reports,
        buyers: NDArray[np.intp],
        sellers: NDArray[np.intp],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weigh some agents in the same way."""
        return reports.bids[buyers], reports.asks[sellers]
