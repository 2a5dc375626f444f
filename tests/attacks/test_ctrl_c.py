"""Ctrl-C is heard within a second, whatever goes on: reading, drawing, wiring, simulating, measuring, in one process or with workers."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.attacks.victims import Victim

pytestmark = pytest.mark.long

HEAD = "version: 1\nduration: {duration}\nservices: {{a: {{workers: 2, endpoints: {{e: [{{work: {{exponential: 1ms}}}}]}}}}}}\n"
TRAFFIC = {
    "many": ("3000s", "traffic: {u: {sends: a.e, arrivals: {poisson: 1000/s}}}\n"),
    "bursts": ("10s", "traffic: {u: {sends: a.e, arrivals: {mmpp: {rates: [1/h, 0/s], stays: [1us, 1us]}}}}\n"),
    "users": ("60s", "traffic: {u: {sends: a.e, arrivals: {closed: {users: 100000, think: 10s}}}}\n"),
    "a million": ("60s", "traffic: {u: {sends: a.e, arrivals: {closed: {users: 1000000, think: 10s}}}}\n"),
    "recording": (
        "2000s",
        "traffic: {u: {sends: a.e, arrivals: {replay: {file: rows.csv, timestamps: time, user: user}}}}\n",
    ),
}
RUNS = [
    ("many", "compiled", "1"),  # with a second thread that reads the rows, where there are two processors
    ("many", "simpy", "1"),
    ("many", "simpy", "2"),
    ("bursts", "simpy", "1"),
    ("users", "simpy", "1"),
    ("users", "compiled", "1"),
    ("a million", "simpy", "1"),
    ("a million", "compiled", "1"),
]
RUNS += [("recording", "compiled", "1")]
MOMENTS = (1.0, 2.5, 5.0, 8.0)  # s after the start: whatever a machine is at by then


@pytest.mark.parametrize(("name", "engine", "jobs"), RUNS)
def test_it_is_heard_within_a_second(tmp_path, name, engine, jobs):
    duration, traffic = TRAFFIC[name]
    (tmp_path / "x.yaml").write_text(HEAD.format(duration=duration) + traffic)
    if name == "recording":
        (tmp_path / "rows.csv").write_text(
            "time,user\n" + "".join(f"{row / 1000:.3f},u{row % 5000}\n" for row in range(2_000_000))
        )
    heard = 0
    for moment in MOMENTS:
        with Victim(
            ["run", "x.yaml", "--replications", "4", "--engine", engine, "--jobs", jobs, "--quiet"], tmp_path
        ) as victim:
            time.sleep(moment)
            if victim.process.poll() is not None:
                continue
            asked = time.monotonic()
            os.kill(victim.process.pid, signal.SIGINT)
            assert victim.until(
                lambda victim=victim: "interrupted" in victim.said() or victim.process.poll() is not None
            )
            took = time.monotonic() - asked
            code = victim.ended()
            gone = time.monotonic() - asked
            if code in (0, -signal.SIGINT):
                continue  # it was over at that very moment, or the first line of ours had not run yet
            heard += 1
            assert code == 130
            assert took < 1.5, f"at {moment} s: a second, and what a busy machine needs to say so"
            assert gone < 2.0, f"at {moment} s: nothing is taken apart before it goes"
            assert "Traceback" not in victim.said()
    assert heard
