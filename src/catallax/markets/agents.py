"""The agents of one side of a market: who they are and what is believed about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from catallax.errors import (
    CatallaxError,
    MissingPriorError,
    UnknownAgentError,
    nearest,
)
from catallax.priors.base import RandomSource

if TYPE_CHECKING:
    from catallax.markets.tables.origin import Origin
    from catallax.priors import Prior

__all__ = ["Agents"]

Role = Literal["buyer", "seller"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Agents:
    """The agents of one side, in the market's order.

    Usually made by `Market`, which reads tables and checks them.

    Attributes
    ----------
    role
        ``"buyer"`` or ``"seller"``.
    ids
        Identifiers, unique, all text or all 64-bit integers.
    priors
        The distinct priors of this side.
    prior_names
        Their names in the market's list of priors; None for one given in place.
    prior_of
        int32, shape ``(n,)``: the agent's position in `priors`, or -1 where there is none.
    table
        The other columns that came with the agents, one row per agent (no column, no row).

    Examples
    --------
    >>> import polars as pl
    >>> import numpy as np
    >>> from catallax.priors import parse_prior
    >>> agents = Agents(
    ...     "buyer", pl.Series(["ann", "bob"]), (parse_prior("uniform(0, 1)"),), (None,),
    ...     np.zeros(2, np.int32),
    ... )
    >>> agents.virtual_values([0.5, 1.0]).tolist()
    [0.0, 1.0]
    >>> agents.label(1)
    "buyer 'bob'"
    """

    role: Role
    ids: pl.Series
    priors: tuple[Prior, ...]
    prior_names: tuple[str | None, ...]
    prior_of: np.ndarray
    table: pl.DataFrame

    def __init__(
        self,
        role: Role,
        ids: pl.Series,
        priors: tuple[Prior, ...] = (),
        prior_names: tuple[str | None, ...] = (),
        prior_of: ArrayLike | None = None,
        table: pl.DataFrame | None = None,
        origin: Origin | None = None,
    ) -> None:
        number = len(ids)
        numbers = np.array(np.full(number, -1) if prior_of is None else prior_of, dtype=np.int32)
        if numbers.shape != (number,):
            raise CatallaxError(
                f"prior_of has shape {numbers.shape} and there are {number} {role}s; "
                "give one entry per agent"
            )
        numbers.flags.writeable = False
        object.__setattr__(self, "role", role)
        object.__setattr__(self, "ids", ids.clone())  # a series can be written to
        object.__setattr__(self, "priors", tuple(priors))
        object.__setattr__(self, "prior_names", tuple(prior_names))
        object.__setattr__(self, "prior_of", numbers)
        object.__setattr__(self, "table", pl.DataFrame() if table is None else table.clone())
        object.__setattr__(self, "_origin", origin)  # where errors find the row of an agent

    def __len__(self) -> int:
        """Return the number of agents."""
        return self.prior_of.size

    def __repr__(self) -> str:
        """Return a short description."""
        return f"<{len(self)} {self.role}s, {len(self.priors)} distinct priors>"

    # ---------------------------------------------------------------------------------- identity

    @cached_property
    def _positions(self) -> dict[str | int, int]:
        return {agent: position for position, agent in enumerate(self.ids.to_list())}

    def __contains__(self, agent: object) -> bool:
        """Whether there is an agent of this id."""
        return isinstance(agent, str | int) and agent in self._positions

    def index(self, agent: str | int) -> int:
        """Return the position of an agent.

        Parameters
        ----------
        agent
            Its id. Where ids are integers, their text as Python writes it serves too.

        Returns
        -------
        int
            The position in the market's order, from 0.

        Raises
        ------
        UnknownAgentError
            If there is none, with the nearest id.
        """
        agent = agent.item() if isinstance(agent, np.generic) else agent
        position = None if isinstance(agent, bool) else self._positions.get(agent)
        if position is None and isinstance(agent, str) and self.ids.dtype == pl.Int64:
            # "007" is another name than "7", and no integer's.
            text = agent.removeprefix("-")
            if text.isascii() and text.isdigit() and str(int(agent[:20])) == agent:
                position = self._positions.get(int(agent))
        if position is None:
            raise UnknownAgentError(f"there is no {self.role} {agent!r}: {self.nearest(agent)}")
        return position

    def nearest(self, agent: object) -> str:
        """Return a hint at the id that resembles a wrong one.

        Parameters
        ----------
        agent
            The wrong id.

        Returns
        -------
        str
            The end of an error message.
        """
        if not len(self):
            return f"the market has no {self.role}s"
        # Comparing with a million ids would take minutes, and the first few thousand tell as much.
        return nearest(agent, self.ids.head(5000).to_list())

    def label(self, position: int) -> str:
        """Return how messages call an agent, e.g. ``"buyer 'b17'"``."""
        return f"{self.role} {self.ids[int(position)]!r}"

    @property
    def place(self) -> str:
        """What errors call the table of these agents, e.g. ``"sellers.csv"``."""
        origin: Origin | None = vars(self).get("_origin")
        if origin is None or (origin.style == "frame" and origin.folder is None):
            return f"the {self.role}s"
        return origin.table

    def _place(self, position: int) -> str:
        """Return the file and line of an agent for an error, if it came from a file."""
        origin: Origin | None = getattr(self, "_origin", None)
        if origin is None or origin.style == "frame":
            return ""
        try:
            return f"{origin.at(position)}: "
        except OSError:  # the file is no longer there
            return ""

    # ------------------------------------------------------------------------------------ beliefs

    def prior(self, position: int) -> Prior | None:
        """Return the prior of the agent at a position, or None."""
        number = int(self.prior_of[position])
        return None if number < 0 else self.priors[number]

    def prior_label(self, position: int) -> str:
        """Return how messages call an agent's prior: by its name in the market if it has one."""
        number = int(self.prior_of[position])
        if number < 0:
            return "(none)"
        name = self.prior_names[number]
        return self.priors[number].describe() if name is None else repr(name)

    def groups(self, which: np.ndarray | None = None) -> Iterator[tuple[Prior, np.ndarray]]:
        """Yield every distinct prior with those who share it.

        Parameters
        ----------
        which
            Positions of agents; all by default.

        Yields
        ------
        tuple
            The prior, and the positions *within* `which` of its agents, ascending.

        Raises
        ------
        MissingPriorError
            If one of them has no prior.
        """
        numbers = self.prior_of if which is None else self.prior_of[which]
        if not len(numbers):
            return
        if numbers.min() < 0:
            first = int(np.argmax(numbers < 0))
            position = first if which is None else int(np.asarray(which)[first])
            more = int((numbers < 0).sum()) - 1
            others = f" ({more:,} more {'have' if more > 1 else 'has'} none)" if more else ""
            raise MissingPriorError(
                f"{self._place(position)}{self.label(position)} has no prior, which this needs; "
                f"give it one in the column 'prior' of the {self.role}s{others}"
            )
        if len(self.priors) == 1:
            yield self.priors[0], np.arange(len(numbers))
            return
        order = np.argsort(numbers, kind="stable")
        present, starts = np.unique(numbers[order], return_index=True)
        ends = np.append(starts[1:], len(order))
        for number, start, end in zip(present, starts, ends, strict=True):
            yield self.priors[int(number)], order[start:end]

    @cached_property
    def _alike(self) -> bool:
        """Whether all have one and the same prior, so that there are no groups to form."""
        return len(self.priors) == 1 and len(self) > 0 and self.prior_of.min() >= 0

    def _evaluate(
        self,
        values: ArrayLike,
        which: np.ndarray | None,
        function: Callable[[Prior, np.ndarray], np.ndarray],
    ) -> np.ndarray:
        given = np.asarray(values, dtype=np.float64)
        number = len(self) if which is None else len(which)
        if given.shape != (number,):
            raise CatallaxError(
                f"{number} {self.role}s need {number} values, not an array of shape {given.shape}"
            )
        if not number:
            return np.empty(0)
        if self._alike:
            return function(self.priors[0], given)
        result = np.empty(number, dtype=np.float64)
        for prior, members in self.groups(which):
            result[members] = function(prior, given[members])
        return result

    def virtual_values(self, bids: ArrayLike, which: np.ndarray | None = None) -> np.ndarray:
        """Return the ironed virtual value of every bid.

        Parameters
        ----------
        bids
            One number per agent, shape ``(n,)``.
        which
            Positions of the agents concerned, shape ``(n,)``; all by default.

        Returns
        -------
        numpy.ndarray
            float64, shape ``(n,)``, in units of money.

        Raises
        ------
        MissingPriorError
            If an agent has no prior.
        """
        return self._evaluate(bids, which, lambda prior, given: prior.virtual_value(given))

    def virtual_costs(self, asks: ArrayLike, which: np.ndarray | None = None) -> np.ndarray:
        """Return the ironed virtual cost of every ask; the mirror of `virtual_values`."""
        return self._evaluate(asks, which, lambda prior, given: prior.virtual_cost(given))

    def smallest_values(self, levels: ArrayLike, strict: ArrayLike, which: ArrayLike) -> np.ndarray:
        """Return the smallest values whose virtual values reach given levels.

        Parameters
        ----------
        levels
            Virtual values to reach, shape ``(k,)``.
        strict
            Whether to exceed the level rather than reach it, shape ``(k,)`` or one for all.
        which
            Positions of the agents concerned, shape ``(k,)``.

        Returns
        -------
        numpy.ndarray
            float64, shape ``(k,)``; infinite where no value is enough.

        Raises
        ------
        MissingPriorError
            If one of these agents has no prior.
        """
        return self._invert(
            levels, strict, which, lambda prior, *given: prior.smallest_value(*given)
        )

    def largest_costs(self, levels: ArrayLike, strict: ArrayLike, which: ArrayLike) -> np.ndarray:
        """Return the largest costs within given virtual costs; mirror of `smallest_values`."""
        return self._invert(levels, strict, which, lambda prior, *given: prior.largest_cost(*given))

    def _invert(
        self,
        levels: ArrayLike,
        strict: ArrayLike,
        which: ArrayLike,
        function: Callable[[Prior, np.ndarray, np.ndarray], np.ndarray],
    ) -> np.ndarray:
        positions = np.asarray(which, dtype=np.int64)
        level = np.broadcast_to(np.asarray(levels, dtype=np.float64), positions.shape)
        beyond = np.broadcast_to(np.asarray(strict, dtype=bool), positions.shape)
        if self._alike:
            return function(self.priors[0], level, beyond)
        result = np.empty(positions.shape, dtype=np.float64)
        for prior, members in self.groups(positions):
            result[members] = function(prior, level[members], beyond[members])
        return result

    @cached_property
    def scale(self) -> float | None:
        """The largest amount, in absolute value, that their priors speak of; None without priors.

        Of a prior with an infinite end it is the quantile that one draw in 10^12 passes.
        """
        if not len(self) or self.prior_of.min() < 0:
            return None
        ends = []
        for prior in self.priors:
            low, high = prior.support
            ends.append(low if np.isfinite(low) else float(prior.quantile(1e-12)))
            ends.append(high if np.isfinite(high) else float(prior.quantile(1 - 1e-12)))
        return float(np.abs(ends).max())

    def sample(self, rng: RandomSource) -> np.ndarray:
        """Draw one private value per agent from the priors.

        Parameters
        ----------
        rng
            Seed or generator.

        Returns
        -------
        numpy.ndarray
            float64, shape ``(n,)``.

        Raises
        ------
        MissingPriorError
            If an agent has no prior.
        """
        generator = np.random.default_rng(rng)
        result = np.empty(len(self), dtype=np.float64)
        for prior, members in self.groups():
            result[members] = prior.sample(generator, len(members))
        return result
