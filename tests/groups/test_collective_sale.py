"""The example of a collective sale runs, and says what its text claims."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from catallax.groups import GroupTrade, Vote, evaluate

PATH = Path(__file__).parents[2] / "examples" / "collective_sale.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    if not PATH.is_file():
        pytest.skip("the examples are not here")
    spec = importlib.util.spec_from_file_location("collective_sale", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_runs_and_draws(example, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(example, "PRICES", np.array([1.3, 1.45, 1.6]))
    picture = tmp_path / "sale.png"
    monkeypatch.setattr(sys, "argv", ["collective_sale.py", "--out", str(picture)])
    example.main()
    told = capsys.readouterr().out
    assert picture.stat().st_size > 10_000
    for words in ("80% of the shares, best price", "95 % safe", "One draw:", "each seller"):
        assert words in told


def test_the_consent_of_80_percent_is_worse_than_the_best_vote(example) -> None:
    shares = example.draw_shares()
    assert len(shares) == example.OWNERS == 358 and len(set(shares)) > 3
    assert shares == example.draw_shares()
    trade = GroupTrade(1, example.OWNERS, example.DEVELOPER, example.OWNER)
    rules = example.consent_rules(shares)
    best = evaluate(trade, example.BestVote(least_buyers=1))
    assert best.method == "exact" and best.error_bound < 1e-7
    for rule in rules.values():
        for price in (1.2, 1.4, 1.6):
            one = evaluate(trade, Vote(example.OWNERS * price, rule))
            assert one.gains_from_trade <= best.gains_from_trade + 1e-9
    strict = [
        evaluate(trade, Vote(example.OWNERS * price, rules["80% of the shares"]))
        for price in (1.575, 1.6, 1.625, 1.65, 1.675)
    ]
    assert max(one.share_of_first_best or 0.0 for one in strict) < 0.5
    assert (best.share_of_first_best or 0.0) > 0.9
