"""What a study is: its markets at all their sizes and priors, its mechanisms, seeds, options."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catallax.estimate.study.recipes import OWN, Recipe
from catallax.estimate.study.rules import Rule
from catallax.notebook import html_page

__all__ = ["Options", "Setting", "Study", "parameter_words"]


@dataclass(frozen=True)
class Options:
    """How every cell is estimated; see `catallax.simulate`."""

    samples: int
    draws: str = "plain"
    conditional: bool = False
    exact: bool = True
    until: float | None = None


@dataclass(frozen=True)
class Setting:
    """One market of a study, at one choice of its parameters and priors.

    Attributes
    ----------
    market
        What the study calls the market.
    parameters
        What the study chose for it, by name.
    priors
        The name of the pair of priors; "own" for the market's own.
    recipe
        How to build it.
    agents, edges
        How many it has; of a complete graph no edges, as it keeps none. With their sum goes the
        time that a cell takes.
    rules, seeds
        The mechanisms and seeds that it is studied with: the study's, or its own.
    """

    market: str
    parameters: tuple[tuple[str, int | float | str], ...]
    priors: str
    recipe: Recipe
    agents: int
    edges: int
    rules: tuple[Rule, ...]
    seeds: tuple[int, ...]

    @property
    def label(self) -> str:
        """The setting in one line."""
        return f"{self.market} ({self.words})" if self.words else self.market

    @property
    def words(self) -> str:
        """What tells the setting from others of its market."""
        chosen = parameter_words(self.parameters)
        if self.priors != OWN:
            chosen.append(f"priors {self.priors}")
        return ", ".join(chosen)


def parameter_words(parameters: Iterable[tuple[str, object]]) -> list[str]:
    """Write parameters, the two sizes of a graph as one.

    Examples
    --------
    >>> parameter_words([("n_buyers", 4), ("n_sellers", 2), ("degree", 3.0)])
    ['4 × 2', 'degree = 3']
    """
    chosen = dict(parameters)
    words = []
    if {"n_buyers", "n_sellers"} <= set(chosen):
        words.append(f"{chosen.pop('n_buyers')} × {chosen.pop('n_sellers')}")
    for name, value in chosen.items():
        words.append(f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}")
    return words


@dataclass(frozen=True)
class Study:
    """Markets, priors, sizes, mechanisms and seeds: every one with every other.

    Attributes
    ----------
    name, description
        Texts for people.
    path
        The file; what it names is looked up beside it.
    text
        What the file says.
    settings
        The markets at all their parameters and priors, in the order of the file.
    rules, seeds
        All mechanisms and seeds. A seed draws reports, and a graph where graphs are random.
    options
        How to estimate.
    """

    name: str
    description: str
    path: Path
    text: str
    settings: tuple[Setting, ...]
    rules: tuple[Rule, ...]
    seeds: tuple[int, ...]
    options: Options

    def __repr__(self) -> str:
        """Show the name and the size."""
        return f"<study '{self.name}': {self.size:,} cells>"

    def _repr_html_(self) -> str:
        """Show what the study is made of in a notebook."""
        labels = list(dict.fromkeys(rule.label for rule in self.rules))
        facts = {
            "cells": f"{self.size:,}",
            "markets": ", ".join(dict.fromkeys(setting.market for setting in self.settings)),
            "mechanisms": ", ".join(labels),
            "seeds": f"{len(self.seeds):,}",
            "file": self.path.name,
        }
        return html_page(f"study '{self.name}'", self.description.strip(), facts)

    @property
    def size(self) -> int:
        """The number of cells."""
        return sum(len(setting.rules) * len(setting.seeds) for setting in self.settings)
