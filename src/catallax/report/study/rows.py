"""The rows of numbers in the report of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catallax.report.study.tables import (
    absence,
    alike,
    column_decimals,
    noise_of,
    with_reach,
)

if TYPE_CHECKING:
    from catallax.estimate.study import Average, Rule, Setting, StudyResults

__all__ = ["COLUMNS", "matrix", "setting_rows", "worst_rows"]

COLUMNS = {
    "gains_from_trade": "gains from trade",
    "share_of_first_best": "share of first best",
    "buyers_utility": "buyers' utility",
    "sellers_utility": "sellers' utility",
    "surplus": "surplus",
    "trades": "trades",
    "trade_probability": "chance of any trade",
}


@dataclass(frozen=True)
class _Entry:
    """A number in a table: its text, what is said below it, how strongly its cell is coloured."""

    text: str
    note: str
    shade: int


def matrix(results: StudyResults) -> list[dict[str, Any]]:
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


def worst_rows(results: StudyResults) -> list[dict[str, Any]]:
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


def setting_rows(results: StudyResults, settings: Sequence[Setting]) -> list[dict[str, Any]]:
    """Give all numbers of some settings, a row for each setting and mechanism."""
    rows, averages = [], []
    for setting in settings:
        for rule in results.study.rules:
            records = [
                record for record in results.records_of(setting, rule)
                if record["status"] == "done"
            ]  # fmt: skip
            if records:
                averages.append([results.average(setting, rule, name) for name in COLUMNS])
                rows.append({
                    "setting": setting.label, "rule": rule.label,
                    "how": str(records[0]["how"]), "seeds": len(records),
                })  # fmt: skip
    for row, numbers in zip(rows, alike(averages), strict=True):
        row["numbers"] = numbers
    return rows
