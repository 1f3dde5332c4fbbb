"""Trade reduction and McAfee's rule on complete markets of agents alike, with continuous priors.

Let b_(i) be the i-th highest value, s_(i) the i-th lowest cost, and D_i the event that the first
best has i trades or more, b_(i) >= s_(i). Given b_(i+1) = z, the i values above it are independent
draws above z, and their least exceeds z by ``G_i(z) = integral of (P(V > t) / P(V > z))^i over t
>= z`` on average; D_(i+1) is then that i + 1 sellers ask at most z. Trade reduction lets the i-th
pair trade exactly in D_(i+1), so ::

    gains            sum over i of E[(b_(i) - s_(i)) D_(i+1)]
    buyers' utility  sum over i of i E[(b_(i) - b_(i+1)) D_(i+1)]

are integrals over the law of b_(i+1), and over that of s_(i+1).

McAfee's rule adds something where the price p = (b_(k+1) + s_(k+1)) / 2 fits between s_(k) and
b_(k): given k and p, the k buyers are draws above p and the k sellers below, so that the k-th pair
gains G_k(p) and its mirror, and each side k times its own part. With x = p - d and y = p + d for
the next two, the probability of this is an integral over p and d.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catallax.estimate.exact_counts import at_least, probabilities
from catallax.estimate.exact_integrals import KRONROD, Integral, cuts_of, edges_between, expectation, integrate
from catallax.estimate.exact_order_statistics import Alike, stated
from catallax.estimate.exact_sides import marks_of

if TYPE_CHECKING:
    from catallax.estimate.exact_result import ExactValues
    from catallax.priors import Prior
