"""What the pictures share: colours that everybody tells apart, and files that do not vary."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catallax.errors import CatallaxError, OutputError, how_to_install, nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "AFTER",
    "BUYER",
    "FORMATS",
    "GREY",
    "INK",
    "SELLER",
    "WAITING",
    "check_plot_path",
    "drawing",
    "require_matplotlib",
    "save",
    "tidy",
]

# Okabe and Ito, "Color universal design" (2008). In print without colour the two sides differ by
# line style and marker as well.
BUYER = "#0072B2"
SELLER = "#D55E00"
AFTER = "#009E73"
INK = "#333333"
GREY = "#9a9a9a"
WAITING = "#d9d9d9"

FORMATS = ("svg", "png")

_STYLE: Any = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    # Text stays text: an identifier can be searched for, and no "$" starts a formula.
    "svg.fonttype": "none",
    "text.parse_math": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    # Without it matplotlib numbers its clip paths at random.
    "svg.hashsalt": "catallax",
}


def require_matplotlib() -> None:
    """Refuse to go on where matplotlib is not installed.

    Raises
    ------
    CatallaxError
        With the command that installs it.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise CatallaxError(
            f"pictures need matplotlib, which is not installed: {how_to_install('matplotlib')}"
        ) from error


def check_plot_path(path: Path) -> None:
    """Refuse a picture that could not be drawn, before anything is computed.

    Parameters
    ----------
    path
        Where it is to go.

    Raises
    ------
    OutputError
        If the suffix is neither .svg nor .png.
    CatallaxError
        If matplotlib is not installed.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise OutputError(
            f"{path}: pictures are written as .svg or .png; {nearest(suffix, FORMATS)}"
        )
    require_matplotlib()


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in our style, whatever the user's own settings of matplotlib are."""
    require_matplotlib()
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def tidy(axes: Axes, *, whole: bool = False) -> None:
    """Give axes thousands separators and few ticks, on `whole` numbers only below."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for axis, integer in ((axes.xaxis, whole), (axes.yaxis, False)):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10], integer=integer))
        axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))


def tick(value: float) -> str:
    """Write the number at a tick.

    Examples
    --------
    >>> tick(2500.0), tick(0.25), tick(-0.0), tick(2e9), tick(1e-12)
    ('2,500', '0.25', '0', '2e+09', '1e-12')
    """
    # Adding zero makes a negative zero a plain one.
    return f"{value + 0.0:,.6g}"


def save(figure: Figure, path: Path) -> None:
    """Write a picture; the same picture is the same bytes every time.

    Parameters
    ----------
    figure
        What to write.
    path
        A file that ends in .svg or .png.
    """
    suffix = path.suffix.lower().removeprefix(".")
    # No date and no version of the software that draws.
    metadata: dict[str, Any] = (
        {"Date": None, "Creator": "catallax"} if suffix == "svg" else {"Software": "catallax"}
    )
    with drawing(), warnings.catch_warnings():
        # An identifier may use letters that the font does not have: an SVG still shows them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, format=suffix, dpi=160, metadata=metadata)
