"""Records are read once for all figures, and never taken for others."""

import gc
import weakref
from dataclasses import replace

import pytest

from sim.metrics import measure
from sim.metrics.observed import forget, observed
from sim.metrics.timeline import timeline
from sim.metrics.within import within_run

from .building import records, request, scenario

RUN = scenario()


@pytest.fixture(autouse=True)
def _nothing_remembered():
    forget()
    yield
    forget()


def many():
    return records([request(at, 0.1 + at / 1000) for at in range(100)])


def test_figures_timeline_and_intervals_read_the_same(monkeypatch):
    reads, run = [], many()
    monkeypatch.setattr("sim.metrics.observed.sample_of", lambda *its, read=observed.__globals__["sample_of"]: reads.append(1) or read(*its))
    whole = measure(run, RUN)
    timeline(run, RUN)
    within_run(run, RUN, whole)
    assert len(reads) == 1


def test_another_scenario_other_rows_and_another_window_are_another_observation():
    run = many()
    first = observed(run, RUN)
    assert observed(run, scenario()) is first
    assert observed(run, scenario(objective={"latency": "150ms"})) is not first
    assert observed(replace(run), RUN) is not first
    first = observed(run, RUN)
    run.requests = run.requests.copy()
    assert (second := observed(run, RUN)) is not first
    run.warmup = 20.0
    assert observed(run, RUN) is not second
    assert observed(run, RUN).counted.answers.size == 80


def test_it_is_forgotten_with_its_records_and_after_the_last_question():
    run = many()
    found = weakref.ref(observed(run, RUN))
    assert found() is not None
    del run
    gc.collect()
    assert found() is None
    run = many()
    found = weakref.ref(observed(run, RUN))
    within_run(run, RUN, measure(run, RUN))
    assert found() is None
