"""Sums of draws that tie with a total where densities are steep: looked at scale by scale.

Poles, needles and jumps of a density are clusters. A sum in which one draw at least is in none has
a transform that ends. Where all are in clusters, most of their sums are apart from the total, and
decided; those that are not are the same question on a finer scale. Next to poles that are powers
of the distance every scale is like the one before, and the rest is a geometric series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catallax.groups.sums.draws.ballots import Leaf, Terms, added, weigh
from catallax.groups.sums.draws.blocks import blocks_of
from catallax.groups.sums.draws.bounds import window
from catallax.groups.sums.draws.measure import Measure
from catallax.groups.sums.draws.voters import Voters
from catallax.groups.sums.series.circle import Circle
from catallax.groups.sums.steep.anchors import UNIT, Key, Label, TooManyError, exact, label_of
from catallax.groups.sums.steep.clusters import BAND, Fall, Part, clusters_of, wave_of, wide_of
from catallax.groups.sums.steep.fold import law_of_one, slack_of
from catallax.groups.sums.steep.ties import beyond, settle

__all__ = ["scale_terms"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_FIRST = 1 << 16
_OUTSIDE = 1e-15
_MARGIN = 0.02


def scale_terms(
    voters: Sequence[Voters], total: float, frequencies: int = _FIRST
) -> list[Terms] | None:
    """Return P(votes, sum >= total), scale by scale.

    Parameters
    ----------
    voters
        All members.
    total
        What the sum is compared with.
    frequencies
        How many are taken on the widest scale.

    Returns
    -------
    list of Terms or None
        All terms; None where ways to tie are too many, and without densities.

    Examples
    --------
    >>> from catallax.priors import Beta
    >>> found = scale_terms([Voters(Beta(0.02, 0.02), 20)], 10.0)
    >>> round(sum(float(one.values.sum()) for one in found), 8)
    0.5
    """
    if not any(one.measure.low.size for one in voters):
        return None
    try:
        return _terms(voters, total, frequencies)
    except (TooManyError, OverflowError):
        return None


def _terms(voters: Sequence[Voters], total: float, frequencies: int) -> list[Terms]:
    draws = [one.draws for one in voters]
    low, high = window(draws, _OUTSIDE)
    period = (high - low) * (1.0 + 2.0 * _MARGIN)
    margin = _MARGIN * (high - low)
    radius = BAND * period / (2.0 * math.pi * frequencies)
    circle = Circle(tuple(draws), low - margin, high + margin, period, frequencies, 0.0, _OUTSIDE)
    kinds = [_first_labels(one, radius) for one in voters]
    smooth = _of_smooth(voters, kinds, circle, total)
    slack = slack_of(voters, total)
    found = settle(voters, total, slack, [labels for labels, _ in kinds], radius)
    lost = math.fsum(one.count * one.lost for one in draws) + math.fsum(
        one.count * abs(_mass(labels, wide) - one.measure.atom_mass - one.measure.cell_mass)
        for one, (labels, wide) in zip(voters, kinds, strict=True)
    )
    parts = [Terms(votes, np.array([value]), 0.0) for votes, value in found.values.items()]
    return [smooth, *parts, Terms(0, np.zeros(1), found.error + _missed(voters) + lost + _OUTSIDE)]


def _mass(labels: Sequence[Label], wide: dict[int, Measure]) -> float:
    return math.fsum([label.mass for label in labels] + [one.cell_mass for one in wide.values()])


def _missed(voters: Sequence[Voters]) -> float:
    """Bound what the cells of all draws miss of their priors, in probability."""
    found = 0.0
    for one in voters:
        mass = math.fsum(law.mass for law in law_of_one(one).values())
        errors = math.fsum(block.error for block in blocks_of(one.prior))
        found += one.count * (one.measure.error + abs(mass - 1.0) + errors)
    return found


# ------------------------------------------------------------------------------ the widest scale


def _first_labels(one: Voters, radius: float) -> tuple[list[Label], dict[int, Measure]]:
    """Return atoms and clusters of one draw, and what is in none, for either vote."""
    labels: list[Label] = []
    wide: dict[int, Measure] = {}
    extent = float(np.ptp(one.measure.support)) or 1.0
    for votes, law in law_of_one(one).items():
        labels += [Label(votes, mass, Key(exact(value), True, 0)) for value, mass in law.atoms]
        parts = [Part(block.anchor, block.measure) for block in law.blocks]
        clusters = clusters_of(parts, 0.0, radius)
        labels += [label_of(cluster, votes, extent) for cluster in clusters]
        wide[votes] = wide_of(parts, clusters, radius)
    return labels, wide


def _of_smooth(
    voters: Sequence[Voters],
    kinds: Sequence[tuple[list[Label], dict[int, Measure]]],
    circle: Circle,
    total: float,
) -> Terms:
    """Return the terms with at least one draw that is in no cluster."""
    centre = math.fsum(one.count * one.mean for one in voters)
    weights = circle.tail(total, centre)
    few, whole, bounds = [], [], []
    for one, (labels, wide) in zip(voters, kinds, strict=True):
        waves = {votes: _waves(labels, votes, circle, one.mean) for votes in (0, one.weight)}
        if one.weight == 0:
            waves = {0: waves[0]}
        rest = {
            votes: wave_of(measure, circle.step, circle.count, -one.mean)
            for votes, measure in wide.items()
        }
        none = np.zeros(circle.count, dtype=np.complex128)
        pairs = [
            (waves.get(votes, none), waves.get(votes, none) + rest.get(votes, none))
            for votes in ((0, one.weight) if one.weight else (0, -1))
        ]
        few.append(Leaf(one.count, one.weight, one.chance, pairs[0][0], pairs[1][0]))
        whole.append(Leaf(one.count, one.weight, one.chance, pairs[0][1], pairs[1][1]))
        mass = math.fsum(label.mass for label in labels)
        bounds.append((one.count, mass, [Fall(measure) for measure in wide.values()]))
    found = added([weigh(whole, weights), weigh(few, -weights)])
    return replace(found, error=found.error + beyond(bounds, circle.step, circle.count))


def _waves(labels: Sequence[Label], votes: int, circle: Circle, centre: float) -> Complex:
    out = np.zeros(circle.count, dtype=np.complex128)
    for label in labels:
        if label.votes != votes:
            continue
        shift = label.key.anchor / UNIT - centre
        if label.measure is None:
            out += label.mass * np.exp(1j * circle.frequencies * shift)
        else:
            out += wave_of(label.measure, circle.step, circle.count, shift)
    return out
