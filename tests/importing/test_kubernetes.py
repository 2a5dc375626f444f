"""Kubernetes manifests: what the API documents an object to mean, as far as a scenario can say it."""

from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.importing.capacity import cpus_of
from tests.importing.files import imported

SAMPLE = (Path(__file__).parent / "samples" / "kubernetes.yaml").read_text()


def deployment(name, more="", labels="", container="", kind="Deployment"):
    return f"""
---
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}}}
spec:
  {more}
  template:
    metadata: {{labels: {{app: {name}{labels}}}}}
    spec: {{containers: [{{name: main, image: example/{name}{container}}}]}}
"""


@pytest.fixture
def shop(tmp_path):
    return imported(tmp_path, a_yaml=SAMPLE)


def test_replicas_and_limits_of_the_main_container_are_taken(shop):
    storefront = shop.document["services"]["storefront"]
    assert storefront["replicas"] == 3
    assert storefront["cpu"] == {"limit": "1500m", "request": "250m"}  # of the server, not the 4 of its sidecar
    assert storefront["workers"] == 64
    assert "limits.cpu 1500m (line 37)" in shop.text
    assert "requests.cpu 250m" in shop.text
    assert "replicas" not in shop.document["services"]["basket-redis"]  # 1 is the default of both


@pytest.mark.parametrize(
    ("quantity", "cpus"),
    [
        ("200m", 0.2),
        ("2", 2.0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("250000u", 0.25),
        ("1k", 1000.0),
        ("many", None),
        ("", None),
    ],
)
def test_quantities(quantity, cpus):
    """kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity"""
    assert cpus_of(quantity) == pytest.approx(cpus)


def test_versions_behind_one_service_are_one_service(shop):
    catalogue = shop.document["services"]["catalogue"]
    assert catalogue["replicas"] == 3  # 2 of v1, and 1 of v2
    assert "Deployment catalogue-v1" in shop.remark("replicas: 3 # all together")
    assert "catalogue-v1" not in shop.document["services"]


def test_calls_are_guessed_from_addresses_config_maps_references_and_names(shop):
    def callees(name):
        return [step["call"] for step in shop.document["services"][name]["endpoints"]["handle"] if "call" in step]

    assert callees("storefront") == ["catalogue.handle", "basket.handle"]
    assert callees("basket") == ["mailer.handle", "basket-redis.handle"]
    assert shop.remark("call: catalogue.handle").endswith(
        "# guessed from CATALOGUE_URL (line 10)"
    )  # where the ConfigMap has it
    assert "hush" not in shop.text + str(shop.imported.told.as_json())


def test_an_autoscaler_looks_at_the_share_of_what_is_requested(shop):
    """60 % of the 100m that a pod requests are 6 % of what it is let have."""
    basket = shop.scenario.services["basket"]
    assert (basket.replicas, basket.cores, basket.autoscaling.min, basket.autoscaling.max) == (2, 1, 2, 8)
    (metric,) = basket.autoscaling.metrics
    assert metric.cpu == pytest.approx(0.06)
    assert basket.autoscaling.behavior.scale_down.stabilization == 120.0
    assert shop.text.count("start: {time: 30s} # TO BE SUPPLIED: from the decision until a replica is ready") == 2


def test_a_scaled_object_looks_at_the_lag_of_its_group(shop):
    mailer = shop.scenario.services["mailer"].autoscaling
    assert (mailer.min, mailer.max, mailer.polling_interval, mailer.cooldown_period) == (0, 6, 30.0, 300.0)
    assert (mailer.metrics[0].lag.group, mailer.metrics[0].lag.target) == ("mailer", 50.0)


def test_a_trigger_on_a_topic_says_who_consumes_it_and_a_kafka_topic_how_many_partitions_it_has(shop):
    assert shop.document["services"]["mailer"]["consumes"]["orders"]["group"] == "mailer"
    assert shop.document["brokers"] == {"kafka": {"kind": "log", "topics": {"orders": {"partitions": 12}}}}
    assert "who publishes to orders: the files do not say" in str(shop.imported.told)


def test_an_ingress_is_the_gateway(shop):
    gateway = shop.document["gateway"]
    assert {name: route["to"] for name, route in gateway["routes"].items()} == {
        "/": "storefront.handle",
        "/goods": "catalogue.handle",
    }
    # limit_req ... burst=50 nodelay, 5 times the rate by default
    assert gateway["rate_limits"] == [{"preset": "nginx", "per": "ip", "rate": "10/s", "burst": 50, "nodelay": True}]
    policy = shop.scenario.policies["ingress-shop"]
    assert policy.timeout == 5.0
    assert policy.retry.max_attempts == 3
    assert set(policy.retry.on) == {"timeout", "unreachable"}
    assert shop.document["traffic"]["clients"]["sends"] == {"/": "50%", "/goods": "50%"}


def test_probes_are_kept_as_comments(shop):
    assert shop.remark("# readinessProbe") == "# readinessProbe every 5s, 3 failures, timeout 1s (line 38)"
    assert [line for line, _ in shop.left_out("readinessProbes")] == [38]


def test_several_namespaces_and_an_older_api(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
        apiVersion: extensions/v1beta1
        kind: Deployment
        metadata: {name: web, namespace: a}
        spec:
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: web, image: x, env: [{name: PEER_ADDR, value: "web.b:80"}]}]}
        """,
        b_yaml="""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: b}
        spec:
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: web, image: x}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: b}
        spec: {selector: {app: web}}
        ---
        apiVersion: extensions/v1beta1
        kind: Ingress
        metadata: {name: door, namespace: a}
        spec: {backend: {serviceName: nowhere, servicePort: 80}}
        """,
    )
    assert [step["call"] for step in found.document["services"]["a-web"]["endpoints"]["handle"][1:]] == ["b-web.handle"]
    assert "no file describes it; Ingress leads to it" in found.text
    assert found.document["gateway"]["routes"]["/"]["to"] == "nowhere.handle"
    assert "a.yaml:2" in found.text  # with several files the remarks say which


def test_a_load_balancer_is_where_requests_come_in(tmp_path):
    service = (
        "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: door}\nspec: {type: LoadBalancer, selector: {app: b}}\n"
    )
    found = imported(tmp_path, a_yaml=deployment("a") + deployment("b") + service)
    assert found.document["traffic"]["clients"]["sends"] == "b.handle"
    assert "requests come in at b: Service door is a LoadBalancer" in str(found.imported.told)


def test_without_any_entry_one_is_chosen_and_said(tmp_path):
    found = imported(tmp_path, a_yaml=deployment("a") + deployment("b", container=', args: ["http://a/"]'))
    assert found.document["traffic"]["clients"]["sends"] == "b.handle"
    assert "no file says where requests come in, and nobody is known to call it" in str(found.imported.told)


def test_what_does_not_run_or_is_owned_is_left_out(tmp_path):
    owned = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a-x1, ownerReferences: [{kind: ReplicaSet}]}\nspec: {containers: [{name: a}]}\n"
    other = "\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n"
    found = imported(tmp_path, a_yaml=deployment("a") + deployment("off", "replicas: 0") + owned + other)
    assert list(found.document["services"]) == ["a"]
    assert found.left_out("Deployment off")[0][1] == "has 0 replicas: nothing runs"
    assert found.left_out("Widget w (example.com/v1)")[0][1] == "is of a kind that is not read"


def test_fields_of_a_wrong_form_are_told_with_place_finding_and_expectation(tmp_path):
    text = deployment("a", "replicas: three", container=", env: 5, resources: {limits: {cpu: much}}")
    found = imported(tmp_path, a_yaml=text)
    assert found.left_out("replicas")[0][1] == "found 'three', expected a number"
    assert found.left_out("env")[0][1] == "found 5, expected a list"
    assert found.left_out("cpu")[0][1] == "found 'much', expected a quantity such as 500m or 2"


def test_json_indented_with_tabs_is_read(tmp_path):
    found = imported(
        tmp_path,
        a_json='{\n\t"apiVersion": "v1",\n\t"kind": "Pod",\n\t"metadata": {"name": "a"},\n\t"spec": {"containers": [{"name": "a", "image": "x"}]}\n}\n',
    )
    assert list(found.document["services"]) == ["a"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
            "found no service and no route, expected at least one",
        ),
        ("apiVersion: v2\nname: shop\nversion: 0.1.0\n", "a chart of Helm; render it first"),
        ("replicaCount: 2\nimage: {repository: x}\n", "the values of a Helm chart"),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}-web\n",
            "found a template ('{{ .Release.Name }}-web')",
        ),
        (
            'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: "{{ .Release.Name }}"}\n',
            "a template, expected what it is rendered to",
        ),
    ],
)
def test_what_makes_no_scenario_is_told(tmp_path, text, words):
    with pytest.raises(ScenarioError) as told:
        imported(tmp_path, a_yaml=text)
    assert words in str(told.value)


def test_manifests_and_compose_files_together_are_one_system(tmp_path):
    found = imported(
        tmp_path,
        a_yaml=deployment("a", container=', env: [{name: B_ADDR, value: "b:80"}]'),
        b_yaml="services: {b: {image: example/b}}",
    )
    assert [step["call"] for step in found.document["services"]["a"]["endpoints"]["handle"][1:]] == ["b.handle"]


def test_what_has_to_be_rendered_first_says_how(tmp_path):
    with pytest.raises(
        ScenarioError, match=r"names other files; render it first: kubectl kustomize DIR \| sim import -"
    ):
        imported(
            tmp_path, a_yaml="apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n"
        )


def test_json_writes_what_is_beyond_16_bits_in_pairs(tmp_path):
    found = imported(
        tmp_path,
        a_json='{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"mood": "\\ud83d\\ude00"}}, "spec": {"containers": [{"name": "a"}]}}',
    )
    assert list(found.document["services"]) == ["a"]


def test_a_host_name_is_that_of_the_service_even_where_a_workload_has_it(tmp_path):
    service = "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: b}}\n"
    found = imported(
        tmp_path,
        a_yaml=deployment("a") + deployment("b") + deployment("c", container=", args: ['http://a/']") + service,
    )
    assert [step["call"] for step in found.document["services"]["c"]["endpoints"]["handle"][1:]] == ["b.handle"]


def test_a_route_to_what_only_watches_goes_with_it(tmp_path):
    ingress = """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: door}
spec:
  rules:
    - http:
        paths:
          - {path: /, backend: {service: {name: a}}}
          - {path: /grafana, backend: {service: {name: grafana}}}
"""
    found = imported(tmp_path, a_yaml=deployment("a") + deployment("grafana") + ingress)
    assert list(found.document["gateway"]["routes"]) == ["/"]
    assert found.left_out("route /grafana")[0][1] == "leads to what is no service (observability)"
