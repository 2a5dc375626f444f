"""Access tokens of callers: when one is asked for, what becomes of calls without one, and who shares one. Times are sums
done by hand: the ledger takes 100 ms, the provider 50 ms.
"""

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import Analysis, check
from sim.report.wiring import wiring_of
from sim.spec import load_text

TEXT = """
duration: 100s
traffic: {clients: {sends: orders.create}}
services:
  orders: {workers: unlimited, REPLICAS, endpoints: {create: [{call: ledger.post, MORE token: {from: idp.token, TOKEN}}]}}
  ledger: {workers: unlimited, endpoints: {post: [{wait: 100ms}]}}
  idp: {workers: unlimited, endpoints: {token: [{wait: 50ms}]}}
FAULTS
"""
DOWN = "faults: [{name: outage, at: 25s, for: 60s, crash: idp}]"


def system(token, more="", replicas="replicas: 1", faults=""):
    text = TEXT.replace("REPLICAS", replicas).replace("MORE", more).replace("TOKEN", token)
    return text.replace("FAULTS", faults)


def asked(played, service="orders", name="token idp.token"):
    """How often the provider was asked by then, at each look of the series."""
    records = played.records
    column = [series.name for series in records.series].index(f"{service}.cache_loads {name}")
    return [int(row[column]) for row in records.gauges]


def test_a_token_is_asked_for_when_it_has_as_long_to_live_as_refresh_before():
    """It comes at 0.05 and lives until 30.05: from 20.05 on another is asked for, which comes at 20.1."""
    arrivals = [0.0, 1.0, 20.04, 20.05, 40.09, 40.1]
    played = testing.play_on_both(system("lives: 30s, refresh_before: 10s"), arrivals)
    assert played.responses() == [0.15, 0.1, 0.1, 0.15, 0.1, 0.15]
    assert asked(played)[-1] == 3


def test_by_default_a_token_lives_for_an_hour_and_is_used_up_to_60_seconds_before_its_end():
    text = system("").replace("100s", "4000s")
    played = testing.play_on_both(text, [0.0, 3540.04, 3540.06])
    assert played.responses() == [0.15, 0.1, 0.15]


def test_a_lead_as_long_as_the_life_has_every_call_ask():
    played = testing.play_on_both(system("lives: 60s, refresh_before: 60s"), [0.0, 1.0, 2.0])
    assert played.responses() == [0.15, 0.15, 0.15]


def test_in_an_outage_calls_fail_when_the_token_is_over_and_not_before():
    """It came at 0.05 and is over at 30.05; the provider is down from 25 on, and unreachable at once."""
    arrivals = [0.0, 19.0, 26.0, 30.04, 30.05, 40.0, 90.0]
    played = testing.play_on_both(system("lives: 30s, refresh_before: 10s", faults=DOWN), arrivals)
    assert played.outcomes() == ["ok", "ok", "ok", "ok", "unreachable", "unreachable", "ok"]
    assert played.responses()[2:4] == [0.1, 0.1]


def test_who_does_not_use_the_old_token_fails_from_when_it_would_ask_for_another():
    token = "lives: 30s, refresh_before: 4s, if_refresh_fails: fail"
    played = testing.play_on_both(system(token, faults=DOWN), [0.0, 26.0, 26.05, 29.0, 90.0])
    assert played.outcomes() == ["ok", "ok", "unreachable", "unreachable", "ok"]


def test_a_provider_that_is_slow_ends_calls_as_its_timeout_and_is_asked_again():
    text = system("lives: 30s, refresh_before: 10s, policy: {timeout: 20ms}")
    played = testing.play_on_both(text, [0.0, 1.0])
    assert played.outcomes() == ["timeout", "timeout"]
    assert played.responses() == [0.02, 0.02]
    assert asked(played)[-1] == 2


def test_a_refusal_of_the_provider_is_final_and_the_old_token_is_not_used():
    text = system("lives: 30s, refresh_before: 29s").replace("[{wait: 50ms}]", "[{wait: 50ms}, {refuse: 100%}]")
    played = testing.play_on_both(text, [0.0, 5.0])
    assert played.outcomes() == ["refused", "refused"]


def test_calls_that_come_meanwhile_ask_each_for_itself_or_wait_for_the_first():
    arrivals = [0.0, 0.01, 0.02, 0.06]
    each = testing.play_on_both(system("lives: 30s, refresh_before: 1s"), arrivals)
    assert each.responses() == [0.15, 0.15, 0.15, 0.1]
    assert asked(each)[-1] == 3
    waiting = testing.play_on_both(system("lives: 30s, refresh_before: 1s, coalesce: true"), arrivals)
    assert waiting.responses() == [0.15, 0.14, 0.13, 0.1]
    assert asked(waiting)[-1] == 1


def test_those_who_wait_fail_with_the_first():
    text = system("coalesce: true, policy: {timeout: 20ms}")
    played = testing.play_on_both(text, [0.0, 0.01, 0.03])
    assert played.outcomes() == ["timeout"] * 3
    assert played.responses() == [0.02, 0.01, 0.02]


def test_every_replica_that_starts_again_asks_at_once():
    """Three replicas have their tokens; all are killed, and when they are back each asks at its first call."""
    faults = "faults: [{name: deploy, at: 10s, for: 5s, crash: orders, replicas: 3}]"
    arrivals = [*(1.0 + i / 10 for i in range(6)), *(20.0 + i / 10 for i in range(6))]
    played = testing.play_on_both(system("lives: 1h", replicas="replicas: 3", faults=faults), arrivals)
    assert sorted(played.responses()) == [0.1] * 6 + [0.15] * 6
    assert asked(played)[-1] == 6
    assert asked(testing.play(system("lives: 1h", replicas="replicas: 3"), arrivals))[-1] == 3


def test_the_token_is_got_before_the_timeout_of_the_call_begins_and_retries_do_not_ask_again():
    """Ledger takes 100 ms. A timeout of 120 ms would not hold 150 ms; of 80 ms it fails three times, with one token."""
    more = "policy: {timeout: TIMEOUT, total_timeout: 400ms, retry: {max_attempts: 3, backoff: {constant: 10ms}}}, "
    well = testing.play_on_both(system("lives: 1h", more.replace("TIMEOUT", "120ms")), [0.0])
    assert well.responses() == [0.15]
    late = testing.play_on_both(system("lives: 1h", more.replace("TIMEOUT", "80ms")), [0.0])
    assert (late.outcomes(), late.responses()) == (["timeout"], [0.31])
    assert asked(late)[-1] == 1


def test_a_fallback_runs_where_no_token_can_be_had():
    more = "fallback: [{wait: 5ms}], "
    played = testing.play_on_both(system("policy: {timeout: 20ms}", more), [0.0])
    assert (played.outcomes(), played.responses()) == (["degraded"], [0.025])


def test_calls_of_one_service_share_a_token_of_one_provider_unless_they_are_of_other_clients():
    two = "[{call: ledger.post, token: {from: idp.token}}, {call: ledger.post, token: {from: idp.token, OTHER}}]"
    text = TEXT[: TEXT.index("create: ")] + f"create: {two}}}}}" + TEXT[TEXT.index("\n  ledger") :]
    text = text.replace("REPLICAS", "replicas: 1").replace("FAULTS", "")
    assert testing.play_on_both(text.replace("OTHER", "lives: 1h"), [0.0]).responses() == [0.25]
    assert testing.play_on_both(text.replace("OTHER", "client: audit"), [0.0]).responses() == [0.3]


@pytest.mark.parametrize("concurrency", ["threads", "event_loop"])
def test_a_gateway_has_a_token_for_a_route_too(concurrency):
    text = f"""
    duration: 100s
    traffic: {{clients: {{sends: GET /}}}}
    gateway:
      workers: 4
      concurrency: {concurrency}
      routes: {{GET /: {{to: ledger.post, token: {{from: idp.token, lives: 30s, refresh_before: 10s, coalesce: true}}}}}}
    services:
      ledger: {{workers: unlimited, endpoints: {{post: [{{wait: 100ms}}]}}}}
      idp: {{workers: unlimited, endpoints: {{token: [{{wait: 50ms}}]}}}}
    faults: [{{name: crash, at: 10s, for: 5s, crash: gateway}}]
    """
    played = testing.play_on_both(text, [0.0, 0.02, 1.0, 16.0, 17.0])
    assert played.responses() == [0.15, 0.13, 0.1, 0.15, 0.1]
    assert asked(played, "gateway")[-1] == 2


@pytest.mark.parametrize("coalesce", ["true", "false"])
def test_who_freezes_while_it_asks_goes_on_at_the_thaw(coalesce):
    """Both ask, or one waits for the other; the token comes at 10.05, into a freeze that ends at 12."""
    faults = "faults: [{name: freeze, at: 10.03s, for: 1.97s, outage: orders}]"
    text = system(f"coalesce: {coalesce}", faults=faults)
    played = testing.play_on_both(text, [10.0, 10.01])
    assert played.responses() == [2.1, 2.09]


def test_on_paper_each_replica_asks_once_in_the_time_for_which_it_uses_a_token():
    """50 calls a second at each of two replicas: one in 20 s and the 20 ms until the next call."""
    text = system("lives: 30s, refresh_before: 10s", replicas="replicas: 2")
    text = text.replace("sends: orders.create", "sends: orders.create, arrivals: {poisson: 100/s}")
    study = load_text("version: 1\n" + text)
    (scenario,) = study.variants.values()
    assert Analysis(scenario).rates.endpoints["idp.token"] == pytest.approx(2 / 20.02)
    assert not [its for its in check(study).warnings if "token" in its.finding or "idp" in its.place]
    every = load_text("version: 1\n" + text.replace("refresh_before: 10s", "refresh_before: 30s"))
    (scenario,) = every.variants.values()
    assert Analysis(scenario).rates.endpoints["idp.token"] == pytest.approx(100.0)
    (warning,) = [its for its in check(every).warnings if "token" in its.finding]
    assert warning.place == "orders.create"
    assert warning.finding == "a token of idp.token lives 30s, and another is asked for 30s before its end"


def test_what_is_said_of_a_token_is_checked():
    with pytest.raises(ScenarioError, match=r"unknown endpoint 'idp\.tokens'"):
        testing.play(system("lives: 1h").replace("idp.token,", "idp.tokens,"), [0.0])
    with pytest.raises(ScenarioError, match="unknown policy 'patient'"):
        testing.play(system("policy: patient"), [0.0])


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("{call: ledger.post, token: {from: idp.token, lives: 30m}}", 0),
        ("{call: ledger.post, token: {from: idp.token, lives: 1800s, refresh_before: 60s}}", 0),
        ("{call: ledger.post, token: {from: idp.token, lives: 20m}}", 1),
        ("{call: ledger.post, token: {from: idp.token, lives: 20m, client: batch}}", 0),
        ("{call: idp.token, token: {from: ledger.post, lives: 20m}}", 0),
        ("{call: audit.log}", 0),
    ],
)
def test_tokens_that_are_one_must_be_said_alike_and_others_need_not(other, told):
    text = system("lives: 30m").replace("[{call: ledger", f"[{other}, {{call: ledger")
    text = text.replace(
        "  ledger:", "  audit: {workers: 1, endpoints: {log: [{call: ledger.post, token: idp.token}]}}\n  ledger:"
    )
    try:
        testing.play(text, [0.0])
        found = []
    except ScenarioError as error:
        found = [problem.message for problem in error.problems]
    assert [words.split(",")[0] for words in found] == [
        "found another `lives` than where 'orders' names a token of 'idp.token' first"
    ] * told


def test_a_token_of_a_fallback_that_never_runs_is_none():
    """Nobody hears that a publication with `acks: 0` has failed."""
    text = """
    services:
      orders:
        workers: 4
        endpoints:
          create: [{publish: t, fallback: [{call: idp.token, token: {from: idp.token}}]}]
      idp: {workers: 4, endpoints: {token: [{wait: 50ms}]}}
      late: {workers: 1, consumes: {t: {group: g, do: [{work: 1ms}]}}}
    brokers: {kafka: {kind: log, acks: 0, topics: {t: {partitions: 1}}}}
    """
    played = testing.play_on_both(text, [0.0], sends="orders.create")
    assert (played.outcomes(), asked(played)[-1]) == (["ok"], 0)


def test_the_drawing_has_an_arrow_to_the_provider():
    text = system("lives: 30m, policy: {timeout: 2s}")
    text = text.replace("sends: orders.create", "sends: GET /, arrivals: {poisson: 1/s}")
    text += "gateway: {workers: 4, routes: {GET /: {to: orders.create, token: idp.token}}}"
    (scenario,) = load_text("version: 1\n" + text).variants.values()
    arrows = {arrow.source: list(arrow.badges) for arrow in wiring_of(scenario).arrows if arrow.target == "service:idp"}
    assert arrows == {"service:orders": ["timeout 2 s", "token 30m"], "gateway": ["token 60m"]}
