"""The papers' results, computed again and put beside what was published."""

from catallax.papers.registry import Reproduction, Row, get, names, reproduce

__all__ = ["Reproduction", "Row", "get", "names", "reproduce"]
