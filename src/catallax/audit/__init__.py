"""Audits: does a mechanism do what it promises? And if not, the smallest case in which it fails.

`audit` looks at one mechanism in one market; `check_mechanism` at one mechanism in a battery of
small markets, for anybody's test suite. A `Witness` is a market file that shows a property fail.
"""

import sys
from types import ModuleType
from typing import Any

from catallax.audit import properties
from catallax.audit.audit import BUDGET, audit
from catallax.audit.claims.battery import battery
from catallax.audit.claims.check import BrokenClaimError, check_mechanism
from catallax.audit.claims.stored import stored_table, stored_witness
from catallax.audit.judgement import Judgement, Verdict
from catallax.audit.properties import Property
from catallax.audit.result import AuditReport, Finding
from catallax.audit.witness import Witness, read_witness

__all__ = [
    "BUDGET",
    "AuditReport",
    "BrokenClaimError",
    "Finding",
    "Judgement",
    "Property",
    "Verdict",
    "Witness",
    "audit",
    "battery",
    "check_mechanism",
    "properties",
    "read_witness",
    "stored_table",
    "stored_witness",
]


class _Callable(ModuleType):
    """A module that can be called: `catallax.audit(market, ...)` audits.

    The function and the module share a name, and importing the module binds that name in the
    package for good; so it stands for both.
    """

    def __call__(self, *args: Any, **options: Any) -> AuditReport:
        """Audit a mechanism in a market; see the function `catallax.audit.audit`."""
        return audit(*args, **options)


sys.modules[__name__].__class__ = _Callable
