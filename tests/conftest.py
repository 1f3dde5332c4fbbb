"""What the whole suite shares: repeatable random examples and no screen."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

# Pictures are drawn into files; a test never opens a window.
os.environ["MPLBACKEND"] = "Agg"

# Everybody gets the same examples and no test depends on the speed of the machine. To hunt with
# fresh examples:  HYPOTHESIS_PROFILE=hunt make test
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("hunt", deadline=None, print_blob=True, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are read, nor later among them: they stay to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
