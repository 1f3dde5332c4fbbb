"""Every example of the documentation runs, and prints what its page says it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import documentation
from tests.documentation import PageError, run_page, same_output

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]
PAGES += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
# These register what others would then see, or take long: each has a process of its own. All
# others share four, which saves the time that every process takes to begin.
ALONE = {"README.md", "CONTRIBUTING.md", "docs/adding-a-mechanism.md", "docs/audits.md"}
ALONE |= {"docs/gallery.md", "docs/mathematics.md"}
TOGETHER = [page for page in PAGES if page not in ALONE]
RUNS = [[page] for page in PAGES if page in ALONE] + [TOGETHER[k::4] for k in range(4)]


@pytest.mark.parametrize("pages", RUNS, ids=lambda pages: pages[0])
def test_examples_of_pages(pages: list[str], tmp_path: Path) -> None:
    # A process of its own: what pages register or set is gone with it.
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "tests" / "documentation.py"), *pages],
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.fail(done.stderr, pytrace=False)
    counts = dict(re.findall(r"^(.+): (\d+) examples$", done.stdout, re.MULTILINE))
    assert list(counts) == pages
    # A reader that found no example in the README would be a broken reader.
    assert counts.get("README.md") != "0"


# What follows tests the reader itself: each of its checks can fail.

Runner = Callable[[str], int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.chdir(tmp_path)
    return lambda text: run_page("page.md", text, tmp_path)


def test_blocks_share_names_from_top_to_bottom(run: Runner) -> None:
    count = run(
        "```python\nx = 20\n```\n"
        "~~~python\n>>> y = x + 1\n>>> print('a', y)\na    2...\n~~~\n"
        "- in a list\n\n  ```python\n  assert (x, y) == (20, 21)\n  ```\n"
    )
    assert count == 3


def test_a_block_can_be_a_file_for_the_blocks_below(run: Runner) -> None:
    page = "<!-- file: a/b.txt -->\n```text\n7\n```\n```python\nfrom pathlib import Path\n"
    assert run(page + "assert Path('a/b.txt').read_text() == '7\\n'\n```\n") == 1
    with pytest.raises(PageError):
        run(page + "assert Path('a/b.txt').read_text() == '8\\n'\n```\n")


@pytest.mark.parametrize(
    "text",
    [
        "```python\nassert False\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
        "```python\n>>> undefined\n```\n",
        "```python\nx = 1\n```\n```python\n>>> x\n2\n```\n",
    ],
)
def test_a_python_block_that_fails_fails_the_page(run: Runner, text: str) -> None:
    with pytest.raises(PageError):
        run(text)


def test_a_failure_tells_its_place(run: Runner) -> None:
    with pytest.raises(PageError, match=r"^page\.md:4: ZeroDivisionError"):
        run("Title\n\n```python\n1 / 0\n```\n")


def test_a_console_block_runs_and_is_compared(run: Runner) -> None:
    version = "$ catallax --version\ncatallax   ...\n"
    assert run(f"```console\n{version}$ catallax mechanisms \\\n  --json\n```\n") == 1
    with pytest.raises(PageError, match="but the page shows"):
        run("```console\n$ catallax --version\nno version\n```\n")


@pytest.mark.parametrize(
    ("page", "command", "shell"),
    [
        ("page.md", "catallax mechanisms --json", False),
        ("page.md", "catallax prior 'uniform(0, 1)' --json", False),
        ("page.md", 'catallax prior "uniform(0, 1)" --json', False),
        ("page.md", "catallax prior $PRIOR --json", True),
        ("page.md", "catallax mechanisms --json > list.json", True),
        ("page.md", "catallax mechanisms --json | cat", True),
        ("README.md", "catallax mechanisms --json", True),
    ],
)
def test_a_shell_is_started_where_it_is_needed(
    page: str, command: str, shell: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by: list[str] = []
    monkeypatch.setattr(documentation, "run_in_shell", lambda *_: by.append("shell") or (0, ""))
    monkeypatch.setattr(documentation, "run_here", lambda *_: by.append("here") or (0, ""))
    run_page(page, f"```console\n$ {command}\n```\n", tmp_path)
    assert by == ["shell" if shell else "here"]


def test_a_command_sees_the_same_here_and_in_a_shell(tmp_path: Path) -> None:
    for words in (["mechanisms"], ["clear", "nowhere"], ["clear", "instance:horse-market", "-q"]):
        here = documentation.run_here(words, tmp_path)
        assert here == documentation.run_in_shell(f"catallax {' '.join(words)}", tmp_path)


def test_a_module_of_the_page_is_read_again(tmp_path: Path) -> None:
    module = (ROOT / "examples" / "third_party_mechanism.py").read_text(encoding="utf-8")
    words = ["clear", "instance:horse-market", "--mechanism", "mine:Reserve", "--json"]
    printed = []
    for price in ("20.0", "25.0"):
        (tmp_path / "mine.py").write_text(module.replace("30.0", price), encoding="utf-8")
        printed.append(documentation.run_here(words, tmp_path)[1])
    assert printed[0] != printed[1]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```console\n$ catallax no-such-command\n```\n", "ended with status 2, not 0"),
        ("<!-- exit: 2 -->\n```console\n$ catallax --version\n```\n", "ended with status 0, not 2"),
        ("```console\n$ rm -r nothing\n```\n", "only catallax is run here"),
        ("```console\ncatallax --version\n```\n", "starts with a command"),
        ("```sh\ncatallax --version\n```\n", "is fenced as `console`"),
        ("```python\n1 / 0\n", "never closed"),
        ("<!-- no-test -->\n```python\n1 / 0\n```\n", "nobody obeys"),
        ("<!-- no-test: later -->\ntext\n```python\n1\n```\n", "no block below"),
    ],
)
def test_the_reader_complains(run: Runner, text: str, complaint: str) -> None:
    with pytest.raises(PageError, match=complaint):
        run(text)


def test_a_block_is_left_out_only_for_a_reason(run: Runner) -> None:
    assert run("<!-- no-test: needs a cluster -->\n```python\n1 / 0\n```\n") == 0


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a  b\n\nc", "a b\nc\n", True),
        ("a b", "a\nb", False),
        ("a ... z", "a b\nc z", True),
        ("a ... z", "a b c", False),
        ("total ...", "total 3.5", True),
        ("...\nlast", "first\nlast", True),
        ("(a.c)", "(abc)", False),
    ],
)
def test_output_is_compared_but_for_white_space(shown: str, printed: str, same: bool) -> None:
    assert same_output(shown, printed) is same


def test_pages_link_to_what_is_there() -> None:
    """Without building the site, which `tests/test_site.py` does where Sphinx is installed."""
    link = re.compile(r"\]\((?!https?:)(?P<path>[^)\s#]+)(?:#[\w.-]+)?\)")
    seen = 0
    for page in [*PAGES, "CHANGELOG.md", "benchmarks/README.md"]:
        text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
        for found in link.finditer(text):
            assert ((ROOT / page).parent / found["path"]).exists(), f"{page}: {found['path']}"
            seen += 1
    assert seen > 100


def test_the_gallery_draws_every_picture_it_shows() -> None:
    text = (ROOT / "docs" / "gallery.md").read_text("utf-8")
    shown = [Path(found["path"]).name for found in documentation.PICTURE.finditer(text)]
    assert len(shown) == len(set(shown)) > 10
    assert [name for name in shown if f'"{name}")' not in text] == []
    sections = re.split(r"^## ", text, flags=re.M)[1:]
    assert len(sections) == len(shown)
    for section in sections:
        code = "".join(block.text for block in documentation.read_blocks("gallery", section))
        assert 0 < len(code.splitlines()) <= 24, section.splitlines()[0]


def test_pictures_are_renewed_where_a_page_links_to_them(tmp_path: Path) -> None:
    (tmp_path / "bikes.svg").write_text("new", "utf-8")
    text = "![The market](images/bikes.svg)\n![Another, not drawn here](images/rooms.svg)\n"
    found = documentation.drawn_pictures("docs/page.md", text, tmp_path)
    assert found == {tmp_path / "bikes.svg": ROOT / "docs" / "images" / "bikes.svg"}
