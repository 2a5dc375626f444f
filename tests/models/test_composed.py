"""Steps made of other steps: what is chosen, repeated, raced and left to itself, against arithmetic by hand and against paper."""

import math

import numpy as np
import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.metrics.ways import Ways
from sim.models import simulate
from sim.records.tables import Book
from sim.report.wiring import wiring_of


def play(steps, arrivals=(0.0,), service="workers: 1", **more):
    other = "other: [{work: 10ms}, {effect: other-done}]"
    return testing.play(
        f"services: {{app: {{{service}, endpoints: {{get: {steps}, {other}}}}}}}",
        list(arrivals),
        sends="app.get",
        **more,
    )


def one_by_one(count):
    """Arrivals so far apart that nobody waits."""
    return [float(second) for second in range(count)]


# ---- choose


def test_a_branch_is_taken_by_its_share_and_what_is_left_goes_on():
    """10 ms in 30 %, 20 ms in 50 %, else nothing: mean 13 ms, variance 0.3 * 10^2 + 0.5 * 20^2 - 13^2 = 61 ms^2."""
    took = np.array(
        play(
            "[{choose: [{share: 30%, do: {work: 10ms}}, {share: 50%, do: [{work: 20ms}]}]}]", one_by_one(4000)
        ).responses()
    )
    assert set(took) == {0.0, 0.01, 0.02}
    assert took.mean() == pytest.approx(0.013, abs=4 * math.sqrt(61e-6 / 4000))
    assert took.var() == pytest.approx(61e-6, rel=0.1)


def test_the_branch_without_a_share_has_what_the_others_leave_and_a_failure_inside_ends_the_endpoint():
    played = play(
        "[{choose: [{share: 25%, do: [{fail: 100%}]}, {do: {work: 10ms}}]}, {effect: done}]", one_by_one(1000)
    )
    failed = played.outcomes().count("error")
    assert failed == pytest.approx(250, abs=4 * math.sqrt(250 * 0.75))
    assert [outcome == "ok" for outcome in played.outcomes()] == [effects == ["done"] for effects in played.effects()]
    assert set(played.responses()) == {0.0, 0.01}


@pytest.mark.parametrize("per", ["request", "attempt"])
def test_a_retry_takes_the_same_branch_only_where_it_is_that_of_the_request(per):
    text = f"""
    traffic: {{clients: {{sends: app.get, retry: {{max_attempts: 2, backoff: {{constant: 1ms}}}}}}}}
    services: {{app: {{workers: 1, endpoints: {{get: [{{choose: [{{share: 50%, do: {{fail: 100%}}}}], per: {per}}}]}}}}}}
    """
    outcomes = testing.play(text, one_by_one(400)).outcomes()
    wanted = 0.5 if per == "request" else 0.25
    assert outcomes.count("error") / 400 == pytest.approx(wanted, abs=4 * math.sqrt(wanted * (1 - wanted) / 400))


# ---- repeat


def test_it_is_repeated_so_many_times_until_it_fails():
    assert play("[{repeat: 3, do: {work: 10ms}}]").responses() == [0.03]
    assert play("[{repeat: 0, do: {work: 10ms}}]").responses() == [0.0]
    assert play("[{repeat: 3, do: [{work: 10ms}, {fail: 100%}]}]").responses() == [0.01]


def test_each_time_draws_anew_and_the_first_time_as_without_the_step():
    once = play("[{work: {exponential: 10ms}}]", one_by_one(500)).responses()
    five = np.array(play("[{repeat: 5, do: {work: {exponential: 10ms}}}]", one_by_one(500)).responses())
    again = play("[{repeat: 1, do: {work: {exponential: 10ms}}}]", one_by_one(500)).responses()
    assert five.var() == pytest.approx(5 * 1e-4, rel=0.3)  # one draw five times over would have 25e-4
    assert np.corrcoef(once, again)[0, 1] < 0.2  # the site of the step has another name, and so other draws
    assert five.mean() == pytest.approx(0.05, abs=4 * math.sqrt(5e-4 / 500))


@pytest.mark.parametrize(
    ("times", "mean", "variance"),
    [("{geometric: 3}", 3.0, 6.0), ("{poisson: 2}", 2.0, 2.0), ("{uniform: [1, 5]}", 3.0, 2.0), ("4", 4.0, 0.0)],
)
def test_the_number_of_times_has_the_mean_and_variance_of_its_law(times, mean, variance):
    """So many constant times add up to a multiple: of a geometric law (1 - p) / p^2, of Poisson's the mean, of the uniform (n^2 - 1) / 12."""
    counts = np.array(play(f"[{{repeat: {times}, do: {{wait: 10ms}}}}]", one_by_one(3000)).responses()) / 0.01
    assert counts.mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / 3000) + 1e-6)
    assert counts.var() == pytest.approx(variance, rel=0.15, abs=1e-9)


def test_at_once_lasts_as_long_as_the_longest():
    """The longest of n exponential times is 1/1 + ... + 1/n of them on average: of 4, 25/12."""
    took = play("[{repeat: 4, at_once: true, do: {wait: {exponential: 12ms}}}]", one_by_one(3000)).responses()
    assert np.mean(took) == pytest.approx(0.025, rel=0.05)
    assert play("[{repeat: 4, at_once: true, do: {work: 10ms}}]", service="workers: 1, cores: 2").responses() == [0.02]


def test_calls_of_one_repetition_are_calls_of_their_own_and_none_is_taken_for_a_retry():
    text = """
    services:
      app: {workers: 1, endpoints: {get: [{repeat: 3, do: {call: db.read, policy: {retry: {max_attempts: 2, backoff: {constant: 1ms}}}}}]}}
      db: {workers: 9, endpoints: {read: [{fail: 30%}]}}
    """
    played = testing.play(text, one_by_one(500), sends="app.get")
    (first, *_), last = played.records.gauges, played.records.gauges[-1]
    series = {series.name: value for series, value in zip(played.records.series, last, strict=True)}
    calls = 1 + 0.91 + 0.91**2  # a call fails when both of its attempts do
    assert series["db.first_attempts"] / 500 == pytest.approx(calls, rel=0.05)
    assert series["db.attempts"] / 500 == pytest.approx(calls * 1.3, rel=0.05)
    assert first is not None


# ---- race


def test_the_first_that_ends_well_is_the_answer_and_the_others_go_on_or_are_stopped():
    steps = "[{{race: [[{{work: 30ms}}, {{effect: slow}}], [{{work: 10ms}}, {{effect: fast}}]]{}}}, {{effect: done}}]"
    abandoned, cancelled = play(steps.format("")), play(steps.format(", losers: cancel"))
    assert (abandoned.responses(), abandoned.effects()) == ([0.01], [["slow", "fast", "done"]])
    assert (cancelled.responses(), cancelled.effects()) == ([0.01], [["fast", "done"]])


def test_who_fails_first_loses_and_only_where_all_fail_the_first_branch_is_heard():
    assert play("[{race: [[{fail: 100%}], [{work: 10ms}]]}]").responses() == [0.01]
    failed = play("[{race: [[{work: 20ms}, {refuse: 100%}], [{fail: 100%}]]}]")
    assert (failed.outcomes(), failed.responses()) == (["refused"], [0.02])


def test_losers_that_are_stopped_stop_their_calls_too():
    text = """
    services:
      app: {workers: 1, endpoints: {get: [{race: [{call: db.slow}, {work: 10ms}], losers: cancel}]}}
      db: {workers: 9, endpoints: {slow: [{work: 50ms}, {effect: read}]}}
    """
    played = testing.play(text, [0.0], sends="app.get")
    assert played.effects() == [[]]
    assert [attempt.ended for attempt in played.attempts("db.slow")] == [0.01]


def test_an_order_that_a_loser_may_still_complete_is_pending_and_not_lost():
    text = """
    traffic: {clients: {sends: app.get, completes_with: [slow]}}
    services: {app: {workers: 1, endpoints: {get: [{race: [[{work: 90s}, {effect: slow}], [{work: 10ms}]]}]}}}
    """
    assert testing.play(text, [0.0]).requests["pending"].tolist() == [True]


THREE = "[[{wait: 30ms}, {effect: a}], [{wait: 10ms}, {effect: b}], [{wait: 50ms}, {effect: c}]]"


@pytest.mark.parametrize(("many", "seconds"), [(1, 0.01), (2, 0.03), (3, 0.05)])
def test_a_quorum_is_there_when_so_many_have_ended_well(many, seconds):
    played = play(f"[{{race: {THREE}, wait_for: {many}}}]")
    assert (played.outcomes(), played.responses()) == (["ok"], [pytest.approx(seconds)])


def test_a_quorum_outlasts_failures_that_leave_enough():
    played = play("[{race: [[{wait: 10ms}, {fail: 100%}], {wait: 30ms}, {wait: 50ms}], wait_for: 2}]")
    assert (played.outcomes(), played.responses()) == (["ok"], [pytest.approx(0.05)])


def test_a_quorum_fails_as_soon_as_it_can_no_longer_be_had():
    """Two of three must end well: at 20 ms two have not, and the first of these in order is refused; the other is at 100 ms."""
    steps = "[{race: [{wait: 100ms}, [{wait: 20ms}, {refuse: 100%}], [{wait: 10ms}, {fail: 100%}]], wait_for: 2}]"
    played = play(steps)
    assert (played.outcomes(), played.responses()) == (["refused"], [pytest.approx(0.02)])


def test_losers_of_a_quorum_are_stopped_or_go_on():
    effects = {
        losers: play(f"[{{race: {THREE}, wait_for: 2, losers: {losers}}}]").effects()
        for losers in ("abandon", "cancel")
    }
    assert effects == {"abandon": [["a", "b", "c"]], "cancel": [["a", "b"]]}


def test_no_more_than_there_are_can_be_waited_for():
    with pytest.raises(ScenarioError, match="expected at most the 3 branches"):
        play(f"[{{race: {THREE}, wait_for: 4}}]")


def test_a_loser_answers_nobody_any_more_however_deep_inside_of_it_the_reply_stands():
    loser = "{parallel: [[{wait: 30ms}, {reply: {}}], {wait: 1ms}]}"
    played = play(f"[{{race: [{loser}, {{wait: 10ms}}]}}, {{wait: 90ms}}]")
    assert played.responses() == [pytest.approx(0.1)]


def test_a_call_that_has_answered_a_loser_in_the_same_instant_is_not_ended_twice():
    """Both calls end at once, and the first branch has its turn before the second: nothing is left to be cancelled.

    A request is written when nothing of it is alive: the one at 1 s, and then that at 0 s, which waits for another 5 s.
    """
    race = "{race: [{call: other.x}, {call: other.y}], losers: cancel}"
    text = f"""
    services:
      app: {{workers: unlimited, endpoints: {{slow: [{race}, {{wait: 5s}}], fast: [{race}]}}}}
      other: {{workers: unlimited, endpoints: {{x: [], y: []}}}}
    traffic: {{slow: {{sends: app.slow}}, fast: {{sends: app.fast}}}}
    """
    run = testing.play(text, {"slow": [0.0], "fast": [1.0]})
    assert list(run.records.requests["arrival"]) == [1.0, 0.0]
    assert list(run.records.requests["end"]) == [1.0, 5.0]


def test_a_loser_goes_on_where_the_race_that_it_has_lost_is_lost_itself_in_the_same_instant():
    """After the thaw at 20 s the inner race is won, and before it is told so the outer one is by its other branch."""
    text = """
    duration: 40s
    traffic: {clients: {sends: app.get, completes_with: [slow]}}
    services:
      app:
        workers: 1
        endpoints: {get: [{race: [[{race: [{wait: 5s}, [{wait: 12s}, {effect: slow}]]}], [{wait: 2s}, {wait: 3s}]], losers: cancel}]}
    faults: [{at: 5s, for: 15s, outage: app, how: hang}]
    """
    played = testing.play(text, [0.0])
    assert played.responses() == [20.0]
    assert (played.effects(), played.requests["pending"].tolist()) == ([["slow"]], [False])


# ---- background


def test_nobody_waits_for_what_goes_on_in_the_background_and_it_holds_no_worker():
    played = play("[{background: [{work: 30ms}, {effect: told}]}, {work: 5ms}]", [0.0, 0.001])
    assert (played.responses(), played.effects()) == ([0.005, 0.009], [["told"], ["told"]])


def test_background_shares_the_cores_of_its_replica():
    played = play("[{background: {work: 10ms}}, {work: 10ms}]", service="workers: 1, cores: 1")
    assert played.responses() == [0.02]


def test_background_that_fails_is_counted_and_changes_no_answer():
    played = play("[{background: {fail: 100%}}]", one_by_one(3))
    last = dict(zip((series.name for series in played.records.series), played.records.gauges[-1], strict=True))
    assert (played.outcomes(), last["app.background_failed"], last["app.background"]) == (["ok"] * 3, 3.0, 0.0)


def test_a_crash_ends_what_goes_on_in_the_background():
    text = """
    traffic: {clients: {sends: app.get, completes_with: [told]}}
    services: {app: {workers: 1, endpoints: {get: [{background: [{work: 30s}, {effect: told}]}, {work: 5ms}]}}}
    faults: [{at: 10s, crash: app, restart_after: 1s}]
    """.replace("crash: app", "crash: {of: app}")
    played = testing.play(text, [0.0])
    assert (played.effects(), played.requests["pending"].tolist()) == ([[]], [False])


@pytest.mark.parametrize("fault", ["deploy: app", "restart: {of: app}"])
def test_who_shuts_down_in_order_ends_what_goes_on_in_the_background(fault):
    text = f"""
    duration: 1m
    traffic: {{clients: {{sends: app.get, completes_with: [told]}}}}
    services: {{app: {{workers: 1, endpoints: {{get: [{{background: [{{work: 20s}}, {{effect: told}}]}}]}}}}}}
    faults: [{{at: 10s, {fault}}}]
    """
    played = testing.play(text, [0.0])
    assert [round(event.time, 1) for event in played.events("replica_stopped")] == [20.0]
    assert played.effects() == [["told"]]


def test_an_event_loop_lends_its_threads_to_the_background():
    played = play(
        "[{background: {work: 10ms}}, {wait: 1ms}, {work: 5ms}]", service="workers: 1, concurrency: event_loop"
    )
    assert played.responses() == [0.015]


def test_the_books_balance_while_losers_and_background_go_on():
    played = play(
        "[{race: [{work: 50s}, {work: 10ms}]}, {background: {work: 90s}}]",
        one_by_one(40),
        service="workers: 4, cores: 4",
    )
    assert all(isinstance(book, Book) and book.balances for book in played.records.books)


def test_the_books_of_those_who_are_called_balance_where_losers_are_stopped_and_nobody_asks_for_spans():
    steps = "[{race: [{call: back.answer}, {work: 10ms}], losers: cancel}]"
    text = SYSTEM.replace("STEPS", steps).replace("duration: 400s", "duration: 20s\nrecord: {spans: none}")
    (scenario,) = sim.load_text(text).variants.values()
    assert all(book.balances for book in simulate(scenario).books)


# ---- on paper

SYSTEM = """
version: 1
duration: 400s
seed: 7
traffic: {guests: {sends: front.ask, arrivals: {poisson: 20/s}}}
services:
  front: {workers: 400, cores: 40, endpoints: {ask: STEPS}}
  back: {workers: 400, endpoints: {answer: [{work: {exponential: 30ms}}, {fail: 10%}]}}
"""
COMPOSED = [
    pytest.param(
        "[{race: [{call: back.answer}, {wait: {exponential: 40ms}}, [{work: 20ms}, {fail: 50%}]], wait_for: 2}, {work: 10ms}]",
        marks=pytest.mark.long,
    ),
    "[{choose: [{share: 30%, do: {call: back.answer}}, {share: 20%, do: [{work: 50ms}, {fail: 50%}]}]}, {work: 10ms}]",
    "[{repeat: {geometric: 3}, do: [{work: 5ms}, {call: back.answer}]}, {work: 10ms}]",
    "[{repeat: {uniform: [0, 4]}, at_once: true, do: [{call: back.answer}, {wait: {exponential: 40ms}}]}, {work: 10ms}]",
    "[{race: [{call: back.answer}, {wait: {exponential: 40ms}}, [{work: 20ms}, {fail: 50%}]]}, {work: 10ms}]",
    "[{background: [{work: 15ms}, {call: back.answer}]}, {work: 10ms}]",
]


@pytest.mark.parametrize("steps", COMPOSED)
def test_what_it_comes_to_on_paper_is_what_is_simulated(steps):
    """Busy cores and workers, and the mean response: without queueing both are known but for luck."""
    study = sim.load_text(SYSTEM.replace("STEPS", steps))
    (load,), (scenario,) = check(study).loads.values(), study.variants.values()
    records = simulate(scenario)
    busy = {series.name: column[1:].mean() for series, column in zip(records.series, records.gauges.T, strict=True)}
    for station in load.stations:
        series = f"{station.name}.{'cores_busy' if station.resource == 'cores' else 'busy'}"
        assert station.utilisation * station.servers == pytest.approx(busy[series], rel=0.06, abs=0.02), series


def test_the_drawing_says_how_often_a_call_is_made():
    steps = "[{choose: [{share: 30%, do: {call: back.answer}}]}, {repeat: 4, at_once: true, do: {call: back.answer}}]"
    (scenario,) = sim.load_text(SYSTEM.replace("STEPS", steps)).variants.values()
    (arrow,) = [arrow for arrow in wiring_of(scenario).arrows if arrow.target == "service:back"]
    assert {"in 30%", "×4 at once"} <= set(arrow.badges)


def test_what_a_race_took_is_what_its_winner_took():
    """The loser works for 30 ms more, which nobody has waited for."""
    played = play("[{race: [{work: 40ms}, {wait: 10ms}]}]")
    ways = Ways(played.records, played.scenario, np.array([0]))
    assert {(part.place, part.what): round(seconds, 9) for part, seconds in ways.parts(0).items()} == {
        ("app", "wait"): 0.01
    }
