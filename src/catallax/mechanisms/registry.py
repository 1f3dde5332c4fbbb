"""The mechanisms by name, and mechanisms of other people by module and class."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeVar, overload

from catallax.errors import UnknownNameError, nearest
from catallax.mechanisms.base import Mechanism, SeparableMechanism

if TYPE_CHECKING:
    from catallax.markets import Market, Reports
    from catallax.mechanisms.lottery import Lottery
    from catallax.mechanisms.outcome import Outcome

__all__ = ["clear", "get", "names", "register"]

_REGISTRY: dict[str, type[Mechanism]] = {}

AnyMechanism = TypeVar("AnyMechanism", bound=Mechanism)


def register(mechanism: type[AnyMechanism]) -> type[AnyMechanism]:
    """Make a mechanism known by its slug (a class decorator).

    Parameters
    ----------
    mechanism
        A subclass of `Mechanism` that can be made without arguments.

    Returns
    -------
    type
        The same class.
    """
    _REGISTRY[mechanism.slug] = mechanism
    return mechanism


def names() -> list[str]:
    """List the slugs of all registered mechanisms.

    Examples
    --------
    >>> names()[:3]
    ['first-best', 'gsom', 'gbom']
    """
    return list(_REGISTRY)


def get(mechanism: str | Mechanism) -> Mechanism:
    """Find a mechanism.

    Parameters
    ----------
    mechanism
        A slug such as "gsom", "module:Class" for one that is defined elsewhere, or a
        mechanism itself.

    Returns
    -------
    Mechanism
        The mechanism, with its default parameters if it was named.

    Raises
    ------
    UnknownNameError
        If there is none of this name; the message names the nearest.

    Examples
    --------
    >>> get("gsom")
    SellersOffering()
    """
    if isinstance(mechanism, Mechanism):
        return mechanism
    if mechanism in _REGISTRY:
        return _REGISTRY[mechanism]()
    if ":" in mechanism:
        return _imported(mechanism)
    raise UnknownNameError(f"unknown mechanism '{mechanism}': {nearest(mechanism, _REGISTRY)}")


def _imported(path: str) -> Mechanism:
    """Import a mechanism given as module:Class."""
    module_name, _, class_name = path.partition(":")
    try:
        found = getattr(import_module(module_name), class_name)
    except ImportError as error:
        raise UnknownNameError(
            f"mechanism '{path}': cannot import module '{module_name}' ({error})"
        ) from error
    except AttributeError as error:
        raise UnknownNameError(
            f"mechanism '{path}': module '{module_name}' has no '{class_name}'"
        ) from error
    made = found() if isinstance(found, type) else found
    if not isinstance(made, Mechanism):
        raise UnknownNameError(
            f"mechanism '{path}' is not a Mechanism: derive it from catallax.mechanisms.Mechanism"
        )
    return made


@overload
def clear(
    market: Market,
    mechanism: SeparableMechanism | Literal["first-best", "gsom", "gbom"] = "gsom",
    reports: Reports | None = None,
) -> Outcome: ...


@overload
def clear(
    market: Market, mechanism: str | Mechanism, reports: Reports | None = None
) -> Outcome | Lottery: ...


def clear(
    market: Market, mechanism: str | Mechanism = "gsom", reports: Reports | None = None
) -> Outcome | Lottery:
    """Clear a market: who trades, and at what prices.

    Parameters
    ----------
    market
        The market.
    mechanism
        A slug, "module:Class", or a mechanism.
    reports
        Bids and asks; by default those that came with the market.

    Returns
    -------
    Outcome or Lottery
        Trades, prices, totals, and a reason for every price; from a mechanism that randomises,
        a `Lottery` of such outcomes. Every `SeparableMechanism` returns an `Outcome`.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    UnsupportedMarketError
        If the mechanism does not apply to the market.
    MissingReportError
        If an agent has made no report.
    MissingPriorError
        If the mechanism needs the prior of an agent that has none.
    ReportError
        If a report is not a finite number, or an ask is negative for no reason.

    Examples
    --------
    >>> import catallax as cx
    >>> market = cx.instances.get("bilateral-uniform")
    >>> outcome = cx.clear(market, "gsom", cx.Reports(bids=[0.9], asks=[0.25]))
    >>> outcome.trades["buyer_pays"].to_list()
    [0.625]
    """
    from catallax.markets.reports import check_reports

    chosen = get(mechanism)
    if reports is None:
        reports = market.require_reports()
    else:
        check_reports(market, reports)
    return chosen.clear(market, reports)
