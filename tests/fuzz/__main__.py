"""`python -m tests.fuzz`: many broken files, in all processes, with what they did counted."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.fuzz.kinds import KINDS
from tests.fuzz.run import make_case, run_case

GOOD = ("taken", "refused")
BATCH = 100


def batch(
    kind: str, seed: int, first: int, count: int
) -> tuple[str, Counter[str], list[tuple[int, str, str]]]:
    """Run some cases one after the other; return what they came to, and those that are bad."""
    counts: Counter[str] = Counter()
    bad = []
    for number in range(first, first + count):
        verdict = run_case(make_case(kind, seed, number))
        counts[verdict.word] += 1
        if verdict.word not in GOOD:
            bad.append((number, verdict.word, verdict.story))
    return kind, counts, bad


def main() -> int:
    """Run the cases that the options ask for; return 1 if one went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="of all kinds together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS), help="with commas between them")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="for what went wrong")
    chosen = parser.parse_args()
    kinds = chosen.kinds.split(",")
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        parser.error(f"--kinds: there is no {unknown[0]}; known are {', '.join(KINDS)}")
    weights = {kind: KINDS[kind].weight for kind in kinds}
    shares = {
        kind: -(-chosen.cases * part // sum(weights.values())) for kind, part in weights.items()
    }
    work = [(kind, chosen.seed, first, min(BATCH, share - first))
            for kind, share in shares.items() for first in range(0, share, BATCH)]  # fmt: skip
    totals = {kind: Counter[str]() for kind in kinds}
    wrong = 0
    with ProcessPoolExecutor(chosen.workers) as pool:
        for done, (kind, counts, bad) in enumerate(pool.map(batch, *zip(*work, strict=True)), 1):
            totals[kind] += counts
            for number, word, story in bad:
                wrong += 1
                keep(chosen.keep, kind, chosen.seed, number)
                print(f"\n{kind} {chosen.seed} {number}: {word}\n{story}", flush=True)
            if sys.stderr.isatty():
                print(f"\r{done}/{len(work)} batches, {wrong} wrong", end="", file=sys.stderr)
    print(f"{'kind':15} {'taken':>8} {'refused':>8} {'wrong':>8}")
    for kind, counts in totals.items():
        other = counts.total() - counts["taken"] - counts["refused"]
        print(f"{kind:15} {counts['taken']:8,} {counts['refused']:8,} {other:8,}")
    return 1 if wrong else 0


def keep(folder: Path, kind: str, seed: int, number: int) -> None:
    """Write the files of a case to look at, with its command."""
    case = make_case(kind, seed, number)
    place = folder / f"{kind}-{seed}-{number}"
    place.mkdir(parents=True, exist_ok=True)
    for name, content in case.files.items():
        (place / name).write_bytes(content)
    (place / "command.txt").write_text(" ".join(["catallax", *case.arguments]) + "\n")


if __name__ == "__main__":
    sys.exit(main())
