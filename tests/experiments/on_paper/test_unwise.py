"""What `sim check` warns of: each rule has a scenario that meets it by its real cause, and a sound shop meets none."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sim.experiments.on_paper.calls import poisson_tail
from sim.experiments.on_paper.offered_load import check
from sim.spec import load_document, load_text

SOUND: dict[str, Any] = {
    "version": 1,
    "duration": "10m",
    "warmup": "1m",
    "traffic": {
        "clients": {"sends": "GET /", "arrivals": {"poisson": "100/s"}, "users": {"count": 1000}, "timeout": "10s"}
    },
    "gateway": {"workers": 4, "work": "1ms", "routes": {"GET /": {"to": "front.ask", "timeout": "5s"}}},
    "services": {
        "front": {
            "workers": 32,
            "queue": {"capacity": 50},
            "endpoints": {"ask": [{"work": "5ms"}, {"call": "back.answer", "policy": "calm"}]},
        },
        "back": {
            "workers": 32,
            "queue": {"capacity": 50},
            "endpoints": {"answer": [{"wait": {"exponential": "20ms"}}]},
        },
    },
    "policies": {"calm": {"timeout": "1s"}},
}


def warnings(**changes: Any) -> str:
    """The warnings of the sound shop with some things changed: `services__front__workers=1`."""
    document = copy.deepcopy(SOUND)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return "\n".join(
        f"{finding.place}: {finding.finding}. {finding.why}" for finding in check(load_document(document)).warnings
    )


NODES: dict[str, Any] = {"general": {"cores": 4, "max": 3, "start": "1m"}}
ON_NODES: dict[str, Any] = {
    "workers": 32,
    "cores": 3,
    "queue": {"capacity": 50},
    "endpoints": {"answer": [{"wait": {"exponential": "20ms"}}]},
    "node_pool": "general",
    "autoscaling": {"min": 1, "max": 5},
}


def test_vertical_scaling_of_a_lone_replica():
    """Its updater leaves alone what has fewer than two replicas."""
    alone = {
        "workers": 32,
        "cpu": 1,
        "queue": {"capacity": 50},
        "vertical_scaling": {},
        "endpoints": {"answer": [{"wait": {"exponential": "20ms"}}]},
    }
    told = warnings(services__back=alone)
    assert "services.back.vertical_scaling: 1 of at least 2 replicas (min_replicas)" in told
    assert "vertical_scaling" not in warnings(services__back={**alone, "replicas": 2})
    assert "vertical_scaling" not in warnings(services__back={**alone, "vertical_scaling": {"min_replicas": 1}})


def test_nodes_that_hold_fewer_than_an_autoscaler_may_ask_for():
    """A replica of three cores leaves one of four, which nobody fits into: three nodes hold three."""
    told = warnings(services__back=ON_NODES, node_pools=NODES)
    assert "node_pools.general: holds 3 of the 5 replicas that there may be at once" in told
    assert "node_pools" not in warnings(services__back=ON_NODES, node_pools={"general": {**NODES["general"], "max": 5}})
    assert "node_pools.general: no service stands on it" in warnings(node_pools=NODES)


def test_a_function_with_fewer_instances_than_are_busy():
    """100/s x 20 ms are two at once: of three instances B(3, 2) = (8/6) / (1 + 2 + 2 + 8/6) = 21 % find none; of nine hardly anybody."""
    function = {"cold_start": "1s", "idle_timeout": "1m"}
    back = {"workers": "unlimited", "endpoints": {"answer": [{"wait": {"exponential": "20ms"}}]}}
    told = warnings(services__back={**back, "serverless": {**function, "limit": 3}})
    assert "services.back.serverless: 2 requests are inside at once at the peak, and its instances hold 3" in told
    assert "21.1% of those that come at random are answered 429" in told
    assert "back.serverless" not in warnings(services__back={**back, "serverless": {**function, "limit": 9}})


def test_a_canary_that_is_released_before_it_can_be_given_up():
    """Two measurements of a minute have to fail, and the steps last 90 s."""
    steps = [{"weight": "20%", "pause": "30s"}, {"weight": "50%", "pause": "1m"}]
    canary = {"steps": steps, "abort": {"errors": "5%", "failure_limit": 1}}
    fault = {"name": "release", "at": "2m", "deploy": "back", "canary": canary}
    told = warnings(faults=[fault])
    assert "faults.release.canary: its pauses are 90s in all; 2m pass until it may abort" in told
    assert "release.canary" not in warnings(faults=[{**fault, "canary": {**canary, "abort": {"errors": "5%"}}}])


def generated(users: dict[str, Any], **more: Any) -> str:
    """100 iterations a second of 5 ms of work at front and 20 ms at back, behind 1 ms of the gateway: 26 ms each."""
    clients = {
        "sends": "GET /",
        "arrivals": {"deterministic": "100/s"},
        "virtual_users": users,
        "timeout": "10s",
        **more,
    }
    return warnings(traffic={"clients": clients})


def test_virtual_users_that_are_fewer_than_iterations_under_way():
    """100/s x 26 ms are 2.6: three suffice, two send 77 % of it. A visit of three requests with two pauses of 1 s takes 2.078 s: 207.8 at once."""
    assert "virtual_users" not in generated({"pre_allocated": 3})
    told = generated({"pre_allocated": 2})
    assert (
        "traffic.clients.virtual_users: at most 2, where 3 are busy on average (100/s x 26ms, without queueing)" in told
    )
    assert "23.1% of the arrivals at the peak are dropped at least" in told
    visit = {"requests": 3, "think": "1s"}
    assert "200 at first, where 208 are busy" in generated({"pre_allocated": 200, "max": 300}, visit=visit)
    assert "8 in all" in generated({"pre_allocated": 200, "max": 300}, visit=visit)
    assert "virtual_users" not in generated({"pre_allocated": 208}, visit=visit)


IMPATIENT: dict[str, Any] = {"sends": "front.ask", "arrivals": {"closed": {"users": 60, "think": "0s"}}}
QUICK: dict[str, Any] = {"workers": 32, "queue": {"capacity": 50}}


@pytest.mark.parametrize(
    ("changes", "way"),
    [
        ({}, "the queue of front may be full"),
        ({"services__front__queue": {"capacity": 60}}, ""),
        (
            {
                "services__front__queue": {"capacity": 60},
                "traffic__others": {"sends": "front.ask", "arrivals": {"poisson": "1/s"}},
            },
            "the queue of front may be full",
        ),
        ({"traffic__clients": {**IMPATIENT, "arrivals": {"closed": {"users": 60, "think": "1ms"}}}}, ""),
        ({"traffic__clients": {**IMPATIENT, "timeout": "0s"}}, "they give up after 0s"),
        ({"services__front__endpoints__ask": [{"refuse": "1%"}, {"work": "1ms"}]}, "front refuses or fails at once"),
        ({"services__front__endpoints__ask": [{"effect": "asked"}]}, "front.ask takes no time"),
        (
            {"services__front__endpoints__ask": [{"call": "back.answer", "policy": "broken"}]},
            "a breaker of front may be open",
        ),
        (
            {"services__front__endpoints__ask": [{"call": "back.answer", "policy": "tight"}]},
            "a bulkhead of front may be full",
        ),
        ({"faults": [{"at": "2m", "for": "1m", "outage": "front", "how": "refuse"}]}, "the fault outage of front"),
        (
            {
                "faults": [{"at": "2m", "for": "1m", "outage": "front", "how": "hang"}],
                "services__front__queue": {"capacity": 60},
            },
            "",
        ),
    ],
)
def test_users_without_a_pause_who_can_be_answered_at_once_may_stop_the_time(changes, way):
    policies = {
        "calm": {},
        "broken": {"circuit_breaker": {"failures": 3}},
        "tight": {"bulkhead": {"max_concurrent_calls": 2}},
    }
    told = warnings(**{"gateway": None, "traffic__clients": IMPATIENT, "policies": policies, **changes})
    assert ("traffic.clients: its users do not pause" in told) == bool(way)
    assert way in told


def test_a_rate_limit_before_which_nothing_takes_time_may_stop_the_time():
    gateway = {"workers": 4, "rate_limits": [{"per": "all", "rate": "10/s"}], "routes": {"GET /": {"to": "front.ask"}}}
    client = {"sends": "GET /", "arrivals": {"closed": {"users": 3, "think": "0s"}}}
    assert "at once: a rate limit may refuse." in warnings(gateway=gateway, traffic__clients=client)
    assert "do not pause" not in warnings(gateway={**gateway, "work": "1ms"}, traffic__clients=client), (
        "there its work comes before"
    )


def test_a_sound_shop_is_not_warned_of_anything():
    assert warnings() == ""


HEAVY = [{"work": {"lognormal": {"mean": "20ms", "p99": "110ms"}}}]
RETRIES = {"timeout": "1s", "retry": {"max_attempts": 3}}
KAFKA = {"kafka": {"kind": "log", "topics": {"orders": {"partitions": 2}}}}
CONSUMING = {"workers": 8, "consumes": {"orders": {"group": "g", "consumers": 8, "do": [{"work": "50ms"}]}}}
PUBLISHING = [{"work": "5ms"}, {"publish": "orders"}]


def handling(time: Any, **consume: Any) -> dict[str, Any]:
    """A service that takes its time over each record."""
    return {"workers": 8, "consumes": {"orders": {"group": "g", "do": [{"wait": time}], **consume}}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"services__back__workers": 1},
            ["back (workers): asked for 200% of what it can do", "falls behind by 50/s: work left over"],
        ),
        (
            {"services__back__workers": 2, "traffic__clients__arrivals": {"poisson": "90/s"}},
            ["back (workers): 90% busy. above 80 % waiting times grow"],
        ),
        (
            {
                "traffic__clients__arrivals": {
                    "profile": [{"for": "9m", "rate": "1/s"}, {"for": "1m", "rate": "2000/s"}]
                }
            },
            ["at the peak. a backlog builds up"],
        ),
        ({"services__back__queue": {}}, ["services: queues without limit: back"]),
        ({"services__spare": {"workers": 1, "endpoints": {"nap": []}}}, ["services.spare: nobody calls it"]),
        (
            {"brokers": KAFKA, "services__front__endpoints__ask": PUBLISHING},
            ["topic orders: published to, but nobody consumes it"],
        ),
        (
            {"brokers": KAFKA, "services__mail": CONSUMING, "services__front__endpoints__ask": PUBLISHING},
            ["8 consumers for 2 partitions", "6 stay idle"],
        ),
        (
            {"brokers": KAFKA, "services__mail": CONSUMING, "services__front__endpoints__ask": PUBLISHING},
            ["mail <- orders (consumers): asked for 250% of what it can do", "falls behind by 60/s: lag grows"],
        ),
        (
            {"gateway__routes": {"GET /": {"to": "front.ask", "timeout": "500ms"}}},
            ["gateway.routes.GET /: gives front.ask 500ms, which may itself wait 1s", "wasted work"],
        ),
        (
            {"policies__calm": {"timeout": "50ms"}},
            [
                "front.ask: gives back.answer 50ms, but its 99th percentile without any queue is 9",
                "of the attempts time out on a good day",
            ],
        ),
        (
            {
                "policies__calm": {"timeout": "100ms", "retry": {"max_attempts": 3}},
                "services__back__endpoints__answer": HEAVY,
            },
            [
                "front.ask: gives back.answer 100ms, and tries up to 3 times; 1",
                "% of the requests take longer by themselves",
                "`per: attempt` draws anew",
            ],
        ),
        (
            {"traffic__clients__timeout": "3s"},
            ["traffic.clients: clients give up after 3s, before the route GET / does (5s)"],
        ),
        (
            {
                "policies__calm": RETRIES,
                "traffic__clients__retry": {"max_attempts": 3},
                "gateway__routes": {"GET /": {"to": "front.ask", "policy": RETRIES}},
            },
            ["one request may become 27 attempts: clients x3, gateway x3, front.ask -> back.answer x3"],
        ),
        (
            {
                "policies__calm": {"timeout": "1s", "circuit_breaker": {"failures": 5}},
                "services__back__endpoints__answer": [{"fail": "1%"}],
            },
            [
                "front.ask -> back.answer: on a good day 1 failures every 1s: it reaches 5 about 13.2 times an hour",
                "opens without an outage",
            ],
        ),
        (
            {"policies__calm": {"timeout": "1s", "circuit_breaker": {"failures": 500}}},
            [
                "only 100 attempts every 1s pass each breaker, which opens at 500",
                "stays closed even if every attempt fails",
            ],
        ),
        (
            {
                "policies__calm": {"circuit_breaker": {"resilience4j": {"failure_rate_threshold": 10}}},
                "services__back__endpoints__answer": [{"fail": "20%"}],
            },
            ["20% of the attempts fail on a good day, and the breaker opens at 10 %"],
        ),
        (
            {"gateway__rate_limits": [{"per": "user", "rate": "100/s", "burst": 100}]},
            ["the busiest user sends 0.1/s at most", "never refuses anything"],
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "80/s", "burst": 10}]},
            ["clients send 100/s on average, and 80/s pass. 20% of that is refused"],
        ),
        (
            {"gateway__rate_limits": [{"per": "user", "rate": "1/m"}]},
            ["the busiest user sends 0.1/s on average, and 0.0167/s pass"],
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "30/m", "algorithm": "fixed_window", "window": "1s"}]},
            [
                "gateway.rate_limits.0: 0.5/s is 0.5 requests in a window of 1s; it counts whole ones, and lets 1 pass. that is 1/s; choose a `window`"
            ],
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "2.5/s", "algorithm": "sliding_log"}]},
            ["2.5/s is 2.5 requests in a window of 1s", "lets 2 pass"],
        ),
        (
            {"services__back__endpoints__answer": [{"wait": {"lognormal": {"mean": "30ms", "p99": "10ms"}}}]},
            [
                "services.back.endpoints.answer.0.wait: its p99, 10ms, is below its mean, 30ms",
                "have the two been exchanged?",
            ],
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "200/s", "algorithm": "token_bucket"}]},
            [
                "one token: of two requests closer than 5ms the second is refused",
                "clients send 100/s: of Poisson arrivals that refuses 33.3%",
            ],
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "200/s", "burst": 9, "algorithm": "fixed_window"}]},
            ["`burst` is no word of fixed_window"],
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "200/s", "burst": 9, "window": "1m"}]},
            ["`window` is no word of token_bucket"],
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "200/s", "preset": "guava", "burst": 9, "window": "1m"}]},
            ["`burst` is no word of guava", "`window` is no word of guava"],
        ),
        (
            {"gateway__rate_limits": [{"per": "all", "rate": "80/s", "algorithm": "sliding_window"}]},
            [
                "requests that this sliding_window_counter refuses do not count",
                "in Kong's rate-limiting-advanced they do",
            ],
        ),
        (
            {
                "brokers": KAFKA,
                "services__mail": CONSUMING,
                "services__front__endpoints__ask": PUBLISHING,
                "faults": [{"at": "2m", "crash": {"of": "mail"}}],
            },
            [
                "faults.crash of mail: mail consumes; its consumers are static members here",
                "wait until its old session has ended (45s)",
            ],
        ),
        (
            {
                "brokers": KAFKA,
                "services__mail": CONSUMING,
                "services__front__endpoints__ask": PUBLISHING,
                "faults": [{"at": "2m", "for": "50s", "outage": "mail"}],
            },
            ["mail consumes, and is away for longer than a session of 45s"],
        ),
        (
            {
                "brokers": KAFKA,
                "services__mail": CONSUMING,
                "services__front__endpoints__ask": PUBLISHING,
                "faults": [{"at": "2m", "for": "50s", "network": {"between": ["kafka", "mail"], "partition": True}}],
            },
            ["mail consumes, and is away for longer than a session of 45s"],
        ),
        (
            {"brokers": KAFKA, "services__mail": handling("700ms"), "services__front__endpoints__ask": PUBLISHING},
            ["mail <- orders: a full batch of 500 records takes 5.83m on average", "max.poll.interval.ms"],
        ),
        (
            {
                "brokers": KAFKA,
                "services__mail": handling("7m", max_poll_records=1),
                "services__front__endpoints__ask": PUBLISHING,
            },
            ["mail <- orders: a record takes 7m on average"],
        ),
        (
            {
                "brokers": KAFKA,
                "services__mail": handling({"lognormal": {"mean": "30s", "p99": "400s"}}, max_poll_records=2),
                "services__front__endpoints__ask": PUBLISHING,
            },
            ["a full batch of 2 records takes more than 5m when one is slow, as 1."],
        ),
        (
            {"brokers": KAFKA, "services__front__endpoints__ask": PUBLISHING},
            ["brokers.kafka: each publication is sent at once and alone", "linger.ms"],
        ),
        (
            {
                "traffic__others": {
                    "sends": "GET /",
                    "arrivals": {"poisson": "1/s"},
                    "users": {"count": 10, "population": "client"},
                }
            },
            ["traffic.others.users: the population 'client' is of no other traffic; did you mean 'clients'?"],
        ),
        (
            {
                "traffic__others": {
                    "sends": "GET /",
                    "arrivals": {"poisson": "1/s"},
                    "users": {"count": 10, "population": "clients"},
                }
            },
            ["traffic.clients.users: the population 'clients' has 1,000 in clients and 10 in others"],
        ),
        (
            {"traffic__clients__users": None, "gateway__rate_limits": [{"per": "user", "rate": "1/s"}]},
            ["no traffic says how many users there are"],
        ),
        (
            {
                "services__back__replicas": 3,
                "faults": [{"name": "dies", "at": "2m", "crash": {"of": "back", "restart_after": "1m"}}],
            },
            [
                "faults.dies: a dead replica of back is avoided at once. in Kubernetes callers still choose it for seconds"
            ],
        ),
        (
            {
                "faults": [
                    {"name": "bad", "at": "2m", "for": "1m", "network": {"between": ["front", "back"], "loss": "1%"}}
                ]
            },
            [
                "faults.bad: each of the 1% that are lost is a whole attempt, which only a timeout ends. TCP sends it again"
            ],
        ),
        ({"network": {"default": {"loss": "2%"}}}, ["network.default: each of the 2% that are lost"]),
        (
            {"traffic__clients__arrivals": {"closed": {"users": 100, "think": "1s"}}},
            ["a closed workload of 100 users. closed users wait"],
        ),
        ({"warmup": 0}, ["warmup: 0, with steady load"]),
        ({"faults": [{"name": "early", "at": "10s", "slow": {"of": "back", "by": 2}}]}, ["during the warm-up"]),
        (
            {"faults": [{"name": "late", "at": "9m", "for": "2m", "slow": {"of": "back", "by": 2}}]},
            ["faults.late: ends at 11m, and the run at 10m. whether and when the system recovers is not seen"],
        ),
    ],
)
def test_unwise_is_told_with_its_place_and_its_reason(changes, words):
    found = warnings(**changes)
    for word in words:
        assert word in found, found


def test_what_is_kind_is_told_only_where_a_scenario_comes_by_it():
    """A short outage, a quick handler, an outbox, a broker without acks, a limit that is kept: nothing to be told."""
    outbox = [{"work": "5ms"}, {"publish": "orders", "via": "outbox"}]
    quiet = {
        "brokers": KAFKA,
        "services__mail": handling("1ms", consumers=1),
        "services__front__endpoints__ask": outbox,
    }
    assert "Kafka" not in warnings(**quiet, faults=[{"at": "2m", "for": "40s", "outage": "mail"}])
    unheard = {"kafka": {**KAFKA["kafka"], "acks": 0}}
    assert "batches" not in warnings(**{**quiet, "brokers": unheard, "services__front__endpoints__ask": PUBLISHING})
    kept = [{"per": "all", "rate": "200/s", "algorithm": "sliding_window_counter"}]
    assert "Kong's rate-limiting-advanced" not in warnings(gateway__rate_limits=kept)
    both = [{"per": "all", "rate": "200/s", "preset": "bucket4j", "burst": 9, "window": "1m"}]
    assert "is no word of" not in warnings(gateway__rate_limits=both)
    assert "one token" not in warnings(gateway__rate_limits=[{"per": "all", "rate": "0.5/s", "preset": "guava"}])


def test_a_budget_takes_the_danger_out_of_retries():
    retries = {**RETRIES, "retry": {"max_attempts": 9, "budget": {"ratio": "20%"}}}
    assert "may become" in warnings(policies__calm={**RETRIES, "retry": {"max_attempts": 9}})
    assert "may become" not in warnings(policies__calm=retries)


def test_a_breaker_of_every_replica_sees_its_share_of_the_calls():
    breaker = {"circuit_breaker": {"failures": 30}, "timeout": "1s"}
    assert "stays closed" not in warnings(policies__calm=breaker)
    assert "stays closed" in warnings(policies__calm=breaker, services__front__replicas=10)
    assert "stays closed" not in warnings(policies__calm={**breaker, "scope": "service"}, services__front__replicas=10)


def test_a_warning_names_its_variants_when_it_is_not_of_all():
    document = {
        **copy.deepcopy(SOUND),
        "variants": {"a": {}, "b": {"services": {"back": {"queue": {"capacity": "unlimited"}}}}},
    }
    report = check(load_document(document))
    assert [finding.variants for finding in report.warnings] == [("b",)]
    assert "[b]" in str(report)


def test_the_noise_of_a_breaker_is_that_of_the_reference():
    """semantics.md 1.10: N=5, W=1 s: at 1/s P = 0.37 %, 13 windows an hour; at 2/s 5.3 %."""
    assert poisson_tail(5, 1.0) == pytest.approx(0.0037, abs=5e-5)
    assert 3600 * poisson_tail(5, 1.0) == pytest.approx(13, abs=0.5)
    assert poisson_tail(5, 2.0) == pytest.approx(0.053, abs=5e-4)
    assert poisson_tail(700, 700.0) == pytest.approx(0.5, abs=0.02)
    assert (poisson_tail(0, 0.0), poisson_tail(1, 0.0)) == (1.0, 0.0)


@pytest.mark.parametrize(
    "limit",
    [
        {"rate": "30/m", "algorithm": "fixed_window", "window": "1m"},
        {"rate": "30/m"},
        {"rate": "30/m", "algorithm": "gcra"},
    ],
)
def test_a_limit_that_is_kept_as_it_is_written_is_not_warned_of(limit):
    assert "whole" not in warnings(gateway__rate_limits=[{"per": "user", **limit}])


def test_retries_of_what_is_drawn_anew_or_not_tried_after_a_timeout_are_not_hopeless():
    anew = [{**HEAVY[0], "per": "attempt"}, {"wait": {"exponential": "50ms"}}]
    policy = {"timeout": "100ms", "retry": {"max_attempts": 3}}
    refusals = {"timeout": "100ms", "retry": {"max_attempts": 3, "on": ["error"]}}
    assert "take longer by themselves" not in warnings(policies__calm=policy, services__back__endpoints__answer=anew)
    assert "take longer by themselves" not in warnings(policies__calm=refusals, services__back__endpoints__answer=HEAVY)


def test_a_pause_that_is_told_by_no_answer_that_is_tried_again_is_warned_of():
    deaf = {"timeout": "1s", "retry": {"honor_retry_after": True}}
    assert "honors the Retry-After" not in warnings(policies__calm=deaf)  # it tries a 503 again
    for word, warned in (("error", True), ("rate_limited", False)):
        retry = {"honor_retry_after": True, "on": ["timeout", word]}
        found = warnings(policies__calm={"timeout": "1s", "retry": retry})
        assert ("honors the Retry-After of back.answer, but its `on` has neither" in found) == warned


def test_who_says_how_a_group_rebalances_is_told_only_of_its_own_limit():
    """Neither that its members are static nor that nobody looks at max.poll.interval.ms; a batch over its limit is told."""
    consume = {
        "group": "mail",
        "do": [{"wait": "40s"}],
        "max_poll_records": 1,
        "membership": {"max_poll_interval": "30s"},
    }
    told = warnings(
        services__mail={"workers": 1, "queue": {"capacity": 9}, "consumes": {"news": consume}},
        services__front__endpoints__ask=[{"publish": "news"}],
        brokers={"kafka": {"kind": "log", "topics": {"news": {}}}},
        faults=[{"at": "5m", "crash": {"of": "mail", "restart_after": "5s"}}],
    )
    assert "a record takes 40s on average. after 30s without a poll" in told
    assert "say `membership`" not in told
    assert "static members" not in told


CRATE: dict[str, Any] = {"type": "quorum"}
WORKING: dict[str, Any] = {
    "replicas": 3,
    "workers": 4,
    "consumes": {"jobs": {"prefetch": 1, "do": [{"work": "1ms"}]}},
}


@pytest.mark.parametrize(
    ("queue", "scaling", "said"),
    [
        (CRATE, {}, False),
        (CRATE, {"autoscaling": {"max": 5, "metrics": [{"workers": "50%"}]}}, False),
        ({**CRATE, "single_active_consumer": True}, {}, True),
    ],
)
def test_a_queue_has_no_partitions_to_stay_idle_at(queue, scaling, said):
    told = warnings(
        brokers={"rabbit": {"kind": "queue", "queues": {"jobs": queue}}},
        services__mail={**WORKING, **scaling},
        services__front__endpoints__ask=[{"publish": "jobs"}],
    )
    assert "partitions" not in told
    assert ("mail <- jobs: 3 consumers of a queue with a single active one. one gets all messages" in told) is said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, True),
        ({"policies__calm": {"deadline": "propagate", "timeout": "1s"}}, False),
        ({"traffic__clients__deadline": "propagate"}, False),
    ],
)
def test_a_deadline_that_nobody_sets_hands_on_nothing(changes, said):
    told = warnings(
        **{"gateway__routes": {"GET /": {"to": "front.ask"}}, "policies__calm": {"deadline": "propagate"}, **changes}
    )
    assert ("policies.calm: `deadline: propagate` hands on nothing" in told) is said


@pytest.mark.parametrize("workers", [1, 3, 7])
def test_closed_users_fill_a_station_and_leave_no_work_over(workers):
    """Their number bounds what is under way, however little more than 100 % comes of dividing."""
    text = f"""version: 1
duration: 60s
services:
  a: {{workers: 40, contention: {{serial: 3%, crosstalk: 0.1%}}, pauses: {{every: 10s, for: 100ms}}, endpoints: {{e: [{{work: 10ms}}]}}}}
  b: {{workers: {workers}, endpoints: {{e: [{{work: 7ms}}]}}}}
traffic:
  u: {{sends: a.e, arrivals: {{closed: {{users: 31, think: 0s}}}}}}
  v: {{sends: b.e, arrivals: {{closed: {{users: 31, think: 0s}}}}}}
"""
    told = [f"{finding.place}: {finding.finding}. {finding.why}" for finding in check(load_text(text)).warnings]
    assert not [line for line in told if "falls behind" in line]
    assert [line for line in told if line.startswith(("a (threads): 100% busy", "b (workers): 100% busy"))]
