"""Eight kills of a sweep, and what is left of it; a hundred by hand: python -m tests.attacks.kills 100."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.kills import campaign

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"),
]


def test_nothing_that_was_kept_runs_twice_and_nothing_is_missing(tmp_path):
    tally = campaign(8, 2, tmp_path)
    assert tally.kills == 8
    assert tally.rounds >= 1
    assert tally.resumed > 0, "some kill fell after results were written down"


def test_nor_does_it_for_a_user_who_is_not_root(nobodys):
    assert campaign(2, 5, nobodys, nobody=True).kills == 2
