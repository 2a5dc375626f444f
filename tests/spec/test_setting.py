"""--set PATH=VALUE."""

import pytest

from sim.errors import ScenarioError, UsageError
from sim.spec import load_document, load_text


def arrivals(scenario):
    return scenario.traffic["shoppers"].arrivals


def first_work(scenario):
    return scenario.services["orders"].endpoints["create"].do[0].time


@pytest.mark.parametrize(
    ("sets", "read", "values"),
    [
        (["services.orders.replicas=9"], lambda s: s.services["orders"].replicas, [9, 9, 9]),
        (["variants.async.services.orders.replicas=9"], lambda s: s.services["orders"].replicas, [4, 4, 9]),
        (
            ["services.orders.replicas=9", "variants.async.services.orders.replicas=3"],
            lambda s: s.services["orders"].replicas,
            [9, 9, 3],
        ),
        (["services.orders.endpoints.create.0.work=exponential: 5ms"], lambda s: first_work(s).mean, [0.005] * 3),
        (
            ["services.orders.endpoints.create.0.work.lognormal.mean=7ms"],
            lambda s: (first_work(s).mean, first_work(s).p99),
            [(0.007, 0.03)] * 3,
        ),
        (["services.orders.endpoints.create.0.work.exponential=7ms"], lambda s: first_work(s).mean, [0.007] * 3),
        (["traffic.shoppers.arrivals.poisson=50/s"], lambda s: arrivals(s).rate, [50.0] * 3),
        (["traffic.shoppers.arrivals.poisson.rate=50/s"], lambda s: arrivals(s).rate, [50.0] * 3),
        (
            ["traffic.shoppers.arrivals.closed.users=7", "traffic.shoppers.arrivals.closed.think=1s"],
            lambda s: arrivals(s).users,
            [7] * 3,
        ),
        (["gateway.routes.POST /orders.timeout=1s"], lambda s: s.gateway.routes["POST /orders"].timeout, [1.0] * 3),
        (["policies.provider.circuit_breaker=null"], lambda s: s.policies["provider"].circuit_breaker, [None] * 3),
        (["services.inventory.stock=5"], lambda s: s.services["inventory"].stock.items, [5] * 3),
        (["services.orders.queue.capacity=unlimited"], lambda s: s.services["orders"].queue.capacity, [-1] * 3),
        (["duration=20m"], lambda s: s.duration, [1200.0] * 3),
        (["faults.0.for=1m"], lambda s: s.faults[0].lasts, [60.0] * 3),
        (
            ["services.payments.consumes.order-events.max_poll_records=7"],
            lambda s: sum(c.max_poll_records for c in s.services["payments"].consumes.values()),
            [0, 0, 7],
        ),
        (["variants.async.expect=[availability > 90%]"], lambda s: len(s.expect), [0, 0, 6]),
        (["expect=[availability > 90%]"], lambda s: len(s.expect), [1, 1, 1]),
    ],
)
def test_a_setting_wins_over_top_and_variants_and_survives_in_the_document(example, sets, read, values):
    study = load_text(example, sets=sets)
    assert [read(scenario) for scenario in study.variants.values()] == values
    assert load_document(study.document).variants == study.variants


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("services.odrers.workers=3", "unknown path: no 'odrers' in services; did you mean 'orders'?"),
        ("services.orders.wokers=3", "no 'wokers' in services.orders; did you mean 'workers'?"),
        (
            "services.orders.endpoints.create.9.work=3ms",
            "services.orders.endpoints.create is a list of 4; expected a number from 0 to 3",
        ),
        ("services.orders.endpoints.create.work=3ms", "is a list of 4"),
        ("gateway.routes.POST /order.timeout=3ms", "did you mean 'POST /orders'?"),
        ("variants.asnc.services.orders.replicas=9", "unknown variant 'asnc'; did you mean 'async'?"),
        ("variants.async.seed=9", "may not differ between variants"),
        ("variants.async.expect.0=x", "add to those of the top"),
        ("services.orders.replicas", "expected PATH=VALUE"),
        ("services.orders.replicas=", "write null to remove"),
        ("services.orders.replicas=[1", "not YAML"),
        ("services.orders.replicas=&a [*a]", "inside of what it stands for"),
        ("", "expected PATH=VALUE"),
        ("=", "unknown path"),
        ("..=3", "unknown path"),
    ],
)
def test_a_path_that_leads_nowhere_is_an_error_of_usage(example, setting, words):
    with pytest.raises(UsageError) as caught:
        load_text(example, sets=[setting])
    assert words in str(caught.value)


def test_a_wrong_value_is_told_with_the_option_as_its_place(example):
    with pytest.raises(ScenarioError) as caught:
        load_text(example, sets=["services.orders.replicas=lots"])
    assert (
        str(caught.value)
        == "--set services.orders.replicas=lots: services.orders.replicas: found 'lots', expected a whole number"
    )


def test_what_an_endpoint_answers_is_set_also_where_only_its_steps_were_written(example):
    sets = [
        "services.orders.endpoints.create.answers_with.breaker_open=shed",
        "services.orders.endpoints.create.do.0.work=3ms",
    ]
    endpoint = load_text(example, sets=sets).variants["sync"].services["orders"].endpoints["create"]
    assert (endpoint.answers_with, endpoint.do[0].time.mean) == ({"breaker_open": "shed"}, 0.003)
    with pytest.raises(UsageError, match="did you mean 'breaker_open'"):
        load_text(example, sets=["services.orders.endpoints.create.answers_with.braker_open=shed"])
