"""The report of a study: complete, self-contained, the same every time, and looked at."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest

import catallax as cx
from catallax.errors import CatallaxError, OutputError
from catallax.estimate.study import Average, StudyResults, load_results, run_study, study_of_text
from catallax.report.study.charts import looks_of
from catallax.report.study.page import save_study_report, study_report
from catallax.report.study.sweeps import sweeps_of
from catallax.report.study.tables import alike, column_decimals, rounded, skipped_once, with_reach

pytest.importorskip("jinja2", reason="Jinja2 is not installed")

STUDY = """
[study]
name = "Shares & <sizes>"
description = "Two paragraphs.\\n\\nThe second one."
samples = 200
seeds = [1, 2, 3]
mechanisms = ["first-best", "gsom", "gbom", "mcafee"]

[[priors]]
name = "flat"
buyers = "uniform(0, 1)"
sellers = "uniform(0, 1)"

[[priors]]
name = "two kinds"
buyers = "mixture([uniform(0, 0.5), uniform(0.8, 1)], [0.7, 0.3])"
sellers = "uniform(0, 1)"

[[markets]]
name = "all <with> all"
graph = "complete"
sizes = [2, 4, 20]

[[markets]]
name = "few partners"
graph = "sparse-random"
sizes = [3, 6]
degree = 2
priors = ["flat"]

[[markets]]
instance = "power-family"
parameters = { k = [1, 2] }
seeds = [5]
mechanisms = ["first-best", "gsom", { mechanism = "posted-price", price = 0.5 }]
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    study = study_of_text(STUDY, tmp_path_factory.mktemp("study") / "shares.toml")
    return run_study(study, workers=1).results


@pytest.fixture(scope="module")
def page(results: StudyResults) -> str:
    return study_report(results)


def text_of(page: str) -> str:
    """The words of a page, as they are read."""
    words = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", words)).split())


def pictures(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def test_the_page_needs_nothing_else(page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe|object|embed|base)\b", page)
    assert not re.search(r"@import|url\((?!#)", page)
    # Addresses are names of what SVG is, and are never fetched.
    links = set(re.findall(r'(?:href|src)="([^"]+)"', page))
    assert links and all(link.startswith("#") for link in links)
    targets = set(re.findall(r'\sid="([^"]+)"', page))
    assert {link.removeprefix("#") for link in links} <= targets
    assert {name for name in re.findall(r"url\(#([^)]+)\)", page)} <= targets


def test_names_on_the_page_are_unique(page: str) -> None:
    names = re.findall(r'\sid="([^"]+)"', page)
    assert len(names) == len(set(names))


def test_every_market_has_its_charts_and_its_picture(page: str, results: StudyResults) -> None:
    drawn = pictures(page)
    # The overview; for each market shares against its sweep, charts, and the market itself.
    assert len(drawn) == 1 + 3 * 3
    for picture in drawn:
        assert picture.get("role") == "img"
        assert picture.get("aria-label")
    words = ["".join(picture.itertext()) for picture in drawn]
    assert "share of first best, with 95 % intervals" in words[0]
    assert "size of the market: buyers + sellers (agents)" in words[1]
    assert all(side in words[2] for side in ("buyers", "sellers", "mechanism", "(units of money)"))
    assert "share of first best" in words[7] and "k" in words[7]
    # A chart shows every mechanism, and says where one does not apply.
    assert "does not apply" in words[5]
    assert "posted-price(price=0.5)" in words[8]


def test_the_numbers_are_those_of_the_results(page: str, results: StudyResults) -> None:
    words = text_of(page)
    study = results.study
    for setting in study.settings:
        for quantity in ("gains_from_trade", "share_of_first_best", "trades"):
            column = [
                results.average(one, rule, quantity)
                for one in study.settings
                for rule in study.rules
                if one.market == setting.market
            ]
            for rule in setting.rules:
                average = results.average(setting, rule, quantity)
                if average is not None:
                    assert with_reach(average, decimals=column_decimals(column)) in words
    first, gsom = results.study.settings[0], results.study.rules[1]
    frame = results.frame.filter(market=first.market, mechanism="gsom", priors="flat")
    mine = frame.filter(frame["parameters"] == '{"n_buyers": 2, "n_sellers": 2}')
    average = results.average(first, gsom, "gains_from_trade")
    assert average is not None
    assert average.mean == pytest.approx(mine["gains_from_trade"].mean())
    # Exact values are told from estimates: the bilateral market's are in closed form.
    known = cx.instances.describe("power-family", k=1).known
    share = known["seller offers"].value / known["first best"].value
    assert f"= {share:.6g}" in words


def test_the_page_says_what_was_run_and_with_what(page: str, results: StudyResults) -> None:
    words = text_of(page)
    assert "Shares & <sizes>" in words and "Shares &amp; &lt;sizes&gt;" in page
    assert "all <with> all" in words and "all <with> all" not in page
    assert "1, 2, 3, 5" in words
    assert "200 draws" in words
    for library in ("numpy", "numba", "scipy", "python"):
        assert library in words
    assert cx.__version__ in words
    assert " ".join(results.study.text.split()) in words
    assert "What was skipped, and why" in words
    once = skipped_once(results.skipped)
    assert len({(market, rule) for market, rule, *_ in results.skipped}) == len(once)
    for market, rule, reason, number in once:
        assert f"{market} {rule} {number} {reason}" in words
    assert "Two paragraphs." in words and "<p>The second one.</p>" in page


def test_the_page_says_that_reports_are_truthful_and_what_is_claimed(page: str) -> None:
    words = text_of(page)
    assert "All figures assume that everybody reports her true value or cost." in words
    ours = "see the table of properties of catallax"
    assert f"gsom truthful (DSIC) truthful (DSIC) ex post weak ex ante {ours}" in words
    assert "nothing was audited" not in words and "It needs besides" not in words


OWN = """
from dataclasses import dataclass
from catallax.mechanisms import Claims, SeparableMechanism

@dataclass(frozen=True)
class Own(SeparableMechanism):
    slug = "own"
    summary = "the first best by another name"
    claims = Claims("BIC", "none", "ex post", "none")
"""


def test_a_mechanism_of_somebody_else_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "somebody_elses.py").write_text(OWN)
    study = study_of_text(
        """
        [study]
        name = "foreign"
        samples = 20
        seeds = [1]
        mechanisms = ["first-best", "somebody_elses:Own"]
        [[markets]]
        name = "two and two"
        instance = "double-auction"
        parameters = { n = 2 }
        """,
        tmp_path / "foreign.toml",
    )
    words = text_of(study_report(run_study(study, workers=1).results))
    del sys.modules["somebody_elses"]
    told = "nothing was audited: these are its own words"
    row = "somebody_elses:Own truthful on average (BIC) not truthful ex post not claimed"
    assert f"{row} {told}" in words
    source = study.rules[1].source
    assert source is not None
    assert (
        f"It needs besides: the source of 'somebody_elses', which defines somebody_elses:Own "
        f"(SHA-256 {source[:16]}…)"
    ) in words
    # The picture is called what the study calls the market.
    assert "two and two" in words and words.count("double-auction") == 1


def test_a_column_has_one_number_of_decimals() -> None:
    gains = [Average(1.25, 0.0, True, 1, 1), Average(0.851234, 0.0441, False, 2, 9), None]
    shares = [Average(1.0, 0.0, True, 1, 1), Average(0.9, 0.5, False, 2, 9), None]
    small = [Average(1e-15, 0.0, True, 1, 1), Average(-2e-15, 1e-15, False, 2, 9), None]
    assert alike(list(zip(gains, shares, small, strict=True))) == [
        ["= 1.250", "= 1.00", "= 0"],
        ["0.851 ± 0.045", "0.90 ± 0.50", "0"],
        ["–", "–", "–"],
    ]


def test_the_same_results_make_the_same_page(page: str, results: StudyResults) -> None:
    again = load_results(results.study)
    assert study_report(again) == page
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", text_of(page))


def test_what_is_not_finished_is_said(results: StudyResults) -> None:
    cut = StudyResults(
        results.study, results.cells, (*results.records[:10], *[None] * (len(results.cells) - 10))
    )
    page = study_report(cut)
    missing = len(results.cells) - 10
    assert f"{missing} of {len(results.cells)} cells are not finished" in text_of(page)
    assert "not finished" in "".join(pictures(page)[2].itertext())


def test_a_study_of_which_nothing_is_finished_has_no_report(
    results: StudyResults, tmp_path: Path
) -> None:
    none = StudyResults(results.study, results.cells, tuple([None] * len(results.cells)))
    with pytest.raises(CatallaxError, match="is finished: catallax study run"):
        save_study_report(none, tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_a_report_is_an_html_file(results: StudyResults, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"report\.pdf: .*ends in \.html"):
        save_study_report(results, tmp_path / "report.pdf")


def test_without_jinja_its_extra_is_told(
    results: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(CatallaxError, match=r"-m pip install jinja2$"):
        study_report(results)


# ------------------------------------------------------------------------------------- its pieces


def test_sweeps_go_over_sizes_and_else_over_a_parameter(results: StudyResults) -> None:
    by_market: dict[str, list[Any]] = {}
    for setting in results.study.settings:
        by_market.setdefault(setting.market, []).append(setting)
    whole, few, pair = map(sweeps_of, by_market.values())
    assert [sweep.panel for sweep in whole] == ["priors: flat", "priors: two kinds"]
    assert [number for number, _ in whole[0].points] == [4.0, 8.0, 40.0]
    assert [sweep.panel for sweep in few] == ["degree = 2, priors: flat"]
    assert [(sweep.axis, [x for x, _ in sweep.points]) for sweep in pair] == [("k", [1.0, 2.0])]
    assert sweeps_of(by_market["power-family"][:1]) == []


def test_mechanisms_look_different() -> None:
    many = ", ".join(f'{{ mechanism = "posted-price", price = {k} }}' for k in range(30))
    study = study_of_text(STUDY.replace('"first-best", "gsom", "gbom", "mcafee"', many))
    looks = looks_of(study.rules)
    assert len({(look.colour, look.marker) for look in looks.values()}) == len(looks)
    del looks["first-best"]
    first = list(looks.values())[:8]
    assert len({look.colour for look in first}) == len({look.marker for look in first}) == 8


@pytest.mark.parametrize(
    ("mean", "reach", "shown"),
    [
        (0.81234, 0.0123, ("0.812", "0.013")),
        (0.99996, 0.00031, ("0.99996", "0.00031")),
        (1234567.0, 1234.0, ("1,234,600", "1,300")),
        (-0.0004, 0.01, ("0.000", "0.010")),
        (5.0, 1e-14, ("5.000000000000", "0.000000000001")),
    ],
)
def test_numbers_are_shown_to_the_digits_that_are_known(
    mean: float, reach: float, shown: tuple[str, str]
) -> None:
    assert rounded(mean, reach) == shown


# -------------------------------------------------------------------------------------- looking

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
_WIDTH = 1200
# As narrow as Chromium's windows get.
_PHONE = 500


class Figure(NamedTuple):
    name: str
    left: int
    top: int
    width: int
    height: int


@pytest.fixture(scope="module")
def chromium() -> str:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    return CHROMIUM


def look(chromium: str, folder: Path, *arguments: str) -> str:
    """Run Chromium without a screen, and without any way to a network."""
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}",
            *arguments,
        ],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


# Written into a copy of the page, which has no script of its own.
MEASURE = """<script>
addEventListener("load", () => {
  const found = [...document.querySelectorAll("figure svg")].map(svg => {
    const box = svg.getBoundingClientRect();
    const name = svg.parentNode.id || svg.parentNode.className;
    return [name, box.left, box.top, box.width, box.height];
  });
  const page = document.documentElement;
  document.title = JSON.stringify({found, width: page.scrollWidth, height: page.scrollHeight});
});
</script></body>"""


@pytest.fixture(scope="module")
def seen(
    chromium: str, page: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[np.ndarray, list[Figure], dict[str, Any]]]:
    """A picture of the whole page, and where its figures are on it."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("chromium")
    path = folder / "page.html"
    path.write_text(page.replace("</body>", MEASURE), encoding="utf-8")
    size = f"--window-size={_WIDTH},900"
    document = look(chromium, folder, size, "--dump-dom", path.as_uri())
    title = re.search(r"<title>(.*?)</title>", document, re.DOTALL)
    assert title is not None
    measured = json.loads(unescape(title[1]))
    size = f"--window-size={_WIDTH},{measured['height']}"
    look(chromium, folder, size, f"--screenshot={folder / 'page.png'}", path.as_uri())
    with Image.open(folder / "page.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.int16)
    figures = [Figure(name, *map(round, box)) for name, *box in measured["found"]]
    yield pixels, figures, measured


def count(pixels: np.ndarray, colour: str) -> int:
    """How many pixels are of a colour, or next to it."""
    wanted = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])
    return int((np.abs(pixels - wanted).max(axis=2) <= 6).sum())


def test_the_page_fits_its_window(seen: tuple[np.ndarray, list[Figure], dict[str, Any]]) -> None:
    pixels, figures, measured = seen
    assert measured["width"] <= _WIDTH
    assert pixels.shape[:2] == (measured["height"], _WIDTH)
    kinds = [figure.name for figure in figures]
    assert kinds == ["overview"] + ["sweep", "charts", "picture"] * 3
    for figure in figures:
        assert figure.left >= 0 and figure.left + figure.width <= _WIDTH
        assert figure.width > 900 and figure.height > 150


def test_the_charts_are_there(
    seen: tuple[np.ndarray, list[Figure], dict[str, Any]], results: StudyResults
) -> None:
    pixels, figures, _ = seen
    looks = looks_of(results.study.rules)
    blue, orange, green = "#0072B2", "#D55E00", "#009E73"
    for figure in figures:
        part = pixels[figure.top : figure.top + figure.height,
                      figure.left : figure.left + figure.width]  # fmt: skip
        ink = (part.min(axis=2) < 200).mean()
        # Neither empty nor filled: lines, marks and words on white.
        assert 0.003 < ink < 0.4, figure
        assert (part.min(axis=2) > 250).mean() > 0.5, figure
        # Something stands in each third, from left to right and from top to bottom.
        for axis in (0, 1):
            shares = [
                (third.min(axis=2) < 200).mean() for third in np.array_split(part, 3, axis=axis)
            ]
            assert min(shares) > 0.0005, (figure, axis)
        if figure.name == "charts":
            # The bars of who gets the gains: both sides, and the mechanism's surplus or deficit.
            assert min(count(part, blue), count(part, orange)) > 500, figure
            assert count(part, green) > 100, figure
        if figure.name == "sweep":
            assert count(part, looks["gsom"].colour) > 100, figure
        if figure.name == "picture":
            assert count(part, blue) > 20 and count(part, orange) > 20, figure
    overview = figures[0]
    part = pixels[overview.top : overview.top + overview.height]
    for rule in ("gsom", "gbom", "mcafee", "posted-price(price=0.5)"):
        assert count(part, looks[rule].colour) > 30, rule


def test_stronger_shares_are_darker(
    seen: tuple[np.ndarray, list[Figure], dict[str, Any]], page: str
) -> None:
    shades = [int(shade) for shade in re.findall(r'<td class="s(\d+)">', page)]
    assert max(shades) == 10 and len(set(shades)) > 3
    # The strongest, of the first best, is half-way to blue.
    strongest = [round(255 - 0.5 * (255 - part)) for part in (0, 0x72, 0xB2)]
    colour = "#" + "".join(f"{part:02x}" for part in strongest)
    assert count(seen[0], colour) > 1000


def test_a_phone_shows_it_at_a_size_that_can_be_read(
    chromium: str, page: str, tmp_path: Path
) -> None:
    """The page is not wider than the screen; charts and tables are, and can be pushed."""
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", MEASURE), encoding="utf-8")
    size = f"--window-size={_PHONE},900"
    document = look(chromium, tmp_path, size, "--dump-dom", path.as_uri())
    title = re.search(r"<title>(.*?)</title>", document, re.DOTALL)
    assert title is not None
    measured = json.loads(unescape(title[1]))
    assert measured["width"] <= _PHONE
    assert len(measured["found"]) == 10
    # Drawn for some 1,000 pixels with letters of 12, at three quarters of that.
    assert all(width > 700 for _, _, _, width, _ in measured["found"])
