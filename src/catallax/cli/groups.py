"""`catallax groups`: one trade between two groups, decided by a vote or without one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App

from catallax.cli.group_arguments import (
    check_no_reports,
    compared,
    groups_of,
    listed,
    mechanism_of,
    needed_here,
    number_of,
    only,
    pair_of,
    survey_answers,
    taken_lines,
    warn_of_mixture,
)
from catallax.cli.options import FLAG, MANY, QUIET, checked_plot, checked_seed
from catallax.errors import CatallaxError, ReportError

if TYPE_CHECKING:
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
        A group file, .toml or .json, with members and priors; or leave it out and give sizes and
        priors.
    mechanism
        forced-trade, vote, best-vote or smooth; by default the file's. If the file names none, or
        there is none: vote where there is a price, else best-vote.
    buyers
        How many members the buyers' side has, where there is no file.
    sellers
        How many members the sellers' side has, where there is no file.
    buyer_prior
        What is believed of the value to each single buyer, where there is no file, as in
        "uniform(0, 1)".
    seller_prior
        What is believed of the cost of each single seller, where there is no file, as in
        "uniform(0, 1)".
    price
        Of a vote: what each buyer pays; by default the file's.
    rule
        Of a vote: majority, unanimity, "two thirds", "quota(80%, 50%)" and others; by default the
        file's.
    monte_carlo
        Draw so many profiles of values and costs as well: a check of what is exact, and all there
        is for mechanisms without an exact law, such as smooth.
    seed
        What those are drawn with.
    json
        Print one JSON object.
    quiet
        Print no table.
    """
    from catallax.cli.output import json_line, print_lines, progress_bar, show
    from catallax.groups import evaluate as evaluated

    checked_seed(seed)
    trade, problem = groups_of(
        file, buyers, sellers, buyer_prior, seller_prior, with_rule=rule is None
    )
    chosen = mechanism_of(mechanism, problem, price, rule)
    with progress_bar("exact laws", quiet=quiet) as progress:
        found = evaluated(
            trade, chosen, monte_carlo=monte_carlo,
            rng=None if monte_carlo is None else seed, progress=progress,
        )  # fmt: skip
    if json:
        print_lines([json_line(found.to_dict())])
    elif not quiet:
        from catallax.report.groups.tables import evaluation_table

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
        A group file, .toml or .json, with everybody's report.
    mechanism
        forced-trade, vote, best-vote or smooth; by default the file's. If the file names none:
        vote where there is a price, else best-vote.
    price
        Of a vote: what each buyer pays; by default the file's.
    rule
        Of a vote: majority, unanimity, "two thirds", "quota(80%, 50%)" and others; by default the
        file's.
    json
        Print one JSON object.
    quiet
        Print no text.
    """
    from catallax.cli.output import busy, json_line, print_lines, show
    from catallax.groups import GroupProblem

    # A rule that is given here takes the place of the file's, which need not be read then.
    try:
        problem = GroupProblem.read(file, with_rule=rule is None, mechanism=mechanism, price=price)
    except ReportError as error:
        raise ReportError(needed_here(str(error))) from None
    chosen = mechanism_of(mechanism, problem, price, rule)
    # A vote at a given price looks at no prior; everything else needs one for each member.
    trade = problem.voters if chosen.slug == "vote" else problem.trade
    with busy("deciding", quiet=quiet):
        outcome = chosen.decide(trade, problem.reports)
    if json:
        print_lines([json_line({"name": problem.name, **outcome.to_dict()})])
    elif not quiet:
        from catallax.report.groups.tables import decision_text

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
    out: Path | None = None,
    json: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, QUIET] = False,
) -> None:
    """Recommend a price and a voting rule, with everybody's exact chances.

    It is compared with familiar votes, and with the one that the file names.

    Of the votes that gain within a thousandth of the largest gain, it is the one that leaves both
    sides best off: with the largest chance that neither is worse off, and then the most even
    division of the gain.

    Parameters
    ----------
    file
        A group file, .toml or .json, with members and priors; or leave it out and give a survey,
        or sizes and priors.
    survey
        A table of the buyers' willingness to pay, one interval answer a row.
    rows
        Which rows to take: column=text, as in dataset=kakadu_major.
    low
        The column with the lower ends of the answers: what a respondent would surely pay (or
        accept). Needed only where not exactly one column has the word "low" in its name.
    high
        The column with the upper ends; an empty cell says that there is none. Needed only where
        not exactly one column has the word "high" in its name.
    weights
        The column that says how many people each answer stands for, if there is one.
    seller_survey
        A table of the sellers' willingness to accept, one interval answer a row; --low, --high
        and --weights name its columns too.
    seller_rows
        Which of its rows to take: column=text.
    highest
        Of the sellers' survey: what a cost is taken for whose answer has no upper end.
    buyers
        How many buyers decide, and pay the price each; with a survey by default as many as
        answered.
    sellers
        How many sellers decide; with a survey of buyers by default one.
    buyer_prior
        What is believed of the value to each single buyer, where there is no survey, as in
        "uniform(0, 1)".
    seller_prior
        What is believed of the cost of each single seller, as in "uniform(5000, 15000)"; of one
        seller that is the whole cost, and not the cost a buyer.
    least_better_off
        The least probability, from 0 to 1, with which each side as a whole must not be worse off.
    least_buyers
        How many buyers have to be in favour at least: a number, or a part such as 80%.
    least_sellers
        How many sellers have to be in favour at least: a number, or a part such as 80%.
    currency
        What amounts are in; by default the file's.
    plot
        Draw a picture into this .svg or .png file.
    out
        Write the recommended vote as a group file, .toml or .json, with its price and its rule:
        put in what the members report, and `catallax groups decide` decides. A file that holds
        reports is not written over.
    json
        Print one JSON object.
    quiet
        Print no table and show no progress.
    """
    from catallax.cli.output import json_line, print_lines, progress_bar, show, warn
    from catallax.groups import recommend as recommended

    checked_plot(plot)
    if out is not None and out.suffix not in (".json", ".toml"):
        raise CatallaxError(f"--out {out}: groups are written as .json or .toml; name one of these")
    if out is not None:
        check_no_reports(out)
    taken: list[str] = []
    given: list[Prior | str | None] = [buyer_prior, seller_prior]
    if survey is not None:
        answers = survey_answers(survey, rows, low, high, weights)
        given[0] = only(answers.prior("buyer"), buyer_prior, "--buyer-prior", "--survey")
        taken += taken_lines(survey, answers, "buyer", buyers)
        buyers = len(answers) if buyers is None else buyers
        if sellers is None and seller_survey is None:
            taken.append("1 seller assumed; --sellers says otherwise")
        if not quiet:
            warn_of_mixture(survey, answers, "--rows", warn)
    if seller_survey is not None:
        answers = survey_answers(seller_survey, seller_rows, low, high, weights, "--seller-rows")
        prior = answers.prior("seller", highest)
        given[1] = only(prior, seller_prior, "--seller-prior", "--seller-survey")
        taken += taken_lines(seller_survey, answers, "seller", sellers)
        sellers = len(answers) if sellers is None else sellers
        if not quiet:
            warn_of_mixture(seller_survey, answers, "--seller-rows", warn)
    elif survey is not None and sellers is None:
        sellers = 1
    # The file's own rule is only compared, and may be in need of a better one.
    trade, problem = groups_of(file, buyers, sellers, *given, with_rule=False)
    votes = compared(file, None if quiet else warn)
    unit = currency or ("" if problem is None else problem.currency)
    with progress_bar("looking for the best vote", quiet=quiet) as progress:
        found = recommended(
            trade, least_better_off=least_better_off, least_buyers=least_buyers,
            least_sellers=least_sellers, rules=votes, currency=unit,
            progress=progress,
        )  # fmt: skip
    line = json_line({**found.to_dict(), "taken": taken})
    if plot is not None or out is not None:
        from catallax.staging import Staging

        with Staging() as staging:
            if plot is not None:
                from catallax.report.groups.pictures import save_recommendation_picture

                staging.add(plot, lambda place: save_recommendation_picture(found, place, unit))
            if out is not None:
                vote = found.to_problem(problem, name=out.stem)
                staging.add(out, vote.write)
    if json:
        print_lines([line])
    elif not quiet:
        from catallax.report.groups.tables import recommendation_tables

        show(recommendation_tables(found, taken, written=out))


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
    numbers = [number_of(size, int, "--sizes", "whole numbers from 1 up") for size in listed(sizes)]
    if not all(size >= 1 for size in numbers):
        raise CatallaxError(f"--sizes {sizes}: write whole numbers from 1 up")
    pairs = [pair_of(pair) for pair in listed(means)]
    with progress_bar("exact laws", quiet=quiet) as progress:
        curves = share_curves(numbers, pairs, progress=progress)
    line = json_line(curves.to_dict())
    if plot is not None:
        from catallax.report.groups.pictures import save_share_curves_picture
        from catallax.staging import Staging

        with Staging() as staging:
            staging.add(plot, lambda place: save_share_curves_picture(curves, place))
    if json:
        print_lines([line])
    elif not quiet:
        from catallax.report.groups.tables import limits_table

        show(limits_table(curves))
