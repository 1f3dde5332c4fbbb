"""Study files: what they define, and how mistakes in them are told."""

from __future__ import annotations

from pathlib import Path

import pytest

import catallax as cx
from catallax.errors import CatallaxError, FileFormatError, UnknownNameError
from catallax.estimate.study import read_study, study_of_text
from tests.estimate.study.fake import CELLS, STUDY

HEAD = '[study]\nname = "x"\nsamples = 100\nseeds = [1]\nmechanisms = ["gsom"]\n'
PRIORS = '[[priors]]\nname = "u"\nbuyers = "uniform(0, 1)"\nsellers = "uniform(0, 2)"\n'
BILATERAL = '[[markets]]\ninstance = "bilateral-uniform"\n'


def test_everything_goes_with_everything() -> None:
    study = study_of_text(STUDY)
    assert study.size == CELLS
    assert [setting.label for setting in study.settings] == [
        "double-auction (n = 2)",
        "double-auction (n = 3)",
        "sparse-random (4 × 4, degree = 2, priors uniform)",
        "sparse-random (6 × 3, degree = 2, priors uniform)",
    ]
    assert [rule.label for rule in study.rules] == ["gsom", "gbom", "mcafee"]
    assert [setting.agents for setting in study.settings] == [4, 6, 8, 9]


def test_priors_sizes_and_parameters_multiply() -> None:
    text = HEAD + PRIORS + PRIORS.replace('"u"', '"v"')
    text += '[[markets]]\ngraph = "spatial"\nsizes = [3, 4]\ndegree = [1, 2.5]\n'
    text += '[[markets]]\ninstance = "double-auction"\nparameters = { n = [2, 3], seed = 4 }\n'
    text += 'priors = ["own", "v"]\n'
    study = study_of_text(text)
    assert len(study.settings) == 2 * 2 * 2 + 2 * 2
    assert {setting.priors for setting in study.settings[:8]} == {"u", "v"}
    assert [setting.priors for setting in study.settings[8:]] == ["own", "v"] * 2


def test_a_market_may_have_its_own_mechanisms_and_seeds() -> None:
    text = HEAD + BILATERAL + 'mechanisms = ["gbom", "posted-price"]\nseeds = { count = 3 }\n'
    study = study_of_text(text + '[[markets]]\ninstance = "pareto"\n')
    first, second = study.settings
    assert ([rule.label for rule in first.rules], first.seeds) == (
        ["gbom", "posted-price"],
        (1, 2, 3),
    )
    assert ([rule.label for rule in second.rules], second.seeds) == (["gsom"], (1,))
    assert [rule.label for rule in study.rules] == ["gsom", "gbom", "posted-price"]
    assert (study.seeds, study.size) == ((1, 2, 3), 7)


def test_files_are_found_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    cx.instances.get("horse-market").write(tmp_path / "horses.json")
    path = tmp_path / "studies" / "one.toml"
    path.write_text(HEAD + '[[markets]]\npath = "../horses.json"\n', encoding="utf-8")
    (setting,) = read_study(path).settings
    assert setting.market == "horses"
    market = setting.recipe.build(1)
    assert market.equals(cx.instances.get("horse-market"))


def test_mechanisms_take_parameters() -> None:
    text = HEAD.replace('["gsom"]', '["posted-price", { mechanism = "posted-price", price = 0.3 }]')
    first, second = study_of_text(text + BILATERAL).rules
    assert (first.label, second.label) == ("posted-price", "posted-price(price=0.3)")
    assert second.build() == cx.mechanisms.PostedPrice(0.3)


GRAPH = HEAD + PRIORS + '[[markets]]\ngraph = "spatial"\nsizes = [4]\ndegree = 2\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            HEAD.replace("samples", "samplse") + BILATERAL,
            "'samplse' in 'study': did you mean 'sam",
        ),
        (HEAD + BILATERAL.replace("instance", "instanec"), "'instanec' .*did you mean 'instance'"),
        (HEAD + BILATERAL + "[[prior]]\n", "unknown key 'prior': did you mean 'priors'"),
        (HEAD + PRIORS + 'seller = "point(1)"\n' + BILATERAL, "'seller' .*did you mean 'sellers'"),
        (HEAD + "seeds_ = 1\n" + BILATERAL, "'seeds_' in 'study': did you mean 'seeds'"),
        (HEAD.replace("[1]", "{ cuont = 3 }") + BILATERAL, "seeds"),
        (HEAD.replace("gsom", "gsmo") + BILATERAL, "did you mean 'gsom'"),
        (HEAD + BILATERAL.replace("uniform", "unifrom"), "did you mean 'bilateral-uniform'"),
        (HEAD + BILATERAL + "parameters = { sede = 1 }\n", "'sede': did you mean 'seed'"),
        (GRAPH.replace("spatial", "spacial"), "no graph 'spacial': did you mean 'spatial'"),
        (GRAPH + 'priors = ["w"]\n', r"no \[\[priors\]\] 'w': known are: own, u"),
        (HEAD + BILATERAL + "sizes = [4]\n", "'sizes' has no meaning beside 'instance'"),
        (HEAD + BILATERAL + "graph_seed = 0\n", "'graph_seed' has no meaning beside 'instance'"),
        (GRAPH + "parameters = { n = 4 }\n", "'parameters' has no meaning beside 'graph'"),
        (
            HEAD.replace('["gsom"]', '[{ mechanism = "posted-price", prize = 1 }]') + BILATERAL,
            "'posted-price' has no parameter 'prize': did you mean 'price'",
        ),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest(text: str, complaint: str) -> None:
    with pytest.raises(CatallaxError, match=complaint) as failure:
        study_of_text(text)
    assert isinstance(failure.value, UnknownNameError) or "cuont" in text
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the file is empty; add"),
        ("[study\n", r"no TOML: .*line 1"),
        (BILATERAL, r"there is no \[study\]"),
        (HEAD, "there is no 'markets'"),
        ("markets = []\n" + HEAD, "there are no"),
        (HEAD.replace('name = "x"\n', "") + BILATERAL, "there is no 'name' in 'study'"),
        (HEAD.replace("100", '"many"') + BILATERAL, "'samples' in 'study'"),
        (HEAD.replace("100", "1") + BILATERAL, "samples = 1: .*at least 2"),
        (HEAD + 'draws = "sobol"\n' + BILATERAL, "samples = 100: .*sobol draws .*at least 256"),
        (HEAD.replace("[1]", "[]") + BILATERAL, "seeds: there are none"),
        (HEAD.replace("[1]", '"x"') + BILATERAL, "seeds: there are none; write them as"),
        (HEAD.replace("[1]", "[1.5]") + BILATERAL, r"seeds: 1\.5 is no seed"),
        (HEAD.replace("[1]", "[9223372036854775808]") + BILATERAL, "is no seed"),
        (HEAD.replace('["gsom"]', "[3]") + BILATERAL, "mechanisms: 3 names no mechanism"),
        (HEAD + 'conditional = true\ndraws = "sobol"\n' + BILATERAL, "does not go with Sobol"),
        (HEAD.replace("[1]", "[-1]") + BILATERAL, "-1 is no seed"),
        (HEAD.replace("[1]", "[1, 2, 1]") + BILATERAL, "seeds: '1' occurs twice"),
        (HEAD.replace("[1]", "{ count = 0 }") + BILATERAL, "ask for at least one"),
        (HEAD.replace('"gsom"', "") + BILATERAL, "mechanisms: there are none"),
        (HEAD.replace('"gsom"', '"gsom", "gsom"') + BILATERAL, "'gsom' occurs twice"),
        (HEAD.replace('"gsom"', "{ price = 1 }") + BILATERAL, "names no mechanism"),
        (HEAD + "until = 0\n" + BILATERAL, "until = 0; ask for"),
        (HEAD + 'draws = "sobel"\n' + BILATERAL, "'draws' in 'study': .*'sobol'"),
        (HEAD + BILATERAL + BILATERAL, "markets' names: 'bilateral-uniform' occurs twice"),
        (HEAD + BILATERAL + 'path = "x"\n', "there is instance and path; name exactly one"),
        (HEAD + '[[markets]]\nname = "x"\n', "there is none of them"),
        (HEAD + '[[markets]]\npath = "nowhere"\n', "1 'nowhere': nowhere: there is no such file"),
        (HEAD + BILATERAL + "parameters = { seed = [] }\n", "seed is empty"),
        (HEAD + BILATERAL + "parameters = { seed = [1, 1] }\n", "seed: 1 occurs twice"),
        (HEAD + BILATERAL + "parameters = { seed = { a = 1 } }\n", "is no number"),
        (GRAPH.replace(PRIORS, ""), "a graph has no priors of its own"),
        (GRAPH + 'priors = ["own"]\n', "a graph has no priors of its own"),
        (GRAPH.replace("uniform(0, 1)", "uniform(1, 0)"), r"\[\[priors\]\] 'u' buyers: .*low"),
        (GRAPH.replace('"u"', '"own"'), "cannot be called 'own'"),
        (GRAPH.replace("sizes = [4]\n", ""), "there are no 'sizes'"),
        (GRAPH.replace("[4]", '["a"]'), "sizes: 'a' is no size"),
        (GRAPH.replace("degree = 2", 'degree = "x"'), "degree: 'x' is no number"),
        (GRAPH.replace("[4]", "[0]"), "sizes: 0 is no size"),
        (GRAPH.replace("[4]", "[[4, 4, 4]]"), "is no size"),
        (GRAPH.replace("[4]", "[4, [4, 4]]"), r"sizes: \[4, 4\] occurs twice"),
        (GRAPH.replace("degree = 2\n", ""), "there is no 'degree'"),
        (GRAPH.replace("degree = 2", "degree = -1"), "degree"),
        (
            GRAPH.replace("spatial", "sparse-random").replace("= 2", "= 5"),
            "ask for a degree from 0",
        ),
        (GRAPH.replace("spatial", "complete"), "a complete graph has no 'degree'"),
        (GRAPH + "graph_seed = -1\n", "graph_seed = -1"),
    ],
)
def test_mistakes_are_told_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(CatallaxError, match=complaint) as failure:
        study_of_text(text, "week.toml")
    assert str(failure.value).startswith("week.toml")
    assert "\n" not in str(failure.value)


def test_files_that_are_no_study_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"nowhere\.toml: no such file"):
        read_study(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(HEAD.encode() + b'description = "\xe9"\n')
    with pytest.raises(FileFormatError, match=r"latin\.toml line 6: this is not UTF-8"):
        read_study(tmp_path / "latin.toml")


def test_one_buyer_with_a_value_for_each_item_keeps_her_priors(tmp_path: Path) -> None:
    (tmp_path / "items.json").write_text(
        '{"buyers": [{"id": "b"}], "sellers": [{"id": "s", "prior": "uniform(0, 1)"}],'
        ' "edges": [{"buyer": "b", "seller": "s", "bid": 0.5, "prior": "uniform(0, 1)"}]}'
    )
    text = HEAD + PRIORS + '[[markets]]\npath = "items.json"\npriors = ["u"]\n'
    with pytest.raises(CatallaxError, match="bids and priors on the edges; leave out 'priors'"):
        study_of_text(text, tmp_path / "week.toml")


def test_a_study_without_end_is_refused() -> None:
    text = HEAD.replace("[1]", "{ count = 1_000_001 }")
    with pytest.raises(FileFormatError, match="1,000,001 cells are more than 1,000,000"):
        study_of_text(text + BILATERAL)
