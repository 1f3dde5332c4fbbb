"""The settings of a market in rows: over its size, or over a parameter that is a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from catallax.estimate.study.recipes import OWN

if TYPE_CHECKING:
    from catallax.estimate.study import Setting

__all__ = ["Sweep", "sweeps_of"]

_SIZES = {"n", "n_buyers", "n_sellers"}


class Sweep(NamedTuple):
    """Settings of one market that differ in one number.

    Attributes
    ----------
    axis
        What the number is.
    panel
        What the settings have in common but other sweeps of the market have not.
    points
        The number of each setting, ascending.
    """

    axis: str
    panel: str
    points: tuple[tuple[float, Setting], ...]


def sweeps_of(settings: Sequence[Setting]) -> list[Sweep]:
    """Sort the settings of one market into sweeps over its size, or else over a parameter.

    Parameters
    ----------
    settings
        All of one market.

    Returns
    -------
    list of Sweep
        None of them if nothing varies that is a number.
    """
    if len({setting.agents for setting in settings}) > 1:
        axis, swept = "size of the market: buyers + sellers", _SIZES
        numbers = [float(setting.agents) for setting in settings]
    else:
        varying = [
            name
            for name, value in settings[0].parameters
            if isinstance(value, int | float)
            and len({dict(setting.parameters)[name] for setting in settings}) > 1
        ]
        if not varying:
            return []
        axis, swept = varying[0], {varying[0]}
        numbers = [float(dict(setting.parameters)[axis]) for setting in settings]
    panels: dict[str, list[tuple[float, Setting]]] = {}
    for number, setting in zip(numbers, settings, strict=True):
        words = [f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}"
                 for name, value in setting.parameters if name not in swept]  # fmt: skip
        words += [f"priors: {setting.priors}"] if setting.priors != OWN else []
        panels.setdefault(", ".join(words), []).append((number, setting))
    return [
        Sweep(axis, panel, tuple(sorted(points, key=lambda point: point[0])))
        for panel, points in panels.items()
    ]
