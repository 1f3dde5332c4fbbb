"""A light runner of notebooks: their cells of code, from top to bottom, and what each shows.

`python tests/notebooks.py` runs the notebooks of the examples and stores what they show;
`tests/test_notebooks.py` runs them and compares. No kernel is started, so nothing of Jupyter has
to be installed; a cell is plain Python, and what it shows is what it prints, and the text of its
last expression.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "examples" / "notebooks"


def run_cell(source: str, where: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the code of a cell, and return what it shows in the form that notebooks store."""
    tree = ast.parse(source, where)
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        body = ast.Module(tree.body[: len(tree.body) - (last is not None)], [])
        exec(compile(body, where, "exec"), names)
        # A semicolon at the end keeps a notebook from showing the last value.
        if last is not None and not source.rstrip().endswith(";"):
            value = eval(compile(ast.Expression(last.value), where, "eval"), names)
        elif last is not None:
            exec(compile(ast.Module([last], []), where, "exec"), names)
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": text})
    if value is not None:
        data: dict[str, Any] = {}
        # Ours is tidy and stays the same; of other libraries the text is kept.
        if type(value).__module__.startswith("catallax") and hasattr(value, "_repr_html_"):
            data["text/html"] = value._repr_html_().splitlines(keepends=True)
        data["text/plain"] = repr(value).splitlines(keepends=True)
        shown = {"data": data, "execution_count": None, "metadata": {}}
        outputs.append({**shown, "output_type": "execute_result"})
    return outputs


def run_notebook(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a notebook as it is stored, and as it is after its cells have been run."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    ran = json.loads(json.dumps(stored))
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.chdir(path.parent):
        for number, cell in enumerate(ran["cells"]):
            if cell["cell_type"] == "code":
                where = f"{path.name} cell {number}"
                cell["outputs"] = run_cell("".join(cell["source"]), where, names)
                cell["execution_count"] = None
    return stored, ran


def main() -> None:
    os.environ.setdefault("MPLBACKEND", "Agg")
    for path in sorted(FOLDER.glob("*.ipynb")):
        _, ran = run_notebook(path)
        path.write_text(json.dumps(ran, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(path.name)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
    main()
