"""Sliders over settings: both sides on the same luck, known runs not run again, intervals that narrow."""

import pytest

import sim
from sim.errors import ScenarioError, UsageError
from sim.experiments.searching import what_if as searching
from sim.experiments.searching.axes import parse_axis
from sim.experiments.searching.what_if import CHANGED, WRITTEN, WhatIf, nearest, values_of

SMALL = {
    "version": 1,
    "duration": "10s",
    "traffic": {"users": {"sends": "shop.buy", "arrivals": {"poisson": "8/s"}}},
    "services": {"shop": {"workers": 2, "endpoints": {"buy": [{"work": {"exponential": "100ms"}}]}}},
}
WORKERS = "services.shop.workers=1..3"


def test_what_is_written_meets_the_same_luck_whatever_the_slider_says():
    model = WhatIf(SMALL, WORKERS, engine="simpy")
    one, three = (model.compare({"services.shop.workers": count}, 3) for count in "13")
    assert one.variants[WRITTEN].fingerprint == three.variants[WRITTEN].fingerprint
    assert one.variants[CHANGED].fingerprint != three.variants[CHANGED].fingerprint
    offered = [found.variants[CHANGED].per_replication["offered"].tolist() for found in (one, three)]
    assert offered[0] == offered[1]
    same = model.compare({"services.shop.workers": "2"}, 3)
    assert same.identical == {CHANGED: WRITTEN}


def test_a_run_that_is_known_is_not_run_again(monkeypatch):
    ran = []
    real = searching.perform
    monkeypatch.setattr(searching, "perform", lambda job, tick: ran.append(job.replication) or real(job, tick))
    model = WhatIf(SMALL, WORKERS, engine="simpy")
    model.compare({"services.shop.workers": "1"}, 2)
    model.compare({"services.shop.workers": "1"}, 4)  # two more of each side
    assert sorted(ran) == [0, 0, 1, 1, 2, 2, 3, 3]
    model.compare({"services.shop.workers": "3"}, 4)  # of the other side alone
    assert len(ran) == 12


def test_a_slider_goes_through_whole_numbers_or_evenly_through_an_interval():
    assert values_of(parse_axis(WORKERS)) == ("1", "2", "3")
    values = values_of(parse_axis("traffic.users.arrivals.poisson=10/s..50/s"))
    assert (values[0], values[-1], len(values)) == ("10/s", "50/s", 41)
    assert nearest(values, "30.4/s") == "30/s"
    assert nearest(values, None) == "10/s"


def test_a_setting_or_a_variant_that_does_not_exist_is_told_at_once():
    with pytest.raises((UsageError, ScenarioError), match="did you mean 'workers'"):
        WhatIf(SMALL, "services.shop.wokers=1..3")
    with pytest.raises(UsageError, match="unknown variant 'bsae'; did you mean 'base'"):
        WhatIf(SMALL, WORKERS, "bsae")


def test_the_widget_draws_at_once_and_refines():
    from sim.report.what_if import Sliders

    shown = Sliders(WhatIf(SMALL, WORKERS, engine="simpy"), "latency", 4)
    shown.sliders[0].value = "1"
    shown.moved().join()
    assert bytes(shown.picture.value).startswith(b"\x89PNG")
    assert "against" in shown.figures.value or "what if" in shown.figures.value
    assert shown.state.value == "4 replications"


def test_without_ipywidgets_the_extra_is_named(monkeypatch):
    import builtins

    real = builtins.__import__

    def missing(name, *rest):
        if name == "ipywidgets":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match=r"sim-microservices\[notebook\]"):
        sim.what_if(SMALL, WORKERS)
