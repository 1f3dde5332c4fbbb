"""Smaller markets: what a market document can do without, and rounder numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import combinations
from math import ceil, floor, log10
from typing import Any

import numpy as np

from catallax.audit.shrinking.case import Case, Document
from catallax.audit.shrinking.simpler_priors import holders

__all__ = ["ALLOWED", "numbers_rounded", "parts_dropped"]

ALLOWED = "allowed sets of trades"
"""The key of a document, while it shrinks, for what a constraint that is a function allows."""

# A complete market of at most so many edges has them listed, so that some can be dropped.
_LISTED_EDGES = 16
# Numbers so small are left as they are.
_SMALLEST = 1e-301
# Among so many agents every two are tried together.
_FEW_AGENTS = 7


def parts_dropped(case: Case) -> Iterator[Case]:
    """Leave out constraints, agents (many at first), edges and columns."""
    document = case.document
    constraints = document.get("constraints", [])
    for at in range(len(constraints)):
        rest = constraints[:at] + constraints[at + 1 :]
        yield replace(case, document=_with(document, constraints=rest))
    for key in (ALLOWED, "largest_report"):
        if key in document:
            rest = {k: v for k, v in document.items() if k != key}
            yield replace(case, document=rest)
    agents = [(side, r["id"]) for side in ("buyers", "sellers") for r in document[side]]
    needed = None if case.focus is None else (f"{case.focus[0]}s", case.focus[1])
    free = [one for one in agents if one != needed]
    for chunk in _chunks(free):
        yield _fitted(case, without_agents(document, chunk))
    if len(free) <= _FEW_AGENTS:  # a buyer and her seller may be needed only by each other
        for pair in combinations(free, 2):
            yield _fitted(case, without_agents(document, list(pair)))
    for edges in _fewer_edges(document):
        yield _fitted(case, _constraints_fitted({**document, "edges": edges}))
    for smaller in _fewer_columns(document):
        yield replace(case, document=smaller)


def _fitted(case: Case, document: Document) -> Case:
    """Return a case with another document; of a report for each edge, the edges' that are left."""
    report = case.report
    if isinstance(report, list):
        left = {_key(_ends(edge)) for edge in document["edges"]}
        edges = zip(case.document["edges"], report, strict=True)
        report = [bid for edge, bid in edges if _key(_ends(edge)) in left]
    return replace(case, document=document, report=report)


def _chunks(things: list[Any]) -> Iterator[list[Any]]:
    """Yield halves, quarters and so on down to single ones, all but what is left of them first."""
    size = len(things)
    while size >= 1:
        for start in range(0, len(things), size):
            yield things[start : start + size]
        size //= 2


def _with(document: Document, **keys: Any) -> Document:
    changed = {**document, **keys}
    return {
        key: value
        for key, value in changed.items()
        if value != [] or key in ("buyers", "sellers", "edges")
    }


def without_agents(document: Document, agents: list[tuple[str, Any]]) -> Document:
    """Return a document without some agents, their edges, and what constraints say of them."""
    gone = {side: {name for s, name in agents if s == side} for side in ("buyers", "sellers")}
    changed = {side: [r for r in document[side] if r["id"] not in gone[side]] for side in gone}
    result = _with(document, **changed)
    if document.get("edges") is not None:
        result["edges"] = [
            edge
            for edge in document["edges"]
            if _ends(edge)[0] not in gone["buyers"] and _ends(edge)[1] not in gone["sellers"]
        ]
    return _constraints_fitted(result)


def _ends(edge: Any) -> tuple[Any, Any]:
    return (edge["buyer"], edge["seller"]) if isinstance(edge, dict) else (edge[0], edge[1])


def _fewer_edges(document: Document) -> Iterator[list[Any]]:
    edges = document.get("edges")
    if edges is None:
        pairs = [[b["id"], s["id"]] for b in document["buyers"] for s in document["sellers"]]
        edges = pairs if 1 < len(pairs) <= _LISTED_EDGES else []
    for chunk in _chunks(list(range(len(edges)))):
        left = [edge for at, edge in enumerate(edges) if at not in set(chunk)]
        yield left


def _fewer_columns(document: Document) -> Iterator[Document]:
    """Drop columns that mean nothing without constraints, or with these."""
    named = {c.get("column") for c in document.get("constraints", [])}
    for side in ("buyers", "sellers", "edges"):
        records = document.get(side) or []
        if not all(isinstance(record, dict) for record in records):
            continue
        known = {"id", "bid", "ask", "prior", "buyer", "seller"} | named
        extra = {key for record in records for key in record} - known
        if extra:
            kept: list[Any] = [
                {k: v for k, v in record.items() if k not in extra} for record in records
            ]
            if side == "edges" and all(set(record) == {"buyer", "seller"} for record in kept):
                kept = [[record["buyer"], record["seller"]] for record in kept]
            changed = {**document, side: kept}
            changed.pop("columns", None)
            yield changed


def _constraints_fitted(document: Document) -> Document:
    """Drop from constraints whoever is no longer there."""
    there = {side: {r["id"] for r in document[side]} for side in ("buyers", "sellers")}
    edges = document.get("edges")
    listed = None if edges is None else {_key(_ends(edge)) for edge in edges}

    def stays(pair: Any) -> bool:
        known = pair[0] in there["buyers"] and pair[1] in there["sellers"]
        return known and (listed is None or _key(pair) in listed)

    fitted = []
    for given in document.get("constraints", []):
        one = deepcopy(given)
        if one["kind"] == "conflicts":
            over = one["over"]
            one["pairs"] = [
                pair
                for pair in one["pairs"]
                if all(stays(m) if over == "edges" else m in there[over] for m in pair)
            ]
            if not one["pairs"]:
                continue
        elif one["kind"] == "family":
            one["matchings"] = [[p for p in m if stays(p)] for m in one["matchings"]]
        elif one["kind"] == "quota" and isinstance(one["limits"], dict):
            records = document.get(one["over"]) or []
            groups = {str(r.get(one["column"])) for r in records if isinstance(r, dict)}
            one["limits"] = {g: n for g, n in one["limits"].items() if g in groups}
            if not one["limits"]:
                continue
        fitted.append(one)
    if ALLOWED in document:
        left = [one for one in document[ALLOWED] if all(stays(pair) for pair in one)]
        document = {**document, ALLOWED: left}
    return _with(document, constraints=fitted) if "constraints" in document else document


def _key(pair: Any) -> str:
    return json.dumps(list(pair))


# ----------------------------------------------------------------------------------------- numbers


def numbers_rounded(case: Case) -> Iterator[Case]:
    """Round numbers: all at once, then those of one value each, as coarsely as it goes."""
    numbers = sorted(set(_numbers(case)))
    size = max((abs(x) for x in numbers), default=0.0)
    if size <= _SMALLEST:
        return
    # Decimals that leave one, two, ... digits of the largest number.
    first = -floor(log10(size))
    for decimals in range(first, first + 5):
        table = {x: _rounded(x, decimals)[0] for x in numbers}
        if any(_longer(x, y) for x, y in table.items()):
            yield _mapped(case, table)
    for x in numbers:
        for y in [0.0, *(y for d in range(first, first + 6) for y in _rounded(x, d))]:
            if _longer(x, y):
                yield _mapped(case, {x: y})


def _rounded(x: float, decimals: int) -> list[float]:
    """Return a number rounded to the nearest, and to either side."""
    unit = 10.0**decimals
    sides = (floor(x * unit) / unit, ceil(x * unit) / unit)
    nearest = float(round(x, decimals)) + 0.0
    return [nearest, *(round(one, max(decimals, 0)) + 0.0 for one in sides if one != nearest)]


def _longer(x: float, y: float) -> bool:
    """Whether x takes more digits than y."""
    return x != y and _digits(x) > _digits(y)


def _digits(x: float) -> int:
    # 12 digits at most, but a number that needs more is longer still; a sign counts.
    return len(f"{x:.12g}") + (float(f"{x:.12g}") != x)


def _numbers(case: Case) -> Iterator[float]:
    """Yield reports, values of priors, and the report that deviates."""
    for record in holders(case.document):
        for key in ("bid", "ask"):
            if isinstance(record.get(key), int | float):
                yield float(record[key])
        if isinstance(record.get("prior"), dict):
            yield from _leaves(record["prior"])
    report = case.report
    if report is not None:
        yield from np.atleast_1d(report).tolist()
    for key in ("caps", "report"):
        if key in case.details:
            yield from np.atleast_1d(case.details[key]).tolist()


# Keys of priors that are no amounts of money.
_NO_MONEY = {"probabilities", "weights", "cdf", "kind", "alpha", "a", "b", "sigma"}


def _leaves(spec: Any) -> Iterator[float]:
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key not in _NO_MONEY:
                yield from _leaves(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from _leaves(value)
    elif isinstance(spec, int | float) and not isinstance(spec, bool):
        yield float(spec)


def _mapped(case: Case, table: dict[float, float]) -> Case:
    """Return a case with other numbers in place of some."""

    def swap(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: v if k in _NO_MONEY else swap(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [swap(one) for one in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return table.get(float(value), value)
        return value

    document = deepcopy(case.document)
    for record in holders(document):
        for key in ("bid", "ask", "prior"):
            if record.get(key) is not None:
                record[key] = swap(record[key])
    details = {
        key: swap(value) if key in ("caps", "report") else value
        for key, value in case.details.items()
    }
    return replace(case, document=document, report=swap(case.report), details=details)
