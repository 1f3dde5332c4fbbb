"""The mechanisms by name, and mechanisms of other people by module and class."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from catallax.errors import MechanismError, UnknownNameError, nearest
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
    module, dot, name = mechanism.rpartition(".")
    if dot and module and name:
        raise UnknownNameError(
            f"unknown mechanism '{mechanism}': one of your own is written with a colon between "
            f"module and class, '{module}:{name}'"
        )
    raise UnknownNameError(f"unknown mechanism '{mechanism}': {nearest(mechanism, _REGISTRY)}")


def _imported(path: str) -> Mechanism:
    """Import a mechanism given as module:Class."""
    module_name, _, class_name = path.partition(":")
    if not module_name or not class_name:
        raise UnknownNameError(f"mechanism '{path}': write it as module:Class")
    try:
        found = getattr(import_module(module_name), class_name)
    except ImportError as error:
        raise UnknownNameError(
            f"mechanism '{path}': cannot import module '{module_name}' ({error})"
        ) from error
    except AttributeError as error:
        raise UnknownNameError(
            f"mechanism '{path}': module '{module_name}' has no '{class_name}'"
            + _found_at(module_name, class_name)
        ) from error
    except Exception as error:
        raise MechanismError(
            f"mechanism '{path}': importing '{module_name}' failed: {type(error).__name__}: {error}"
        ) from error
    try:
        made = found() if isinstance(found, type) else found
    except Exception as error:
        raise MechanismError(
            f"mechanism '{path}' cannot be made without arguments: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, Mechanism):
        raise UnknownNameError(
            f"mechanism '{path}' is not a Mechanism: derive it from catallax.mechanisms.Mechanism"
        )
    return made


def _found_at(module_name: str, class_name: str) -> str:
    """Say where a module lies that lacks a class: it may be another than was meant."""
    module = sys.modules[module_name]
    folders = [str(place) for place in getattr(module, "__path__", [])]
    if getattr(module, "__file__", None) is None and folders:
        return (
            f": the folder {folders[0]} is taken for it, as there is no {module_name}.py; name "
            f"the file that defines the class, as in '{module_name}.FILE:{class_name}'"
        )
    if folders:
        return f" (the folder {folders[0]}, which comes before a file {module_name}.py)"
    return f" ({module.__file__})" if getattr(module, "__file__", None) else ""


@overload
def clear(
    market: Market,
    mechanism: SeparableMechanism | Literal["first-best", "gsom", "gbom"] = "gsom",
    reports: Reports | None = None,
) -> Outcome: ...


@overload
def clear(market: Market, mechanism: str | Mechanism, reports: Any = None) -> Outcome | Lottery: ...


def clear(
    market: Market, mechanism: str | Mechanism = "gsom", reports: Any = None
) -> Outcome | Lottery:
    """Clear a market: who trades, and at what prices.

    Parameters
    ----------
    market
        The market.
    mechanism
        A slug, "module:Class", or a mechanism.
    reports
        `Reports`; by default those that came with the market.

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
    MechanismError
        If a mechanism from elsewhere fails, or gives what no outcome can be.
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
    from catallax.mechanisms.clearing import cleared

    return cleared(market, get(mechanism), reports)
