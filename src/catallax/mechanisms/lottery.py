"""A lottery: the outcomes of a randomised mechanism, each with its probability."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import fsum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from catallax.errors import CatallaxError
from catallax.mechanisms.outcome import Outcome, unknown_mechanism
from catallax.mechanisms.outcome_totals import totals_for_people
from catallax.notebook import Rows, html_page
from catallax.priors.base import RandomSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catallax.markets import Market, Reports
    from catallax.mechanisms.outcome import ClearsAgain, Role

__all__ = ["Lottery", "Probability"]

Probability = Fraction | float

# Floats that should sum to one may miss it by this; fractions may not.
_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Lottery:
    """The outcomes among which a randomised mechanism lets chance decide.

    Nothing is drawn until `draw` is called. A mechanism that may randomise always returns a
    lottery, if need be one with a single outcome.

    Attributes
    ----------
    market
        The market that was cleared.
    mechanism
        Slug of the mechanism.
    outcomes
        Pairs of a probability (a fraction or a float) and an `Outcome`.
    details
        What the mechanism found out about the market before it looked at the reports.
    cleared_by
        The mechanism with its parameters, which `update` needs; None where it was not told.

    Raises
    ------
    CatallaxError
        If there is no outcome, or the probabilities are not positive or do not sum to 1
        (exactly, if all are fractions).

    Examples
    --------
    >>> import catallax as cx
    >>> from fractions import Fraction
    >>> market = cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.2}])
    >>> outcome = cx.clear(market, "first-best")
    >>> half = Fraction(1, 2)
    >>> Lottery(market, "coin", ((half, outcome), (half, outcome))).totals["gains_from_trade"]
    0.7
    """

    market: Market
    mechanism: str
    outcomes: tuple[tuple[Probability, Outcome], ...]
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    cleared_by: ClearsAgain | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check the probabilities."""
        object.__setattr__(self, "outcomes", tuple(self.outcomes))
        object.__setattr__(self, "details", MappingProxyType(dict(self.details)))
        chances = [probability for probability, _ in self.outcomes]
        if not chances or not all(0 < float(chance) <= 1 for chance in chances):
            raise CatallaxError("a lottery needs outcomes with positive probabilities of at most 1")
        if all(isinstance(chance, Fraction | int) for chance in chances):
            fair = sum((Fraction(chance) for chance in chances), Fraction(0)) == 1
        else:
            fair = abs(fsum(chances) - 1.0) <= _TOLERANCE
        if not fair:
            shown = " + ".join(str(chance) for chance in chances)
            raise CatallaxError(f"the probabilities of a lottery sum to 1, and not {shown}")

    def __len__(self) -> int:
        """Count the outcomes."""
        return len(self.outcomes)

    def __repr__(self) -> str:
        """Show the expected totals in one line."""
        totals = self.totals
        return (
            f"<Lottery of {self.mechanism} on '{self.market.name}': {len(self)} "
            f"outcome{'s' if len(self) > 1 else ''}, expected gains "
            f"{totals['gains_from_trade']:.10g}, expected surplus {totals['surplus']:.10g}>"
        )

    def _repr_html_(self) -> str:
        """Show the expected totals and the outcomes in a notebook."""
        columns = ("probability", "mechanism", "trades", "gains from trade", "surplus")
        rows = (
            (
                str(chance),
                one.mechanism,
                *(one.totals[name] for name in ("trades", "gains_from_trade", "surplus")),
            )
            for chance, one in self.outcomes
        )
        return html_page(
            f"lottery of {self.mechanism} on '{self.market.name}'",
            "Expected:",
            totals_for_people(self.totals),
            Rows(columns, rows, len(self)),
        )

    @cached_property
    def probabilities(self) -> np.ndarray:
        """The probabilities as float64; shape (outcomes,)."""
        return np.array([float(probability) for probability, _ in self.outcomes])

    def draw(self, rng: RandomSource) -> Outcome:
        """Let chance decide.

        Parameters
        ----------
        rng
            A seed, a `numpy.random.SeedSequence` or a `numpy.random.Generator`.

        Returns
        -------
        Outcome
            One of the outcomes, with its probability.
        """
        ends = np.cumsum(self.probabilities)
        at = np.searchsorted(ends[:-1], np.random.default_rng(rng).random(), side="right")
        return self.outcomes[int(at)][1]

    @cached_property
    def totals(self) -> dict[str, Any]:
        """Expectations of the totals of the outcomes; see `Outcome.totals`."""
        parts = [outcome.totals for _, outcome in self.outcomes]
        return {
            key: fsum(p * part[key] for p, part in zip(self.probabilities, parts, strict=True))
            for key in parts[0]
        }

    @property
    def expected_totals(self) -> dict[str, Any]:
        """The same as `totals`."""
        return self.totals

    @cached_property
    def trades(self) -> Any:
        """The trades of all outcomes as one frame of the library the market came from.

        Columns outcome (from 0), probability, and those of `Outcome.trades`.
        """
        return self._stacked("trades")

    @cached_property
    def agents(self) -> Any:
        """Every agent in every outcome, as one frame of the library the market came from.

        Columns outcome (from 0), probability, and those of `Outcome.agents`.
        """
        return self._stacked("agents")

    def explain(self, agent: object, role: Role | None = None) -> str:
        """Say why an agent trades or not, outcome by outcome.

        Parameters
        ----------
        agent
            Identifier of the agent.
        role
            "buyer" or "seller", needed only where both sides use the identifier.

        Returns
        -------
        str
            One sentence for each outcome, with its probability; a single one where chance
            does not matter to the agent.
        """
        said = [outcome.explain(agent, role) for _, outcome in self.outcomes]
        if len(set(said)) == 1:
            return said[0]
        return " ".join(
            f"With probability {_shown(probability)}: {sentence}"
            for (probability, _), sentence in zip(self.outcomes, said, strict=True)
        )

    def update(
        self, reports: Reports | None = None, *, bids: Any = None, asks: Any = None
    ) -> Lottery:
        """Clear again, afresh, after some reports have changed; see `Outcome.update`.

        Parameters
        ----------
        reports
            All reports, of which some may have changed.
        bids, asks
            Instead of these, reports that change, by id.

        Returns
        -------
        Lottery
            What `clear` returns for the new reports.
        """
        if self.cleared_by is None:
            raise unknown_mechanism(self.mechanism)
        return self.cleared_by.clear_again(self, reports, bids=bids, asks=asks)

    def to_dict(self) -> dict[str, Any]:
        """Give the lottery as the JSON object that the command line prints."""
        return {
            "market": self.market.name,
            "mechanism": self.mechanism,
            "lottery": [
                {"probability": float(probability), "outcome": outcome.to_dict()}
                for probability, outcome in self.outcomes
            ],
        }

    def _stacked(self, name: str) -> Any:
        import narwhals as nw
        import polars as pl

        parts = [
            nw.from_native(getattr(outcome, name), eager_only=True) for _, outcome in self.outcomes
        ]
        frames = [pl.DataFrame({c: part[c].to_list() for c in part.columns}) for part in parts]
        tagged = [
            frame.select(
                pl.lit(at).alias("outcome"), pl.lit(float(chance)).alias("probability"), pl.all()
            )
            for at, ((chance, _), frame) in enumerate(zip(self.outcomes, frames, strict=True))
        ]
        return self.market.frame(pl.concat(tagged, how="vertical_relaxed").to_dict())


def _shown(probability: Probability) -> str:
    return str(probability) if isinstance(probability, Fraction) else f"{probability:.6g}"
