"""What the report of a study shows of one market: charts, a picture, and words about it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from catallax.errors import CatallaxError
from catallax.estimate.study.recipes import OWN
from catallax.report.study.charts import (
    draw_market_charts,
    draw_sweep,
)
from catallax.report.study.pictures import Pictures
from catallax.report.study.rows import setting_rows
from catallax.report.study.sweeps import sweeps_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from catallax.estimate.study import Setting, StudyResults
    from catallax.markets import Agents, Market
    from catallax.mechanisms import Outcome

__all__ = ["largest_setting", "market_section"]

# A picture of so many agents can still be read; of larger markets the smallest is drawn.
_READABLE = 40
_MOST_PRIORS = 3
# So often reports are drawn until somebody trades, for a picture with something to see.
_DRAWS = 50


def largest_setting(settings: Sequence[Setting], priors: str) -> Setting:
    """Return the setting of most agents among those with some priors."""
    return max(
        (setting for setting in settings if setting.priors == priors),
        key=lambda setting: setting.agents,
    )


def market_section(
    results: StudyResults, name: str, settings: Sequence[Setting], drawn: Pictures
) -> dict[str, Any]:
    """Give what the page shows of one market."""
    sweeps = sweeps_of(settings)
    pictured = _pictured(settings)
    largest = largest_setting(settings, settings[0].priors)
    market = largest.recipe.build(largest.seeds[0])
    outcome = _example_outcome(pictured)
    return {
        "name": name,
        "about": _about(results, settings),
        "sweep": drawn.svg(
            draw_sweep(results, sweeps) if sweeps else None,
            f"Share of first best against size on {name}",
        ),
        "axis": sweeps[0].axis if sweeps else "",
        "charts": drawn.svg(
            draw_market_charts(results, largest, market.currency),
            f"Gains from trade, who gets them, and prices on {largest.label}",
        ),
        "charts_of": largest.label,
        "picture": drawn.svg(_picture(outcome), f"The market {pictured.label}"),
        "picture_of": pictured.label,
        "picture_by": "" if outcome is None else outcome.mechanism,
        "rows": setting_rows(results, settings),
    }


def _about(results: StudyResults, settings: Sequence[Setting]) -> list[str]:
    """Say what a market is: where it comes from, its priors, its sizes."""
    from catallax.markets import instances

    recipe = settings[0].recipe
    if recipe.kind == "instance":
        described = instances.describe(recipe.name)
        lines = [f"{described.summary}. Source: {described.source}."]
    elif recipe.kind == "graph":
        kinds = {"complete": "everybody may trade with everybody"}
        text = kinds.get(recipe.name, f"a random graph of the kind {recipe.name}")
        lines = [text[:1].upper() + text[1:] + "."]
    else:
        lines = [f"The market '{recipe.name}', read from a file."]
    told: dict[str, list[str]] = {}
    for setting in settings:
        market = setting.recipe.build(setting.seeds[0])
        buyers, sellers = (_priors_of(side) for side in (market.buyers, market.sellers))
        words = setting.words if setting.priors == OWN else setting.priors
        names = told.setdefault(f"buyers {buyers}; sellers {sellers}", [])
        if words and words not in names:
            names.append(words)
    if len(told) == 1:
        return [*lines, f"Priors: {next(iter(told))}."]
    return [*lines, *(f"Priors, {', '.join(names)}: {text}." for text, names in told.items())]


def _priors_of(side: Agents) -> str:
    shown = [prior.describe() for prior in side.priors[:_MOST_PRIORS]]
    more = len(side.priors) - len(shown)
    return " and ".join(shown) + (f" and {more} more" if more else "")


def _pictured(settings: Sequence[Setting]) -> Setting:
    """Choose which setting to draw: the largest that can be read, or else the smallest."""
    readable = [setting for setting in settings if setting.agents <= _READABLE]
    if readable:
        return max(readable, key=lambda setting: setting.agents)
    return min(settings, key=lambda setting: setting.agents)


def _example_outcome(setting: Setting) -> Outcome | None:
    """Clear a draw of a market with the first mechanism that applies to it."""
    import numpy as np

    from catallax.markets import Reports
    from catallax.mechanisms import Lottery, clear

    market = _called(setting.recipe.build(setting.seeds[0]), setting.market)
    outcome = None
    # What is studied says more than the benchmark.
    for rule in sorted(setting.rules, key=lambda rule: rule.label == "first-best"):
        rng = np.random.default_rng(setting.seeds[0])
        for _ in range(_DRAWS):
            try:
                reports = Reports(market.buyers.sample(rng), market.sellers.sample(rng))
                found = clear(market, rule.build(), reports)
            except CatallaxError:
                break
            outcome = found.draw(rng) if isinstance(found, Lottery) else found
            if len(outcome):
                return outcome
    return outcome


def _picture(outcome: Outcome | None) -> Figure | None:
    from catallax.report.outcomes.picture import draw_market

    return None if outcome is None else draw_market(outcome)


def _called(market: Market, name: str) -> Market:
    """Return the market by the name that the study gives it."""
    renamed = copy(market)
    object.__setattr__(renamed, "name", name)
    return renamed
