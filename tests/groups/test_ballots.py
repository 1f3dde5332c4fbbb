"""Reports in a vote are ballots: a yes or a no, whatever was guessed of the one who casts it."""

from __future__ import annotations

import json

import pytest

from catallax import groups
from catallax.errors import ReportError
from catallax.groups.member import Member
from catallax.groups.problem import GroupProblem
from catallax.priors import make_prior

BALLOTS = {
    "buyers": {"members": [{"id": "ann", "report": 30, "prior": "point(10)"},
                           {"id": "bob", "report": 8, "prior": "uniform(0, 10)"},
                           {"id": "cem", "report": 25, "prior": "uniform(0, 50)"}]},
    "sellers": {"size": 1, "reports": [90], "prior": "point(40)"},
    "price": 20, "rule": "majority",
}  # fmt: skip


def test_in_a_vote_no_prior_takes_a_yes_or_a_no_away(tmp_path) -> None:
    """A prior on one side of the price foretells a vote; the member may cast another all the same.

    Where both are possible within the prior, a report outside it is a slip of the pen.
    """
    path = tmp_path / "vote.json"

    def read(document=BALLOTS, **arguments) -> GroupProblem:
        path.write_text(json.dumps(document))
        return GroupProblem.read(path, **arguments)

    def changed_buyer(place: int, report: float) -> dict:
        document = json.loads(json.dumps(BALLOTS))
        document["buyers"]["members"][place]["report"] = report
        return document

    problem = read()
    vote = groups.get("vote", **problem.arguments)
    outcome = vote.decide(problem.trade, problem.reports)
    assert outcome.details["buyers_in_favour"] == 2  # ann and cem
    assert outcome.details["sellers_in_favour"] == 0  # 90 is more than the 60 there are to receive
    # At 20 bob was thought to say no, and says yes; at 5 he may say either within his prior.
    assert read(changed_buyer(1, 30)).reports.bids.tolist() == [30, 30, 25]
    for arguments in ({"price": 5.0}, {"mechanism": "best-vote"}, {"mechanism": "forced-trade"}):
        with pytest.raises(ReportError, match=r"buyers\[1\]: buyer 'bob' reports 30.0, outside"):
            read(changed_buyer(1, 30), **arguments)
    with pytest.raises(ReportError, match=r"buyer 'cem' reports 70.0, outside the prior uniform"):
        read(changed_buyer(2, 70))
    # What computes with the amounts themselves refuses them.
    with pytest.raises(ReportError, match=r"buyer 'ann' reports 30.0, outside the prior point\(10"):
        read(mechanism="smooth")
    # So in Python, where nobody has read a file before.
    trade, reports = problem.trade, problem.reports
    with pytest.raises(ReportError, match="buyer 1 lies outside the prior point"):
        groups.Smooth(support=[0, 100]).decide(trade, reports)
    wrong = groups.GroupReports([30, 8, 70], [90])
    with pytest.raises(ReportError, match="bid 70 of buyer 3 lies outside the prior uniform"):
        vote.decide(trade, wrong)
    assert groups.get("forced-trade").decide(trade, wrong).x == 0.0
    assert groups.get("best-vote").decide(trade, reports).x in (0.0, 1.0)


def test_a_recommended_vote_takes_everybodys_ballot(tmp_path) -> None:
    """What owners were guessed at went into the price; what they say then is theirs."""
    members = tuple(Member(k, prior=make_prior(f"point({k})")) for k in range(20))
    problem = GroupProblem(members, (Member("s", prior=make_prior("uniform(100, 300)")),))
    found = groups.recommend(problem.trade, rules=())
    path = found.to_problem(problem).write(tmp_path / "vote.json")
    for report in (0, 1000):
        document = json.loads(path.read_text())
        for side in ("buyers", "sellers"):
            for member in document[side]:
                member["report"] = 200 if side == "sellers" else report
        path.write_text(json.dumps(document))
        problem = GroupProblem.read(path)
        outcome = groups.get("vote", **problem.arguments).decide(problem.voters, problem.reports)
        assert outcome.details["buyers_in_favour"] == (20 if report else 0)
