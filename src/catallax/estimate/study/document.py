"""The study file: which keys there are, what they hold, and the study that they define."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from catallax.errors import CatallaxError, FileFormatError, UnknownNameError, nearest
from catallax.estimate.draws import Plan
from catallax.estimate.study.definition import Options, Setting, Study
from catallax.estimate.study.recipes import OWN, PriorPair, recipes_of
from catallax.estimate.study.rules import Rule, rule_of
from catallax.markets.files.document import validate
from catallax.text_files import decoded

__all__ = ["read_study", "study_of_text"]

_EXAMPLE = "add [study] with name, samples, seeds and mechanisms, and at least one [[markets]]"
# A typing mistake in a size must not ask for a month of work before anybody notices.
_MOST_CELLS = 1_000_000
_ROW = ("first", "count")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


# Values that come in several forms are `Any` here and read below, where errors can tell the forms.


class StudySection(_Strict):
    """What holds for every cell."""

    name: str
    description: str = ""
    samples: int
    seeds: Any
    mechanisms: list[Any]
    draws: Literal["plain", "antithetic", "sobol"] = "plain"
    conditional: bool = False
    exact: bool = True
    until: float | None = None


class PriorSection(_Strict):
    """A pair of priors that a market's agents are given in place of their own."""

    name: str
    buyers: Any
    sellers: Any


class MarketSection(_Strict):
    """A market, or a family of markets."""

    name: str | None = None
    instance: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    path: str | None = None
    graph: str | None = None
    sizes: Any = None
    degree: Any = None
    graph_seed: int | None = None
    priors: list[str] | None = None
    mechanisms: list[Any] | None = None
    seeds: Any = None


class StudyDocument(_Strict):
    """``study.toml``."""

    study: StudySection
    markets: list[MarketSection]
    priors: list[PriorSection] = Field(default_factory=list)


def read_study(path: str | Path) -> Study:
    """Read a study file.

    Parameters
    ----------
    path
        A TOML file. Markets that it names by path are looked up beside it, and so, before
        anywhere else, are modules of mechanisms that it names as module:Class.

    Returns
    -------
    Study
        Checked: every market can be built, every mechanism and prior exists.

    Raises
    ------
    UnknownNameError
        If a key, an instance, a parameter or a mechanism is not known; with the nearest that is.
    FileFormatError
        If the file cannot be read, or a value is not what it should be.
    CatallaxError
        If a market cannot be built.
    """
    place = Path(path)
    try:
        content = place.read_bytes()
    except OSError as failure:
        reason = (failure.strerror or str(failure)).lower()
        raise FileFormatError(f"{place}: {reason}; name a study file (TOML)") from None
    return study_of_text(decoded(content, str(place)), place)


def study_of_text(text: str, path: str | Path = "study.toml") -> Study:
    """Read a study from the text of its file; see `read_study`.

    Examples
    --------
    >>> study = study_of_text('''
    ... [study]
    ... name = "two sizes"
    ... samples = 1000
    ... seeds = [1, 2]
    ... mechanisms = ["gsom", "mcafee"]
    ...
    ... [[markets]]
    ... instance = "double-auction"
    ... parameters = { n = [2, 4] }
    ... ''')
    >>> study.size, [setting.label for setting in study.settings]
    (8, ['double-auction (n = 2)', 'double-auction (n = 4)'])
    """
    where = Path(path)
    document = validate(StudyDocument, _toml(text, where), str(where))
    section = document.study
    pairs = _pairs(document.priors, where)
    rules = _rules(section.mechanisms, f"{where}: mechanisms", where.parent)
    seeds = _seeds(section.seeds, f"{where}: seeds")
    settings = tuple(_settings(document.markets, pairs, rules, seeds, where))
    study = Study(
        name=section.name,
        description=section.description.strip(),
        path=where,
        text=text,
        settings=settings,
        # Those of all markets, and each once.
        rules=tuple(dict.fromkeys([*rules, *(rule for one in settings for rule in one.rules)])),
        seeds=tuple(dict.fromkeys([*seeds, *(seed for one in settings for seed in one.seeds)])),
        options=_options(section, where),
    )
    if study.size > _MOST_CELLS:
        raise FileFormatError(
            f"{where}: {study.size:,} cells are more than {_MOST_CELLS:,}; split the study"
        )
    return study


def _toml(text: str, where: Path) -> dict[str, Any]:
    if not text.strip():
        raise FileFormatError(f"{where}: the file is empty; {_EXAMPLE}")
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as failure:
        message = " ".join(str(failure).split()) or "it is nested too deep"
        raise FileFormatError(f"{where}: this is no TOML: {message}; mend it there") from None
    known = StudyDocument.model_fields
    if "study" not in content and set(content) <= set(known):
        raise FileFormatError(f"{where}: there is no [study]; {_EXAMPLE}")
    return content


def _options(section: StudySection, where: Path) -> Options:
    if section.until is not None and not 0 < section.until < float("inf"):
        raise FileFormatError(f"{where}: until = {section.until:g}; ask for a precision above 0")
    if section.conditional and section.draws == "sobol":
        raise FileFormatError(
            f"{where}: conditional = true does not go with Sobol points; leave out one of the two"
        )
    try:
        Plan.plan(section.draws, section.samples, 1, growing=section.until is not None)
    except CatallaxError as failure:
        raise FileFormatError(f"{where}: {failure}") from None
    return Options(
        section.samples, section.draws, section.conditional, section.exact, section.until
    )


def _seeds(given: Any, at: str) -> tuple[int, ...]:
    """Read seeds: some numbers, or so many in a row."""
    if isinstance(given, dict):
        for key in given:
            if key not in _ROW:
                raise UnknownNameError(f"{at}: unknown key '{key}': {nearest(key, _ROW)}")
        first, count = given.get("first", 1), given.get("count", 0)
        if not (_is_whole(first) and _is_whole(count) and count > 0):
            raise FileFormatError(f"{at}: ask for at least one, as in seeds = {{ count = 5 }}")
        given = [first + place for place in range(min(count, _MOST_CELLS + 1))]
    if not isinstance(given, list) or not given:
        raise FileFormatError(
            f"{at}: there are none; write them as in seeds = [1, 2, 3] or seeds = {{ count = 3 }}"
        )
    for seed in given:
        if not _is_whole(seed) or not 0 <= seed < 2**63:
            raise FileFormatError(f"{at}: {seed!r} is no seed; write whole numbers from 0 up")
    _refuse_repeated(given, at)
    return tuple(given)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _rules(given: Sequence[Any], at: str, folder: Path) -> tuple[Rule, ...]:
    if not given:
        raise FileFormatError(
            f'{at}: there are none; write at least one, as in mechanisms = ["gsom"]'
        )
    rules = tuple(rule_of(entry, at, folder) for entry in given)
    _refuse_repeated([rule.label for rule in rules], at)
    return rules


def _pairs(sections: Sequence[PriorSection], where: Path) -> dict[str, PriorPair]:
    _refuse_repeated([section.name for section in sections], f"{where}: priors")
    pairs = {}
    for section in sections:
        if section.name == OWN:
            raise FileFormatError(
                f"{where}: a pair of priors cannot be called '{OWN}': that means a market's own"
            )
        place = f"{where} [[priors]] '{section.name}'"
        pairs[section.name] = PriorPair.read(section.buyers, section.sellers, where.parent, place)
    return pairs


def _settings(
    sections: Sequence[MarketSection],
    pairs: dict[str, PriorPair],
    rules: tuple[Rule, ...],
    seeds: tuple[int, ...],
    where: Path,
) -> Iterable[Setting]:
    if not sections:
        raise FileFormatError(f"{where}: there are no [[markets]]; {_EXAMPLE}")
    names: list[str] = []
    for place, section in enumerate(sections):
        at = f"{where} [[markets]] {place + 1}"
        names.append(_market_name(section, at))
        at = f"{at} '{names[-1]}'"
        chosen = _chosen_pairs(section, pairs, at)
        own_rules = (
            rules if section.mechanisms is None else _rules(section.mechanisms, at, where.parent)
        )
        own_seeds = seeds if section.seeds is None else _seeds(section.seeds, at)
        try:
            for parameters, recipe in recipes_of(section, where.parent):
                for name, pair in chosen.items():
                    dressed = recipe.with_priors(pair)
                    # Building it once finds whatever is wrong with it.
                    market = dressed.build(0)
                    agents = len(market.buyers) + len(market.sellers)
                    edges = 0 if market.graph.complete else market.graph.n_edges
                    yield Setting(
                        names[-1], parameters, name, dressed, agents, edges, own_rules, own_seeds
                    )
        except CatallaxError as failure:
            # The same class of error, told where it is.
            raise type(failure)(f"{at}: {failure}") from None
    _refuse_repeated(names, f"{where}: the markets' names")


def _market_name(section: MarketSection, at: str) -> str:
    sources = {key: getattr(section, key) for key in ("instance", "path", "graph")}
    given = [key for key, value in sources.items() if value is not None]
    if len(given) != 1:
        found = " and ".join(given) if given else "none of them"
        raise FileFormatError(
            f"{at}: there is {found}; name exactly one of instance, path and graph"
        )
    (source,) = given
    own = Path(sources[source]).stem if source == "path" else sources[source]
    return section.name or own


def _chosen_pairs(
    section: MarketSection, pairs: dict[str, PriorPair], at: str
) -> dict[str, PriorPair | None]:
    """Choose the priors of a market: named ones, or its own, or all where it has none."""
    names = section.priors
    if names is None:
        names = list(pairs) if section.graph is not None else [OWN]
    if not names:
        raise FileFormatError(
            f"{at}: a graph has no priors of its own; add [[priors]] with name, buyers and sellers"
            if section.priors is None
            else f"{at}: priors is empty; name at least one pair, or leave it out"
        )
    _refuse_repeated(names, f"{at}: priors")
    chosen: dict[str, PriorPair | None] = {}
    for name in names:
        if name == OWN and section.graph is not None:
            raise FileFormatError(f"{at}: a graph has no priors of its own; name [[priors]]")
        if name != OWN and name not in pairs:
            raise UnknownNameError(
                f"{at}: there are no [[priors]] '{name}': {nearest(name, [*pairs, OWN])}"
            )
        chosen[name] = pairs.get(name)
    return chosen


def _refuse_repeated(values: Sequence[object], what: str) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise FileFormatError(f"{what}: '{value}' occurs twice; leave one out or rename it")
        seen.add(value)
