"""Event loops that own their connections: a busy one delays its connections though others are idle."""

import math

import numpy as np
import pytest

from sim import compiled, testing
from sim.errors import ScenarioError
from sim.spec.loading import load_document

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

ENDPOINTS = {"slow": [{"work": "1s"}], "fast": [{"work": "10ms"}]}


def traffic(target, *times):
    return {"sends": f"app.{target}", "users": {"count": 1}, "arrivals": {"replay": {"data": list(times)}}}


def play(pinned, **more):
    """Users 0, 1 and 2, of two loops: 0 and 2 have connections to the first."""
    people = {"zero": traffic("slow", 0.1), "one": traffic("fast", 0.2), "two": traffic("fast", 0.3, 0.4)}
    app = {"workers": 2, "concurrency": "event_loop", "pinned": pinned, "endpoints": ENDPOINTS, **more}
    return testing.play_on_both({"duration": "20s", "traffic": people, "services": {"app": app}})


def test_who_is_pinned_to_a_busy_loop_waits_though_the_other_is_idle():
    played = play(True)
    assert played.requests["end"].tolist() == pytest.approx([1.1, 0.21, 1.11, 1.12])
    assert played.records.gauge("app", "queue")[1] == pytest.approx(
        0.7 + 0.6
    )  # in the first second: from 0.3 and 0.4 s on


def test_who_is_not_takes_any_that_is_free():
    assert play(False).requests["end"].tolist() == pytest.approx([1.1, 0.21, 0.31, 0.41])


def test_a_loop_goes_on_with_its_own_line_when_the_one_at_work_waits_for_others():
    """It lets go of the loop at 1.1 s, and comes back behind the two who stood in line."""
    endpoints = {"slow": [{"work": "1s"}, {"wait": "5ms"}, {"work": "1s"}], "fast": ENDPOINTS["fast"]}
    played = play(True, endpoints=endpoints)
    assert played.requests["end"].tolist() == pytest.approx([2.12, 0.21, 1.11, 1.12])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"concurrency": "threads"}, "`pinned` is a word of `concurrency: event_loop`"),
        ({"workers": "unlimited"}, "found pinned beside unlimited workers"),
        ({"queue": {"discipline": "lifo"}}, "found discipline lifo beside pinned"),
        ({"queue": {"listen_backlog": "nginx"}}, "found listen_backlog beside pinned"),
    ],
)
def test_what_cannot_be_pinned_is_refused(more, words):
    with pytest.raises(ScenarioError, match=words):
        play(True, **more)


@pytest.mark.long
def test_four_loops_are_four_queues_of_one_server_and_not_one_of_four():
    """3,400/s at random to four loops of 1 ms: M/M/1 at 850/s each, of which the mean is 1 / 150 s and p99 ln 100 times that."""
    document = {
        "version": 1,
        "duration": "4m",
        "traffic": {"users": {"sends": "POST /x", "arrivals": {"poisson": "3400/s"}}},
        "gateway": {"workers": 4, "pinned": True, "work": {"exponential": "1ms"}, "routes": {"POST /x": {"to": "a.x"}}},
        "services": {"a": {"workers": 4000, "endpoints": {"x": [{"wait": "1us"}]}}},
    }
    (scenario,) = load_document(document).variants.values()
    requests = compiled.simulate(scenario, 0).requests
    response = (requests["end"] - requests["arrival"])[requests["arrival"] > 5.0]
    response = response[~np.isnan(response)]
    assert response.mean() == pytest.approx(1 / 150, rel=0.06)
    assert np.quantile(response, 0.99) == pytest.approx(math.log(100) / 150, rel=0.1)
