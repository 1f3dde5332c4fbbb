"""The report of a study: one HTML file that needs nothing else.

Numbers, charts as SVG with text that can be searched, a picture of every market, what was
skipped and why, and all that is needed to run the study again.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catallax.errors import CatallaxError, MissingDependencyError, OutputError
from catallax.progress import Progress
from catallax.report.numbers import count
from catallax.report.study.charts import (
    draw_overview,
)
from catallax.report.study.facts import TRUTHFUL, claim_rows, facts_of, needed, versions_of
from catallax.report.study.market_section import largest_setting, market_section
from catallax.report.study.needs import report_lacks
from catallax.report.study.pictures import Pictures
from catallax.report.study.rows import COLUMNS, matrix, worst_rows
from catallax.report.study.tables import (
    skipped_once,
)
from catallax.report.text import one_line
from catallax.staging import Staging

if TYPE_CHECKING:
    from catallax.estimate.study import Setting, Study, StudyResults

__all__ = ["save_study_report", "study_report"]

_TEMPLATE = "study_report.html"


def save_study_report(
    results: StudyResults, path: str | Path, *, progress: Progress | None = None
) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    results
        What is there of the study.
    path
        The HTML file; it appears whole or not at all.
    progress
        Called with the part of the pictures that is drawn, and how many that are.

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


def study_report(results: StudyResults, *, progress: Progress | None = None) -> str:
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
    text = resources.files("catallax.report.study").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    page = environment.from_string(text).render(_content(results, progress))
    return page if page.endswith("\n") else page + "\n"


def _content(results: StudyResults, progress: Progress | None) -> dict[str, Any]:
    study = results.study
    markets = _markets(study)
    # One overview, and up to three pictures for every market.
    drawn = Pictures(1 + 3 * len(markets), progress)
    largest = [largest_setting(settings, priors) for settings in markets.values()
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
        "worst": worst_rows(results),
        "matrix": matrix(results),
        "markets": [
            market_section(results, name, settings, drawn) for name, settings in markets.items()
        ],
        "columns": list(COLUMNS.values()),
        "skipped": skipped_once(results.skipped),
        "facts": facts_of(study),
        "versions": versions_of(),
        "truthful": TRUTHFUL,
        "claims": claim_rows(study.rules),
        "needed": needed(study),
    }


def _markets(study: Study) -> dict[str, list[Setting]]:
    found: dict[str, list[Setting]] = {}
    for setting in study.settings:
        found.setdefault(setting.market, []).append(setting)
    return found


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
