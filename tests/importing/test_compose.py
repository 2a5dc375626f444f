"""Docker compose: what the Compose Specification says a file means, as far as a scenario can say it."""

import pytest

from sim.errors import ScenarioError
from tests.importing.files import imported

SHOP = """
services:
  web:
    image: example/web
    ports: ["8080:80"]
    environment:
      CART_URL: http://cart:7070/items
      CATALOGUE_HOST: catalogue
    depends_on: [flags]
  cart:
    image: example/cart
    deploy:
      replicas: 3
      resources: {limits: {cpus: "0.5", memory: 300M}}
    environment: ["REDIS=redis://user:secret@store:6379/0", WEB_CONCURRENCY=4]
  catalogue: {image: example/catalogue, cpus: 2, scale: 2}
  store: {image: "redis:7", ports: ["6379:6379"]}
  flags: {image: example/flags}
  jaeger: {image: jaegertracing/all-in-one, ports: ["16686:16686"]}
"""


def test_replicas_limits_and_calls_come_with_the_line_they_stand_in(tmp_path):
    found = imported(tmp_path, a_yaml=SHOP)
    services = found.document["services"]
    assert list(services) == [
        "web",
        "cart",
        "catalogue",
        "flags",
        "store",
    ]  # as requests meet them; what only watches is none
    assert services["cart"]["replicas"] == 3
    assert services["cart"]["workers"] == 4
    assert services["cart"]["cpu"] == "500m"
    assert services["catalogue"]["replicas"] == 2
    assert services["catalogue"]["cpu"] == 2
    assert "replicas" not in services["web"]
    assert found.remark("replicas: 3") == "replicas: 3 # line 12"
    assert "cpus 0.5 (line 13)" in found.text
    assert [step["call"] for step in services["web"]["endpoints"]["handle"][1:]] == [
        "cart.handle",
        "catalogue.handle",
        "flags.handle",
    ]
    assert found.remark("call: cart.handle") == "- call: cart.handle # guessed from CART_URL (line 6)"
    assert "depends_on" in found.remark("call: flags.handle")
    assert [step["call"] for step in services["cart"]["endpoints"]["handle"][1:]] == ["store.handle"]


def test_no_value_of_a_setting_is_repeated(tmp_path):
    found = imported(tmp_path, a_yaml=SHOP)
    assert "secret" not in found.text + str(found.imported.told)


def test_requests_come_in_where_a_port_is_published_and_nobody_else_calls(tmp_path):
    found = imported(tmp_path, a_yaml=SHOP)
    assert (
        found.document["traffic"]["clients"]["sends"] == "web.handle"
    )  # not the database, though it is published as well
    assert "requests come in at web: publishes port 8080" in str(found.imported.told)


def test_what_nobody_measured_is_marked_and_told(tmp_path):
    found = imported(tmp_path, a_yaml=SHOP)
    marked = {
        (value.lstrip("- ").split(" ")[0], what.split(";")[0]) for _, value, what in found.imported.told.to_be_supplied
    }
    assert ("work:", "the time that a request takes here") in marked
    assert ("arrivals:", "how many requests come") in marked
    for line, value, _ in found.imported.told.to_be_supplied:
        assert value in found.text.splitlines()[line - 1]
    assert found.left_out("memory limits") == [(13, "memory is not modelled")]
    assert found.left_out("service jaeger (observability)")


def test_later_files_go_on_top_of_earlier_ones_and_variables_come_from_files_that_are_named(tmp_path):
    base = """
    services:
      web:
        image: example/web:${TAG:-latest}
        ports: ["80:80"]
        environment: {API_ADDR: "${API_HOST}:9000"}
      api:
        deploy: {replicas: "${REPLICAS}"}
    """
    over = """
    services:
      api: {deploy: {replicas: 5, resources: {limits: {cpus: 1.5}}}}
    """
    found = imported(tmp_path, a_yaml=base, b_yaml=over, c_env="# of production\nAPI_HOST=api\nexport REPLICAS='7'\n")
    assert found.document["services"]["api"]["replicas"] == 5
    assert found.document["services"]["api"]["cpu"] == "1500m"
    assert found.remark("call: api.handle").endswith("# guessed from API_ADDR (a.yaml:5)")
    assert imported(tmp_path, a_yaml=base, c_env="REPLICAS=7").document["services"]["api"]["replicas"] == 7


def test_a_variable_without_a_value_is_told_and_its_name_is_a_guess(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
        services:
          web: {ports: ["80:80"], environment: [PRODUCT_CATALOG_ADDR], deploy: {replicas: "${N}"}}
          product-catalog: {image: example/catalog}
        """,
    )
    assert found.left_out("replicas") == [(2, "found '${N}', expected a number")]
    assert "guessed from the name PRODUCT_CATALOG_ADDR alone" in found.remark("call: product-catalog.handle")


def test_merge_keys_anchors_and_extends_are_followed(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
        x-base: &base {deploy: {replicas: 4}, image: example/base}
        services:
          one: {<<: *base, ports: ["80:80"]}
          two: {<<: *base, deploy: {replicas: 2}}
          three: {extends: {service: one}, image: example/three}
          four: {extends: {file: other.yaml, service: one}}
        """,
    )
    replicas = {name: service.get("replicas") for name, service in found.document["services"].items()}
    assert replicas == {"one": 4, "two": 2, "three": 4, "four": None}
    assert found.left_out("extends of four") == [
        (6, "is a file that was not named here; name it too, before the compose file")
    ]


def test_what_does_not_run_is_left_out(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
        services:
          web: {ports: ["80:80"]}
          off: {deploy: {replicas: 0}}
          tools: {profiles: [debug]}
          everywhere: {deploy: {mode: global}}
        """,
    )
    assert list(found.document["services"]) == ["web", "everywhere"]
    assert found.left_out("service off") == [(3, "has 0 replicas: nothing runs")]
    assert found.left_out("service tools") == [(4, "starts only with the profile debug")]
    assert "TO BE SUPPLIED" in found.remark("one on each node")


def test_a_load_generator_is_the_traffic_and_says_where_it_comes_in(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
        services:
          web: {ports: ["80:80"], environment: {API: "http://api/"}}
          api: {ports: ["81:80"]}
          loadgenerator: {image: example/loadgenerator, environment: {TARGET_ADDR: "api:80", USERS: "25"}}
        """,
    )
    clients = found.document["traffic"]["clients"]
    assert clients["arrivals"] == {"closed": {"users": 25, "think": "1s"}}
    assert clients["sends"] == "api.handle"
    assert "loadgenerator" not in found.document["services"]


def test_a_circle_of_calls_is_opened_and_told(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="""
        services:
          web: {ports: ["80:80"], environment: {A: "http://a/"}}
          a: {environment: {B: "http://b/"}}
          b: {environment: {C: "http://c/"}}
          c: {environment: {A: "http://a/"}}
        """,
    )
    assert [why for _, why in found.left_out("call of a by c")] == ["would close a circle; guessed from A (a.yaml:5)"]
    assert "c.handle" in found.text


def test_nobody_known_to_call_a_service_is_said(tmp_path):
    found = imported(tmp_path, a_yaml="services: {web: {ports: ['80:80']}, lonely: {image: example/lonely}}")
    assert "who calls lonely: the files do not say" in str(found.imported.told)
    assert found.imported.told.as_json()["unreached"] == ["lonely"]


def test_names_that_the_language_has_other_uses_for_are_changed_and_told(tmp_path):
    found = imported(
        tmp_path,
        a_yaml="services: {gateway: {ports: ['80:80'], environment: {A: 'http://a.b/'}}, a.b: {image: example/ab}}",
    )
    assert list(found.document["services"]) == ["gateway-service", "a-b"]
    assert "called gateway in the file" in found.text
    assert "call: a-b.handle" in found.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: {web: [1, 2]}", "found a list of 2, expected a map"),
        ("services: 5", "expected one of: Kubernetes, Docker compose"),
        ("", "found an empty file"),
        ("openapi: 3.0.0\npaths: {}", "paths: found no operation, expected one such as `get` of a path"),
        ("version: 1\ntraffic: {}\nservices: {}", "a scenario already; sim check reads it"),
        ("just words", "found 'just words', expected one of"),
        ("services:\n\tweb: {}", "found a tab"),
        ("services: {web: {image: 'x'}, web", "the file ends inside an open bracket"),
        (
            "a: {{ .Values.name }}\n",
            "found a template ('{{ .Values.name }}'), expected what it is rendered to: helm template",
        ),
    ],
)
def test_what_is_no_compose_file_is_told_with_place_finding_and_expectation(tmp_path, text, words):
    with pytest.raises(ScenarioError) as told:
        imported(tmp_path, a_yaml=text)
    assert words in str(told.value)
    assert "a.yaml" in str(told.value)


def test_a_kind_that_is_insisted_on_is_held_against_the_content(tmp_path):
    with pytest.raises(ScenarioError, match="found what seems to be Docker compose, expected KEY=VALUE"):
        imported(tmp_path, "variables", a_yaml=SHOP)
