"""Files that appear complete, all of them together, or not at all."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from catallax.errors import OutputError

__all__ = ["TEMPORARY", "Staging", "undisturbed"]

TEMPORARY = ".catallax-"
"""How the names of files begin that are not finished yet."""


class Staging:
    """Files that appear together, or not at all.

    Every file is first written under a temporary name beside its place. When the block ends they
    are renamed; when it ends with an error they are removed, and so are the folders made for
    them.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with Staging() as staging:
    ...     staging.add(folder / "a.txt", lambda path: path.write_text("done"))
    >>> [path.name for path in folder.iterdir()]
    ['a.txt']
    """

    def __init__(self) -> None:
        self._written: dict[Path, Path] = {}
        self._folders: list[Path] = []

    def __enter__(self) -> Staging:
        """Begin with nothing."""
        return self

    def add(self, path: Path, write: Callable[[Path], object]) -> None:
        """Write a file under a temporary name.

        Parameters
        ----------
        path
            Where the file is to be. One that is there is replaced.
        write
            Called with the path to write to; it has the same suffix.

        Raises
        ------
        OutputError
            If the place is taken by a folder, or was asked for twice.
        """
        key = path.resolve()
        if key in self._written:
            raise OutputError(f"{path} would be written twice: give the results different names")
        if path.is_dir():
            raise OutputError(f"{path} is a folder: name a file to write to")
        self._make_folder(path.parent)
        # No more than the suffix of the name: with it, the longest name would be too long.
        temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}{path.suffix}")
        self._written[key] = temporary
        # Writers that watch for interrupts themselves may raise twice for one, which would end
        # the taking away as well.
        with undisturbed():
            write(temporary)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put the files in their places, or take everything away again."""
        if kind is not None:
            with undisturbed():
                self._remove()
            return
        try:
            with undisturbed():
                for target, temporary in self._written.items():
                    temporary.replace(target)
        except BaseException:
            self._remove()
            raise

    def _remove(self) -> None:
        for temporary in self._written.values():
            temporary.unlink(missing_ok=True)
        for folder in reversed(self._folders):
            # A folder that somebody else has used in the meantime stays.
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _make_folder(self, folder: Path) -> None:
        for ancestor in [*reversed(folder.parents), folder]:
            if ancestor.exists() and not ancestor.is_dir():
                raise OutputError(f"{ancestor} is a file: name a folder to write to")
            if not ancestor.exists():
                ancestor.mkdir()
                self._folders.append(ancestor)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let an interrupt wait until this is done, such as putting a set of files in their places."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return
    came: list[tuple[int, FrameType | None]] = []
    usual = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if came and callable(usual):
            usual(*came[-1])
