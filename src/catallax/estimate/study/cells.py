"""Cells: one market, one mechanism, one seed; what identifies a cell, and what it finds."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from catallax.errors import CatallaxError
from catallax.estimate.distribution import PROBABILITIES
from catallax.estimate.result import QUANTITIES
from catallax.estimate.study.definition import Options, Setting, Study
from catallax.estimate.study.fingerprint import code_fingerprint
from catallax.estimate.study.rules import Rule

if TYPE_CHECKING:
    from catallax.estimate.result import MechanismEstimates
    from catallax.markets import Market

__all__ = ["FIELDS", "Cell", "Record", "cells_of", "compute_cell", "quantile_field"]

# Part of every hash: raise it when the fields below change their meaning.
_FORMAT = 1

Record = dict[str, float | int | bool | str | None]
"""What a cell found: a value for each of `FIELDS`, or None."""

_DISTRIBUTIONS = {"gains": "gains_from_trade", "buyer_pays": "buyer_pays",
                  "seller_receives": "seller_receives"}  # fmt: skip


def quantile_field(name: str, probability: float) -> str:
    """Name the field of a quantile.

    Examples
    --------
    >>> quantile_field("buyer_pays", 0.05)
    'buyer_pays_q05'
    """
    return f"{name}_q{round(100 * probability):02d}"


def _fields() -> dict[str, type]:
    fields: dict[str, type] = {"status": str, "reason": str}
    fields |= dict.fromkeys(("n_buyers", "n_sellers", "n_edges"), int)
    fields |= {"how": str, "samples": int, "reached": bool}
    for name in ("first_best", *QUANTITIES):
        fields |= {name: float, f"{name}_stderr": float, f"{name}_exact": bool}
    for name in _DISTRIBUTIONS.values():
        fields |= {quantile_field(name, chance): float for chance in PROBABILITIES}
    fields["variance_reduction"] = float
    return fields


FIELDS: Mapping[str, type] = _fields()
"""The fields of a record with their types; any but ``status`` may be None."""


@dataclass(frozen=True)
class Cell:
    """One market at one choice of parameters and priors, one mechanism, one seed.

    Attributes
    ----------
    number
        Its place in the study, from 0.
    setting, rule, seed, options
        What to compute.
    code
        The fingerprint of the code that is to compute it.
    key
        A hash of all that its record depends on: names in the study do not count.
    """

    number: int
    setting: Setting
    rule: Rule
    seed: int
    options: Options
    code: str
    key: str

    @property
    def label(self) -> str:
        """The cell in one line."""
        return f"{self.setting.label}, {self.rule.label}, seed {self.seed}"


def cells_of(study: Study) -> tuple[Cell, ...]:
    """Return all cells of a study, in its order: settings, then mechanisms, then seeds.

    Parameters
    ----------
    study
        The study.

    Returns
    -------
    tuple of Cell

    Raises
    ------
    CatallaxError
        If two cells are the same but for their names.
    """
    code = code_fingerprint()
    cells: list[Cell] = []
    first: dict[str, Cell] = {}
    for setting in study.settings:
        for rule in setting.rules:
            for seed in setting.seeds:
                key = _key(setting, rule, seed, study.options, code)
                cell = Cell(len(cells), setting, rule, seed, study.options, code, key)
                if key in first:
                    raise CatallaxError(
                        f"{study.path}: '{first[key].label}' and '{cell.label}' are the same cell; "
                        "leave one out"
                    )
                first[key] = cell
                cells.append(cell)
    return tuple(cells)


def _key(setting: Setting, rule: Rule, seed: int, options: Options, code: str) -> str:
    content = {
        "format": _FORMAT,
        "code": code,
        "market": setting.recipe.identity(seed),
        "mechanism": rule.identity(),
        "seed": seed,
        "options": asdict(options),
    }
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def compute_cell(cell: Cell) -> Record:
    """Compute a cell.

    Parameters
    ----------
    cell
        What to compute.

    Returns
    -------
    dict
        Its record: a function of the cell alone, wherever it is computed. Where the mechanism
        does not apply to the market its status is "skipped" and its reason says why.

    Raises
    ------
    CatallaxError
        If an estimate fails for another cause, or is too large for a number.
    """
    from catallax.estimate.sampling import REFUSALS
    from catallax.estimate.simulate import mechanism_name, simulate

    market = cell.setting.recipe.build(cell.seed)
    rule = cell.rule.build()
    try:
        found = simulate(market, [rule], rng=cell.seed, workers=1, **asdict(cell.options))
    except REFUSALS as failure:
        # What the mechanism lacks here; that nothing else was asked for says nothing.
        _, _, own = str(failure).partition(f"that was named applies; {mechanism_name(rule)}: ")
        return _skipped(market, own or str(failure))
    (estimates,) = found.estimates.values()
    record = _of_market(market) | {
        "status": "done",
        "how": estimates.how,
        "samples": found.samples,
        "reached": found.reached,
    }
    _enter(record, "first_best", found.first_best)
    for name in QUANTITIES:
        _enter(record, name, getattr(estimates, name))
    _enter_quantiles(record, estimates)
    for name, value in record.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise CatallaxError(
                f"{name} is too large for a floating-point number: state the amounts in a larger "
                "unit"
            )
    return record


def _of_market(market: Market) -> Record:
    record: Record = dict.fromkeys(FIELDS)
    return record | {
        "n_buyers": len(market.buyers),
        "n_sellers": len(market.sellers),
        "n_edges": market.graph.n_edges,
    }


def _skipped(market: Market, reason: str) -> Record:
    return _of_market(market) | {"status": "skipped", "reason": reason}


def _enter(record: Record, name: str, estimate: Any) -> None:
    if estimate is not None:
        record[name] = float(estimate.mean)
        record[f"{name}_stderr"] = float(estimate.stderr)
        record[f"{name}_exact"] = bool(estimate.exact)


def _enter_quantiles(record: Record, estimates: MechanismEstimates) -> None:
    for attribute, name in _DISTRIBUTIONS.items():
        distribution = getattr(estimates, attribute)
        if distribution is not None:
            for chance in PROBABILITIES:
                record[quantile_field(name, chance)] = distribution.quantile(chance)
    reduction = estimates.variance_reduction.get("gains_from_trade")
    record["variance_reduction"] = None if reduction is None else float(reduction)
