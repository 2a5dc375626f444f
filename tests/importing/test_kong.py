"""Kong's declarative configuration: what its schemas and plugins document a file to mean, as far as a scenario can say it."""

from pathlib import Path

import pytest

from sim.errors import ScenarioError
from tests.importing.files import imported

SAMPLE = (Path(__file__).parent / "samples" / "kong.yaml").read_text()


@pytest.fixture
def gateway(tmp_path):
    return imported(tmp_path, a_yaml=SAMPLE)


def test_routes_lead_to_services_wherever_they_are_written(gateway):
    routes = gateway.document["gateway"]["routes"]
    assert {name: route["to"] for name, route in routes.items()} == {
        "place-order": "orders.handle",
        "read-order": "orders.handle",
        "goods": "goods.handle",
        "loose": "goods.handle",
    }
    assert gateway.remark("place-order: #") == "place-order: # POST /orders of Kong (line 10)"
    assert gateway.left_out("route answered")[0][1] == "leads to no service of these files: a plugin has to answer it"
    assert (
        gateway.left_out("route maintenance")[0][1] == "plugin request-termination answers it with 503"
    )  # what it says without a status
    assert gateway.left_out("service retired")[0][1] == "is not enabled"


def test_retries_are_attempts_beyond_the_first_and_come_at_once(gateway):
    """2 retries are 3 attempts, 5 by default are 6; read_timeout is 60 s by default; no answer is tried again."""
    read = gateway.scenario.policies[gateway.scenario.gateway.routes["read-order"].policy]
    assert (read.timeout, read.retry.max_attempts, read.retry.backoff.delay) == (2.5, 3, 0.0)
    assert set(read.retry.on) == {"timeout", "unreachable"}
    default = gateway.scenario.policies[gateway.scenario.gateway.routes["goods"].policy]
    assert (default.timeout, default.retry.max_attempts) == (60.0, 6)


def test_what_is_not_idempotent_is_not_sent_twice(gateway):
    write = gateway.scenario.policies[gateway.scenario.gateway.routes["place-order"].policy]
    assert write.retry.on == ("unreachable",)


def test_a_limit_for_all_is_taken_with_its_windows_and_scope(gateway):
    (limit,) = gateway.scenario.gateway.rate_limits
    assert (limit.per, limit.preset, [its.rate * its.window for its in limit.periods]) == ("ip", "kong", [50, 10_000])
    # the nearer instance of the plugin holds for the routes of orders, in the place of the one for all
    (nearer,) = gateway.scenario.gateway.routes["place-order"].rate_limits
    assert (nearer.per, nearer.scope, nearer.rate * nearer.window) == ("consumer", "cluster", pytest.approx(30))
    assert gateway.scenario.gateway.routes["place-order"].gateway_limits == "replaced"
    assert gateway.scenario.gateway.routes["goods"].rate_limits == ()


@pytest.mark.parametrize(
    ("plugin", "expected"),
    [
        ("{name: rate-limiting, config: {minute: 5}}", [("consumer", 5, 60.0, "fixed_window", "node")]),
        (
            "{name: rate-limiting, config: {second: 2, day: 7, policy: cluster, limit_by: service}}",
            [("all", 2, 1.0, "fixed_window", "cluster"), ("all", 7, 86400.0, "fixed_window", "cluster")],
        ),
        (
            "{name: rate-limiting-advanced, config: {limit: [5, 100], window_size: [30, 3600]}}",
            [
                ("consumer", 5, 30.0, "sliding_window_counter", "node"),
                ("consumer", 100, 3600.0, "sliding_window_counter", "node"),
            ],
        ),
        (
            "{name: rate-limiting-advanced, config: {limit: [9], window_size: [7], window_type: fixed, strategy: redis, identifier: ip}}",
            [("ip", 9, 7.0, "fixed_window", "cluster")],
        ),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_limits(tmp_path, plugin, expected, nested):
    """A window of `window` s lets `rate` x `window` pass: the count of the plugin; on the only service it holds for all."""
    inner, outer = (f"\n            plugins: [{plugin}]", "") if nested else ("", f"\n        plugins: [{plugin}]")
    text = f"""
        services:
          - name: a
            host: a{inner}
            routes: [{{name: r, paths: [/]}}]{outer}
        """
    limits = imported(tmp_path, a_yaml=text).scenario.gateway.rate_limits
    assert [
        (limit.per, round(its.rate * its.window, 9), its.window, limit.algorithm, limit.scope)
        for limit in limits
        for its in limit.periods
    ] == expected


def test_a_token_is_verified_where_the_plugin_holds(gateway):
    routes = gateway.scenario.gateway.routes
    assert [name for name, route in routes.items() if route.authenticate] == ["place-order", "read-order"]
    assert "jwt" in gateway.document["gateway"]["authentication"]
    assert any(what.startswith("the time to verify a token") for _, _, what in gateway.imported.told.to_be_supplied)
    assert routes["place-order"].translate.to == "grpc"
    assert routes["read-order"].translate is None


def test_introspection_asks_a_service(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
        services: [{name: a, host: a, routes: [{name: r, paths: [/]}]}]
        plugins: [{name: oauth2-introspection, config: {introspection_url: "https://idp.example.com/introspect", authorization_value: hush}}]
        """,
    )
    oauth = found.scenario.gateway.authentication
    assert (oauth.introspect, oauth.cache_ttl) == ("idp-example-com.handle", 30.0)
    assert "hush" not in found.text


def test_targets_are_replicas_and_a_weight_of_0_is_none(gateway):
    goods = gateway.document["services"]["goods"]
    assert goods["replicas"] == 2
    assert goods["load_balancing"] == {"policy": "least_request", "passive_health_checks": {"http_failures": 3}}
    assert "health_checks" not in goods, "every threshold of the active ones is 0, which is off"
    assert "found no interval for healthy targets with a threshold of failures" in str(gateway.imported.told.as_json())


@pytest.mark.parametrize(
    ("algorithm", "policy"), [("", "round_robin"), ("algorithm: least-connections, ", "least_request")]
)
def test_weights_of_targets_are_those_of_replicas(tmp_path, algorithm, policy):
    """100 by default; 0 takes a target out. They stay beside the algorithm and the passive checks."""
    text = f"""
    _format_version: "3.0"
    services: [{{name: goods, host: goods-up, routes: [{{paths: [/goods]}}]}}]
    upstreams:
    - {{name: goods-up, {algorithm}healthchecks: {{passive: {{unhealthy: {{timeouts: 2}}}}}},
       targets: [{{target: "10.0.0.1:80"}}, {{target: "10.0.0.2:80", weight: 300}}, {{target: "10.0.0.3:80", weight: 0}}]}}
    """
    found = imported(tmp_path, a_yaml=text)
    goods = found.scenario.services["goods"]
    assert goods.replicas == 2
    assert (goods.load_balancing.policy, goods.load_balancing.weights) == (policy, (100, 300))
    assert goods.load_balancing.passive_health_checks.timeouts == 2
    assert "weights of the targets of upstream goods-up" in found.text


def test_weights_of_targets_that_another_file_describes_are_left_out(tmp_path):
    kong = """
    _format_version: "3.0"
    services: [{name: goods, host: goods-up, routes: [{paths: [/goods]}]}]
    upstreams: [{name: goods-up, targets: [{target: "shop:80"}, {target: "10.0.0.2:80", weight: 300}]}]
    """
    compose = "services: {shop: {image: x, deploy: {replicas: 2}}}"
    found = imported(tmp_path, a_yaml=kong, b_yaml=compose)
    assert "which replica is which target no file says" in found.text


def test_active_checks_of_kong_have_an_interval_for_each_side(tmp_path):
    text = """
    _format_version: "3.0"
    services: [{name: goods, host: goods-up, routes: [{paths: [/goods]}]}]
    upstreams:
    - name: goods-up
      targets: [{target: "10.0.0.1:8000"}, {target: "10.0.0.2:8000"}]
      healthchecks:
        active: {healthy: {interval: 5, successes: 2}, unhealthy: {interval: 1, tcp_failures: 3, timeouts: 2}}
        passive: {healthy: {successes: 1}, unhealthy: {http_failures: 5, tcp_failures: 4}}
    """
    goods = imported(tmp_path, a_yaml=text).document["services"]["goods"]
    assert goods["health_checks"] == {
        "interval": "5s",
        "unhealthy_interval": "1s",
        "timeout": "1s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 2,
    }
    counts = {"http_failures": 5, "tcp_failures": 4, "successes": 1}
    assert goods["load_balancing"] == {"policy": "round_robin", "passive_health_checks": counts}


def test_no_secret_and_no_consumer_is_repeated(gateway):
    assert "hush" not in gateway.text + str(gateway.imported.told.as_json())
    assert gateway.left_out("plugin rate-limiting of a consumer")[0][1] == "all users are treated alike"


def test_kong_and_manifests_are_joined_by_name_and_kong_itself_is_the_gateway(tmp_path):
    manifests = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: orders-v3, namespace: corner}
    spec:
      replicas: 4
      template:
        metadata: {labels: {app: orders}}
        spec: {containers: [{name: main, image: example/orders}]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: orders, namespace: corner}
    spec: {selector: {app: orders}}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: entrance, namespace: corner}
    spec:
      replicas: 2
      template:
        metadata: {labels: {app: entrance}}
        spec: {containers: [{name: proxy, image: "kong/kong-gateway:3.10", resources: {limits: {cpu: 4}}}]}
    """
    for order in ({"a_yaml": manifests, "b_yaml": SAMPLE}, {"a_yaml": SAMPLE, "b_yaml": manifests}):
        found = imported(tmp_path, **order)
        assert found.document["gateway"]["routes"]["read-order"]["to"] == "orders-v3.handle"
        assert found.document["services"]["orders-v3"]["replicas"] == 4
        assert found.document["gateway"]["replicas"] == 2
        assert found.document["gateway"]["workers"] == 4
        assert set(found.document["services"]) == {"orders-v3", "goods"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("_format_version: '3.0'\n", "found no service and no route"),
        ("services: [{name: a, host: a}]\n", "service a: has no route: nothing reaches it"),
        (
            "services: [{name: a, url: 'http://[bad', routes: [{paths: [/]}]}]\n",
            "found 'http://[bad', expected a URL such as http://orders:8080/v1",
        ),
        (
            "services: [{name: a, host: a, protocol: tcp, routes: [{paths: [/]}]}]\n",
            "found the protocol tcp, expected http or grpc",
        ),
        ("plugins: [{name: cors, config: {}}]\n", "plugin cors"),
        ("plugins: [{name: proxy-cache, config: {cache_ttl: 60}}]\n", "cache: {key: item, ttl: 60s}"),
    ],
)
def test_what_makes_no_scenario_is_told(tmp_path, text, words):
    with pytest.raises(ScenarioError) as told:
        imported(tmp_path, a_yaml=text)
    assert words in str(told.value)


def test_lists_of_other_tools_are_not_taken_for_kong(tmp_path):
    with pytest.raises(ScenarioError, match="found a map with services, expected one of"):
        imported(tmp_path, a_yaml="services: [{name: a, uses: [{one: b}]}]\n")


def test_a_misspelt_entity_is_told_with_the_nearest(tmp_path):
    found = imported(
        tmp_path, a_yaml="_format_version: '3.0'\nservices: [{name: a, host: a, routes: [{paths: [/]}]}]\nplugin: []\n"
    )
    assert found.left_out("plugin")[0][1] == "is no entity of Kong; did you mean 'plugins'?"


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: door, annotations: {{nginx.ingress.kubernetes.io/limit-rps: "5"}}}}
spec: {{defaultBackend: {{service: {{name: {name}}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec: {{containers: [{{name: main, image: "{image}"}}]}}
"""
ONE = "services: [{name: a, host: a, routes: [{name: r, paths: [/]}]}]\nplugins: [{name: rate-limiting, config: {minute: 9}}]\n"


def test_an_ingress_before_kong_is_the_door_to_it(tmp_path):
    found = imported(tmp_path, a_yaml=INGRESS.format(name="proxy", image="kong:3"), b_yaml=ONE)
    assert list(found.document["gateway"]["routes"]) == ["r"]
    assert [limit["rate"] for limit in found.document["gateway"]["rate_limits"]] == ["5/s", "9/m"]
    assert list(found.document["services"]) == ["a"]


def test_of_an_ingress_beside_kong_no_limit_holds_for_all(tmp_path):
    found = imported(tmp_path, a_yaml=INGRESS.format(name="other", image="x"), b_yaml=ONE)
    assert list(found.document["gateway"]["routes"]) == ["/", "r"]
    assert "rate_limits" not in found.document["gateway"]
    routes = found.document["gateway"]["routes"]
    assert routes["/"]["rate_limits"] == [{"preset": "nginx", "per": "ip", "rate": "5/s", "burst": 25, "nodelay": True}]
    assert routes["r"]["rate_limits"] == [{"per": "consumer", "preset": "kong", "rate": "9/m"}]
