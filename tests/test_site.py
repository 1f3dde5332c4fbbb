"""The site of the documentation builds without a warning, and nothing in it is missing."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import catallax

ROOT = Path(__file__).parents[1]
NEEDED = ("sphinx", "myst_parser", "furo")
ROOMS = ("markets", "priors", "matching", "mechanisms", "groups", "estimate", "audit", "papers")

# What brings a resource into a page when it is read, as against a link that a reader may follow.
LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "src"), ("iframe", "src")}
# Relations of <link> that load nothing.
POINTERS = {"index", "search", "next", "prev", "canonical", "author"}


class Page(HTMLParser):
    """The links of a page, what it loads, its anchors, and pictures without a description."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.undescribed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "img" and not given.get("alt"):
            self.undescribed.append(given.get("src", ""))
        for name in ("src", "href"):
            if given.get(name) and (tag, name) in LOADED and given.get("rel") not in POINTERS:
                self.loaded.append(given[name])


def broken_links(site: Path) -> Iterator[str]:
    """Yield what is wrong with the pages below a folder, one line for each."""
    pages = {path.resolve(): Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        yield from (f"{name}: picture without a description: {src}" for src in page.undescribed)
        for target in page.loaded:
            if urlsplit(target).scheme not in {"", "data"} or target.startswith("//"):
                yield f"{name}: loads {target} from elsewhere"
        for target in {*page.links, *page.loaded}:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not file.is_file():
                yield f"{name}: {target} leads nowhere"
            elif (
                parts.fragment
                and file in pages
                and unquote(parts.fragment) not in (pages[file].anchors)
            ):
                yield f"{name}: {target} names no place on that page"


# One test and no fixture: workers of pytest would each build a site of their own.
@pytest.mark.timeout(600)  # some ten seconds where nothing else runs
def test_the_site(tmp_path: Path) -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: make site")
    if not (ROOT / "docs" / "conf.py").is_file():
        pytest.skip("the sources of the documentation are not here")
    # -W: a warning is an error. Nobody may be asked anything: a proxy that does not exist.
    nowhere = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy")}
    options = ["-W", "--keep-going", "-q", "-b", "html", "-c", "docs"]
    folders = ["-d", str(tmp_path / "doctrees"), ".", str(tmp_path / "html")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, *folders],
        check=False,
        cwd=ROOT,
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    site = tmp_path / "html"
    assert list(broken_links(site)) == []
    check_that_styles_and_scripts_ask_nobody(site)
    check_the_first_page(site)
    check_that_every_page_is_there(site)
    check_that_the_reference_has_every_public_name(site)


def check_that_styles_and_scripts_ask_nobody(site: Path) -> None:
    asks = re.compile(
        r"""(@import|url\()\s*["']?(https?:)?//|fetch\(\s*["'`]https?:|\.src\s*=\s*["']https?:"""
    )
    assert asks.search("@import url(https://fonts.example/f.css)")
    for path in [*site.rglob("*.css"), *site.rglob("*.js")]:
        assert not asks.search(path.read_text("utf-8")), path


def check_the_first_page(site: Path) -> None:
    assert 'url=docs/index.html"' in (site / "index.html").read_text("utf-8")
    first = Page((site / "docs" / "index.html").read_text("utf-8"))
    for person in ("tutorial-operator", "tutorial-researcher", "tutorial-groups"):
        assert f"{person}.html" in first.links


def check_that_every_page_is_there(site: Path) -> None:
    pages = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    pages |= {path.relative_to(ROOT).with_suffix("") for path in ROOT.glob("examples/*/*.ipynb")}
    pages |= {Path(name) for name in ("README", "ARCHITECTURE", "CHANGELOG", "benchmarks/README")}
    assert [
        page for page in sorted(pages) if not (site / page).with_suffix(".html").is_file()
    ] == []


def check_that_the_reference_has_every_public_name(site: Path) -> None:
    text = (site / "genindex.html").read_text("utf-8")
    described = set(re.findall(r'#(catallax\.[\w.]+)"', text))
    for room in ROOMS:
        module = importlib.import_module(f"catallax.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                assert f"catallax.{room}.{name}" in described, name
    for name in catallax.errors.__all__:
        assert f"catallax.errors.{name}" in described, name


# What follows tests the checker itself: each of its findings can be found.


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ('<a href="other.html#there">', None),
        ('<a href="#here"><p id="here">', None),
        ('<a href="https://example.org/x">', None),
        ('<img src="picture.svg" alt="a picture">', None),
        ('<img src="picture.svg">', "picture without a description"),
        ('<img src="none.svg" alt="none">', "leads nowhere"),
        ('<a href="none.html">', "leads nowhere"),
        ('<a href="other.html#nowhere">', "names no place"),
        ('<a href="#nowhere">', "names no place"),
        ('<script src="https://example.org/x.js"></script>', "from elsewhere"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "from elsewhere"),
    ],
)
def test_the_checker_sees(text: str, finding: str | None, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(text, "utf-8")
    (tmp_path / "other.html").write_text('<p id="there">', "utf-8")
    (tmp_path / "picture.svg").write_text("<svg/>", "utf-8")
    found = list(broken_links(tmp_path))
    assert len(found) == (finding is not None)
    assert not finding or finding in found[0]
