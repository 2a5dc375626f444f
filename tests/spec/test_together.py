"""Parts of a scenario that are right each by itself and not together: one line, with where it is and what to say."""

import pytest

from sim.errors import ScenarioError
from sim.spec import load_text
from sim.spec.queue_broker import QueueBroker
from sim.spec.walk import what_only_simpy_runs

SYSTEM = """
version: 1
duration: 20s
traffic: {t: {sends: GET /, arrivals: {poisson: 20/s}, items: {count: 9}, users: {count: 9}, TRAFFIC}}
gateway: {workers: 4, GATEWAY, routes: {GET /: {to: shop.page}}}
services:
  shop: {replicas: 3, workers: 4, SHOP, endpoints: {page: [{work: 2ms}, STEP, {publish: TO}]}}
  mail: {workers: 4, MAIL, consumes: {TO: {GROUP, CONSUMER, do: [{work: 5ms}]}}}
brokers:
  rabbit: {kind: queue, queues: {jobs: {type: quorum, QUEUE}}}
  kafka: {kind: log, topics: {events: {partitions: 4}}}
faults: [FAULT]
"""


def told(**parts):
    """The problems of the system with these parts put in, each as `where: what`."""
    text = SYSTEM
    to = parts.pop("TO", "events")
    parts = {"GROUP": "group: mailers" if to == "events" else "prefetch: 1", "TO": to, "STEP": "{wait: 1ms}", **parts}
    for name in ("TRAFFIC", "GATEWAY", "SHOP", "STEP", "MAIL", "GROUP", "CONSUMER", "QUEUE", "FAULT", "TO"):
        said = parts.get(name, "")
        text = text.replace(f"{name}, " if not said else name, said) if said else _without(text, name)
    try:
        load_text(text)
    except ScenarioError as error:
        return [f"{problem.path}: {problem.message}" for problem in error.problems]
    return []


def _without(text, name):
    return text.replace(f", {name}", "").replace(f"{name}, ", "").replace(name, "")


def test_the_system_is_right_without_them():
    assert told() == []
    assert told(TO="jobs") == []


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"SHOP": "load_balancing: {weights: [1, 2, 3]}, autoscaling: {max: 5, metrics: [{workers: 50%}]}"},
            "services.shop.load_balancing.weights: found weights beside autoscaling, expected one of them: a replica "
            "that comes later has no weight",
        ),
        (
            {"SHOP": "load_balancing: {weights: [1, 2]}"},
            "services.shop.load_balancing.weights: found 2 weights, expected 3: one for each replica",
        ),
        (
            {"SHOP": "load_balancing: least_conn"},
            "services.shop.load_balancing: found 'least_conn', expected round_robin, random, least_request, "
            "power_of_two, two_choices, peak_ewma, ring_hash, maglev, or a map with a `policy`; did you mean 'least_request'?",
        ),
        (
            {"SHOP": "queue: {discipline: priority, classes: {page: 0}, push_out: true}"},
            "services.shop.queue: found push_out without a capacity, expected both: nobody has to give way in a queue "
            "without limit",
        ),
        (
            {"TO": "jobs", "MAIL": "autoscaling: {max: 5, metrics: [{lag: {group: jobs}}]}"},
            "services.mail.autoscaling.metrics.0.lag.group: 'jobs' is a queue, which has no groups; expected "
            "lag: {queue: jobs}",
        ),
        (
            {"MAIL": "autoscaling: {max: 5, metrics: [{lag: {group: mailer}}]}"},
            "services.mail.autoscaling.metrics.0.lag.group: unknown group 'mailer'; did you mean 'mailers'?",
        ),
        (
            {"SHOP": "autoscaling: {max: 5, metrics: [{lag: {group: mailers}}]}"},
            "services.shop.autoscaling.metrics.0.lag.group: unknown group 'mailers'; the service is a member of no group",
        ),
        (
            {"CONSUMER": "membership: {heartbeat_interval: 45s}"},
            "services.mail.consumes.events.membership.heartbeat_interval: found 45s, expected less than the "
            "session_timeout, 45s",
        ),
        (
            {
                "STEP": "{cache: {name: c, key: item, then: [{wait: 1ms}]}}, "
                "{cache: {name: c, key: item, size: 3, then: [{wait: 2ms}]}}"
            },
            "services.shop.endpoints.page.2.cache: found another `size` than where the cache 'c' is named first, "
            "expected the same: caches of one name are one",
        ),
        (
            {"QUEUE": "overflow: reject-publish", "TO": "jobs"},
            "brokers.rabbit.queues.jobs: found overflow: reject-publish without a max_length, expected both: a queue "
            "without limit never overflows",
        ),
        (
            {"STEP": "{publish: jobs, confirm: eech}"},
            "services.shop.endpoints.page.1.confirm: found 'eech', expected none, each, or a batch such as "
            "{batch: 100}; did you mean 'each'?",
        ),
        (
            {"GATEWAY": "rate_limits: [{per: header, header: x-tir, rate: 5/s}]", "TRAFFIC": "headers: {x-tier: gold}"},
            "gateway.rate_limits.0.header: unknown header 'x-tir'; did you mean 'x-tier'?",
        ),
        (
            {"GATEWAY": "rate_limits: [{per: user, rate: 5/s, when: {x-tier: free}}]"},
            "gateway.rate_limits.0.when.x-tier: unknown header 'x-tier'; no traffic has `headers`",
        ),
        (
            {
                "GATEWAY": "rate_limits: [{per: user, rate: 5/s, when: {x-tier: fre}}]",
                "TRAFFIC": "headers: {x-tier: {gold: 10%, free: 90%}}",
            },
            "gateway.rate_limits.0.when.x-tier: unknown value of x-tier 'fre'; did you mean 'free'?",
        ),
        (
            {
                "SHOP": "queue: {discipline: priority, by: header, header: x-tier, classes: {god: 0}}",
                "TRAFFIC": "headers: {x-tier: {gold: 10%, free: 90%}}",
            },
            "services.shop.queue.classes.god: unknown value of x-tier 'god'; did you mean 'gold'?",
        ),
        (
            {"GATEWAY": "rate_limits: [{per: user, rate: 5/s, preset: kong, disable_penalty: true}]"},
            "gateway.rate_limits.0: `disable_penalty` is a word of the preset kong-advanced, not of kong",
        ),
        (
            {"GATEWAY": "rate_limits: [{per: user, rate: 5/s, burst: 4, requested_tokens: 2}]"},
            "gateway.rate_limits.0: `requested_tokens` is a word of the preset spring-cloud-gateway, not of "
            "token_bucket",
        ),
        (
            {"FAULT": "{at: 5s, deploy: gateway}"},
            "faults.0.deploy: found 'gateway', expected a service: a gateway is restarted one by one, "
            "`restart: {of: gateway}`",
        ),
        (
            {"FAULT": "{at: 5s, for: 4s, deploy: shop}"},
            "faults.0: found `for`, which `deploy` does not know: it is over when all replicas are new",
        ),
        (
            {"FAULT": "{at: 5s, deploy: shop, surge: 0%, unavailable: 0%}"},
            "faults.0: found surge and unavailable both 0%, expected one of them above: nothing could be replaced, and "
            "Kubernetes refuses it",
        ),
        (
            {"FAULT": "{at: 5s, random: shop}"},
            "faults.0: found 'shop' under random, expected a map of its fields: mtbf, mttr, fault",
        ),
        (
            {
                "FAULT": "{at: 5s, random: {mtbf: 3s, mttr: 1s, fault: {random: {mtbf: 1s, mttr: 1s, fault: {outage: shop}}}}}"
            },
            "faults.0.random: found `random` as what comes by chance, expected a fault that comes and goes, such as "
            "outage, slow or crash",
        ),
        (
            {
                "FAULT": "{at: 5s, flush: c}",
                "STEP": "{cache: {name: c, key: item, then: [{wait: 1ms}]}}",
            },
            "faults.0: the field 'of' is missing",
        ),
    ],
)
def test_what_does_not_go_together_is_told_in_one_line(parts, expected):
    assert told(**parts) == [expected]


def test_who_asks_the_compiled_engine_hears_the_word_as_it_is_written(monkeypatch):
    monkeypatch.setattr(QueueBroker, "simpy_only", True)
    text = SYSTEM.replace("STEP, ", "").replace("TO", "events").replace("GROUP", "group: mailers")
    for name in ("TRAFFIC", "GATEWAY", "SHOP", "MAIL", "CONSUMER", "QUEUE", "FAULT"):
        text = _without(text, name)
    assert "queue" in list(what_only_simpy_runs(load_text(text).variants["base"]))


def test_a_broker_that_does_not_say_its_kind_is_asked_for_it_alone():
    with pytest.raises(ScenarioError) as caught:
        load_text(
            "version: 1\nduration: 20s\ntraffic: {t: {sends: a.x, arrivals: {poisson: 1/s}}}\n"
            "services: {a: {workers: 1, endpoints: {x: [{publish: jobs}]}}}\nbrokers: {rabbit: {queues: {jobs: {}}}}\n"
        )
    assert [problem.message for problem in caught.value.problems] == ["the field 'kind' is missing"]
