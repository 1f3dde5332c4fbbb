"""The register of published results that are computed again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catallax.papers.reproduction import Reproduction
from catallax.progress import Progress

__all__ = ["TARGETS", "Options", "Target", "register"]


@dataclass(frozen=True)
class Options:
    """How a target is computed.

    Attributes
    ----------
    monte_carlo
        Samples to draw beside exact values, or in place of the usual number; None for the usual.
    rng
        What to draw them with: a whole number, so that the same one gives the same figures.
    progress
        Called with the part that is done and what is being done.
    """

    monte_carlo: int | None = None
    rng: int = 0
    progress: Progress | None = None

    def tell(self, part: float, what: str) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(part, what)


@dataclass(frozen=True)
class Target:
    """Something to reproduce.

    Attributes
    ----------
    name, summary, source
        What it is called, what it is, and where it was published.
    run
        Computes it.
    """

    name: str
    summary: str
    source: str
    run: Callable[[Options], Reproduction]


TARGETS: dict[str, Target] = {}


def register(
    name: str, summary: str, source: str
) -> Callable[[Callable[[Options], Reproduction]], Callable[[Options], Reproduction]]:
    """Make a function known as a target (a decorator)."""

    def keep(run: Callable[[Options], Reproduction]) -> Callable[[Options], Reproduction]:
        TARGETS[name] = Target(name, summary, source, run)
        return run

    return keep
