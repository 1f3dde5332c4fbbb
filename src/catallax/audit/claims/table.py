"""The table of mechanisms against properties: what is known of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from catallax.errors import (
    UnknownNameError,
    nearest,
)

__all__ = ["Cell", "PropertyTable"]

Standing = Literal["holds", "violated", "undecided", "does not apply"]


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
    >>> from catallax.audit import stored_table
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
