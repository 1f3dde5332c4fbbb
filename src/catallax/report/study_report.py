"""The report of a study: one HTML file that needs nothing else.

Numbers, charts as SVG with text that can be searched, a picture of every market, what was
skipped and why, and all that is needed to run the study again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catallax.errors import CatallaxError, MissingDependencyError, OutputError
from catallax.estimate.study.recipes import OWN
from catallax.report.inline_svg import inline_svg
from catallax.report.needs import report_lacks
from catallax.report.numbers import count
from catallax.report.study_charts import (
    draw_market_charts,
    draw_overview,
    draw_sweep,
)
from catallax.report.study_facts import TRUTHFUL, claim_rows, facts_of, needed, versions_of
from catallax.report.study_sweeps import sweeps_of
from catallax.report.study_tables import (
    absence,
    alike,
    column_decimals,
    noise_of,
    skipped_once,
    with_reach,
)
from catallax.report.text import one_line
from catallax.staging import Staging

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from catallax.estimate.study import Average, Rule, Setting, Study, StudyResults
    from catallax.markets import Agents, Market
    from catallax.mechanisms import Outcome

__all__ = ["save_study_report", "study_report"]

Step = Callable[[int, int], None]

_TEMPLATE = "study_report.html"
# A picture of so many agents can still be read; of larger markets the smallest is drawn.
_READABLE = 40
_MOST_PRIORS = 3
# So often reports are drawn until somebody trades, for a picture with something to see.
_DRAWS = 50

_COLUMNS = {
    "gains_from_trade": "gains from trade",
    "share_of_first_best": "share of first best",
    "buyers_utility": "buyers' utility",
    "sellers_utility": "sellers' utility",
    "surplus": "surplus",
    "trades": "trades",
    "trade_probability": "chance of any trade",
}


def save_study_report(
    results: StudyResults, path: str | Path, *, progress: Step = lambda done, total: None
) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    results
        What is there of the study.
    path
        The HTML file; it appears whole or not at all.
    progress
        Called with how many pictures are drawn, of how many.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    CatallaxError
        If nothing is finished.
    OutputError
        If it cannot be written.
    MissingDependencyError
        If Jinja2 or matplotlib is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in {".html", ".htm"}:
        raise OutputError(f"{target}: a report is an HTML file; name one that ends in .html")
    page = study_report(results, progress=progress)
    with Staging() as staging:
        staging.add(target, lambda place: place.write_text(page, encoding="utf-8"))
    return target


def study_report(results: StudyResults, *, progress: Step = lambda done, total: None) -> str:
    """Return the report of a study as the text of an HTML page; see `save_study_report`."""
    if missing := report_lacks():
        raise MissingDependencyError(missing)
    from jinja2 import Environment, StrictUndefined

    study = results.study
    if not results.finished:
        raise CatallaxError(
            f"nothing of study '{study.name}' is finished: catallax study run {study.path}"
        )
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = resources.files("catallax.report").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    page = environment.from_string(text).render(_content(results, progress))
    return page if page.endswith("\n") else page + "\n"


def _content(results: StudyResults, progress: Step) -> dict[str, Any]:
    study = results.study
    markets = _markets(study)
    # One overview, and up to three pictures for every market.
    drawn = _Pictures(1 + 3 * len(markets), progress)
    largest = [_largest(settings, priors) for settings in markets.values()
               for priors in dict.fromkeys(setting.priors for setting in settings)]  # fmt: skip
    skipped = sum(number for *_, number in results.skipped)
    return {
        "study": study,
        "title": one_line(study.name),
        "paragraphs": [part.strip() for part in re.split(r"\n\s*\n", study.description)],
        "sizes": _sizes_in_words(results, skipped),
        "missing": len(results.cells) - results.finished,
        "cells": len(results.cells),
        "overview": drawn.svg(draw_overview(results, largest), "Shares of first best by market"),
        "worst": _worst_rows(results),
        "matrix": _matrix(results),
        "markets": [
            _market_section(results, name, settings, drawn) for name, settings in markets.items()
        ],
        "columns": list(_COLUMNS.values()),
        "skipped": skipped_once(results.skipped),
        "facts": facts_of(study),
        "versions": versions_of(),
        "truthful": TRUTHFUL,
        "claims": claim_rows(study.rules),
        "needed": needed(study),
    }


# ----------------------------------------------------------------------------------------- numbers


def _markets(study: Study) -> dict[str, list[Setting]]:
    found: dict[str, list[Setting]] = {}
    for setting in study.settings:
        found.setdefault(setting.market, []).append(setting)
    return found


def _largest(settings: Sequence[Setting], priors: str) -> Setting:
    return max(
        (setting for setting in settings if setting.priors == priors),
        key=lambda setting: setting.agents,
    )


def _sizes_in_words(results: StudyResults, skipped: int) -> str:
    study = results.study
    parts = [
        count(len(_markets(study)), "market"),
        count(len(study.settings), "setting"),
        count(len(study.rules), "mechanism"),
        count(len(study.seeds), "seed"),
        count(len(results.cells), "cell"),
    ]
    finished = results.finished - skipped
    return f"{', '.join(parts)}: {finished:,} computed, {skipped:,} skipped"


@dataclass(frozen=True)
class _Entry:
    """A number in a table: its text, what is said below it, how strongly its cell is coloured."""

    text: str
    note: str
    shade: int


def _matrix(results: StudyResults) -> list[dict[str, Any]]:
    """Give the shares of first best, a row for each setting and a column for each mechanism."""
    study = results.study
    shares = {
        (setting, rule): results.average(setting, rule, "share_of_first_best")
        for setting in study.settings
        for rule in study.rules
    }
    decimals = column_decimals(shares.values())
    rows = []
    for setting in study.settings:
        entries = [
            _entry(results, setting, rule, shares[setting, rule], decimals) for rule in study.rules
        ]
        rows.append({"market": setting.market, "words": setting.words, "entries": entries})
    return rows


def _entry(
    results: StudyResults, setting: Setting, rule: Rule, average: Average | None, decimals: int
) -> _Entry:
    if average is None:
        asked = rule in setting.rules
        return _Entry("–", absence(results, setting, rule), 0) if asked else _Entry("", "", 0)
    mean, _, reach = with_reach(average, decimals=decimals).removeprefix("= ").partition(" ± ")
    # Most shares are near one: the square tells those apart.
    shade = round(10 * min(1.0, max(0.0, average.mean)) ** 2)
    return _Entry(mean, f"± {reach}" if reach else ("exact" if average.exact else ""), shade)


def _worst_rows(results: StudyResults) -> list[dict[str, Any]]:
    """Say for each mechanism where it keeps least and most, and where it loses money."""
    study = results.study
    decimals = column_decimals(
        results.average(setting, rule, "share_of_first_best")
        for setting in study.settings
        for rule in study.rules
    )
    rows = []
    for rule in study.rules:
        found = [
            (average, setting)
            for setting in results.study.settings
            if (average := results.average(setting, rule, "share_of_first_best")) is not None
        ]
        if not found:
            continue
        asked = sum(rule in setting.rules for setting in results.study.settings)
        least = min(found, key=lambda pair: pair[0].mean)
        most = max(found, key=lambda pair: pair[0].mean)
        deficits = sum(_loses(results, setting, rule) for _, setting in found)
        rows.append({
            "rule": rule.label,
            "settings": f"{len(found)} of {asked}",
            "least": with_reach(least[0], decimals=decimals), "least_at": least[1].label,
            "most": with_reach(most[0], decimals=decimals), "most_at": most[1].label,
            "deficits": f"in {deficits} of {len(found)}" if deficits else "nowhere",
        })  # fmt: skip
    return rows


def _loses(results: StudyResults, setting: Setting, rule: Rule) -> bool:
    """Whether the mechanism pays out more than it takes in, beyond doubt and rounding."""
    surplus = results.average(setting, rule, "surplus")
    noise = noise_of(results.average(setting, rule, "gains_from_trade"))
    return surplus is not None and surplus.interval[1] < -noise


# ---------------------------------------------------------------------------------------- pictures


class _Pictures:
    """Turns figures into SVG for a page, and counts them."""

    def __init__(self, total: int, progress: Step) -> None:
        self._done, self._total, self._progress = 0, total, progress
        progress(0, total)

    def svg(self, figure: Figure | None, says: str) -> str:
        """Return a figure as an SVG element; nothing for None."""
        from markupsafe import Markup, escape

        self._done += 1
        drawn = Markup() if figure is None else Markup(
            inline_svg(figure, f"p{self._done}-", str(escape(says)))
        )  # fmt: skip
        self._progress(self._done, self._total)
        return drawn


def _market_section(
    results: StudyResults, name: str, settings: Sequence[Setting], drawn: _Pictures
) -> dict[str, Any]:
    """Give what the page shows of one market."""
    sweeps = sweeps_of(settings)
    pictured = _pictured(settings)
    largest = _largest(settings, settings[0].priors)
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
        "rows": _rows(results, settings),
    }


def _rows(results: StudyResults, settings: Sequence[Setting]) -> list[dict[str, Any]]:
    rows, averages = [], []
    for setting in settings:
        for rule in results.study.rules:
            records = [
                record for record in results.records_of(setting, rule)
                if record["status"] == "done"
            ]  # fmt: skip
            if records:
                averages.append([results.average(setting, rule, name) for name in _COLUMNS])
                rows.append({
                    "setting": setting.label, "rule": rule.label,
                    "how": str(records[0]["how"]), "seeds": len(records),
                })  # fmt: skip
    for row, numbers in zip(rows, alike(averages), strict=True):
        row["numbers"] = numbers
    return rows


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
    from catallax.report.market_picture import draw_market

    return None if outcome is None else draw_market(outcome)


def _called(market: Market, name: str) -> Market:
    """Return the market by the name that the study gives it."""
    renamed = copy(market)
    object.__setattr__(renamed, "name", name)
    return renamed
