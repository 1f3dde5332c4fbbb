"""Test what else is supported: the oldest and the newest dependencies, and each extra by itself.

`python .ci/environments.py oldest|newest|extras`: makes environments below build/environments,
with the Python that runs this. `make oldest`, `make newest` and `make extras` call it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "environments"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OPTIONAL = PROJECT["optional-dependencies"]
# Type checking and style do not depend on what users have.
UNUSED = {"pyright", "ruff"}

# What each extra is for: a command that needs it, and that says so in one line without it.
USES = {
    "plot": ["clear", "instance:horse-market", "--plot", "picture.svg"],
    "flow": ["clear", "capped.json", "--mechanism", "first-best"],
    "report": ["study", "report", "study.toml"],
    "cluster": ["study", "run", "study.toml", "--cluster", "tcp://127.0.0.1:9"],
}
CAPPED = """{
"buyers": [{"id": "b", "bid": 2}, {"id": "c", "bid": 1}],
"sellers": [{"id": "s", "ask": 0}, {"id": "t", "ask": 0}],
"edges": [["b", "s"], ["c", "t"]],
"constraints": [{"kind": "cap", "limit": 1}]
}
"""
STUDY = """[study]
name = "one cell"
samples = 20
seeds = [1]
mechanisms = ["first-best"]
[[markets]]
instance = "double-auction"
parameters = { n = 2 }
"""


def main() -> int:
    """Do what the argument says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("oldest", "newest", "extras"))
    chosen = parser.parse_args()
    return {"oldest": oldest, "newest": newest, "extras": extras}[chosen.what]()


def oldest() -> int:
    """Run the suite with the lowest version of everything that catallax names."""
    lowest = [f"{one.name}=={_lowest(one)}" for one in _requirements("all")]
    # What old releases warn of is past mending here: the newest must do without warnings.
    return _suite("oldest", lowest, "-W", "ignore::DeprecationWarning")


def newest() -> int:
    """Run the suite with the newest version of everything."""
    return _suite("newest", [])


def extras() -> int:
    """Install the wheel without extras, with each, and with all; use what each is for."""
    _run(sys.executable, "-m", "build", "--wheel", "--outdir", PLACE / "wheel", ROOT)
    wheel = max((PLACE / "wheel").glob("*.whl"), key=lambda path: path.stat().st_mtime)
    wrong = 0
    for chosen in ("", *USES, "all"):
        python = _environment(chosen or "none")
        _pip(python, f"{wheel}[{chosen}]" if chosen else wheel, "--force-reinstall", "-c",
             ROOT / "constraints.txt")  # fmt: skip
        _run(python, "-m", "pip", "check")
        wrong += _used(python, chosen)
    return 1 if wrong else 0


def _used(python: Path, chosen: str) -> int:
    """Use what an environment has, and what it lacks: a word in one line, and no traceback."""
    folder = PLACE / f"{chosen or 'none'}-work"
    folder.mkdir(exist_ok=True)
    (folder / "capped.json").write_text(CAPPED, encoding="utf-8")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    _call(python, folder, "study", "run", "study.toml", "--workers", "1", "--quiet")
    wrong = 0
    # What comes with another extra works as well: the report draws, so it brings what plots.
    has = {"all": set(USES), "report": {"report", "plot"}}.get(chosen, {chosen})
    for extra, arguments in USES.items():
        done = _call(python, folder, *arguments)
        refused = done.returncode == 2 and len(done.stderr.splitlines()) == 1
        if extra not in has:
            # An extra may bring a part of another, whose missing part has an extra of its own.
            good = refused and " -m pip install " in done.stderr
        elif extra == "cluster":
            good = (
                refused and "tcp://127.0.0.1:9" in done.stderr and "pip install" not in done.stderr
            )
        else:
            good = done.returncode == 0
        print(f"{chosen or 'no extra':10} {extra:10} {'as it should' if good else 'WRONG'}")
        if not good:
            wrong += 1
            print(done.stdout, done.stderr, sep="\n")
    return wrong


def _suite(name: str, pins: list[str], *options: str) -> int:
    python = _environment(name)
    tools = [str(one) for one in _requirements("dev") if one.name not in UNUSED]
    constraints = PLACE / f"{name}.txt"
    constraints.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
    _pip(python, "--upgrade", "--editable", f"{ROOT}[all]", *tools, "-c", constraints)
    shown = _run(python, "-m", "pip", "freeze", "--exclude-editable", capture=True)
    print(shown)
    suite = [python, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(suite, cwd=ROOT, check=False).returncode


def _requirements(extra: str) -> list[Requirement]:
    """Return what an extra asks for besides the base, the extras it names included."""
    found: dict[str, Requirement] = {}
    waiting = [*PROJECT["dependencies"], *OPTIONAL[extra]]
    while waiting:
        one = Requirement(waiting.pop(0))
        if one.name == PROJECT["name"]:
            waiting += [text for name in sorted(one.extras) for text in OPTIONAL[name]]
        else:
            found.setdefault(one.name, one)
    return list(found.values())


def _lowest(requirement: Requirement) -> str:
    (low,) = (one.version for one in requirement.specifier if one.operator == ">=")
    return low


def _environment(name: str) -> Path:
    folder = PLACE / name
    if not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def _pip(python: Path, *arguments: object) -> None:
    _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def _call(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-I", "-m", "catallax.cli", *arguments], cwd=folder, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def _run(*command: object, capture: bool = False) -> str:
    done = subprocess.run(
        [str(word) for word in command], check=True, text=True,
        stdout=subprocess.PIPE if capture else None,
    )  # fmt: skip
    return done.stdout or ""


if __name__ == "__main__":
    sys.exit(main())
