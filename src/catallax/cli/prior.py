"""`catallax prior`: what a prior says, and what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from catallax.cli.options import FLAG, QUIET, checked_plot
from catallax.errors import CatallaxError

__all__ = ["prior"]


def prior(
    spec: str,
    /,
    *,
    plot: Path | None = None,
    json: Annotated[bool, FLAG] = False,
    points: int = 11,
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """Show a prior: support, mean, quantiles, virtual values and costs, what is ironed.

    Parameters
    ----------
    spec
        The prior, as in "uniform(0, 1)", "discrete([1, 2], [0.5, 0.5])", or JSON as in a
        market file: '{"kind": "uniform", "low": 0, "high": 1}'.
    plot
        Draw a picture into this .svg or .png file: the law, virtual values and costs before
        and after ironing, and the revenue curve with its hull.
    json
        Print one JSON object.
    points
        How many quantiles to show, evenly spread from probability 0 to 1.
    quiet
        Print no table; errors still appear.
    """
    from catallax.cli.output import json_line, print_lines, row_limit, show
    from catallax.priors import parse_prior
    from catallax.report.priors.tables import prior_document, prior_tables

    if points < 2:
        raise CatallaxError(f"--points {points}: two points are the fewest")
    checked_plot(plot)
    chosen = parse_prior(spec)
    document = prior_document(chosen, points)
    line = json_line(document)
    if plot is not None:
        from catallax.report.priors.picture import save_prior_picture
        from catallax.staging import Staging

        with Staging() as staging:
            staging.add(plot, lambda place: save_prior_picture(chosen, place))
    if json:
        print_lines([line])
    elif not quiet:
        show(prior_tables(document, row_limit()))
