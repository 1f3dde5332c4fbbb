"""Table 1 of the groups paper: forced trade, exactly."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any

import numpy as np

from catallax.groups import GroupTrade, evaluate
from catallax.groups.limits import variance
from catallax.papers.registry import Options, register
from catallax.papers.reproduction import Reproduction, Row
from catallax.priors import Prior, make_prior

__all__ = ["family", "groups_table1", "published_cells"]

_RUNS = 1_000_000
_LEVEL = 4.0
# The published figures have six digits.
_HALF_DIGIT = 5e-7


def family(name: str, mean: float) -> Prior:
    """Return a prior of Table 1.

    Parameters
    ----------
    name
        "normal" (redrawn until within 0.4 of the mean), "uniform", "bernoulli" or "mixed", where
        each draw comes from one of the three with equal chances.
    mean
        Its mean.

    Examples
    --------
    >>> family("bernoulli", 0.6).mean
    0.6
    """
    low, high = round(mean - 0.4, 12), round(mean + 0.4, 12)
    specs: dict[str, dict[str, Any]] = {
        "normal": {"kind": "normal", "mean": mean, "sd": 0.2, "low": low, "high": high},
        "uniform": {"kind": "uniform", "low": low, "high": high},
        "bernoulli": {
            "kind": "discrete", "values": [0, 1], "probabilities": [round(1 - mean, 12), mean]
        },
    }  # fmt: skip
    if name == "mixed":
        return make_prior(
            {"kind": "mixture", "components": list(specs.values()), "weights": [1 / 3] * 3}
        )
    return make_prior(specs[name])


def published_cells() -> list[dict[str, Any]]:
    """Return the published table, a cell each: family, n, means, figures, standard errors."""
    text = (files("catallax.papers") / "data" / "xu2024_table1.json").read_text(encoding="utf-8")
    return json.loads(text)["cells"]


@register(
    "groups-table1",
    "forced trade: how likely both sides are better off, and the share of first best, 72 numbers",
    "Xu, Zhang, Conitzer (AAAI 2024), Table 1",
)
def groups_table1(options: Options) -> Reproduction:
    """Put exact values beside the published ones."""
    rows: list[Row] = []
    cells = published_cells()
    worst = 0.0
    for k, cell in enumerate(cells):
        n, means = cell["n"], (cell["mean_buyer"], cell["mean_seller"])
        options.tell(k / len(cells), f"{cell['family']}, {n} members")
        trade = GroupTrade(n, n, *(family(cell["family"], mean) for mean in means))
        found = evaluate(
            trade, "forced-trade", monte_carlo=options.monte_carlo,
            rng=np.random.SeedSequence([options.rng, k]),
        )  # fmt: skip
        share = found.share_of_first_best
        assert share is not None
        worst = max(worst, found.error_bound, found.share_error_bound or 0.0)
        name = f"{cell['family']}, n = {n}, means {means[0]:g} and {means[1]:g}"
        error = math.sqrt(found.ir_both * (1 - found.ir_both) / _RUNS)
        rows.append(
            _row(f"{name}: both better off", cell["ir_published"], found.ir_both, error,
                 cell["ir_stderr"], None if found.check is None else found.check.ir_both)
        )  # fmt: skip
        sampled = None if found.check is None else found.check.share_of_first_best
        rows.append(
            _row(f"{name}: share of first best", cell["share_published"], share,
                 paired_error(trade, share, found.first_best), cell["share_stderr"], sampled)
        )  # fmt: skip
    notes = (
        f"ours are exact, to {worst:.1g}; theirs are means of a million runs",
        "a figure agrees within 4 standard errors of a million runs and half of the last digit",
        "the published error of the share leaves out that gains and first best vary together and "
        "is too wide; 'paired' is the right one (by the normal approximation of the sums)",
    )
    return Reproduction("groups-table1", tuple(rows), notes)


def _row(
    what: str, published: float, ours: float, error: float, stated: float, sampled: float | None
) -> Row:
    note = f"stderr published {stated:.2g}, {'paired' if 'share' in what else 'exact'} {error:.2g}"
    if sampled is not None:
        note += f"; our sample {sampled:.6f}"
    unit = ("published_standard_errors", stated)
    return Row(what, published, ours, _LEVEL * error + _HALF_DIGIT, unit=unit, note=note)


def paired_error(trade: GroupTrade, share: float, first_best: float) -> float:
    """Return the standard error of the share over a million runs, gains and first best paired.

    The sum of all values less all costs is taken to be normal: of an error two digits matter.
    """
    mean = trade.expected_gain
    spread = math.sqrt(sum(
        who.size * variance(prior)
        for group in (trade.buyers, trade.sellers) for prior, who in group.parts
    ))  # fmt: skip
    z = mean / spread
    below = 0.5 * math.erfc(-z / math.sqrt(2))
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    squares = (mean**2 + spread**2) * below + mean * spread * density
    both = squares - mean * first_best
    across = spread**2 - 2 * share * both + share**2 * (squares - first_best**2)
    return math.sqrt(max(across, 0.0) / _RUNS) / first_best
