"""The best vote: the price and the rule that together bring the largest expected gain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache

from catallax.errors import CatallaxError
from catallax.groups.base import GroupClaims, GroupMechanism, GroupOutcome, register
from catallax.groups.best_price import best_price
from catallax.groups.best_rules import Demands, rule_at
from catallax.groups.requirements import Requirement, least_amount, read_requirement
from catallax.groups.trade import GroupReports, GroupTrade
from catallax.groups.vote import Vote

__all__ = ["BestVote", "ChosenVote"]


@dataclass(frozen=True)
class ChosenVote:
    """The vote that the priors recommend.

    Attributes
    ----------
    vote
        Its price and rule.
    gains
        Its expected gain, in money.
    """

    vote: Vote
    gains: float


@register
@dataclass(frozen=True, init=False)
class BestVote(GroupMechanism):
    """Vote at the price, and by the rule, that bring the largest expected gain.

    At a given price the best rule trades whenever the expected gain, given how everybody voted, is
    not negative. That rule is monotone by itself: one more yes raises the expected gain. Then the
    price is searched. Both hang on the priors alone, so the vote is as truthful as any.

    Parameters
    ----------
    least_better_off
        The least probability with which each side's total utility has to be nonnegative; None
        for none. For groups whose members share a prior.
    least_buyers, least_sellers
        Who has to be in favour at least: a count, or a part such as "80%". Without it, many
        enough sellers can outvote the buyers, and the other way round.

    Claims
    ------
    Truthful in dominant strategies and strongly budget balanced, as every vote. No vote at one
    price (and so no deterministic mechanism with these properties) gains more in expectation,
    where nothing is demanded besides; never less than forced trade.

    Notes
    -----
    The price is the best found on a grid that follows the priors' quantiles, refined around every
    local maximum; with discrete priors all prices that differ are tried. With members of different
    priors a yes has a score, what it adds to the expected gain, and the rule adds scores up; they
    are whole numbers, rounded to a part of 2^40 of the whole where there are up to 20,000
    combinations of votes by kind of member on a side, and to a part of 2^12 beyond.
    With `least_better_off` the rule charges each side's risk until both demands are met, which
    is the best rule of that form; in small groups all rules that count votes are tried.

    References
    ----------
    Ours. Theorem 4.2 of Xu, Zhang, Conitzer (AAAI 2024) says that there is nothing else to choose
    from.

    Examples
    --------
    >>> from catallax.groups import GroupTrade, evaluate
    >>> trade = GroupTrade(5, 5, "uniform(0.11, 0.91)", "uniform(0.09, 0.89)")
    >>> chosen = BestVote().choose(trade)
    >>> round(chosen.vote.price, 2), chosen.vote.rule.least
    (0.5, (5, 4, 3, 2, 1, 0))
    >>> round(evaluate(trade, "best-vote").share_of_first_best, 3)
    0.881
    """

    least_better_off: float | None
    least_buyers: Requirement
    least_sellers: Requirement

    slug = "best-vote"
    summary = "the price and the voting rule with the largest expected gain"
    claims = GroupClaims("DSIC", "strong", "with a probability that can be demanded")

    def __init__(
        self,
        least_better_off: float | None = None,
        least_buyers: object = 0,
        least_sellers: object = 0,
    ) -> None:
        if least_better_off is not None and not (
            isinstance(least_better_off, int | float) and 0 <= least_better_off <= 1
        ):
            raise CatallaxError(
                f"least_better_off is {least_better_off!r}; write a probability from 0 to 1"
            )
        object.__setattr__(self, "least_better_off", least_better_off)
        object.__setattr__(self, "least_buyers", read_requirement(least_buyers, "buyers"))
        object.__setattr__(self, "least_sellers", read_requirement(least_sellers, "sellers"))

    def choose(self, trade: GroupTrade) -> ChosenVote:
        """Find the price and the rule.

        Parameters
        ----------
        trade
            The groups and their priors.

        Returns
        -------
        ChosenVote

        Raises
        ------
        CatallaxError
            If more members are demanded than there are, or a probability from members with
            different priors.
        """
        return _choose(self, trade)

    def demands(self, trade: GroupTrade) -> Demands:
        """Return what is demanded in numbers of members."""
        sides = (
            (self.least_buyers, trade.n_buyers, "buyer"),
            (self.least_sellers, trade.n_sellers, "seller"),
        )
        least = []
        for need, size, word in sides:
            least.append(least_amount(need, size))
            if least[-1] > size:
                raise CatallaxError(
                    f"{least[-1]} {word}s in favour are demanded of {size}; demand at most {size}"
                )
        return Demands(self.least_better_off, *least)

    def _prices(self, trade: GroupTrade) -> tuple[float, float] | None:
        return self.choose(trade).vote._prices(trade)

    def _decide(self, trade: GroupTrade, reports: GroupReports) -> GroupOutcome:
        outcome = self.choose(trade).vote.decide(trade, reports)
        return replace(outcome, mechanism=self.slug)


@lru_cache(maxsize=64)
def _choose(mechanism: BestVote, trade: GroupTrade) -> ChosenVote:
    demands = mechanism.demands(trade)
    mixed = len(trade.buyers.parts) > 1 or len(trade.sellers.parts) > 1
    if demands.better_off is not None and mixed:
        raise CatallaxError(
            "least_better_off is for groups whose members share a prior; demand a number of "
            "consenting members instead, or give each side one prior"
        )

    @cache
    def gain_at(price: float) -> float:
        return rule_at(trade, price, demands).gains

    price, _ = best_price(trade, gain_at, rough=demands.better_off is not None)
    best = rule_at(trade, price, demands, exact=True)
    return ChosenVote(Vote(price, best.rule()), best.gains)
