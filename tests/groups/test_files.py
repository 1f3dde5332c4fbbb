"""Group decision files: both formats, tables, round trips, and everything that is refused."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catallax.errors import (
    CatallaxError,
    DuplicateIdError,
    FileFormatError,
    MissingPriorError,
    MissingReportError,
    OutputError,
    PriorError,
    ReportError,
    UnknownNameError,
    VotingRuleError,
)
from catallax.groups.boolean_rules import BooleanRule, Coalitions
from catallax.groups.files.reading import KEYS
from catallax.groups.files.sides import MEMBER_KEYS, SIDE_KEYS, WORDS
from catallax.groups.member import Member
from catallax.groups.problem import GroupProblem
from catallax.groups.rules import RULES, Anonymous, Majority, Quota
from catallax.groups.weighted_rules import WeightedQuota
from catallax.priors import make_prior, parse_prior

OWNERS = """id,report,share,prior,floor
101,1.5,12,own,1
102,1.75,10.5,,1
201,2,20.25,"uniform(0, 9)",2
"""

BLOCK = """
name = "Pearl Court"
currency = "SGD"
mechanism = "vote"
price = 2

[rule]
kind = "weighted-quota"
buyers = 1
sellers = "80%"

[buyers]
members = [{id = "developer", bid = 8.5, prior = {kind = "uniform", low = 0, high = 20}}]

[sellers]
table = "owners.csv"
ids = "integer"
prior = "uniform(0, 5)"

[priors.own]
kind = "normal"
mean = 1.5
sd = 0.5
low = 0
"""


def block(folder: Path, document: str = BLOCK, owners: str = OWNERS) -> Path:
    (folder / "owners.csv").write_text(owners)
    (folder / "block.toml").write_text(document)
    return folder / "block.toml"


def test_a_folder_with_a_table(tmp_path) -> None:
    problem = GroupProblem.read(block(tmp_path))
    assert (problem.name, problem.currency, problem.mechanism) == ("Pearl Court", "SGD", "vote")
    assert problem.buyers == (Member("developer", 8.5, None, parse_prior("uniform(0, 20)")),)
    assert [one.id for one in problem.sellers] == [101, 102, 201]
    assert [one.share for one in problem.sellers] == [12, 10.5, 20.25]
    assert [one.prior.describe() for one in problem.sellers] == [
        "normal(1.5, 0.5, low=0)",
        "uniform(0, 5)",
        "uniform(0, 9)",
    ]
    # The rule's shares are those of the table.
    assert problem.rule == WeightedQuota(None, [12, 10.5, 20.25], buyers=1, sellers="80%")
    assert problem.arguments == {"price": 2.0, "rule": problem.rule}
    assert problem.reports.bids.tolist() == [8.5]
    assert problem.reports.asks.tolist() == [1.5, 1.75, 2.0]
    assert problem.trade.n_sellers == 3 and len(problem.trade.seller_prior) == 3
    problem.trade.check(problem.reports)


def test_json_in_all_shapes(tmp_path) -> None:
    path = tmp_path / "club.json"
    path.write_text(
        json.dumps(
            {
                "buyers": [{"id": "ann", "report": 0.5}, {"id": "bob", "report": 0.25}],
                "sellers": {"reports": [0.125, 1], "shares": [1, 3], "prior": "u"},
                "rule": {"kind": "coalitions", "enough": [[["bob"], [2]], [["ann", "bob"], []]]},
                "priors": {"u": {"kind": "uniform", "low": 0, "high": 1}},
            }
        )
    )
    problem = GroupProblem.read(str(path))
    assert problem.name == "club" and problem.price is None
    assert [one.id for one in problem.sellers] == [1, 2]
    assert problem.rule == Coalitions([([1], [1]), ([0, 1], [])])
    assert problem.sellers[1] == Member(2, 1.0, 3.0, parse_prior("uniform(0, 1)"))
    with pytest.raises(MissingPriorError, match="buyer 'ann' has no prior"):
        _ = problem.trade
    assert problem.voters.n_buyers == 2  # a vote at a price looks at no priors
    problem.voters.check(problem.reports)


def test_sizes_alone(tmp_path) -> None:
    path = tmp_path / "club.toml"
    path.write_text('rule = "quota(2, 50%)"\nbuyers = {size = 3, prior = "uniform(0, 1)"}\n'
                    'sellers = {size = 2, prior = "point(0.5)"}\n')  # fmt: skip
    problem = GroupProblem.read(path)
    assert problem.trade.n_buyers == 3 and problem.rule == Quota(2, 0.5)
    with pytest.raises(MissingReportError, match=r"club\.toml buyer 1 has made no report"):
        _ = problem.reports


MEMBERS = st.lists(
    st.builds(
        lambda report, share, prior: (report, share, prior),
        st.sampled_from([0.0, 1.0]) | st.floats(0, 1),
        st.floats(0.001, 1e6),
        st.none()
        | st.sampled_from(["uniform(0, 1)", "beta(2, 3)", "discrete([0, 1], [0.5, 0.5])"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MEMBERS, MEMBERS, st.integers(0, 5), st.booleans(), st.sampled_from([".json", ".toml"]))
def test_what_is_written_is_read_back(tmp_path, buyers, sellers, which, shared, suffix) -> None:
    sides = [
        tuple(
            Member(
                k if side else f'{k} "é\t\x7f\\',
                report if reported else None,
                share if shared else None,
                None if prior is None else parse_prior(prior),
            )
            for k, (report, share, prior) in enumerate(given)
        )
        for side, given, reported in ((0, buyers, which != 1), (1, sellers, which > 2))
    ]
    n, m = map(len, sides)
    shares = [[one.share for one in side] if shared else None for side in sides]
    rule = [
        None,
        Majority(),
        Quota("2/3", 1),
        Anonymous([[False] * m + [True]] * (n + 1)),
        Coalitions([([0], [m - 1])]),
        WeightedQuota(*shares, buyers="50%", sellers="12.5%"),
    ][which]
    if which == 5 and not shared:
        rule = WeightedQuota([1.0] * n, None)
    problem = GroupProblem(
        *sides,
        name="Zürich ']]",
        price=0.1 if which else None,
        rule=rule,
        mechanism="vote" if shared else None,
        parameters={"least": [1, 2.5, "x"]} if shared else {},
    )
    path = problem.write(tmp_path / f"problem{suffix}")
    assert GroupProblem.read(path) == problem
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_a_weighted_rule_of_its_own_shares(tmp_path) -> None:
    """Shares in the rule count for the vote, whatever the members' shares are."""
    members = Member("a", share=1.0), Member("b", share=2.0)
    for rule in (
        WeightedQuota([5, 5], [1, 2], buyers=5, sellers=1),
        WeightedQuota(None, [2, 2], buyers=1, sellers=1),
    ):
        problem = GroupProblem(members, members, rule=rule)
        again = GroupProblem.read(problem.write(tmp_path / "p.toml"))
        sides = again.rule.sides(2, 2), rule.sides(2, 2)
        assert sides[0] == sides[1]


DOCUMENT = {
    "buyers": {"members": [{"id": "ann", "report": 3}, {"id": "bob", "report": 4}]},
    "sellers": {"size": 2, "reports": [1, 2]},
}


def changed(**keys) -> str:
    return json.dumps({key: one for key, one in (DOCUMENT | keys).items() if one is not None})


def buyers(*members, **keys) -> str:
    return changed(buyers={"members": list(members), **keys})


BAD = [
    (changed(buyers=None), FileFormatError, ["there is no 'buyers'"]),
    (changed(byers=[]), UnknownNameError, ["unknown key 'byers'", "did you mean 'buyers'"]),
    (changed(buyers=[]), FileFormatError, ["'buyers' has no members", "at least one"]),
    (changed(sellers={"size": 0}), FileFormatError, ["'sellers' has no members"]),
    (changed(sellers={"size": -1}), FileFormatError, ["'size' of 'sellers' is -1"]),
    (changed(sellers={"size": True}), FileFormatError, ["'size' of 'sellers' is True"]),
    (changed(sellers={}), FileFormatError, ["none of them", "'members', a 'table' or a 'size'"]),
    (changed(sellers={"size": 1, "table": "x.csv"}), FileFormatError, ["table and size"]),
    (changed(sellers={"size": 3, "reports": [1]}), FileFormatError, ["1 reports and 3 members"]),
    (changed(sellers={"members": [{"id": 1}], "shares": [1]}), FileFormatError, ["'shares'"]),
    (changed(sellers={"size": 1, "report": [1]}), UnknownNameError, ["did you mean 'reports'"]),
    (changed(sellers=7), FileFormatError, ["'sellers' is 7", "list of members"]),
    (changed(sellers={"table": "no.csv"}), FileFormatError, ["'no.csv'", "not there"]),
    (changed(sellers={"table": 3}), FileFormatError, ["'table' in 'sellers' is 3"]),
    (buyers({"id": "ann"}, {"id": "ann"}), FileFormatError,
     ["buyers[1]", "'ann' was already listed", "buyers[0]"]),
    (buyers({"id": ""}), DuplicateIdError, ["buyers[0]", "no id"]),
    (buyers({"report": 2}), UnknownNameError, ["buyers[0]", "no column 'id'"]),
    (buyers({"id": "ann", "report": "x"}), ReportError, ["buyers[0]", "buyer 'ann'", "text"]),
    (buyers({"id": "ann", "reprot": 1}), UnknownNameError, ["did you mean 'report'"]),
    (buyers({"id": "ann", "report": 1}, {"id": "bob"}), ReportError, ["buyers[1]", "no report"]),
    (buyers({"id": "ann", "report": 1, "bid": 2}), FileFormatError, ["'report'", "'bid'"]),
    (buyers({"id": "ann", "share": -1}), ReportError, ["buyer 'ann'", "share -1.0"]),
    (buyers({"id": "ann", "report": 9}, prior="uniform(0, 1)"), ReportError,
     ["buyers[0]", "buyer 'ann' reports 9.0", "outside the prior uniform(0, 1)", "widen"]),
    (buyers({"id": "ann", "prior": "u"}), UnknownNameError, ["buyer 'ann'", "'u'"]),
    (buyers({"id": "ann", "prior": "uniform(1, 0)"}), PriorError, ["buyer 'ann'", "low"]),
    (buyers({"id": "ann"}, prior={"kind": "unifrm"}), PriorError, ["did you mean 'uniform'"]),
    (changed(priors={"u": {"kind": "point"}}), PriorError, ["prior 'u'", "'value' is missing"]),
    (changed(priors=[1]), FileFormatError, ["'priors' is [1]"]),
    (changed(price="20"), VotingRuleError, ["price is '20'", "without quotes"]),
    (changed(price=True), VotingRuleError, ["price is True", "finite number"]),
    (changed(name=3), FileFormatError, ["'name' is 3"]),
    (changed(rule="majorty"), UnknownNameError, ["rule", "did you mean 'majority'"]),
    (changed(rule={"kind": "anonymous", "least": [2, 2, 1, 0], "sellers": 2}), VotingRuleError,
     ["club.json rule", "was made for 3 buyers and 2 sellers, and the file lists 2 and 2",
      "with report 0"]),
    (changed(rule="quota(3, 1)"), VotingRuleError, ["rule", "3 of 2 buyers"]),
    (changed(rule={"kind": "anonymous", "table": [[1, 0], [0, 1]]}), VotingRuleError,
     ["not monotone"]),
    (changed(rule={"kind": "weighted-quota"}), VotingRuleError, ["give each a 'share'"]),
    (changed(rule="weighted-quota"), VotingRuleError,
     ["club.json rule", '{kind = "weighted-quota", buyers = 1, sellers = "80%"}']),
    (changed(rule={"kind": "weighted-quota"}, sellers={"size": 2, "shares": [1, 2]}),
     VotingRuleError, ["club.json rule", '{kind = "weighted-quota", buyers = 1']),
    (changed(rule={"kind": "coalitions", "enough": [[["ann"], [3]]]}), VotingRuleError,
     ["names seller 3"]),
    (changed(rule={"kind": "coalitions", "enough": [["ann"]]}), VotingRuleError,
     ["is no coalition"]),
    (changed(rule={"kind": "coalitions", "enough": [["ann", "zed"]]}), VotingRuleError,
     ["names seller 'zed'"]),
    ('{"buyers": [}', FileFormatError, ["line 1", "mend the JSON"]),
    ("[]", FileFormatError, ["an object is expected"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "error", "words"), BAD, ids=range(len(BAD)))
def test_bad_documents(tmp_path, text, error, words) -> None:
    path = tmp_path / "club.json"
    path.write_text(text)
    check(path, error, words)


def check(path: Path, error: type[CatallaxError], words: list[str]) -> None:
    with pytest.raises(error) as caught:
        GroupProblem.read(path)
    message = str(caught.value)
    assert path.name in message or "owners.csv" in message
    assert "\n" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    ("document", "owners", "error", "words"),
    [
        (BLOCK, OWNERS.replace("1.75", "x"), ReportError,
         ["owners.csv line 3", "seller 102", "'x'"]),
        (BLOCK, OWNERS.replace("1.75", "7"), ReportError,
         ["owners.csv line 3", "seller 102", "outside the prior uniform(0, 5)"]),
        (BLOCK, OWNERS.replace("own", "owm"), UnknownNameError,
         ["owners.csv line 2", "did you mean 'own'"]),
        (BLOCK, OWNERS.replace("102", "101"), FileFormatError,
         ["owners.csv line 3", "already listed"]),
        (BLOCK, OWNERS.replace("10.5", ""), ReportError, ["owners.csv line 3", "no share"]),
        (BLOCK, OWNERS.replace("share", "shore"), UnknownNameError, ["did you mean 'share'"]),
        (BLOCK.replace('"80%"', '"180%"'), OWNERS, VotingRuleError, ["rule", "'180%'"]),
        (BLOCK.replace("[rule]", "[rule"), OWNERS, FileFormatError, ["no TOML"]),
        (BLOCK.replace("weighted-quota", "wieghted-quota"), OWNERS, UnknownNameError,
         ["did you mean 'weighted-quota'"]),
    ],
)  # fmt: skip
def test_bad_tables(tmp_path, document, owners, error, words) -> None:
    check(block(tmp_path, document, owners), error, words)


def test_bad_files(tmp_path) -> None:
    check(tmp_path / "none.json", FileFormatError, ["cannot be read"])
    (tmp_path / "club.yaml").write_text("x")
    check(tmp_path / "club.yaml", FileFormatError, ["neither .json nor .toml"])
    (tmp_path / "club.toml").write_bytes(b"name = 'x'\nx = '\xe9'\n")
    check(tmp_path / "club.toml", FileFormatError, ["line 2", "UTF-8"])
    with pytest.raises(MissingReportError, match="buyer 2 has no report and others have"):
        GroupProblem((Member(1, 1.0), Member(2)), (Member(1, 1.0),))
    problem = GroupProblem((Member(1, 1.0),), (Member(1, 1.0),))
    with pytest.raises(OutputError, match="json or"):
        problem.write(tmp_path / "x.yaml")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        problem.write(tmp_path / "folder.json")
    with pytest.raises(VotingRuleError, match="cannot be written"):
        GroupProblem(*[(Member(1),)] * 2, rule=BooleanRule(lambda b, s: True)).write(
            tmp_path / "x.json"
        )
    assert not (tmp_path / "x.json").exists()


def test_survey_answers_may_be_reported_as_they_were(tmp_path) -> None:
    """An interval prior puts its mass on steps; any report within the answers is possible."""
    prior = {"kind": "intervals", "low": [0, 2], "high": [1, 5]}
    path = tmp_path / "club.json"
    path.write_text(buyers({"id": "ann", "report": 4.5}, prior=prior))
    assert GroupProblem.read(path).buyers[0].prior == make_prior(prior)
    path.write_text(buyers({"id": "ann", "report": 5.5}, prior=prior))
    check(path, ReportError, ["outside the prior"])


def test_every_key_of_a_group_file_stands_in_the_tables_of_its_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "group-files.md").read_text("utf-8")
    keys, rules = page.split("## Rules")

    def column(text: str) -> list[tuple[str, list[str]]]:
        rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
        return [(row[0].strip(" `"), re.findall(r"`(\w+)`", row[1])) for row in rows[1:]]

    listed: dict[str, list[str]] = {}
    for where, names in column(keys):
        listed.setdefault(where, []).extend(names)
    assert set(listed) == {"top", "side", "member"}
    assert all(len(names) == len(set(names)) for names in listed.values())
    assert set(listed["top"]) == set(KEYS)
    assert set(listed["side"]) == set(SIDE_KEYS)
    assert set(listed["member"]) == {*MEMBER_KEYS, *WORDS.values()}
    told: dict[str, set[str]] = {}
    kind = ""
    for cell, names in column(rules):
        kind = cell or kind
        told.setdefault(kind, set()).update(names)
    known = {kind: set(inspect.signature(rule).parameters) for kind, rule in RULES.items()}
    known["anonymous"] |= {"least", "sellers"}  # the short form, which is what is written
    assert told == known
