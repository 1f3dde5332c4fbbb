"""Markets by name: from the papers, from textbooks, and random ones of any size.

Examples
--------
>>> from catallax.markets import instances
>>> instances.get("double-auction", n=3)
<market 'double-auction': 3 buyers, 3 sellers, complete>
>>> instances.describe("double-auction", n=3).known["first best"].value
0.6428571428571429
"""

from catallax.markets.instances import bilateral, many_agents  # noqa: F401  # they register
from catallax.markets.instances.registry import (
    Instance,
    Known,
    describe,
    get,
    names,
    path,
    register,
)

__all__ = ["Instance", "Known", "describe", "get", "names", "path", "register"]
