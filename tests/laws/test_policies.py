"""Limiters, retries, breakers and redeliveries in a running system against their formulas. Golden cases T16, T17, T21, T26."""

import math

import numpy as np
import pytest

from sim.vocabulary import EventKind, MessageEnd, Outcome

from .systems import Golden, run

pytestmark = pytest.mark.long

LIMITED = """
version: 1
duration: 1000s
record: {interval: 10s}
traffic:
  clients: {sends: GET /, arrivals: {poisson: 100/s}}
gateway:
  workers: unlimited
  rate_limits: [{per: all, rate: 100/s, burst: 10, algorithm: token_bucket}]
  routes: {GET /: {to: api.get}}
services:
  api: {workers: unlimited, endpoints: {get: []}}
"""


def share_denied(rate, seconds, limit):
    return run(
        LIMITED, f"traffic.clients.arrivals.poisson={rate}/s", f"duration={seconds}s", f"gateway.rate_limits=[{limit}]"
    ).share(Outcome.RATE_LIMITED)


@pytest.mark.parametrize(
    ("rate", "burst", "seconds"),
    [
        (50, 1, 4000),
        pytest.param(80, 1, 2500, marks=pytest.mark.long),
        (80, 5, 1500),
        pytest.param(80, 10, 1500, marks=pytest.mark.long),
        pytest.param(95, 20, 4000, marks=pytest.mark.long),
        pytest.param(100, 10, 5000, marks=pytest.mark.long),
        pytest.param(120, 10, 6000, marks=pytest.mark.long),
        (200, 10, 1000),
        pytest.param(200, 50, 1000, marks=pytest.mark.long),
    ],
)
def test_t16a_token_bucket_with_continuous_refill(rate, burst, seconds):
    """The denials of a bucket are the losses of an M/D/1 with bounded workload."""
    with Golden("T16a") as golden:
        found = share_denied(rate, seconds, f"{{per: all, rate: 100/s, burst: {burst}, algorithm: token_bucket}}")
        golden.near(f"lam{rate}_r100_B{burst}/continuous_refill", found, absolute=0.003)


@pytest.mark.parametrize(
    ("case", "rate", "limit", "window", "seconds"),
    [
        ("N10_T1_lam8", 8, 10, 1, 20_000),
        pytest.param("N10_T1_lam10", 10, 10, 1, 25_000, marks=pytest.mark.long),
        pytest.param("N10_T1_lam15", 15, 10, 1, 30_000, marks=pytest.mark.long),
        pytest.param("N100_T1_lam90", 90, 100, 1, 3000, marks=pytest.mark.long),
        pytest.param("N100_T60_lam1.5", 1.5, 100, 60, 120_000, marks=pytest.mark.long),
    ],
)
def test_t16c_fixed_windows(case, rate, limit, window, seconds):
    with Golden("T16c") as golden:
        found = share_denied(
            rate, seconds, f"{{per: all, rate: {limit / window:.12f}/s, window: {window}s, algorithm: fixed_window}}"
        )
        golden.near(case, found, absolute=0.003)


CLIENT_RETRIES = """
version: 1
duration: 1000s
record: {interval: 10s}
traffic:
  clients: {sends: api.get, arrivals: {poisson: 100/s}, retry: {max_attempts: 3, backoff: {constant: 0s}}}
services:
  api: {workers: unlimited, endpoints: {get: [{fail: 0.1}]}}
"""

CALL_RETRIES = """
version: 1
duration: 1000s
record: {interval: 10s}
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 100/s}}
services:
  front: {workers: unlimited, endpoints: {ask: [{call: api.get, policy: {retry: {max_attempts: 3, backoff: {constant: 0s}}}}]}}
  api: {workers: unlimited, endpoints: {get: [{fail: 0.1}]}}
"""


@pytest.mark.parametrize("attempts", [2, 3, 4])
@pytest.mark.parametrize("share", ["0.01", "0.1", "0.3", "0.5", pytest.param("0.9", marks=pytest.mark.long), "1.0"])
def test_t17a_retries_of_clients_amplify(share, attempts):
    """Each try draws anew: 1 + p + p^2 ... attempts."""
    seconds = {"0.9": 6000 - 1200 * attempts, "0.5": 600, "0.3": 400}.get(share, 200)
    system = run(
        CLIENT_RETRIES,
        f"services.api.endpoints.get.0.fail={share}",
        f"traffic.clients.retry.max_attempts={attempts}",
        f"duration={seconds}s",
    )
    with Golden("T17a") as golden:
        golden.near(f"p{share}_n{attempts}/attempts_per_request", system.requests["attempts"].mean(), relative=0.01)
        golden.near(f"p{share}_n{attempts}/success", system.share(Outcome.OK), relative=0.01)
        assert system.records.books[1].offered == system.requests["attempts"].sum()


@pytest.mark.parametrize(("share", "attempts"), [("0.1", 2), ("0.3", 3), ("0.5", 4)])
def test_t17a_retries_of_a_call_amplify(share, attempts):
    sets = (
        f"services.api.endpoints.get.0.fail={share}",
        f"services.front.endpoints.ask.0.policy.retry.max_attempts={attempts}",
        "duration=400s",
    )
    system = run(CALL_RETRIES, *sets)
    with Golden("T17a") as golden:
        offered = {book.component: book.offered for book in system.records.books}
        golden.near(f"p{share}_n{attempts}/attempts_per_request", offered["api"] / offered["front"], relative=0.01)
        golden.near(f"p{share}_n{attempts}/success", system.share(Outcome.OK), relative=0.01)


BREAKER = """
version: 1
duration: 1000s
record: {interval: 100s}
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 10/s}}
services:
  front: {workers: unlimited, endpoints: {ask: [{call: flaky.answer, policy: guarded}]}}
  flaky: {workers: unlimited, endpoints: {answer: [{fail: 0.5}]}}
policies:
  guarded:
    circuit_breaker:
      resilience4j:
        sliding_window_type: count_based
        sliding_window_size: 5
        minimum_number_of_calls: 5
        failure_rate_threshold: 100
        permitted_number_of_calls_in_half_open_state: 1
        wait_duration_in_open_state: 5s
"""


@pytest.mark.parametrize(
    ("share", "requests"),
    [
        pytest.param("0.1", 500_000, marks=pytest.mark.long),
        pytest.param("0.3", 3_000_000, marks=pytest.mark.long),
        pytest.param("0.5", 1_000_000, marks=pytest.mark.long),
        ("0.7", 200_000),
        ("0.9", 200_000),
    ],
)
def test_t21b_a_breaker_of_five_consecutive_failures(share, requests):
    """Five failures in a row are a window of five calls, all failed; an empty window after a good probe counts from one again."""
    system = run(BREAKER, f"services.flaky.endpoints.answer.0.fail={share}", f"duration={requests // 10}s")
    events = system.records.events
    opened = events["time"][events["kind"] == EventKind.BREAKER_OPENED]
    probed = events["time"][events["kind"] == EventKind.BREAKER_HALF_OPENED]
    closed = events["time"][events["kind"] == EventKind.BREAKER_CLOSED]
    case = f"p{share}"
    with Golden("T21b") as golden:
        golden.near(f"{case}/p_rejected", system.share(Outcome.BREAKER_OPEN), absolute=0.005)
        golden.near(f"{case}/p_executed_failure", system.share(Outcome.ERROR), absolute=0.005)
        golden.near(f"{case}/p_success", system.share(Outcome.OK), absolute=0.005)
        golden.near(f"{case}/open_fraction", 5.0 * opened.size / system.window, absolute=0.005)
        if closed.size > 100:
            golden.near(
                f"{case}/mean_cycle", np.diff(closed).mean(), absolute=4 * np.diff(closed).std() / np.sqrt(closed.size)
            )
    assert (probed - opened[: probed.size] > 5).all()
    assert closed.size <= probed.size <= opened.size


REDELIVERED = """
version: 1
duration: 400s
record: {interval: 10s}
traffic:
  shop: {sends: shop.order, arrivals: {poisson: 100/s}}
services:
  shop: {workers: unlimited, endpoints: {order: [{publish: orders}]}}
  worker:
    workers: 1
    consumes:
      orders: {group: workers, auto_offset_reset: earliest, max_deliveries: 3, do: [{fail: 0.2}]}
brokers:
  kafka: {kind: log, topics: {orders: {partitions: 1}}}
"""


@pytest.mark.parametrize("place", ["in place", "retry topics"])
@pytest.mark.parametrize("most", [3, 5])
@pytest.mark.parametrize("share", ["0.05", "0.2", "0.5"])
def test_t26_redeliveries_and_dead_letters(share, most, place):
    """Up to n deliveries, each of which fails by its own luck: in place, or through n - 1 retry topics."""
    topics = (
        [f"services.worker.consumes.orders.retry_topic={{delays: [{', '.join(['10ms'] * (most - 1))}]}}"]
        if place == "retry topics"
        else []
    )
    sets = (
        f"services.worker.consumes.orders.max_deliveries={most}",
        f"services.worker.consumes.orders.do.0.fail={share}",
    )
    rows = run(REDELIVERED, *sets, *topics).records.messages
    ended = rows[rows["how"] != MessageEnd.QUEUED]
    dead = ended["how"] == MessageEnd.DEAD_LETTERED
    with Golden("T26") as golden:
        case = f"p{share}_n{most}"
        rate = golden.expected[case]["dlq_rate"]
        golden.near(f"{case}/deliveries_per_message", ended["deliveries"].mean(), relative=0.01)
        golden.near(
            f"{case}/dlq_rate", dead.mean(), relative=0.01, absolute=3 * math.sqrt(rate * (1 - rate) / ended.size)
        )
    assert (ended["deliveries"][dead] == most).all()
    assert ended["deliveries"].max() <= most
