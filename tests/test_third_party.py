"""A mechanism that catallax does not know works like its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import catallax as cx
from tests.documentation import read_blocks

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "third_party_mechanism.py"


def test_the_page_shows_the_example() -> None:
    page = (ROOT / "docs" / "adding-a-mechanism.md").read_text(encoding="utf-8")
    shown = [block.text for block in read_blocks("page", page) if "file" in block.orders]
    assert shown == [EXAMPLE.read_text(encoding="utf-8")]


def test_it_clears_and_explains() -> None:
    spec = importlib.util.spec_from_file_location("third_party_mechanism", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    market = cx.instances.get("neighbourhood-energy")
    outcome = cx.clear(market, module.Reserve())
    best = cx.clear(market, "first-best")
    assert 0 < len(outcome) < len(best)
    assert outcome.buyer_pays.min() >= 30.0
    for row in outcome.agents.iter_rows(named=True):
        assert outcome.explain(row["id"], row["role"]).endswith(".")
    capped = cx.Market(
        market.buyers, market.sellers, market.graph, reports=market.require_reports(),
        constraints=[{"kind": "cap", "limit": 2}],
    )  # fmt: skip
    assert len(cx.clear(capped, module.Reserve())) == 2


@pytest.mark.parametrize("name", ["third_party_mechanism:Reserve", "third_party_mechanism:Nobody"])
def test_the_command_line_finds_it_in_the_current_folder(name: str) -> None:
    code = "import sys; from catallax.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "clear", "instance:neighbourhood-energy", "--mechanism", name],
        check=False,
        cwd=EXAMPLE.parent,
        capture_output=True,
        text=True,
    )
    if name.endswith("Nobody"):
        assert done.returncode == 2 and "has no 'Nobody'" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert "reserve: the most gains from trade" in done.stdout
