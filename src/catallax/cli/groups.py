"""`catallax groups`: one trade between two groups, decided by a vote or without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App

from catallax.cli.options import FLAG, MANY, QUIET, checked_plot, checked_seed
from catallax.errors import CatallaxError

if TYPE_CHECKING:
    from catallax.groups import GroupMechanism, GroupProblem, GroupTrade
    from catallax.priors import Prior

__all__ = ["app"]

app = App(
    name="groups",
    help="Trade between two groups: evaluate, decide, recommend a vote, show the limits.",
    help_format="markdown",
)


@app.command
def evaluate(
    file: Path | None = None,
    /,
    *,
    mechanism: str | None = None,
    buyers: int | None = None,
    sellers: int | None = None,
    buyer_prior: str | None = None,
    seller_prior: str | None = None,
    price: float | None = None,
    rule: str | None = None,
    monte_carlo: int | None = None,
    seed: int = 0,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """Say what a mechanism is expected to bring to two groups, exactly where there is a law.

    Parameters
    ----------
    file
        A group file with members and priors; or leave it out and give sizes and priors.
    mechanism
        forced-trade, vote, best-vote, smooth and others; by default what the file says, or
        best-vote.
    buyers, sellers
        How many members each side has.
    buyer_prior, seller_prior
        What is believed of each member's value and cost, as in "uniform(0, 1)".
    price
        Of a vote: what each buyer pays.
    rule
        Of a vote: majority, unanimity, "quota(80%, 50%)" and others.
    monte_carlo
        Draw so many profiles as well, as a check.
    seed
        What to draw them with.
    json
        Print one JSON object.
    quiet
        Print no table.
    """
    from catallax.cli.output import json_line, print_lines, show
    from catallax.groups import evaluate as evaluated

    checked_seed(seed)
    trade, problem = _trade(file, buyers, sellers, buyer_prior, seller_prior)
    chosen = _mechanism(mechanism, problem, price, rule)
    found = evaluated(
        trade, chosen, monte_carlo=monte_carlo, rng=None if monte_carlo is None else seed
    )
    if json:
        print_lines([json_line(found.to_dict())])
    elif not quiet:
        from catallax.report.group_tables import evaluation_table

        show(evaluation_table(trade, found))


@app.command
def decide(
    file: Path,
    /,
    *,
    mechanism: str | None = None,
    price: float | None = None,
    rule: str | None = None,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """Decide on the reports of a group file, and say why.

    Parameters
    ----------
    file
        A group file with everybody's report.
    mechanism
        By default what the file says; forced-trade, vote, best-vote, smooth and others.
    price
        Of a vote: what each buyer pays; by default the file's.
    rule
        Of a vote: majority, unanimity, "quota(80%, 50%)" and others; by default the file's.
    json
        Print one JSON object.
    quiet
        Print no text.
    """
    from catallax.cli.output import json_line, print_lines, show
    from catallax.groups import GroupProblem

    problem = GroupProblem.read(file)
    chosen = _mechanism(mechanism, problem, price, rule)
    # A vote at a given price looks at no prior; everything else needs one for each member.
    trade = problem.voters if chosen.slug == "vote" else problem.trade
    outcome = chosen.decide(trade, problem.reports)
    if json:
        print_lines([json_line({"name": problem.name, **outcome.to_dict()})])
    elif not quiet:
        from catallax.report.group_tables import decision_text

        show(decision_text(outcome, [problem.name], problem.currency))


@app.command
def recommend(
    file: Path | None = None,
    /,
    *,
    survey: Path | None = None,
    rows: Annotated[tuple[str, ...], MANY] = (),
    low: str | None = None,
    high: str | None = None,
    weights: str | None = None,
    seller_survey: Path | None = None,
    seller_rows: Annotated[tuple[str, ...], MANY] = (),
    highest: float | None = None,
    buyers: int | None = None,
    sellers: int | None = None,
    buyer_prior: str | None = None,
    seller_prior: str | None = None,
    least_better_off: float | None = None,
    least_buyers: str = "0",
    least_sellers: str = "0",
    currency: str = "",
    plot: Path | None = None,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """Recommend a price and a voting rule, with everybody's exact chances.

    Parameters
    ----------
    file
        A group file with members and priors; or leave it out and give a survey, or priors.
    survey
        A table of the buyers' willingness to pay, one interval answer a row.
    rows
        Which rows to take: column=text, as in dataset=kakadu_major.
    low, high
        The columns of the ends of the intervals, if they do not show by their names.
    weights
        The column of weights, if there is one.
    seller_survey
        The same for the sellers' willingness to accept.
    seller_rows
        Which of its rows to take.
    highest
        What a cost without an upper end is taken for.
    buyers, sellers
        How many members decide; by default as many buyers as answered, and one seller.
    buyer_prior, seller_prior
        What is believed of each member, where there is no survey, as in "uniform(0, 1)".
    least_better_off
        The least probability with which each side as a whole must not be worse off.
    least_buyers, least_sellers
        Who has to be in favour at least: a number, or a part such as 80%.
    currency
        What amounts are in, for the picture.
    plot
        Draw a picture into this .svg or .png file.
    json
        Print one JSON object.
    quiet
        Print no table and show no progress.
    """
    from catallax.cli.output import json_line, print_lines, progress_bar, show
    from catallax.groups import recommend as recommended

    checked_plot(plot)
    given: list[Prior | str | None] = [buyer_prior, seller_prior]
    if survey is not None:
        answers = _answers(survey, rows, low, high, weights)
        given[0] = _one(answers.prior("buyer"), buyer_prior, "--buyer-prior", "--survey")
        buyers = len(answers) if buyers is None else buyers
    if seller_survey is not None:
        answers = _answers(seller_survey, seller_rows, low, high, weights)
        prior = answers.prior("seller", highest)
        given[1] = _one(prior, seller_prior, "--seller-prior", "--seller-survey")
        sellers = len(answers) if sellers is None else sellers
    elif survey is not None and sellers is None:
        sellers = 1
    trade, problem = _trade(file, buyers, sellers, *given)
    with progress_bar("looking for the best vote", quiet=quiet) as progress:
        found = recommended(
            trade, least_better_off=least_better_off, least_buyers=least_buyers,
            least_sellers=least_sellers, progress=progress,
        )  # fmt: skip
    line = json_line(found.to_dict())
    if plot is not None:
        from catallax.report.group_pictures import save_recommendation
        from catallax.staging import Staging

        unit = currency or ("" if problem is None else problem.currency)
        with Staging() as staging:
            staging.add(plot, lambda place: save_recommendation(found, place, unit))
    if json:
        print_lines([line])
    elif not quiet:
        from catallax.report.group_tables import recommendation_tables

        show(recommendation_tables(found))


@app.command
def limits(
    *,
    sizes: str = "1,2,3,5,10,20,50,100,200,500,1000",
    means: str = "0.51:0.49,0.5:0.5,0.49:0.51",
    plot: Path | None = None,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """Show what forced trade, the best vote and smooth lotteries keep of first best, by size.

    Values are uniform on the buyers' mean plus and minus 0.4, costs on the sellers'.

    Parameters
    ----------
    sizes
        Members a side, with commas between them.
    means
        The buyers' and the sellers' mean of each panel, as in 0.51:0.49,0.5:0.5.
    plot
        Draw a picture into this .svg or .png file.
    json
        Print one JSON object.
    quiet
        Print no table and show no progress.
    """
    from catallax.cli.output import json_line, print_lines, progress_bar, show
    from catallax.groups import share_curves

    checked_plot(plot)
    numbers = [_number(size, int, "--sizes", "whole numbers from 1 up") for size in _list(sizes)]
    if not all(size >= 1 for size in numbers):
        raise CatallaxError(f"--sizes {sizes}: write whole numbers from 1 up")
    pairs = [_pair(pair) for pair in _list(means)]
    with progress_bar("exact laws", quiet=quiet) as progress:
        curves = share_curves(numbers, pairs, progress=progress)
    line = json_line(curves.to_dict())
    if plot is not None:
        from catallax.report.group_pictures import save_share_curves
        from catallax.staging import Staging

        with Staging() as staging:
            staging.add(plot, lambda place: save_share_curves(curves, place))
    if json:
        print_lines([line])
    elif not quiet:
        from catallax.report.group_tables import limits_table

        show(limits_table(curves))


# ------------------------------------------------------------------------------ reading arguments


def _trade(
    file: Path | None,
    buyers: int | None,
    sellers: int | None,
    buyer_prior: Prior | str | None,
    seller_prior: Prior | str | None,
) -> tuple[GroupTrade, GroupProblem | None]:
    """Return the groups of a file, or those that the options say."""
    from catallax.groups import GroupProblem, GroupTrade

    options = {"--buyers": buyers, "--sellers": sellers, "--buyer-prior": buyer_prior,
               "--seller-prior": seller_prior}  # fmt: skip
    if file is not None:
        said = [name for name, value in options.items() if value is not None]
        if said:
            raise CatallaxError(f"{file} says who decides; leave out {' and '.join(said)}")
        problem = GroupProblem.read(file)
        return problem.trade, problem
    missing = [name for name, value in options.items() if value is None]
    if missing:
        raise CatallaxError(f"give a group file, or {' and '.join(missing)} as well")
    assert buyers is not None
    assert sellers is not None
    assert buyer_prior is not None
    assert seller_prior is not None
    return GroupTrade(buyers, sellers, buyer_prior, seller_prior), None


def _mechanism(
    name: str | None, problem: GroupProblem | None, price: float | None, rule: str | None
) -> GroupMechanism:
    """Return the mechanism that options or the file name, with its parameters."""
    from catallax.groups import get, make_rule

    slug = name or (problem.mechanism if problem is not None else None)
    parameters: dict[str, Any] = {}
    if problem is not None and slug in {None, problem.mechanism, "vote"}:
        parameters = dict(problem.arguments)
    if price is not None:
        parameters["price"] = price
    if rule is not None:
        parameters["rule"] = make_rule(rule, where="--rule")
    if slug is None:
        slug = "vote" if "price" in parameters else "best-vote"
    if slug == "vote" and "price" not in parameters:
        raise CatallaxError("a vote needs a price: give --price, or name it in the file")
    return get(slug, **parameters)


def _answers(
    path: Path, rows: tuple[str, ...], low: str | None, high: str | None, weights: str | None
) -> Any:
    from catallax.groups import read_survey

    wanted = {}
    for row in rows:
        column, equals, text = row.partition("=")
        if not equals:
            raise CatallaxError(f"--rows {row}: write column=text, as in dataset=kakadu_major")
        wanted[column] = text
    return read_survey(path, low=low, high=high, weights=weights, rows=wanted)


def _one(prior: Prior, other: str | None, option: str, instead: str) -> Prior:
    if other is not None:
        raise CatallaxError(f"{instead} says what is believed already; leave out {option}")
    return prior


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str, kind: Callable[[str], Any], option: str, wanted: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise CatallaxError(f"{option} {text}: write {wanted}") from None


def _pair(text: str) -> tuple[float, float]:
    parts = text.split(":")
    wanted = "pairs of means, as in 0.51:0.49,0.5:0.5"
    if len(parts) != 2:
        raise CatallaxError(f"--means {text}: write {wanted}")
    first, second = (_number(part, float, "--means", wanted) for part in parts)
    return first, second
