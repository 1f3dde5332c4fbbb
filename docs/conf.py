"""How Sphinx makes the site of the documentation: `make site`, without any network.

The site is built from the pages where they lie: those in this folder, and the few beside it
(README, ARCHITECTURE, benchmarks, notebooks) that the pages link to. So a link means the same in
the repository and on the site.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myst_parser.parsers.sphinx_ import MystParser
from pygments.lexers.special import TextLexer

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))
sys.path.insert(0, str(ROOT))

project = "catallax"
author = "the catallax authors"
copyright = author
language = "en_GB"
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "*.md",
    "benchmarks/README.md",
    "examples/notebooks/*.ipynb",
]
# Folders that the search for pages does not enter.
exclude_patterns = [".*", "build", "dist", "src", "tests", "**/.ipynb_checkpoints"]

# The margin of the site: what is to be read, in this order. Every page stands in it once.
CONTENTS = {
    "Learn": [
        "First steps </README>",
        "docs/tutorial-operator",
        "docs/tutorial-researcher",
        "docs/tutorial-groups",
        "examples/notebooks/operator",
        "examples/notebooks/researcher",
    ],
    "How to": [
        "docs/how-to/read-an-order-book",
        "docs/how-to/fit-priors",
        "docs/how-to/add-quotas",
        "docs/how-to/choose-a-mechanism",
        "docs/how-to/live-market",
        "docs/how-to/many-markets",
        "docs/how-to/large-market",
        "docs/adding-a-mechanism",
        "docs/how-to/audit-a-mechanism",
        "docs/how-to/run-a-study-on-a-cluster",
        "docs/how-to/recommend-a-vote",
    ],
    "See": ["docs/gallery"],
    "Look up": [
        "docs/market-files",
        "docs/group-files",
        "docs/constraints",
        "docs/priors",
        "docs/mechanisms",
        "docs/properties",
        "docs/simulate",
        "docs/studies",
        "docs/audits",
        "docs/reproduce",
        "docs/command-line",
    ],
    "Python": ["docs/reference", "docs/reference/*"],
    "Understand": [
        "docs/mathematics",
        "docs/bibliography",
        "ARCHITECTURE",
        "benchmarks/README",
        "CONTRIBUTING",
        "CHANGELOG",
    ],
}

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

# Pages are plain Markdown, which reads well where nothing is built.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_block"]
# A console block shows what is typed and what is printed; neither is a program to be coloured.
highlight_language = "none"

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False
napoleon_custom_sections = ["Claims", ("Attributes", "params_style")]
# Single back quotes in docstrings are names, as in Markdown.
default_role = "code"

html_theme = "furo"
html_title = "catallax"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5d8a", "color-brand-content": "#0b5d8a"},
    "dark_css_variables": {"color-brand-primary": "#7cc4ee", "color-brand-content": "#7cc4ee"},
}
# A field such as "gains" in one class is no reference to the field of that name in another.
suppress_warnings = ["ref.python"]
# Nobody's name or address is asked for while the site is built, and none is put into it.
intersphinx_mapping: dict[str, Any] = {}


def markdown_of(notebook: str) -> str:
    """Return a notebook as Markdown: its texts, its code, and what the code showed."""
    parts = []
    for cell in json.loads(notebook)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            text = "".join(output.get("text", data.get("text/plain", "")))
            if "text/html" in data:
                parts.append("".join(data["text/html"]))
            elif text:
                parts.append(f"```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"


class NotebookParser(MystParser):
    """Reads a notebook as the page that it is."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Read its Markdown."""
        super().parse(markdown_of(inputstring), document)


def keep_bars(app: Sphinx, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    """Let the bars of absolute values in docstrings be bars."""
    for place, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")) and "`" not in line:
            lines[place] = line.replace("|", "\\|")


def prepare(app: Sphinx, name: str, source: list[str]) -> None:
    """Add the margin to the first page; the repository shows it without."""
    # Prompts end with an empty line where pages are run, which is nothing to look at.
    source[0] = re.sub(r"\n\n(?=```$)", "\n", source[0], flags=re.MULTILINE)
    if name == root_doc:
        for caption, pages in CONTENTS.items():
            if caption == "How to":  # new ones come last until they have a place above
                folder = ROOT / "docs" / "how-to"
                found = sorted(f"docs/how-to/{path.stem}" for path in folder.glob("*.md"))
                pages = [*pages, *(page for page in found if page not in pages)]
            lines = "\n".join(page if "<" in page else f"/{page}" for page in pages)
            tree = f":hidden:\n:glob:\n:caption: {caption}\n\n{lines}"
            source[0] += f"\n```{{toctree}}\n{tree}\n```\n"


def open_at_the_first_page(app: Sphinx, error: Exception | None) -> None:
    """Let whoever opens the top of the site come to its first page."""
    if error is None and app.builder.format == "html":
        target = f"{root_doc}.html"
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{project}</title>'
            f'<meta http-equiv="refresh" content="0; url={target}">'
            f'<a href="{target}">{project}</a></html>\n'
        )
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Tell Sphinx what is ours."""
    app.add_source_suffix(".ipynb", "notebook")
    app.add_source_parser(NotebookParser)
    app.add_lexer("csv", TextLexer)
    app.connect("autodoc-process-docstring", keep_bars)
    app.connect("source-read", prepare)
    app.connect("build-finished", open_at_the_first_page)
