"""`catallax audit`: what a mechanism promises, checked, with a witness where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from catallax.cli.options import FLAG, QUIET, checked_seed, find_mechanism, read_markets
from catallax.errors import CatallaxError

if TYPE_CHECKING:
    from catallax.audit import AuditReport
    from catallax.markets import Market
    from catallax.mechanisms import Mechanism
    from catallax.progress import Progress
    from catallax.staging import Staging

__all__ = ["audit"]

BROKEN = 1


def audit(
    *market: str,
    mechanism: str = "gsom",
    properties: str | None = None,
    seed: int = 0,
    budget: int | None = None,
    json: Annotated[bool, FLAG] = False,
    out: Path | None = None,
    strict: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> int:
    """Audit a mechanism on markets: which properties hold, and a market in which others fail.

    Every market is read and checked before anything is printed or written.

    Parameters
    ----------
    market
        A folder with a market.toml, a .json file, a market.toml, - for JSON on standard input,
        or instance:NAME (with parameters: instance:sparse-random?n_buyers=20&seed=3).
    mechanism
        A name (catallax mechanisms lists them), or module:Class for one of your own.
    properties
        Names of properties, separated by commas; all that apply unless they are named.
    seed
        What reports and deviations are drawn with; the same seed finds the same.
    budget
        How often the mechanism may be run on each market, besides shrinking; by default 8,000,
        which takes seconds.
    json
        Print one JSON object for each market, a line each.
    out
        Folder for the witnesses, MARKET.MECHANISM.PROPERTY.json: market files that can be
        cleared and audited again.
    strict
        End with status 1 if a property that the mechanism claims is violated.
    quiet
        Print no tables and show no progress; errors still appear.
    """
    from catallax.audit.claims.claims import claimed_properties
    from catallax.cli.output import json_line, print_lines, show

    _refuse_numbers(seed, budget)
    wanted = _wanted(properties)
    rule = find_mechanism(mechanism)
    markets = read_markets(market, "catallax audit MARKET... --mechanism NAME", quiet=quiet)
    reports = list(_audits(markets, rule, wanted, seed, budget, quiet=quiet))
    claimed = claimed_properties(rule)
    kept = [_kept(*pair, rule) for pair in zip(market, reports, strict=True)]
    documents = (_document(*pair, claimed) for pair in zip(reports, kept, strict=True))
    lines = [json_line(document) for document in documents] if json else []
    _write(reports, out)
    if json:
        print_lines(lines)
    elif not quiet:
        from catallax.report.audit.tables import audit_tables

        for place, (report, again) in enumerate(zip(reports, kept, strict=True)):
            if place:
                show("")
            show(audit_tables(report, claimed, summary=rule.summary, kept=again))
    broken = any(one.name in claimed for report in reports for one in report.violated)
    return BROKEN if strict and broken else 0


def _refuse_numbers(seed: int, budget: int | None) -> None:
    checked_seed(seed)
    if budget is not None and budget < 1:
        raise CatallaxError(f"--budget {budget}: the mechanism has to be run at least once")


def _wanted(properties: str | None) -> list[str] | None:
    """Look up the properties that are asked for."""
    if properties is None:
        return None
    from catallax.audit.properties import get

    names = [name.strip() for name in properties.split(",") if name.strip()]
    if not names:
        raise CatallaxError(
            "--properties names no property: write --properties dsic-buyers,monotone"
        )
    return [get(name).slug for name in names]


def _audits(
    markets: list[Market],
    rule: Mechanism,
    wanted: list[str] | None,
    seed: int,
    budget: int | None,
    *,
    quiet: bool,
) -> Iterator[AuditReport]:
    """Audit every market, with a bar of the work that is done where somebody watches."""
    from catallax.audit.audit import audit as audit_market
    from catallax.cli.output import progress_bar

    with progress_bar("auditing", quiet=quiet) as bar:
        for place, market in enumerate(markets):
            progress = None if bar is None else partial(_moved, bar, place, len(markets))
            yield audit_market(market, rule, wanted, seed, budget, progress)


def _moved(bar: Progress, place: int, total: int, part: float, what: str) -> None:
    bar((place + part) / total, what)


def _kept(source: str, report: AuditReport, rule: Mechanism) -> dict[str, Any] | None:
    """Run the witness that a market file holds once more: an audit may find a worse case."""
    from catallax.audit import read_witness

    path = Path(source)
    if path.suffix != ".json" or not path.is_file():
        return None
    try:
        witness = read_witness(path)
        if witness.property not in report:
            return None
        again = witness.retold(rule)
    except CatallaxError:  # a market file without a witness, or with one for something else
        return None
    amount, story = (None, None) if again is None else again
    return {
        "property": witness.property,
        "seen": again is not None,
        "amount": amount,
        "story": story,
    }


def _document(
    report: AuditReport, kept: dict[str, Any] | None, claimed: frozenset[str]
) -> dict[str, Any]:
    """Give the JSON object of a market, with what is claimed; open ends of intervals are null."""
    document = report.to_dict()
    if kept is not None:
        document["kept"] = kept
    for entry in document["properties"]:
        entry["claimed"] = entry["name"] in claimed
        if entry["interval"] is not None:
            entry["interval"] = [end if isfinite(end) else None for end in entry["interval"]]
    return document


def _write(reports: list[AuditReport], out: Path | None) -> None:
    """Write the witnesses: all of them or none."""
    if out is None:
        return
    from catallax.staging import Staging

    _refuse_file(out)
    with Staging() as staging:
        for report in reports:
            _stage(staging, report, out)


def _refuse_file(out: Path) -> None:
    if out.exists() and not out.is_dir():
        from catallax.errors import OutputError

        raise OutputError(f"{out} is a file: name a folder to write to")


def _stage(staging: Staging, report: AuditReport, out: Path) -> None:
    from catallax.report.text import file_stem

    stem = f"{file_stem(report.market.name)}.{file_stem(report.mechanism)}"
    for finding in report.violated:
        if finding.witness is not None:
            staging.add(out / f"{stem}.{finding.name}.json", finding.witness.write)
