"""Nothing is lost and nothing comes from nowhere: systems made at random, whole or under harm, keep their books and their laws.

`simulate` itself refuses to hand over records whose books do not balance; here they are counted again, from the rows.
"""

import json
from random import Random

import numpy as np
import pytest

from sim.metrics.gauges import Gauges
from sim.models import simulate
from sim.models.layers.breaker import BreakerMemory
from sim.models.layers.bulkhead import BulkheadMemory
from sim.models.running import run
from sim.models.world import World
from sim.spec import load_document
from sim.vocabulary import MessageEnd, Outcome
from tests.laws.both_sides import little, utilisation_law

NAMES = ("a", "b", "c")
DURATION = 12.0


class Maker:
    """Makes documents; a field of None is left out."""

    def __init__(self, seed):
        self.luck = Random(seed)
        self.seed = seed

    def one_of(self, *values):
        return self.luck.choice(values)

    def sometimes(self, value):
        return value if self.luck.random() < 0.35 else None

    def system(self):
        services = {name: self.service(name) for name in NAMES}
        services["c"]["consumes"] = {"news": self.consumer()}
        services["c"]["endpoints"]["do"].append({"effect": "made"})  # what is waited for must be made by somebody
        arrivals = self.one_of(
            {"poisson": "20/s"}, {"deterministic": "10/s"}, {"closed": {"users": 6, "think": {"exponential": "100ms"}}}
        )
        traffic = self.fields(arrivals=arrivals, timeout=self.sometimes("200ms"), retry=self.sometimes(self.retry()))
        latency = self.one_of("0s", "5ms", {"exponential": "5ms"})
        gateway = self.sometimes(self.gateway())
        completes_with = self.one_of([], ["made"], ["made", "paid"])
        if gateway is None:
            traffic |= {"sends": "a.do", "completes_with": completes_with}
        else:
            traffic |= {"sends": "GET /", "users": {"count": 20}}
            gateway["routes"]["GET /"]["completes_with"] = completes_with
        topics = {"news": {"partitions": self.luck.randint(1, 4)}}
        return self.fields(gateway=gateway) | {
            "version": 1,
            "duration": f"{DURATION}s",
            "warmup": "1s",
            "seed": self.seed,
            "record": {"spans": "all"},
            "traffic": {"shop": traffic},
            "services": services,
            "network": {"default": {"latency": latency, "loss": self.one_of(0, 0, 0.05)}},
            "brokers": {
                "kafka": {"kind": "log", "acks": self.one_of("all", 1, 0), "replication": self.time(), "topics": topics}
            },
            "ledger": {"charge": "paid"},
            "faults": [self.fault() | {"name": f"fault {index}"} for index in range(self.luck.randint(0, 3))],
        }

    def fields(self, **values):
        return {key: value for key, value in values.items() if value is not None}

    def time(self):
        time = self.one_of("0s", "5ms", "40ms", "150ms")
        return time if time == "0s" or self.luck.random() < 0.5 else {"exponential": time}

    def gateway(self):
        oauth = {
            "introspect": "c.do",
            "lookup": "1ms",
            "cache_ttl": self.one_of("0s", "2s"),
            "on_failure": self.one_of("deny", "allow"),
        }
        translate = self.sometimes({"to": "grpc", "work": "1ms", "response_work": "1ms"})
        limit = {
            "per": self.one_of("user", "route", "all"),
            "rate": "10/s",
            "burst": 3,
            "scope": self.one_of("cluster", "node"),
        }
        return self.fields(
            replicas=self.luck.randint(1, 2),
            workers=self.one_of(1, 4, "unlimited"),
            concurrency=self.sometimes("threads"),
            queue=self.sometimes({"capacity": 3, "timeout": "50ms"}),
            work=self.sometimes(self.time()),
            authentication=self.sometimes(self.one_of({"jwt": {"work": "1ms", "invalid": 0.05}}, {"oauth": oauth})),
            rate_limits=self.sometimes([limit]),
            routes={
                "GET /": self.fields(
                    to="a.do",
                    timeout=self.sometimes("300ms"),
                    policy=self.sometimes(self.policy()),
                    translate=translate,
                )
            },
        )

    def service(self, name):
        queue = self.fields(
            capacity=self.sometimes(self.luck.randint(0, 5)),
            discipline=self.sometimes("lifo"),
            timeout=self.sometimes("80ms"),
        )
        return self.fields(
            replicas=self.luck.randint(1, 3),
            workers=self.one_of(1, 2, 3, 5, "unlimited"),
            concurrency=self.sometimes("event_loop"),
            cores=self.sometimes(self.luck.randint(1, 2)),
            queue=queue,
            load_balancing=self.one_of("round_robin", "random", "least_request", "power_of_two", "two_choices"),
            stock={"items": 30},
            endpoints={"do": self.steps(NAMES[NAMES.index(name) + 1 :], 2)},
        )

    def steps(self, callees, depth):
        """One to four steps, which may call these services."""
        return [self.step(callees, depth) for _ in range(self.luck.randint(1, 4))]

    def step(self, callees, depth):
        kinds = ["work", "work", "wait", "fail", "refuse", "effect", "reply", "take"]
        kinds += ["call"] * 4 + ["publish"] if callees else []
        kinds += ["parallel"] if depth else []
        kind = self.luck.choice(kinds)
        if kind in ("work", "wait"):
            return {kind: self.time()}
        if kind in ("fail", "refuse"):
            return {kind: self.one_of(0.02, 0.3)}
        if kind == "parallel":
            return {kind: [self.steps(callees, depth - 1) for _ in range(self.luck.randint(1, 3))]}
        if kind == "call":
            return self.fields(
                call=f"{self.luck.choice(callees)}.do",
                policy=self.sometimes(self.policy()),
                fallback=self.sometimes([{"effect": "deferred"}]),
            )
        if kind == "publish":
            through = self.one_of("broker", "outbox")
            return self.fields(
                publish="news", via=through, policy=self.sometimes(self.policy()) if through == "broker" else None
            )
        return {
            kind: {"effect": "made", "reply": None, "take": self.one_of("stock", {"stock": {"check_to_write": "3ms"}})}[
                kind
            ]
        }

    def retry(self):
        return self.fields(
            max_attempts=self.luck.randint(1, 4),
            backoff=self.sometimes(self.one_of({"constant": "20ms"}, {"exponential": {"base": "10ms", "max": "50ms"}})),
            jitter=self.sometimes(self.one_of("full", "equal", "decorrelated")),
            budget=self.sometimes({"ratio": 0.2, "min_per_second": 1}),
            on=self.sometimes(["timeout", "error", "unreachable", "shed", "bulkhead_full", "breaker_open"]),
        )

    def policy(self):
        library = {"sliding_window_size": 5, "minimum_number_of_calls": 5, "wait_duration_in_open_state": "300ms"}
        return self.fields(
            timeout=self.one_of(None, "30ms", "100ms", "400ms"),
            on_timeout=self.sometimes("cancel"),
            retry=self.sometimes(self.retry()),
            circuit_breaker=self.sometimes(
                self.one_of({"failures": 3, "within": "1s", "open_for": "500ms"}, {"resilience4j": library})
            ),
            bulkhead=self.sometimes(
                self.one_of({"max_concurrent_calls": 1}, {"max_concurrent_calls": 2, "max_wait": "50ms"})
            ),
            scope=self.sometimes("service"),
        )

    def consumer(self):
        return self.fields(
            group="readers",
            auto_offset_reset=self.one_of("earliest", "latest"),
            consumers=self.sometimes(self.luck.randint(1, 2)),
            max_poll_records=self.sometimes(self.luck.randint(1, 3)),
            retry_topic=self.sometimes({"delays": ["100ms", "500ms"]}),
            max_deliveries=self.sometimes(self.luck.randint(1, 3)),
            idempotent=self.sometimes(True),
            session_timeout=self.one_of("1s", "45s"),
            do=[
                *self.one_of([{"perform": "c.do"}], [{"work": {"exponential": "20ms"}}, {"fail": 0.3}]),
                {"effect": "paid"},
            ],
        )

    def fault(self):
        of, pair, at = (
            self.luck.choice(NAMES),
            self.one_of(["a", "b"], ["b", "c"], ["c", "kafka"], ["a", "kafka"]),
            self.one_of("3s", "6s", "11s"),
        )
        if self.luck.random() < 0.2:
            return {"crash": {"of": of, "replicas": 1, "restart_after": self.one_of("200ms", "2s")}, "at": at}
        harm = self.one_of(
            {"outage": of, "how": "hang"},
            {"outage": of, "how": "refuse"},
            {"outage": of, "how": "blackhole"},
            {"slow": {"of": of, "by": 5}},
            {"errors": {"of": of, "share": 0.5}},
            {"network": {"between": pair, "partition": True}},
            {"network": {"between": pair, "loss": 0.3, "latency": "20ms"}},
            {"broker_down": "kafka"},
        )
        return harm | {"at": at, "for": self.one_of("500ms", "3s")}


@pytest.mark.parametrize("seed", range(60))
def test_a_system_made_at_random_keeps_its_books(seed):
    keeps_its_books(Maker(seed).system())


@pytest.mark.long
@pytest.mark.parametrize("dozen", range(60))
def test_many_systems_made_at_random_keep_their_books(dozen):
    for seed in range(60 + 12 * dozen, 72 + 12 * dozen):
        keeps_its_books(Maker(seed).system())


def keeps_its_books(document):
    print(json.dumps(document))
    (scenario,) = load_document(document).variants.values()
    records = simulate(scenario)
    books = {book.component: book for book in records.books}
    assert all(book.balances for book in records.books)
    check_requests(records, books, scenario)
    check_spans(records, books, scenario)
    check_messages(records, books)
    check_gauges(records, scenario)
    assert simulate(scenario).fingerprint() == records.fingerprint()


QUIET = {"profile": [{"rate": "20/s", "for": f"{DURATION}s"}, {"rate": "0/s"}]}


@pytest.mark.parametrize("seed", range(24))
def test_what_was_held_is_given_back(seed):
    """When nobody comes any more and all that can end has ended, no worker, place in a bulkhead, core or count of a balancer is left taken."""
    gives_all_back(seed)


@pytest.mark.long
@pytest.mark.parametrize("dozen", range(20))
def test_what_was_held_is_given_back_by_many(dozen):
    for seed in range(24 + 12 * dozen, 36 + 12 * dozen):
        gives_all_back(seed)


def gives_all_back(seed):
    document = Maker(seed).system()
    document["duration"] = "200s"
    document["traffic"]["shop"]["arrivals"] = QUIET
    document["network"]["default"]["loss"] = 0
    losing = [fault for fault in document["faults"] if "network" in fault or fault.get("how") == "blackhole"]
    document["faults"] = [
        fault for fault in document["faults"] if fault not in losing
    ]  # who has no timeout waits for a lost message for ever
    print(json.dumps(document))
    (scenario,) = load_document(document).variants.values()
    world = World(scenario)
    records = run(world)
    assert (records.requests["outcome"] != Outcome.IN_FLIGHT).all()
    assert not records.requests["pending"].any()
    for host in world.hosts():
        assert (host.busy, host.queued, host.open) == (0, 0, 0)
        for replica in host.replicas:
            assert replica.free == replica.workers
            assert replica.waiting == 0
            assert not replica.inside
            assert replica.cpu is None or replica.cpu.n == 0
            counted = [
                name
                for name in replica.balancers
                if scenario.services[name].load_balancing in ("least_request", "power_of_two", "two_choices")
            ]
            assert all(sum(replica.balancers[name][1]) == 0 for name in counted)
    for call in world.calls.guarded:
        for guard in call.guards.values():
            bulkhead, breaker = guard.find(BulkheadMemory), guard.find(BreakerMemory)
            assert bulkhead is None or bulkhead.row.inside == 0
            assert breaker is None or breaker.row.state != 2 or breaker.row.permits > 0


def check_requests(records, books, scenario):
    rows = records.requests
    assert rows.size == books["shop"].offered == np.unique(rows["id"]).size
    assert (np.isnan(rows["end"]) == (rows["outcome"] == Outcome.IN_FLIGHT)).all()
    ended = rows[~np.isnan(rows["end"])]
    assert (ended["end"] >= ended["arrival"] - 1e-9).all()
    assert (
        ended["end"] <= DURATION + 1e-9
    ).all()  # what comes at the last instant on paper may be a rounding error later
    assert (rows["attempts"] >= 1).all()
    assert (rows["pending"] | ~np.isnan(rows["end"])).all()
    completes_with = (
        scenario.gateway.routes["GET /"].completes_with if scenario.gateway else scenario.traffic["shop"].completes_with
    )
    needed = sum(1 << records.effect_names.index(name) for name in completes_with)
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
        assert np.sort(rows["offset"][rows["partition"] == partition]).tolist() == list(
            range(int(np.sum(rows["partition"] == partition)))
        )


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
