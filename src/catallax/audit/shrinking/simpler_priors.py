"""Simpler beliefs: priors that a market document can do with as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from catallax.audit.setting import in_support
from catallax.audit.shrinking.case import Case, Document
from catallax.errors import CatallaxError
from catallax.priors import make_prior

__all__ = ["holders", "priors_replaced", "priors_simplified"]


def priors_simplified(case: Case, *, expected: bool) -> Iterator[Case]:
    """Replace priors by simpler ones: none, a point, uniform, two values, fewer values.

    Parameters
    ----------
    case
        What to make simpler.
    expected
        Whether the property is about expectations, so that priors decide what happens.
    """
    document = case.document
    specs = []
    for spec in (_prior_of(record) for record in holders(document)):
        if spec is not None and spec not in specs:
            specs.append(spec)
    owner = None if case.focus is None else case.focus[1]
    for spec in specs:
        for make in _simpler(spec, expected=expected, owner=owner):
            changed = _replaced(
                document, lambda r, s, make=make, spec=spec: make(r, s) if s == spec else s
            )
            yield replace(case, document=_inside(changed, case.focus) if expected else changed)


def priors_replaced(case: Case, *, expected: bool) -> Iterator[Case]:
    """Replace all priors at once: by none, by points, or, for expectations, by two values each."""
    document = case.document
    owner = None if case.focus is None else case.focus[1]
    kinds = {_made(r["prior"]).kind for r in holders(document) if r.get("prior") is not None}
    makes: list[Make] = []
    if expected:
        makes += [lambda r, s, ends=ends: _two_values(r, s, owner, ends) for ends in _ENDS]
    else:
        makes += [lambda r, s: None, lambda r, s: _point(r, _made(s), middle=False)]
    for make in makes:
        if kinds - {"point"}:
            changed = _replaced(document, make)
            yield replace(case, document=_inside(changed, case.focus) if expected else changed)


def holders(document: Document) -> list[dict[str, Any]]:
    """Return the records that hold priors."""
    sides = (document["buyers"], document["sellers"], document.get("edges") or [])
    return [record for side in sides for record in side if isinstance(record, dict)]


def _prior_of(record: dict[str, Any]) -> Any:
    return record.get("prior")


Make = Callable[[dict[str, Any], Any], Any]


def _replaced(document: Document, make: Make) -> Document:
    """Return a document with other priors; None drops one."""
    changed = deepcopy(document)
    for record in holders(changed):
        if record.get("prior") is not None:
            other = make(record, record["prior"])
            if other is None:
                del record["prior"]
            else:
                record["prior"] = other
    return changed


def _inside(document: Document, focus: tuple[str, Any] | None) -> Document:
    """Move the reports of all but the agent concerned into their priors: they are true values.

    Expectations do not depend on them; whoever reads the witness takes them for what they are.
    """
    role, name = focus or (None, None)
    sides = (("buyer", "buyers", "bid"), ("seller", "sellers", "ask"), ("buyer", "edges", "bid"))
    for side, key, report in sides:
        for record in document.get(key) or []:
            if not isinstance(record, dict) or None in (record.get(report), record.get("prior")):
                continue
            # A buyer with a value for each item has her reports on the edges.
            if side == role and (key == "edges" or record.get("id") == name):
                continue
            prior, value = _made(record["prior"]), float(record[report])
            if prior is not None and not in_support(prior, np.array([value]))[0]:
                record[report] = float(prior.quantile(0.5))
    return document


def _simpler(spec: Any, *, expected: bool, owner: Any) -> Iterator[Make]:
    """Yield ways to simplify one prior; none leads back to it."""
    prior = _made(spec)
    if prior is None:
        return
    kind = prior.kind
    if not expected:
        yield lambda record, given: None
    if kind == "point":
        return
    yield lambda record, given: _point(record, prior, expected and record.get("id") != owner)
    if kind not in ("discrete", "empirical"):
        if kind != "uniform":
            low, high = (float(prior.quantile(q)) for q in (0.02, 0.98))
            yield lambda record, given: {"kind": "uniform", "low": low, "high": high}
        if expected:
            for ends in _ENDS:
                yield lambda record, given, ends=ends: _two_values(record, given, owner, ends)
        return
    values, masses = (part.tolist() for part in prior.atoms)
    for at in range(len(values)):
        if len(values) > 1:
            left = values[:at] + values[at + 1 :]
            rest = masses[:at] + masses[at + 1 :]
            yield lambda record, given, v=left, m=rest: _discrete(v, [x / sum(m) for x in m])
    even = [1.0 / len(values)] * len(values)
    for other in (even, *(_rounded_masses(masses, digits) for digits in (1, 2))):
        if other is not None and _plainness(other) < _plainness(masses):
            yield lambda record, given, m=other: _discrete(values, m)


def _plainness(masses: list[float]) -> int:
    return sum(len(f"{mass:.12g}") for mass in masses)


def _rounded_masses(masses: list[float], digits: int) -> list[float] | None:
    rounded = [round(mass, digits) for mass in masses[:-1]]
    last = round(1.0 - sum(rounded), digits)
    return None if min([*rounded, last]) <= 0 else [*rounded, last]


def _discrete(values: list[float], masses: list[float]) -> dict[str, Any]:
    if len(values) == 1:
        return {"kind": "point", "value": values[0]}
    return {"kind": "discrete", "values": values, "probabilities": masses}


def _made(spec: Any) -> Any:
    try:
        return make_prior(spec)
    except CatallaxError:
        return None


def _report_of(record: dict[str, Any]) -> float | None:
    report = record.get("bid", record.get("ask"))
    return None if report is None else float(report)


def _point(record: dict[str, Any], prior: Any, middle: bool) -> dict[str, Any]:
    report = None if middle else _report_of(record)
    value = float(prior.quantile(0.5)) if report is None else report
    return {"kind": "point", "value": value}


# Quantiles that two values in place of a prior are taken at.
_ENDS = ((0.25, 0.75), (0.05, 0.95))


def _two_values(record: dict[str, Any], spec: Any, owner: Any, ends: tuple[float, float]) -> Any:
    """Return a prior of two values; the agent concerned has her own value as one of them."""
    prior = _made(spec)
    if prior is None or prior.kind in ("discrete", "point", "empirical"):
        return spec
    report = _report_of(record) if record.get("id") == owner else None
    low, high = (float(prior.quantile(q)) for q in ends)
    if report is not None:
        low, high = sorted((report, low if abs(report - low) > abs(report - high) else high))
    return _discrete([low, high], [0.5, 0.5]) if low < high else _discrete([low], [1.0])
