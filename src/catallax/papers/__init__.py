"""The papers' results, computed again and put beside what was published."""

from catallax.papers.catalogue import get, names, reproduce
from catallax.papers.reproduction import Reproduction, Row

__all__ = ["Reproduction", "Row", "get", "names", "reproduce"]
