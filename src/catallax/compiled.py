"""Compilation of the array-only kernels, cached on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

__all__ = ["compiled", "forget_stale", "on_compiling", "subkernel"]

_waiting: list[Callable[[], None]] = []
"""Who wants to hear of the next compilation: nobody, or one."""


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
    return _compiled(kernel, alone=True)


def subkernel(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel that only kernels call.

    What Python needs to call it is left out, which with dozens of arrays for arguments takes as
    long to compile as the kernel itself. Called from Python all the same it would crash.

    Parameters
    ----------
    kernel
        A function of arrays and numbers, not to be called from Python.

    Returns
    -------
    callable
        The same, for other kernels.
    """
    return _compiled(kernel, alone=False)


def _compiled(kernel: Callable[..., Any], *, alone: bool) -> Callable[..., Any]:
    from numba import njit  # heavy

    _forget_ours()
    _listen()
    ways: dict[str, Any] = {"nogil": True}
    if not alone:
        ways |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    try:
        return njit(cache=True, **ways)(kernel)
    except RuntimeError:  # no place for a cache
        return njit(**ways)(kernel)


def on_compiling(tell: Callable[[], None] | None) -> None:
    """Say what to call, once, when a kernel has to be compiled because no cache holds it.

    Parameters
    ----------
    tell
        Called as the first compilation begins; None for nothing.
    """
    _waiting[:] = [] if tell is None else [tell]


@cache
def _listen() -> None:
    from numba.core import event

    class Listener(event.Listener):
        """Hears of compilations; what is found on disk is not among them."""

        def on_start(self, event: Any) -> None:
            del event
            told = list(_waiting)
            _waiting.clear()  # before it is told: two threads may compile at once
            for tell in told:
                tell()

        def on_end(self, event: Any) -> None:
            del event

    event.register("numba:compile", Listener())


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
