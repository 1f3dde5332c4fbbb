"""The house rules: who may import whom, what an import costs, one version everywhere."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import catallax

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "catallax"

# A room imports only from rooms on lower floors.
FLOORS = {
    "errors": 0,
    "compiled": 0,
    "notebook": 1,
    "progress": 0,
    "staging": 1,
    "text_files": 1,
    "priors": 1,
    "markets": 2,
    "matching": 3,
    "mechanisms": 4,
    "groups": 4,
    "audit": 5,
    "estimate": 5,
    "papers": 6,
    "report": 7,
    "cli": 8,
}

# Lines of a module, about: the longest are kernels and one class with its documentation.
LONGEST = 425


def modules() -> dict[str, Path]:
    """Return the path of every module of the package, by its dotted name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = ("catallax", *path.relative_to(SOURCE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported(
    name: str, tree: ast.AST, *, when_loaded: bool = False, types: bool = True
) -> Iterator[str]:
    """Yield the dotted names that a module imports.

    All of them, or those of loading it only, or all without those for type checkers.
    """
    for node in ast.iter_child_nodes(tree):
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if when_loaded and inside:
            continue
        if (when_loaded or not types) and is_for_type_checkers(node):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]
            for _ in range(node.level - 1):
                package = package.rpartition(".")[0]
            base = f"{package}.{node.module or ''}".rstrip(".") if node.level else node.module
            for alias in node.names:
                # `from catallax.markets import graph` imports a module, not a name of one.
                full = f"{base}.{alias.name}"
                yield full if full in MODULES else str(base)
        else:
            yield from imported(name, node, when_loaded=when_loaded, types=types)


def imports_of(name: str, *, when_loaded: bool = False, types: bool = True) -> set[str]:
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    return set(imported(name, tree, when_loaded=when_loaded, types=types))


def room(name: str) -> str:
    return name.split(".")[1]


def run_python(code: str) -> str:
    """Run code in a fresh interpreter that finds this tree's package, and return its output."""
    program = f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r}); {code}"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_room_has_a_floor() -> None:
    rooms = {room(name) for name in MODULES if name != "catallax"}
    assert rooms <= set(FLOORS)
    assert {"errors", "priors", "markets", "matching", "mechanisms", "report", "cli"} <= rooms


@pytest.mark.parametrize("name", [name for name in MODULES if name != "catallax"])
def test_a_room_imports_only_from_rooms_below(name: str) -> None:
    for other in imports_of(name):
        if other == "catallax":
            pytest.fail(f"{name} imports the front door, which knows every room")
        if other.startswith("catallax.") and room(other) != room(name):
            assert FLOORS[room(other)] < FLOORS[room(name)], f"{name} imports {other}"


def cycle_among(needs: dict[str, set[str]]) -> list[str] | None:
    """Return modules that import each other in a circle, or None if there is no circle."""
    # A package gathers the names of its modules; asking it for a module of its own is no cycle.
    others = {name: wanted - {name} for name, wanted in needs.items()}
    try:
        graphlib.TopologicalSorter(others).prepare()
    except graphlib.CycleError as cycle:
        return cycle.args[1]
    return None


def test_no_module_imports_itself_by_any_way() -> None:
    """A cycle of imports works only in the lucky order, and nobody can read its modules one by one.

    Imports inside functions count: to hide a cycle in one is no way out of it.
    """
    needs = {name: imports_of(name, types=False) & set(MODULES) for name in MODULES}
    cycle = cycle_among(needs)
    assert cycle is None, " -> ".join(cycle or [])


# An outcome explains and updates itself, and what does so speaks of outcomes.
CIRCULAR_TYPES = {"mechanisms"}


def test_types_name_each_other_in_a_circle_only_where_they_must() -> None:
    """What only type checkers import is part of how modules hang together, too."""
    names = [name for name in MODULES if name == "catallax" or room(name) not in CIRCULAR_TYPES]
    needs = {name: imports_of(name) & set(names) for name in names}
    cycle = cycle_among(needs)
    assert cycle is None, " -> ".join(cycle or [])


def test_a_planted_cycle_is_found() -> None:
    """By way of a module, of a function in it, and of a package that gathers its modules."""
    sources = {
        "catallax.markets.graph": "from catallax.markets.market import Market",
        "catallax.markets.market": "def f():\n    from catallax.markets import graph",
        "catallax.markets": "from catallax.markets.market import Market",
    }

    def needs(**changed: str) -> dict[str, set[str]]:
        found = sources | {f"catallax.markets.{name}": text for name, text in changed.items()}
        return {
            name: set(imported(name, ast.parse(text), types=False)) & set(found)
            for name, text in found.items()
        }

    assert set(cycle_among(needs()) or []) == {"catallax.markets.graph", "catallax.markets.market"}
    assert cycle_among(needs(graph="import json")) is None
    hidden = "if TYPE_CHECKING:\n    from catallax.markets.market import Market"
    assert cycle_among(needs(graph=hidden)) is None


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_short_enough_to_have_one_subject(name: str) -> None:
    lines = MODULES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST, f"{name} has {lines} lines; split it by its subjects"


@pytest.mark.parametrize("name", MODULES)
def test_only_kernels_load_numba(name: str) -> None:
    uses = {other.split(".")[0] for other in imports_of(name, when_loaded=True)}
    assert "numba" not in uses or MODULES[name].name.startswith("kernels")


def test_the_readers_of_imports_see_every_form() -> None:
    tree = ast.parse(
        "from . import graph\nfrom ..errors import nearest\nimport numba.core\n"
        "def f():\n    from scipy import stats\n"
        "if TYPE_CHECKING:\n    import polars\n"
        "try:\n    import json\nexcept ImportError:\n    pass\n"
    )
    loaded = {"catallax.markets.graph", "catallax.errors", "numba.core", "json"}
    assert set(imported("catallax.markets.market", tree, when_loaded=True)) == loaded
    assert set(imported("catallax.markets.market", tree)) == loaded | {"scipy", "polars"}
    assert set(imported("catallax.markets.market", tree, types=False)) == loaded | {"scipy"}


def test_the_front_door_opens_at_once() -> None:
    loaded = run_python("import catallax; print(*sys.modules)").split()
    assert "catallax" in loaded
    assert not {"numpy", "scipy", "polars", "numba", "pydantic", "rich"} & set(loaded)


def test_rooms_load_nothing_that_is_heavy_or_optional() -> None:
    """The base installation has none of the extras, and compiling waits until it is needed."""
    rooms = sorted({f"catallax.{room(name)}" for name in MODULES if name != "catallax"})
    loaded = run_python(f"import {', '.join(rooms)}; print(*sys.modules)").split()
    assert set(rooms) <= set(loaded)
    extras = {"matplotlib", "ortools", "jinja2", "distributed", "pandas", "pyarrow"}
    assert not (extras | {"numba"}) & set(loaded)


@pytest.mark.parametrize("name", catallax.__all__)
def test_public_names_are_there(name: str) -> None:
    assert getattr(catallax, name) is not None
    assert name in dir(catallax)


def test_public_names_are_the_ones_that_type_checkers_see() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if is_for_type_checkers(node)]
    seen = {
        alias.asname or alias.name
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen | {"__version__"} == set(catallax.__all__)


def test_every_error_is_public() -> None:
    errors = {name for name in catallax.errors.__all__ if name.endswith("Error")}
    assert errors <= set(catallax.__all__)
    assert all(issubclass(getattr(catallax, name), catallax.CatallaxError) for name in errors)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'markt'"):
        _ = catallax.markt


def test_sources_name_no_place_on_a_machine() -> None:
    place = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|Users|opt|mnt)/|\b[A-Z]:\\\\")
    assert place.search("open('/home/ada/market')") and place.search("'C:\\\\market'")
    for path in SOURCE.rglob("*"):
        if path.is_file() and path.suffix not in {".parquet", ".pyc", ".nbi", ".nbc"}:
            assert not place.search(path.read_text(encoding="utf-8")), path


def test_one_version_everywhere() -> None:
    version = Version(catallax.__version__)
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited is not None and cited[1] == catallax.__version__
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == ("Unreleased" if version.is_devrelease else str(version))


def test_the_package_says_that_it_is_typed() -> None:
    assert (SOURCE / "py.typed").is_file()


def test_constraints_pin_what_the_project_asks_for() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {}
    for line in lines:
        if not line.startswith("#"):
            # A name and a version and nothing else: no addresses, no hashes, no options.
            match = re.fullmatch(r"([A-Za-z0-9._-]+)==([0-9a-z.!+]+)", line)
            assert match, line
            pins[canonicalize_name(match[1])] = match[2]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    for requirement in map(Requirement, wanted):
        if requirement.name != "catallax":
            pin = pins[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(pin), f"{requirement} is pinned at {pin}"
