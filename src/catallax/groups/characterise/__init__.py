"""Black boxes judged: which truthful rules are votes, on tables, by search, or smooth."""

from catallax.groups.characterise.search import characterise_by_search
from catallax.groups.characterise.smooth import SmoothCharacterisation, characterise_smooth
from catallax.groups.characterise.tables import (
    Characterisation,
    characterise,
    characterise_table,
)

__all__ = [
    "Characterisation",
    "SmoothCharacterisation",
    "characterise",
    "characterise_by_search",
    "characterise_smooth",
    "characterise_table",
]
