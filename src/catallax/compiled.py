"""Compilation of the array-only kernels, cached on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

__all__ = ["compiled", "forget_stale"]


def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel when it is first called, and keep the result on disk for the next time.

    Where neither the package's folder nor the user's cache can be written, it is compiled in
    every process.

    Parameters
    ----------
    kernel
        A function of arrays and numbers.

    Returns
    -------
    callable
        The same, fast.
    """
    from numba import njit  # heavy

    _forget_ours()
    try:
        return njit(cache=True, nogil=True)(kernel)
    except RuntimeError:  # no place for a cache
        return njit(nogil=True)(kernel)


@cache
def _forget_ours() -> None:
    forget_stale(Path(__file__).parent)


def forget_stale(package: Path) -> bool:
    """Drop compiled kernels if the source of any kernel has changed since.

    numba compiles a kernel again when the file that holds it changes, but not when another file
    does whose kernels are compiled into it. After an edit, or a switch to another version of a
    source tree, it would go on with the old ones.

    Parameters
    ----------
    package
        The folder of the package.

    Returns
    -------
    bool
        Whether something had changed; False as well where the folder cannot be written: there
        nobody edits.
    """
    sources = sorted(package.rglob("kernels*.py"))
    said = [
        f"{source.relative_to(package)} {(state := source.stat()).st_mtime_ns} {state.st_size}"
        for source in sources
    ]
    stamp = sha256("\n".join(said).encode()).hexdigest()
    place = package / "__pycache__" / "kernels.stamp"
    try:
        if place.read_text(encoding="utf-8") == stamp:
            return False
    except (OSError, ValueError):
        pass
    try:
        for source in sources:
            for index in (source.parent / "__pycache__").glob(f"{source.stem}.*.nbi"):
                index.unlink(missing_ok=True)
        place.parent.mkdir(exist_ok=True)
        place.write_text(stamp, encoding="utf-8")
    except OSError:
        return False
    return True
