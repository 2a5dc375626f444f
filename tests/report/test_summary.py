"""A report of runs that kept no rows: drawn, saved and opened again like any other, and plain about what is not there."""

import numpy as np
import pytest

import sim
from sim.errors import UsageError
from sim.experiments.replicating.document import as_json
from sim.experiments.replicating.storing import files_of, open_run
from sim.records.summary import SUMMARY_ARRAYS
from sim.report import write_report
from sim.report.charts import draw_charts
from sim.report.story import stories

pytestmark = pytest.mark.xdist_group("compiled")  # one process compiles, and makes the runs for all

SETS = ("duration=100s", "warmup=10s", "faults.0.at=20s", "faults.0.for=15s")


@pytest.fixture(scope="module")
def comparisons():
    """The same runs, with rows and with a summary; in processes of their own, from which results travel."""
    return [
        sim.compare(
            sim.load("payment-outage", sets=[*SETS, f"record={keep}"]), ["sync", "async"], replications=2, jobs=2
        )
        for keep in ("rows", "summary")
    ]


def test_the_same_fingerprint_and_the_same_figures(comparisons):
    rows, summary = comparisons
    assert summary.fingerprint == rows.fingerprint
    for name, variant in summary.variants.items():
        for key, figure in rows.variants[name].metrics.items():
            assert variant.metrics[key].value == pytest.approx(figure.value, rel=0.01, nan_ok=True), key


def test_the_same_charts_are_drawn(comparisons):
    """What they say differs by hardly more than a rounding: see the figures."""
    rows, summary = ({chart.name: chart.title for chart in draw_charts(comparison)} for comparison in comparisons)
    assert summary == rows
    assert {"two-clocks", "backlog", "latency", "outcomes"} <= set(summary)


def test_the_same_story_is_told(comparisons):
    rows, summary = (stories(comparison) for comparison in comparisons)
    for name in rows:
        assert [moment.time for moment in summary[name]] == pytest.approx(
            [moment.time for moment in rows[name]], abs=1.0
        )
        assert [moment.mood for moment in summary[name]] == [moment.mood for moment in rows[name]]


@pytest.mark.long
def test_a_report_is_written_and_opened_again(comparisons, tmp_path):
    summary = comparisons[1]
    write_report(summary, tmp_path / "report", files_of(summary))
    again = open_run(tmp_path / "report")
    assert as_json(again) == as_json(summary)
    for name, variant in again.variants.items():
        before, after = summary.variants[name].records, variant.records
        assert after.fingerprint() == before.fingerprint()
        for array in SUMMARY_ARRAYS:
            assert np.array_equal(
                getattr(after.summary, array), getattr(before.summary, array), equal_nan=array in ("last_end",)
            ), array
    assert len(draw_charts(again)) == len(draw_charts(summary))


def test_who_asks_for_rows_is_told_how_to_keep_them(comparisons):
    with pytest.raises(
        UsageError,
        match="requests: found record: summary, which keeps no rows of single requests; expected record: rows",
    ):
        _ = comparisons[1].requests
    with pytest.raises(UsageError, match="messages: found record: summary"):
        comparisons[1].variants["async"].records.message_frame()
    assert len(comparisons[0].requests) > 10_000


def test_an_explanation_keeps_what_it_needs():
    """Whatever the scenario says: it is made of rows and spans."""
    study = sim.load("07-first-event", sets=["duration=20s", "warmup=5s", "record=summary"])
    explained = sim.explain(study, variants=["call"], replications=1, jobs=1)
    assert explained.variants["call"].quantiles["p99"].portions


def test_the_warm_up_is_found_from_a_summary_too():
    studies = [
        sim.load("01-one-queue", sets=["duration=300s", "warmup=auto", f"record={keep}"])
        for keep in ("rows", "summary")
    ]
    found = [sim.run(study, "nearly-full", replications=5, jobs=1).method.warmup for study in studies]
    assert found[0].seconds == found[1].seconds > 0
