"""What a simulation returns: estimates for each mechanism, and how they came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catallax.errors import UnknownNameError, nearest
from catallax.estimate.distribution import Distribution
from catallax.estimate.words import written
from catallax.mechanisms.profiles import Estimate
from catallax.notebook import Rows, html_page

if TYPE_CHECKING:
    from catallax.markets import Market

__all__ = ["QUANTITIES", "Estimate", "MechanismEstimates", "Simulation", "exact_estimate"]

QUANTITIES = (
    "gains_from_trade",
    "share_of_first_best",
    "buyers_utility",
    "sellers_utility",
    "surplus",
    "trades",
    "trade_probability",
)
"""What is estimated for every mechanism, by the names of the fields and of the JSON keys."""


def exact_estimate(value: float) -> Estimate:
    """Return an expectation that is known.

    Examples
    --------
    >>> exact_estimate(0.5)
    Estimate(mean=0.5, stderr=0.0, exact=True)
    """
    return Estimate(float(value), 0.0, True)


@dataclass(frozen=True, eq=False)
class MechanismEstimates:
    """What can be expected of one mechanism.

    Attributes
    ----------
    mechanism
        Its name: a slug, with the parameters that are not the usual ones, or module:Class.
    how
        "exact (...)" with the method, or "samples".
    gains_from_trade
        Buyers' values less sellers' costs, summed over the trades.
    share_of_first_best
        The gains divided by those of the first best; where it is estimated, its error takes both
        from the same draws (`catallax.estimate.ratios`). None where no draw had any gains.
    buyers_utility, sellers_utility
        Values less payments, and receipts less costs, with lump sums; summed over a side.
    surplus
        What is left with the mechanism; negative: a deficit.
    trades
        Number of trades.
    trade_probability
        Probability of any trade at all.
    gains, buyer_pays, seller_receives
        How gains vary over draws, and prices over all trades of all draws. Always from samples,
        also where the expectations are exact; None where nothing was seen.
    variance_reduction
        For each quantity that is estimated with other than plain draws or with the conditional
        form: how many times as many plain draws would have given the same error.
    """

    mechanism: str
    how: str
    gains_from_trade: Estimate
    share_of_first_best: Estimate | None
    buyers_utility: Estimate
    sellers_utility: Estimate
    surplus: Estimate
    trades: Estimate
    trade_probability: Estimate
    gains: Distribution | None = None
    buyer_pays: Distribution | None = None
    seller_receives: Distribution | None = None
    variance_reduction: Mapping[str, float] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether the expectations are exact."""
        return self.gains_from_trade.exact

    def to_dict(self) -> dict[str, Any]:
        """Give the estimates as they stand in the JSON object of the command line."""
        document: dict[str, Any] = {}
        for name in QUANTITIES:
            estimate: Estimate | None = getattr(self, name)
            document[name] = (
                None
                if estimate is None
                else {"mean": estimate.mean, "stderr": estimate.stderr, "exact": estimate.exact}
            )
        document["how"] = self.how
        seen = {
            "gains_from_trade": self.gains,
            "buyer_pays": self.buyer_pays,
            "seller_receives": self.seller_receives,
        }
        document["quantiles"] = {
            name: None if one is None else one.to_dict() for name, one in seen.items()
        }
        if self.variance_reduction:
            document["variance_reduction"] = dict(self.variance_reduction)
        return document


@dataclass(frozen=True, eq=False)
class Simulation:
    """What a simulation found out about a market.

    Attributes
    ----------
    market
        The market.
    samples
        How many profiles of values and costs were drawn; 0 if nothing had to be drawn.
    seed
        What they were drawn with: the same seed gives the same numbers.
    estimates
        One `MechanismEstimates` for each mechanism, by name, in the order they were asked for.
    first_best
        The first best's gains, to which shares refer; drawn along even if nobody asked for it.
    skipped
        Mechanisms that do not apply to the market, each with the reason.
    draws
        "plain", "antithetic" or "sobol".
    conditional
        Whether the conditional form was used (`catallax.estimate.batch.conditional`).
    until
        The precision that was asked for, or None.
    reached
        Whether it was reached; None if none was asked for.

    Examples
    --------
    >>> import catallax as cx
    >>> found = cx.simulate(cx.instances.get("bilateral-uniform"), ["gsom"], rng=7)
    >>> found["gsom"].how, round(found["gsom"].share_of_first_best.mean, 9)
    ('exact (quadrature)', 0.75)
    """

    market: Market
    samples: int
    seed: int
    estimates: Mapping[str, MechanismEstimates]
    first_best: Estimate
    skipped: Mapping[str, str] = field(default_factory=dict)
    draws: str = "plain"
    conditional: bool = False
    until: float | None = None
    reached: bool | None = None

    @property
    def caveats(self) -> tuple[str, ...]:
        """Why sampled gains and shares may say nothing: priors whose mean is infinite.

        Examples
        --------
        >>> import catallax as cx
        >>> buyers = [{"id": "b", "prior": "pareto(0.5)"}]
        >>> heavy = cx.Market(buyers, [{"id": "s", "prior": "point(1)"}])
        >>> cx.simulate(heavy, ["first-best"], samples=100).caveats
        ("buyers' prior pareto(0.5): its mean is infinite, ...",)
        """
        from catallax.estimate.exact.integrals import has_mean

        if all(one.exact for one in self):
            return ()
        found = []
        for name, side in (("buyers'", self.market.buyers), ("sellers'", self.market.sellers)):
            found += [
                f"{name} prior {prior.describe()}: its mean is infinite, and so are gains that "
                "depend on it; no interval covers them"
                for prior in side.priors
                if not has_mean(prior)
            ]
        return tuple(found)

    def __len__(self) -> int:
        """Count the mechanisms that were estimated."""
        return len(self.estimates)

    def __iter__(self) -> Iterator[MechanismEstimates]:
        """Go through the estimates."""
        return iter(self.estimates.values())

    def __getitem__(self, mechanism: str) -> MechanismEstimates:
        """Return the estimates of one mechanism.

        Raises
        ------
        UnknownNameError
            If it was not simulated; the message says why, or names the nearest.
        """
        if mechanism in self.estimates:
            return self.estimates[mechanism]
        if mechanism in self.skipped:
            raise UnknownNameError(f"{mechanism} was skipped: {self.skipped[mechanism]}")
        raise UnknownNameError(
            f"'{mechanism}' was not simulated: {nearest(mechanism, self.estimates)}"
        )

    def __repr__(self) -> str:
        """Show gains and shares with 95 % intervals, a line for each mechanism."""
        lines = [f"Simulation of '{self.market.name}': {self.samples:,} samples, seed {self.seed}"]
        width = max(len(name) for name in [*self.estimates, *self.skipped, ""])
        for name, one in self.estimates.items():
            share = one.share_of_first_best
            part = "" if share is None else f", {written(share)} of the first best"
            lines.append(f"  {name:<{width}}  gains {written(one.gains_from_trade)}{part}")
        lines += [f"  {name:<{width}}  skipped: {why}" for name, why in self.skipped.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Show gains, shares and surplus with their 95 % intervals in a notebook."""
        columns = ("mechanism", "gains from trade", "share of first best", "surplus", "how")
        rows = [
            (name, *(None if one is None else written(one) for one in
                     (row.gains_from_trade, row.share_of_first_best, row.surplus)), row.how)
            for name, row in self.estimates.items()
        ]  # fmt: skip
        rows += [(name, None, None, None, f"left out: {why}") for name, why in self.skipped.items()]
        said = (
            f"{self.samples:,} samples, seed {self.seed}; ± is half of a 95 % interval, = is exact."
        )
        title = f"simulation of '{self.market.name}'"
        return html_page(title, said, Rows(columns, rows, len(rows)))

    @property
    def frame(self) -> Any:
        """The estimates as a frame of the library the market came from, a row each.

        Columns mechanism and how; for each quantity its mean under its own name, and its error
        as that name with `_stderr`. What is not known is null.
        """
        columns: dict[str, list[Any]] = {"mechanism": list(self.estimates)}
        columns["how"] = [one.how for one in self]
        for name in QUANTITIES:
            found: list[Estimate | None] = [getattr(one, name) for one in self]
            columns[name] = [None if one is None else one.mean for one in found]
            columns[f"{name}_stderr"] = [None if one is None else one.stderr for one in found]
        return self.market.frame(columns)

    def to_dict(self) -> dict[str, Any]:
        """Give the simulation as the JSON object that the command line prints.

        Returns
        -------
        dict
            Keys market, samples, seed and estimates (by mechanism: for each quantity its mean,
            stderr and exact; how, quantiles and, if there is any, variance_reduction); draws,
            conditional, until, reached, and skipped: the reason for each mechanism that does not
            apply.
        """
        return {
            "market": self.market.name,
            "samples": self.samples,
            "seed": self.seed,
            "estimates": {name: one.to_dict() for name, one in self.estimates.items()},
            "draws": self.draws,
            "conditional": self.conditional,
            "until": self.until,
            "reached": self.reached,
            "skipped": dict(self.skipped),
        }
