"""isotope, DeathStarBench, OpenAPI and AsyncAPI: what their documents say of calls, waits, endpoints and topics."""

from __future__ import annotations

from pathlib import Path

from tests.importing.files import imported

SAMPLES = Path(__file__).parent / "samples"
ISOTOPE, CONFIG = (SAMPLES / "isotope.yaml").read_text(), (SAMPLES / "service-config.json").read_text()
OPENAPI, ASYNCAPI = (SAMPLES / "openapi.yaml").read_text(), (SAMPLES / "asyncapi.yaml").read_text()
COMPOSE = "services: {web: {ports: ['80:80'], environment: {USERS: 'http://user-service', GOODS_URL: 'http://goods'}}, user-service: {image: x}, goods: {image: x}}\n"


def test_a_script_is_steps_one_after_the_other_and_lists_in_it_are_at_once(tmp_path):
    found = imported(tmp_path, a_yaml=ISOTOPE)
    front = found.document["services"]["front"]
    assert front["replicas"] == 3
    assert front["endpoints"]["handle"] == [
        {"work": "0.5ms"},
        {"wait": "10ms"},
        {"parallel": [{"call": "cart.handle"}, {"call": "goods.handle"}]},
        {"call": "audit.handle"},
        {"fail": "0.5%"},
    ]
    assert found.document["services"]["store"]["replicas"] == 2
    assert found.document["traffic"]["clients"]["sends"] == "front.handle"


def test_calls_that_are_made_now_and_then_and_calls_in_a_circle_are_told(tmp_path):
    found = imported(tmp_path, a_yaml=ISOTOPE)
    assert found.document["services"]["cart"]["endpoints"]["handle"][2:] == [{"call": "store.handle"}, {"fail": "2%"}]
    assert found.left_out("probability 10 of a call of audit")
    assert found.left_out("call of front by goods")[0][1] == "would close a circle"
    assert found.left_out("call of nobody")[0][1] == "is no service of this file"


def test_a_pool_of_connections_is_a_bulkhead_of_each_caller(tmp_path):
    found = imported(tmp_path, config_json=CONFIG, compose_yaml=COMPOSE)
    call = next(
        step
        for step in found.scenario.services["web"].endpoints["handle"].do[1:]
        if step.target == "user-service.handle"
    )
    policy = found.scenario.policies[call.policy]
    assert policy.timeout == 1.5
    assert (policy.bulkhead.max_concurrent_calls, policy.bulkhead.max_wait) == (16, 1.5)
    assert "repeated" not in found.text


def test_operations_are_endpoints_of_the_service_that_is_called_like_the_host_or_the_title(tmp_path):
    found = imported(tmp_path, api_yaml=OPENAPI, compose_yaml=COMPOSE)
    assert list(found.scenario.services["goods"].endpoints) == ["GET /goods", "POST /goods", "GET /goods/{id}"]
    assert "interface" not in found.text
    alone = imported(tmp_path, alone_yaml=OPENAPI)
    assert list(alone.scenario.traffic["clients"].mix) == [
        "goods.GET /goods",
        "goods.POST /goods",
        "goods.GET /goods/{id}",
    ]


def test_what_is_sent_is_published_and_what_is_received_consumed(tmp_path):
    found = imported(tmp_path, a_yaml=ASYNCAPI)
    service = found.document["services"]["order-service"]
    assert service["endpoints"]["announce"][1] == {"publish": "orders.placed"}
    assert service["consumes"]["payments.paid"]["group"] == "orders"
    assert found.scenario.brokers["kafka"].topics["orders.placed"].partitions == 12
    assert found.imported.told.topics == ("payments.paid",)


def test_version_two_speaks_from_the_side_of_those_who_talk_to_the_application(tmp_path):
    """`publish` is what they publish, so what the application receives."""
    found = imported(
        tmp_path,
        a_yaml="""
            asyncapi: 2.6.0
            info: {title: mailer}
            channels:
              orders: {publish: {operationId: onOrder}}
              mails: {subscribe: {operationId: onMail}}
            """,
    )
    service = found.document["services"]["mailer"]
    assert list(service["consumes"]) == ["orders"]
    assert service["endpoints"]["onMail"][1] == {"publish": "mails"}


def test_an_operation_on_a_channel_that_is_not_described_is_told(tmp_path):
    found = imported(tmp_path, a_yaml=ASYNCAPI.replace("#/channels/paid", "#/channels/payed"))
    assert found.left_out("channel payed")[0][1] == "is not described; expected it under `channels`"
    assert "consumes" not in found.document["services"]["order-service"]
