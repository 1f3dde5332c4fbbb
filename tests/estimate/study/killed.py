"""Runs that kill themselves, as if by a signal from outside, so many lines of our code from now.

``python -m tests.estimate.study.killed STUDY FOLDER`` reads lines of two numbers, CELLS and LINES.
For each it starts a run, which counts the lines of `catallax.estimate.study` that are executed
once so many cells are finished, and dies after so many of them; with 0 lines it dies in the middle
of writing the next file. It then prints the signal that ended the run.

Every run is a copy of this process, made before anything has happened in it: libraries are
imported once and not ten times.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from catallax.estimate.study import read_study, run_study
from tests.estimate.study.fake import record_of

OURS = os.path.join("catallax", "estimate", "study") + os.sep  # noqa: PTH118


def run(study: str, folder: str, cells: int, lines: int) -> None:
    left = lines
    armed = False

    def arm(_: float, words: str) -> None:
        nonlocal armed
        armed = armed or int(words.split(" of ")[0]) >= cells

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if OURS not in frame.f_code.co_filename:
            return None
        if armed and event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    write = Path.write_bytes

    def write_half(path: Path, content: bytes) -> int:
        if armed:
            write(path, content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(path, content)

    if lines:
        sys.settrace(trace)
    else:
        Path.write_bytes = write_half
    run_study(read_study(study), folder, workers=1, compute=record_of, progress=arm)


def main(study: str, folder: str) -> None:
    for line in sys.stdin:
        cells, lines = map(int, line.split())
        child = os.fork()
        if not child:
            run(study, folder, cells, lines)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
