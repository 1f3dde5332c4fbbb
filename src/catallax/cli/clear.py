"""`catallax clear`: markets in, trades and prices out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from catallax.cli.options import (
    FLAG,
    MANY,
    QUIET,
    checked_plot,
    checked_seed,
    find_mechanism,
    picture_paths,
    read_sources,
    within_time,
)
from catallax.errors import CatallaxError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator

    from catallax.cli.clear_many import ClearedMany
    from catallax.markets import Market, Markets
    from catallax.mechanisms import Lottery, Mechanism, Outcome

__all__ = ["clear"]


@dataclass(frozen=True)
class _Cleared:
    """One market, cleared: what came out and was drawn, sentences asked for, what looks odd."""

    result: Outcome | Lottery
    drawn: Outcome | None
    explanations: dict[str, str]
    warnings: list[str]

    def documents(self, *, explained: bool) -> Iterator[dict[str, Any]]:
        """Yield the JSON object of this market."""
        document = self.result.to_dict()
        if self.drawn is not None:
            document["drawn"] = self.drawn.to_dict()
        if explained:
            document["explanations"] = self.explanations
        yield document

    def sentences(self, *, several: bool) -> Iterator[str]:
        """Yield the sentences asked for, with the market where there are several."""
        from catallax.report.text import one_line

        market = f"Market '{self.result.market.name}': " if several else ""
        for sentence in self.explanations.values():
            yield one_line(market + sentence)

    def tables(self, rule: Mechanism) -> Any:
        """Show it to people."""
        from catallax.cli.output import row_limit
        from catallax.mechanisms import Lottery

        how: Any = {"summary": rule.summary, "most_rows": row_limit()}
        if isinstance(self.result, Lottery):
            from catallax.report.outcomes.lotteries import lottery_tables

            return lottery_tables(self.result, self.explanations, drawn=self.drawn, **how)
        from catallax.report.outcomes.tables import outcome_tables

        return outcome_tables(self.result, self.explanations, **how)


def clear(
    *market: str,
    mechanism: str = "gsom",
    json: Annotated[bool, FLAG] = False,
    out: Path | None = None,
    tables: Literal["csv", "parquet"] = "csv",
    explain: Annotated[tuple[str, ...], MANY] = (),
    plot: Path | None = None,
    quiet: Annotated[bool, QUIET] = False,
    seed: int | None = None,
    time_limit: float | None = None,
) -> None:
    """Clear markets: who trades, at what prices, and why.

    Every market is read and checked before anything is printed or written.

    Parameters
    ----------
    market
        A folder with a market.toml, a .json file, a market.toml, - for JSON on standard input,
        or instance:NAME (with parameters: instance:sparse-random?n_buyers=1000&seed=3). A folder
        may hold many markets: its market.toml names the column that tells them apart.
    mechanism
        A name (catallax mechanisms lists them), or module:Class for one of your own.
    json
        Print one JSON object for each market, a line each. With --explain each has the key
        "explanations": the sentence for each agent named.
    out
        Folder for the files MARKET.MECHANISM.trades.csv, .agents.csv and .totals.json. Of a
        lottery they hold every outcome; what --seed draws is in MARKET.MECHANISM.drawn.* as well.
        Of a folder of many markets all three are tables, and tell in which market each row is.
    tables
        Format of the tables in --out.
    explain
        Agents to explain: ID, buyer:ID or seller:ID. In several markets, each that has one. Of a
        lottery, in every outcome; with --seed, in the drawn one. In a folder of many markets
        MARKET:ID, MARKET:buyer:ID or MARKET:seller:ID.
    plot
        Draw a picture into this .svg or .png file. For several markets the name contains
        {market}, which is replaced by the market's name. A lottery needs --seed.
    quiet
        Print no tables and show no progress; warnings and errors still appear, and with --explain
        the sentences, a line each.
    seed
        Draw an outcome, for mechanisms that randomise: without it they show their lottery. The
        same seed draws the same; several markets take turns. Others do not look at it.
    time_limit
        Seconds that each step of solving a market's constraints may take, 300 unless said
        otherwise; what is not proved best by then is an error.
    """
    from catallax.cli.output import json_line, print_lines, show, warn
    from catallax.cli.sources import read_any_source

    if not market and explain:
        raise CatallaxError("no market is named: name it before --explain")
    checked_plot(plot)
    rule = find_mechanism(mechanism)
    limit = within_time(time_limit)
    markets = read_sources(
        market, "catallax clear MARKET...", read_any_source, quiet=quiet,
        check=lambda one: _check(one, rule),
    )  # fmt: skip
    pictures = picture_paths(plot, _single(markets, plot))
    with limit:
        cleared = _clear_all(markets, market, rule, explain, seed, quiet=quiet)
    # Lines that cannot be written are found before any file appears.
    documents = (given for one in cleared for given in one.documents(explained=bool(explain)))
    lines = [json_line(document) for document in documents] if json else []
    _write(cleared, out, tables, pictures)
    for one in cleared:
        for line in one.warnings:
            warn(line)
    if json:
        print_lines(lines)
    elif quiet:
        several = len(cleared) > 1
        print_lines(line for one in cleared for line in one.sentences(several=several))
    else:
        for place, one in enumerate(cleared):
            if place:
                show("")
            show(one.tables(rule))


def _check(market: Market | Markets, rule: Mechanism) -> None:
    """Refuse a market that the mechanism cannot read; of many, all are read when cleared."""
    from catallax.markets import Market

    if isinstance(market, Market):
        rule.read_reports(market)


def _single(markets: list[Market | Markets], plot: Path | None) -> list[Market]:
    """Return the markets of which there can be pictures.

    Raises
    ------
    OutputError
        If a picture is wanted of many markets together.
    """
    from catallax.markets import Market, Markets

    for many in markets:
        if plot is not None and isinstance(many, Markets):
            raise OutputError(
                f"'{many.name}' holds {len(many)} markets, and a picture shows one: write that one "
                "to a folder of its own, with Markets.read(FOLDER)[MARKET].write(PATH), and draw it"
            )
    return [market for market in markets if isinstance(market, Market)]


def _clear_all(
    markets: list[Market | Markets],
    sources: tuple[str, ...],
    rule: Mechanism,
    agents: tuple[str, ...],
    seed: int | None,
    *,
    quiet: bool,
) -> list[_Cleared | ClearedMany]:
    """Clear every market, draw from lotteries, and collect warnings about odd reports."""
    from catallax.cli.agents import found_agents
    from catallax.cli.clear_many import clear_markets
    from catallax.cli.output import tracked
    from catallax.markets import Markets

    asked = found_agents(markets, agents, sources)
    rng = _generator(seed)
    cleared: list[_Cleared | ClearedMany] = []
    steps = zip(markets, asked, strict=True)
    for market, questions in tracked(steps, len(markets), "clearing", quiet=quiet):
        if isinstance(market, Markets):
            # One bar at a time.
            own = quiet or len(markets) > 1
            cleared.append(clear_markets(market, rule, questions, quiet=own))
            continue
        result, warnings = _result(market, rule)
        drawn = _drawn(result, rng)
        told = result if drawn is None else drawn
        sentences = {q.text: told.explain(q.agent, q.role) for q in questions}
        prefix = f"market '{market.name}': " if len(markets) > 1 else ""
        cleared.append(_Cleared(result, drawn, sentences, [prefix + line for line in warnings]))
    return cleared


def _result(market: Market, rule: Mechanism) -> tuple[Outcome | Lottery, list[str]]:
    """Clear one market, and say which of its reports its priors do not expect."""
    from catallax.markets.reports import Reports, far_outside
    from catallax.mechanisms import clear as clear_market

    reports = rule.read_reports(market)
    result = clear_market(market, rule, reports)
    # Amounts that cannot be added up are an error before anything is printed.
    _ = result.totals
    return result, far_outside(market, reports) if isinstance(reports, Reports) else []


def _generator(seed: int | None) -> Generator | None:
    """Make the generator of all draws, if there are to be any."""
    if seed is None:
        return None
    import numpy as np

    return np.random.default_rng(checked_seed(seed))


def _drawn(result: Outcome | Lottery, rng: Generator | None) -> Outcome | None:
    """Draw an outcome of a lottery, if that is wanted."""
    from catallax.mechanisms import Lottery

    return result.draw(rng) if isinstance(result, Lottery) and rng is not None else None


def _picture_of(one: _Cleared) -> tuple[Outcome, str]:
    """Choose the outcome to draw a picture of, and what the title calls the mechanism."""
    from catallax.mechanisms import Lottery

    result = one.result
    if not isinstance(result, Lottery):
        return result, result.mechanism
    if len(result) > 1 and one.drawn is None:
        raise OutputError(
            f"market '{result.market.name}': {result.mechanism} leaves {len(result)} outcomes to "
            "chance, and a picture shows one: add --seed N, which draws it"
        )
    outcome = one.drawn or result.outcomes[0][1]
    part = f" ({outcome.mechanism} drawn)" if outcome.mechanism != result.mechanism else ""
    return outcome, result.mechanism + part


def _write(
    cleared: list[_Cleared | ClearedMany],
    out: Path | None,
    tables: Literal["csv", "parquet"],
    pictures: list[Path],
) -> None:
    """Write tables and pictures: all of them or none."""
    if out is None and not pictures:
        return
    from catallax.report.outcomes.files import stage_outcomes
    from catallax.staging import Staging

    shown = [_picture_of(one) for one in cleared if isinstance(one, _Cleared) and pictures]
    with Staging() as staging:
        if out is not None:
            results = [one.result for one in cleared]
            drawn = [one.drawn if isinstance(one, _Cleared) else None for one in cleared]
            stage_outcomes(staging, results, out, tables, drawn)
        if pictures:
            from catallax.report.outcomes.picture import save_market_picture

            for path, (outcome, name) in zip(pictures, shown, strict=True):
                staging.add(
                    path,
                    lambda place, outcome=outcome, name=name: save_market_picture(
                        outcome, place, name
                    ),
                )
