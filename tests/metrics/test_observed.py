"""Records are read once for all figures, by whoever asks for several."""

from dataclasses import replace

import pytest

from sim.experiments.running import jobs
from sim.metrics import measure
from sim.metrics.observed import observe
from sim.metrics.timeline import timeline
from sim.metrics.within import within_run

from .building import records, request, scenario

RUN = scenario()


def many():
    return records([request(at, 0.1 + at / 1000) for at in range(100)])


def test_figures_timeline_and_intervals_are_the_same_of_what_was_read_before():
    run = many()
    seen, whole = observe(run, RUN), measure(run, RUN)
    assert repr(measure(run, RUN, seen)) == repr(whole)  # where nan is nan
    assert timeline(run, RUN, seen=seen).frame().equals(timeline(run, RUN).frame())
    assert within_run(run, RUN, whole, seen=seen) == within_run(run, RUN, whole) != {}


@pytest.mark.parametrize("confidence", [None, 0.9])
def test_a_job_reads_its_records_once(confidence, monkeypatch):
    reads = []
    monkeypatch.setattr(
        "sim.metrics.observed.sample_of",
        lambda *its, read=observe.__globals__["sample_of"]: reads.append(1) or read(*its),
    )
    run = many()
    found = jobs.measured(run, RUN, jobs.Job("{}", (), "base", 1, 0, confidence=confidence))
    assert len(reads) == 1
    assert found.metrics["requests"] == 90.0
    assert bool(found.intervals) == (confidence is not None)


def test_requests_that_did_not_end_in_the_order_of_arrival_have_the_same_intervals():
    run = many()
    other = replace(run, requests=run.requests[::-1].copy())
    whole = measure(run, RUN)
    assert within_run(other, RUN, whole) == within_run(run, RUN, whole)
