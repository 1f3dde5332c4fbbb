"""Which reports of an agent can matter: a finite set, from the others' weights and the priors."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catallax.errors import CatallaxError, PriorError
from catallax.mechanisms import BuyersOffering, FirstBest, SellersOffering
from catallax.mechanisms.stated_reasons import StatedReasons

if TYPE_CHECKING:
    from catallax.audit.runs import Runner
    from catallax.audit.setting import Agent, Setting
    from catallax.priors import Prior

__all__ = ["Landscape", "breakpoints"]

Array = NDArray[np.float64]

# Of so many candidates the rest are left out, those farthest from what decides first.
MOST_CANDIDATES = 48
# Atoms and plateaus of a prior: of so many the rest are left out.
_MOST_BREAKS = 24


def breakpoints(prior: Prior, role: str) -> Array:
    """Return where a prior's weights can jump or bend.

    Parameters
    ----------
    prior
        Any prior.
    role
        "buyer" or "seller": whose ironed plateaus count.

    Returns
    -------
    ndarray of float64
        Atoms, ends of pieces, and ends of ironed plateaus; ascending, finite.

    Examples
    --------
    >>> from catallax.priors import parse_prior
    >>> breakpoints(parse_prior("discrete([1, 2, 3], [0.5, 0.1, 0.4])"), "buyer").tolist()
    [1.0, 2.0, 3.0]
    """
    parts = prior._parts()
    atoms = parts.atoms
    if atoms.size > _MOST_BREAKS:  # evenly spread over the order, both ends included
        atoms = atoms[np.unique(np.linspace(0, atoms.size - 1, _MOST_BREAKS).astype(int))]
    found = [atoms, np.array(parts.pieces, float).ravel()]
    with suppress(PriorError):  # no virtual values where the best revenue is infinite
        plateaus = prior.ironed_values if role == "buyer" else prior.ironed_costs
        found.append(np.array([(p.low, p.high) for p in plateaus[:_MOST_BREAKS]], float).ravel())
    ends = np.concatenate(found)
    return np.unique(ends[np.isfinite(ends)])


@dataclass(frozen=True, eq=False)
class Landscape:
    """What decides at one profile of reports: weights of all agents, and critical reports.

    Attributes
    ----------
    runner
        Of which market.
    values
        The profile.
    """

    runner: Runner
    values: Array

    @property
    def setting(self) -> Setting:
        """The market and the mechanism."""
        return self.runner.setting

    @cached_property
    def weights(self) -> Array:
        """Reports, virtual values and virtual costs of everybody; ascending, finite."""
        setting, values = self.setting, self.values
        found = [values]
        for prior, role, slots in setting.groups:
            weigh = prior.virtual_value if role == "buyer" else prior.virtual_cost
            try:
                found.append(np.atleast_1d(weigh(values[slots])))
            except PriorError:
                continue
        together = np.concatenate(found)
        return np.unique(together[np.isfinite(together)])

    @cached_property
    def critical(self) -> tuple[Array, ...]:
        """Critical reports that outcomes at this profile state, one per agent, buyers first.

        Those of the mechanism itself, and, where constraints make them more than somebody's
        weight, of the first best and of both offering mechanisms.
        """
        setting = self.setting
        found = [stated for _, stated in self._own_reasons]
        results = []
        if setting.market.constraints and setting.unit is None:
            known = [FirstBest()]
            if setting.has_priors:
                known += [SellersOffering(), BuyersOffering()]
            for mechanism in known:
                if type(mechanism) is not type(setting.mechanism):
                    results.append(_tried(mechanism, setting, self.values))
        for result in results:
            for outcome in _outcomes(result):
                stated = _stated(outcome, setting)
                if stated is not None:
                    found.append(stated)
        return tuple(found)

    @cached_property
    def _own_reasons(self) -> list[tuple[Any, Array]]:
        """Outcomes at this profile that state critical reports, each with them."""
        stated = [
            (outcome, _stated(outcome, self.setting))
            for outcome in _outcomes(self.runner.result(self.values))
        ]
        return [(outcome, reports) for outcome, reports in stated if reports is not None]

    def refused(self, agent: Agent) -> float:
        """Return a report with which an agent would trade, an outcome says, who does not with hers.

        Hers is as good or better. NaN where she trades, hers is worse, or nothing is said.
        """
        if self.runner(self.values).problem is not None:
            return np.nan
        number = self.setting.number_of(agent)
        buyer, own = agent.role == "buyer", self.values[agent.slots[0]]
        for outcome, reports in self._own_reasons:
            traders = outcome.buyer_index if buyer else outcome.seller_index
            needed = float(reports[number])
            if not np.isfinite(needed) or agent.index in traders:
                continue
            if (own > needed if buyer else own < needed) or (
                own == needed and _enough_to_meet(outcome, agent)
            ):
                return needed
        return np.nan

    def candidates(self, agent: Agent) -> Array:
        """Return the reports at which an agent's outcome may change.

        Parameters
        ----------
        agent
            Somebody who reports one number.

        Returns
        -------
        ndarray of float64
            Ascending: the others' weights, their images under the inverses of the own virtual
            value or cost (strict and not), the own prior's breakpoints, and stated critical
            reports. Where these are many, the nearest to the own value and the critical reports.
        """
        (slot,), (prior,) = agent.slots, agent.priors
        at = agent.index if agent.role == "buyer" else len(self.setting.market.buyers) + agent.index
        stated = np.array([reports[at] for reports in self.critical])
        sure = [np.array([self.values[slot]]), stated[np.isfinite(stated)]]
        found = [self.weights]
        if prior is not None:
            sure.append(breakpoints(prior, agent.role))
            invert = prior.smallest_value if agent.role == "buyer" else prior.largest_cost
            with suppress(PriorError):
                found += [invert(self.weights, False), invert(self.weights, True)]
        bounds = self.setting.lowest(slot), self.setting.highest
        fixed, others = (_allowed(np.concatenate(part), *bounds) for part in (sure, found))
        room = MOST_CANDIDATES - fixed.size
        if others.size > room:
            focus = fixed if fixed.size else self.values[[slot]]
            away = np.abs(others[:, None] - focus[None, :]).min(axis=1)
            others = others[np.argsort(away, kind="stable")[: max(room, 8)]]
        return np.union1d(fixed, others)


def _allowed(reports: Array, lowest: float, highest: float) -> Array:
    inside = np.isfinite(reports) & (reports >= lowest) & (reports <= highest)
    return np.unique(reports[inside] + 0.0)


def _outcomes(result: Any) -> list[Any]:
    if result is None:
        return []
    return [one for _, one in result.outcomes] if hasattr(result, "outcomes") else [result]


def _tried(mechanism: Any, setting: Setting, values: Array) -> Any:
    try:
        return mechanism.clear(setting.market, setting.reports(values))
    except CatallaxError:
        return None


def _enough_to_meet(outcome: Any, agent: Agent) -> bool:
    """Whether an outcome says for sure that the critical report of an agent need not be passed."""
    if not isinstance(outcome.reasons, StatedReasons) or outcome.tick:
        return False
    return not outcome.reasons.state(agent.role, agent.index).strict


def _stated(outcome: Any, setting: Setting) -> Array | None:
    """Return the critical reports that an outcome states, if it states any."""
    sides = []
    for role, size in (
        ("buyer", len(setting.market.buyers)),
        ("seller", len(setting.market.sellers)),
    ):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reports = np.asarray(outcome.reasons.critical(outcome, role)[0], float)
        except Exception:  # reasons are a service; a mechanism need not have good ones
            return None
        if reports.shape != (size,):
            return None
        sides.append(reports)
    return np.concatenate(sides)
