"""Amplification: attempts divided by what one try of each call would have made, against a count of the spans of every run.

The count knows no marks and no chains: it goes from flow to flow by the stages in which they sent one another, and puts whole paths into a set.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import testing
from sim.metrics import measure
from sim.models import simulate
from sim.spec import load_document
from sim.vocabulary import Stage
from tests.models.any_scenario import any_scenario

from .systems import scenario as described

some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def only(document):
    (scenario,) = load_document(document).variants.values()
    return scenario


def forget(part, key):
    """Leave a key out wherever it stands."""
    if isinstance(part, dict):
        part.pop(key, None)
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        forget(inner, key)


def counted(records, services):
    """(attempts, first ones) that the engine counted at the end, all services together."""
    return tuple(
        int(sum(records.gauge(name, what)[-1] for name in services)) for what in ("attempts", "first_attempts")
    )


def by_spans(records):
    """(spans, different paths among them) of services; a path is the request and, at each level, which of its caller's calls it was."""
    sent, calls = {}, Counter()  # flow -> (flow that sent it, which of its calls); calls made so far by each flow
    for stage in records.stages:
        flow, about = int(stage["flow"]), int(stage["about"])
        if stage["kind"] in (Stage.CALL, Stage.PARALLEL):
            calls[flow] += 1
        if stage["kind"] in (Stage.CALL, Stage.RETRY) and about >= 0:
            sent[about] = (flow, calls[flow])
        elif stage["kind"] == Stage.PARALLEL:
            for branch in range(int(stage["seconds"])):
                sent[about + branch] = (flow, calls[flow], branch)

    def path(flow):
        steps = []
        while flow in sent:
            flow, *which = sent[flow]
            steps.append(tuple(which))
        return tuple(steps)

    paths = [(int(span["request"]), path(int(span["flow"]))) for span in records.spans]
    return len(paths), len(set(paths))


@st.composite
def graphs(draw):
    """Services in levels, each calling some below it, the same one several times too, in parallel too; most calls are tried again."""
    names = [f"s{i}" for i in range(draw(st.integers(2, 5)))]
    policies = {
        "once": {},
        "twice": {"retry": {"max_attempts": 2, "backoff": {"constant": "10ms"}}},
        "hasty": {"timeout": "30ms", "retry": {"max_attempts": 3, "backoff": {"constant": "0s"}}},
        "strict": {
            "timeout": "25ms",
            "on_timeout": "cancel",
            "retry": {"max_attempts": 2, "backoff": {"constant": "5ms"}},
        },
    }

    def call(level):
        return {
            "call": f"s{draw(st.integers(level + 1, len(names) - 1))}.go",
            "policy": draw(st.sampled_from(sorted(policies))),
        }

    def step(level):
        kind = draw(
            st.sampled_from(
                ["work", "fail", "call", "call", "parallel"] if level < len(names) - 1 else ["work", "fail"]
            )
        )
        if kind == "work":
            return {"work": {"exponential": "10ms"}}
        if kind == "fail":
            return {"fail": 0.3}
        return call(level) if kind == "call" else {"parallel": [[call(level)], [{"work": "1ms"}, call(level)]]}

    services = {
        name: {"workers": draw(st.sampled_from([3, 50])), "endpoints": {"go": [step(i) for _ in range(3)]}}
        for i, name in enumerate(names)
    }
    traffic = {"sends": "s0.go", "arrivals": {"deterministic": "5/s"}}
    if draw(st.booleans()):
        traffic |= {"timeout": "80ms", "retry": {"max_attempts": 2, "backoff": {"constant": "20ms"}}}
    latency = {"default": {"latency": {"exponential": "3ms"}, "loss": draw(st.sampled_from([0, 0.05]))}}
    return {
        "version": 1,
        "duration": "4s",
        "record": {"spans": "all", "interval": "1s"},
        "traffic": {"t": traffic},
        "services": services,
        "policies": policies,
        "network": latency,
    }


@pytest.mark.long
@some
@given(graphs())
def test_first_attempts_are_as_many_as_different_paths(document):
    records = simulate(only(document))
    assert counted(records, document["services"]) == by_spans(records)


def test_the_random_graphs_do_meet_retries_below_retries():
    document = {
        "version": 1,
        "duration": "20s",
        "record": {"spans": "all"},
        "traffic": {"t": {"sends": "a.go", "arrivals": {"deterministic": "5/s"}}},
        "services": {
            "a": {"workers": 50, "endpoints": {"go": [{"call": "b.go", "policy": "again"}]}},
            "b": {
                "workers": 50,
                "endpoints": {"go": [{"fail": 0.5}, {"call": "c.go", "policy": "again"}, {"call": "c.go"}]},
            },
            "c": {"workers": 50, "endpoints": {"go": [{"fail": 0.5}]}},
        },
        "policies": {"again": {"retry": {"max_attempts": 3, "backoff": {"constant": "0s"}}}},
    }
    records = simulate(only(document))
    attempts, paths = by_spans(records)
    assert attempts > 1.5 * paths > 0
    assert counted(records, document["services"]) == (attempts, paths)


@pytest.mark.parametrize("seed", range(40))
def test_without_retries_it_is_exactly_1(seed):
    """Diamonds, repeated and parallel calls, fallbacks, events through brokers and outboxes, introspections."""
    document = any_scenario(seed)
    forget(document, "retry")
    for service in document["services"].values():
        for consume in service.get("consumes", {}).values():
            consume.pop("retry_topic", None)
            consume["max_deliveries"] = 1
    attempts, first = counted(simulate(only({**document, "faults": []})), document["services"])
    assert attempts == first > 0


def chain(length, **policy):
    """A chain of services, each calling the next; the last one fails at its first tries."""
    services = {
        f"s{i}": {"workers": 9, "endpoints": {"go": [{"call": f"s{i + 1}.go", "policy": policy}]}}
        for i in range(1, length)
    }
    services[f"s{length}"] = {"workers": 9, "endpoints": {"go": [{"work": "10s"}]}}
    return {"duration": "30s", "services": services}


@pytest.mark.parametrize("length", [62, 63, 64, 80])
def test_a_chain_may_be_of_any_length(length):
    once = testing.play(chain(length), [0.0, 1.0], sends="s1.go")
    assert counted(once.records, [f"s{i}" for i in range(1, length + 1)]) == (2 * length, 2 * length)
    document = chain(length)
    document["services"]["s1"]["endpoints"]["go"][0]["policy"] = {
        "timeout": "2s",
        "retry": {"max_attempts": 3, "backoff": {"constant": "0s"}},
    }
    thrice = testing.play(document, [0.0, 1.0], sends="s1.go")
    assert counted(thrice.records, [f"s{i}" for i in range(1, length + 1)]) == (2 * (1 + 3 * (length - 1)), 2 * length)


def test_a_call_that_only_a_second_try_comes_to_is_a_needed_one():
    """The first try of b fails before it calls c: one try of each call would have made three attempts, and four were made."""
    document = {
        "services": {
            "a": {
                "workers": 9,
                "endpoints": {
                    "go": [{"call": "b.go", "policy": {"retry": {"max_attempts": 9, "backoff": {"constant": "0s"}}}}]
                },
            },
            "b": {"workers": 9, "endpoints": {"go": [{"fail": 0.5}, {"call": "c.go"}]}},
            "c": {"workers": 9, "endpoints": {"go": []}},
        }
    }
    played = testing.play(document, [float(i) for i in range(100)], sends="a.go")
    at_b = int(played.records.gauge("b", "attempts")[-1])
    assert at_b > 150
    assert counted(played.records, "abc") == (100 + at_b + 100, 300)


def test_a_fallbacks_call_is_a_needed_one_and_what_a_retry_above_repeats_is_not():
    inner = {"call": "b.go", "fallback": [{"call": "c.go"}]}
    document = {
        "services": {
            "a": {
                "workers": 9,
                "endpoints": {
                    "go": [
                        {
                            "call": "m.go",
                            "policy": {"timeout": "1s", "retry": {"max_attempts": 2, "backoff": {"constant": "0s"}}},
                        }
                    ]
                },
            },
            "m": {"workers": 9, "endpoints": {"go": [inner, {"wait": "5s"}]}},
            "b": {"workers": 9, "endpoints": {"go": [{"fail": 1}]}},
            "c": {"workers": 9, "endpoints": {"go": []}},
        }
    }
    played = testing.play(document, [0.0], sends="a.go")
    assert [counted(played.records, [name]) for name in "ambc"] == [(1, 1), (2, 1), (2, 1), (2, 1)]


EVENTS = """
version: 1
duration: 60s
traffic: {t: {sends: shop.buy, arrivals: {poisson: 20/s}}}
brokers: {kafka: {kind: log, topics: {bought: {partitions: 3}}}}
services:
  shop: {workers: 9, endpoints: {buy: [PUBLISH]}}
  mail: {workers: 9, consumes: {bought: {group: mail, do: [{call: post.send}, {fail: 30%}], max_deliveries: 3}}, endpoints: {none: []}}
  post: {workers: 9, endpoints: {send: [{work: 1ms}]}}
FAULTS
"""


def test_a_redelivery_is_another_attempt_of_all_below_it():
    scenario = described(EVENTS.replace("PUBLISH", "{publish: bought}").replace("FAULTS", ""))
    records = simulate(scenario)
    deliveries = int(records.messages["deliveries"].sum())
    assert deliveries > 1.3 * len(records.messages)
    delivered = int((records.messages["deliveries"] > 0).sum())
    attempts, first = counted(records, ["post"])
    assert attempts - first == deliveries - delivered
    assert abs(attempts - deliveries) <= 3  # of those on their way at the end


def test_what_a_relay_publishes_again_is_another_attempt():
    """It crashes before it marks the rows: its successor publishes them again, and the mail is sent twice for one order."""
    crashes = ", ".join(
        f"{{name: f{at}, at: {at}s, crash: {{of: shop, replicas: 1, restart_after: 0.1s}}}}" for at in (9.7, 20, 30.4)
    )
    crash = f"faults: [{crashes}]\nnetwork: {{default: {{latency: 300ms}}}}"
    text = (
        EVENTS.replace("PUBLISH", "{publish: bought, via: outbox, poll: 50ms}")
        .replace("{fail: 30%}", "{wait: 0s}")
        .replace("FAULTS", crash)
    )
    scenario = described(text)
    records = simulate(scenario)
    orders = {int(message["request"]) for message in records.messages if message["deliveries"]}
    attempts, first = counted(records, ["post"])
    assert len(records.messages) - len(set(records.messages["request"].tolist())) > 5
    assert attempts - first == int((records.messages["deliveries"] > 0).sum()) - len(orders)


def test_a_relay_that_lost_its_way_takes_another_one():
    """A row is not tried with the same luck for ever: at a loss of a tenth all rows are published, some at the second try."""
    text = EVENTS.replace("PUBLISH", "{publish: bought, via: outbox, poll: 50ms, batch: 1}").replace(
        "FAULTS", "network: {default: {loss: 10%}}"
    )
    scenario = described(text)
    records = simulate(scenario)
    published = {int(message["request"]) for message in records.messages}
    assert len(published) > 0.97 * len(records.requests)


def test_the_figure_is_the_quotient_of_the_two():
    scenario = described(EVENTS.replace("PUBLISH", "{publish: bought}").replace("FAULTS", ""))
    records = simulate(scenario)
    attempts, first = counted(records, ["shop", "mail", "post"])
    assert measure(records, scenario).values["amplification"] == pytest.approx(attempts / first)
