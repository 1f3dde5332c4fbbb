"""Make the table of mechanisms against properties anew: `make properties`.

Every mechanism is audited on the battery of small markets, with a budget a test could not afford.
What comes out goes into the package (src/catallax/audit/properties.json and witnesses/), into
docs/properties.md and into docs/images/properties.svg.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from catallax.audit import Witness, properties, stored_table, stored_witness
from catallax.audit.claims.battery import battery
from catallax.audit.claims.rows import make_row
from catallax.audit.claims.stored import TABLE, write_table
from catallax.audit.claims.table import Cell, PropertyTable
from catallax.audit.witness import witness_of_document
from catallax.mechanisms import names
from catallax.report.audit.picture import save_properties_picture
from catallax.report.audit.tables import GROUPS, sign

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "src" / "catallax" / "audit"
PAGE = ROOT / "docs" / "properties.md"
PICTURE = ROOT / "docs" / "images" / "properties.svg"

SEED = 20
RANDOM = 8
BUDGET = 200
# What is undecided on a market is looked at once more, by itself, with so many runs.
AGAIN = 1_200

WORDS = {
    "claimed": "**yes**",
    "holds": "yes",
    "violated": "no",
    "broken": "**NO, though claimed**",
    "undecided": "?",
    "does not apply": "",
}


def row(mechanism: str, made: dict[str, int]) -> tuple[dict[str, Cell], dict[str, Any], float]:
    """Audit one mechanism; the witnesses come back as documents, which every process can read."""
    start = time.perf_counter()
    cells, witnesses = make_row(mechanism, SEED, made["budget"], made["random"], made["again"])
    documents = {name: witness.to_dict() for name, witness in witnesses.items()}
    return cells, documents, time.perf_counter() - start


def finished(
    wanted: list[str], made: dict[str, int], workers: int
) -> Iterator[tuple[str, dict[str, Cell], dict[str, Any]]]:
    """Audit mechanisms, yield each as it is done, and say on standard error how far this is."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = {pool.submit(row, name, made): name for name in wanted}
        for count, done in enumerate(as_completed(waiting), start=1):
            name = waiting[done]
            cells, documents, seconds = done.result()
            print(f"{count:>3}/{len(waiting)} {name} ({seconds:.0f} s)", file=sys.stderr)
            yield name, cells, documents


def known() -> tuple[dict[str, dict[str, Cell]], dict[tuple[str, str], Witness]]:
    """Read the rows and the witnesses of the last time; rows of other properties are forgotten."""
    if not (FOLDER / TABLE).is_file():
        return {}, {}
    rows = {
        mechanism: cells
        for mechanism, cells in stored_table().rows.items()
        if list(cells) == properties.names()
    }
    return rows, {
        (mechanism, name): stored_witness(mechanism, name)
        for mechanism, cells in rows.items()
        for name, cell in cells.items()
        if cell.verdict == "violated"
    }


def save(table: PropertyTable, witnesses: dict[tuple[str, str], Witness]) -> None:
    """Write the table, its witnesses, the page and the picture."""
    write_table(table, witnesses, FOLDER)
    if "first-best" in table.rows:
        PAGE.write_text(page(table), encoding="utf-8")
        save_properties_picture(table, PICTURE)


def grid(table: PropertyTable, columns: list[str]) -> list[str]:
    """Write mechanisms against some of the properties as a Markdown table."""
    lines = ["| mechanism | " + " | ".join(f"`{name}`" for name in columns) + " |"]
    lines.append("|---|" + ":-:|" * len(columns))
    for mechanism, cells in table.rows.items():
        marks = []
        for name in columns:
            cell = cells[name]
            word = WORDS[sign(cell)]
            if cell.verdict == "violated":
                word = f"[{word}](#{mechanism})"
            marks.append(word + ("°" if cell.verdict == "holds" and cell.undecided else ""))
        lines.append(f"| `{mechanism}` | " + " | ".join(marks) + " |")
    return lines


def counterexamples(table: PropertyTable) -> list[str]:
    """Tell, mechanism by mechanism, what fails and where that is kept."""
    lines = []
    for mechanism, cells in table.rows.items():
        lines += [f"### {mechanism}", ""]
        failing = {name: cell for name, cell in cells.items() if cell.verdict == "violated"}
        held = [cell.held for cell in cells.values() if cell.verdict == "holds"]
        checked = sum(cell.checked for cell in cells.values())
        open_ = [name for name, cell in cells.items() if cell.verdict == "undecided"]
        if failing:
            lines += ["| lacks | for instance |", "|---|---|"]
            for name, cell in failing.items():
                file = f"../src/catallax/audit/witnesses/{mechanism}.{name}.json"
                lines.append(f"| [`{name}`]({file}) | {cell.story.replace('|', '/')} |")
            lines.append("")
        told = f"{checked:,} checks; what holds held on up to {max(held, default=0)} markets"
        if open_:
            told += "; undecided: " + ", ".join(f"`{name}`" for name in open_)
        lines += [f"{told}.", ""]
    return lines


PAGE_BEGINS = """\
# Which mechanism has which property

<!-- Made by `make properties` (benchmarks/properties.py): edit that, not this. -->

Every cell is what [audits](audits.md) found on a battery of {markets} small markets: ties, atoms,
plateaus, empty sides, paths, parts, every kind of constraint, one buyer with a value for each item.
On each the mechanism was run {budget:,} times, and {again:,} times more where an estimate did not
decide. `second-best` and `random-offerer-balanced` were looked at where their multiplier and their
lump sums are exact; where they are drawn, expected budgets hold up to the standard error that these
mechanisms report. `make properties` makes this page anew, `catallax mechanisms --properties` prints
the table, and the tests verify it.

![Mechanisms against properties: dots are claims that hold, rings hold unclaimed, crosses are \
violated](images/properties.svg)

| sign | meaning |
|---|---|
| **yes** | claimed, and no market of the battery violates it |
| yes | not claimed, and holds on every market: an observation, no promise |
| no | violated; the link leads to the smallest case that was found |
| ? | not claimed, refuted nowhere, and an expectation that some markets left open |
| ° | a claim that held wherever it was decided; some markets left it open |
| (empty) | does not apply |
"""

PAGE_EXPLAINS = """\
## Where they fail

Each link is a market file: `catallax audit FILE --mechanism NAME` finds the same again, and so does

```python
>>> from catallax.audit import stored_witness
>>> witness = stored_witness("first-best", "weak-budget-ex-post")
>>> print(witness.story)
{story}
>>> witness.rerun() == witness.amount
True

```
"""


def page(table: PropertyTable) -> str:
    """Write docs/properties.md."""
    grouped = {name for group in GROUPS.values() for name in group}
    rest = tuple(name for name in table.meanings if name not in grouped)
    tables = [
        ("Truthful", GROUPS["truthful"]),
        ("Nobody loses; the budget", GROUPS["nobody loses"] + GROUPS["budget"]),
        ("What else", GROUPS["structure"] + rest),
    ]
    lines = [PAGE_BEGINS.format(**table.made)]
    for heading, columns in tables:
        lines += [f"## {heading}", "", *grid(table, list(columns)), ""]
    lines += ["## What the properties mean", "", "| property | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {said} |" for name, said in table.meanings.items()]
    story = table.cell("first-best", "weak-budget-ex-post").story
    lines += ["", PAGE_EXPLAINS.format(story=story), *counterexamples(table)]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mechanisms", nargs="*", default=names(), help="only these rows")
    parser.add_argument("--budget", type=int, default=BUDGET, help="runs on each market")
    parser.add_argument("--again", type=int, default=AGAIN, help="runs on what is undecided")
    parser.add_argument("--random", type=int, default=RANDOM, help="random markets")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    asked = parser.parse_args()
    made = {"seed": SEED, "markets": len(battery(SEED, asked.random)), "random": asked.random}
    made |= {"budget": asked.budget, "again": asked.again}
    meanings = {name: properties.get(name).meaning for name in properties.names()}
    rows, witnesses = known()
    # Every row is saved when it is done, so that an hour's work cannot be lost in its last minute.
    for name, cells, documents in finished(asked.mechanisms, made, asked.workers):
        rows[name] = cells
        witnesses = {key: one for key, one in witnesses.items() if key[0] != name}
        witnesses |= {(name, key): witness_of_document(one) for key, one in documents.items()}
        ordered = {known: rows[known] for known in names() if known in rows}
        save(PropertyTable(meanings, ordered, made), witnesses)
    broken = [(name, key) for name in rows for key, cell in rows[name].items() if cell.broken]
    for name, key in broken:
        print(f"BROKEN CLAIM: {name} {key}", file=sys.stderr)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
