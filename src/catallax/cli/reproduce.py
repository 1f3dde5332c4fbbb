"""`catallax reproduce`: the papers' results, computed again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from catallax.cli.options import FLAG, QUIET, checked_seed
from catallax.errors import CatallaxError

__all__ = ["reproduce"]

DIFFERS = 1


def reproduce(
    *target: str,
    all: Annotated[bool, FLAG] = False,
    monte_carlo: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> int:
    """Compute published results again: each figure beside ours, with a verdict.

    The exit status is 0 if all figures agree, and 1 if one does not.

    Parameters
    ----------
    target
        What to reproduce; without any, a list of what there is.
    all
        Reproduce everything.
    monte_carlo
        How many samples to draw, where a target draws any.
    seed
        What those samples are drawn with.
    out
        Folder for TARGET.json and the figures as pictures.
    json
        Print one JSON object for each target, a line each.
    quiet
        Print no tables and show no progress.
    """
    from catallax.cli.output import json_line, print_lines, progress_bar, show
    from catallax.papers import get, names
    from catallax.papers.registry import Options
    from catallax.report.reproduction_tables import reproduction_table, targets_table

    if monte_carlo is not None and monte_carlo < 2:
        raise CatallaxError(f"--monte-carlo {monte_carlo}: write a whole number from 2 up")
    checked_seed(seed)
    if all and target:
        raise CatallaxError("--all names every target already; leave out the others")
    chosen = [get(name) for name in (names() if all else target)]
    if not chosen:
        known = [get(name) for name in names()]
        if json:
            print_lines(
                json_line({"name": one.name, "summary": one.summary, "source": one.source})
                for one in known
            )
        elif not quiet:
            show(targets_table(known))
        return 0
    found = []
    for one in chosen:
        with progress_bar(one.name, quiet=quiet) as progress:
            found.append(one.run(Options(monte_carlo, seed, progress)))
    lines = [json_line(one.to_dict()) for one in found]
    if out is not None:
        from catallax.report.reproduction_tables import save_chart_picture
        from catallax.staging import Staging

        with Staging() as staging:
            for one, line in zip(found, lines, strict=True):
                staging.add(
                    out / f"{one.name}.json",
                    lambda place, line=line: place.write_text(f"{line}\n", encoding="utf-8"),
                )
                for chart in one.charts:
                    staging.add(
                        out / f"{one.name}-{chart.name}.svg",
                        lambda place, chart=chart: save_chart_picture(chart, place),
                    )
    if json:
        print_lines(lines)
    elif not quiet:
        for one in found:
            show(reproduction_table(one))
    return DIFFERS if any(not one.agrees for one in found) else 0
