"""A logical request: when it is closed, what is still alive, and what tells a lost order from a pending one."""

from sim import testing

ORDERS = """
duration: 30s
traffic: {clients: {sends: orders.create, completes_with: [created, sent]}}
services:
  orders: {workers: 4, endpoints: {create: [{effect: created}, {publish: events, via: outbox}]}}
  mail: {workers: 1, endpoints: {send: [STEP, {effect: sent}]}, consumes: {events: {group: g, auto_offset_reset: earliest, RETRY do: [{perform: mail.send}]}}}
brokers: {kafka: {kind: log, topics: {events: {partitions: 1}}}}
"""


def orders(step="{work: 10ms}", retry="", more=""):
    return ORDERS.replace("STEP", step).replace("RETRY", retry) + more


def pending(system, arrivals=(0.0,)):
    played = testing.play(system, list(arrivals))
    return played.requests["pending"].tolist(), played.requests["completion"].notna().tolist()


def test_an_order_that_is_complete_is_not_pending():
    assert pending(orders()) == ([False], [True])


def test_a_row_in_the_outbox_keeps_an_order_pending():
    assert pending(orders(more="faults: [{at: 0s, broker_down: kafka}]")) == ([True], [False])


def test_a_message_in_the_log_keeps_an_order_pending():
    assert pending(orders(more="faults: [{at: 0s, outage: mail}]")) == ([True], [False])


def test_a_message_that_is_not_replicated_keeps_an_order_pending():
    assert pending(orders().replace("kind: log,", "kind: log, replication: 60s,")) == ([True], [False])


def test_a_delay_in_a_retry_topic_keeps_an_order_pending():
    assert pending(orders("{fail: 100%}", "retry_topic: [60s],")) == ([True], [False])


def test_an_order_whose_message_was_dead_lettered_is_lost():
    assert pending(orders("{fail: 100%}", "retry_topic: [1s],")) == ([False], [False])


def test_an_attempt_that_nobody_waits_for_keeps_an_order_pending():
    text = """
    duration: 10s
    traffic: {clients: {sends: a.get, completes_with: [done]}}
    services:
      a: {workers: 1, endpoints: {get: [{call: b.get, policy: {timeout: 1s}, fallback: []}]}}
      b: {workers: 1, endpoints: {get: [{work: WORK}, {effect: done}]}}
    """
    assert pending(text.replace("WORK", "20s")) == ([True], [False])
    assert pending(text.replace("WORK", "5s")) == ([False], [True])


def test_completion_may_come_before_the_response():
    played = testing.play(
        "traffic: {clients: {sends: a.get, completes_with: [done]}}\nservices: {a: {workers: 1, endpoints: {get: [{effect: done}, {work: 1s}]}}}",
        [0.0],
    )
    assert (played.completions(), played.responses()) == ([0.0], [1.0])


def test_completion_is_when_the_last_of_the_expected_effects_comes_to_exist():
    text = """
    traffic: {clients: {sends: a.get, completes_with: [one, two]}}
    services: {a: {workers: 1, endpoints: {get: [{effect: two}, {work: 1s}, {effect: other}, {effect: one}, {work: 1s}, {effect: two}]}}}
    """
    assert testing.play(text, [0.0]).completions() == [1.0]


def test_effects_are_counted_by_the_ledger():
    steps = "[{effect: paid}, {effect: paid}, {effect: held}, {effect: {held: {idempotent: true}}}]"
    text = f"services: {{a: {{workers: 1, endpoints: {{get: {steps}}}}}}}\nledger: {{charge: paid, reservation: held}}"
    row = testing.play(text, [0.0]).requests.iloc[0]
    assert (row["charges"], row["reservations"]) == (2, 1)
