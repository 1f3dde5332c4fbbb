"""Pictures inside an HTML page, which then needs no other file."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING

from catallax.report.canvas import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["inline_svg"]


def inline_svg(figure: Figure, prefix: str, says: str) -> str:
    """Write a figure as an SVG element for the middle of an HTML page.

    Parameters
    ----------
    figure
        What to write.
    prefix
        What its names begin with, so that no other picture of the page has the same ones.
    says
        What the picture shows, for those who cannot see it; escaped already.

    Returns
    -------
    str
        The element; the same for the same figure, every time.
    """
    buffer = io.StringIO()
    with drawing(), warnings.catch_warnings():
        # A name may use letters that matplotlib's font does not have: the reader's will.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'(?<=\sid=")', prefix, text)
    text = re.sub(r"(?<=url\(#)", prefix, text)
    text = re.sub(r'(?<=href="#)', prefix, text)
    text = text.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, Arial, sans-serif")
    return text.replace("<svg ", f'<svg role="img" aria-label="{says}" ', 1)
