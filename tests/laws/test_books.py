"""Nothing is lost and nothing comes from nowhere: systems made at random, whole or under harm, keep their books and their laws.

`simulate` itself refuses to hand over records whose books do not balance; here they are counted again, from the rows.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.metrics.gauges import Gauges
from sim.metrics.laws import little, utilisation_law
from sim.models import simulate
from sim.spec import load_document
from sim.vocabulary import MessageEnd, Outcome

NAMES = ("a", "b", "c")
DURATION = 12.0
SECONDS = st.sampled_from(["0s", "5ms", "40ms", "150ms"])
TIMES = st.one_of(SECONDS, SECONDS.filter(lambda time: time != "0s").map(lambda time: {"exponential": time}))
chance = st.sampled_from([0.02, 0.3])


def maybe(strategy):
    return st.one_of(st.none(), strategy)


def fields(**strategies):
    """A map without the fields that came out as None."""
    return st.fixed_dictionaries(strategies).map(lambda made: {key: value for key, value in made.items() if value is not None})


RETRIES = fields(
    max_attempts=st.integers(1, 4),
    backoff=maybe(st.sampled_from([{"constant": "20ms"}, {"exponential": {"base": "10ms", "max": "50ms"}}])),
    jitter=maybe(st.sampled_from(["full", "equal", "decorrelated"])),
    budget=maybe(st.just({"ratio": 0.2, "min_per_second": 1})),
    on=maybe(st.just(["timeout", "error", "unreachable", "shed", "bulkhead_full", "breaker_open"])),
)
POLICIES = fields(
    timeout=maybe(st.sampled_from(["30ms", "100ms", "400ms"])),
    on_timeout=maybe(st.just("cancel")),
    retry=maybe(RETRIES),
    circuit_breaker=maybe(st.sampled_from([{"failures": 3, "within": "1s", "open_for": "500ms"}, {"resilience4j": {"sliding_window_size": 5, "minimum_number_of_calls": 5, "wait_duration_in_open_state": "300ms"}}])),
    bulkhead=maybe(st.sampled_from([{"max_concurrent_calls": 1}, {"max_concurrent_calls": 2, "max_wait": "50ms"}])),
    scope=maybe(st.just("service")),
)


def steps(callees, depth=2):
    """Steps of an endpoint that may call these."""
    simple = [
        TIMES.map(lambda time: {"work": time}),
        TIMES.map(lambda time: {"wait": time}),
        chance.map(lambda share: {"fail": share}),
        chance.map(lambda share: {"refuse": share}),
        st.just({"effect": "made"}),
        st.just({"reply": None}),
    ]
    if callees:
        fallback = maybe(st.just([{"effect": "deferred"}]))
        simple.append(st.builds(call, st.sampled_from(callees), maybe(POLICIES), fallback))
        simple.append(st.builds(call, st.sampled_from(callees), maybe(POLICIES), st.none()))
        simple.append(st.builds(lambda via, policy: {"publish": "news", "via": via} | ({"policy": policy} if policy and via == "broker" else {}), st.sampled_from(["broker", "outbox"]), maybe(POLICIES)))
    if depth:
        simple.append(st.lists(steps(callees, 0), min_size=1, max_size=3).map(lambda branches: {"parallel": branches}))
    return st.lists(st.one_of(simple), min_size=1, max_size=4)


def call(callee, policy, fallback):
    return {"call": f"{callee}.do"} | ({"policy": policy} if policy else {}) | ({"fallback": fallback} if fallback else {})


def service(name):
    return fields(
        replicas=st.integers(1, 3),
        workers=st.one_of(st.integers(1, 5), st.just("unlimited")),
        concurrency=maybe(st.just("event_loop")),
        cores=maybe(st.integers(1, 2)),
        queue=maybe(fields(capacity=maybe(st.integers(0, 5)), discipline=maybe(st.just("lifo")), timeout=maybe(st.just("80ms")))),
        load_balancing=maybe(st.sampled_from(["random", "least_request", "power_of_two"])),
        endpoints=fields(do=steps(NAMES[NAMES.index(name) + 1 :])),
    )


CONSUMERS = fields(
    group=st.just("readers"),
    auto_offset_reset=st.sampled_from(["earliest", "latest"]),
    consumers=maybe(st.integers(1, 2)),
    max_poll_records=maybe(st.integers(1, 3)),
    retry_topic=maybe(st.just({"delays": ["100ms", "500ms"]})),
    max_deliveries=maybe(st.integers(1, 3)),
    idempotent=maybe(st.booleans()),
    session_timeout=st.sampled_from(["1s", "45s"]),
    do=st.sampled_from([[{"perform": "c.do"}, {"effect": "paid"}], [{"work": {"exponential": "20ms"}}, {"fail": 0.3}, {"effect": "paid"}]]),
)
SPELL = {"at": st.sampled_from(["3s", "6s", "11s"]), "for": st.sampled_from(["500ms", "3s"])}
FAULTS = st.one_of(
    fields(outage=st.sampled_from(NAMES), how=st.sampled_from(["hang", "refuse", "blackhole"]), **SPELL),
    fields(slow=st.fixed_dictionaries({"of": st.sampled_from(NAMES), "by": st.just(5)}), **SPELL),
    fields(errors=st.fixed_dictionaries({"of": st.sampled_from(NAMES), "share": st.just(0.5)}), **SPELL),
    fields(crash=st.fixed_dictionaries({"of": st.sampled_from(NAMES), "replicas": st.just(1), "restart_after": st.sampled_from(["200ms", "2s"])}), at=SPELL["at"]),
    fields(network=st.fixed_dictionaries({"between": st.sampled_from([["a", "b"], ["b", "c"]]), "partition": st.just(True)}), **SPELL),
    fields(network=st.fixed_dictionaries({"between": st.sampled_from([["a", "b"], ["b", "c"]]), "loss": st.just(0.3)}), **SPELL),
    fields(broker_down=st.just("kafka"), **SPELL),
)
ARRIVALS = st.sampled_from([{"poisson": "20/s"}, {"deterministic": "10/s"}, {"closed": {"users": 6, "think": {"exponential": "100ms"}}}])


@st.composite
def systems(draw):
    """A small system, its load and the harm done to it, as a document."""
    services = {name: draw(service(name)) for name in NAMES}
    consumes = draw(CONSUMERS)
    services["c"]["consumes"] = {"news": consumes}
    faults = [fault | {"name": f"fault {index}"} for index, fault in enumerate(draw(st.lists(FAULTS, max_size=3)))]
    traffic = draw(fields(arrivals=ARRIVALS, timeout=maybe(st.just("200ms")), retry=maybe(RETRIES)))
    return {
        "version": 1,
        "duration": f"{DURATION}s",
        "warmup": "1s",
        "seed": draw(st.integers(1, 1000)),
        "record": {"spans": "all"},
        "traffic": {"shop": traffic | {"sends": "a.do", "completes_with": draw(st.sampled_from([[], ["made"], ["made", "paid"]]))}},
        "services": services,
        "network": {"default": {"latency": draw(TIMES.filter(lambda time: "150ms" not in str(time))), "loss": draw(st.sampled_from([0, 0, 0.05]))}},
        "brokers": {"kafka": {"kind": "log", "acks": draw(st.sampled_from(["all", 1, 0])), "replication": draw(TIMES), "topics": {"news": {"partitions": draw(st.integers(1, 4))}}}},
        "ledger": {"charge": "paid"},
        "faults": faults,
    }


def check(examples):
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False)


@check(60)
@given(systems())
def test_a_system_made_at_random_keeps_its_books(document):
    keeps_its_books(document)


@pytest.mark.long
@check(1500)
@given(systems())
def test_many_systems_made_at_random_keep_their_books(document):
    keeps_its_books(document)


def keeps_its_books(document):
    # what is declared must also be made by somebody, or the language refuses it
    document["services"]["c"]["endpoints"]["do"].append({"effect": "made"})
    document["services"]["c"]["consumes"]["news"]["do"] = [*document["services"]["c"]["consumes"]["news"]["do"], {"effect": "paid"}]
    (scenario,) = load_document(document).variants.values()
    records = simulate(scenario)
    books = {book.component: book for book in records.books}
    assert all(book.balances for book in records.books)
    check_requests(records, books, scenario)
    check_spans(records, books, scenario)
    check_messages(records, books)
    check_gauges(records, scenario)
    assert simulate(scenario).fingerprint() == records.fingerprint()


def check_requests(records, books, scenario):
    rows = records.requests
    assert rows.size == books["shop"].offered == np.unique(rows["id"]).size
    assert (np.isnan(rows["end"]) == (rows["outcome"] == Outcome.IN_FLIGHT)).all()
    ended = rows[~np.isnan(rows["end"])]
    assert (ended["end"] >= ended["arrival"] - 1e-9).all()
    assert (ended["end"] <= DURATION).all()
    assert (rows["attempts"] >= 1).all()
    assert (rows["pending"] | ~np.isnan(rows["end"])).all()
    needed = sum(1 << records.effect_names.index(name) for name in scenario.traffic["shop"].completes_with)
    complete = (rows["effects"] & np.uint64(needed)) == needed
    assert (rows["expects"] == (needed > 0)).all()
    assert (~np.isnan(rows["completion"]) == (complete & (needed > 0))).all()
    if "paid" in records.effect_names:
        paid = (rows["effects"] >> np.uint64(records.effect_names.index("paid")) & np.uint64(1)).astype(bool)
        assert (paid == (rows["charges"] > 0)).all()


def check_spans(records, books, scenario):
    spans = records.spans
    waited = ~np.isnan(spans["started"])
    assert (spans["started"][waited] >= spans["arrived"][waited]).all()
    ended = waited & ~np.isnan(spans["ended"])
    assert (spans["ended"][ended] >= spans["started"][ended]).all()
    assert np.isin(spans["request"], records.requests["id"]).all()
    for name, spec in scenario.services.items():
        its = spans[spans["endpoint"] == records.names.index(f"{name}.do")]
        assert its.size == books[name].offered
        assert np.isnan(its["ended"]).sum() == books[name].open
        found = np.bincount(its["outcome"][~np.isnan(its["ended"])], minlength=len(Outcome))
        assert {outcome.word: found[outcome] for outcome in Outcome if found[outcome]} == books[name].ended
        assert its["replica"].max(initial=0) < spec.replicas
        if spec.concurrency == "threads":
            for law in (little, utilisation_law):
                seen, told = law(records, name)
                assert seen == pytest.approx(told, rel=1e-9, abs=1e-9)


def check_messages(records, books):
    rows = records.messages
    assert rows.size == books["news"].offered
    assert np.unique(rows["id"]).size == rows.size  # there is one group
    assert ((rows["how"] == MessageEnd.QUEUED) == np.isnan(rows["end"])).all()
    found = np.bincount(rows["how"][~np.isnan(rows["end"])], minlength=len(MessageEnd))
    assert {end.word: found[end] for end in MessageEnd if found[end]} == books["news"].ended
    readable = ~np.isnan(rows["available"])
    assert (rows["available"][readable] >= rows["published"][readable]).all()
    over = ~np.isnan(rows["end"])
    assert (rows["end"][over] >= rows["available"][over]).all()
    assert (rows["deliveries"][rows["how"] == MessageEnd.PROCESSED] >= 1).all()
    assert (rows["deliveries"][rows["how"] == MessageEnd.SKIPPED] == 0).all()
    for partition in np.unique(rows["partition"]):
        assert np.sort(rows["offset"][rows["partition"] == partition]).tolist() == list(range(int(np.sum(rows["partition"] == partition))))


def check_gauges(records, scenario):
    gauges = Gauges(records)
    for name, spec in scenario.services.items():
        busy, waiting = gauges.values(name, "busy"), gauges.values(name, "queue")
        assert (busy >= -1e-9).all()
        assert (waiting >= -1e-9).all()
        if spec.workers > 0:
            assert (busy <= spec.workers * spec.replicas + 1e-9).all()
        else:
            assert (waiting <= 1e-9).all()
        done, wasted = gauges.values(name, "work_done"), gauges.values(name, "work_wasted")
        assert (np.diff(done) >= -1e-9).all()
        assert (wasted <= done + 1e-9).all()
        if spec.cores:
            assert (gauges.values(name, "cores_busy") <= spec.cores * spec.replicas + 1e-9).all()
        assert (gauges.values(name, "first_attempts") <= gauges.values(name, "attempts")).all()
    lag = gauges.values("readers news", "lag")
    assert (lag >= 0).all()
    assert lag[-1] == np.sum(np.isnan(records.messages["end"]) & ~np.isnan(records.messages["available"]))
