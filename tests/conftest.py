"""Tests keep their journals to themselves."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _cache_of_their_own(tmp_path_factory):
    """Processes that a test starts inherit it; pytest tidies up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
