"""The families of bilateral trade with closed forms: what quadrature makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from catallax.estimate.exact import exact_values
from catallax.markets import instances
from catallax.mechanisms import Mechanism, PostedPrice
from catallax.papers.registry import Options, register
from catallax.papers.reproduction import Reproduction, Row

if TYPE_CHECKING:
    from catallax.markets import Market

__all__ = ["FAMILIES", "closed_forms"]

FAMILIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("bilateral-uniform", {}),
    ("negative-expected-gain", {}),
    ("power-family", {"k": 0.5}),
    ("power-family", {"k": 2.0}),
    ("power-family", {"k": 5.0}),
    ("exponential-pair", {}),
    ("mirrored-exponential", {"t": 0.5}),
    ("mirrored-exponential", {"t": 4.0}),
    ("equal-revenue", {"high": 10.0}),
    ("equal-revenue", {"high": 1000.0}),
    ("pareto", {"alpha": 1.2}),
    ("pareto", {"alpha": 2.0}),
    ("pareto", {"alpha": 6.0}),
)
"""Named instances, with the parameters at which they are computed."""

_MECHANISMS: dict[str, str | Mechanism] = {
    "first best": "first-best",
    "second best": "second-best",
    "seller offers": "gsom",
    "buyer offers": "gbom",
    "random offerer": "random-offerer",
    "posted price 1/2": PostedPrice(0.5),
}
_RELATIVE = 1e-9
# Formulas are exact; two values of the exponential pair are known to ten digits.
_DIGITS = 5e-11


class _Formula(NamedTuple):
    what: str
    mechanism: str | Mechanism
    value: float
    text: str


@register(
    "closed-forms",
    "bilateral trade: first and second best, offers and posted prices, against their formulas",
    "theory of bilateral trade; sources with each family (catallax instances NAME)",
)
def closed_forms(options: Options) -> Reproduction:
    """Compute every value that has a formula by quadrature."""
    rows: list[Row] = []
    worst = 0.0
    for place, (name, parameters) in enumerate(FAMILIES):
        market = instances.get(name, **parameters)
        called = _called(name, parameters)
        for formula in _formulas(name, parameters):
            options.tell(place / len(FAMILIES), f"{called}: {formula.what}")
            found = exact_values(market, formula.mechanism)
            if found is None:
                raise AssertionError(f"{called}: the quadrature for {formula.what} failed")
            worst = max(worst, found.error_bound)
            rows.append(
                Row(
                    f"{called}: {formula.what}",
                    formula.value,
                    found.gains_from_trade,
                    _RELATIVE * formula.value + _DIGITS,
                    note="; ".join([formula.text, *_sample(options, market, formula)]),
                )
            )
    revenue, note = _equal_revenue()
    notes = (
        "published: the formula's value; ours: by quadrature, in which no formula is used, with a "
        f"relative error of at most {worst:.1g} by its own account",
        note,
    )
    return Reproduction("closed-forms", (*rows, *revenue), notes)


def _called(name: str, parameters: dict[str, Any]) -> str:
    given = ", ".join(f"{key} = {value:g}" for key, value in parameters.items())
    return f"{name} ({given})" if given else name


def _formulas(name: str, parameters: dict[str, Any]) -> Iterator[_Formula]:
    """Yield what is known of the gains of a family."""
    known = instances.describe(name, **parameters).known
    for what, mechanism in _MECHANISMS.items():
        if what in known:
            yield _Formula(what, mechanism, known[what].value, known[what].formula)
        elif what == "random offerer" and {"seller offers", "buyer offers"} <= known.keys():
            value = (known["seller offers"].value + known["buyer offers"].value) / 2
            yield _Formula(what, mechanism, value, "half of both offers")


def _sample(options: Options, market: Market, formula: _Formula) -> list[str]:
    """Say what a sample makes of it, if one is asked for."""
    if options.monte_carlo is None:
        return []
    from catallax.estimate import simulate

    (found,) = simulate(market, [formula.mechanism], options.monte_carlo, options.rng, exact=False)
    gains = found.gains_from_trade
    return [f"our sample {gains.mean:.6g} ± {gains.stderr:.1g}"]


def _equal_revenue() -> tuple[list[Row], str]:
    """Every price is best there; ours is the lowest, and the revenue is what all have."""
    rows = []
    for high in (10.0, 1000.0):
        name = _called("equal-revenue", {"high": high})
        found = exact_values(instances.get("equal-revenue", high=high), "gsom")
        assert found is not None
        rows.append(
            Row(f"{name}: seller's revenue", 1.0, found.sellers_utility, _RELATIVE, note="p q(p)")
        )
    note = (
        "equal revenue: the seller's gains are anything from 1 to 1 + ln H, for every price is "
        "best; GSOM trades at equal virtual value and cost, so it takes the lowest, and all gains"
    )
    return rows, note
