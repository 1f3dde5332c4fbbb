"""The notebooks run from top to bottom, and show what they store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks import FOLDER, run_cell

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

# Runs a notebook in a process of its own: what it registers or imports is gone with it.
PROGRAM = """
import json, sys
from pathlib import Path
from tests.notebooks import run_notebook
print(json.dumps(run_notebook(Path(sys.argv[1]))))
"""


def test_there_is_one_for_the_operator_and_one_for_the_researcher() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["operator", "researcher"]


def without_html(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell without what is only looks: the tests of each class hold those."""
    cell = json.loads(json.dumps(cell))
    for output in cell.get("outputs", ()):
        output.get("data", {}).pop("text/html", None)
    return cell


def shows_html(cell: dict[str, Any]) -> list[bool]:
    return ["text/html" in output.get("data", {}) for output in cell.get("outputs", ())]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_stores(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(path)],
        check=False,
        env=os.environ
        | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    stored, ran = json.loads(done.stdout.splitlines()[-1])
    assert sum(cell["cell_type"] == "code" for cell in stored["cells"]) >= 8
    for number, (before, after) in enumerate(zip(stored["cells"], ran["cells"], strict=True)):
        told = f"cell {number}: python tests/notebooks.py renews what is stored"
        assert without_html(after) == without_html(before), told
        assert shows_html(after) == shows_html(before), told


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_one_that_jupyter_opens(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(set(names)) == len(names)
    kinds = {cell["cell_type"]: set(cell) for cell in notebook["cells"]}
    assert kinds["markdown"] == {"cell_type", "id", "metadata", "source"}
    assert kinds["code"] == kinds["markdown"] | {"execution_count", "outputs"}


def shown(source: str) -> list[Any]:
    outputs = run_cell(source, "cell", {"__name__": "__main__"})
    return [output.get("text", output.get("data")) for output in outputs]


def test_the_runner_sees_what_a_cell_prints_and_its_last_value() -> None:
    assert shown("x = 20\nx + 1") == [{"text/plain": ["21"]}]
    assert shown("print('a')\nprint('b')") == [["a\n", "b\n"]]
    assert shown("print('a')\n1;") == [["a\n"]]
    assert shown("None") == shown("y = 1") == shown("") == []
    with pytest.raises(ZeroDivisionError):
        shown("1 / 0")
