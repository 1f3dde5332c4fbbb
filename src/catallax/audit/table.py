"""The table of mechanisms against properties: stored, read, made anew and verified.

Every cell is what audits found on `battery`. Each property that a mechanism lacks has a witness
beside the table: a small market in which it fails, which can be read and run again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from catallax.errors import (
    MissingReportError,
    UnknownNameError,
    UnsupportedMarketError,
    nearest,
)
from catallax.mechanisms import Lottery, get
from catallax.staging import Staging

if TYPE_CHECKING:
    from catallax.audit.battery import Seed
    from catallax.audit.survey import Surveyed
    from catallax.audit.witness import Witness
    from catallax.markets import Market
    from catallax.mechanisms import Mechanism

__all__ = [
    "Cell",
    "PropertyTable",
    "make_row",
    "stored_table",
    "stored_witness",
    "verify_row",
    "without_sampling",
    "write_table",
]

Standing = Literal["holds", "violated", "undecided", "does not apply"]

TABLE = "properties.json"
WITNESSES = "witnesses"


@dataclass(frozen=True)
class Cell:
    """What is known of one property of one mechanism.

    Attributes
    ----------
    verdict
        "holds" (on every market that decided it), "violated", "undecided", or "does not apply".
    claimed
        Whether the mechanism claims it.
    held, exact, undecided
        On how many markets it held; on how many of these everything that can matter was looked
        at; and on how many an estimate did not decide.
    checked
        How many comparisons were made.
    worst
        By how much it is violated in the witness, in money; 0.0 where it is not, or where what
        fails is no amount.
    story
        What goes wrong, in one line; empty unless violated.
    """

    verdict: Standing
    claimed: bool
    held: int = 0
    exact: int = 0
    undecided: int = 0
    checked: int = 0
    worst: float = 0.0
    story: str = ""

    @property
    def broken(self) -> bool:
        """Whether it is claimed and violated."""
        return self.claimed and self.verdict == "violated"

    @property
    def words(self) -> str:
        """The verdict, with what a reader must know of it.

        Examples
        --------
        >>> Cell("holds", True).words, Cell("holds", False).words
        ('holds', 'holds (not claimed)')
        """
        if self.broken:
            return "VIOLATED, though claimed"
        unclaimed = self.verdict == "holds" and not self.claimed
        return f"{self.verdict} (not claimed)" if unclaimed else self.verdict


@dataclass(frozen=True)
class PropertyTable:
    """Mechanisms against properties.

    Attributes
    ----------
    meanings
        What each property says, by its name, in the order of the columns.
    rows
        For each mechanism its cells, by the names of the properties.
    made
        How the audits were made: their seed, the number of markets, the runs on each.

    Examples
    --------
    >>> table = stored_table()
    >>> table.cell("first-best", "weak-budget-ex-post").verdict
    'violated'
    >>> table.cell("first-best", "dsic-sellers").words
    'holds'
    """

    meanings: dict[str, str]
    rows: dict[str, dict[str, Cell]]
    made: dict[str, int] = field(default_factory=dict)

    def cell(self, mechanism: str, name: str) -> Cell:
        """Look up a cell.

        Raises
        ------
        UnknownNameError
            If the table has no such mechanism or property; with the nearest.
        """
        if mechanism not in self.rows:
            hint = nearest(mechanism, self.rows)
            raise UnknownNameError(f"the table has no mechanism '{mechanism}': {hint}")
        if name not in self.meanings:
            hint = nearest(name, self.meanings)
            raise UnknownNameError(f"the table has no property '{name}': {hint}")
        return self.rows[mechanism][name]

    def to_dict(self) -> dict[str, Any]:
        """Give the table as JSON."""
        return {
            "made": self.made,
            "properties": [{"name": name, "meaning": said} for name, said in self.meanings.items()],
            "mechanisms": [
                {"name": name, "properties": {key: asdict(cell) for key, cell in row.items()}}
                for name, row in self.rows.items()
            ],
        }

    @classmethod
    def of_dict(cls, document: dict[str, Any]) -> PropertyTable:
        """Read what `to_dict` gives."""
        return cls(
            {one["name"]: one["meaning"] for one in document["properties"]},
            {
                one["name"]: {key: Cell(**cell) for key, cell in one["properties"].items()}
                for one in document["mechanisms"]
            },
            document["made"],
        )


def stored_table() -> PropertyTable:
    """Return the table that comes with catallax.

    Returns
    -------
    PropertyTable
        As `make properties` last made it; see `make_row` to verify a row.
    """
    text = _folder().joinpath(TABLE).read_text(encoding="utf-8")
    return PropertyTable.of_dict(json.loads(text))


def stored_witness(mechanism: str, name: str) -> Witness:
    """Return the market in which a mechanism of ours lacks a property.

    Parameters
    ----------
    mechanism
        The mechanism's slug.
    name
        The property's name.

    Returns
    -------
    Witness
        Its market can be cleared and audited; `rerun` says by how much the property fails.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism or property, or the mechanism is not known to lack it.

    Examples
    --------
    >>> witness = stored_witness("first-best", "weak-budget-ex-post")
    >>> witness.market
    <market ...: 1 buyer, 1 seller, complete>
    >>> witness.rerun() > 0
    True
    """
    from catallax.audit.witness import read_witness

    cell = stored_table().cell(mechanism, name)
    if cell.verdict != "violated":
        raise UnknownNameError(
            f"there is no witness against '{name}' of {mechanism}: the table says '{cell.words}'"
        )
    path = _folder().joinpath(WITNESSES, witness_file(mechanism, name))
    with resources.as_file(path) as file:
        return read_witness(file)


def witness_file(mechanism: str, name: str) -> str:
    """Return the name of the file of a witness."""
    return f"{mechanism}.{name}.json"


def make_row(
    mechanism: str | Mechanism,
    rng: Seed = 0,
    budget: int | None = None,
    random: int = 12,
    again: int | None = None,
    watch: Callable[[Market], None] | None = None,
) -> tuple[dict[str, Cell], dict[str, Witness]]:
    """Audit all properties of a mechanism on the battery.

    Parameters
    ----------
    mechanism
        A slug, or a mechanism.
    rng
        What the random markets, and the audits, draw with.
    budget
        Runs of the mechanism on each market; by default that of `audit`.
    random
        How many random markets there are besides the fixed ones.
    again
        Runs with which what is undecided on a market is looked at once more, by itself.
    watch
        Called with each market before its audit.

    Returns
    -------
    tuple
        The cells, and the witness of each that is violated, by the names of the properties.
    """
    from catallax.audit.battery import battery
    from catallax.audit.claims import claimed_properties
    from catallax.audit.properties import property_names
    from catallax.audit.survey import survey

    chosen = get(mechanism)
    found = survey(
        chosen,
        without_sampling(chosen, battery(rng, random)),
        property_names(),
        claimed_properties(chosen),
        rng=rng,
        budget=budget,
        again=again,
        watch=watch,
    )
    cells = {one.name: _cell(one) for one in found.properties}
    witnesses = {
        one.name: one.finding.witness
        for one in found.properties
        if one.violated and one.finding is not None and one.finding.witness is not None
    }
    return cells, witnesses


def verify_row(
    mechanism: str,
    rng: Seed = 0,
    budget: int | None = None,
    watch: Callable[[Market], None] | None = None,
) -> list[str]:
    """Run a row of the stored table again: every witness, and the battery for all other cells.

    Parameters
    ----------
    mechanism
        The mechanism's slug.
    rng
        What the random markets, and the audits, draw with.
    budget
        Runs of the mechanism on each market; by default that of `check_mechanism`.
    watch
        Called with each market before its audit.

    Returns
    -------
    list of str
        A line for each cell that is not as the table says; empty if all are.

    Raises
    ------
    UnknownNameError
        If the table has no such mechanism.

    Examples
    --------
    >>> verify_row("trade-reduction", budget=20)
    []
    """
    from catallax.audit.battery import battery
    from catallax.audit.check import BUDGET
    from catallax.audit.survey import survey

    table = stored_table()
    said = {name: table.cell(mechanism, name).verdict for name in table.meanings}
    lines = [
        f"{mechanism}: {name} is said to be violated, and its witness shows nothing"
        for name, verdict in said.items()
        if verdict == "violated" and stored_witness(mechanism, name).rerun() is None
    ]
    chosen = get(mechanism)
    found = survey(
        chosen,
        without_sampling(chosen, battery(rng)),
        [name for name, verdict in said.items() if verdict != "violated"],
        rng=rng,
        budget=BUDGET if budget is None else budget,
        watch=watch,
    )
    return lines + [
        f"{mechanism}: {one.name} is said to be '{said[one.name]}', and is violated on market "
        f"'{one.market}': {'' if one.finding is None else one.finding.story}"
        for one in found.properties
        if one.violated
    ]


def without_sampling(mechanism: Mechanism, markets: Sequence[Market]) -> list[Market]:
    """Leave out the markets for which a mechanism draws profiles before it looks at reports.

    `second-best` and `random-offerer-balanced` do, where they cannot list all profiles. There
    their expected budgets are balanced up to the standard error that they report, which no audit
    could confirm; and to draw them takes seconds a market, of which audits make many.

    Parameters
    ----------
    mechanism
        Any mechanism; one without the parameter `samples` draws nothing.
    markets
        Markets with reports.

    Returns
    -------
    list of Market
        Those on which it draws nothing, and those that it refuses.
    """
    if not hasattr(mechanism, "samples"):
        return list(markets)
    sketch: Any = replace(cast("Any", mechanism), samples=2)
    return [market for market in markets if not _draws(sketch, market)]


def _draws(mechanism: Mechanism, market: Market) -> bool:
    """Whether a mechanism says that it rests on a sample."""
    try:
        result = mechanism.clear(market, mechanism.read_reports(market))
    except (UnsupportedMarketError, MissingReportError):
        return False
    details = result.details if isinstance(result, Lottery) else {}
    return details.get("method") == "samples" or not details.get("exact", True)


def _cell(one: Surveyed) -> Cell:
    finding = one.finding if one.verdict == "violated" else None
    return Cell(
        verdict=one.verdict or "does not apply",
        claimed=one.claimed,
        held=one.held,
        exact=one.exact,
        undecided=one.undecided,
        checked=one.checked,
        worst=0.0 if finding is None else finding.worst,
        story="" if finding is None else finding.story,
    )


def write_table(
    table: PropertyTable, witnesses: dict[tuple[str, str], Witness], folder: Path
) -> list[Path]:
    """Write a table and its witnesses; a witness that no cell has any more is removed.

    Parameters
    ----------
    table
        The table.
    witnesses
        The witness of each cell that is violated, by mechanism and property.
    folder
        Where the table is to be; the witnesses go into a folder beside it.

    Returns
    -------
    list of pathlib.Path
        What was written.
    """
    place = folder / WITNESSES
    place.mkdir(parents=True, exist_ok=True)
    written = [
        witness.write(place / witness_file(*key)) for key, witness in sorted(witnesses.items())
    ]
    for old in set(place.glob("*.json")) - set(written):
        old.unlink()
    path = folder / TABLE
    text = json.dumps(table.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)
    with Staging() as staging:
        staging.add(path, lambda place: place.write_text(text + "\n", encoding="utf-8"))
    return [path, *written]


def _folder() -> Any:
    return resources.files("catallax.audit")
