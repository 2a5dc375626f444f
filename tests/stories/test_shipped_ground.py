"""What shipped scenarios about the ground under calls are built on: CPU quotas and pinned loops, by hand and by theory."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from sim import compiled, load, testing
from sim.experiments.on_paper.offered_load import analysis_of
from sim.experiments.on_paper.unwise import findings
from sim.spec.document import plain
from sim.spec.reading import read_yaml

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def variant_of(name, variant):
    """The document of a shipped scenario with one of its variants, from time 0."""
    document = plain(read_yaml((SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8"), name))
    return {**document, "warmup": "0s", "variants": {variant: document["variants"][variant]}}


@pytest.mark.parametrize(
    ("variant", "at", "alone", "eight"),
    [
        ("no-limit", 0.0, 0.010, 0.040),  # 4 of 8 cores; 320 ms of computing on 8
        ("2-cores", 0.0, 0.010, 0.115),  # 200 ms are used up in 25 ms; 15 more from 100 ms on
        ("1200m", 0.0, 0.010, 0.210),  # 120 ms in 15 ms, again from 100 ms on, and the last 80 in 10 from 200 ms on
        (
            "short",
            0.0085,
            0.015,
            0.1525,
        ),  # 6 ms until 10, 20 until 15, 14 from 20 on; 12, 15 times 20, and 8 from 160 on
        ("two-cores", 0.0, 0.020, 0.160),
    ],
)
def test_a_quota_lets_a_burst_pass_that_fits_into_its_period_and_stops_one_that_does_not(variant, at, alone, eight):
    document = variant_of("cpu-limits", variant)
    assert testing.play(document, [at]).responses() == pytest.approx([alone])
    assert testing.play(document, [at] * 8).responses() == pytest.approx([eight] * 8)


@pytest.mark.parametrize(("variant", "kept"), [("tomcat", 111), ("nginx", 115), ("linux", 115)])
def test_a_short_listen_backlog_makes_connections_late_by_whole_seconds(variant, kept):
    """113 come at 30.1 s and 2 at 31.0 s, into a pause from 30 to 31.5 s. Ten are with the idle workers, which stand
    still, and the kernel keeps 100 and one more. The SYNs of the last two of the first are dropped at 30.1 and 31.1 s
    and find room at 33.1 s, those of 31.0 s find it at 32.0 s. What is kept is worked off ten by ten, in 10 ms each.
    """
    came = [30.1] * 113 + [31.0] * 2
    ends = [31.5 + 0.01 * math.ceil(place / 10) for place in range(1, kept + 1)]
    ends += [33.11, 33.11, 32.01, 32.01] if kept < 115 else []
    played = testing.play(variant_of("listen-backlog", variant), came)
    assert played.responses() == pytest.approx([end - begin for end, begin in zip(ends, came, strict=True)])


@pytest.mark.parametrize(("variant", "busiest"), [("any", 0.0), ("pinned", 0.0), ("few", 0.0), ("one-busy-proxy", 107)])
def test_check_names_the_loop_that_has_more_to_do_than_it_can(variant, busiest):
    """Of ten proxies after Zipf, 1 to 1/10 and 2.929 in all, the first, fifth and ninth go to one loop: 1.3111 / 2.929 of
    2.4 Erlang."""
    scenario = load(SCENARIOS / "event-loops.yaml").variants[variant]
    analysis = analysis_of(scenario)
    found = [one.finding for one in findings(analysis, analysis.load("")) if one.kind == "hot_loops"]
    expected = f"its busiest loop has {busiest}% of what it can do at the peak, and all together 60%"
    assert found == ([expected] if busiest else [])
    assert 100 * (1 + 1 / 5 + 1 / 9) / sum(1 / rank for rank in range(1, 11)) * 2.4 == pytest.approx(107.4, abs=0.1)


@pytest.mark.long
def test_four_loops_of_their_own_wait_as_four_queues_and_shared_ones_as_one():
    """M/M/1 at 300/s of 500/s: 1 / 200 s, p99 ln 100 times that; M/M/4 by Erlang's C."""
    erlangs, servers = 2.4, 4
    last = erlangs**servers / math.factorial(servers) * servers / (servers - erlangs)
    waits = last / (sum(erlangs**count / math.factorial(count) for count in range(servers)) + last)
    shared = 0.002 + waits / (servers * 500 - 1200)
    study = load(SCENARIOS / "event-loops.yaml")
    for variant, mean in (("any", shared), ("pinned", 1 / 200)):
        requests = compiled.simulate(study.variants[variant], 0).requests
        response = (requests["end"] - requests["arrival"])[requests["arrival"] > 10.0]
        response = response[~np.isnan(response)]
        assert response.mean() == pytest.approx(mean, rel=0.05)
        if variant == "pinned":
            assert np.quantile(response, 0.99) == pytest.approx(math.log(100) / 200, rel=0.1)
