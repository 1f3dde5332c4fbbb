"""The commands, and how their errors reach the caller."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, MissingArgumentError, UnusedCliTokensError

from catallax.cli.output import announce_compiling, complain
from catallax.cli.sources import STANDARD_INPUT

__all__ = ["app", "main"]

FAILED = 2
INTERRUPTED = 130


def _version() -> str:
    from importlib import import_module

    # The front door knows every room; it is opened by name so that no room depends on it.
    return f"catallax {import_module('catallax').__version__}"


app = App(
    name="catallax",
    help="Truthful two-sided markets: who trades, at what prices, and why.",
    version=_version,
    help_format="markdown",
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)
# Named by text: the module of a command is loaded when the command is used.
app.command(
    "catallax.cli.clear:clear",
    name="clear",
    help="Clear markets: who trades, at what prices, and why.",
)
app.command(
    "catallax.cli.simulate:simulate",
    name="simulate",
    help="Say what to expect of mechanisms on a market: gains, share of the first best, surplus.",
)
app.command(
    "catallax.cli.audit:audit",
    name="audit",
    help="Audit a mechanism: which properties hold, and a market in which others fail.",
)
app.command(
    "catallax.cli.prior:prior",
    name="prior",
    help="Show a prior: quantiles, virtual values, what is ironed.",
)
app.command(
    "catallax.cli.instances:instances",
    name="instances",
    help="List the named markets that come with catallax, show one, or write it to files.",
)
app.command(
    "catallax.cli.mechanisms:mechanisms",
    name="mechanisms",
    help="List the mechanisms, what they do and what they claim.",
)
app.command(
    "catallax.cli.groups:app",
    name="groups",
    help="Trade between two groups: evaluate, decide, recommend a vote, show the limits.",
)
app.command(
    "catallax.cli.reproduce:reproduce",
    name="reproduce",
    help="Compute the papers' results again: each published figure beside ours.",
)
app.command(
    "catallax.cli.study:app",
    name="study",
    help="Run a study of many markets, sizes, priors, mechanisms and seeds, and report on it.",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv
        The arguments, without the name of the program; by default those of the process.

    Returns
    -------
    int
        The exit status: 0, or what a command says (1 if `catallax audit --strict` finds a broken
        claim); 2 after an error that is the caller's to mend, 130 if interrupted.
    """
    from catallax.errors import CatallaxError

    arguments = [
        # A lone hyphen would be taken for the beginning of an option.
        STANDARD_INPUT if argument == "-" else argument
        for argument in (sys.argv[1:] if argv is None else argv)
    ]
    announce_compiling(quiet=not {"-q", "--quiet"}.isdisjoint(arguments))
    try:
        status = app(arguments, exit_on_error=False, print_error=False, verbose=False)
        sys.stdout.flush()
    except CycloptsError as error:
        complain(f"{_usage(error)} (catallax --help tells more)")
        return FAILED
    except CatallaxError as error:
        complain(str(error))
        return FAILED
    except BrokenPipeError:
        # Whoever read the output has seen enough. What is left in the buffer goes nowhere, or
        # Python would complain about it when it closes the stream.
        _discard_output()
        return 0
    except OSError as error:
        complain(_of_system(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return status if isinstance(status, int) else 0


def _usage(error: CycloptsError) -> str:
    """Write what is wrong with the arguments in the words and the case of other errors."""
    if isinstance(error, UnusedCliTokensError):
        return f"unexpected argument '{(error.unused_tokens or [''])[0]}'"
    if type(error) is MissingArgumentError and error.argument is not None:
        return f"{error.argument.name} needs a value"
    text = " ".join(str(error).split()).rstrip(".")
    return text[:1].lower() + text[1:]


def _of_system(error: OSError) -> str:
    """Write what the operating system refuses: the file, and why."""
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}" if error.filename else reason


def _discard_output() -> None:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        # The stream of a test or of an embedding program has no descriptor to redirect.
        return
