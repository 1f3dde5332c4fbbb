"""Studies whose cells cost nothing: numbers made from a cell's hash, and cells that misbehave.

Worker processes import this module, so that what they compute is found here by name.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from catallax.errors import UnsupportedMarketError
from catallax.estimate.result import QUANTITIES
from catallax.estimate.study import FIELDS, Cell
from catallax.estimate.study.cells import Record

STUDY = """
[study]
name = "small"
samples = 100
seeds = [1, 2, 3]
mechanisms = ["gsom", "gbom", "mcafee"]

[[priors]]
name = "uniform"
buyers = "uniform(0, 1)"
sellers = "uniform(0, 1)"

[[markets]]
instance = "double-auction"
parameters = { n = [2, 3] }

[[markets]]
graph = "sparse-random"
sizes = [4, [6, 3]]
degree = 2
"""
CELLS = 4 * 3 * 3

# Where the cells of this module leave word of themselves, one line each.
LOG = "CATALLAX_TEST_LOG"


def note(text: str) -> None:
    """Append a line, whole: several processes write."""
    if LOG in os.environ:
        descriptor = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{text}\n".encode())
        os.close(descriptor)


def record_of(cell: Cell) -> Record:
    """Make up a record: the same for the same cell, another for another."""
    note(f"{cell.key} {os.getpid()}")
    record: Record = dict.fromkeys(FIELDS)
    if cell.rule.label == "mcafee" and cell.setting.market == "sparse-random":
        return record | {"status": "skipped", "reason": "complete graphs only", "n_buyers": 4}
    record |= {"status": "done", "how": "samples", "samples": 100, "n_buyers": 4, "n_sellers": 3}
    for place, name in enumerate(("first_best", *QUANTITIES)):
        number = int(cell.key[4 * place : 4 * place + 12], 16) / 7.0
        record |= {name: number, f"{name}_stderr": number / 1e3, f"{name}_exact": False}
    return record


def fails_for_gbom(cell: Cell) -> Record:
    if cell.rule.label == "gbom":
        raise ZeroDivisionError("made\nup")
    return record_of(cell)


def refuses_for_gbom(cell: Cell) -> Record:
    if cell.rule.label == "gbom":
        raise UnsupportedMarketError("not here")
    return record_of(cell)


def dies_once(cell: Cell) -> Record:
    """Kill the process, on the first cell that anybody comes to."""
    mark = Path(os.environ[LOG]).with_name("died")
    try:
        mark.open("x").close()
    except FileExistsError:
        return record_of(cell)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def dies_for_the_first(cell: Cell) -> Record:
    """Kill every process that comes to the first cell, and fail for others besides."""
    if cell.number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return fails_for_gbom(cell)


def waits_once(cell: Cell) -> Record:
    """Say on the first cell which process has it, and never finish it."""
    mark = Path(os.environ[LOG]).with_name("waiting")
    try:
        descriptor = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return record_of(cell)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    os.close(descriptor)
    while True:
        signal.pause()
