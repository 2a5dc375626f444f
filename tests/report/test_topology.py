import copy
from xml.etree import ElementTree

import pytest

from sim.report.topology import draw_topology
from sim.report.wiring import wiring_of
from sim.spec.scenario import Scenario
from tests.report.conftest import documents


def scenario(name="sync", **changes):
    document = documents()[name]
    document.update(copy.deepcopy(changes))
    return Scenario.model_validate(document)


def arrows(found):
    return {(arrow.source, arrow.target): arrow for arrow in wiring_of(found).arrows}


def words(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]


def test_calls_are_solid_and_carry_the_badges_of_their_policy():
    arrow = arrows(scenario())["service:orders", "service:payments"]
    assert not arrow.dashed
    assert list(arrow.badges) == ["timeout 1 s", "retry ×3", "budget", "breaker", "bulkhead 24", "fallback"]


def test_events_are_dashed_from_publisher_to_topic_to_consumer():
    found = arrows(scenario("async"))
    assert found["service:orders", "topic:order-events"].dashed
    assert list(found["service:orders", "topic:order-events"].badges) == ["outbox"]
    assert list(found["topic:order-events", "service:payments"].badges) == [
        "payment-group",
        "retry after 1 s, 10 s, 60 s",
    ]


def test_a_topic_that_nobody_uses_is_not_drawn():
    assert "topic:order-events" not in wiring_of(scenario()).boxes


def test_without_a_gateway_clients_send_to_the_service():
    bare = scenario(gateway=None, traffic={"shoppers": {"sends": "orders.create", "arrivals": {"poisson": "40/s"}}})
    assert ("client:shoppers", "service:orders") in arrows(bare)


def test_steps_in_branches_and_fallbacks_are_calls_too():
    document = documents()["sync"]
    document["services"]["orders"]["endpoints"]["create"] = [
        {
            "parallel": [
                {"call": "inventory.reserve"},
                [{"call": "payments.charge", "fallback": [{"publish": "order-events"}]}],
            ]
        }
    ]
    found = arrows(Scenario.model_validate(document))
    assert {
        ("service:orders", "service:inventory"),
        ("service:orders", "service:payments"),
        ("service:orders", "topic:order-events"),
    } <= set(found)


def test_faults_are_marked_where_they_strike():
    harmed = scenario(
        faults=[
            {"name": "dark", "at": "5m", "for": "3m", "outage": "payments", "how": "hang"},
            {"name": "flaky", "at": "1m", "for": "1m", "network": {"between": ["orders", "inventory"], "loss": "5%"}},
        ]
    )
    wiring = wiring_of(harmed)
    assert wiring.boxes["service:payments"].faults == ("5:00–8:00 dark (outage, hang)",)
    assert list(arrows(harmed)["service:orders", "service:inventory"].faults) == ["1:00–2:00 flaky (network)"]
    assert any("dark" in text for text in words(draw_topology(harmed)))


def test_the_drawing_is_sound_xml_and_says_what_it_shows():
    root = ElementTree.fromstring(draw_topology(scenario("async"), "t0", "async"))
    assert root.get("role") == "img"
    label = root.get("aria-label") or ""
    assert "orders sends events to order-events (outbox)" in label
    assert "payments" in label


def test_colours_follow_the_page_or_are_plain():
    assert "var(--ink" in draw_topology(scenario())
    assert "var(--" not in draw_topology(scenario(), adaptive=False)


@pytest.mark.parametrize("evil", ["</svg><script>alert(1)</script>", 'x" onload="alert(1)', "a&b<c>", "naïve 注文 🛒"])
def test_hostile_names_are_text(evil):
    document = documents()["sync"]
    document["services"][evil] = document["services"].pop("inventory")
    document["services"]["orders"]["endpoints"]["create"][2] = {"call": f"{evil}.reserve"}
    document["faults"][0]["name"] = evil
    document["traffic"] = {evil: document["traffic"]["shoppers"]}
    svg = draw_topology(Scenario.model_validate(document), "t", evil)
    elements = list(ElementTree.fromstring(svg).iter())
    tags = {element.tag.rpartition("}")[2] for element in elements}
    assert tags <= {"svg", "defs", "marker", "path", "g", "title", "rect", "text"}
    assert not [name for element in elements for name in element.attrib if name.startswith("on")]


def test_long_names_are_folded_and_cut_but_whole_in_the_tooltip():
    document = documents()["sync"]
    name = "a-very-long-name-of-a-service-that-nobody-would-ever-like-to-type-twice"
    document["services"][name] = {"workers": 4, "endpoints": {"e": [{"work": "1ms"}]}}
    svg = draw_topology(Scenario.model_validate(document))
    assert max(len(text or "") for text in words(svg)) <= 34
    assert f"<title>{name}" in svg


def test_a_service_that_calls_itself_and_a_loop_do_no_harm():
    document = documents()["sync"]
    document["services"]["payments"]["endpoints"]["charge"] += [{"call": "orders.create"}, {"call": "payments.charge"}]
    ElementTree.fromstring(draw_topology(Scenario.model_validate(document)))


def test_a_service_on_nodes_tells_how_many_and_how_large():
    found = scenario(node_pools={"general": {"cores": 8, "max": 3, "start": "2m"}})
    document = found.model_copy(
        update={
            "services": {
                **found.services,
                "orders": found.services["orders"].model_copy(update={"node_pool": "general"}),
            }
        }
    )
    assert "on 1 to 3 nodes general, 8 cores each" in wiring_of(document).boxes["service:orders"].lines


def test_a_release_tells_its_steps():
    canary = {"steps": [{"weight": "20%", "pause": "1m"}], "abort": {"errors": "5%"}}
    found = scenario(faults=[{"name": "release", "at": "1m", "deploy": "orders", "canary": canary}])
    assert wiring_of(found).boxes["service:orders"].faults == ("1:00 release (deploy, canary 20%, may abort)",)


def test_a_limit_that_follows_use_says_how():
    services = documents()["sync"]["services"]
    orders = {**services["orders"], "cpu": "500m", "vertical_scaling": {"mode": "in_place_or_recreate"}}
    lines = wiring_of(scenario(services={**services, "orders": orders})).boxes["service:orders"].lines
    assert "cpu limit by use, changed in place" in lines


def test_a_function_tells_how_many_instances_there_may_be():
    services = documents()["sync"]["services"]
    service = {key: value for key, value in services["orders"].items() if key not in ("replicas", "cores")}
    function = {"cold_start": "1s", "idle_timeout": "10m", "provisioned": 3}
    service |= {"workers": "unlimited", "serverless": function}
    lines = wiring_of(scenario(services={**services, "orders": service})).boxes["service:orders"].lines
    assert "instances by request, at most 1,000, 3 provisioned, gone after 10 min" in lines


def test_calls_behind_a_write_through_a_cache_say_so():
    steps = [
        {"cache": {"name": "page", "key": "all", "then": [{"call": "payments.charge"}]}},
        {"cache_write": {"name": "page", "how": "behind", "every": "1s", "then": [{"call": "stock.put"}]}},
    ]
    services = {
        "shop": {"workers": 1, "endpoints": {"buy": steps}},
        "payments": {"workers": 1, "endpoints": {"charge": [{"work": "1ms"}]}},
        "stock": {"workers": 1, "endpoints": {"put": [{"work": "1ms"}]}},
    }
    found = Scenario.model_validate(
        {
            "version": 1,
            "duration": "1m",
            "traffic": {"clients": {"sends": "shop.buy", "arrivals": {"poisson": "1/s"}}},
            "services": services,
        }
    )
    assert "write behind" in arrows(found)["service:shop", "service:stock"].badges
