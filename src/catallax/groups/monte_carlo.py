"""What a mechanism for groups brings, from sampled profiles: a check, and for what has no law."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catallax.groups.base import GroupMechanism
from catallax.groups.forced_trade import ForcedTrade
from catallax.groups.trade import GroupReports, GroupTrade
from catallax.groups.vote import Vote
from catallax.priors.base import RandomSource

__all__ = ["Sampled", "sample_mechanism"]

Array = NDArray[np.float64]

# Numbers drawn at a time.
_BLOCK = 2_000_000

FIELDS = ("ir_buyers", "ir_sellers", "ir_both", "gains_from_trade", "first_best",
          "trade_probability", "buyers_utility", "sellers_utility")  # fmt: skip


@dataclass(frozen=True)
class Sampled:
    """Means of a sample with their standard errors.

    Attributes
    ----------
    samples
        How many profiles.
    means, stderr
        By field of `GroupEvaluation`.
    share_stderr
        Standard error of the ratio of gains to first best on the same draws (delta method).
    """

    samples: int
    means: dict[str, float]
    stderr: dict[str, float]
    share_stderr: float


def sample_mechanism(
    trade: GroupTrade, mechanism: GroupMechanism, samples: int, rng: RandomSource
) -> Sampled:
    """Draw profiles, decide on each, and average.

    Parameters
    ----------
    trade
        The groups and their priors.
    mechanism
        The mechanism; votes and forced trade decide on many profiles at once.
    samples
        How many profiles, at least 2.
    rng
        A seed, a `SeedSequence` or a `Generator`.

    Returns
    -------
    Sampled
    """
    generator = np.random.default_rng(rng)
    size = len(FIELDS)
    # A shift near the means keeps the sums of squares from drowning.
    shift = np.full(size, np.nan)
    total, squares = np.zeros(size), np.zeros((size, size))
    for rows in _blocks(samples, trade.n_buyers + trade.n_sellers):
        table = _rows(mechanism, trade, *trade.sample(generator, rows))
        if np.isnan(shift[0]):
            shift = table.mean(axis=0)
        centred = table - shift
        total += centred.sum(axis=0)
        squares += centred.T @ centred
    mean = total / samples
    spread = (squares - samples * np.outer(mean, mean)) / (samples - 1)
    means = shift + mean
    errors = np.sqrt(np.maximum(np.diag(spread), 0.0) / samples)
    gains, best = FIELDS.index("gains_from_trade"), FIELDS.index("first_best")
    share = 0.0
    if means[best] > 0:
        ratio = means[gains] / means[best]
        across = spread[gains, gains] - 2 * ratio * spread[gains, best]
        across += ratio**2 * spread[best, best]
        share = math.sqrt(max(float(across), 0.0) / samples) / float(means[best])
    return Sampled(
        samples,
        dict(zip(FIELDS, means.tolist(), strict=True)),
        dict(zip(FIELDS, errors.tolist(), strict=True)),
        share,
    )


def _blocks(samples: int, members: int) -> Iterator[int]:
    most = max(1, _BLOCK // members)
    while samples:
        rows = min(most, samples)
        yield rows
        samples -= rows


def _rows(mechanism: GroupMechanism, trade: GroupTrade, values: Array, costs: Array) -> Array:
    """Return the fields for each profile, shape (rows, fields)."""
    x, paid, received = decide_many(mechanism, trade, values, costs)
    worth, cost = values.sum(axis=1), costs.sum(axis=1)
    # Sums of draws that should tie may miss it by a rounding; ties count as better off.
    slack = 1e-12 * trade.scale
    buyers, sellers = x * worth - paid, received - x * cost
    content = buyers >= -slack, sellers >= -slack
    columns = (
        content[0], content[1], content[0] & content[1], x * (worth - cost),
        np.maximum(worth - cost, 0.0), x, buyers, sellers,
    )  # fmt: skip
    return np.stack([np.asarray(column, float) for column in columns], axis=1)


def decide_many(
    mechanism: GroupMechanism, trade: GroupTrade, values: Array, costs: Array
) -> tuple[Array, Array, Array]:
    """Decide on many profiles.

    Parameters
    ----------
    mechanism, trade
        What decides, for whom.
    values, costs
        Profiles, shapes (rows, n_buyers) and (rows, n_sellers).

    Returns
    -------
    tuple of ndarray
        The probability of trade, what all buyers pay and what all sellers receive, (rows,) each.
    """
    rows = values.shape[0]
    if isinstance(mechanism, Vote):
        prices = mechanism.prices(trade)
        x = mechanism.rule.accepts(*prices.votes(values, costs)).astype(float)
        moved = x * float(prices.pays * trade.n_buyers)
        return x, moved, moved
    if isinstance(mechanism, ForcedTrade):
        x = np.full(rows, float(mechanism.takes_place(trade)))
        moved = x * float(mechanism.transfer(trade))
        return x, moved, moved
    decided = [
        mechanism.decide(trade, GroupReports(value, cost))
        for value, cost in zip(values, costs, strict=True)
    ]
    return (
        np.array([one.x for one in decided]),
        np.array([float(one.pays * trade.n_buyers) for one in decided]),
        np.array([float(one.receives * trade.n_sellers) for one in decided]),
    )
