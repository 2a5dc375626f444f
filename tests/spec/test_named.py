"""What a variant adds and nothing refers to, under a name much like one that is there, is a slip; what is meant stays fine."""

import pytest

from sim.errors import ScenarioError
from sim.spec import load_document, load_text
from sim.spec.named import named_things

TEXT = """version: 1
duration: 1m
traffic: {t: {sends: GET /a, arrivals: {poisson: 1/s}}}
gateway: {workers: 1, routes: {GET /a: {to: shop.buy, policy: outer}}}
services:
  shop: {workers: 1, endpoints: {buy: [{call: payments.charge, policy: provider}, {publish: orders}]}}
  payments: {workers: 1, endpoints: {charge: [{work: 1ms}]}}
  mail: {workers: 1, endpoints: {}, consumes: {orders: {group: g, do: [{work: 1ms}]}}}
brokers: {kafka: {kind: log, topics: {orders: {partitions: 1}}}}
policies: {provider: {timeout: 1s}, outer: {timeout: 2s}}
variants:
  base: {}
"""
SERVICE = "{workers: 1, endpoints: {charge: [{work: 1ms}]}}"


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (
            "policies: {provv: {timeout: 5s}}",
            "s.yaml:13:22: variants.other.policies.provv: adds the policy 'provv', which nothing refers to; did you mean 'provider'?",
        ),
        (
            f"services: {{paymnets: {SERVICE}}}",
            "variants.other.services.paymnets: adds the service 'paymnets', which nothing refers to; did you mean 'payments'?",
        ),
        (
            "services: {payments: {endpoints: {charg: [{work: 2ms}]}}}",
            "adds the endpoint 'charg', which nothing refers to; did you mean 'charge'?",
        ),
        (
            "gateway: {routes: {GET /aa: {to: shop.buy}}}",
            "adds the route 'GET /aa', which nothing refers to; did you mean 'GET /a'?",
        ),
        (
            "brokers: {kafka: {topics: {order: {partitions: 4}}}}",
            "adds the topic 'order', which nothing refers to; did you mean 'orders'?",
        ),
    ],
)
def test_a_name_of_a_patch_that_nothing_refers_to_is_told_with_the_nearest(patch, words):
    with pytest.raises(ScenarioError) as caught:
        load_text(f"{TEXT}  other: {{{patch}}}\n", "s.yaml")
    assert words in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    "patch",
    [
        "policies: {provider2: {timeout: 5s}}, services: {shop: {endpoints: {buy: [{call: payments.charge, policy: provider2}]}}}",
        f"services: {{payments2: {SERVICE}, shop: {{endpoints: {{buy: [{{call: payments2.charge, policy: provider}}]}}}}}}",
        f"services: {{paymentz: {SERVICE}}}, faults: [{{at: 1s, outage: paymentz}}]",
        "policies: {quite_another: {timeout: 5s}}",
        "services: {payments: {workers: 5}}",
    ],
)
def test_what_a_patch_adds_and_refers_to_is_meant(patch):
    study = load_text(f"{TEXT}  other: {{{patch}}}\n")
    assert load_document(study.document).variants == study.variants


def test_what_the_top_has_and_only_a_variant_uses_is_meant():
    text = TEXT.replace("policies: {", "policies: {providers: {timeout: 3s}, ")
    other = "services: {shop: {endpoints: {buy: [{call: payments.charge, policy: providers}]}}}"
    variants = load_text(f"{text}  other: {{{other}}}\n").variants
    unused = {
        name: [thing.name for thing in named_things(scenario) if not thing.used] for name, scenario in variants.items()
    }
    assert unused == {"base": ["providers"], "other": ["provider"]}
