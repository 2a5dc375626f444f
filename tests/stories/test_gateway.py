"""The single entry: who gets in, who is told to wait, and what the identity provider has to do with it."""

import numpy as np
import pytest

from sim import testing

LIMITED = """
traffic: {clients: {sends: GET /, users: {count: USERS}, CLIENT}}
gateway:
  workers: 4
  rate_limits: [LIMIT]
  routes: {GET /: {to: shop.get}}
services: {shop: {workers: 4, endpoints: {get: [{work: 1ms}]}}}
"""


def limited(limit, users=1, client=""):
    return LIMITED.replace("LIMIT", limit).replace("USERS", str(users)).replace("CLIENT", client)


def test_a_limit_per_user_holds_one_user_back():
    played = testing.play(limited("{per: user, rate: 10/s, burst: 10}"), [k * 0.01 for k in range(1000)])
    assert 105 <= played.outcomes().count("ok") <= 110
    assert played.outcomes().count("rate_limited") == 1000 - played.outcomes().count("ok")
    assert set(played.requests.query("outcome == 'rate_limited'")["where"]) == {"gateway"}
    assert len(played.attempts("shop.get")) == played.outcomes().count("ok")


def test_a_limit_per_user_does_not_protect_against_many_users():
    """The same load from ten thousand users: nobody sends more than their share, and all of it comes through."""
    played = testing.play(limited("{per: user, rate: 10/s, burst: 10}", users=10_000), [k * 0.01 for k in range(1000)])
    assert set(played.outcomes()) == {"ok"}


def test_a_limit_that_says_nothing_else_is_a_fixed_window_of_the_unit_it_is_written_in():
    """Kong's rate-limiting: `second: 2` lets two in each second of the clock pass, `minute: 2` two in each minute; a refused request counts nowhere."""
    times = [0.1, 0.2, 0.3, 0.9, 1.0, 1.1, 1.2]
    refused, ok = "rate_limited", "ok"
    assert testing.play(limited("{per: all, rate: 2/s}"), times).outcomes() == [
        ok,
        ok,
        refused,
        refused,
        ok,
        ok,
        refused,
    ]
    assert testing.play(limited("{per: all, rate: 2/m}"), [*times, 60.0]).outcomes() == [ok, ok, *[refused] * 5, ok]


@pytest.mark.parametrize(
    ("limit", "share"),
    [("rate: 100/s", 0.0), ("rate: 100/s, burst: 1", 1 / 3), ("rate: 100/s, algorithm: token_bucket", 1 / 3)],
)
def test_half_the_limit_is_let_through_whole_unless_its_bucket_holds_one_token(limit, share):
    """Poisson arrivals of 50/s: a window holds more than 100 of them once in 1e10; one token is there again 10 ms after it was taken: 50 / (50 + 100)."""
    requests = testing.play(limited(f"{{per: all, {limit}}}", client="arrivals: {poisson: 50/s}")).requests
    found = (requests["outcome"] == "rate_limited").mean()
    assert found == pytest.approx(share, abs=4 * (share * (1 - share) / len(requests)) ** 0.5)


def test_a_limit_for_all_does():
    played = testing.play(limited("{per: all, rate: 10/s, burst: 10}", users=10_000), [k * 0.01 for k in range(1000)])
    assert 105 <= played.outcomes().count("ok") <= 110


def test_a_limited_client_hears_of_it_at_once():
    played = testing.play(limited("{per: all, rate: 1/s}"), [0.0, 0.1])
    assert played.outcomes() == ["ok", "rate_limited"]
    assert played.responses() == [0.001, 0.0]


def test_a_client_that_honours_retry_after_comes_back_exactly_when_it_may():
    """One request a second, no burst: the second client is told to wait 0.9 s, which is longer than its own pause of 0.2 s."""
    client = "retry: {max_attempts: 2, backoff: {constant: 200ms}, on: [rate_limited]}, honor_retry_after: HONOR"
    obedient = testing.play(limited("{per: all, rate: 1/s}", client=client.replace("HONOR", "true")), [0.0, 0.1])
    assert obedient.outcomes() == ["ok", "ok"]
    assert obedient.responses() == [0.001, 0.901]
    hasty = testing.play(limited("{per: all, rate: 1/s}", client=client.replace("HONOR", "false")), [0.0, 0.1])
    assert hasty.outcomes() == ["ok", "rate_limited"]
    assert hasty.responses() == [0.001, 0.2]
    assert hasty.requests["attempts"].tolist() == [1, 2]


def test_each_gateway_replica_counts_alone_where_the_scope_is_node():
    for scope, passed in (("cluster", 10), ("node", 20)):
        text = limited(f"{{per: all, rate: 1/s, burst: 10, scope: {scope}}}").replace(
            "workers: 4\n  rate", "workers: 4\n  replicas: 2\n  rate"
        )
        assert testing.play(text, [0.001 * k for k in range(100)]).outcomes().count("ok") == passed


def test_the_limit_is_asked_after_authentication_so_that_an_invalid_token_uses_up_nothing():
    text = limited("{per: all, rate: 1/s, burst: 5}").replace(
        "workers: 4\n  rate", "workers: 4\n  authentication: {jwt: {work: 1ms, invalid: 100%}}\n  rate"
    )
    assert set(testing.play(text, [0.01 * k for k in range(20)]).outcomes()) == {"unauthorized"}


def test_a_request_that_one_limit_refuses_uses_up_nothing_of_another():
    """Two a minute for all, one a minute for each user: the second request of the first user is refused, and leaves its token to the other."""
    text = limited("{per: all, rate: 2/m, burst: 2}, {per: user, rate: 1/m}")
    text = text.replace("traffic: {clients:", "traffic: {others: {sends: GET /}, clients:")
    played = testing.play(text, {"clients": [0.0, 1.0], "others": [2.0]})
    assert (played.outcomes("clients"), played.outcomes("others")) == (["ok", "rate_limited"], ["ok"])


def test_the_event_log_tells_when_limiting_began():
    played = testing.play(limited("{per: user, rate: 1/s}"), [0.0, 0.5, 0.6])
    assert [(event.time, event.subject, event.object) for event in played.events("limiting_began")] == [
        (0.5, "gateway", "user limit")
    ]


JWT = """
duration: 60s
traffic: {clients: {sends: GET /, arrivals: {poisson: 200/s}}}
gateway: {workers: 4, authentication: {jwt: {work: 1ms, invalid: 10%}}, routes: {GET /: {to: shop.get}, GET /open: {to: shop.get, authenticate: false}}}
services: {shop: {workers: 4, endpoints: {get: [{work: 1ms}]}}}
"""


def test_the_share_of_invalid_tokens_is_answered_401_and_never_reaches_the_service():
    played = testing.play(JWT)
    refused = played.outcomes().count("unauthorized")
    n = len(played.requests)
    assert abs(refused / n - 0.1) < 4 * np.sqrt(0.09 / n)
    assert len(played.attempts("shop.get")) == n - refused


def test_a_route_that_needs_no_authentication_pays_for_none():
    closed = testing.play(
        JWT.replace("sends: GET /, arrivals: {poisson: 200/s}", "sends: GET /").replace("10%", "0%"), [0.0]
    )
    opened = testing.play(
        JWT.replace("sends: GET /, arrivals: {poisson: 200/s}", "sends: GET /open").replace("10%", "100%"), [0.0]
    )
    assert (closed.responses(), opened.responses()) == ([0.002], [0.001])


OAUTH = """
duration: 200s
seed: 5
traffic: {clients: {sends: GET /, arrivals: {poisson: 50/s}, users: {count: 200, popularity: {zipf: 1.0}}}}
gateway:
  workers: 4
  authentication: {oauth: {introspect: identity.introspect, lookup: 0s, cache_ttl: 10s, POLICY on_failure: FAILURE}}
  routes: {GET /: {to: shop.get}}
services:
  identity: {workers: unlimited, endpoints: {introspect: [{work: 20ms}]}}
  shop: {workers: unlimited, endpoints: {get: [{work: 1ms}]}}
"""


def oauth(failure="deny", policy=""):
    return OAUTH.replace("FAILURE", failure).replace("POLICY", policy)


def test_the_hit_ratio_of_the_token_cache_is_lambda_t_over_one_plus_lambda_t_for_each_user():
    """Poisson arrivals, a time to live that a hit does not refresh: hit = lambda T / (1 + lambda T), summed over Zipf's users."""
    played = testing.play(oauth())
    misses = len(played.attempts("identity.introspect"))
    weights = 1 / np.arange(1, 201)
    rates = 50 * weights / weights.sum()
    expected = float((rates * 200 / (1 + rates * 10)).sum())  # a renewal every 1 / lambda + T
    assert misses == pytest.approx(expected, rel=0.05)


def test_a_hit_costs_nothing_but_the_lookup():
    text = (
        oauth()
        .replace("lookup: 0s", "lookup: 2ms")
        .replace("arrivals: {poisson: 50/s}, users: {count: 200, popularity: {zipf: 1.0}}", "users: {count: 1}")
    )
    played = testing.play(text, [0.0, 1.0, 9.9, 10.1])
    assert played.responses() == [0.023, 0.003, 0.003, 0.023]


def test_concurrent_misses_of_one_user_make_one_call():
    text = oauth().replace(
        "arrivals: {poisson: 50/s}, users: {count: 200, popularity: {zipf: 1.0}}", "users: {count: 1}"
    )
    played = testing.play(text, [0.0, 0.005, 0.019, 0.5])
    assert len(played.attempts("identity.introspect")) == 1
    assert played.responses() == [0.021, 0.016, 0.002, 0.001]


@pytest.mark.long
def test_each_replica_of_the_gateway_has_a_cache_of_its_own():
    """Four nodes, 2,000 users, 30,000 requests in turn: of the 8,000 pairs of a node and a user 8,000 (1 - (1 - 1 / 8,000)**30,000) come up."""
    text = oauth().replace(
        "poisson: 50/s}, users: {count: 200, popularity: {zipf: 1.0}}", "deterministic: 100/s}, users: {count: 2000}"
    )
    played = testing.play(
        text.replace("duration: 200s", "duration: 300s")
        .replace("cache_ttl: 10s", "cache_ttl: 1h")
        .replace("workers: 4", "workers: 4\n  replicas: 4", 1)
    )
    pairs = 8000 * (1 - (1 - 1 / 8000) ** 30_000)
    assert pairs == pytest.approx(7812, abs=1)
    deviation = np.sqrt(8000 * np.exp(-3.75))  # more than that of an occupancy
    assert abs(len(played.attempts("identity.introspect")) - pairs) < 4 * deviation


def test_a_replica_that_crashes_forgets_its_tokens_and_the_other_keeps_its_own():
    """Two replicas in turn. The first is dead from 5 s to 6 s: the second answers alone, and at 8 s the first has to ask again."""
    text = one_user(more="faults: [{at: 5s, crash: {of: gateway, restart_after: 1s}}]").replace(
        "workers: 4", "workers: 4\n  replicas: 2", 1
    )
    text = text.replace("cache_ttl: 10s", "cache_ttl: 1h")
    played = testing.play(text, [0.0, 1.0, 2.0, 3.0, 5.5, 7.0, 8.0, 9.0])
    assert [attempt.arrived for attempt in played.attempts("identity.introspect")] == [0.0, 1.0, 7.0]


def test_an_outage_that_is_no_crash_leaves_the_cache_as_it_is():
    text = one_user(more="faults: [{at: 5s, for: 1s, outage: gateway, how: refuse}]").replace(
        "cache_ttl: 10s", "cache_ttl: 1h"
    )
    assert len(testing.play(text, [0.0, 5.5, 7.0]).attempts("identity.introspect")) == 1


@pytest.mark.parametrize(
    ("population", "calls", "passed"), [("", 2, 2), ("population: people, ", 1, 1), ("population: shoppers, ", 1, 1)]
)
def test_the_users_of_two_traffics_are_two_populations_unless_they_are_named_as_one(population, calls, passed):
    """One user each: known by the token of the other, and held back by the other's request, only where they are the same."""
    one = "{count: 1}" if population != "population: people, " else "{population: people, count: 1}"
    text = (
        one_user()
        .replace("users: {count: 1}", f"users: {{{population}count: 1}}")
        .replace("clients:", f"shoppers: {{sends: GET /, users: {one}}}, clients:")
    )
    text = text.replace("workers: 4\n", "workers: 4\n  rate_limits: [{per: user, rate: 1/m}]\n", 1)
    played = testing.play(text, {"shoppers": [0.0], "clients": [1.0]})
    assert len(played.attempts("identity.introspect")) == calls
    assert (played.outcomes("shoppers") + played.outcomes("clients")).count("ok") == passed


def test_populations_are_numbered_one_behind_the_other_and_the_smaller_part_of_a_shared_one_is_its_most_popular():
    text = "services: {shop: {workers: 9, endpoints: {get: []}}}\ntraffic: {A: {sends: shop.get, users: {count: 3}}, B: {sends: shop.get, users: {count: 2}},"
    text += " C: {sends: shop.get, users: {population: A, count: 4}}, D: {sends: shop.get, users: {count: 1}}}"
    times = [0.01 * k for k in range(60)]
    users = testing.play(text, dict.fromkeys("ABCD", times)).requests.groupby("source")["user"].apply(set).to_dict()
    assert users == {"A": {0, 1, 2}, "B": {4, 5}, "C": {0, 1, 2, 3}, "D": {6}}


def test_without_a_cache_every_request_asks():
    text = (
        oauth()
        .replace("cache_ttl: 10s", "cache_ttl: 0s")
        .replace("arrivals: {poisson: 50/s}, users: {count: 200, popularity: {zipf: 1.0}}", "users: {count: 1}")
    )
    assert len(testing.play(text, [0.0, 1.0, 2.0]).attempts("identity.introspect")) == 3


@pytest.mark.parametrize(("failure", "outcome"), [("deny", "timeout"), ("allow", "ok")])
def test_when_identity_is_down_the_gateway_denies_or_allows_whom_it_does_not_know(failure, outcome):
    text = oauth(failure, "policy: {timeout: 200ms},").replace(
        "arrivals: {poisson: 50/s}, users: {count: 200, popularity: {zipf: 1.0}}", "users: {count: 1}"
    )
    played = testing.play(text + "faults: [{at: 5s, for: 60s, outage: identity, how: hang}]", [0.0, 6.0, 20.0, 30.0])
    assert played.outcomes() == ["ok", "ok", outcome, outcome]  # known until 10.02 s
    assert played.responses()[1] == 0.001
    assert played.responses()[2] == pytest.approx(0.2 + (0.001 if outcome == "ok" else 0.0))
    assert played.requests["where"].tolist()[2:] == ["" if outcome == "ok" else "identity.introspect"] * 2


ONE_USER = oauth("FAILURE", "POLICY").replace(
    "arrivals: {poisson: 50/s}, users: {count: 200, popularity: {zipf: 1.0}}", "users: {count: 1}"
)


def one_user(failure="deny", policy="", introspect="[{work: 20ms}]", more=""):
    return ONE_USER.replace("FAILURE", failure).replace("POLICY", policy).replace("[{work: 20ms}]", introspect) + more


def test_who_passed_because_the_provider_was_down_is_asked_for_again():
    """Refused connections until 5 s: both pass unknown. At 6 s the provider answers, and that is remembered."""
    played = testing.play(
        one_user("allow", more="faults: [{at: 0s, for: 5s, outage: identity, how: refuse}]"), [1.0, 2.0, 6.0, 7.0]
    )
    assert played.outcomes() == ["ok"] * 4
    assert [(attempt.arrived, attempt.outcome) for attempt in played.attempts("identity.introspect")] == [
        (1.0, "unreachable"), (2.0, "unreachable"), (6.0, "ok"),
    ]  # fmt: skip


@pytest.mark.parametrize("failure", ["deny", "allow"])
def test_a_provider_that_says_no_denies_whatever_is_done_on_failure_and_is_asked_again(failure):
    played = testing.play(one_user(failure, introspect="[{work: 20ms}, {refuse: 100%}]"), [0.0, 0.01, 1.0])
    assert played.outcomes() == ["unauthorized"] * 3
    assert played.responses() == [0.02, 0.01, 0.02]
    assert set(played.requests["where"]) == {"gateway"}
    assert len(played.attempts("identity.introspect")) == 2


def test_a_lost_introspection_is_given_up_after_ten_seconds_and_locks_nobody_out():
    played = testing.play(
        one_user(more="faults: [{at: 0s, for: 1s, outage: identity, how: blackhole}]"), [0.5, 2.0, 20.0]
    )
    assert played.outcomes() == ["timeout", "timeout", "ok"]
    assert played.responses() == [10.0, 8.5, 0.021]  # the second waits for the call of the first
    named = testing.play(
        one_user(policy="policy: {timeout: 1s},", more="faults: [{at: 0s, for: 1s, outage: identity, how: blackhole}]"),
        [0.5],
    )
    assert named.responses() == [1.0]


def test_an_invalid_token_costs_a_call_each_time_and_shares_none():
    """100 ms each on the one worker of the provider: the unauthorized are a load for it."""
    text = one_user(introspect="[{work: 100ms}]").replace("identity: {workers: unlimited", "identity: {workers: 1")
    text = text.replace("lookup: 0s", "lookup: 0s, invalid: 100%")
    played = testing.play(text, [0.0, 0.01, 1.0])
    assert played.outcomes() == ["unauthorized"] * 3
    assert played.responses() == [0.1, 0.19, 0.1]


@pytest.mark.parametrize(("failure", "outcome"), [("deny", "unreachable"), ("allow", "ok")])
def test_nobody_can_tell_an_invalid_token_while_the_provider_is_down(failure, outcome):
    text = one_user(failure, more="faults: [{at: 0s, for: 5s, outage: identity, how: refuse}]").replace(
        "lookup: 0s", "lookup: 0s, invalid: 100%"
    )
    assert testing.play(text, [1.0, 6.0]).outcomes() == [outcome, "unauthorized"]


def test_a_gateway_that_refuses_forgets_who_was_asking_for_whom():
    """The one who asks is dropped at 10 ms; who comes when the gateway is open again waits for no answer of the old call."""
    played = testing.play(
        one_user(more="faults: [{at: 10ms, for: 1s, outage: gateway, how: refuse}]"), [0.0, 0.005, 2.0]
    )
    assert played.outcomes() == ["unreachable", "unreachable", "ok"]
    assert played.responses()[2] == 0.021


def test_an_event_loop_gateway_is_not_held_by_a_slow_service_and_a_threaded_one_is():
    text = """
    gateway: {workers: 1, concurrency: LOOP, work: 1ms, routes: {GET /slow: {to: shop.slow}}}
    services: {shop: {workers: unlimited, endpoints: {slow: [{work: 1s}]}}}
    """
    assert testing.play(text.replace("LOOP", "event_loop"), [0.0, 0.0, 0.0]).responses() == [1.001, 1.002, 1.003]
    assert testing.play(text.replace("LOOP", "threads"), [0.0, 0.0, 0.0]).responses() == [1.001, 2.002, 3.003]


def test_translation_is_work_on_the_way_in_and_on_the_way_back():
    text = """
    gateway: {workers: 1, work: 1ms, routes: {GET /: {to: shop.get, translate: {to: grpc, work: 2ms, response_work: 4ms}}}}
    services: {shop: {workers: unlimited, endpoints: {get: [{work: 100ms}]}}}
    """
    assert testing.play(text, [0.0]).responses() == [0.107]
    assert testing.play(text, [0.0, 0.0]).responses() == [0.107, 0.111]


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ("malformed: 100%", ("unauthorized", 0.001)),  # not a token: no signature is verified
        ("expired: 100%", ("unauthorized", 0.011)),
        ("invalid: 100%", ("unauthorized", 0.011)),
        ("malformed: 0%", ("ok", 0.111)),
    ],
)
def test_what_a_bad_token_costs(shares, expected):
    """1 ms of routing, 10 ms of the signature, 100 ms behind: the order of Kong's jwt plug-in."""
    text = f"""
    gateway: {{workers: 1, work: 1ms, authentication: {{jwt: {{work: 10ms, {shares}}}}}, routes: {{GET /: {{to: shop.get}}}}}}
    services: {{shop: {{workers: unlimited, endpoints: {{get: [{{work: 100ms}}]}}}}}}
    """
    played = testing.play(text, [0.0])
    assert (played.outcomes()[0], played.responses()[0]) == (expected[0], pytest.approx(expected[1]))


KEYS = """
duration: 100s
traffic: {clients: {sends: GET /}}
gateway:
  workers: unlimited
  replicas: REPLICAS
  authentication: {jwt: {work: 1ms, MORE keys: {fetch: id.keys, SET}}}
  routes: {GET /: {to: shop.get}}
services:
  shop: {workers: unlimited, endpoints: {get: [{work: 10ms}]}}
  id: {workers: unlimited, endpoints: {keys: [{work: 100ms}]}}
FAULTS
"""


def keys(said="cache: 50s", more="", faults="", replicas=1):
    text = KEYS.replace("SET", said).replace("MORE", more).replace("FAULTS", faults)
    return text.replace("REPLICAS", str(replicas))


def fetches(played):
    return [attempt.arrived for attempt in played.attempts("id.keys")]


def test_keys_are_fetched_once_for_all_who_come_meanwhile_and_again_when_the_cache_is_over():
    """100 ms of the provider, 1 ms of the signature, 10 ms behind; who comes 50 ms later waits for the same answer."""
    played = testing.play(keys(), [1.0, 1.05, 2.0, 51.0, 51.2])
    assert played.responses() == pytest.approx([0.111, 0.061, 0.011, 0.011, 0.111])
    assert fetches(played) == [1.0, 51.2]  # good until 1.1 + 50 s


def test_a_new_key_has_the_set_fetched_anew():
    played = testing.play(keys("cache: 1h, rotated_every: 20s"), [1.0, 19.99, 20.0, 39.0, 40.5])
    assert fetches(played) == [1.0, 20.0, 40.5]
    assert played.responses() == pytest.approx([0.111, 0.011, 0.111, 0.011, 0.111])


def test_each_replica_has_keys_of_its_own_and_loses_them_in_a_crash():
    assert fetches(testing.play(keys(replicas=2), [1.0, 2.0, 3.0, 4.0])) == [1.0, 2.0]
    crash = "faults: [{at: 2s, crash: {of: gateway, restart_after: 500ms}}]"
    assert fetches(testing.play(keys(faults=crash), [1.0, 1.5, 3.0])) == [1.0, 3.0]


def test_without_keys_nobody_is_let_in_and_who_has_them_does_not_notice():
    """Envoy's jwt_authn answers 401 where the set cannot be fetched, which nobody tries again; the reason is the
    outage.
    """
    down = keys(faults="faults: [{at: 10s, for: 60s, outage: id, how: refuse}]")
    played = testing.play(down, [1.0, 15.0, 55.0, 80.0])
    assert played.outcomes() == ["ok", "ok", "unreachable", "ok"]
    again = "{sends: GET /, retry: {max_attempts: 2, backoff: {constant: 30s}, on: [error, shed, unreachable]}}"
    assert testing.play(down.replace("{sends: GET /}", again), [55.0]).responses()[0] < 1.0


def test_what_cannot_be_decoded_has_no_keys_fetched():
    played = testing.play(keys(more="malformed: 100%,"), [1.0, 2.0])
    assert (played.outcomes(), fetches(played)) == (["unauthorized"] * 2, [])


def test_each_kind_of_bad_token_has_its_share():
    text = """
    gateway:
      workers: unlimited
      authentication: {jwt: {work: 10ms, invalid: 10%, expired: 20%, malformed: 30%}}
      routes: {GET /: {to: shop.get}}
    services: {shop: {workers: unlimited, endpoints: {get: [{work: 100ms}]}}}
    """
    played = testing.play(text, [index * 0.01 for index in range(4000)])
    at_once = sum(response < 0.005 for response in played.responses())
    assert at_once / 4000 == pytest.approx(0.3, abs=0.025)
    assert played.outcomes().count("ok") / 4000 == pytest.approx(0.4, abs=0.025)


def test_what_a_limit_refuses_has_been_translated():
    """Kong's grpc-gateway (priority 998) comes before rate-limiting (910): the second request is refused after 1 ms of
    routing and 2 ms of translation, behind the 3 ms of the first.
    """
    text = """
    gateway:
      workers: 1
      work: 1ms
      rate_limits: [{per: all, rate: 1/s}]
      routes: {GET /: {to: shop.get, translate: {to: grpc, work: 2ms}}}
    services: {shop: {workers: unlimited, endpoints: {get: [{work: 100ms}]}}}
    """
    played = testing.play(text, [0.0, 0.0])
    assert (played.outcomes(), played.responses()) == (["ok", "rate_limited"], [0.103, 0.006])


@pytest.mark.parametrize(
    ("codes", "limited", "failed"),
    [
        ("", "rate_limited", "error"),
        (", codes: {rate_limited: UNAVAILABLE}", "shed", "error"),  # Envoy's local rate limit: 14, HTTP 503
        (", codes: {error: RESOURCE_EXHAUSTED}", "rate_limited", "rate_limited"),  # 8, HTTP 429
        (", codes: {error: NOT_FOUND, rate_limited: UNIMPLEMENTED}", "error", "refused"),  # 5, 404; 12, 500
        (", codes: {error: UNAVAILABLE}}, answers_with: {error: refused", "rate_limited", "refused"),
    ],
)
def test_a_client_sees_a_grpc_code_as_the_http_status_of_it(codes, limited, failed):
    seen = {"a": limited, "b": failed}
    for word in ("rate_limited", "shed", "error"):
        again = f"retry: {{max_attempts: 2, backoff: {{constant: 1s}}, on: [{word}]}}"
        text = f"""
        traffic: {{a: {{sends: GET /, {again}}}, b: {{sends: GET /bad, {again}}}}}
        gateway:
          workers: 1
          routes:
            GET /: {{to: shop.get, translate: {{to: grpc, work: 0ms{codes}}}}}
            GET /bad: {{to: other.get, translate: {{to: grpc, work: 0ms{codes}}}}}
        services:
          shop: {{workers: 1, rate_limits: [{{per: all, rate: 1/m}}], endpoints: {{get: [{{work: 1ms}}]}}}}
          other: {{workers: 1, endpoints: {{get: [{{fail: 100%}}]}}}}
        """
        played = testing.play(text, {"a": [0.0, 1.0], "b": [2.0]})
        tried_again = {"a": played.responses("a")[1] >= 1.0, "b": played.responses("b")[0] >= 1.0}
        assert tried_again == {name: answer == word for name, answer in seen.items()}


def test_the_timeout_of_a_route_ends_the_request_but_not_the_work():
    text = """
    gateway: {workers: 1, routes: {GET /: {to: shop.get, timeout: 50ms, completes_with: [sold]}}}
    services: {shop: {workers: 1, endpoints: {get: [{work: 100ms}, {effect: sold}]}}}
    """
    played = testing.play(text, [0.0])
    assert (played.outcomes(), played.responses(), played.completions()) == (["timeout"], [0.05], [0.1])
