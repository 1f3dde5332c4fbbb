"""The door: audit a mechanism in a market."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from catallax.audit.findings import finding_of
from catallax.audit.properties.base import Property
from catallax.audit.properties.caps import CapMonotone, OnlyRule
from catallax.audit.properties.registry import chosen
from catallax.audit.result import AuditReport, Finding
from catallax.audit.search.search import Search
from catallax.audit.setting import Setting
from catallax.audit.witness import lookup_name
from catallax.errors import CatallaxError, MissingPriorError, ReportError, UnsupportedMarketError
from catallax.mechanisms import Mechanism, get
from catallax.priors.base import RandomSource
from catallax.progress import Progress, forward

if TYPE_CHECKING:
    from catallax.markets import Market
    from catallax.mechanisms import BilateralRule

__all__ = ["BUDGET", "audit", "default_budget"]

# Sums of reports beyond this are none.
_LARGEST = 1e300

BUDGET = 8000
"""How often a mechanism is run by default in a small market, besides shrinking witnesses."""


def default_budget(market: Market) -> int:
    """Return how often a mechanism is run by default, besides shrinking witnesses.

    Parameters
    ----------
    market
        The market.

    Returns
    -------
    int
        `BUDGET` in a small market without constraints, and less where a run takes longer: half
        of it where caps and quotas make a flow of the matching, an eighth where other constraints
        need integer programs or bids stand on edges, and less with every 1,500 edges; 200 at least.

    Examples
    --------
    >>> import catallax as cx
    >>> default_budget(cx.Market([{"id": "b"}], [{"id": "s"}]))
    8000
    """
    share = {"plain": 1, "network": 2}.get(market.family.structure, 8)
    if "bid" in market.edge_table.columns or "prior" in market.edge_table.columns:
        share = 8
    return max(200, int(BUDGET / share / max(1.0, market.graph.n_edges / 1500)))


def audit(
    market: Market,
    mechanism: str | Mechanism | BilateralRule = "gsom",
    properties: str | Property | Iterable[str | Property] | None = None,
    rng: RandomSource = 0,
    budget: int | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Check what a mechanism promises, in a market, and show the smallest case in which it fails.

    Parameters
    ----------
    market
        The market. Its own reports, if it has any, are taken as true values and looked at first;
        then the profiles of its priors, all of them where they are discrete and few.
    mechanism
        A slug, "module:Class", or a mechanism, one of somebody else's too: whatever goes wrong in
        it is a finding about it. Or a `BilateralRule`, of which only "cap-monotone" can be asked.
    properties
        Slugs, or properties; all that apply if left out. See `properties.names`.
    rng
        What profiles are drawn with; results depend on it alone.
    budget
        How often the mechanism may be run, besides shrinking witnesses; by default 8,000 times in
        a small market, which takes seconds, and less where a run takes longer; see
        `catallax.audit.audit.default_budget`.
    progress
        Called now and then with the share of the work that is done, and what is being done.

    Returns
    -------
    AuditReport
        One `Finding` for each property: its verdict, the worst violation in money, and a witness.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism or property.
    UnsupportedMarketError
        If the mechanism does not apply to the market, or a property that was asked for by name
        does not apply to the mechanism.
    MissingPriorError
        If the mechanism, or a property asked for by name, needs the prior of an agent that has
        none.
    MissingReportError
        If there are neither reports nor priors.
    ReportError
        If amounts are too large to be added up.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.Market([{"id": "b", "bid": 0.75}], [{"id": "s", "ask": 0.25}])
    >>> names = ["dsic-sellers", "weak-budget-ex-post"]
    >>> report = cx.audit(market, "first-best", names, budget=100)
    >>> report["dsic-sellers"].verdict, report["weak-budget-ex-post"].verdict
    ('holds', 'violated')
    >>> report["weak-budget-ex-post"].witness.market
    <market 'first-best weak-budget-ex-post': 1 buyer, 1 seller, complete>
    """
    wanted = chosen(properties)
    limit = default_budget(market) if budget is None else int(budget)
    if limit < 1:
        raise CatallaxError(f"budget = {budget}: an audit needs at least one run of the mechanism")
    progress = forward(progress)
    judged = _mechanism(mechanism)
    setting = Setting.of(market, judged)
    _refuse_too_large(setting)
    asked, skipped = [], {}
    for prop in wanted:
        reason = prop.excuse(setting)
        if reason is None and isinstance(judged, OnlyRule) and prop.slug != CapMonotone.slug:
            reason = "a rule by itself clears no market"
        if reason is None:
            asked.append(prop)
        elif properties is not None:
            _refuse(prop, reason, setting)
        else:
            skipped[prop.slug] = reason
    search = Search(setting, asked, np.random.default_rng(rng), limit, progress)
    name = lookup_name(judged)
    try:
        search.run()
        # Expectations make runs of their own, which properties of single runs look at too.
        order = sorted(asked, key=lambda prop: prop.need == "runs")
        found: dict[str, Finding] = {}
        shrinking_runs = 0
        for prop in order:
            found[prop.slug], runs = finding_of(prop, search, prop.check(search))
            shrinking_runs += runs
    except MissingPriorError as failure:
        said = str(failure).replace("which this needs", f"which mechanism '{name}' needs")
        raise MissingPriorError(said) from None
    progress(1.0, "done")
    return AuditReport(
        market=market,
        mechanism=name,
        findings=tuple(found[prop.slug] for prop in asked),
        runs=search.runner.spent_in_all + shrinking_runs,
        skipped=skipped,
    )


def _mechanism(mechanism: str | Mechanism | BilateralRule) -> Mechanism:
    if isinstance(mechanism, str | Mechanism):
        return get(mechanism)
    if not callable(getattr(mechanism, "price", None)) or not hasattr(mechanism, "poster"):
        raise CatallaxError(
            f"{mechanism!r} is neither a mechanism nor a bilateral rule: derive it from "
            "catallax.mechanisms.Mechanism, or give it 'poster' and 'price'"
        )
    return OnlyRule(mechanism)


def _refuse_too_large(setting: Setting) -> None:
    values = np.zeros(1) if setting.own is None else setting.own
    most = setting.largest(values, setting.market.largest_report or 0.0)
    if most > _LARGEST:
        raise ReportError(
            f"market '{setting.market.name}': amounts of {most:.3g} are too large to be added up "
            "as floating-point numbers; state them in a larger unit"
        )


def _refuse(prop: Property, reason: str, setting: Setting) -> None:
    if prop.need in ("types", "average") and not setting.has_priors:
        setting.require_priors(f"'{prop.slug}'")
    name = lookup_name(setting.mechanism)
    raise UnsupportedMarketError(
        f"property '{prop.slug}' does not apply to '{name}' on market '{setting.market.name}': "
        f"{reason}"
    )
