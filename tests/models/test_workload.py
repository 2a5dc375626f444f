"""Clients: who arrives when, how long they wait, and how often they try."""

import numpy as np

from sim import testing

TEXT = """
duration: 30s
traffic: {clients: {sends: app.get, CLIENT}}
services: {app: {workers: 9, endpoints: {get: [{work: WORK}]}}}
"""


def clients(client, work="100ms", more=""):
    return TEXT.replace("CLIENT", client).replace("WORK", work) + more


def test_a_clients_own_timeout_is_its_outcome_and_it_says_so_itself():
    played = testing.play(clients("timeout: 50ms"), [0.0])
    assert (played.outcomes(), played.responses()) == (["timeout"], [0.05])
    assert played.requests["where"].tolist() == ["clients"]
    assert [(attempt.ended, attempt.abandoned) for attempt in played.attempts()] == [(0.1, True)]


def test_a_client_tries_again_with_pauses_of_its_own_and_counts_as_one_request():
    played = testing.play(
        clients("timeout: 50ms, retry: {max_attempts: 3, backoff: {exponential: {base: 100ms}}}"), [0.0]
    )
    assert [attempt.arrived for attempt in played.attempts()] == [0.0, 0.15, 0.4]
    assert (len(played.requests), played.requests["attempts"].tolist(), played.responses()) == (1, [3], [0.45])


def test_a_clients_budget_holds_its_retries_back():
    text = clients("timeout: 50ms, retry: {max_attempts: 3, backoff: {constant: 0s}, budget: {ratio: 50%}}")
    played = testing.play(text, [0.1 * k for k in range(10)])
    assert played.requests["attempts"].sum() == 15


def test_response_counts_from_the_intended_arrival_over_all_attempts():
    text = clients(
        "retry: {max_attempts: 2, backoff: {constant: 300ms}}",
        more="faults: [{at: 0s, for: 200ms, outage: app, how: refuse}]",
    )
    assert testing.play(text, [0.1]).responses() == [0.4]


def test_a_mix_sends_each_share_to_its_target():
    text = """
    duration: 100s
    traffic: {clients: {sends: {app.one: 80%, app.two: 20%}, arrivals: {poisson: 50/s}}}
    services: {app: {workers: unlimited, endpoints: {one: [], two: []}}}
    """
    routes = testing.play(text).requests["route"].value_counts(normalize=True)
    assert abs(routes["app.two"] - 0.2) < 0.025


def test_users_follow_their_popularity_and_do_not_depend_on_other_traffic():
    text = clients("arrivals: {poisson: 100/s}, users: {count: 100, popularity: {zipf: 1.0}}")
    users = testing.play(text).requests["user"]
    weights = 1 / np.arange(1, 101)
    assert abs((users == 0).mean() - weights[0] / weights.sum()) < 0.03
    more = testing.play(
        text.replace("traffic: {clients", "traffic: {others: {sends: app.get, arrivals: {poisson: 50/s}}, clients")
    )
    assert more.requests.query("source == 'clients'")["user"].tolist() == users.tolist()


def test_closed_users_think_first_and_then_send_and_wait():
    text = clients("arrivals: {closed: {users: 2, think: 1s}}", work="500ms").replace("duration: 30s", "duration: 5s")
    played = testing.play(text)
    assert played.requests["arrival"].tolist() == [1.0, 1.0, 2.5, 2.5, 4.0, 4.0]
    assert sorted(played.requests["number"]) == [0, 1, 2, 3, 4, 5]


def test_a_closed_user_gives_up_at_its_timeout_and_thinks_again():
    text = clients("timeout: 200ms, arrivals: {closed: {users: 1, think: 1s}}", work="10s").replace(
        "duration: 30s", "duration: 4s"
    )
    assert testing.play(text).requests["arrival"].round(9).tolist() == [1.0, 2.2, 3.4]


def test_arrivals_stay_where_they_are_when_the_system_changes():
    slow = testing.play(clients("arrivals: {poisson: 20/s}", work="{exponential: 1s}"))
    fast = testing.play(clients("arrivals: {poisson: 20/s}", work="1ms"))
    assert slow.requests["arrival"].tolist() == fast.requests["arrival"].tolist()
