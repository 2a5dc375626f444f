"""Exemplars: spans and stages of the slowest requests and of a sample by lot, the same on both engines, however long the run is."""

import numpy as np
import pytest

import sim
from sim import compiled, models
from sim.chance.keyed import lot
from sim.compiled.machine import Machine
from sim.compiled.rows.tables import TABLES
from sim.compiled.wiring import Wiring
from sim.models.running import run
from sim.models.world import World
from sim.records import exemplars as chosen
from tests.compiled.same import differences
from tests.compiled.test_same_records import KITCHEN_SINK

pytestmark = pytest.mark.xdist_group("compiled")

ENGINES = pytest.mark.parametrize("simulate", [models.simulate, compiled.simulate], ids=["simpy", "compiled"])

FROZEN = """
version: 1
duration: 60s
warmup: 10s
record: {spans: exemplars}
services: {desk: {workers: unlimited, endpoints: {ask: [{wait: 10ms}]}}}
traffic: {callers: {sends: desk.ask, arrivals: {deterministic: 20/s}}}
faults: [{name: frozen, at: 30s, for: 10s, outage: desk, how: hang}]
"""
QUEUE = """
version: 1
duration: 100s
record: {spans: exemplars}
services: {desk: {workers: 1, endpoints: {ask: [{work: {exponential: 6ms}}]}}}
traffic: {callers: {sends: desk.ask, arrivals: {poisson: 100/s}}}
"""

KEPT = ("stage_notes", "span_notes", "request_notes", "stage_records", "span_records", "candidate_records")


def only(text, sets=()):
    return next(iter(sim.load_text(text, sets=sets).variants.values()))


def of_least_lot(requests, count=100):
    return {entity for _, entity in sorted((lot(entity), entity) for entity in requests["id"].tolist())[:count]}


@ENGINES
def test_the_slowest_are_those_that_stood_longest_in_the_freeze(simulate):
    records = simulate(only(FROZEN))
    arrival = dict(zip(records.requests["id"].tolist(), records.requests["arrival"].tolist(), strict=True))
    stood = {entity for entity, at in arrival.items() if 30.0 <= at < 35.0}
    assert len(stood) == 100
    sample = of_least_lot(records.requests[records.requests["arrival"] >= 10.0])
    assert set(records.spans["request"].tolist()) == stood | sample
    assert set(records.stages["request"].tolist()) == stood | sample
    assert min(arrival[entity] for entity in sample) < 15, "from the whole of the run"
    assert max(arrival[entity] for entity in sample) > 55


def test_exemplars_have_the_rows_that_all_would_have_in_the_order_in_which_they_closed():
    sets = ["warmup=3s", "traffic.crowd.arrivals.poisson=30/s"]
    everything = models.simulate(only(KITCHEN_SINK, sets))
    records = compiled.simulate(only(KITCHEN_SINK, [*sets, "record.spans=exemplars"]))
    assert differences(models.simulate(only(KITCHEN_SINK, [*sets, "record.spans=exemplars"])), records) == []
    assert records.exemplary
    assert not everything.exemplary
    assert records.fingerprint() == everything.fingerprint()
    counted = everything.requests[everything.requests["arrival"] >= 3.0]
    answered = counted[~np.isnan(counted["end"])]
    slowest = np.lexsort((answered["id"], answered["arrival"] - answered["end"]))[:100]
    wanted = set(answered["id"][slowest].tolist()) | of_least_lot(counted)
    assert 100 < len(wanted) < 200
    for table in ("spans", "stages"):
        rows = getattr(everything, table)
        expected = np.concatenate(
            [rows[rows["request"] == entity] for entity in everything.requests["id"].tolist() if entity in wanted]
        )
        assert getattr(records, table).tobytes() == expected.tobytes(), table


def test_a_request_that_was_never_answered_can_be_in_the_sample():
    scenario = only(QUEUE, ["duration=2s", "services.desk.endpoints.ask=[{work: 10s}]"])
    records = compiled.simulate(scenario)
    assert np.isnan(records.requests["end"]).all()
    assert len(records.spans) == 100
    assert np.isnan(records.spans["ended"]).all()
    assert differences(models.simulate(scenario), records) == []


def test_what_is_kept_does_not_grow_with_the_run(monkeypatch):
    """Twenty times as long: the same buffers, and few candidates beyond the first."""
    handed, sizes = {}, {}
    original = chosen.Exemplars.add

    def add(self, candidates, spans, stages):
        handed[duration] = handed.get(duration, 0) + len(candidates)
        original(self, candidates, spans, stages)
        assert len(self.spans) <= 200
        assert len(self.stages) <= 400

    monkeypatch.setattr(chosen.Exemplars, "add", add)
    for duration in ("100s", "2000s"):
        machine = Machine(Wiring(only(QUEUE, [f"duration={duration}"]), 0))
        machine.run()
        sizes[duration] = {name: machine.s.size_of(TABLES[name]) for name in KEPT}
    assert sizes["100s"] == sizes["2000s"]
    assert handed["100s"] > 1_000
    assert handed["2000s"] < 5_000 < 0.03 * 100 * 2000


def test_the_readable_engine_drops_what_is_no_candidate():
    world = World(only(QUEUE))
    records = run(world)
    tables = world.recorder.exemplar_tables
    assert len(records.requests) > 9_000
    assert tables.spans.open == {}
    assert tables.stages.open == {}
    assert len(tables.exemplars.candidates) <= 200


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_it_does_not_matter_when_candidates_are_looked_through(at_once):
    """Nor who comes first among equals: the least id does."""
    dice = np.random.default_rng(1)
    rows = np.zeros(1000, chosen.CANDIDATE)
    rows["id"] = dice.permutation(1000)
    rows["response"] = dice.integers(0, 8, 1000)
    rows["response"][dice.random(1000) < 0.1] = chosen.UNANSWERED
    rows["lot"] = dice.integers(0, 40, 1000)
    rows["spans"] = rows["stages"] = 1
    spans, stages = np.zeros(1000, chosen.SPAN), np.zeros(1000, chosen.STAGE)
    spans["request"] = stages["request"] = rows["id"]
    kept = chosen.Exemplars()
    for first in range(0, 1000, at_once):
        part = slice(first, first + at_once)
        may = [
            row["response"] >= kept.slow or row["lot"] <= kept.lucky for row in rows[part]
        ]  # what an engine hands over
        kept.add(rows[part][may], spans[part][may], stages[part][may])
    slowest = sorted(rows.tolist(), key=lambda row: (-row[1], row[0]))[:100]
    sample = sorted(rows.tolist(), key=lambda row: (row[2], row[0]))[:100]
    wanted = {row[0] for row in slowest} | {row[0] for row in sample}
    assert kept.spans["request"].tolist() == [entity for entity in rows["id"].tolist() if entity in wanted]
    assert kept.stages["request"].tolist() == kept.spans["request"].tolist()
