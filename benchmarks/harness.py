"""What all benchmarks share: repeats, peers under a time limit, tables and JSON."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def timed(run: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Time a call several times: seconds as minimum, median and maximum.

    With them the least time of the processor, all threads together: where other work fills the
    machine, it tells more of the cost than the clock does.
    """
    seconds, processor = [], []
    for _ in range(repeats):
        start, spent = time.perf_counter(), time.process_time()
        run()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - spent)
    return {
        "min": min(seconds),
        "median": statistics.median(seconds),
        "max": max(seconds),
        "processor": min(processor),
    }


def _in_child(run: Callable[..., Any], arguments: tuple[Any, ...], connection: Any) -> None:
    connection.send(run(*arguments))


def within(limit: float, run: Callable[..., Any], *arguments: Any) -> Any | None:
    """Run a peer in a process of its own; None if it does not finish within the limit."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(run, arguments, there))
    child.start()
    there.close()
    try:
        return here.recv() if here.poll(limit) else None
    except EOFError:
        return None
    finally:
        child.terminate()
        child.join()


def machine(*packages: str) -> dict[str, Any]:
    """Say on what the figures were taken."""
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        **{package: version(package) for package in packages},
    }


def table(header: list[str], rows: list[list[str]]) -> None:
    """Print a Markdown table with aligned columns."""
    widths = [max(len(line[k]) for line in [header, *rows]) for k in range(len(header))]
    rule = ["-" * width for width in widths]
    for line in [header, rule, *rows]:
        print("| " + " | ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) + " |")


def say(message: str) -> None:
    """Tell on stderr what is being measured."""
    print(message, file=sys.stderr, flush=True)


def save(name: str, content: dict[str, Any]) -> None:
    """Write the figures as JSON."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    say(f"wrote {path.relative_to(Path(__file__).parent.parent)}")


def seconds(value: float | None, limit: float | None = None) -> str:
    """Write seconds, or that a limit was passed."""
    if value is None:
        return f"> {limit:g} s"
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"
