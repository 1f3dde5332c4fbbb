"""Time what everything begins with: ironing what was observed, and the first word of the command.

Values observed a million times are ironed, and as many reports evaluated; beside it a sort, SciPy's
isotonic regression and `searchsorted`, which have to find the same virtual values. And
`catallax --help`, beside a Python that imports NumPy and ends.
Usage: python benchmarks/basics.py [--values 1000000] [--repeats 7]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import Any

import numpy as np
from harness import machine, save, seconds, table
from scale import in_turns, peak
from scipy import optimize

from catallax.priors import Empirical

PROGRAM = "from catallax.cli.app import main; raise SystemExit(main(['--help']))"


def ours(values: np.ndarray, reports: np.ndarray) -> np.ndarray:
    """Iron and evaluate with catallax."""
    return np.asarray(Empirical(values).virtual_value(reports))


def peer(values: np.ndarray, reports: np.ndarray) -> np.ndarray:
    """Do the same with a sort, isotonic regression and a binary search."""
    distinct, counts = np.unique(values, return_counts=True)
    above = values.size - np.cumsum(counts)
    raw = distinct - above / counts * np.append(np.diff(distinct), 0.0)
    ironed = optimize.isotonic_regression(raw, weights=counts.astype(float)).x
    at = np.searchsorted(distinct, reports, side="right") - 1
    return np.where(at < 0, -np.inf, ironed[np.maximum(at, 0)])


def started(program: str) -> None:
    """Run a program in a Python of its own."""
    subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=True)


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    rows, figures = [], []
    before: dict[str, Any] | None = None
    for number in options.values:
        rng = np.random.default_rng(1)
        given = rng.lognormal(0.0, 1.0, number), rng.lognormal(0.0, 1.0, number)
        mine, theirs = ours(*given), peer(*given)
        same = np.isfinite(theirs)
        gap = float(np.abs(mine[same] - theirs[same]).max() / np.abs(theirs[same]).max())
        if gap > 1e-9 or not np.array_equal(mine[~same], theirs[~same]):
            raise RuntimeError(f"{number} values: the virtual values differ by {gap:g}")
        one, two, ratio = in_turns(
            lambda g=given: ours(*g), lambda g=given: peer(*g), options.repeats
        )
        growth = f"{one['median'] / before['ours']['median']:.1f}x" if before else ""
        before = {"values": number, "ours": one, "peer": two, "peak MiB": peak(), "gap": gap}
        figures.append(before)
        name = f"ironing {number:,} values, evaluating as many"
        rows.append([name, *_cells(one, two, ratio), growth, f"{before['peak MiB']:,.0f}", "3x"])
    start, numpy, ratio = in_turns(
        lambda: started(PROGRAM), lambda: started("import numpy"), 3 * options.repeats
    )
    figures.append({"command": "catallax --help", "ours": start, "peer": numpy})
    rows.append(["catallax --help / import numpy", *_cells(start, numpy, ratio), "", "", "4x"])
    header = ["what", "ours", "min .. max", "peer", "ratio", "growth", "peak MiB", "target"]
    table(header, rows)
    save("basics", {"machine": machine("numpy", "scipy"), "figures": figures})


def _cells(one: dict[str, float], two: dict[str, float], ratio: float) -> list[str]:
    return [
        seconds(one["median"]),
        f"{seconds(one['min'])} .. {seconds(one['max'])}",
        seconds(two["median"]),
        f"{ratio:.2f}x",
    ]


if __name__ == "__main__":
    main()
