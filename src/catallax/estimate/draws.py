"""Profiles of values and costs, drawn block by block so that blocks can be drawn anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError, nearest
from catallax.markets.unit_demand import UnitDemand
from catallax.priors.base import RandomSource

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.priors import Prior

    Groups = tuple[tuple[Prior, NDArray[np.int64]], ...]

__all__ = ["Draws", "DrawsKind", "Plan", "Sampler", "sampler_of", "seed_of"]

Array = NDArray[np.float64]
DrawsKind = Literal["plain", "antithetic", "sobol"]
# How many numbers a block holds in each of its arrays, and how many profiles at most.
_NUMBERS = 2**16
_MOST_PROFILES = 2**10
# The error of Sobol points comes from so many independent randomisations at least, and where a
# precision is asked for, none of them is longer than this. Of shorter ones than eight points the
# means are too far from normal for so few.
RANDOMISATIONS = 32
_SHORTEST = 8
_LONGEST = 2**10
_MOST_SOBOL = 21_201


def seed_of(rng: RandomSource) -> int:
    """Turn a source of randomness into a seed that can be written down and used again.

    Parameters
    ----------
    rng
        An integer is its own seed; from a `SeedSequence` or a `Generator` one is drawn.

    Raises
    ------
    CatallaxError
        If it is negative, or nothing of these.

    Examples
    --------
    >>> seed_of(7)
    7
    """
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, np.random.SeedSequence):
        return int(rng.generate_state(1, np.uint64)[0])
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer):
        raise CatallaxError(
            f"rng = {rng!r}: give a whole number, a SeedSequence or a Generator of numpy"
        )
    if rng < 0:
        raise CatallaxError(f"a seed is a whole number of at least 0, and not {rng}")
    return int(rng)


@dataclass(frozen=True, eq=False)
class Draws:
    """A block of profiles.

    Attributes
    ----------
    values
        Of the buyers, or of the items where one buyer values them differently; shape
        (profiles, n_buyers) or (profiles, items).
    costs
        Of the sellers; shape (profiles, n_sellers).
    """

    values: Array
    costs: Array

    def __len__(self) -> int:
        """Count the profiles."""
        return len(self.values)


@dataclass(frozen=True)
class Plan:
    """How profiles are drawn, and which of them belong together.

    Attributes
    ----------
    kind
        "plain", "antithetic" (every profile with its mirror: quantiles q and 1 - q) or "sobol"
        (scrambled Sobol points, randomised again and again).
    samples
        How many profiles there are in all.
    unit
        How many neighbouring profiles depend on each other: 1, 2, or the points of a
        randomisation. Units are independent, and what errors are computed from.
    block
        How many profiles a block has; the last may have less.
    """

    kind: DrawsKind
    samples: int
    unit: int
    block: int

    @classmethod
    def plan(cls, kind: str, samples: int, columns: int, *, growing: bool) -> Plan:
        """Fit the numbers to each other.

        Parameters
        ----------
        kind
            One of the kinds.
        samples
            How many profiles are wanted; rounded up to whole units.
        columns
            How many numbers a profile has.
        growing
            Whether one stops as soon as a precision is reached.

        Raises
        ------
        CatallaxError
            If there is no such kind, there are too few samples for an error, or too many columns
            for Sobol points.
        """
        if kind not in get_args(DrawsKind):
            raise CatallaxError(f"draws = '{kind}': {nearest(kind, get_args(DrawsKind))}")
        fewest = {"plain": 2, "antithetic": 4, "sobol": _SHORTEST * RANDOMISATIONS}[kind]
        if samples < fewest:
            raise CatallaxError(
                f"samples = {samples}: an estimate from {kind} draws with its error needs at "
                f"least {fewest}"
            )
        block = 1 << int(np.log2(max(2, min(_MOST_PROFILES, _NUMBERS // max(1, columns)))))
        unit = {"plain": 1, "antithetic": 2}.get(kind, 0)
        if kind == "sobol":
            if columns > _MOST_SOBOL:
                raise CatallaxError(
                    f"Sobol points have at most {_MOST_SOBOL:,} dimensions, and a profile of this "
                    f"market has {columns:,} numbers: use draws='antithetic'"
                )
            unit = 1 << int(np.log2(samples // RANDOMISATIONS))
            unit = min(unit, _LONGEST) if growing else unit
        whole = -(-samples // unit) * unit
        return cls(kind, whole, unit, block)  # type: ignore[arg-type]  # checked above

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.samples // self.block)

    def size(self, block: int) -> int:
        """Return how many profiles a block has."""
        return min(self.block, self.samples - block * self.block)


@dataclass(frozen=True, eq=False)
class Sampler:
    """Draws profiles of a market.

    Attributes
    ----------
    market
        The market.
    values, costs
        Every distinct prior of the values (the costs) with the columns that have it.
    unit_demand
        The items, where one buyer values them differently; else None.
    """

    market: Market
    values: Groups
    costs: Groups
    unit_demand: UnitDemand | None

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """How many values and how many costs a profile has."""
        if self.unit_demand is not None:
            return self.unit_demand.seller.size, len(self.market.sellers)
        return len(self.market.buyers), len(self.market.sellers)

    def draw(self, plan: Plan, seed: int, block: int) -> Draws:
        """Draw a block; it depends on the seed, the plan and its number, and on nothing else."""
        count, columns = plan.size(block), sum(self.sizes)
        cut = self.sizes[0]
        if plan.kind == "plain":
            rng = _generator(seed, block)
            return Draws(
                _sampled(self.values, (count, cut), rng),
                _sampled(self.costs, (count, columns - cut), rng),
            )
        make = _mirrored if plan.kind == "antithetic" else _sobol
        # In the open interval, so that an unbounded support never yields infinity.
        levels = np.clip(make(plan, seed, block, columns), 2.0**-54, 1.0 - 2.0**-53)
        return Draws(
            _quantiles(self.values, levels[:, :cut]), _quantiles(self.costs, levels[:, cut:])
        )


def sampler_of(market: Market) -> Sampler:
    """Make the sampler of a market.

    Parameters
    ----------
    market
        A market whose agents all have priors; or, where one buyer values the items differently,
        whose edges and sellers have.

    Raises
    ------
    MissingPriorError
        Naming the first agent without a prior.
    """
    costs = tuple(market.sellers.groups())
    on_edges = len(market.buyers) == 1 and "prior" in market.edge_table.columns
    if on_edges and market.buyers.prior(0) is None:
        view = UnitDemand.of(market)
        values = tuple((prior, np.array([k])) for k, prior in enumerate(view.require_priors()))
        return Sampler(market, values, costs, view)
    return Sampler(market, tuple(market.buyers.groups()), costs, None)


def _generator(seed: int, number: int) -> np.random.Generator:
    """Make the generator of one block, or of one randomisation."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))


def _sampled(groups: Groups, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Draw the columns of every prior."""
    if len(groups) == 1:
        return groups[0][0].sample(rng, shape)
    out = np.empty(shape)
    for prior, members in groups:
        out[:, members] = prior.sample(rng, (shape[0], members.size))
    return out


def _quantiles(groups: Groups, levels: Array) -> Array:
    """Look up the values at given probabilities."""
    out = np.empty(levels.shape)
    for prior, members in groups:
        out[:, members] = prior.quantile(levels[:, members])
    return out


def _mirrored(plan: Plan, seed: int, block: int, columns: int) -> Array:
    """Give probabilities in pairs of rows: a row of q, and below it the row of 1 - q."""
    half = _generator(seed, block).random((plan.size(block) // 2, columns))
    return np.stack([half, 1.0 - half], axis=1).reshape(-1, columns)


def _sobol(plan: Plan, seed: int, block: int, columns: int) -> Array:
    """Give scrambled Sobol points: of some randomisations, or the part of one."""
    from scipy.stats import qmc  # heavy

    start, end = block * plan.block, block * plan.block + plan.size(block)
    parts = []
    while start < end:
        number, offset = divmod(start, plan.unit)
        engine = qmc.Sobol(columns, scramble=True, rng=_generator(seed, number))
        count = min(plan.unit - offset, end - start)
        if offset:
            engine.fast_forward(offset)
        parts.append(engine.random(count))
        start += count
    # Points are corners of cells of this width; their middles have no bias.
    return np.concatenate(parts) + 2.0**-31
