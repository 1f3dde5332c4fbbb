"""Published results by name, each computed again on request."""

from __future__ import annotations

from importlib import import_module

from catallax.errors import CatallaxError, UnknownNameError, nearest
from catallax.papers.registry import TARGETS, Options, Target
from catallax.papers.reproduction import Reproduction
from catallax.progress import Progress, forward

__all__ = ["get", "names", "reproduce"]


# A module for each target or family of targets; each registers what it holds.
_MODULES = (
    "guarantee",
    "closed_forms",
    "mcafee_table",
    "worst_random_offerer",
    "unit_demand",
    "remark",
    "groups_table1",
    "groups_figures",
)


def _all() -> dict[str, Target]:
    for module in _MODULES:
        import_module(f"catallax.papers.{module}")
    return TARGETS


def names() -> list[str]:
    """List what can be reproduced.

    Examples
    --------
    >>> "groups-table1" in names()
    True
    """
    return list(_all())


def get(name: str) -> Target:
    """Find a target by its name.

    Raises
    ------
    UnknownNameError
        If there is none; the message names the nearest.
    """
    known = _all()
    if name not in known:
        raise UnknownNameError(f"nothing to reproduce is called '{name}': {nearest(name, known)}")
    return known[name]


def reproduce(
    name: str,
    *,
    monte_carlo: int | None = None,
    rng: int = 0,
    progress: Progress | None = None,
) -> Reproduction:
    """Compute a published result again.

    Parameters
    ----------
    name
        Of a target; see `names`.
    monte_carlo
        Samples to draw, where a target draws any.
    rng
        What to draw them with.
    progress
        Called with the part that is done and what is being done.

    Returns
    -------
    Reproduction
        Every figure beside the published one.

    Raises
    ------
    UnknownNameError
        If there is no such target.

    Examples
    --------
    >>> reproduce("gsom-bic-remark").agrees
    True
    """
    if monte_carlo is not None and monte_carlo < 2:
        raise CatallaxError(f"monte_carlo is {monte_carlo}; write a whole number from 2 up")
    progress = forward(progress)
    found = get(name).run(Options(monte_carlo, rng, progress))
    progress(1.0, "done")
    return found
