"""Witnesses: the smallest case in which a property fails, as a market file that runs again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from catallax.audit.judgement import Violation
from catallax.audit.properties import registry
from catallax.audit.runs import Runner
from catallax.audit.setting import Setting
from catallax.audit.unlisted import from_listed, without_unlisted
from catallax.errors import FileFormatError, OutputError
from catallax.markets import Market
from catallax.markets.files.document import load_json
from catallax.markets.files.json_files import json_of_market
from catallax.mechanisms import Mechanism, get, names
from catallax.staging import Staging
from catallax.text_files import writing_to

__all__ = ["Witness", "lookup_name", "read_witness"]


def lookup_name(mechanism: Mechanism) -> str:
    """Return the name by which `catallax.mechanisms.get` finds a mechanism.

    Parameters
    ----------
    mechanism
        Any mechanism.

    Returns
    -------
    str
        Its slug if it is registered, else module:Class.

    Examples
    --------
    >>> import catallax as cx
    >>> lookup_name(cx.mechanisms.get("gsom"))
    'gsom'
    """
    kind = type(mechanism)
    slug = getattr(kind, "slug", None)
    if slug in names() and type(get(slug)) is kind:
        return str(slug)
    given = getattr(mechanism, "audited_as", None)
    return given or f"{kind.__module__}:{kind.__qualname__}"


@dataclass(frozen=True, eq=False)
class Witness:
    """A small market in which a mechanism lacks a property.

    Attributes
    ----------
    market
        The market; its bids and asks are the true values.
    property
        The property that fails, by slug.
    mechanism
        The mechanism, by slug or as module:Class.
    role, agent
        "buyer" or "seller", and the identifier of the agent concerned; None where it is the
        market as a whole.
    report
        What she reports instead of the truth (a list where she has a value for each item), or
        None.
    amount
        By how much the property fails, in money; 0.0 where that is no amount.
    story
        One line: who does what, and what comes of it.
    details
        What else it takes to see it again.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market([{"id": "b", "bid": 0.75}], [{"id": "s", "ask": 0.25}])
    >>> report = cx.audit(market, "first-best", "weak-budget-ex-post", budget=50)
    >>> witness = report.findings[0].witness
    >>> print(witness.story)
    at bid 1 and ask 0 buyers pay 0 and sellers receive 1: a deficit of 1
    >>> witness.rerun()
    1.0
    """

    market: Market
    property: str
    mechanism: str
    role: Literal["buyer", "seller"] | None
    agent: str | int | None
    report: float | tuple[float, ...] | None
    amount: float
    story: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show the story."""
        return f"<Witness that {self.mechanism} lacks {self.property}: {self.story}>"

    def rerun(self, mechanism: str | Mechanism | None = None) -> float | None:
        """Run the mechanism on the market again, and measure by how much the property fails.

        Parameters
        ----------
        mechanism
            A slug, module:Class, or a mechanism; the one that the witness names if left out.

        Returns
        -------
        float or None
            The violation in money (0.0 where it is no amount); None if the property holds here.

        Raises
        ------
        UnknownNameError
            If there is no such mechanism.
        """
        found = self.retold(mechanism)
        return None if found is None else found[0]

    def retold(self, mechanism: str | Mechanism | None = None) -> tuple[float, str] | None:
        """Run the mechanism on the market again, and tell what happens.

        Parameters
        ----------
        mechanism
            A slug, module:Class, or a mechanism; the one that the witness names if left out.

        Returns
        -------
        tuple or None
            The violation in money and its story; None if the property holds here.

        Raises
        ------
        UnknownNameError
            If there is no such mechanism or property.
        """
        runner = Runner(Setting.of(self.market, get(mechanism or self.mechanism)))
        prop = registry.get(self.property)
        found = prop.again(runner, self._violation(runner.setting))
        return None if found is None else (found.amount, prop.story(runner, found))

    def _violation(self, setting: Setting) -> Violation:
        values = np.zeros(setting.size) if setting.own is None else setting.own
        agent = None
        if self.role is not None:
            side = self.market.buyers if self.role == "buyer" else self.market.sellers
            first = 0 if self.role == "buyer" else len(self.market.buyers)
            agent = setting.agent(first + side.index(self.agent))  # type: ignore[arg-type]
        report = self.report
        if isinstance(report, tuple):
            report = np.array(report)
        return Violation(self.amount, values, agent, report, dict(self.details))

    def to_dict(self) -> dict[str, Any]:
        """Give the witness as a market document with one more key, "witness"."""
        market, listed = without_unlisted(self.market)
        document = json.loads(json_of_market(market))
        report = list(self.report) if isinstance(self.report, tuple) else self.report
        kept: dict[str, Any] = {
            "property": self.property,
            "mechanism": self.mechanism,
            "amount": self.amount,
            "story": self.story,
        }
        if self.role is not None:
            kept["agent"] = {"role": self.role, "id": self.agent}
        if report is not None:
            kept["report"] = report
        if self.details:
            kept["details"] = dict(self.details)
        if listed:
            kept["allowed"] = listed
        return document | {"witness": kept}

    def write(self, path: str | Path) -> Path:
        """Write the witness as a market file, which can be read, cleared and audited.

        Parameters
        ----------
        path
            A file ``NAME.json``; one that is there is replaced.

        Returns
        -------
        pathlib.Path
            What was written.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        target = Path(path)
        if target.suffix != ".json":
            raise OutputError(f"{target}: a witness is a .json file; choose a name that ends so")
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        with writing_to(target), Staging() as staging:
            staging.add(
                target, lambda place: place.write_text(text, encoding="utf-8", newline="\n")
            )
        return target


def read_witness(path: str | Path) -> Witness:
    """Read a witness that was written to a file.

    Parameters
    ----------
    path
        The market file.

    Returns
    -------
    Witness

    Raises
    ------
    FileFormatError
        If the file cannot be read, or is a market without a witness.

    Examples
    --------
    >>> import tempfile
    >>> import catallax as cx
    >>> market = cx.Market([{"id": "b", "bid": 0.75}], [{"id": "s", "ask": 0.25}])
    >>> report = cx.audit(market, "first-best", "weak-budget-ex-post", budget=50)
    >>> witness = report.findings[0].witness
    >>> read_witness(witness.write(tempfile.mkdtemp() + "/w.json")).rerun()
    1.0
    """
    path = Path(path)
    try:
        text = path.read_bytes()
    except OSError as failure:
        raise FileFormatError(
            f"{path}: cannot be read ({failure.strerror}); check the name"
        ) from None
    return witness_of_document(load_json(text, str(path)), str(path), path.stem)


def witness_of_document(
    document: Mapping[str, Any], where: str = "witness", name: str = "market"
) -> Witness:
    """Return the witness of a market document.

    Raises
    ------
    FileFormatError
        If the document has no witness, or one that lacks something.
    """
    kept = document.get("witness")
    if not isinstance(kept, Mapping) or not kept:
        raise FileFormatError(
            f"{where}: this market has no witness; give a file that Witness.write has written"
        )
    for key in ("property", "mechanism", "amount", "story"):
        if key not in kept:
            raise FileFormatError(f"{where}: the witness has no '{key}'; write it anew")
    market = from_listed(
        Market.from_json(json.dumps(document), where, name=name), kept.get("allowed")
    )
    agent = kept.get("agent") or {}
    report = kept.get("report")
    return Witness(
        market=market,
        property=str(kept["property"]),
        mechanism=str(kept["mechanism"]),
        role=agent.get("role"),
        agent=agent.get("id"),
        report=tuple(report) if isinstance(report, list) else report,
        amount=float(kept["amount"]),
        story=str(kept["story"]),
        details=dict(kept.get("details", {})),
    )
