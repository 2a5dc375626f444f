"""Names that lead nowhere, and parts that contradict one another. Most are in tests/wrong; here are those that need another system."""

import pytest

from sim.errors import ScenarioError
from sim.spec import load_text

HEAD = "version: 1\nduration: 10m\ntraffic: {t: {sends: SENDS, arrivals: {poisson: 1/s}}}\n"


def problems(text, sends="a.x"):
    try:
        load_text(HEAD.replace("SENDS", sends) + text)
    except ScenarioError as error:
        return [problem.message for problem in error.problems]
    return []


A = "{workers: 1, endpoints: {x: [{work: 1ms}], y: [{work: 1ms}]}}"


@pytest.mark.parametrize(
    ("text", "sends", "expected"),
    [
        (f"services: {{a: {A}}}\n", "a.x", []),
        (f"services: {{a: {A}}}\n", "{a.x: 70%, a.y: 0.3}", []),
        (f"services: {{a: {A}}}\n", "{a.x: 70%, a.z: 0.3}", ["unknown endpoint 'a.z'; did you mean 'a.y'?"]),
        (f"services: {{a: {A}}}\n", "{a.x: 0}", ["sends: the shares sum to 0, expected at least one above 0"]),
        (
            f"services: {{gateway: {A}, a: {A}}}\n",
            "a.x",
            ["the name 'gateway' is that of the gateway; call the service otherwise"],
        ),
        (
            f"services: {{clients: {A}, a: {A}}}\n",
            "a.x",
            ["the name 'clients' is that of the clients; call the service otherwise"],
        ),
        (
            f"services: {{a: {A}}}\nbrokers: {{a: {{kind: log, topics: {{}}}}}}\n",
            "a.x",
            ["the name 'a' is that of another component"],
        ),
        (
            f"services: {{a: {A}}}\nbrokers: {{clients: {{kind: log, topics: {{}}}}}}\n",
            "a.x",
            ["the name 'clients' is that of another component"],
        ),
        (
            f"services: {{a: {A}}}\nfaults: [{{outage: gateway, at: 1s}}]\n",
            "a.x",
            ["unknown service 'gateway'; known: a"],
        ),
        (
            f"services: {{a: {A}}}\nbrokers: {{k: {{kind: log, topics: {{t: }}}}, l: {{kind: log, topics: {{t: {{}}}}}}}}\n",
            "a.x",
            [
                "found nothing, expected a map with compaction, key, key_header, message_size, min_insync_replicas, partitioner, partitions, replication_factor, retention"
            ],
        ),
        (
            f"services: {{a: {A}}}\nbrokers: {{k: {{kind: log, topics: {{t: {{}}}}}}, l: {{kind: log, topics: {{t: {{}}}}}}}}\n",
            "a.x",
            ["the topic 't' is also one of the broker 'k'"],
        ),
        (
            f"services: {{a: {A}}}\nnetwork: {{links: [{{between: [a, a]}}]}}\n",
            "a.x",
            ["found 'a' twice, expected two components"],
        ),
        (
            f"services: {{a: {A}}}\nnetwork: {{links: [{{between: [a]}}]}}\n",
            "a.x",
            ["found a list of 1, expected at least 2"],
        ),
        (
            f"services: {{a: {A}}}\nrecord: {{interval: 1ns}}\n",
            "a.x",
            ["found 1ns: more than 10000000 points of every time series"],
        ),
        (
            f"services: {{a: {A}}}\nfaults: [{{broker_down: k, at: 1s}}]\n",
            "a.x",
            ["unknown broker 'k'; the scenario has no broker"],
        ),
        (
            f"services: {{a: {A}}}\nfaults: [{{network: {{between: [a, client]}}, at: 1s}}]\n",
            "a.x",
            ["a network fault needs latency, loss or partition: true"],
        ),
    ],
)
def test_what_does_not_fit_together_is_told(text, sends, expected):
    assert problems(text, sends) == expected


def test_steps_inside_of_steps_are_looked_at():
    steps = "[{parallel: [{call: a.q}, [{work: 1ms}, {call: a.y, fallback: [{publish: t}]}]]}, {take: stock}]"
    found = problems(f"services: {{a: {{workers: 1, endpoints: {{x: {steps}, y: [{{work: 1ms}}]}}}}}}\n")
    assert found == [
        "unknown endpoint 'a.q'; did you mean 'a.y'?",
        "unknown topic 't'; the scenario has no topic",
        "the service 'a' has no stock to take from",
    ]


def test_one_topic_may_feed_two_groups_of_one_name():
    consumes = "consumes: {t: {group: g, do: [{work: 1ms}]}}"
    services = f"services: {{a: {{workers: 1, endpoints: {{x: [{{publish: t}}]}}, {consumes}}}, b: {{workers: 1, {consumes}}}}}\n"
    assert problems(services + "brokers: {k: {kind: log, topics: {t: {}}}}\n") == []


def test_a_loop_is_named_from_where_it_stands_first():
    a = "{workers: 1, endpoints: {x: [{publish: t}]}}"
    b = "{workers: 1, endpoints: {y: [{call: a.x}]}, consumes: {t: {group: g, do: [{perform: b.y}]}}}"
    found = problems(f"services: {{a: {a}, b: {b}}}\nbrokers: {{k: {{kind: log, topics: {{t: {{}}}}}}}}\n")
    assert found == ["an endless loop: a.x publishes to b < t, which performs b.y, which calls a.x"]


def test_a_long_chain_of_calls_is_no_loop_and_no_burden():
    services = ", ".join(f"s{n}: {{workers: 1, endpoints: {{x: [{{call: s{n + 1}.x}}]}}}}" for n in range(1500))
    assert problems(f"services: {{{services}, s1500: {{workers: 1, endpoints: {{x: []}}}}}}\n", "s0.x") == []


def test_an_oauth_gateway_names_an_endpoint():
    gateway = "gateway: {workers: 1, authentication: {oauth: {introspect: a.z, lookup: 1ms, policy: q}}, routes: {R: {to: a.x}}}\n"
    assert problems(f"services: {{a: {A}}}\n{gateway}", "R") == [
        "unknown endpoint 'a.z'; did you mean 'a.y'?",
        "unknown policy 'q'; the scenario has no policy",
    ]


def test_all_people_together_have_numbers_of_32_bits():
    """43 populations of 50 million are too many; named as one they are 50 million."""
    crowds = ", ".join(
        f"c{n}: {{sends: a.x, arrivals: {{poisson: 1/s}}, users: {{POPULATION count: 50000000}}}}" for n in range(43)
    )
    text = f"version: 1\nduration: 1s\nservices: {{a: {A}}}\ntraffic: {{{crowds}}}\n"
    with pytest.raises(
        ScenarioError, match="found 2,150,000,000 users in all populations together, expected at most 2,147,483,647"
    ):
        load_text(text.replace("POPULATION ", ""))
    load_text(text.replace("POPULATION ", "population: people, "))


GATEWAY = "gateway: {workers: 1, replicas: 2, routes: {R: {to: a.x}}}\n"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("outage: gateway", []),
        ("slow: {of: gateway, by: 2x}", []),
        ("errors: {of: gateway, share: 10%}", []),
        ("crash: {of: gateway, replicas: 2}", []),
        ("crash: {of: gateway, replicas: 3}", ["found 3 replicas, expected at most 2: that is what 'gateway' has"]),
        ("outage: gatway", ["unknown service 'gatway'; did you mean 'gateway'?"]),
    ],
)
def test_faults_befall_the_gateway_as_they_do_a_service(fault, expected):
    assert problems(f"services: {{a: {A}}}\n{GATEWAY}faults: [{{at: 1s, {fault}}}]\n", "R") == expected
