"""What a mechanism for two groups is expected to bring, exactly where there is a law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, cast

from catallax.errors import CatallaxError
from catallax.groups.base import GroupMechanism, get
from catallax.groups.best_vote import BestVote
from catallax.groups.exact_votes import VoteValues, exact_vote
from catallax.groups.forced_trade import ForcedTrade
from catallax.groups.monte_carlo import Sampled, sample_mechanism
from catallax.groups.smooth import Smooth
from catallax.groups.sums import expected_excess, probability_at_least
from catallax.groups.sums.draws.voters import voters_of
from catallax.groups.sums.waiting import listening, within
from catallax.groups.trade import GroupTrade
from catallax.groups.vote import Vote
from catallax.priors.base import RandomSource
from catallax.progress import Progress

__all__ = ["GroupEvaluation", "evaluate", "first_best"]

EXACT = 1e-7
"""What is called exact has a bound of at most this."""
# A bound beyond this says too little: that is left to samples.
_USELESS = 1e-2
# What the priors' own partial means may be wrong by, relative to the amounts.
_MOMENTS = 1e-12


@dataclass(frozen=True)
class GroupEvaluation:
    """What a mechanism brings to two groups in expectation.

    Attributes
    ----------
    mechanism
        Slug of the mechanism.
    price
        What each buyer pays in a trade; None where it is not fixed.
    seller_receives
        What each seller receives in a trade.
    rule
        The voting rule in words; None where nobody votes.
    ir_buyers, ir_sellers, ir_both
        The probability that the buyers' total utility is nonnegative, the sellers', and both.
    gains_from_trade
        The expected gain: total value less total cost where the groups trade; in money.
    first_best
        The same of a trade whenever it is good.
    share_of_first_best
        Their ratio; None where first best gains nothing.
    trade_probability
        Of a trade.
    buyers_utility, sellers_utility
        The expected total utility of each side; divided by its size, a member's where all share
        a prior.
    method
        "exact": from the law of sums, with an `error_bound` of at most 1e-7; "bounded": from that
        law too, with a larger one (see `evaluate`); "monte-carlo".
    error_bound
        Bounds the error of every probability, and of the amounts as parts of what is at stake
        (`GroupTrade.scale`). Sampled: the largest half-width of the 95 % intervals, of the share
        as well, amounts as parts of first best.
    share_error_bound
        Bounds the error of the share: larger where first best is next to nothing.
    samples
        The number of profiles drawn; None if exact.
    stderr
        Standard errors by field, of a sample. What has none there is exact: the gains, the first
        best, the share and the probability of a trade of a smooth rule whose odds add up.
    check
        The same by Monte Carlo, where it was asked for beside exact values.
    """

    mechanism: str
    price: float | None
    seller_receives: float | None
    rule: str | None
    ir_buyers: float
    ir_sellers: float
    ir_both: float
    gains_from_trade: float
    first_best: float
    share_of_first_best: float | None
    trade_probability: float
    buyers_utility: float
    sellers_utility: float
    method: Literal["exact", "bounded", "monte-carlo"]
    error_bound: float
    share_error_bound: float | None = None
    samples: int | None = None
    stderr: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    check: GroupEvaluation | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as `catallax groups evaluate --json` prints it."""
        given = {name: getattr(self, name) for name in self.__dataclass_fields__}
        check, stderr = given.pop("check"), dict(given.pop("stderr"))
        if self.samples is None:
            del given["samples"]
        if stderr:
            given["stderr"] = stderr
        if check is not None:
            given["monte_carlo"] = check.to_dict()
        return given


def evaluate(
    trade: GroupTrade,
    mechanism: str | GroupMechanism,
    *,
    monte_carlo: int | None = None,
    rng: RandomSource | None = None,
    progress: Progress | None = None,
    **parameters: Any,
) -> GroupEvaluation:
    """Return what a mechanism is expected to bring to two groups.

    Forced trade and votes come from the exact law of sums of independent draws, atoms included,
    and nothing is sampled. A weak inequality decides who is better off. The method is "exact" where
    the `error_bound` is at most 1e-7 and "bounded" where it is more. That takes values that share
    no step, not even cents, like those of five dozen members whose shares all differ, each with
    two of her own that vote differently and one of them rare. A sample that is asked for then takes
    its place if its own error is smaller. Ordinary priors take hundredths of a second, needles and
    dozens of odd values up to some minutes.

    Parameters
    ----------
    trade
        The groups and their priors.
    mechanism
        A slug such as "forced-trade", "vote" or "best-vote", or a mechanism.
    monte_carlo
        Draw so many profiles as well, as a check; for mechanisms without an exact law that is
        all there is.
    rng
        What to draw them with: a seed, a `SeedSequence` or a `Generator`.
    progress
        Called now and then while a law takes long, with the part that is done and what is being
        done; not at all where all is quick.
    **parameters
        Those of the mechanism, if it is named.

    Returns
    -------
    GroupEvaluation

    Raises
    ------
    CatallaxError
        If the mechanism has no exact law and no `monte_carlo` is asked for, or no `rng` is given.

    References
    ----------
    Xu, Zhang, Conitzer (AAAI 2024), Table 1 for forced trade.

    Examples
    --------
    >>> trade = GroupTrade(5, 5, "uniform(0.11, 0.91)", "uniform(0.09, 0.89)")
    >>> forced, best = (evaluate(trade, one) for one in ("forced-trade", "best-vote"))
    >>> round(forced.share_of_first_best, 6), round(best.share_of_first_best, 3)
    (0.28942, 0.881)
    >>> round(forced.ir_both, 6), forced.method, forced.error_bound < 1e-9
    (0.288782, 'exact', True)
    """
    chosen = get(mechanism, **parameters)
    if monte_carlo is not None and (
        isinstance(monte_carlo, bool) or not isinstance(monte_carlo, int) or monte_carlo < 2
    ):
        raise CatallaxError(f"monte_carlo is {monte_carlo!r}; write a whole number from 2 up")
    if monte_carlo is not None and rng is None:
        raise CatallaxError("a sample needs a seed: give rng (on the command line --seed)")
    rule = chosen.choose(trade).vote if isinstance(chosen, BestVote) else chosen
    with listening(progress):
        exact = _exact(chosen.slug, rule, trade)
    if exact is not None and exact.error_bound > _USELESS:
        exact = None
    if exact is not None and monte_carlo is None:
        return exact
    if monte_carlo is None:
        raise CatallaxError(
            f"'{chosen.slug}' has no exact law here; ask for a sample with monte_carlo=100_000 and "
            "a seed (on the command line --monte-carlo 100000 --seed 1)"
        )
    assert rng is not None
    drawn = _sampled(chosen.slug, rule, trade, sample_mechanism(trade, rule, monte_carlo, rng))
    if isinstance(rule, Smooth) and rule.pairs is None:
        return _with_exact_gains(drawn, rule, trade)
    if exact is None or (exact.method != "exact" and drawn.error_bound < exact.error_bound):
        return drawn
    return replace(exact, check=drawn)


@lru_cache(maxsize=256)
def first_best(trade: GroupTrade) -> tuple[float, float]:
    """Return the expected gain of trading whenever it is good, and a bound of its error.

    Parameters
    ----------
    trade
        The groups and their priors.

    Returns
    -------
    tuple of float
        In money.

    References
    ----------
    Xu, Zhang, Conitzer (2024), section 3.

    Examples
    --------
    >>> value, error = first_best(GroupTrade(1, 1, "uniform(0, 1)", "uniform(0, 1)"))
    >>> round(value, 9), error < 1e-9
    (0.166666667, True)
    """
    return expected_excess(voters_of(trade.buyers), voters_of(trade.sellers))


# ---------------------------------------------------------------------------------- exact values


def _exact(slug: str, rule: GroupMechanism, trade: GroupTrade) -> GroupEvaluation | None:
    if isinstance(rule, ForcedTrade):
        return _forced(rule, trade)
    if not isinstance(rule, Vote):
        return None
    values = exact_vote(rule, trade)
    if values is None:
        return None
    prices = rule.prices(trade)
    total = float(prices.pays * trade.n_buyers)
    return _assembled(
        slug, trade, values, total,
        price=rule.price, seller_receives=float(prices.receives),
        rule=rule.rule.describe(trade.n_buyers, trade.n_sellers),
    )  # fmt: skip


def _forced(rule: ForcedTrade, trade: GroupTrade) -> GroupEvaluation:
    if not rule.takes_place(trade):
        values = VoteValues(0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0)
        return _assembled(rule.slug, trade, values, 0.0)
    total = float(rule.transfer(trade))
    with within(0.0, 0.5):
        buyers, first = probability_at_least(voters_of(trade.buyers), total)
    with within(0.5, 1.0):
        sellers, second = probability_at_least(voters_of(trade.sellers), -total)
    means = (trade.buyers.total_mean, -trade.sellers.total_mean)
    values = VoteValues(1.0, *means, buyers, sellers, buyers * sellers, first + second)
    return _assembled(
        rule.slug, trade, values, total,
        price=total / trade.n_buyers, seller_receives=total / trade.n_sellers,
    )  # fmt: skip


def _assembled(
    slug: str,
    trade: GroupTrade,
    values: VoteValues,
    total: float,
    *,
    price: float | None = None,
    seller_receives: float | None = None,
    rule: str | None = None,
) -> GroupEvaluation:
    """Put what a vote brings beside first best."""
    best, missing = first_best(trade)
    gains = values.buyers_sum + values.sellers_sum
    moved = total * values.trade_probability
    # First best is at least what any rule gains; where it is nothing but a rounding, so are both.
    rounding = _MOMENTS * trade.scale + missing
    share = min(gains / best, 1.0 + missing / best) if best > rounding else None
    bound = max(values.error, rounding / trade.scale if trade.scale > 0 else 0.0)
    return GroupEvaluation(
        mechanism=slug,
        price=price,
        seller_receives=seller_receives,
        rule=rule,
        ir_buyers=values.better_off_buyers,
        ir_sellers=values.better_off_sellers,
        ir_both=values.better_off_both,
        gains_from_trade=gains,
        first_best=best,
        share_of_first_best=share,
        trade_probability=values.trade_probability,
        buyers_utility=values.buyers_sum - moved,
        sellers_utility=values.sellers_sum + moved,
        method="exact" if bound <= EXACT else "bounded",
        error_bound=bound,
        share_error_bound=None if share is None else rounding * (1.0 + abs(share)) / best,
    )


# --------------------------------------------------------------------------------------- samples


def _sampled(slug: str, rule: GroupMechanism, trade: GroupTrade, drawn: Sampled) -> GroupEvaluation:
    fixed: dict[str, Any] = {"price": None, "seller_receives": None, "rule": None}
    if isinstance(rule, Vote):
        prices = rule.prices(trade)
        words = rule.rule.describe(trade.n_buyers, trade.n_sellers)
        fixed = {"price": rule.price, "seller_receives": float(prices.receives), "rule": words}
    elif isinstance(rule, ForcedTrade) and rule.takes_place(trade):
        total = float(rule.transfer(trade))
        fixed = {**fixed, "price": total / trade.n_buyers,
                 "seller_receives": total / trade.n_sellers}  # fmt: skip
    means, errors = drawn.means, drawn.stderr
    best = means["first_best"]
    share = means["gains_from_trade"] / best if best > 0 else None
    stderr = dict(errors)
    if share is not None:
        stderr["share_of_first_best"] = drawn.share_stderr
    parts = [
        error / best if name in _AMOUNTS and best > 0 else error
        for name, error in stderr.items()
        if name not in _AMOUNTS or best > 0
    ]
    return GroupEvaluation(
        mechanism=slug,
        **fixed,
        **cast("dict[str, Any]", means),
        share_of_first_best=share,
        method="monte-carlo",
        error_bound=_NORMAL * max(parts),
        share_error_bound=None if share is None else _NORMAL * drawn.share_stderr,
        samples=drawn.samples,
        stderr=MappingProxyType(stderr),
    )


def _with_exact_gains(drawn: GroupEvaluation, rule: Smooth, trade: GroupTrade) -> GroupEvaluation:
    """Put in what needs no sample where the odds add up over members."""
    gains, chance = rule.on(trade).expected(trade)
    best, missing = first_best(trade)
    rounding = _MOMENTS * trade.scale + missing
    share = gains / best if best > rounding else None
    known = {"gains_from_trade": gains, "first_best": best, "trade_probability": chance}
    names = (*known, "share_of_first_best")
    stderr = {name: error for name, error in drawn.stderr.items() if name not in names}
    parts = [
        error / best if name in _AMOUNTS and share is not None else error
        for name, error in stderr.items()
        if name not in _AMOUNTS or share is not None
    ]
    return replace(
        drawn,
        **known,
        share_of_first_best=share,
        error_bound=_NORMAL * max(parts),
        share_error_bound=None if share is None else rounding * (1.0 + abs(share)) / best,
        stderr=MappingProxyType(stderr),
    )


_NORMAL = 1.959963984540054  # half of a 95 % interval in standard errors
_AMOUNTS = ("gains_from_trade", "first_best", "buyers_utility", "sellers_utility")
