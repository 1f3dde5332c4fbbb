"""Whether a mechanism runs, and its trades may take place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.audit.judgement import Judgement, Violation
from catallax.audit.properties.base import RunProperty
from catallax.audit.properties.registry import register
from catallax.audit.properties.words import profile_words
from catallax.audit.runs import Run, Runner
from catallax.audit.setting import Setting
from catallax.audit.unlisted import open_set

if TYPE_CHECKING:
    from catallax.audit.search.search import Search

__all__ = ["Feasibility"]

_UNSTEADY = "it does not always do the same"
# How often a run is repeated to see whether it is always the same, and others of the search.
_REPEATS = 6
_OTHERS, _OTHERS_REPEATED = 8, 2


@register
class Feasibility(RunProperty):
    """Runs, and trades only what the graph and the constraints allow, at finite prices.

    It is also looked at whether the same reports lead to the same outcome twice, and, where a
    constraint is a function, whether every part of what it allows is allowed: on these two
    everything else relies.
    """

    slug = "feasibility"
    meaning = (
        "At all reports the mechanism returns trades that the graph and the constraints allow "
        "together, each agent in one at most, at finite prices."
    )
    anywhere = True

    def judge(self, setting: Setting, values: NDArray[np.float64], run: Run) -> Violation | None:
        """Fail where something is wrong with the run."""
        if run.problem is None:
            return None
        return Violation(0.0, values, details={"problem": _kind(run.problem)})

    def check(self, search: Search) -> Judgement:
        """Report a run that went wrong, a family that is not downward closed, or a hidden coin."""
        judgement = super().check(search)
        if judgement.violation is not None:
            return judgement
        setting = search.setting
        values = setting.medians if setting.own is None else setting.own
        found = open_set(setting.market)
        details: dict[str, Any] = {}
        if found is not None:
            details, how = {"allowed": found[0], "refused": found[1]}, "the constraints were asked"
        elif (unsteady := _first_unsteady(search, values)) is not None:
            values = unsteady
            details, how = {"problem": _UNSTEADY}, f"in {_REPEATS} runs at the same reports"
        else:
            return judgement
        violation = Violation(0.0, values, details=details)
        return Judgement(violation, how=how, checked=judgement.checked, exact=False)

    def again(self, runner: Runner, violation: Violation) -> Violation | None:
        """Run once more, or ask the constraints once more."""
        details = violation.details
        if details.get("problem") == _UNSTEADY:
            return violation if _unsteady(runner, violation.values) else None
        if "allowed" not in details:
            found = super().again(runner, violation)
            # Another fault of a smaller market is no witness of this one.
            wanted = details.get("problem")
            same = found is not None and wanted in (None, found.details["problem"])
            return found if same else None
        parts = runner.setting.market.family.parts
        sets = [_edges(parts, details[word]) for word in ("allowed", "refused")]
        if None in sets or not parts.graph.n_edges:
            return None
        allows = runner.setting.market.family.allows
        return violation if allows(sets[0] or []) and not allows(sets[1] or []) else None

    def story(self, runner: Runner, violation: Violation) -> str:
        """Say what is wrong, and at which reports."""
        details = violation.details
        if "allowed" in details:
            allowed, refused = (_shown(details[word]) for word in ("allowed", "refused"))
            return (
                f"the constraints allow {allowed} but not {refused}: they are not downward "
                "closed, on which every mechanism relies"
            )
        where = profile_words(runner.setting, violation.values)
        if details.get("problem") == _UNSTEADY:
            return f"{where} {_UNSTEADY}; a mechanism that randomises returns a Lottery"
        return f"{where} {runner(violation.values).problem}"


def _first_unsteady(search: Search, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return reports that lead to other outcomes when they are run again; None if none do."""
    if not values.size:
        return None
    runner = search.runner
    if _unsteady(Runner(runner.setting), values):
        return values
    # A coin may be tossed only at ties, or only in later runs.
    for other, known in runner.spread(min(_OTHERS, max(2, search.budget // 60))):
        if any(not runner.again(other).same_as(known) for _ in range(_OTHERS_REPEATED)):
            return other
    return None


def _unsteady(runner: Runner, values: NDArray[np.float64]) -> bool:
    """Whether the same reports lead to other outcomes when they are run again."""
    seen = [runner.again(values) for _ in range(_REPEATS)]
    return any(not run.same_as(seen[0]) for run in seen[1:])


def _kind(problem: str) -> str:
    """Return a problem without the names and numbers in it."""
    return re.sub(r"'[^']*'|-?\d[\w.+-]*", "#", problem).split(":")[0]


def _edges(parts: Any, pairs: list[Any]) -> list[int] | None:
    """Return the numbers of edges; None if one is not there."""
    edges = []
    for buyer, seller in pairs:
        if buyer not in parts.buyers or seller not in parts.sellers:
            return None
        i, j = parts.buyers.index(buyer), parts.sellers.index(seller)
        if parts.graph.complete:
            edges.append(i * parts.graph.n_sellers + j)
            continue
        at = np.flatnonzero((parts.graph.buyer == i) & (parts.graph.seller == j))
        if not at.size:
            return None
        edges.append(int(at[0]))
    return edges


def _shown(pairs: list[Any]) -> str:
    return ", ".join(f"({buyer!r}, {seller!r})" for buyer, seller in pairs) or "no trade"
