"""Every whole number has bounds that both engines bear, and what is beyond them is refused where it stands."""

import copy
import json
import typing

import pytest
from pydantic import BaseModel

from sim.compiled import simulate as compiled
from sim.errors import ScenarioError
from sim.models import simulate
from sim.spec import load_document, load_text
from sim.spec.arrivals import Rows
from sim.spec.schema import _classes, json_schema
from tests.compiled.same import differences

SHOP = {
    "version": 1,
    "duration": "1s",
    "traffic": {"u": {"sends": "r", "arrivals": {"poisson": "20/s"}}},
    "gateway": {
        "workers": 2,
        "routes": {"r": {"to": "a.e"}},
        "rate_limits": [{"per": "all", "rate": "1000/s", "burst": 5}],
    },
    "brokers": {"k": {"kind": "log", "topics": {"t": {"partitions": 2}}}},
    "policies": {
        "p": {"circuit_breaker": {"failures": 3}, "bulkhead": {"max_concurrent_calls": 3}, "retry": {"max_attempts": 2}}
    },
    "services": {
        "a": {
            "workers": 2,
            "cores": 1,
            "queue": {"capacity": 9},
            "stock": 3,
            "endpoints": {"e": [{"call": "b.f", "policy": "p"}, {"take": "stock"}]},
        },
        "b": {"workers": 2, "endpoints": {"f": [{"work": "1ms"}, {"publish": "t", "via": "outbox", "batch": 5}]}},
        "c": {
            "workers": 1,
            "consumes": {
                "t": {"group": "g", "consumers": 2, "max_poll_records": 5, "max_deliveries": 3, "do": [{"wait": "1ms"}]}
            },
        },
    },
}
PLACES = {  # where a whole number may stand, and the most that may be said there
    "services.a.replicas": 100_000,
    "services.a.workers": 2**31 - 1,
    "services.a.cores": 100_000,
    "services.a.queue.capacity": 2**31 - 1,
    "services.a.stock": 10**15,
    "services.b.endpoints.f.1.batch": 100_000,
    "services.c.consumes.t.consumers": 100_000,
    "services.c.consumes.t.max_poll_records": 2**31 - 1,
    "services.c.consumes.t.max_deliveries": 2**31 - 1,
    "gateway.replicas": 100_000,
    "gateway.workers": 2**31 - 1,
    "gateway.rate_limits.0.burst": 2**31 - 1,
    "brokers.k.topics.t.partitions": 100_000,
    "policies.p.circuit_breaker.failures": 100_000,
    "policies.p.circuit_breaker.half_open_calls": 100_000,
    "policies.p.circuit_breaker.resilience4j.sliding_window_size": 100_000,
    "policies.p.circuit_breaker.resilience4j.minimum_number_of_calls": 2**31 - 1,
    "policies.p.circuit_breaker.resilience4j.permitted_number_of_calls_in_half_open_state": 100_000,
    "policies.p.bulkhead.max_concurrent_calls": 2**31 - 1,
    "policies.p.retry.max_attempts": 1000,
    "traffic.u.arrivals": {"closed": {"users": 10**7, "think": "1s"}},
    "traffic.u.users.count": 50_000_000,
    "seed": 2**63 - 1,
}
SMALL = {  # what takes room in proportion is tried with less
    "services.a.replicas": 300,
    "services.c.consumes.t.consumers": 300,
    "gateway.replicas": 300,
    "brokers.k.topics.t.partitions": 300,
    "traffic.u.arrivals": {"closed": {"users": 300, "think": "1s"}},
    "traffic.u.users.count": 10_000,
}


def changed(path, value):
    document = copy.deepcopy(SHOP)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = document
    for parent in parents:
        place = place[parent] if isinstance(place, list) else place.setdefault(parent, {})
    place[last] = value
    return document


def one_more(value):
    return (
        {"closed": {**value["closed"], "users": value["closed"]["users"] + 1}} if isinstance(value, dict) else value + 1
    )


@pytest.mark.parametrize("path", PLACES)
def test_one_more_than_the_most_is_refused_at_its_place_with_the_limit(path):
    with pytest.raises(ScenarioError) as caught:
        load_document(changed(path, one_more(PLACES[path])))
    (problem,) = caught.value.problems
    most = PLACES[path]["closed"]["users"] if isinstance(PLACES[path], dict) else PLACES[path]
    assert problem.path.startswith(path)
    assert problem.message.endswith(f"expected at most {most:,}")
    huge = {"closed": {"users": 10**30, "think": "1s"}} if isinstance(PLACES[path], dict) else 10**30
    with pytest.raises(ScenarioError):
        load_document(changed(path, huge))


@pytest.mark.parametrize("path", PLACES)
def test_the_most_runs_on_both_engines_alike(path):
    (scenario,) = load_document(changed(path, SMALL.get(path, PLACES[path]))).variants.values()
    assert differences(simulate(scenario), compiled(scenario)) == []


def test_a_refusal_names_the_line():
    text = "version: 1\nduration: 1s\ntraffic: {u: {sends: a.e, arrivals: {poisson: 1/s}}}\nservices:\n  a:\n    workers: 1\n    replicas: 100001\n"
    with pytest.raises(ScenarioError) as caught:
        load_text(text + "    endpoints: {e: []}\n", "x.yaml")
    assert str(caught.value) == "x.yaml:7:15: services.a.replicas: found 100001, expected at most 100,000"


def whole_numbers():
    """Every field of the language that holds whole numbers, alone or in a list: its class, name, and constraints."""
    for cls in [
        *(cls for cls in _classes() if cls.__module__.startswith("sim.")),
        Rows,
    ]:  # other tests register plug-ins
        for name, field in cls.model_fields.items():
            for bounds in _bounds(field.annotation, field.metadata):
                yield cls.__name__, name, bounds


def _bounds(annotation, metadata=()):
    if annotation is int:
        yield {
            key for item in metadata for key in ("least", "most", "ge", "le") if getattr(item, key, None) is not None
        }
    elif not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        inner = getattr(annotation, "__metadata__", ())
        found = [item for more in inner for item in (*getattr(more, "metadata", ()), more)]
        parts = [annotation.__origin__] if hasattr(annotation, "__metadata__") else typing.get_args(annotation)
        for part in parts:
            yield from _bounds(part, (*metadata, *found))


def test_every_whole_number_of_the_language_has_both_bounds():
    found = list(whole_numbers())
    assert len(found) > 25, "it looks where numbers are"
    assert [place for place in found if not place[2] >= {"least", "most"} and not place[2] >= {"ge", "le"}] == []


def test_the_schema_shows_them():
    definitions = json_schema()["$defs"]
    assert definitions["Service"]["properties"]["replicas"]["anyOf"][0]["maximum"] == 100_000
    assert definitions["Service"]["properties"]["workers"]["anyOf"][0] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 2**31 - 1,
    }
    assert definitions["Queue"]["properties"]["capacity"]["anyOf"][0] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 2**31 - 1,
    }
    assert json.dumps(definitions["Consume"]["properties"]["max_deliveries"]).count(str(2**31 - 1)) == 1


def refusal_of(**changes):
    document = copy.deepcopy(SHOP)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    with pytest.raises(ScenarioError) as caught:
        load_document(document)
    return [(problem.path, problem.message) for problem in caught.value.problems]


def test_sums_and_products_have_bounds_too():
    many = {f"s{number}": {"workers": 1, "replicas": 100_000} for number in range(11)}
    ((path, message),) = refusal_of(services=SHOP["services"] | many)
    assert (path, message) == (
        "services.s0.replicas",
        "found 1,100,003 replicas in all services together, expected at most 1,000,000",
    )
    ((path, message),) = refusal_of(services__c__replicas=2000, services__c__consumes__t__consumers=1000)
    assert (path, message) == (
        "services.c.consumes.t.consumers",
        "found 2,000,000 consumers in all replicas together, expected at most 1,000,000",
    )
    groups = {
        f"c{number}": {"workers": 1, "consumes": {"t": {"group": f"g{number}", "do": []}}} for number in range(11)
    }
    ((path, message),) = refusal_of(services=SHOP["services"] | groups, brokers__k__topics__t__partitions=100_000)
    assert (path, message) == (
        "brokers.k.topics.t.partitions",
        "found 1,100,000 partitions of all groups together, expected at most 1,000,000",
    )
    closed = {name: {"sends": "r", "arrivals": {"closed": {"users": 6_000_000, "think": "1s"}}} for name in "uv"}
    ((path, message),) = refusal_of(traffic=closed)
    assert (path, message) == (
        "traffic.v.arrivals.closed.users",
        "found 12,000,000 closed users in all traffic together, expected at most 10,000,000",
    )


def test_a_limiter_counts_no_further_than_it_can():
    limit = {"per": "all", "rate": "1000000000/s", "window": "1h"}
    ((path, message),) = refusal_of(gateway__rate_limits=[limit])
    assert path == "gateway.rate_limits.0"
    assert message == "found 3,600,000,000,000 requests in each window, expected at most 2,147,483,647 for fixed_window"
    ((path, message),) = refusal_of(
        gateway__rate_limits=[{"per": "all", "rate": "20000/s", "window": "1m", "algorithm": "sliding_log"}]
    )
    assert message == "found 1,200,000 requests in each window, expected at most 1,000,000 for sliding_log"


def test_modulated_arrivals_change_their_state_a_bounded_number_of_times():
    """Two stays of 1 us make 2 x 20 s / 2 us = 20 million changes in 20 s; 10 million are allowed."""
    arrivals = {"mmpp": {"rates": ["100/s", "0/s"], "stays": ["1us", "1us"]}}
    ((path, message),) = refusal_of(duration="20s", traffic__u__arrivals=arrivals)
    assert path == "traffic.u.arrivals.mmpp.stays"
    assert (
        message
        == "about 20,000,000 changes of state in a run of 20s, expected at most 10,000,000: stays that sum to at least 4us"
    )
    load_document({**SHOP, "duration": "9s", "traffic": {"u": {"sends": "r", "arrivals": arrivals}}})


def test_relays_poll_a_bounded_number_of_times():
    """Every 100 ns for 1000 s by one replica: 10,000 million polls; a tenth of that is allowed."""
    endpoints = {"f": [{"publish": "t", "via": "outbox", "poll": "100ns"}]}
    ((path, message),) = refusal_of(duration="1000s", services__b__endpoints=endpoints)
    assert path == "services.b.endpoints.f.0.poll"
    assert (
        message == "about 10,000,000,000 polls in a run of 16.7m, expected at most 1,000,000,000: one every 1us at most"
    )
