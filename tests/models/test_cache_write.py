"""Writes through a cache: what is found after them, when they are behind it, and what a crash loses. Times by hand."""

import pytest

from sim import testing
from sim.errors import ScenarioError

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SHOP = """
duration: 60s
traffic:
  readers: {sends: shop.look, items: {count: 1, popularity: {zipf: 1}}}
  writers: {sends: shop.save, items: {count: 1, popularity: {zipf: 1}}}
services:
  shop:
    workers: 9
    endpoints:
      look: [{cache: {name: page, key: item, ttl: 10s, then: [{call: db.read}]}}]
      save: [{cache_write: {name: page, HOW, then: [{call: db.write}]}}]
  db: {workers: 9, endpoints: {read: [{wait: 1s}], write: [{wait: 2s} FAIL]}}
FAULTS
"""


def play(how, readers, writers, faults="", fail=""):
    text = SHOP.replace("HOW", how).replace("FAULTS", faults).replace("FAIL", fail)
    return testing.play_on_both(text, {"readers": readers, "writers": writers})


def level(played, name, at):
    frame = played.records.gauge_frame()
    return float(frame.loc[frame.index <= at, f"shop.{name}"].iloc[-1])


def written(played):
    return [attempt.arrived for attempt in played.attempts() if attempt.endpoint == "db.write"]


def spent(played, endpoint):
    return [round(its.ended - its.arrived, 9) for its in played.attempts() if its.endpoint == endpoint]


def test_a_write_through_is_waited_for_and_found_by_who_looks_afterwards():
    """It takes the 2 s of the store; the entry is good for ten seconds from 3 s on: found at 4 s and at 12 s, not at 14 s."""
    played = play("how: through", [4.0, 12.0, 14.0], [1.0])
    assert spent(played, "shop.save") == [2.0]
    assert spent(played, "shop.look") == [0.0, 0.0, 1.0]


def test_a_write_through_that_fails_leaves_the_cache_as_it_was():
    played = play("how: through", [4.0], [1.0], fail=", {fail: 100%}")
    assert spent(played, "shop.look") == [1.0]
    assert (level(played, "cache_writes page", 60.0), level(played, "cache_writes_stored page", 60.0)) == (1.0, 0.0)


def test_a_write_behind_is_found_at_once_and_written_with_all_others_of_its_time():
    """Three within 5 s of the first are one write of the store at 6 s; the fourth, at 7 s, begins anew, and is written at 12 s."""
    played = play("how: behind, every: 5s", [1.5], [1.0, 2.0, 5.0, 7.0])
    assert spent(played, "shop.save") == [0.0] * 4
    assert spent(played, "shop.look") == [0.0]
    assert written(played) == [6.0, 12.0]
    assert [level(played, "cache_writes_waiting page", at) for at in (5.5, 7.5, 9.0, 20.0)] == [3.0, 4.0, 1.0, 0.0]
    assert level(played, "cache_writes_stored page", 20.0) == 4.0


def test_a_full_batch_is_written_without_waiting():
    """The second fills it; the timer of the first finds the third, which came at 4 s."""
    played = play("how: behind, every: 5s, batch: 2", [], [1.0, 2.0, 4.0])
    assert written(played) == [2.0, 6.0]
    assert level(played, "cache_writes_stored page", 20.0) == 3.0


def test_a_crash_loses_what_is_not_written_yet():
    """Those of 1 s and 2 s wait for 6 s; the replica dies at 3 s. The one of 8 s is written at 13 s by the new one."""
    faults = "faults: [{at: 3s, crash: {}, of: shop, restart_after: 1s}]"
    played = play("how: behind, every: 5s", [], [1.0, 2.0, 8.0], faults)
    assert written(played) == [13.0]
    names = ("cache_writes page", "cache_writes_stored page", "cache_writes_waiting page")
    assert [level(played, name, 30.0) for name in names] == [3.0, 1.0, 0.0]  # two are lost


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("how: behind", "found `how: behind` without `every`"),
        ("how: through, batch: 3", "found `batch` beside `how: through`"),
    ],
)
def test_what_cannot_be_meant_is_told(how, message):
    with pytest.raises(ScenarioError, match=message):
        play(how, [], [1.0])


def test_it_writes_to_a_cache_that_there_is():
    with pytest.raises(ScenarioError, match="unknown cache 'pgae'; did you mean 'page'"):
        testing.play(
            SHOP.replace("name: page, HOW", "name: pgae, how: through").replace("FAULTS", "").replace("FAIL", ""),
            {"readers": [], "writers": [1.0]},
        )
