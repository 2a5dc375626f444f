"""Money: what timeouts, retries and lost answers do to a charge."""

import pytest

from sim import testing

PAY = """
services:
  orders: {workers: 4, endpoints: {create: [{call: payments.charge, policy: provider}]}}
  payments: {workers: 4, endpoints: {charge: [{work: WORK}, {effect: EFFECT}]}}
policies: {provider: {timeout: 1s, retry: {max_attempts: 2, backoff: {constant: 100ms}}}}
ledger: {charge: captured}
traffic: {clients: {sends: orders.create, completes_with: [captured]}}
"""
PLAIN, IDEMPOTENT = PAY.replace("EFFECT", "captured"), PAY.replace("EFFECT", "{captured: {idempotent: true}}")


def slow_at_first(system):
    """The first attempt takes 1.5 s: a fault slows payments down for the instant in which it begins."""
    return system.replace("WORK", "100ms") + "faults: [{at: 0s, for: 500ms, slow: {of: payments, by: 15x}}]"


def test_a_retry_after_a_timeout_charges_twice_where_the_charge_is_not_idempotent():
    played = testing.play(slow_at_first(PLAIN), [0.0])
    assert [(attempt.arrived, attempt.ended, attempt.abandoned) for attempt in played.attempts("payments.charge")] == [
        (0.0, 1.5, True),
        (1.1, 1.2, False),
    ]
    assert played.outcomes() == ["ok"]
    assert played.requests["charges"].tolist() == [2]


def test_a_retry_after_a_timeout_charges_once_where_the_charge_is_idempotent():
    played = testing.play(slow_at_first(IDEMPOTENT), [0.0])
    assert len(played.attempts("payments.charge")) == 2
    assert played.requests["charges"].tolist() == [1]


def test_completion_is_the_first_moment_at_which_the_effect_exists_whoever_brought_it_about():
    played = testing.play(slow_at_first(PLAIN), [0.0])
    assert played.completions() == [1.2]


def test_a_client_that_was_told_of_a_timeout_may_have_been_charged():
    played = testing.play(PLAIN.replace("WORK", "1500ms").replace("max_attempts: 2", "max_attempts: 1"), [0.0])
    assert played.outcomes() == ["timeout"]
    assert played.responses() == [1.0]
    assert played.completions() == [1.5]
    assert played.requests["charges"].tolist() == [1]


def test_cancelling_at_the_timeout_saves_the_charge_that_had_not_happened_yet():
    cancelling = (
        PLAIN.replace("WORK", "1500ms")
        .replace("max_attempts: 2", "max_attempts: 1")
        .replace("timeout: 1s", "timeout: 1s, on_timeout: cancel")
    )
    played = testing.play(cancelling, [0.0])
    assert played.outcomes() == ["timeout"]
    assert played.requests["charges"].tolist() == [0]


@pytest.mark.parametrize(("how", "response", "charges"), [("refuse", 0.4, 0), ("blackhole", 2.1, 1), ("hang", 2.1, 2)])
def test_whether_a_failed_order_was_charged_depends_on_how_the_provider_failed(how, response, charges):
    """The outage begins while the provider works on the charge. Refusing kills the work; a black hole only loses the answer; a hang is over one day."""
    played = testing.play(
        PLAIN.replace("WORK", "500ms") + f"faults: [{{at: 300ms, for: 5s, outage: payments, how: {how}}}]", [0.0]
    )
    assert played.outcomes() == ["unreachable" if how == "refuse" else "timeout"]
    assert played.requests["charges"].tolist() == [
        charges
    ]  # a hang works off the abandoned first attempt and the second as well
    assert played.responses() == [response]


def test_a_client_retry_is_a_second_order_of_the_same_thing_unless_the_effect_is_idempotent():
    system = (
        PAY.replace("max_attempts: 2", "max_attempts: 1").replace("WORK", "700ms").replace("timeout: 1s", "timeout: 5s")
    )
    impatient = system.replace(
        "sends: orders.create",
        "sends: orders.create, timeout: 600ms, retry: {max_attempts: 2, backoff: {constant: 0s}}",
    )
    for effect, charges in (("captured", 2), ("{captured: {idempotent: true}}", 1)):
        played = testing.play(impatient.replace("EFFECT", effect), [0.0])
        assert played.outcomes() == ["timeout"]
        assert played.requests[["attempts", "charges"]].iloc[0].tolist() == [2, charges]
