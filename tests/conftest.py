"""What the whole suite shares: repeatable random examples and no screen."""

from __future__ import annotations

import os

from hypothesis import settings

# Pictures are drawn into files; a test never opens a window.
os.environ["MPLBACKEND"] = "Agg"

# Everybody gets the same examples and no test depends on the speed of the machine. To hunt with
# fresh examples:  HYPOTHESIS_PROFILE=hunt make test
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("hunt", deadline=None, print_blob=True, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
