"""Variants are merge patches, and a merged scenario can be told as a patch again."""

import pytest

from sim.spec.patching import difference, difference_of_variant, merge, merge_variant, vain_removals
from sim.spec.scenario import Scenario
from sim.spec.shape import shape_of

SHAPE = shape_of(Scenario)
TOP = {
    "traffic": {"t": {"arrivals": {"closed": {"users": 5, "think": "1s"}}, "timeout": "5s"}},
    "services": {"a": {"workers": 1, "endpoints": {"x": [{"work": "1ms"}]}}, "profile": {"workers": 2, "replicas": 3}},
    "policies": {"p": {"retry": {"budget": "20%", "max_attempts": 3}, "timeout": "1s"}},
    "network": {"default": {"latency": {"exponential": "1ms"}, "loss": "1%"}},
    "record": "summary",
    "expect": ["lost_orders == 0"],
}


@pytest.mark.parametrize(
    ("patch", "path", "value"),
    [
        ({"services": {"a": {"workers": 9}}}, "services.a.workers", 9),
        ({"services": {"a": {"workers": 9}}}, "services.profile.replicas", 3),
        (
            {"services": {"profile": {"replicas": 8}}},
            "services.profile",
            {"workers": 2, "replicas": 8},
        ),  # also a word for arrivals
        ({"services": {"a": {"endpoints": {"x": [{"wait": "2ms"}]}}}}, "services.a.endpoints.x", [{"wait": "2ms"}]),
        ({"traffic": {"t": {"arrivals": {"closed": {"users": 9}}}}}, "traffic.t.arrivals", {"closed": {"users": 9}}),
        ({"traffic": {"t": {"arrivals": {"poisson": "5/s"}}}}, "traffic.t.arrivals", {"poisson": "5/s"}),
        (
            {"network": {"default": {"latency": {"constant": "5ms"}}}},
            "network.default",
            {"latency": {"constant": "5ms"}, "loss": "1%"},
        ),
        (
            {"policies": {"p": {"retry": {"budget": {"ttl": "5s"}}}}},
            "policies.p.retry.budget",
            {"ratio": "20%", "ttl": "5s"},
        ),
        ({"record": {"interval": "5s"}}, "record", {"keep": "summary", "interval": "5s"}),
        ({"record": "rows"}, "record", "rows"),
        ({"policies": {"p": {"retry": None}}}, "policies.p", {"timeout": "1s"}),
        ({"policies": {"q": {"timeout": "1s", "retry": None}}}, "policies.q", {"timeout": "1s"}),
        ({"expect": ["availability > 90%"]}, "expect", ["lost_orders == 0", "availability > 90%"]),
    ],
)
def test_a_patch_changes_what_it_names(patch, path, value):
    merged = merge_variant(TOP, patch, SHAPE)
    found = merged
    for part in path.split("."):
        found = found[part]
    assert found == value
    assert merge_variant(TOP, difference_of_variant(TOP, merged, SHAPE), SHAPE) == merged


def test_merging_changes_neither_side():
    before = repr(TOP)
    merge(TOP, {"services": {"a": {"workers": 9}}}, SHAPE)
    assert repr(TOP) == before


def test_the_difference_of_equals_is_empty():
    assert difference(TOP, merge(TOP, {}, SHAPE), SHAPE) == {}


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        ({"policies": {"p": {"retry": None}}}, []),
        (
            {"policies": {"p": {"bulkhead": None, "retry": {"jitter": None}}}},
            [],
        ),  # known fields that nobody wrote: as good as removed
        (
            {"policies": {"p": {"retri": None}}},
            [(("policies", "p", "retri"), "unknown field 'retri'; did you mean 'retry'?")],
        ),
        (
            {"policies": {"p": {"retry": {"budget": {"tttl": None}}}}},
            [(("policies", "p", "retry", "budget", "tttl"), "unknown field 'tttl'; did you mean 'ttl'?")],
        ),
        (
            {"services": {"profil": None}},
            [(("services", "profil"), "removes 'profil', which is not there; did you mean 'profile'?")],
        ),
        (
            {"traffic": {"t": {"arrivals": {"closed": None}}}},
            [],
        ),  # a choice is replaced whole, and judged as what it then is
    ],
)
def test_a_removal_of_what_is_not_there_is_a_slip(patch, told):
    assert list(vain_removals(TOP, patch, SHAPE)) == told
