"""Recipes: how a market of a study is built, on whatever machine its cells are computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from catallax.errors import CatallaxError, FileFormatError, UnknownNameError, nearest
from catallax.markets import Graph, Market, instances, random_graphs
from catallax.markets.tables.words import plain_words
from catallax.priors import Prior, make_prior

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OWN", "PriorPair", "Recipe", "recipes_of"]

OWN = "own"
"""The word for a market's own priors."""

Value = int | float | str
Parameters = tuple[tuple[str, Value], ...]

COMPLETE = "complete"
_GRAPHS: Mapping[str, Callable[..., Graph]] = {
    "sparse-random": random_graphs.sparse_random,
    "degree-skewed": random_graphs.degree_skewed,
    "spatial": random_graphs.spatial,
}
# Keeps the draws of graphs apart from those of reports, which have the same seed.
_GRAPH_STREAM = 0x67726170


class Source(Protocol):
    """The part of a study file that says which market."""

    instance: str | None
    parameters: dict[str, Any]
    path: str | None
    graph: str | None
    sizes: Any
    degree: Any
    graph_seed: int | None


@dataclass(frozen=True)
class PriorPair:
    """One prior for all buyers and one for all sellers.

    Attributes
    ----------
    buyers, sellers
        Their specifications as JSON, with the contents of tables: text, so that a pair travels
        and is compared as it is.
    """

    buyers: str
    sellers: str

    @classmethod
    def read(cls, buyers: Any, sellers: Any, folder: Path, where: str) -> PriorPair:
        """Read a pair as a study file gives it.

        Raises
        ------
        PriorError
            If one is not a distribution.
        """
        sides = {"buyers": buyers, "sellers": sellers}
        made = [
            make_prior(spec, base=folder, where=f"{where} {side}") for side, spec in sides.items()
        ]
        return cls(*(_canonical(plain_words(prior.spec())) for prior in made))

    def build(self) -> tuple[Prior, Prior]:
        """Make the two priors."""
        from catallax.markets.tables.words import number_words

        first, second = (
            make_prior(number_words(json.loads(text))) for text in (self.buyers, self.sellers)
        )
        return first, second


@dataclass(frozen=True)
class Recipe:
    """How to build a market: the same recipe and seed always build the same one.

    Attributes
    ----------
    kind
        "instance", "graph" or "document".
    name
        The instance, the kind of graph, or the market's name.
    parameters
        All that the instance or the graph takes.
    document
        A market from a file, as JSON.
    pair
        Priors for all agents, in place of their own.
    """

    kind: Literal["instance", "graph", "document"]
    name: str
    parameters: Parameters = ()
    document: str = ""
    pair: PriorPair | None = None

    @property
    def varies(self) -> bool:
        """Whether every seed of the study builds another market."""
        fixed = self.kind != "graph" or self.name == COMPLETE
        return not fixed and "seed" not in dict(self.parameters)

    def identity(self, seed: int) -> dict[str, Any]:
        """Say all that the market depends on, in what JSON has."""
        content = hashlib.sha256(self.document.encode()).hexdigest() if self.document else None
        return {
            "kind": self.kind,
            "name": self.name,
            "parameters": [list(pair) for pair in self.parameters],
            "document": content,
            "priors": None if self.pair is None else [self.pair.buyers, self.pair.sellers],
            "seed": seed if self.varies else None,
        }

    def with_priors(self, pair: PriorPair | None) -> Recipe:
        """Return the recipe of the same market with other priors, or its own for None."""
        return replace(self, pair=pair)

    def build(self, seed: int) -> Market:
        """Build the market.

        Parameters
        ----------
        seed
            The study's seed, on which random graphs depend.

        Returns
        -------
        Market

        Raises
        ------
        CatallaxError
            If a parameter is out of range, or the priors have no place in this market.
        """
        return _build(self, seed if self.varies else 0)


# Cells of one market follow each other: they share what the market has worked out of its priors.
@lru_cache(maxsize=4)
def _build(recipe: Recipe, seed: int) -> Market:
    if recipe.kind == "graph":
        return _graph_market(recipe, seed)
    if recipe.kind == "document":
        market = Market.from_json(recipe.document, where=recipe.name)
    else:
        market = instances.get(recipe.name, **dict(recipe.parameters))
    return market if recipe.pair is None else _dressed(market, recipe.pair)


def _graph_market(recipe: Recipe, seed: int) -> Market:
    parameters: dict[str, Any] = dict(recipe.parameters)
    sizes = n, m = parameters["n_buyers"], parameters["n_sellers"]
    if recipe.name == COMPLETE:
        graph = Graph.complete_graph(n, m)
    else:
        entropy = [parameters.get("seed", seed), _GRAPH_STREAM]
        rng = np.random.SeedSequence(entropy)
        graph = _GRAPHS[recipe.name](*sizes, parameters["degree"], rng)
    assert recipe.pair is not None  # a study gives every graph its priors
    values, costs = recipe.pair.build()
    return Market(
        buyers={"id": [f"b{k}" for k in range(1, n + 1)], "prior": ["values"] * n},
        sellers={"id": [f"s{k}" for k in range(1, m + 1)], "prior": ["costs"] * m},
        edges=graph,
        priors={"values": values, "costs": costs},
        name=recipe.name,
    )


def _dressed(market: Market, pair: PriorPair) -> Market:
    """Return a market whose agents have other priors, and no reports."""
    from catallax.markets.files.json_files import json_of_market

    if {"prior", "bid"} & set(market.edge_table.columns):
        raise CatallaxError(
            f"market '{market.name}' has its bids and priors on the edges; leave out 'priors'"
        )
    document = json.loads(json_of_market(market))
    sides = {"buyers": ("values", "bid", pair.buyers), "sellers": ("costs", "ask", pair.sellers)}
    document["priors"] = {}
    for side, (name, report, spec) in sides.items():
        document["priors"][name] = json.loads(spec)
        for record in document[side]:
            # Reports that came with the market need not be possible under other priors.
            record.pop(report, None)
            record["prior"] = name
    return Market.from_json(json.dumps(document), where=f"market '{market.name}'")


# ------------------------------------------------------------------------------- from study files


def recipes_of(source: Source, folder: Path) -> Iterator[tuple[Parameters, Recipe]]:
    """Yield what a section of a study file asks for: chosen parameters, and how to build it.

    Parameters
    ----------
    source
        The section.
    folder
        What relative paths start from.

    Raises
    ------
    CatallaxError
        If there is no such instance, parameter or file, or a key has no meaning here.
    """
    if source.graph is not None:
        _refuse_keys(source, "graph", ("parameters",))
        yield from _graph_recipes(source)
        return
    _refuse_keys(source, "path" if source.path else "instance", ("sizes", "degree", "graph_seed"))
    if source.path is not None:
        _refuse_keys(source, "path", ("parameters",))
        yield (), _document_recipe(folder / source.path)
        return
    assert source.instance is not None
    chosen = {key: _as_list(value, key) for key, value in source.parameters.items()}
    for key, values in chosen.items():
        for value in values:
            _number(value, key)
    for values in product(*chosen.values()):
        given = dict(zip(chosen, values, strict=True))
        described = instances.describe(source.instance, **given)
        full = {key: _plain(value) for key, value in described.parameters.items()}
        parameters = tuple((key, full[key]) for key in chosen)
        yield parameters, Recipe("instance", source.instance, tuple(sorted(full.items())))


def _refuse_keys(source: Source, kind: str, keys: Sequence[str]) -> None:
    for key in keys:
        if getattr(source, key) not in (None, {}):
            raise UnknownNameError(
                f"the key '{key}' has no meaning beside '{kind}'; leave it out"
                + ("; sizes of an instance are among its parameters" if key == "sizes" else "")
            )


def _document_recipe(path: Path) -> Recipe:
    from catallax.markets.files.json_files import json_of_market

    market = Market.read(path)
    return Recipe("document", market.name, document=json_of_market(market))


def _graph_recipes(source: Source) -> Iterator[tuple[Parameters, Recipe]]:
    kind = str(source.graph)
    if kind != COMPLETE and kind not in _GRAPHS:
        raise UnknownNameError(f"there is no graph '{kind}': {nearest(kind, [COMPLETE, *_GRAPHS])}")
    if source.sizes is None:
        raise FileFormatError("there are no 'sizes'; write them as in sizes = [10, [20, 5]]")
    sizes = [_size(size) for size in _as_list(source.sizes, "sizes")]
    seeded = () if source.graph_seed is None else (("seed", source.graph_seed),)
    if seeded and source.graph_seed is not None and source.graph_seed < 0:
        raise FileFormatError(f"graph_seed = {source.graph_seed}; write a whole number from 0 up")
    if kind == COMPLETE:
        if source.degree is not None or seeded:
            raise UnknownNameError("a complete graph has no 'degree' and no 'graph_seed'")
        for shown, (n, m) in _distinct(sizes):
            yield shown, Recipe("graph", kind, (("n_buyers", n), ("n_sellers", m)))
        return
    if source.degree is None:
        raise FileFormatError(f"there is no 'degree' for the graph '{kind}', as in degree = 3")
    degrees = [_number(degree, "degree") for degree in _as_list(source.degree, "degree")]
    for shown, (n, m) in _distinct(sizes):
        for degree in degrees:
            parameters = (("n_buyers", n), ("n_sellers", m), ("degree", degree), *seeded)
            yield (*shown, ("degree", degree)), Recipe("graph", kind, parameters)


def _size(given: Any) -> tuple[int, int]:
    """Read a size: a number for both sides, or one for each."""
    pair = given if isinstance(given, list) else [given, given]
    if len(pair) != 2 or not all(type(side) is int and side > 0 for side in pair):
        raise FileFormatError(
            f"sizes: {given!r} is no size; write a number from 1 up, or [buyers, sellers]"
        )
    return pair[0], pair[1]


def _distinct(sizes: list[tuple[int, int]]) -> Iterator[tuple[Parameters, tuple[int, int]]]:
    seen: set[tuple[int, int]] = set()
    for size in sizes:
        if size in seen:
            raise FileFormatError(f"sizes: {list(size)} occurs twice; leave one out")
        seen.add(size)
        yield (("n_buyers", size[0]), ("n_sellers", size[1])), size


def _as_list(given: Any, key: str) -> list[Any]:
    values = given if isinstance(given, list) else [given]
    if not values:
        raise FileFormatError(f"{key} is empty; write at least one value")
    for place, value in enumerate(values):
        if value in values[:place]:
            raise FileFormatError(f"{key}: {value} occurs twice; leave one out")
    return values


def _number(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FileFormatError(f"{key}: {value!r} is no number; write a number, or several")
    try:
        return float(value)
    except OverflowError:
        raise FileFormatError(f"{key}: this number is too large; write one below 1e308") from None


def _plain(value: Any) -> Value:
    return value.item() if isinstance(value, np.generic) else value


def _canonical(document: Any) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
