"""`catallax clear`: markets in, trades and prices out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from catallax.errors import CatallaxError, OutputError

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.mechanisms import Mechanism, Outcome

__all__ = ["clear"]

_FLAG = Parameter(negative="", show_default=False)


@dataclass(frozen=True)
class _Cleared:
    """One market, cleared: what came out, the sentences asked for, and what looks odd."""

    outcome: Outcome
    explanations: dict[str, str]
    warnings: list[str]

    def document(self, *, explained: bool) -> dict[str, Any]:
        """Give the JSON object of this market."""
        document = self.outcome.to_dict()
        if explained:
            document["explanations"] = self.explanations
        return document


def clear(
    *market: str,
    mechanism: str = "gsom",
    json: Annotated[bool, _FLAG] = False,
    out: Path | None = None,
    tables: Literal["csv", "parquet"] = "csv",
    explain: Annotated[
        tuple[str, ...], Parameter(negative="", consume_multiple=(1, None), show_default=False)
    ] = (),
    plot: Path | None = None,
    quiet: Annotated[bool, Parameter(negative="", alias="-q", show_default=False)] = False,
    seed: int | None = None,
) -> None:
    """Clear markets: who trades, at what prices, and why.

    Every market is read and checked before anything is printed or written.

    Parameters
    ----------
    market
        A folder with a market.toml, a .json file, a market.toml, - for JSON on standard input,
        or instance:NAME (with parameters: instance:sparse-random?n_buyers=1000&seed=3).
    mechanism
        A name (catallax mechanisms lists them), or module:Class for one of your own.
    json
        Print one JSON object for each market, a line each. With --explain each has the key
        "explanations": the sentence for each agent named.
    out
        Folder for the files MARKET.MECHANISM.trades.csv, .agents.csv and .totals.json.
    tables
        Format of the tables in --out.
    explain
        Agents to explain: ID, buyer:ID or seller:ID. In several markets, each that has one.
    plot
        Draw a picture into this .svg or .png file. For several markets the name contains
        {market}, which is replaced by the market's name.
    quiet
        Print no tables and show no progress; warnings and errors still appear.
    seed
        Seed of the draw, for mechanisms that randomise. The others do not look at it.
    """
    from catallax.cli.output import json_line, print_lines, show, warn

    if not market:
        raise CatallaxError(
            "no market is named: catallax clear MARKET... (a folder, a .json file, - for standard "
            "input, or instance:NAME)" + ("; name it before --explain" if explain else "")
        )
    if plot is not None:
        from catallax.report.canvas import check_plot_path

        check_plot_path(plot)
    rule = _mechanism(mechanism)
    markets = _read(market, quiet=quiet)
    pictures = _picture_paths(plot, markets)
    cleared = _clear_all(markets, rule, explain, quiet=quiet)
    # Lines that cannot be written are found before any file appears.
    lines = [json_line(one.document(explained=bool(explain))) for one in cleared] if json else []
    _write(cleared, out, tables, pictures)
    for one in cleared:
        for line in one.warnings:
            warn(line)
    if json:
        print_lines(lines)
    elif not quiet:
        for place, one in enumerate(cleared):
            if place:
                show("")
            show(_tables(one, rule))


def _mechanism(name: str) -> Mechanism:
    """Find a mechanism; one of the caller's own may lie in the current folder."""
    from catallax import mechanisms

    if ":" in name and "" not in sys.path:
        sys.path.insert(0, "")
    return mechanisms.get(name)


def _read(sources: tuple[str, ...], *, quiet: bool) -> list[Market]:
    """Read every market and check that it can be cleared."""
    from catallax.cli.output import tracked
    from catallax.cli.sources import STANDARD_INPUT, read_source

    if sources.count(STANDARD_INPUT) > 1:
        raise CatallaxError("standard input ('-') can be read only once: name it once")
    markets = []
    for source in tracked(sources, len(sources), "reading", quiet=quiet):
        market = read_source(source)
        market.require_reports()
        markets.append(market)
    return markets


def _clear_all(
    markets: list[Market],
    rule: Mechanism,
    agents: tuple[str, ...],
    *,
    quiet: bool,
) -> list[_Cleared]:
    """Clear every market; collect warnings about reports that its priors do not expect."""
    from catallax.cli.agents import found_agents
    from catallax.cli.output import tracked
    from catallax.markets.reports import check_reports, far_outside

    asked = found_agents(markets, agents)
    cleared: list[_Cleared] = []
    steps = zip(markets, asked, strict=True)
    for market, questions in tracked(steps, len(markets), "clearing", quiet=quiet):
        reports = market.require_reports()
        check_reports(market, reports)
        outcome = rule.clear(market, reports)
        sentences = {text: outcome.explain(agent, role) for text, role, agent in questions}
        prefix = f"market '{market.name}': " if len(markets) > 1 else ""
        warnings = [prefix + line for line in far_outside(market, reports)]
        cleared.append(_Cleared(outcome, sentences, warnings))
    return cleared


def _picture_paths(plot: Path | None, markets: list[Market]) -> list[Path]:
    """Give the file of each market's picture; none where no picture is wanted."""
    from catallax.report.text import file_stem

    if plot is None:
        return []
    if len(markets) > 1 and "{market}" not in plot.name:
        raise OutputError(
            f"{plot} would be written once for each of {len(markets)} markets: put {{market}} into "
            f"the name, as in --plot '{plot.stem}-{{market}}{plot.suffix}'"
        )
    return [
        plot.with_name(plot.name.replace("{market}", file_stem(market.name))) for market in markets
    ]


def _write(
    cleared: list[_Cleared],
    out: Path | None,
    tables: Literal["csv", "parquet"],
    pictures: list[Path],
) -> None:
    """Write tables and pictures: all of them or none."""
    if out is None and not pictures:
        return
    from catallax.report.writing import Staging, stage_outcomes

    with Staging() as staging:
        if out is not None:
            stage_outcomes(staging, [one.outcome for one in cleared], out, tables)
        if pictures:
            from catallax.report.market_picture import save_market_picture

            for path, one in zip(pictures, cleared, strict=True):
                staging.add(path, lambda place, one=one: save_market_picture(one.outcome, place))


def _tables(one: _Cleared, rule: Mechanism) -> Any:
    from catallax.cli.output import row_limit
    from catallax.report.tables import outcome_tables

    return outcome_tables(
        one.outcome, one.explanations, summary=rule.summary, most_rows=row_limit()
    )
