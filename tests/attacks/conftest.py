"""A folder that another user can reach: those of pytest are closed to all but their owner."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.victims import NOBODY, why_not_nobody


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """A folder of nobody; the test is skipped where nothing can be run as that user."""
    if why := why_not_nobody():
        pytest.skip(why)
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, NOBODY)
        yield Path(folder)
