"""Where functions change their sign, from ends near and hundreds of orders of magnitude apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from catallax.priors.roots import gallop, root


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_roots_are_found_wherever_they_are(way: float) -> None:
    """Of functions that rise or fall, of any size, and infinite at an end or not."""
    rng = np.random.default_rng(4)
    steps = []
    for _ in range(300):
        place = float(rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-290, 290))
        size = 10.0 ** rng.uniform(-200, 10)
        asked = []

        def function(x: float, place: float = place, size: float = size) -> float:
            asked.append(x)  # noqa: B023
            return way * (math.inf if x == 1e300 else size * ((x / 2 - place / 2) / abs(place)))

        found = root(function, -1e300, 1e300)
        assert found == pytest.approx(place, rel=1e-14, abs=0.0)
        steps.append(len(asked))
        near = root(function, place - abs(place) / 3, place + abs(place) / 5)
        assert near == pytest.approx(place, rel=1e-14, abs=0.0)
    assert np.median(steps) < 40


def test_a_step_between_two_neighbouring_floats_is_found() -> None:
    for place in (1e-200, 3.0, 1e250, 5e-324):
        found = root(lambda x, place=place: 1.0 if x >= place else -1.0, -1e300, 1e300)
        assert found == pytest.approx(place, rel=2e-15, abs=1e-323)


def test_a_walk_ends_beyond_the_level() -> None:
    assert gallop(lambda x: x, 100.0, 0.0, 1.0) == 128.0
    assert gallop(lambda x: x, -100.0, 0.0, -1.0) == -128.0
    assert gallop(lambda x: 0.0, 1.0, 1.0, 1.0) == 1e300
