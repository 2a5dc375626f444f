"""A lock: who has it, who waits for how long, and what a crash, a cancelled wait and a deadlock make of it: by hand, on
both engines.
"""

import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SHOP = """
duration: 60s
traffic: {clients: {sends: shop.buy, TRAFFIC}}
services: {shop: {replicas: REPLICAS, workers: WORKERS, endpoints: {buy: [BUY]}}}
"""
ONE = "items: {count: 1}"
HOLD = "{lock: stock, key: item, do: [{wait: 100ms}]}"


def play(buy, arrivals, *, traffic=ONE, replicas=1, workers=9, extra=""):
    text = SHOP.replace("BUY", buy).replace("TRAFFIC", traffic)
    text = text.replace("REPLICAS", str(replicas)).replace("WORKERS", str(workers))
    return testing.play_on_both(text + extra, arrivals)


def responses(played):
    return [round(response, 9) for response in played.responses()]


def series(played, quantity):
    return played.records.gauge("shop", quantity)


def test_one_at_a_time_first_come_first_served():
    """Three come within 20 ms and hold it for 100 ms each: the second waits 90 ms, the third 180."""
    played = play(HOLD, [1.0, 1.01, 1.02])
    assert responses(played) == [0.1, 0.19, 0.28]
    assert series(played, "locks_taken stock")[-1] == 3
    assert series(played, "lock_waiting stock")[1] == 0


def test_replicas_meet_at_it():
    """It stands in one database, whichever of three replicas asks."""
    assert responses(play(HOLD, [1.0, 1.01, 1.02], replicas=3)) == [0.1, 0.19, 0.28]


def test_services_meet_at_it():
    """Two services that change the same row."""
    text = SHOP.replace("sends: shop.buy, TRAFFIC", "sends: shop.buy}, clerks: {sends: office.fix")
    text = text.replace("BUY", HOLD.replace("item", "all")).replace("REPLICAS", "1").replace("WORKERS", "9")
    text = text.replace(
        "services: {", f"services: {{office: {{workers: 9, endpoints: {{fix: [{HOLD.replace('item', 'all')}]}}}}, "
    )
    played = testing.play_on_both(text, {"clients": [1.0], "clerks": [1.04]})
    assert responses(played) == [0.1, 0.16]


def test_another_key_is_in_nobodys_way():
    """Each request is of an item of its own among a million."""
    assert responses(play(HOLD, [1.0, 1.01, 1.02], traffic="items: {count: 1000000}")) == [0.1] * 3


def test_who_waits_holds_his_worker():
    """Of two workers one holds the lock and one waits for it, so that a third request, which needs no lock, waits for a
    worker: from 1.02 to 1.1, and then 5 ms of work.
    """
    text = SHOP.replace("sends: shop.buy, TRAFFIC", f"sends: shop.buy, {ONE}}}, others: {{sends: shop.look")
    text = text.replace("endpoints: {buy: [BUY]}", f"endpoints: {{buy: [{HOLD}], look: [{{work: 5ms}}]}}")
    text = text.replace("REPLICAS", "1").replace("WORKERS", "2")
    played = testing.play_on_both(text, {"clients": [1.0, 1.01], "others": [1.02]})
    assert sorted(responses(played)) == [0.085, 0.1, 0.19]


def test_an_event_loop_goes_on_without_who_waits():
    text = SHOP.replace("sends: shop.buy, TRAFFIC", f"sends: shop.buy, {ONE}}}, others: {{sends: shop.look")
    text = text.replace(
        "endpoints: {buy: [BUY]}", f"endpoints: {{buy: [{HOLD}], look: [{{work: 5ms}}]}}, concurrency: event_loop"
    )
    text = text.replace("REPLICAS", "1").replace("WORKERS", "1")
    played = testing.play_on_both(text, {"clients": [1.0, 1.01], "others": [1.02]})
    assert sorted(responses(played)) == [0.005, 0.1, 0.19]


def test_a_wait_is_bounded_and_who_gives_up_leaves_the_line():
    """100 ms each, 150 ms of patience: the second has it at 1.1; the third would have had it at 1.2 and gives up at
    1.17; the fourth has it at 1.2, when he has waited 149 ms.
    """
    played = play(HOLD.replace("do:", "timeout: 150ms, do:"), [1.0, 1.01, 1.02, 1.051])
    assert played.outcomes() == ["ok", "ok", "lock_timeout", "ok"]
    assert responses(played) == [0.1, 0.19, 0.15, 0.249]
    assert series(played, "lock_timeouts stock")[-1] == 1


def test_who_gets_it_at_the_very_end_of_his_patience_has_it():
    assert play(HOLD.replace("do:", "timeout: 100ms, do:"), [1.0, 1.0]).outcomes() == ["ok", "ok"]


def test_a_failure_gives_it_back():
    """The steps end with an error after 100 ms; the next one has the lock then."""
    played = play("{lock: stock, key: item, do: [{wait: 100ms}, {fail: 100%}]}", [1.0, 1.01])
    assert (played.outcomes(), responses(played)) == (["error", "error"], [0.1, 0.19])


CANCELS = """
version: 1
duration: 60s
policies: {patient: {timeout: 150ms, on_timeout: cancel}, hasty: {timeout: 50ms, on_timeout: cancel}}
traffic: {clients: {sends: front.buy, items: {count: 1}}, others: {sends: front.hurry, items: {count: 1}}}
services:
  front: {workers: 9, endpoints: {buy: [{call: shop.buy, policy: patient}], hurry: [{call: shop.buy, policy: hasty}]}}
  shop: {workers: 9, endpoints: {buy: [{lock: stock, key: item, do: [{wait: TIME}]}]}}
"""


def test_a_cancelled_wait_leaves_the_line():
    """50 ms each: who comes at 1.02 and is cancelled at 1.07 would have had it at 1.1; it is had by who came at 1.03."""
    arrivals = {"clients": [1.0, 1.01, 1.03], "others": [1.02]}
    played = testing.play_on_both(CANCELS.replace("TIME", "50ms"), arrivals)
    assert (played.outcomes("clients"), played.outcomes("others")) == (["ok"] * 3, ["timeout"])
    assert sorted(responses(played)) == [0.05, 0.05, 0.09, 0.12]


def test_a_cancelled_holder_gives_it_back():
    """It would be held for 1 s; each is cancelled 150 ms after he has come, so that the next has it at once."""
    played = testing.play_on_both(CANCELS.replace("TIME", "1s"), {"clients": [1.0, 1.01], "others": []})
    assert played.outcomes() == ["timeout", "timeout"]
    taken = played.records.gauge("shop", "locks_taken stock")
    held = played.records.gauge("shop", "locks_held stock")
    assert (taken[-1], round(sum(held), 9)) == (2, 0.16)  # s, as a sample is a second: 1.0 to 1.15, and to 1.16


CRASHES = "faults: [{at: 2s, crash: {of: shop, replicas: 1, restart_after: 1s}}]"


@pytest.mark.parametrize(("after_crash", "response"), [("0s", 1.4), ("3s", 4.4), ("30s", 31.4)])
def test_a_crash_of_its_holder_frees_it_at_once_or_after_its_lease(after_crash, response):
    """Each holds it for 1 s. The first has it from 1.5 on and dies with its replica at 2.0; the second, in another
    replica, has come at 1.6, and gets the lock at 2.0 or when the lease is over.
    """
    said = HOLD.replace("100ms", "1s").replace("do:", f"held_after_crash: {after_crash}, do:")
    played = play(said, [1.5, 1.6], replicas=2, extra=CRASHES)
    assert played.outcomes() == ["unreachable", "ok"]
    assert responses(played) == [0.5, response]


def test_a_crash_of_who_waits_leaves_the_line():
    """Round robin: the first and the third are in the replica that dies, and the third was before the fourth."""
    played = play(
        HOLD.replace("100ms", "1s"), [0.5, 0.6, 0.7, 0.8], replicas=2, extra=CRASHES.replace("2s", "900ms", 1)
    )
    assert played.outcomes() == ["unreachable", "ok", "unreachable", "ok"]
    assert responses(played) == [0.4, 1.3, 0.2, 2.1]  # at 0.9, and 1 s; and another one


DIES = "faults: [{at: 1.05s, crash: {of: shop, restart_after: 200ms}}]"


@pytest.mark.parametrize(("after_crash", "responses_"), [("0s", [0.1]), ("500ms", [0.35])])
def test_who_dies_with_its_holder_never_has_it(after_crash, responses_):
    """Three are in the only replica when it dies at 1.05, one of whom holds the lock. The fourth comes at 1.3, takes it
    then or when the lease is over at 1.55, and has it for 100 ms. It was held for 50 ms, or 550, and 100.
    """
    said = HOLD.replace("do:", f"held_after_crash: {after_crash}, do:")
    played = play(said, [1.0, 1.01, 1.02, 1.3], extra=DIES)
    assert played.outcomes() == ["unreachable"] * 3 + ["ok"]
    assert responses(played) == [0.05, 0.04, 0.03, *responses_]
    assert series(played, "locks_taken stock")[-1] == 2
    assert series(played, "lock_waiting stock")[-1] == 0
    assert sum(series(played, "locks_held stock")) == pytest.approx(0.15 if after_crash == "0s" else 0.65)


def test_who_lives_has_it_though_he_stood_behind_who_dies_with_its_holder():
    """Each traffic goes round robin: the first of each is in the replica that dies at 0.9, one as the holder and one as
    the first in line. Who stood behind them, in the other replica, has the lock at once, for 1 s.
    """
    said = HOLD.replace("100ms", "1s")
    text = SHOP.replace("BUY", said).replace("TRAFFIC", f"{ONE}}}, others: {{sends: shop.buy, {ONE}")
    text = text.replace("REPLICAS", "2").replace("WORKERS", "9") + CRASHES.replace("2s", "900ms", 1)
    played = testing.play_on_both(text, {"clients": [0.5, 0.7], "others": [0.6]})
    assert (played.outcomes("clients"), played.outcomes("others")) == (["unreachable", "ok"], ["unreachable"])
    assert sorted(responses(played)) == [0.3, 0.4, 1.2]
    assert series(played, "locks_taken stock")[-1] == 2


@pytest.mark.parametrize(
    "fault",
    [
        "{at: 1.05s, crash: {of: shop, replicas: 2, restart_after: 200ms}}",
        "{at: 1.05s, for: 200ms, zone: a}",
        "{at: 1.05s, for: 200ms, outage: shop, how: refuse}",
    ],
)
@pytest.mark.parametrize("replicas", [1, 2])
def test_who_dies_in_another_replica_at_the_same_moment_never_has_it_either(fault, replicas):
    """Of four in one replica or two all are gone at 1.05. The first held it for 50 ms, the last has it at 1.3 for 100."""
    if replicas == 1:
        fault = fault.replace("replicas: 2", "replicas: 1")
    zones = "" if "zone" not in fault else ", zones: [a]"
    text = SHOP.replace("BUY", HOLD).replace("TRAFFIC", ONE).replace("REPLICAS", str(replicas))
    text = text.replace("WORKERS", f"9{zones}") + f"faults: [{fault}]"
    played = testing.play_on_both(text, [1.0, 1.01, 1.02, 1.03, 1.3])
    assert played.outcomes() == ["unreachable"] * 4 + ["ok"]
    assert responses(played) == [0.05, 0.04, 0.03, 0.02, 0.1]
    assert series(played, "locks_taken stock")[-1] == 2
    assert sum(series(played, "locks_held stock")) == pytest.approx(0.15)


def test_the_lease_of_the_holder_counts_and_not_of_who_dies_with_it():
    """The holder's lock is free at its death at 1.05; who waits behind it would leave it held for 30 s."""
    text = SHOP.replace("sends: shop.buy, TRAFFIC", f"sends: shop.buy, {ONE}}}, others: {{sends: shop.keep, {ONE}")
    keep = HOLD.replace("do:", "held_after_crash: 30s, do:")
    text = text.replace("endpoints: {buy: [BUY]}", f"endpoints: {{buy: [{HOLD}], keep: [{keep}]}}")
    text = text.replace("REPLICAS", "1").replace("WORKERS", "9")
    played = testing.play_on_both(text + DIES, {"clients": [1.0, 1.3], "others": [1.01]})
    assert played.outcomes("clients") == ["unreachable", "ok"]
    assert sorted(responses(played)) == [0.04, 0.05, 0.1]


# -- locks within locks ------------------------------------------------------------------------------------------------


def test_who_holds_it_has_it_again():
    inner = "{lock: stock, key: item, do: [{wait: 20ms}]}"
    played = play(f"{{lock: stock, key: item, do: [{inner}, {{wait: 30ms}}]}}", [1.0, 1.01])
    assert responses(played) == [0.05, 0.09]
    assert series(played, "locks_taken stock")[-1] == 2


CROSSED = """
duration: 60s
traffic: {first: {sends: shop.there, items: {count: 1}}, second: {sends: shop.back, items: {count: 1}}}
services:
  shop:
    workers: 9
    endpoints:
      there: [{lock: a, key: all, SAID, do: [{wait: 10ms}, {lock: b, key: all, SAID, do: [{wait: 10ms}]}]}]
      back: [{lock: b, key: all, SAID, do: [{wait: 10ms}, {lock: a, key: all, SAID, do: [{wait: 10ms}]}]}]
"""


def crossed(said):
    return testing.play_on_both(CROSSED.replace("SAID", said), {"first": [1.0], "second": [1.005]})


def test_a_deadlock_is_found_by_who_has_waited_for_the_deadlock_timeout():
    """The first waits for b from 1.010 on, the second for a from 1.015: at 2.010 the first finds the circle, ends, and
    its a is free for the second, who is done 10 ms later.
    """
    played = crossed("deadlock_timeout: 1s")
    assert played.outcomes("first") == ["deadlock"]
    assert played.outcomes("second") == ["ok"]
    assert responses(played) == [1.01, round(2.010 + 0.010 - 1.005, 9)]
    assert played.records.gauge("shop", "deadlocks b")[-1] == 1


def test_innodb_finds_it_at_once():
    """The second closes the circle at 1.015, and is the victim in that instant."""
    played = crossed("deadlock_timeout: 0s")
    assert (played.outcomes("first"), played.outcomes("second")) == (["ok"], ["deadlock"])
    assert responses(played) == [0.025, 0.01]


def test_where_nobody_looks_the_lock_timeout_ends_it():
    played = crossed("deadlock_timeout: null, timeout: 3s")
    assert (played.outcomes("first"), played.outcomes("second")) == (["lock_timeout"], ["ok"])
    assert responses(played) == [3.01, round(4.010 + 0.010 - 1.005, 9)]


def test_where_nothing_ends_it_all_that_come_wait_for_ever():
    """A worker each, as when a pool of connections runs dry behind a row."""
    text = CROSSED.replace("SAID", "deadlock_timeout: null").replace("workers: 9", "workers: 3")
    played = testing.play_on_both(text, {"first": [1.0, 2.0, 3.0, 4.0], "second": [1.005]})
    assert set(played.outcomes()) == {"in_flight"}
    assert played.records.gauge("shop", "busy")[-1] == 3


def test_who_waits_behind_a_deadlock_is_no_part_of_it():
    """A third, who holds c, waits for a and looks after 0.5 s: he finds no circle with himself in it, and waits on."""
    text = CROSSED.replace("SAID", "deadlock_timeout: 1s").replace(
        "second: {sends", "third: {sends: shop.behind, items: {count: 1}}, second: {sends"
    )
    text += (
        "      behind: [{lock: c, key: all, do: [{lock: a, key: all, deadlock_timeout: 500ms, do: [{wait: 10ms}]}]}]\n"
    )
    played = testing.play_on_both(text, {"first": [1.0], "second": [1.005], "third": [1.2]})
    assert [played.outcomes(who) for who in ("first", "second", "third")] == [["deadlock"], ["ok"], ["ok"]]
    assert responses(played) == [1.01, 1.015, round(2.030 - 1.2, 9)]


def test_one_order_has_no_deadlock():
    same = (
        CROSSED.replace("SAID", "deadlock_timeout: 1s")
        .replace("[{lock: b,", "[{lock: a,")
        .replace(
            "{lock: a, key: all, deadlock_timeout: 1s, do: [{wait: 10ms}]}]}]\n",
            "{lock: b, key: all, deadlock_timeout: 1s, do: [{wait: 10ms}]}]}]\n",
        )
    )
    played = testing.play_on_both(same, {"first": [1.0], "second": [1.005]})
    assert set(played.outcomes()) == {"ok"}
    assert responses(played) == [0.02, 0.035]


# -- what may be said --------------------------------------------------------------------------------------------------


def test_locks_of_one_name_are_one_and_must_be_said_alike():
    with pytest.raises(ScenarioError, match="found another `key` than where the lock 'stock' is named first"):
        play(f"{HOLD}, {HOLD.replace('item', 'all')}", [1.0])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("key: user, do: [{wait: 1ms}]", "found no traffic with `users`"),
        ("key: items, do: [{wait: 1ms}]", "did you mean 'item'?"),
        ("key: all, timout: 1s, do: [{wait: 1ms}]", "did you mean 'timeout'?"),
        ("key: all", "do"),
    ],
)
def test_slips_are_told(said, words):
    with pytest.raises(ScenarioError) as caught:
        play(f"{{lock: stock, {said}}}", [1.0])
    assert words in str(caught.value)


# -- on paper ----------------------------------------------------------------------------------------------------------


def stations_of(text):
    (loads,) = check(sim.load_text("version: 1\n" + text)).loads.values()
    return {(station.name, station.resource): station for station in loads.stations}


def test_on_paper_the_most_popular_key_is_a_station_with_one_place():
    """Zipf 1.0 over 10 items gives the first one 1 / (1 + 1/2 + ... + 1/10) = 0.3414 of 30 requests a second, each of
    which holds it for 20 ms and, in one of four, for 40 ms more.
    """
    buy = "{lock: stock, key: item, do: [{wait: 20ms}, {choose: [{share: 25%, do: [{wait: 40ms}]}]}]}"
    traffic = "items: {count: 10, popularity: {zipf: 1.0}}, arrivals: {poisson: 30/s}"
    text = SHOP.replace("BUY", buy).replace("TRAFFIC", traffic).replace("REPLICAS", "1").replace("WORKERS", "9")
    station = stations_of(text)["stock", "lock"]
    rate = 30.0 / sum(1.0 / rank for rank in range(1, 11))
    assert (station.servers, station.rate) == (1, pytest.approx(rate))
    assert (station.demand, station.utilisation) == (pytest.approx(0.03), pytest.approx(rate * 0.03))


def test_check_warns_of_a_lock_that_is_asked_for_more_than_it_can_do():
    """50/s times 30 ms: one and a half times what it can do, whatever the workers."""
    text = SHOP.replace("BUY", HOLD.replace("100ms", "30ms").replace("item", "all")).replace("WORKERS", "90")
    text = text.replace("TRAFFIC", "arrivals: {poisson: 50/s}").replace("REPLICAS", "4")
    report = check(sim.load_text("version: 1\n" + text))
    (found,) = [warning for warning in report.warnings if warning.place == "stock (lock)"]
    assert "150% of what it can do" in found.finding
    assert report.loads["base"].capacity == pytest.approx(1 / 1.5)


def test_all_services_that_take_it_fill_it():
    text = SHOP.replace(
        "sends: shop.buy, TRAFFIC",
        "sends: shop.buy, arrivals: {poisson: 2/s}}, clerks: {sends: office.fix, arrivals: {poisson: 1/s}",
    )
    text = text.replace("BUY", HOLD.replace("item", "all")).replace("REPLICAS", "1").replace("WORKERS", "9")
    office = f"services: {{office: {{workers: 9, endpoints: {{fix: [{HOLD.replace('item', 'all').replace('100ms', '400ms')}]}}}}, "
    station = stations_of(text.replace("services: {", office))["stock", "lock"]
    assert (station.rate, station.utilisation) == (pytest.approx(3.0), pytest.approx(2 * 0.1 + 0.4))
