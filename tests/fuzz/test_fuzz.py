"""A few broken files of each kind; `make fuzz` runs a hundred thousand."""

from __future__ import annotations

import pytest

from tests.fuzz.kinds import KINDS
from tests.fuzz.run import make_case, run_case


@pytest.mark.parametrize("kind", KINDS)
def test_broken_files_are_refused_or_understood(kind: str) -> None:
    words = set()
    for number in range(10 + 3 * KINDS[kind].weight):
        verdict = run_case(make_case(kind, 1, number))
        assert verdict.word in {"taken", "refused"}, (
            f"case {kind} 1 {number}: {verdict.word}\n{verdict.story}"
        )
        words.add(verdict.word)
    assert words == {"taken", "refused"}, "a harness that never sees both tests nothing"


def test_a_case_can_be_made_again() -> None:
    assert make_case("market-json", 3, 7) == make_case("market-json", 3, 7)
