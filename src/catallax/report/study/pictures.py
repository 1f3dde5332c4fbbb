"""Figures as SVG inside a page, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catallax.progress import Progress
from catallax.report.study.inline_svg import inline_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure


__all__ = ["Pictures"]


class Pictures:
    """Turns figures into SVG for a page, and counts them."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress
        self._tell()

    def svg(self, figure: Figure | None, says: str) -> str:
        """Return a figure as an SVG element; nothing for None."""
        from markupsafe import Markup, escape

        self._done += 1
        drawn = Markup() if figure is None else Markup(
            inline_svg(figure, f"p{self._done}-", str(escape(says)))
        )  # fmt: skip
        self._tell()
        return drawn

    def _tell(self) -> None:
        if self._progress is not None:
            part = self._done / self._total
            self._progress(part, f"{self._done} of {self._total} pictures")
