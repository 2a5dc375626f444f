"""Tests keep their journals to themselves, and hear Ctrl-C wherever they are started."""

from __future__ import annotations

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def _cache_of_their_own(tmp_path_factory):
    """Processes that a test starts inherit it; pytest tidies up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _ears_for_ctrl_c():
    """A shell without job control starts what goes to the background deaf to SIGINT, and so all that it starts in turn."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
