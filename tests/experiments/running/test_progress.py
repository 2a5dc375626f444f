"""Progress: a bar that leaves nothing behind on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import io

import pytest

from sim.experiments.running import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_bar_shows_share_runs_and_the_time_left(clock):
    screen = Terminal()
    teller = progress.Teller(screen, span=100.0)
    clock[0] += 10.0
    teller(1, 4, 25.0)
    assert screen.getvalue().endswith(" 25%  1 of 4 runs, about 30s left")
    teller.clear()
    assert screen.getvalue().endswith("\r")


def test_elsewhere_a_line_every_ten_seconds_and_none_for_quick_work(clock):
    stream = io.StringIO()
    teller = progress.Teller(stream, span=100.0)
    teller(0, 4, 1.0)
    clock[0] += 11.0
    teller(1, 4, 25.0)
    teller(1, 4, 26.0)
    clock[0] += 30.0
    teller(4, 4, 100.0)
    teller(4, 4, 100.0)
    assert stream.getvalue().splitlines() == [
        "1 of 4 runs, 25% simulated, about 33s left",
        "4 of 4 runs, 100% simulated",
    ]
    quick = io.StringIO()
    progress.Teller(quick, span=1.0)(4, 4, 1.0)
    assert quick.getvalue() == ""
