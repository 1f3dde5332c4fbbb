"""The sampling of a simulation: blocks in any order on all cores, their accounts in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catallax.errors import MissingPriorError, PriorError, ReportError, UnsupportedMarketError
from catallax.estimate.accounts import COUNTS, FIRST_BEST, GAINS, Account, Entry
from catallax.estimate.batch.clearing import Block
from catallax.estimate.batch.conditional import CONTROLS, controls
from catallax.estimate.batch.forms import Form, batch_form
from catallax.estimate.batch.tally import Tally, first_best_gains, tally_branches, tally_outcomes
from catallax.estimate.result import Estimate
from catallax.estimate.words import half_width
from catallax.mechanisms import FirstBest, Mechanism
from catallax.progress import Progress, forward

if TYPE_CHECKING:
    from catallax.estimate.batch.clearing import Branch
    from catallax.estimate.draws import Draws, Plan, Sampler

__all__ = ["REFUSALS", "Job", "Run"]

Array = NDArray[np.float64]

REFUSALS = (UnsupportedMarketError, PriorError, MissingPriorError)
"""What keeps a mechanism out of a simulation, while the others go on."""

# A precision is first looked for after so many draws and units, lest it be found by luck.
_FIRST_LOOK = 2**12
_FIRST_UNITS = 32
# Quantiles of prices come from the first so many profiles, or from as many as could have so many.
_PROFILES_LISTED = 2**10
_PRICES_LISTED = 2**17
# Amounts between these may be squared and added up as they are.
_SMALL, _LARGE = 1e-100, 1e100
# Progress is told no more often than this, in seconds.
_BREATH = 0.1


@dataclass(frozen=True, eq=False)
class Job:
    """One mechanism to be simulated.

    Attributes
    ----------
    name
        What it is called in the results.
    mechanism
        The mechanism.
    form
        How it clears many profiles at once; None: one after the other.
    samples
        For how many profiles it is run, the first ones.
    """

    name: str
    mechanism: Mechanism
    form: Form | None
    samples: int


class Run:
    """Draws profiles and clears them until there are enough.

    Parameters
    ----------
    sampler
        What draws.
    plan
        How; its samples are the most there will be.
    seed
        With what.
    jobs
        What clears.
    conditional
        Whether to fit the controls of `catallax.estimate.batch.conditional`; only plain markets
        have them.
    threads
        How many threads to use, if all jobs have batch forms.
    until
        The precision at which to stop; None for all samples.

    Attributes
    ----------
    accounts
        By name, for every job whose mechanism applies.
    skipped
        By name, the reason why a mechanism does not apply.
    done
        How many profiles were drawn.
    reached
        Whether the precision was reached.
    """

    def __init__(
        self,
        sampler: Sampler,
        plan: Plan,
        seed: int,
        jobs: list[Job],
        *,
        conditional: bool,
        threads: int,
        until: float | None,
    ) -> None:
        self.sampler, self.plan, self.seed = sampler, plan, seed
        self.jobs, self.until = jobs, until
        market = sampler.market
        self._plain = sampler.unit_demand is None and market.family.structure == "plain"
        self.conditional = conditional and self._plain
        # Python runs in one thread at a time, and mechanisms from elsewhere may expect that.
        self._threads = threads if all(job.form is not None for job in jobs) else 1
        # Prices of so many profiles are kept for the quantiles, whatever else is simulated.
        most_trades = max(1, min(sampler.sizes))
        self._listed = max(_PROFILES_LISTED, _PRICES_LISTED // most_trades)
        extra = CONTROLS + 2 if self.conditional else 0
        unit = _unit(sampler)
        self._units = np.full(FIRST_BEST + 1 + extra, unit)
        self._units[list(COUNTS)] = 1.0
        self.accounts = {job.name: Account(plan, extra, unit) for job in jobs}
        self.skipped: dict[str, str] = {}
        self.done = 0
        self.reached = False

    @property
    def first_best(self) -> Estimate:
        """The first best's gains, as any account that is complete has them."""
        longest = max(self.accounts.values(), key=lambda account: account.samples.count)
        return longest.estimate(FIRST_BEST)

    def go(self, progress: Progress | None = None) -> None:
        """Draw and clear."""
        if not self.jobs:
            return
        meter = _Meter(progress, len(self.jobs), self.plan.samples)
        end = self._next_look()
        # The first block compiles, finds refusals, and works out what a market knows by heart.
        self._take(self._clear(0, meter))
        start = 1
        with ThreadPoolExecutor(self._threads) as pool:
            while self.accounts:
                stop = -(-end // self.plan.block)
                for entries in self._in_order(pool, range(start, stop), meter):
                    self._take(entries)
                start, self.done = max(start, stop), end
                self.reached = self.until is not None and self._excess() <= 1.0
                if self.reached or self.done == self.plan.samples:
                    break
                end = self._next_look()
        meter.finish(self.done)

    # -------------------------------------------------------------------------- how many are enough

    def _next_look(self) -> int:
        """Say after how many samples to look at the precision; it depends on samples alone."""
        if self.until is None:
            return self.plan.samples
        step = max(self.plan.block, self.plan.unit)
        aim = max(_FIRST_LOOK, _FIRST_UNITS * self.plan.unit)
        if self.done:
            # Errors fall as the root; without a little more, the next look would just fail.
            needed = 1.05 * self.done * self._excess() ** 2 + step
            aim = int(min(needed, 4.0 * self.done))
        return min(-(-aim // step) * step, self.plan.samples)

    def _excess(self) -> float:
        """Return by how much the widest interval is wider than was asked for."""
        assert self.until is not None
        widest = 0.0
        for job in self.jobs:
            if job.name not in self.accounts or job.samples < self.plan.samples:
                continue
            account = self.accounts[job.name]
            share = account.share
            if share is None:
                return np.inf
            if type(job.mechanism) is FirstBest:
                gains = account.estimate(GAINS)
                widest = max(widest, half_width(gains) / gains.mean)
            else:
                widest = max(widest, half_width(share))
        return widest / self.until

    # ---------------------------------------------------------------------------------- the blocks

    def _in_order(
        self, pool: ThreadPoolExecutor, numbers: Iterable[int], meter: _Meter
    ) -> Iterator[dict[str, Entry | str]]:
        """Clear blocks, a few ahead of what is asked for, and yield them in order."""
        if self._threads == 1:
            yield from (self._clear(number, meter) for number in numbers)
            return
        ahead: deque[Future[dict[str, Entry | str]]] = deque()
        try:
            for number in numbers:
                ahead.append(pool.submit(self._clear, number, meter))
                if len(ahead) > 2 * self._threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for waiting in ahead:
                waiting.cancel()

    def _take(self, entries: dict[str, Entry | str]) -> None:
        """Enter a block into the accounts."""
        for name, entry in entries.items():
            if name not in self.accounts:
                continue
            if isinstance(entry, str):
                self.skipped[name] = entry
                del self.accounts[name]
            else:
                self.accounts[name].add(entry)

    def _clear(self, number: int, meter: _Meter) -> dict[str, Entry | str]:
        """Draw a block and clear it with every mechanism that applies."""
        # An amount that is too large for a number shows in the estimates, and is told there.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._cleared(number, meter)

    def _cleared(self, number: int, meter: _Meter) -> dict[str, Entry | str]:
        draws = self.sampler.draw(self.plan, self.seed, number)
        block = Block(self.sampler.market, draws) if self._plain else None
        jobs = [
            job
            for job in self.jobs
            if number * self.plan.block < job.samples and job.name in self.accounts
        ]
        found: dict[str, tuple[Tally, Array] | str] = {}
        for job in jobs:
            try:
                listing = number * self.plan.block < self._listed
                found[job.name] = self._tally(job, draws, block, meter, listing=listing)
            except REFUSALS as error:
                found[job.name] = str(error)
            except ReportError as error:
                if self.sampler.unit_demand is None:
                    raise
                found[job.name] = f"it does not know one buyer with a value for each item ({error})"
        best = self._best(jobs, found, draws, block)
        entries: dict[str, Entry | str] = {}
        for name, one in found.items():
            if isinstance(one, str):
                entries[name] = one
            else:
                tally, own = one
                rows = np.concatenate([tally.totals, best[:, :1], own, best[:, 1:]], axis=1)
                entries[name] = Entry.of(rows / self._units, tally, self.plan)
        return entries

    def _tally(
        self, job: Job, draws: Draws, block: Block | None, meter: _Meter, *, listing: bool
    ) -> tuple[Tally, Array]:
        """Clear a block by one mechanism; its totals, and its controls."""
        count = CONTROLS if self.conditional else 0
        if job.form is None or block is None:
            tally = tally_outcomes(self.sampler, job.mechanism, draws, meter.advance)
            return tally, np.zeros((len(draws), count))
        branches = job.form(block)
        tally = tally_branches(block, branches, listing=listing)
        own = self._controls(block, branches) if count else np.zeros((len(draws), 0))
        meter.advance(len(draws))
        return tally, own

    def _controls(self, block: Block, branches: Iterable[Branch]) -> Array:
        """Add up the controls of the outcomes of a lottery; zeros where there are none."""
        total = np.zeros((len(block), CONTROLS))
        for branch in branches:
            part = controls(block, branch)
            if part is not None:
                total += part
        return total

    def _best(
        self,
        jobs: list[Job],
        found: dict[str, tuple[Tally, Array] | str],
        draws: Draws,
        block: Block | None,
    ) -> Array:
        """Return the first best's gains of a block, and their controls in further columns."""
        if self.conditional:
            assert block is not None
            form = batch_form(FirstBest(), self.sampler.market)
            assert form is not None
            own = self._controls(block, form(block))[:, :2]
            gains = first_best_gains(self.sampler, draws, block)
            return np.concatenate([gains[:, None], own], axis=1)
        for job in jobs:
            one = found[job.name]
            if type(job.mechanism) is FirstBest and not isinstance(one, str):
                return one[0].totals[:, GAINS : GAINS + 1]
        return first_best_gains(self.sampler, draws, block)[:, None]


def _unit(sampler: Sampler) -> float:
    """Choose a unit in which no square of an amount is too large or too small for a number.

    It is 1 but for very large or small amounts, and always a power of two, which rounds nothing.
    """
    quartiles = np.array([0.25, 0.75])
    priors = [prior for prior, _ in (*sampler.values, *sampler.costs)]
    size = max((float(np.abs(prior.quantile(quartiles)).max()) for prior in priors), default=0.0)
    usual = size == 0.0 or _SMALL < size < _LARGE
    return 1.0 if usual else 2.0 ** max(-1000, min(1000, int(np.log2(size))))


class _Meter:
    """Tells how far a run is, now and then, from any thread."""

    def __init__(self, progress: Progress | None, jobs: int, most: int) -> None:
        self._progress, self._jobs = None if progress is None else forward(progress), jobs
        self._cleared, self._told, self._lock = 0, 0.0, Lock()
        self._most = most

    def advance(self, count: int) -> None:
        """Count profiles that one mechanism has cleared."""
        if self._progress is None:
            return
        with self._lock:
            self._cleared += count
            now = time.monotonic()
            if now - self._told >= _BREATH:
                self._told = now
                done = min(self._cleared // self._jobs, self._most)
                part = done / self._most if self._most else 1.0
                self._progress(part, f"{done:,} of {self._most:,} samples")

    def finish(self, done: int) -> None:
        """Tell that so many were enough."""
        if self._progress is not None:
            self._progress(1.0, f"{done:,} samples")
