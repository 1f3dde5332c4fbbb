"""A reader that runs the examples of a page of the documentation.

In a page, a block fenced as ``python`` is executed: blocks of one page share their names, from
top to bottom, and prompts (``>>>``) are compared with what follows them. In a block fenced as
``console`` each ``$ catallax ...`` is run, and what follows it is compared, except for white
space and wherever the page says ``...``. All of a page runs in one folder.

Commands are run by the command line's own ``main`` inside this process, which takes a tenth of
the time of a process for each. What needs a shell (a pipe, a redirection) gets one, and so does
every command of the pages in ``REAL_PROCESSES``.

A comment right above a block changes that::

    <!-- no-test: needs a cluster -->       not executed, for this reason
    <!-- file: market/market.toml -->       not executed, but written to this file
    <!-- exit: 2 -->                        every command of it ends with this status

``python tests/documentation.py PAGE...`` runs pages one after the other, each in a new folder
below the current one that holds nothing but a copy of ``examples``. With ``--pictures`` the
pictures that a page links to and its code draws are renewed in the repository.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[1]
# What a newcomer types first is run as she types it.
REAL_PROCESSES = {"README.md"}

FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<language>[\w+-]*)")
ORDER = re.compile(r" *<!-- (?P<kind>no-test|file|exit): (?P<value>\S.*?) -->")
MISSPELT_ORDER = re.compile(r" *<!-- *(no-?test|file|exit)\b", re.IGNORECASE)
COMPARISON = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class PageError(AssertionError):
    """An example does not run, or does not do what its page shows."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its text, its language, and the comments above it."""

    page: str
    line: int  # of the block's first line of text, counted from 1
    language: str
    text: str
    orders: dict[str, str]

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def read_blocks(page: str, text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    lines = iter(enumerate(text.splitlines(), start=1))
    orders: dict[str, str] = {}
    for number, line in lines:
        if order := ORDER.fullmatch(line):
            orders[order["kind"]] = order["value"]
        elif MISSPELT_ORDER.match(line):
            raise PageError(f"{page}:{number}: a comment that nobody obeys: {line.strip()}")
        elif fence := FENCE.match(line):
            body = []
            for _, inner in lines:
                if inner.strip() == fence["fence"]:
                    break
                body.append(inner.removeprefix(fence["indent"]))
            else:
                raise PageError(f"{page}:{number}: a block that is never closed")
            yield Block(page, number + 1, fence["language"], "\n".join(body) + "\n", orders)
            orders = {}
        elif line.strip() and orders:
            raise PageError(f"{page}:{number}: a comment for tests that has no block below it")


def run_prompts(block: Block, names: dict[str, object]) -> None:
    parser = doctest.DocTestParser()
    test = parser.get_doctest(block.text, names, block.place, block.page, block.line - 1)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=COMPARISON, verbose=False)
    failed = runner.run(test, out=report.append, clear_globs=False).failed
    names.update(test.globs)  # doctest works on a copy
    if failed:
        raise PageError("".join(report))


def run_python(block: Block, names: dict[str, object]) -> None:
    # The empty lines make the line numbers of a traceback those of the page.
    code = compile("\n" * (block.line - 1) + block.text, block.page, "exec")
    try:
        exec(code, names)
    except Exception as error:
        raise PageError(f"{block.place}: {type(error).__name__}: {error}") from error


def read_commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the output that the page shows for it."""
    commands: list[tuple[list[str], list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            commands.append(([line[2:]], []))
        elif not commands:
            raise PageError(f"{block.place}: a console block starts with a command, as `$ ...`")
        elif commands[-1][0][-1].endswith("\\") and not commands[-1][1]:
            commands[-1][0].append(line)
        else:
            commands[-1][1].append(line)
    for command, output in commands:
        yield "\n".join(command), "\n".join(output)


def same_output(shown: str, printed: str) -> bool:
    """Compare but for white space and what `...` stands for."""

    def squeeze(text: str) -> str:
        lines = (" ".join(line.split()) for line in text.splitlines())
        return "\n".join(line for line in lines if line)

    pieces = (re.escape(piece.strip(" ")) for piece in squeeze(shown).split("..."))
    return re.fullmatch(".*?".join(pieces), squeeze(printed), re.DOTALL) is not None


# What a command sees of its surroundings, wherever it is run.
SURROUNDINGS = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
# What means something to a shell, and what is quoted and so means nothing to it.
SHELL = re.compile(r"[|<>&;$`*?~]")
QUOTED = re.compile(r"'[^']*'|\"[^\"$`]*\"")


def make_command(folder: Path) -> Path:
    """Put a `catallax` below the folder that runs this tree's command line."""
    command = folder / ".bin" / "catallax"
    command.parent.mkdir(exist_ok=True)
    code = "import sys; from catallax.cli import main; sys.exit(main())"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return command


def run_in_shell(command: str, folder: Path) -> tuple[int, str]:
    """Run a command as a user does, and return its status and what it printed."""
    path = f"{make_command(folder).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        check=False,
        cwd=folder,
        env=os.environ | SURROUNDINGS | {"PATH": path, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.returncode, done.stdout


@contextlib.contextmanager
def own_modules(folder: Path) -> Iterator[None]:
    """Forget afterwards which modules of a folder were imported, and where they were looked for."""
    before, search = set(sys.modules), list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = search
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and (folder / file).is_relative_to(folder):
                del sys.modules[name]


def run_here(words: list[str], folder: Path) -> tuple[int, str]:
    """Run the command line in this process, and return its status and what it printed."""
    from catallax.cli import main

    printed = io.StringIO()
    with (
        mock.patch.dict(os.environ, SURROUNDINGS),
        contextlib.chdir(folder),  # a page itself runs there; its tests do not
        own_modules(folder),
        # A module that is written anew within a second, as long as before, looks compiled.
        mock.patch("sys.dont_write_bytecode", True),
        Path(os.devnull).open(encoding="utf-8") as nothing,
        mock.patch("sys.stdin", nothing),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        status = main(words)
    return status, printed.getvalue()


def run_console(block: Block, folder: Path) -> None:
    status = int(block.orders.get("exit", "0"))
    for command, shown in read_commands(block):
        words = shlex.split(command.replace("\\\n", " "))
        if words[0] != "catallax":
            raise PageError(f"{block.place}: only catallax is run here, not `{command}`")
        if block.page in REAL_PROCESSES or SHELL.search(QUOTED.sub("", command)):
            ended, printed = run_in_shell(command, folder)
        else:
            ended, printed = run_here(words[1:], folder)
        told = f"{block.place}: `{command}` printed\n\n{printed}\n"
        if ended != status:
            raise PageError(f"{told}and ended with status {ended}, not {status}")
        if shown.strip() and not same_output(shown, printed):
            raise PageError(f"{told}but the page shows\n\n{shown}")


def run_page(page: str, text: str, folder: Path) -> int:
    """Run the examples of a page in a folder, and return how many blocks were run."""
    names: dict[str, object] = {"__name__": "__main__"}
    count = 0
    for block in read_blocks(page, text):
        if "no-test" in block.orders:
            continue
        if "file" in block.orders:
            path = folder / block.orders["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language in {"python", "pycon"}:
            run = run_prompts if block.text.lstrip().startswith(">>>") else run_python
            run(block, names)
            count += 1
        elif block.language == "console":
            run_console(block, folder)
            count += 1
        elif re.search(r"^(\$ )?catallax ", block.text, re.MULTILINE):
            raise PageError(f"{block.place}: a block with commands is fenced as `console`")
    return count


PICTURE = re.compile(r"!\[.*?\]\((?P<path>[^)\s]+\.(?:svg|png))\)", re.DOTALL)


def drawn_pictures(page: str, text: str, folder: Path) -> dict[Path, Path]:
    """Return the pictures of a page that its code has drawn, and where the page expects them."""
    places = ((ROOT / page).parent / found["path"] for found in PICTURE.finditer(text))
    return {folder / place.name: place for place in places if (folder / place.name).is_file()}


def main(pages: list[str], *, pictures: bool = False) -> None:
    start, failures = Path.cwd(), []
    for number, page in enumerate(pages):
        folder = start / f"page-{number}"
        folder.mkdir()
        # Pages that speak of the examples find them where a reader of the repository does.
        if (ROOT / "examples").is_dir():
            shutil.copytree(ROOT / "examples", folder / "examples")
        os.chdir(folder)
        text = (ROOT / page).read_text(encoding="utf-8")
        try:
            with own_modules(folder):
                count = run_page(page, text, folder)
        except PageError as error:
            failures.append(str(error))
            continue
        if pictures:
            for drawn, place in drawn_pictures(page, text, folder).items():
                shutil.copyfile(drawn, place)
        print(f"{page}: {count} examples")
    if failures:
        sys.exit("\n\n".join(failures))


if __name__ == "__main__":
    wanted = sys.argv[1:]
    main([page for page in wanted if page != "--pictures"], pictures="--pictures" in wanted)
