"""Who is served first: each discipline told request by request, and what happens at a full line, a timeout and a crash."""

import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.models.running import run as run_world
from sim.models.task import IN_QUEUE
from sim.models.world import World

TEXT = """
duration: 1m
traffic:
  buyers: {sends: shop.checkout, headers: {x-tier: gold}}
  lookers: {sends: shop.browse}
services:
  shop: {workers: 1, queue: {QUEUE}, endpoints: {checkout: [{wait: 100ms}], browse: [{wait: 100ms}]}}
"""


def played(queue, buyers=(), lookers=(), more=""):
    return testing.play(TEXT.replace("QUEUE", queue) + more, {"buyers": list(buyers), "lookers": list(lookers)})


def begun(run):
    """The letters of those who got the worker, in the order in which they did."""
    served = [attempt for attempt in run.attempts() if attempt.started == attempt.started]
    return "".join(attempt.endpoint[5] for attempt in sorted(served, key=lambda its: its.started))


def test_a_class_goes_before_the_next_and_within_it_first_come_first_served():
    run = played("discipline: priority, classes: {checkout: 0, browse: 1}", [1.02, 1.03], [1.0, 1.01, 1.05])
    assert run.responses("buyers") == [0.18, 0.27]
    assert run.responses("lookers") == [0.1, 0.39, 0.45]
    assert begun(run) == "bccbb"


@pytest.mark.parametrize(
    "words", ["by: traffic, classes: {buyers: 0}", "by: header, header: x-tier, classes: {gold: 0}"]
)
def test_classes_may_be_those_of_traffic_or_of_a_header_and_who_is_not_named_comes_last(words):
    assert begun(played(f"discipline: priority, {words}", [1.02, 1.03], [1.0, 1.01, 1.05])) == "bccbb"


def test_a_full_line_refuses_a_newcomer_or_sheds_the_newest_of_the_last_class_for_him():
    words = "discipline: priority, classes: {checkout: 0, browse: 1}, capacity: 2"
    kept = played(words, [1.03, 1.04], [1.0, 1.01, 1.02])
    assert (kept.outcomes("buyers"), kept.outcomes("lookers")) == (["shed", "shed"], ["ok", "ok", "ok"])
    pushed = played(f"{words}, push_out: true", [1.03, 1.04, 1.05], [1.0, 1.01, 1.02])
    assert pushed.outcomes("buyers") == ["ok", "ok", "shed"]
    assert pushed.outcomes("lookers") == ["ok", "shed", "shed"]
    assert pushed.responses("lookers")[1:] == [0.03, 0.01]  # the newest first


def test_the_earliest_deadline_is_first_and_who_is_late_is_dropped_in_his_turn():
    words = "discipline: edf, deadlines: {checkout: 150ms, browse: 500ms}"
    assert begun(played(words, [1.02, 1.03], [1.0, 1.01])) == "bccb"
    late = played(f"{words}, drop_late: true", [1.02, 1.03], [1.0, 1.01])
    assert late.outcomes("buyers") == ["ok", "shed"]  # due at 1.18; its turn comes at 1.2
    assert late.responses("buyers")[1] == 0.17


def test_keys_take_turns():
    run = played("discipline: fair, by: traffic", [1.05], [1.0, 1.01, 1.02, 1.03])
    assert begun(run) == "bbcbb"


def test_a_standing_queue_is_turned_round_until_it_is_empty():
    run = played("discipline: adaptive_lifo", [], [1.0, 1.01, 1.02, 1.03, 1.04, 2.0, 2.01, 2.02])
    assert run.responses("lookers") == [0.1, 0.19, 0.48, 0.37, 0.26, 0.1, 0.19, 0.28]


def test_codel_drops_who_waited_long_in_an_interval_after_one_without_a_short_wait():
    """Served every 0.1 s: from 1.1 s on every wait of an interval is above 5 ms, so that from 1.3 s on who waited more
    than 10 ms is dropped.
    """
    run = played("discipline: codel", [], [1.0] * 6)
    assert run.outcomes("lookers") == ["ok", "ok", "ok", "ok", "shed", "shed"]
    assert run.responses("lookers") == [0.1, 0.2, 0.3, 0.4, 0.4, 0.4]


def test_what_is_begun_is_not_dropped_when_it_waits_for_its_worker_again():
    text = """
    duration: 1m
    traffic: {buyers: {sends: shop.checkout}}
    services:
      shop:
        workers: 1
        concurrency: event_loop
        queue: {discipline: edf, deadlines: {checkout: 50ms}, drop_late: true}
        endpoints: {checkout: [{work: 40ms}, {wait: 10ms}, {work: 40ms}]}
    """
    run = testing.play(text, {"buyers": [1.0, 1.0, 1.0]})
    assert run.outcomes() == ["ok", "ok", "shed"]


def test_branches_of_an_event_loop_stand_in_the_class_of_their_attempt():
    """The first branch goes behind the browser that is next when the attempt lets go of the worker, the second behind
    nobody.
    """
    text = """
    duration: 1m
    traffic: {buyers: {sends: shop.checkout}, lookers: {sends: shop.browse}}
    services:
      shop:
        workers: 1
        concurrency: event_loop
        queue: {discipline: priority, classes: {checkout: 0, browse: 1}}
        endpoints:
          checkout: [{parallel: [[{work: 100ms}], [{work: 100ms}]]}]
          browse: [{work: 100ms}]
    """
    run = testing.play(text, {"buyers": [1.0], "lookers": [0.95, 1.01, 1.02, 1.03]})
    assert run.responses("buyers") == [0.35]
    assert run.responses("lookers") == [0.1, 0.14, 0.43, 0.52]


def test_a_line_forgets_who_has_left_it():
    """Whoever waits for a worker a second time is remembered only while he does, however that ends."""
    text = """
    version: 1
    duration: 20s
    traffic: {buyers: {sends: shop.checkout, arrivals: {deterministic: 33/s}}}
    services:
      shop:
        workers: 1
        concurrency: event_loop
        queue: {discipline: codel, target: 5ms, interval: 100ms}
        endpoints: {checkout: [{work: 20ms}, {wait: 50ms}, {work: 20ms}]}
    """
    world = World(next(iter(sim.load_text(text).variants.values())))
    run_world(world)
    lines = world.services["shop"].lines
    assert lines is not None
    assert {task.waits for task in lines.midway} <= {IN_QUEUE}


def test_who_times_out_in_line_is_passed_over_and_books_balance():
    run = played("discipline: priority, classes: {checkout: 0, browse: 1}, timeout: 120ms", [1.0, 1.0, 1.0], [1.0])
    assert sorted(run.outcomes()) == ["ok", "ok", "shed", "shed"]


@pytest.mark.parametrize(
    "queue",
    [
        "discipline: priority, classes: {checkout: 0}",
        "discipline: codel",
        "discipline: fair, by: traffic",
        "discipline: adaptive_lifo",
    ],
)
def test_a_crash_empties_the_line(queue):
    run = played(
        queue, [1.0, 1.0], [1.0, 5.0], "faults: [{crash: {of: shop, replicas: 1, restart_after: 1s}, at: 1.05s}]"
    )
    assert run.outcomes("buyers") == ["unreachable"] * 2
    assert run.outcomes("lookers") == ["unreachable", "ok"]


def test_a_gateway_has_classes_of_its_routes():
    text = """
    duration: 1m
    traffic: {buyers: {sends: POST /}, lookers: {sends: GET /}}
    gateway:
      workers: 1
      work: 100ms
      queue: {discipline: priority, classes: {POST /: 0, GET /: 1}}
      routes: {POST /: {to: shop.get}, GET /: {to: shop.get}}
    services: {shop: {workers: unlimited, endpoints: {get: []}}}
    """
    run = testing.play(text, {"buyers": [1.02, 1.03], "lookers": [1.0, 1.01]})
    assert (run.responses("buyers"), run.responses("lookers")) == ([0.18, 0.27], [0.1, 0.39])


@pytest.mark.parametrize(
    ("queue", "told"),
    [
        ("discipline: priorities", "did you mean 'priority'"),
        ("discipline: priority", "the field 'classes' is missing"),
        ("discipline: fifo, classes: {checkout: 0}", "`classes` is a word of priority"),
        ("discipline: priority, classes: {chekout: 0}", "unknown endpoint 'chekout'; did you mean 'checkout'"),
        ("discipline: priority, by: traffic, classes: {buyer: 0}", "unknown traffic 'buyer'; did you mean 'buyers'"),
        ("discipline: edf", "the field 'deadlines' is missing"),
        ("discipline: fair, by: header", "belong together"),
    ],
)
def test_slips_are_told(queue, told):
    with pytest.raises(ScenarioError, match=told):
        played(queue)


GATEWAY_OF_TIERS = """
duration: 1m
gateway:
  workers: 1
  work: 100ms
  queue: {discipline: fair, by: header, header: x-tier}
  routes: {/: {to: shop.look}}
services: {shop: {workers: unlimited, endpoints: {look: [{wait: 0s}]}}}
traffic:
  free: {sends: /, headers: {x-tier: free}}
  gold: {sends: /, headers: {x-tier: gold}}
  hasty: {sends: /, headers: {x-tier: gold}, timeout: 30ms}
  trial: {sends: /, headers: {x-tier: trial}}
"""


def test_a_key_whose_last_one_has_gone_loses_its_turn_to_one_that_comes_before_its_next():
    """Of gold only a hasty client is left when its turn is over at 1.1 s, and he has gone at 1.05 s: trial, which comes before the next of gold, is before it."""
    times = {"free": [1.0, 1.03, 1.04], "gold": [1.01, 1.15], "hasty": [1.02], "trial": [1.12]}
    run = testing.play(GATEWAY_OF_TIERS, times)
    assert run.responses("free") == [0.1, 0.27, 0.56]
    assert run.responses("gold") == [0.19, 0.35]
    assert run.responses("trial") == [0.28]
