"""Time exact laws of votes by owners whose shares all differ, and compare them with draws.

    python benchmarks/votes.py [--owners 60 100 358] [--draws N]

Each owner has unrounded values of her own, and the price lies between them: no two totals are the
same, nothing can be listed and there is no lattice. The other side is one firm. Sampling, the
peer, is timed at N draws; how long it would take to be as certain is extrapolated.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from harness import machine, save, table
from numpy.typing import NDArray

from catallax.groups import GroupTrade, Vote, WeightedQuota, evaluate
from catallax.priors import Discrete, Uniform

PRICE = 0.47
TARGET = 1e-7
# Owners, values of each, and what all shares come to (none for 1, 2, 3, ...).
CASES = ((50, 3, None), (60, 2, None), (100, 2, 10_000), (358, 2, 10_000))
# So many draws at once.
_ROWS = 50_000


def owners(
    n: int, values: int, whole: int | None
) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Return the values of each, equally likely ones, and their shares."""
    rng = np.random.default_rng(n)
    if values == 2:
        each = [np.array([rng.uniform(0.1, 0.4), rng.uniform(0.5, 0.9)]) for _ in range(n)]
    else:
        each = [np.sort(rng.uniform(0.1, 0.9, values)) for _ in range(n)]
    if whole is None:
        return each, rng.permutation(n) + 1
    parts = rng.uniform(0.3, 1.7, n)
    return each, np.maximum(np.rint(whole * parts / parts.sum()), 1).astype(np.int64)


def drawn(
    each: list[NDArray[np.float64]], shares: NDArray[np.int64], draws: int
) -> tuple[float, float]:
    """Return the chance that a sale would leave the owners worse off, sampled, and its error."""
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(draws // _ROWS):
        total, votes = np.zeros(_ROWS), np.zeros(_ROWS)
        for values, share in zip(each, shares.tolist(), strict=True):
            value = values[rng.integers(0, values.size, _ROWS)]
            total += value
            votes += share * (value >= PRICE)
        found += int(((2 * votes >= shares.sum()) & (total < PRICE * len(each))).sum())
    chance = found / draws
    return chance, (chance * (1.0 - chance) / draws) ** 0.5


def main() -> None:
    """Run the cases one after the other; print a table and write JSON."""
    parser = argparse.ArgumentParser(description="Time exact laws of owners' votes.")
    parser.add_argument("--owners", type=int, nargs="+", default=[50, 100, 358])
    parser.add_argument("--draws", type=int, default=2_000_000)
    given = parser.parse_args()
    rows, runs = [], []
    for n, values, whole in CASES:
        if n not in given.owners:
            continue
        each, shares = owners(n, values, whole)
        trade = GroupTrade(
            n, 1, [Discrete(one.tolist(), [1 / values] * values) for one in each],
            Uniform(0.3 * n, 0.6 * n),
        )  # fmt: skip
        rule = WeightedQuota(shares.tolist(), buyers="50%", sellers=1)
        clock, processor = time.perf_counter(), time.process_time()
        exact = evaluate(trade, Vote(PRICE, rule))
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        start = time.perf_counter()
        chance, error = drawn(each, shares, given.draws)
        sampling = time.perf_counter() - start
        # The firm agrees to the price with this chance, whatever the owners think.
        agrees = (PRICE - 0.3) / 0.3
        off = (1.0 - exact.ir_buyers - agrees * chance) / (agrees * error)
        as_certain = sampling * (agrees * error / exact.error_bound) ** 2
        rows.append(
            [f"{n:,}", str(values), f"{shares.sum():,}", exact.method,
             f"{clock:.0f} s", f"{processor:.0f} s", f"{exact.error_bound:.1e}", f"{off:+.2f}",
             f"{as_certain / clock:,.0f}x"]
        )  # fmt: skip
        runs.append(
            {"owners": n, "values": values, "shares": int(shares.sum()), "method": exact.method,
             "clock_seconds": clock, "processor_seconds": processor,
             "error_bound": exact.error_bound, "ir_buyers": exact.ir_buyers,
             "sampled_minus_exact_in_standard_errors": -off, "draws": given.draws,
             "sampling_seconds": sampling}
        )  # fmt: skip
        print(f"{n} owners: {clock:.0f} s", flush=True)
    table(
        ["owners", "values each", "shares", "method", "clock", "processor", "bound",
         "off a sample, in its errors", "sampling / ours"],
        rows,
    )  # fmt: skip
    print(f"target: a bound of {TARGET}")
    save("votes", {"machine": machine("numpy", "scipy"), "target": TARGET, "runs": runs})


if __name__ == "__main__":
    main()
