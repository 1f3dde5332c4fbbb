"""What results depend on besides their inputs: our source, and the libraries that compute."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from functools import lru_cache
from importlib import import_module, metadata
from pathlib import Path

__all__ = ["code_fingerprint", "versions"]

# The rooms that can have a part in a result: no other room can be imported from here.
_ROOMS = (
    "errors.py",
    "compiled.py",
    "staging.py",
    "priors",
    "markets",
    "matching",
    "mechanisms",
    "groups",
    "estimate",
)
# Libraries whose arithmetic ends up in a result, the random streams included.
_LIBRARIES = ("llvmlite", "numba", "numpy", "ortools", "polars", "scipy")


@lru_cache
def versions() -> dict[str, str]:
    """Return the versions of catallax, Python and the libraries that compute.

    Examples
    --------
    >>> sorted(versions())[:2]
    ['catallax', 'llvmlite']
    """
    # The front door knows every room; it is opened by name so that no room depends on it.
    found = {"catallax": str(import_module("catallax").__version__)}
    found["python"] = ".".join(map(str, sys.version_info[:2]))
    found["machine"] = platform.machine()
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            found[library] = "none"
    return dict(sorted(found.items()))


@lru_cache
def code_fingerprint() -> str:
    """Return a hash of everything but its inputs that a result depends on.

    It changes with any file of the rooms that compute, with the version of catallax, of Python
    (3.11 to 3.12, not a patch) and of the libraries that compute, and with the kind of processor.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> len(code_fingerprint())
    64
    """
    digest = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    package = Path(str(import_module("catallax").__file__)).parent
    for name, content in _sources(package):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _sources(package: Path) -> list[tuple[str, bytes]]:
    """Read every file of the rooms that compute, in the order of their names."""
    found = []
    for room in _ROOMS:
        place = package / room
        for file in [place] if place.is_file() else place.rglob("*"):
            within = file.relative_to(package)
            # What Python, Numba and editors leave beside the sources is none of them.
            if file.is_file() and (file.suffix == ".py" or "data" in within.parts):
                found.append((within.as_posix(), file.read_bytes()))
    return sorted(found)
