"""The errors of catallax: one class per cause, each message with its remedy."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "CatallaxError",
    "ConstraintError",
    "DuplicateEdgeError",
    "DuplicateIdError",
    "FileFormatError",
    "MechanismError",
    "MissingDependencyError",
    "MissingPriorError",
    "MissingReportError",
    "OutputError",
    "PriorError",
    "ReportError",
    "SolverTimeLimitError",
    "UnknownAgentError",
    "UnknownNameError",
    "UnsupportedMarketError",
    "VotingRuleError",
    "how_to_install",
    "nearest",
]


class CatallaxError(ValueError):
    """Whatever catallax refuses: the message says where, what, and how to mend it."""


class FileFormatError(CatallaxError):
    """A market file, or a table it names, cannot be read as what it should be."""


class OutputError(CatallaxError):
    """A result cannot be written where it was asked for."""


class DuplicateIdError(CatallaxError):
    """Two agents of one side carry the same identifier, or one carries none."""


class UnknownAgentError(CatallaxError):
    """An edge, a report or a question names an agent that the market does not have."""


class DuplicateEdgeError(CatallaxError):
    """The same buyer and seller are joined twice."""


class ReportError(CatallaxError):
    """A bid or an ask is not a number that a market can be cleared with."""


class MissingReportError(CatallaxError):
    """A market is to be cleared and an agent has made no report."""


class PriorError(CatallaxError):
    """A prior is not a distribution, or lacks what was asked of it."""


class MechanismError(CatallaxError):
    """A mechanism from elsewhere fails, or gives what no outcome can be."""


class MissingDependencyError(CatallaxError):
    """A library that this needs is not installed."""


class MissingPriorError(CatallaxError):
    """A mechanism needs the prior of an agent that has none."""


class UnknownNameError(CatallaxError):
    """No mechanism, instance, prior, column or key has this name."""


class ConstraintError(CatallaxError):
    """A constraint is wrong in itself, or does not fit its market."""


class SolverTimeLimitError(CatallaxError):
    """An optimum was not proved within the time limit."""


class UnsupportedMarketError(CatallaxError):
    """A mechanism does not apply to this market."""


class VotingRuleError(CatallaxError):
    """A voting rule is not monotone, or does not fit the two groups."""


def how_to_install(*packages: str) -> str:
    """Return the command that installs packages for the very Python that runs this.

    Parameters
    ----------
    packages
        What package indexes call them.

    Returns
    -------
    str
        A command that works as it stands, whether or not an environment is activated.

    Examples
    --------
    >>> how_to_install("jinja2", "matplotlib").endswith(" -m pip install jinja2 matplotlib")
    True
    """
    python = sys.executable or "python"
    quoted = f'"{python}"' if " " in python else python
    return f"{quoted} -m pip install {' '.join(packages)}"


def nearest(word: object, options: Iterable[object]) -> str:
    """Return a hint that names the closest option, or lists what there is.

    Parameters
    ----------
    word
        What was given.
    options
        What would have been understood.

    Returns
    -------
    str
        A clause that ends an error message.

    Examples
    --------
    >>> nearest("gsmo", ["gsom", "gbom", "first-best"])
    "did you mean 'gsom'?"
    >>> nearest("b99999", ["b01999", "b02000"]), nearest("b0199", ["b01999", "b02000"])
    ('known are: b01999, b02000', "did you mean 'b01999'?")
    >>> nearest("x", ["low", "high"])
    'known are: high, low'
    """
    names = sorted(str(option) for option in options)
    alike = names
    text = str(word)
    if 2 * sum(letter.isdigit() for letter in text) >= len(text):
        # Numbers share most of their digits with many others: only one slip tells which was meant.
        alike = [name for name in names if _is_one_slip(text, name)]
    close = get_close_matches(text, alike, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"known are: {shown}" if names else "none are known"


def _is_one_slip(word: str, name: str) -> bool:
    """Tell whether one letter more, less or other, or two swapped, make one word of the other."""
    if abs(len(word) - len(name)) > 1:
        return False
    start = next((k for k, (a, b) in enumerate(zip(word, name, strict=False)) if a != b), None)
    if start is None:  # one begins with the other
        return True
    if len(word) == len(name):
        swapped = word[start + 1 : start + 2] + word[start] == name[start : start + 2]
        return word[start + 1 :] == name[start + 1 :] or (
            swapped and word[start + 2 :] == name[start + 2 :]
        )
    longer, shorter = (word, name) if len(word) > len(name) else (name, word)
    return longer[start + 1 :] == shorter[start:]
