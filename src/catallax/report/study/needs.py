"""What the report of a study needs that may not be installed."""

from __future__ import annotations

from importlib.util import find_spec

from catallax.errors import how_to_install

__all__ = ["report_lacks"]


def report_lacks() -> str:
    """Say what a report needs that is not installed, and how to install it; nothing if all is.

    Returns
    -------
    str
        One line, or an empty text.
    """
    lacking = [package for package in ("jinja2", "matplotlib") if not _installed(package)]
    if not lacking:
        return ""
    are = "is" if len(lacking) == 1 else "are"
    names = " and ".join({"jinja2": "Jinja2"}.get(package, package) for package in lacking)
    return f"a report needs {names}, which {are} not installed: {how_to_install(*lacking)}"


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # something without a specification was put in its place
        return False
