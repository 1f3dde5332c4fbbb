"""`catallax simulate`: what to expect of mechanisms on a market."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from catallax.cli.options import (
    FLAG,
    QUIET,
    checked_plot,
    checked_seed,
    find_mechanism,
    picture_paths,
    read_markets,
    within_time,
)
from catallax.errors import CatallaxError

if TYPE_CHECKING:
    from catallax.estimate import Simulation
    from catallax.mechanisms import Mechanism

__all__ = ["simulate"]


def simulate(
    *market: str,
    mechanisms: str | None = None,
    samples: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    until: float | None = None,
    draws: Literal["plain", "antithetic", "sobol"] = "plain",
    conditional: Annotated[bool, FLAG] = False,
    sampled: Annotated[bool, FLAG] = False,
    json: Annotated[bool, FLAG] = False,
    plot: Path | None = None,
    quiet: Annotated[bool, QUIET] = False,
    time_limit: float | None = None,
) -> None:
    """Say what to expect of mechanisms: gains, share of the first best, utilities, surplus.

    Values and costs are drawn from the priors, and every mechanism clears the same draws. What
    can be computed exactly is, and is labelled so.

    Parameters
    ----------
    market
        A folder with a market.toml, a .json file, a market.toml, - for JSON on standard input,
        or instance:NAME (with parameters: instance:sparse-random?n_buyers=50&n_sellers=50).
    mechanisms
        Names, with commas between them (catallax mechanisms lists them), or module:Class for
        your own; by default first-best, gsom, gbom, random-offerer and posted-price. One that
        does not apply to a market is reported, and the rest runs.
    samples
        How many profiles of values and costs to draw; by default 10,000. With --until the most.
    seed
        What to draw with: the same seed gives the same numbers, with any number of workers.
    workers
        How many threads to use; by default one for each core.
    until
        Stop as soon as the 95 % interval of every share of the first best reaches no farther
        than this to either side, such as 0.001.
    draws
        plain, antithetic (every draw with its mirror), or sobol (scrambled Sobol points).
    conditional
        Take out of the sample what each report alone was expected to do (Lemma 5.3): slower draws,
        and much fewer of them needed.
    sampled
        Sample everything, also what would otherwise be computed exactly.
    json
        Print one JSON object for each market, a line each.
    plot
        Draw a picture into this .svg or .png file: gains with intervals, and how payments vary.
        For several markets the name contains {market}, replaced by the market's name.
    quiet
        Print no tables and show no progress; warnings and errors still appear.
    time_limit
        Seconds that each step of solving a market's constraints may take, 300 unless said
        otherwise; what is not proved best by then is an error.
    """
    from catallax.cli.output import json_line, print_lines, progress_bar, show, warn

    checked_plot(plot)
    chosen = _mechanisms(mechanisms)
    limit = within_time(time_limit)
    checked_seed(seed)
    from catallax.estimate.draws import sampler_of

    markets = read_markets(market, "catallax simulate MARKET...", quiet=quiet, check=sampler_of)
    pictures = picture_paths(plot, markets)
    from catallax.estimate import simulate as simulate_market

    found: list[Simulation] = []
    with limit:
        for one in markets:
            with progress_bar(f"simulating {one.name}", quiet=quiet) as progress:
                how = {"until": until, "draws": draws, "conditional": conditional}
                more = {"exact": not sampled, "progress": progress}
                found.append(simulate_market(one, chosen, samples, seed, workers, **how, **more))
    lines = [json_line(one.to_dict()) for one in found] if json else []
    _draw(found, pictures)
    for one in found:
        for line in _warnings(one, shown=json or not quiet):
            warn(f"market '{one.market.name}': {line}")
    if json:
        print_lines(lines)
    elif not quiet:
        from catallax.report.simulation.tables import simulation_tables

        for place, one in enumerate(found):
            if place:
                show("")
            show(simulation_tables(one))


def _mechanisms(names: str | None) -> list[str | Mechanism] | None:
    """Split the names; a mechanism of the caller's own may lie in the current folder."""
    if names is None:
        return None
    chosen: list[str | Mechanism] = []
    for name in names.split(","):
        if not name.strip():
            raise CatallaxError(
                f"--mechanisms {names}: write names with single commas between them, as in "
                "--mechanisms first-best,gsom"
            )
        find_mechanism(name.strip())  # one that is not there is an error before anything is drawn
        chosen.append(name.strip())
    return chosen


def _draw(found: list[Simulation], pictures: list[Path]) -> None:
    """Draw all pictures, or none."""
    if not pictures:
        return
    from catallax.report.simulation.picture import save_simulation_picture
    from catallax.staging import Staging

    with Staging() as staging:
        for path, one in zip(pictures, found, strict=True):
            staging.add(path, lambda place, one=one: save_simulation_picture(one, place))


def _warnings(found: Simulation, *, shown: bool) -> list[str]:
    """Say what was left out, unless tables or JSON do, and what was not reached."""
    lines = [f"{name} is left out: {why}" for name, why in found.skipped.items() if not shown]
    lines += found.caveats
    if found.reached is False:
        lines.append(
            f"a precision of {found.until:g} was not reached with {found.samples:,} samples: allow "
            "more with --samples, or use --draws sobol"
        )
    return lines
