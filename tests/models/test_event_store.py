"""An event store: what is replayed, who is in whose way, and what a crash forgets, by hand and on both engines."""

import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

BASKETS = """
duration: 60s
traffic: {clients: {sends: baskets.change, TRAFFIC}}
services: {baskets: {replicas: REPLICAS, workers: 9, endpoints: {change: [{event_store: baskets, SAID, load: 2ms, append: 3ms}], look: [LOOK]}}}
"""


def play(said, arrivals, *, replicas=1, traffic="items: {count: 1}", look="{work: 1ms}", extra=""):
    text = BASKETS.replace("SAID", said).replace("REPLICAS", str(replicas)).replace("TRAFFIC", traffic)
    return testing.play_on_both(text.replace("LOOK", look) + extra, arrivals)


def responses(played):
    return [round(response, 9) for response in played.responses()]


def last(played):
    return {
        series.quantity: value for series, value in zip(played.records.series, played.records.gauges[-1], strict=True)
    }


def test_a_command_replays_all_that_has_happened_before_it():
    """2 ms to load, 1 ms for each of 100 events, 3 ms to append; the next has one event more."""
    played = play("key: all, begins_with: 100, replay: 1ms", [0.0, 1.0, 2.0])
    assert responses(played) == [0.105, 0.106, 0.107]
    assert last(played)["events_replayed baskets"] == 100 + 101 + 102
    assert last(played)["events_appended baskets"] == 3


def test_any_number_of_events_takes_as_long_as_its_events():
    """Also one that is made of pieces of every size: 4^8 - 1 = 65,535, and 1 more."""
    played = play("key: all, begins_with: 65535, replay: 0.1ms", [0.0, 10.0])
    assert responses(played) == [round(6.5535 + 0.005, 9), round(6.5536 + 0.005, 9)]


def test_behind_a_snapshot_only_what_came_after_it_is_replayed():
    """A snapshot at each tenth event: 97 replay 7, 98 and 99 one more each, and 100 none."""
    played = play("key: all, begins_with: 97, replay: 1ms, snapshot_every: 10", [0.0, 1.0, 2.0, 3.0, 4.0])
    assert responses(played) == [0.012, 0.013, 0.014, 0.005, 0.006]


def test_who_has_not_seen_the_last_event_may_not_append():
    """The second loads before the first appends, and appends after it; the third has seen both."""
    played = play("key: all", [0.0, 0.001, 0.005])
    assert played.outcomes() == ["ok", "error", "ok"]
    assert last(played)["version_conflicts baskets"] == 1
    assert last(played)["events_appended baskets"] == 2


def test_the_longer_one_decides_the_more_others_are_in_its_way():
    """Five come in 40 ms; deciding takes 50 ms, so that only the first has seen the last event when it appends."""
    played = play("key: all, then: [{work: 50ms}]", [0.0, 0.01, 0.02, 0.03, 0.04])
    assert played.outcomes() == ["ok"] + ["error"] * 4


def test_a_conflict_is_over_when_the_caller_tries_again():
    retry = "items: {count: 1}, retry: {max_attempts: 2, backoff: {constant: 10ms}}"
    played = play("key: all", [0.0, 0.001], traffic=retry)
    assert played.outcomes() == ["ok", "ok"]
    assert responses(played) == [0.005, 0.020]  # 5 ms, a pause of 10, and 5 again


def test_aggregates_are_in_nobodys_way():
    """Users 0 to 4 in turns would not meet; here each request is of an item of its own among a million."""
    played = play("key: item", [0.0] * 5, traffic="items: {count: 1000000}")
    assert played.outcomes() == ["ok"] * 5


def test_users_of_two_traffics_are_different_aggregates():
    two = "users: {count: 1}}, others: {sends: baskets.change, users: {count: 1}, arrivals: {deterministic: 1/s}"
    text = BASKETS.replace("SAID", "key: user, begins_with: 5, replay: 1ms").replace("REPLICAS", "1")
    text = text.replace("TRAFFIC", two + "").replace("LOOK", "{work: 1ms}").replace("duration: 60s", "duration: 3500ms")
    played = testing.play_on_both(text, {"clients": [0.5, 1.5]})
    assert sorted(responses(played)) == [0.010, 0.010, 0.011, 0.011, 0.012]  # 5 and 6 events, and 5, 6 and 7


def test_a_replica_that_keeps_what_it_loaded_replays_what_others_have_appended():
    """Round robin over two: 100 and 101 cold, then what the other one has appended."""
    played = play("key: all, begins_with: 100, replay: 1ms, in_memory: true", [0.0, 1.0, 2.0, 3.0], replicas=2)
    assert responses(played) == [0.105, 0.106, 0.006, 0.006]


def test_a_crash_forgets_what_a_replica_knew_and_not_what_was_appended():
    crash = "faults: [{at: 2s, crash: {of: baskets, replicas: 1, restart_after: 1s}}]"
    said = "key: all, begins_with: 100, replay: 1ms, in_memory: true"
    assert responses(play(said, [0.0, 1.0, 4.0, 5.0], extra=crash)) == [0.105, 0.005, 0.107, 0.005]


def test_who_only_reads_appends_nothing_and_is_in_nobodys_way():
    """Another endpoint of the service reads the same store."""
    text = BASKETS.replace("sends: baskets.change", "sends: {baskets.change: 50%, baskets.look: 50%}")
    look = "{event_store: baskets, key: all, begins_with: 10, replay: 1ms, appends: 0, load: 2ms, append: 3ms}"
    text = text.replace("SAID", "key: all, begins_with: 10, replay: 1ms").replace("REPLICAS", "1").replace("LOOK", look)
    played = testing.play_on_both(text.replace("TRAFFIC", "items: {count: 1}"), [float(k) for k in range(20)])
    assert set(played.outcomes()) == {"ok"}
    written = last(played)["events_appended baskets"]
    assert 0 < written < 20
    assert sum(responses(played)) == pytest.approx(
        20 * 0.002
        + written * 0.003
        + 0.001 * (last(played)["events_replayed baskets"] + last(played)["events_replayed baskets 2"])
    )


def test_on_paper_half_of_the_events_between_snapshots_are_replayed():
    text = BASKETS.replace("SAID", "key: all, replay: 2ms, snapshot_every: 101").replace("REPLICAS", "1")
    text = text.replace("TRAFFIC", "items: {count: 1}, arrivals: {poisson: 1/s}").replace("LOOK", "{work: 1ms}")
    (loads,) = check(sim.load_text("version: 1\n" + text)).loads.values()
    (held,) = [station.demand for station in loads.stations if station.name == "baskets"]
    assert held == pytest.approx(0.002 + 50 * 0.002 + 0.003)


def test_stores_of_one_name_are_one_and_must_be_said_alike():
    with pytest.raises(ScenarioError, match="found another `key` than where the event store 'baskets' is named first"):
        play("key: all", [0.0], look="{event_store: baskets, key: item}")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("key: item", "found no traffic with `items`"),
        ("key: items", "did you mean 'item'?"),
        ("key: all, snapshot_evry: 5", "did you mean 'snapshot_every'?"),
    ],
)
def test_slips_are_told(said, words):
    with pytest.raises(ScenarioError) as caught:
        play(said, [0.0], traffic="timeout: 1s")
    assert words in str(caught.value)
