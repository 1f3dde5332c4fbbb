"""Kernels are compiled anew when any file that holds kernels has changed."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from catallax.compiled import forget_stale

ROOT = Path(__file__).parents[1]


def test_a_change_of_a_called_kernel_in_another_file_is_noticed(tmp_path: Path) -> None:
    package = tmp_path / "catallax"
    room = package / "room"
    room.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (room / "__init__.py").write_text("")
    own = ROOT / "src" / "catallax" / "compiled.py"
    (package / "compiled.py").write_text(own.read_text(encoding="utf-8"), encoding="utf-8")
    (room / "kernels_outer.py").write_text(
        "from catallax.compiled import compiled\n"
        "from catallax.room.kernels_inner import inner\n"
        "@compiled\ndef outer(x):\n    return inner(x)\n"
    )
    for number in (1, 22):  # of another length: a clock too coarse would see the same time
        (room / "kernels_inner.py").write_text(
            "from catallax.compiled import compiled\n"
            f"@compiled\ndef inner(x):\n    return x + {number}\n"
        )
        code = (
            "from catallax.compiled import on_compiling; on_compiling(lambda: print('compiling'))\n"
            "from catallax.room.kernels_outer import outer; print(outer(100))"
        )
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        for said in ("compiling\n", ""):  # and then from the cache
            done = subprocess.run(
                [sys.executable, "-c", code],
                capture_output=True, text=True, env=environment, cwd=tmp_path, check=True,
            )  # fmt: skip
            assert done.stdout == f"{said}{100 + number}\n"


def test_nothing_is_dropped_where_nothing_has_changed(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text("")
    assert forget_stale(tmp_path)
    index = tmp_path / "__pycache__" / "kernels.f-1.py311.nbi"
    index.write_text("compiled")
    assert not forget_stale(tmp_path)
    assert index.exists()
    (tmp_path / "kernels.py").write_text("# changed")
    assert forget_stale(tmp_path)
    assert not index.exists()


def test_what_only_kernels_may_call_is_called_by_kernels_only() -> None:
    """Python would crash: what it needs to call a subkernel is not there."""
    subkernels: dict[str, set[str]] = {}
    for source in (ROOT / "src").rglob("kernels*.py"):
        text = source.read_text(encoding="utf-8")
        subkernels[source.stem] = set(re.findall(r"@subkernel\ndef (\w+)", text))
    assert "relabel" in subkernels["kernels_relabel"]
    wrong = []
    folders = ("src", "tests", "benchmarks", "examples")
    for source in (file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        if source.stem in subkernels:
            continue
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            used: list[tuple[str, str]] = []
            if isinstance(node, ast.ImportFrom) and node.module:
                used = [(node.module.rpartition(".")[2], one.name) for one in node.names]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used = [(node.value.id, node.attr)]
            wrong += [(source.name, *one) for one in used if one[1] in subkernels.get(one[0], ())]
    assert not wrong
