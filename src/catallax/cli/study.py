"""`catallax study`: many markets, sizes, priors, mechanisms and seeds from one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App

from catallax.cli.options import FLAG, QUIET, allow_local_modules

if TYPE_CHECKING:
    from catallax.estimate.study import Study, StudyResults

__all__ = ["app"]

app = App(
    name="study",
    help="Run a study (many markets, sizes, priors, mechanisms and seeds), and report on it.",
    help_format="markdown",
)


@app.command
def run(
    file: Path,
    /,
    *,
    cluster: str | None = None,
    workers: int | None = None,
    out: Path | None = None,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """Compute what is missing of a study.

    What is finished is kept at once and never computed again: after an interrupt, or whatever
    else, the same command goes on where it was.

    Parameters
    ----------
    file
        The study, a TOML file.
    cluster
        The address of a dask.distributed scheduler, such as tcp://10.0.0.7:8786, whose workers
        compute the cells. They need the same catallax.
    workers
        How many processes of this machine compute; by default one for each processor.
    out
        Folder of the results; by default NAME.results beside the file NAME.toml.
    json
        Print one JSON object: what was computed and what skipped.
    quiet
        Print no tables and show no progress; warnings and errors still appear.
    """
    from catallax.cli.output import json_line, print_lines, progress_bar, row_limit, show, warn
    from catallax.estimate.study import run_study

    study = _read(file)
    with progress_bar(study.name, quiet=quiet) as progress:
        try:
            done = run_study(
                study, out, workers=workers, cluster=cluster, progress=progress, tell=warn
            )
        except KeyboardInterrupt:
            warn("stopped; what is finished is kept, and the same command goes on with the rest")
            raise
    if json:
        counts = {"computed": done.computed, "reused": done.reused}
        print_lines([json_line(_document(done.results) | counts | {"table": str(done.table)})])
    elif not quiet:
        from catallax.report.study.needs import report_lacks
        from catallax.report.study.tables import study_tables

        lacking = report_lacks()
        show(study_tables(done.results, row_limit()))
        place = "" if out is None else f" --results {out}"
        # As they are, however long: paths are there to be copied.
        print_lines([
            f"\n  {done.computed:,} cells computed, {done.reused:,} reused",
            f"  {done.table}",
            *([f"  {lacking}"] if lacking else []),
            f"  catallax study report {file}{place}",
        ])  # fmt: skip


@app.command
def status(
    file: Path,
    /,
    *,
    results: Path | None = None,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """Say how much of a study is finished.

    Parameters
    ----------
    file
        The study, a TOML file.
    results
        Folder of the results, if it is not NAME.results beside the file NAME.toml.
    json
        Print one JSON object.
    quiet
        Print no table; errors still appear.
    """
    from catallax.cli.output import json_line, print_lines, show
    from catallax.estimate.study import load_results
    from catallax.report.lists import facts_table

    found = load_results(_read(file), results)
    document = _document(found)
    if json:
        print_lines([json_line(document)])
    if json or quiet:
        return
    skipped = sum(entry["cells"] for entry in document["skipped"])
    facts = {
        "study": found.study.name,
        "cells": f"{len(found.cells):,}",
        "finished": f"{found.finished:,}" + (f", {skipped:,} of them skipped" if skipped else ""),
        "missing": f"{len(found.cells) - found.finished:,}",
    }
    show(facts_table(facts))


@app.command
def report(
    file: Path,
    /,
    *,
    out: Path | None = None,
    results: Path | None = None,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """Write the report of a study: one HTML file with tables, charts and all that was run.

    Parameters
    ----------
    file
        The study, a TOML file.
    out
        The file to write; by default NAME.html beside the file NAME.toml.
    results
        Folder of the results, if it is not NAME.results beside the file NAME.toml.
    json
        Print one JSON object: the file, and how much of the study is finished.
    quiet
        Say nothing and show no progress; warnings and errors still appear.
    """
    from catallax.cli.output import json_line, print_lines, progress_bar, warn
    from catallax.estimate.study import load_results
    from catallax.report.study.page import save_study_report

    study = _read(file)
    found = load_results(study, results)
    missing = len(found.cells) - found.finished
    target = file.with_suffix(".html") if out is None else out
    with progress_bar("drawing", quiet=quiet) as progress:
        save_study_report(found, target, progress=progress)
    if missing:
        warn(
            f"{missing:,} of {len(found.cells):,} cells are not finished, and the report says so: "
            f"catallax study run {file}"
        )
    if json:
        print_lines([json_line(_document(found) | {"report": str(target)})])
    elif not quiet:
        print_lines([str(target)])


def _read(file: Path) -> Study:
    from catallax.estimate.study import read_study

    allow_local_modules()
    return read_study(file)


def _document(results: StudyResults) -> dict[str, Any]:
    return {
        "study": results.study.name,
        "cells": len(results.cells),
        "finished": results.finished,
        "skipped": [
            {"market": market, "mechanism": rule, "reason": reason, "cells": number}
            for market, rule, reason, number in results.skipped
        ],
    }
