"""What a full or a frozen process has not accepted: the kernel keeps some of it, and drops the SYN of what is more."""

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import analysis_of
from sim.experiments.on_paper.unwise import findings
from sim.spec.loading import load_document
from sim.spec.queueing import BACKLOGS

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

STATION = """
duration: 60s
services:
  front:
    workers: unlimited
    endpoints: {get: [{call: station.serve, policy: POLICY}]}
  station: {workers: 1, queue: {capacity: ROOM, listen_backlog: 1}, endpoints: {serve: [{work: 10s}]}}
MORE
"""


def play(arrivals, policy="{}", room="0", more="", work="10s", lasts="60s"):
    text = STATION.replace("POLICY", policy).replace("ROOM", room).replace("MORE", more)
    return testing.play_on_both(text.replace("10s", work).replace("60s", lasts), arrivals, sends="front.get")


def dropped(played):
    return played.records.gauge("station", "listen_overflows")[-1]


def test_a_kernel_keeps_one_connection_more_than_its_backlog_and_drops_the_syn_of_the_next():
    """Busy until 10 s; 1.0 and 2.0 wait in the kernel; 3.5 is dropped, and again at 4.5 and 6.5, and has room at 10.5."""
    played = play([0.0, 1.0, 2.0, 3.5])
    assert played.requests["end"].tolist() == pytest.approx([10.0, 20.0, 30.0, 40.0])
    assert dropped(played) == 3
    backlog = played.records.gauge("station", "listen_backlog")  # means of the seconds before
    assert [backlog[at] for at in (1, 2, 3, 10, 21, 31)] == [0.0, 1.0, 2.0, 2.0, 1.0, 0.0]
    told = [event.kind for event in played.events() if "overflow" in event.kind]
    assert told == ["listen_overflow_began", "listen_overflow_ended"]


def test_whoever_gives_up_is_unreachable_as_soon_as_the_connect_timeout_is_over():
    """SYNs at 3.5, 4.5 and 6.5 s; the fourth would come at 10.5 s, behind the end at 8.5 s."""
    played = play([0.0, 1.0, 2.0, 3.5], "{connect_timeout: 5s}")
    assert played.outcomes() == ["ok", "ok", "ok", "unreachable"]
    assert played.requests["end"][3] == pytest.approx(8.5)
    assert dropped(played) == 3


def test_by_default_linux_sends_six_more_syns_and_gives_up_after_127_seconds():
    played = play([0.0, 1.0, 2.0, 3.0], work="200s", lasts="250s")
    assert played.outcomes()[3] == "unreachable"
    assert played.requests["end"][3] == pytest.approx(130.0)
    assert dropped(played) == 7


def test_who_has_a_connection_that_is_kept_alive_waits_in_the_process_however_long_its_queue_is():
    played = play([0.0, 1.0, 2.0, 3.5], "{pool: {size: 9}}")
    assert played.requests["end"].tolist() == pytest.approx([10.0, 20.0, 30.0, 40.0])
    assert dropped(played) == 0
    assert played.records.gauge("station", "queue")[5] == 3.0
    assert played.records.gauge("station", "listen_backlog").max() == 0.0


def test_a_pool_that_has_no_connection_yet_knocks_like_everybody_else():
    played = play([0.0, 1.0, 2.0, 3.5], "{pool: {size: 9, minimum_idle: 0}}")
    assert dropped(played) == 3
    assert played.records.gauge("station", "queue").max() == 0.0


def test_the_kernel_of_a_frozen_process_goes_on_accepting_into_its_backlog():
    """9 s of work are left at the thaw at 21 s. 4.0 is dropped at 4, 5, 7, 11 and 19 s, and comes at 35 s."""
    freeze = "faults: [{outage: station, how: hang, at: 1s, for: 20s}]"
    played = play([0.0, 2.0, 3.0, 4.0], room="5", more=freeze, lasts="70s")
    assert played.requests["end"].tolist() == pytest.approx([30.0, 40.0, 50.0, 60.0])
    assert dropped(played) == 5
    assert played.records.gauge("station", "listen_backlog")[20] == 2.0
    assert played.records.gauge("station", "queue")[[20, 22, 36]].tolist() == [0.0, 2.0, 2.0]


def test_the_client_who_has_gone_knocks_no_more():
    """Gone at 5.5 s: its SYN of 6.5 s is not sent, and the books know it as unreachable."""
    played = play([0.0, 1.0, 2.0, 3.5], "{timeout: 2s}", more="network: {default: {latency: 0}}")
    assert played.outcomes() == ["timeout"] * 4
    assert dropped(played) == 2


@pytest.mark.parametrize(("word", "number"), BACKLOGS.items())
def test_a_backlog_may_be_named_after_whose_it_is(word, number):
    text = (
        STATION.replace("POLICY", "{}")
        .replace("ROOM", "0")
        .replace("MORE", "")
        .replace("listen_backlog: 1", f"listen_backlog: {word}")
    )
    assert testing.play(text, [0.0], sends="front.get").scenario.services["station"].queue.listen_backlog == number


def test_a_name_that_nobody_has_is_told_with_the_nearest():
    text = (
        STATION.replace("POLICY", "{}")
        .replace("ROOM", "0")
        .replace("MORE", "")
        .replace("listen_backlog: 1", "listen_backlog: tomkat")
    )
    with pytest.raises(
        ScenarioError, match=r"found 'tomkat', expected a whole number, or one of linux, .*; did you mean 'tomcat'"
    ):
        testing.play(text, [0.0], sends="front.get")


def test_check_says_when_a_backlog_is_full_and_which_connect_timeout_nothing_uses():
    """10/s come to one worker of 1 s: 9/s are too many, and 2 + 50 + 1 places are full after 53 / 9 s."""
    study = load_document(
        {
            "version": 1,
            "duration": "60s",
            "traffic": {"users": {"sends": "front.get", "arrivals": {"poisson": "10/s"}}},
            "services": {
                "front": {
                    "workers": "unlimited",
                    "endpoints": {
                        "get": [
                            {"call": "station.serve", "policy": {"connect_timeout": "500ms"}},
                            {"call": "other.serve", "policy": {"connect_timeout": "5s"}},
                        ]
                    },
                },
                "station": {
                    "workers": 1,
                    "queue": {"capacity": 2, "listen_backlog": 50},
                    "endpoints": {"serve": [{"work": "1s"}]},
                },
                "other": {"workers": 50, "endpoints": {"serve": [{"work": "1s"}]}},
            },
        }
    )
    (scenario,) = study.variants.values()
    analysis = analysis_of(scenario)
    found = {one.finding for one in findings(analysis, analysis.load(""))}
    assert "its listen backlog of 50 is full after 5.89s at the peak" in found
    assert "gives a connection 500ms" in found
    assert "has a connect_timeout, and other no `queue: {listen_backlog: ...}`" in found
