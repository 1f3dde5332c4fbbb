"""What the arguments of `catallax groups` mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catallax.errors import CatallaxError

if TYPE_CHECKING:
    from catallax.groups import GroupMechanism, GroupProblem, GroupTrade, Vote, VotingRule
    from catallax.priors import Prior

__all__ = [
    "check_no_reports",
    "compared",
    "groups_of",
    "listed",
    "mechanism_of",
    "needed_here",
    "number_of",
    "only",
    "pair_of",
    "survey_answers",
    "taken_lines",
    "warn_of_mixture",
]


def groups_of(
    file: Path | None,
    buyers: int | None,
    sellers: int | None,
    buyer_prior: Prior | str | None,
    seller_prior: Prior | str | None,
    *,
    with_rule: bool = True,
) -> tuple[GroupTrade, GroupProblem | None]:
    """Return the groups of a file, or those that the options say."""
    from catallax.groups import GroupProblem, GroupTrade

    options = {"--buyers": buyers, "--sellers": sellers, "--buyer-prior": buyer_prior,
               "--seller-prior": seller_prior}  # fmt: skip
    if file is not None:
        said = [name for name, value in options.items() if value is not None]
        if said:
            raise CatallaxError(f"{file} says who decides; leave out {' and '.join(said)}")
        problem = GroupProblem.read(file, with_rule=with_rule)
        return problem.trade, problem
    missing = [name for name, value in options.items() if value is None]
    if missing:
        raise CatallaxError(f"give a group file, or {' and '.join(missing)} as well")
    assert buyers is not None
    assert sellers is not None
    assert buyer_prior is not None
    assert seller_prior is not None
    return GroupTrade(buyers, sellers, buyer_prior, seller_prior), None


def mechanism_of(
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
    place = f"{problem.where}: " if problem is not None and problem.where else ""
    if slug == "vote" and "price" not in parameters:
        raise CatallaxError(f"{place}a vote needs a price: give --price, or name it in the file")
    if slug == "vote" and "rule" not in parameters:
        raise CatallaxError(f"{place}a vote needs a rule: name it in the file, or give --rule")
    try:
        return get(slug, **parameters)
    except CatallaxError as error:
        # What the options alone say has nothing to do with the file.
        own = name is None or bool(parameters)
        raise type(error)(f"{place if own else ''}{error}") from None


def needed_here(message: str) -> str:
    """Return what an error says of a blank report where nobody may leave reports out."""
    return re.sub(r", or leave the column '(report|bid|ask)' out altogether", "", message)


def compared(
    file: Path | None, warn: Callable[[str], None] | None
) -> list[tuple[str, VotingRule | Vote]]:
    """Return the votes to compare a recommended one with: familiar ones, and the file's own."""
    from catallax.groups import GroupProblem, Vote
    from catallax.groups.recommend import FAMILIAR

    votes: list[tuple[str, VotingRule | Vote]] = list(FAMILIAR)
    if file is None:
        return votes
    try:
        problem = GroupProblem.read(file)
    except CatallaxError as error:
        if warn is not None:
            warn(f"{error}; the file's own vote is not compared")
        return votes
    if problem.rule is not None:
        rule, price = problem.rule, problem.price
        votes.append(("the file's vote", rule if price is None else Vote(price, rule)))
    return votes


def check_no_reports(out: Path) -> None:
    """Refuse to write over a file in which members' reports have been collected."""
    from catallax.groups.files.reading import count_reports

    found = count_reports(out)
    if found:
        holds = f"{found:,} report{'s' if found > 1 else ''}"
        raise CatallaxError(f"{out} holds {holds}; write to another file")


def survey_answers(
    path: Path,
    rows: tuple[str, ...],
    low: str | None,
    high: str | None,
    weights: str | None,
    option: str = "--rows",
) -> Any:
    """Read a survey's answers, of the rows that column=text names."""
    from catallax.groups import read_survey

    wanted = {}
    for row in rows:
        column, equals, text = row.partition("=")
        if not equals:
            raise CatallaxError(f"{option} {row}: write column=text, as in dataset=kakadu_major")
        if column in wanted:
            raise CatallaxError(f"{option} names the column '{column}' twice; name it once")
        wanted[column] = text
    return read_survey(path, low=low, high=high, weights=weights, rows=wanted)


def taken_lines(path: Path, answers: Any, word: str, size: int | None) -> list[str]:
    """Say how many answers were read, and how many members are taken to decide."""
    rows = "" if len(answers) == answers.table_rows else f" of {answers.table_rows:,} rows"
    line = f"{path.name}: {len(answers):,} answers{rows}"
    if size is None:
        line += f"; {len(answers):,} {word}s assumed, --{word}s says otherwise"
    return [line]


def warn_of_mixture(path: Path, answers: Any, option: str, warn: Callable[[str], None]) -> None:
    """Warn where one table may hold several surveys and none was chosen."""
    if answers.mixed:
        columns = ", ".join(f"'{name}' ({count} different)" for name, count in answers.mixed)
        warn(
            f"{path}: all {len(answers):,} rows are taken together, though columns tell them "
            f"apart: {columns}; {option} {answers.mixed[0][0]}=... takes some of them"
        )


def only(prior: Prior, other: str | None, option: str, instead: str) -> Prior:
    """Return what a survey says, and refuse a prior that is given besides."""
    if other is not None:
        raise CatallaxError(f"{instead} says what is believed already; leave out {option}")
    return prior


def listed(text: str) -> list[str]:
    """Return the parts of a text with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def number_of(text: str, kind: Callable[[str], Any], option: str, wanted: str) -> Any:
    """Return the number in a text."""
    try:
        return kind(text)
    except ValueError:
        raise CatallaxError(f"{option} {text}: write {wanted}") from None


def pair_of(text: str) -> tuple[float, float]:
    """Return the two means in a text such as 0.51:0.49."""
    parts = text.split(":")
    wanted = "pairs of means, as in 0.51:0.49,0.5:0.5"
    if len(parts) != 2:
        raise CatallaxError(f"--means {text}: write {wanted}")
    first, second = (number_of(part, float, "--means", wanted) for part in parts)
    return first, second
