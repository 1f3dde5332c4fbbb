"""Versions of what is followed: the last one has the arrays, the others what leads to it.

Of all versions that come from one start, one has the arrays in which everything stands (a
`Store`). Every other knows the next version on the way there, and what was noted when the
arrays went that way. To read a version, or to go on from it, the arrays come to it: step by
step the notes are exchanged with what stands in the arrays, so that what was on the way now
leads from there to here (rerooting; Baker 1978). A version that nobody holds is forgotten with
its notes, as no later version knows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from catallax.errors import MechanismError

if TYPE_CHECKING:
    from catallax.matching.updates.stores import Moved, Store

__all__ = ["Version"]

Weights = NDArray[np.float64]
Indices = NDArray[np.int32]

# After so many steps whoever still holds an old version keeps the arrays of that time: the way
# to them stays short, and so does what has to be kept of it.
_STEPS = 500


class _Family:
    """What all versions from one start share: only one thread at a time moves the arrays."""

    __slots__ = ("lock", "memory", "whole")

    def __init__(self) -> None:
        self.lock = RLock()
        self.whole = True
        # For whoever reads versions: what depends on no version, kept between them.
        self.memory: dict[Any, Any] = {}


class _Arrays:
    """The arrays, and when a version was last left behind for good."""

    __slots__ = ("mark", "steps", "store")

    def __init__(self, store: Store) -> None:
        self.store = store
        self.steps = 0
        self.mark: Any = None


class Version:
    """One state of a matching whose weights change.

    Parameters
    ----------
    store
        The arrays, which from now on belong to the version and to those that come from it.
    """

    __slots__ = ("__weakref__", "_after", "_arrays", "_family", "_notes")

    def __init__(self, store: Store) -> None:
        self._family = _Family()
        self._arrays: _Arrays | None = _Arrays(store)
        self._after: Version | None = None
        self._notes: Any = None
        self._arrays.mark = ref(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy this version alone."""
        with self.opened() as store:
            return _restored, (type(store), store.graph, store.arrays())

    @property
    def memory(self) -> dict[Any, Any]:
        """What readers keep for all versions from one start; to be used while one is opened."""
        return self._family.memory

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """Hold the arrays at this version for as long as nobody else may touch them."""
        with self._family.lock:
            yield self.store()

    @property
    def lock(self) -> RLock:
        """What has to be held from calling `store` until its arrays have been read."""
        return self._family.lock

    @property
    def whole(self) -> bool:
        """Whether no step was interrupted half way."""
        return self._family.whole

    def store(self) -> Store:
        """Bring the arrays to this version; `lock` has to be held."""
        if not self._family.whole:
            raise MechanismError(
                "an update of this outcome was interrupted half way; clear the market again"
            )
        if self._arrays is None:
            self._fetch()
            assert self._arrays is not None
        return self._arrays.store

    def _fetch(self) -> None:
        way, at = [], self
        while at._arrays is None:
            way.append(at)
            assert at._after is not None
            at = at._after
        arrays, family = at._arrays, self._family
        family.whole = False
        for before in reversed(way):
            at._notes, at._after, at._arrays = arrays.store.exchange(before._notes), before, None
            before._notes, before._after = None, None
            at = before
        self._arrays = arrays
        family.whole = True

    def step(
        self, reporters: Indices, before: Weights, agents: Indices, weights: Weights
    ) -> tuple[Version, Moved, bool] | None:
        """Go on to new reports, which are in their place already, and weights.

        `lock` has to be held, and the arrays be here; see `LabelStore.step`.
        """
        arrays, family = self._arrays, self._family
        assert arrays is not None
        family.whole = False
        found = arrays.store.step(reporters, before, agents, weights)
        if found is None:
            family.whole = True
            return None
        notes, moved, crossed = found
        later = Version.__new__(Version)
        later._family, later._after, later._notes = family, None, None
        arrays.steps += 1
        if arrays.steps >= _STEPS and arrays.mark is not None and arrays.mark() is not None:
            store = arrays.store
            later._arrays = _Arrays(type(store).of(store.graph, store.arrays()))
            store.exchange(notes)
            arrays.steps, arrays.mark = 0, ref(self)
            later._arrays.mark = ref(later)
        else:
            later._arrays = arrays
            self._arrays, self._after, self._notes = None, later, notes
            if arrays.steps >= _STEPS:
                arrays.steps, arrays.mark = 0, ref(later)
        family.whole = True
        return later, moved, crossed


def _restored(kind: Any, graph: Any, arrays: tuple[Any, ...]) -> Version:
    return Version(kind.of(graph, arrays))
