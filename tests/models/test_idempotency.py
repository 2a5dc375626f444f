"""Idempotency keys of an endpoint: what comes twice is answered from what is known, for a while."""

from sim import testing

TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.charge, policy: {timeout: 200ms, retry: RETRY}}]}}
  b: {workers: unlimited, endpoints: {charge: {do: [{work: 300ms}, {effect: paid}], idempotency: KEYS}}}
ledger: {charge: paid}
FAULTS
"""
FAIL = "faults: [{errors: {of: c, share: 100%}, at: 1s, for: 1s}]"


def played(keys, pause="150ms", times=(1.0,), attempts=5, text=TEXT, faults=""):
    retry = f"{{max_attempts: {attempts}, backoff: {{constant: {pause}}}, on: [timeout, error]}}"
    return testing.play(text.replace("KEYS", keys).replace("RETRY", retry).replace("FAULTS", faults), list(times))


def total(run, name):
    """What a series of the callee has come to."""
    return run.records.gauges[-1][[series.name for series in run.records.series].index(f"b.{name} charge")]


def test_a_second_attempt_is_answered_from_the_first():
    """Given up at 1.2 s, done at 1.3 s; the second attempt comes at 1.35 s and has its answer at once."""
    run = played("24h")
    assert run.outcomes() == ["ok"]
    assert run.responses() == [0.35]
    assert run.records.requests["charges"].tolist() == [1]
    assert (total(run, "replayed"), total(run, "key_conflicts")) == (1, 0)


def test_without_a_key_it_is_done_twice_and_more():
    run = testing.play(
        TEXT.replace(", idempotency: KEYS", "")
        .replace("RETRY", "{max_attempts: 3, backoff: {constant: 150ms}}")
        .replace("FAULTS", ""),
        [1.0],
    )
    assert run.records.requests["charges"].tolist() == [3]


def test_who_comes_while_the_first_is_at_work_is_told_so():
    """At 1.25 s the first still works: an error, and 50 ms later, at 1.3 s, it has ended, just before."""
    run = played("24h", pause="50ms")
    assert run.outcomes() == ["ok"]
    assert run.responses() == [0.3]
    assert (total(run, "replayed"), total(run, "key_conflicts")) == (1, 1)
    assert played("{in_progress: refused}", pause="50ms").outcomes() == ["refused"]


def test_when_the_key_is_forgotten_it_is_done_again():
    """Known from 1.0 s until 1.35 s: the attempt of that very instant does the work anew, and so do all later ones."""
    run = played("350ms", attempts=2)
    assert run.outcomes() == ["timeout"]
    assert run.records.requests["charges"].tolist() == [2]
    assert played("351ms", attempts=2).records.requests["charges"].tolist() == [1]


def test_a_key_is_of_one_request():
    run = played("24h", times=(1.0, 1.0))
    assert run.records.requests["charges"].tolist() == [1, 1]


FAILING = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.charge, policy: {retry: RETRY}}]}}
  b: {workers: unlimited, endpoints: {charge: {do: [{call: c.pay}, {effect: paid}], idempotency: KEYS}}}
  c: {workers: unlimited, endpoints: {pay: [{wait: 10ms}]}}
ledger: {charge: paid}
FAULTS
"""


def test_a_failure_is_replayed_like_a_success():
    """c fails until 2 s: with 600 ms between attempts the third would succeed, but the first one's answer is known."""
    run = played("24h", pause="600ms", text=FAILING, faults=FAIL)
    assert run.outcomes() == ["error"]
    assert total(run, "replayed") == 4


def test_unless_failures_are_forgotten():
    run = played("{failures: forgotten}", pause="600ms", text=FAILING, faults=FAIL)
    assert run.outcomes() == ["ok"]
    assert run.responses() == [1.21]
    assert total(run, "replayed") == 0


CRASH = "faults: [{crash: {of: b}, at: 1.1s, for: 200ms}]"


def test_what_a_crash_ends_is_done_again():
    """The first attempt dies at 1.1 s. The second finds nobody at 1.25 s, the third, at 1.4 s, does the work."""
    text = TEXT.replace("work: 300ms", "work: 150ms").replace("RETRY", "{max_attempts: 3, backoff: {constant: 150ms}}")
    run = played("24h", text=text, faults=CRASH)
    assert run.outcomes() == ["ok"]
    assert run.responses() == [0.55]
    assert run.records.requests["charges"].tolist() == [1]
    assert (total(run, "replayed"), total(run, "key_conflicts")) == (0, 0)


REDELIVERED = """
duration: 1m
traffic: {clients: {sends: a.ask}}
brokers: {kafka: {kind: log, topics: {orders: {partitions: 1}}}}
services:
  a: {workers: unlimited, endpoints: {ask: [{publish: orders}]}}
  d:
    workers: 1
    consumes: {orders: {group: d, max_deliveries: 4, do: [{call: b.charge}, {call: c.pay}]}}
  b: {workers: unlimited, endpoints: {charge: {do: [{wait: 10ms}, {effect: paid}], idempotency: 24h}}}
  c: {workers: unlimited, endpoints: {pay: [{wait: 10ms}]}}
ledger: {charge: paid}
faults: [{errors: {of: c, share: 100%}, at: 1s, for: 30s}]
"""


def test_a_redelivery_is_answered_from_the_first_delivery():
    """What comes after the charge fails each time: four deliveries, and one charge."""
    run = testing.play(REDELIVERED, [2.0])
    assert len(run.attempts("b.charge")) == 4
    assert run.records.requests["charges"].tolist() == [1]
    assert total(run, "replayed") == 3
