"""Results as files: everything is complete or nothing is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from catallax.errors import OutputError
from catallax.report.text import file_stem
from catallax.staging import Staging

if TYPE_CHECKING:
    from catallax.mechanisms import Lottery, Outcome, Outcomes

    Result = Outcome | Lottery | Outcomes

__all__ = ["TableFormat", "outcome_stem", "stage_outcomes", "write_outcomes"]

TableFormat = Literal["csv", "parquet"]


def outcome_stem(outcome: Result) -> str:
    """Return the beginning of the names of an outcome's files: the market's, the mechanism's.

    Parameters
    ----------
    outcome
        The outcome, the lottery, or the outcomes of many markets.

    Returns
    -------
    str
        Without what file systems do not take.
    """
    return f"{file_stem(_name(outcome))}.{file_stem(outcome.mechanism)}"


def _name(outcome: Result) -> str:
    """Return the name of an outcome's market, or of the many markets together."""
    from catallax.mechanisms import Outcomes

    return outcome.markets.name if isinstance(outcome, Outcomes) else outcome.market.name


def write_outcomes(
    outcomes: Iterable[Result],
    folder: str | Path,
    tables: TableFormat = "csv",
    drawn: Sequence[Outcome | None] = (),
) -> list[Path]:
    """Write outcomes to a folder: trades, agents and totals of each.

    For a market called *m* and a mechanism *a* these are ``m.a.trades.csv``, ``m.a.agents.csv``
    and ``m.a.totals.json``. Files of these names are replaced; either all are written or none.

    The tables of a lottery hold all its outcomes, told apart by two more columns in front:
    ``outcome`` (0, 1, ...) and ``probability``; its totals are expectations, with those of each
    outcome below "lottery". What was drawn has files of its own, which look like those of any
    outcome: ``m.a.drawn.trades.csv`` and so on.

    Of many markets at once all three are tables, ``m.a.totals.csv`` among them, with the column
    in front that tells the markets apart.

    Parameters
    ----------
    outcomes
        The outcomes, lotteries, or outcomes of many markets.
    folder
        Where to write; made if it is not there.
    tables
        "csv" or "parquet".
    drawn
        For each of the outcomes what was drawn, None where nothing was; empty for no draws.

    Returns
    -------
    list of pathlib.Path
        What was written.

    Raises
    ------
    OutputError
        If two outcomes would write files of the same name, or the folder is a file.

    Examples
    --------
    >>> import tempfile
    >>> import catallax as cx
    >>> market = cx.Market([{"id": "b", "bid": 0.9}], [{"id": "s", "ask": 0.2}], name="one")
    >>> written = write_outcomes([cx.clear(market, "first-best")], tempfile.mkdtemp())
    >>> [path.name for path in written]
    ['one.first-best.trades.csv', 'one.first-best.agents.csv', 'one.first-best.totals.json']
    >>> print(written[0].read_text().strip())
    buyer,seller,buyer_pays,seller_receives,gain
    b,s,0.2,0.9,0.7
    """
    with Staging() as staging:
        return stage_outcomes(staging, outcomes, Path(folder), tables, drawn)


def stage_outcomes(
    staging: Staging,
    outcomes: Iterable[Result],
    folder: Path,
    tables: TableFormat = "csv",
    drawn: Sequence[Outcome | None] = (),
) -> list[Path]:
    """Do what `write_outcomes` does, together with the other files of a staging.

    Parameters
    ----------
    staging
        Where the files wait.
    outcomes, folder, tables, drawn
        As in `write_outcomes`.

    Returns
    -------
    list of pathlib.Path
        What will be written.

    Raises
    ------
    OutputError
        As in `write_outcomes`.
    """
    outcomes = list(outcomes)
    _refuse_equal_names(outcomes, folder)
    paths: list[Path] = []
    for outcome, chosen in zip(outcomes, drawn or [None] * len(outcomes), strict=True):
        stem = outcome_stem(outcome)
        paths += _stage(staging, outcome, folder, stem, tables)
        if chosen is not None:
            paths += _stage(staging, chosen, folder, f"{stem}.drawn", tables)
    return paths


def _stage(
    staging: Staging, outcome: Result, folder: Path, stem: str, tables: TableFormat
) -> list[Path]:
    """Write the files of one outcome, of one lottery, or of many markets."""
    from catallax.mechanisms import Outcomes

    paths = [folder / f"{stem}.{name}.{tables}" for name in ("trades", "agents")]
    for path, frame in zip(paths, (outcome.trades, outcome.agents), strict=True):
        staging.add(path, lambda place, frame=frame: _write_table(frame, place, tables))
    if isinstance(outcome, Outcomes):
        paths.append(folder / f"{stem}.totals.{tables}")
        staging.add(paths[-1], lambda place: _write_table(outcome.totals, place, tables))
        return paths
    paths.append(folder / f"{stem}.totals.json")
    staging.add(paths[-1], lambda place: _write_totals(outcome, place))
    return paths


def _refuse_equal_names(outcomes: list[Result], folder: Path) -> None:
    """Refuse names that are equal, or differ in case only (one file on some systems)."""
    seen: dict[str, Result] = {}
    for outcome in outcomes:
        stem = outcome_stem(outcome)
        other = seen.setdefault(stem.casefold(), outcome)
        if other is not outcome:
            raise OutputError(
                f"markets '{_name(other)}' and '{_name(outcome)}' would both write "
                f"{folder / stem}.*: give them different names, or write them to different folders"
            )


def _write_table(frame: object, path: Path, tables: TableFormat) -> None:
    import narwhals as nw

    polars = nw.from_native(frame, eager_only=True).to_polars()  # type: ignore[call-overload]
    if tables == "parquet":
        polars.write_parquet(path)
    else:
        polars.write_csv(path)


def _write_totals(outcome: Outcome | Lottery, path: Path) -> None:
    from catallax.mechanisms import Lottery

    document: dict[str, Any] = {"market": outcome.market.name}
    if isinstance(outcome, Lottery):
        document |= {"mechanism": outcome.mechanism, "totals": outcome.totals}
        document["lottery"] = [
            {"probability": float(chance), **_summary(part)} for chance, part in outcome.outcomes
        ]
    else:
        document |= _summary(outcome)
    path.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _summary(outcome: Outcome) -> dict[str, Any]:
    """Give the JSON object of an outcome without its trades."""
    from catallax.markets.families.usage import as_json

    tick = {} if outcome.tick is None else {"tick": outcome.tick}
    found = {"mechanism": outcome.mechanism, "solver": outcome.solver}
    return found | tick | {"totals": outcome.totals} | as_json(outcome.usage)
