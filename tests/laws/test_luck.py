"""Chance has names: the same luck whatever else is in the system, new luck for every retry and replication, and the same run in every process."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from sim.models import simulate
from sim.vocabulary import Outcome

from .systems import run, scenario

SHOP = """
version: 1
duration: 120s
record: {spans: all}
traffic:
  shoppers: {sends: orders.create, arrivals: {poisson: 20/s}, users: {count: 100, popularity: {zipf: 1}}, completes_with: [paid]}
services:
  orders: {workers: unlimited, endpoints: {create: [{work: {exponential: 5ms}}, {call: inventory.reserve}, {call: payments.charge}]}}
  inventory: {workers: 8, endpoints: {reserve: [{work: {lognormal: {mean: 8ms, p99: 40ms}}}]}}
  payments: {workers: unlimited, endpoints: {charge: [{wait: {lognormal: {mean: 60ms, p99: 400ms}}}, {effect: paid}]}}
network: {default: {latency: {exponential: 1ms}}}
"""

TOPICS = "brokers={kafka: {kind: log, topics: {order-events: {partitions: 48}}}}"
ASYNC = (
    TOPICS,
    "services.orders.endpoints.create=[{work: {exponential: 5ms}}, {publish: order-events}]",
    "services.inventory.consumes={order-events: {group: inventory-group, consumers: 8, auto_offset_reset: earliest, do: [{perform: inventory.reserve}]}}",
    "services.payments.consumes={order-events: {group: payment-group, consumers: 48, auto_offset_reset: earliest,"
    " max_poll_records: 1, do: [{perform: payments.charge}]}}",
    "network.default.latency=0s",
)


def test_an_order_meets_the_same_payment_time_in_the_sync_and_in_the_async_variant():
    """The time that a payment takes belongs to the order, not to the way in which it is asked for."""
    calls, events = run(SHOP), run(SHOP, *ASYNC)
    spans = calls.spans("payments.charge")
    sync = dict(zip(spans["request"].tolist(), spans["ended"] - spans["started"], strict=True))
    completion = dict(zip(events.requests["id"].tolist(), events.requests["completion"], strict=True))
    its = events.records.messages[events.records.messages["group"] == events.records.names.index("payment-group")]
    compared = 0
    for partition in np.unique(its["partition"]):
        free = 0.0
        for message in np.sort(its[its["partition"] == partition], order="offset"):
            done = completion[int(message["request"])]
            if int(message["request"]) in sync and not np.isnan(done):
                assert abs(done - max(message["available"], free) - sync[int(message["request"])]) < 1e-9
                compared += 1
            free = done
    assert compared > 2000


def test_both_variants_have_the_same_shoppers():
    calls, events = run(SHOP), run(SHOP, *ASYNC)
    for column in ("id", "arrival", "user"):
        assert (calls.requests[column] == events.requests[column]).all()


def test_an_idle_service_moves_nobody_elses_luck():
    """Its name shifts the numbers of the others' names, and that is all."""
    idle = SHOP.replace(
        "services:\n", "services:\n  audit: {workers: 3, endpoints: {look: [{work: {exponential: 1s}}, {fail: 50%}]}}\n"
    )
    alone, together = run(SHOP).records, run(idle).records
    assert "audit.look" in together.names
    assert alone.request_frame().equals(together.request_frame())
    other = idle.replace(
        "services:\n",
        "services:\n  nobody: {workers: 1, endpoints: {ask: [{call: payments.charge}, {call: audit.look}]}}\n",
        1,
    )
    assert alone.request_frame().equals(run(other).records.request_frame())


def test_more_traffic_of_others_moves_no_draw():
    """A second population queues in front of the first, but the work of each order is what it was."""
    others = SHOP.replace("traffic:\n", "traffic:\n  others: {sends: inventory.reserve, arrivals: {poisson: 100/s}}\n")
    alone, together = run(SHOP), run(others)
    before, after = alone.spans("payments.charge"), together.spans("payments.charge")
    work = {int(row["request"]): row["ended"] - row["started"] for row in after}
    shared = [row for row in before if int(row["request"]) in work]
    assert len(shared) > 2000
    assert max(abs(row["ended"] - row["started"] - work[int(row["request"])]) for row in shared) < 1e-9


def test_the_arrivals_of_a_longer_run_begin_with_those_of_the_shorter():
    short, long = run(SHOP, "duration=60s"), run(SHOP)
    done = short.requests[~np.isnan(short.requests["end"])]
    assert (done == long.requests[: short.requests.size][~np.isnan(short.requests["end"])]).all()


def fingerprint(described, replication):
    return simulate(described, replication).fingerprint()


def test_a_run_is_the_same_again_and_in_another_process():
    described = scenario(SHOP, *ASYNC)
    here = fingerprint(described, 3)
    assert fingerprint(described, 3) == here
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(fingerprint, described, 3).result() == here


def test_another_replication_or_seed_is_another_run():
    prints = {fingerprint(scenario(SHOP, f"seed={seed}"), replication) for seed in (1, 2) for replication in (0, 1, 2)}
    assert len(prints) == 6
    first, second = run(SHOP), run(SHOP, replication=1)
    count = min(first.requests.size, second.requests.size)
    assert abs(np.corrcoef(first.response[: count - 50], second.response[: count - 50])[0, 1]) < 4 / np.sqrt(count)


RETRIED = """
version: 1
duration: 300s
record: {spans: all}
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 20/s}}
services:
  front: {workers: unlimited, endpoints: {ask: [{call: back.do, policy: {retry: {max_attempts: 3, backoff: {constant: 0s}}}}]}}
  back: {workers: unlimited, endpoints: {do: [{work: {exponential: 10ms}}, {fail: 50%}]}}
"""


def test_a_retry_meets_its_work_again_and_its_failure_by_a_chance_of_its_own():
    system = run(RETRIED)
    spans = system.spans("back.do")
    work = spans["ended"] - spans["started"]
    again = np.flatnonzero(spans["request"][1:] == spans["request"][:-1]) + 1
    assert again.size > 3000
    assert np.allclose(work[again], work[again - 1], rtol=0, atol=1e-9)
    assert abs(np.mean(spans["outcome"][again] == Outcome.OK) - 0.5) < 4 * 0.5 / np.sqrt(again.size)


def test_a_retry_per_attempt_draws_anew():
    """Its time has nothing to do with that of the try before, nor its failure."""
    system = run(RETRIED.replace("10ms}}", "10ms}, per: attempt}"))
    spans = system.spans("back.do")
    work = spans["ended"] - spans["started"]
    again = np.flatnonzero(spans["request"][1:] == spans["request"][:-1]) + 1
    assert again.size > 3000
    assert (work[again] != work[again - 1]).all()
    assert abs(np.corrcoef(work[again], work[again - 1])[0, 1]) < 4 / np.sqrt(again.size)
    assert abs(np.mean(spans["outcome"][again] == Outcome.OK) - 0.5) < 4 * 0.5 / np.sqrt(again.size)


def test_two_calls_of_one_target_draw_apart():
    """The second place from which one request calls the same endpoint has its own luck, and the first keeps what it had."""
    once = run(
        RETRIED,
        "services.back.endpoints.do=[{work: {exponential: 10ms}}]",
        "services.front.endpoints.ask=[{call: back.do}]",
    )
    twice = run(
        RETRIED,
        "services.back.endpoints.do=[{work: {exponential: 10ms}}]",
        "services.front.endpoints.ask=[{call: back.do}, {call: back.do}]",
    )
    one, two = once.spans("back.do"), twice.spans("back.do")
    complete = two["request"][np.flatnonzero(two["request"][1:] == two["request"][:-1])]
    one, two = one[np.isin(one["request"], complete)], two[np.isin(two["request"], complete)]
    first, second = (two["ended"] - two["started"])[::2], (two["ended"] - two["started"])[1::2]
    assert (two["chain"][::2] == 0).all()
    assert np.allclose(first, one["ended"] - one["started"], rtol=0, atol=1e-9)
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / np.sqrt(first.size)


def test_round_robin_over_one_replica_is_the_system_without_a_balancer():
    kinds = ("round_robin", "random", "least_request", "power_of_two", "two_choices")
    assert len({run(SHOP, f"services.payments.load_balancing={kind}").records.fingerprint() for kind in kinds}) == 1


def test_a_name_is_a_stream_and_another_name_another():
    """Two stations with the same distribution do not draw the same."""
    system = run(
        SHOP,
        "services.inventory.endpoints.reserve.0.work={lognormal: {mean: 60ms, p99: 400ms}}",
        "services.inventory.workers=unlimited",
    )
    reserve, charge = system.spans("inventory.reserve"), system.spans("payments.charge")
    both = np.intersect1d(reserve["request"], charge["request"])
    one, other = ((spans["ended"] - spans["started"])[np.isin(spans["request"], both)] for spans in (reserve, charge))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(both.size)
