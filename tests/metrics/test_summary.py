"""A summary says what the rows say: all that is counted exactly, all that is a time within 1 %, on scenarios of either kind, with their faults."""

import numpy as np
import pytest

import sim
from sim import testing
from sim.metrics import measure
from sim.metrics.promises import open_promises
from sim.metrics.settling import RESPONSE, settling_series
from sim.metrics.timeline import timeline
from sim.metrics.use import use_table
from sim.metrics.within import AVERAGES, within_run
from sim.models import simulate
from sim.records.counted import last_end
from sim.vocabulary import Outcome

OUTAGE = ("duration=100s", "warmup=10s", "faults.0.at=20s", "faults.0.for=15s")
SYSTEMS = {
    "01-one-queue": ("duration=400s",),
    "05-breaker": (),
    "07-first-event": ("duration=60s", "warmup=7500ms"),
    "08-consumers": ("duration=120s",),
    "payment-outage": OUTAGE,
    "slow-payments": (*OUTAGE, "record.interval=700ms"),  # seconds of recovery that are no ticks
}
CLOCKS = ("response", "completion")


def summed_up(scenario):
    return scenario.model_copy(update={"record": scenario.record.model_copy(update={"keep": "summary"})})


@pytest.fixture(
    scope="module",
    params=[(name, place) for name in SYSTEMS for place in (0, -1)],
    ids=lambda param: f"{param[0]}{param[1]}",
)
def pair(request):
    """The scenario, its run with rows, and the same with a summary: of the first variant, and of the last."""
    name, place = request.param
    scenario = list(sim.load(name, sets=SYSTEMS[name]).variants.values())[place]
    return scenario, simulate(scenario), simulate(summed_up(scenario))


def test_every_figure_that_is_counted_is_exact_and_every_time_within_one_per_cent(pair):
    scenario, rows, summary = pair
    counted, found = measure(rows, scenario), measure(summary, scenario)
    assert found.censored == counted.censored
    assert list(found.values) == list(counted.values)
    for key, value in counted.values.items():
        if key.startswith(CLOCKS):
            assert found.values[key] == pytest.approx(value, rel=0.01, nan_ok=True), key
        elif key.startswith("error_budget_burn"):  # a sum of shares
            assert found.values[key] == pytest.approx(value, rel=1e-12, nan_ok=True), key
        else:
            assert np.array_equal(found.values[key], value, equal_nan=True), key


def test_no_row_is_left_and_the_fingerprint_and_the_books_are_the_same(pair):
    _, rows, summary = pair
    assert len(rows.requests) > 1000
    assert len(summary.requests) == len(summary.messages) == 0
    assert summary.fingerprint() == rows.fingerprint()
    assert summary.books == rows.books


def test_the_timeline_is_the_same_but_for_its_percentiles(pair):
    scenario, rows, summary = pair
    frame, found = timeline(rows, scenario).frame(), timeline(summary, scenario).frame()
    assert list(found.columns) == list(frame.columns)
    for column in frame:
        tolerated = 0.01 if column.startswith(CLOCKS) else 1e-12
        assert found[column].to_numpy() == pytest.approx(frame[column].to_numpy(), rel=tolerated, nan_ok=True), column


def test_what_reports_and_pilots_read_is_the_same(pair):
    scenario, rows, summary = pair
    assert repr(use_table(summary, scenario)) == repr(use_table(rows, scenario))  # where nan is nan
    assert settling_series(summary)[RESPONSE] == pytest.approx(settling_series(rows)[RESPONSE], rel=1e-9, nan_ok=True)
    for outcome in Outcome:
        assert np.array_equal(last_end(summary, outcome), last_end(rows, outcome), equal_nan=True)
    times = timeline(rows, scenario).index
    expected, found = open_promises(rows, times), open_promises(summary, times)
    assert (expected is None) == (found is None)
    assert expected is None or np.array_equal(found, expected)


def test_a_single_run_has_its_intervals():
    """Those of counts are the same; those of times are as close as the times."""
    scenario = next(iter(sim.load("01-one-queue", sets=["duration=1500s"]).variants.values()))
    rows, summary = simulate(scenario), simulate(summed_up(scenario))
    expected, found = (
        within_run(rows, scenario, measure(rows, scenario)),
        within_run(summary, scenario, measure(summary, scenario)),
    )
    counts = [key for key in expected if key.partition("(")[0] in AVERAGES and not key.startswith(CLOCKS)]
    assert {"offered", "availability", "apdex"} <= set(counts) <= set(found)
    for key in counts:
        assert (found[key].low, found[key].high) == pytest.approx((expected[key].low, expected[key].high), rel=1e-12), (
            key
        )
    for key in ("response_p50", "response_p95"):  # no narrower than a bucket
        assert {found[key].low, found[key].high} <= set(summary.summary.edges.tolist()), key
        assert found[key].low < found[key].value < found[key].high, key
    for key in ("response_mean", "response_p50", "response_p95"):
        assert (found[key].low, found[key].high) == pytest.approx((expected[key].low, expected[key].high), rel=0.05), (
            key
        )


def test_percentiles_of_replications_vary_as_they_do_with_rows():
    """Though all of them fall into one bucket or two: no interval is narrower than what is behind it, and no difference more certain."""
    figure, sets = (
        "response_p50",
        [
            "duration=240s",
            "services.shop.workers=10",
            "services.shop.endpoints.buy.0.work={lognormal: {mean: 100ms, p99: 120ms}}",
        ],
    )
    found = [
        sim.run(sim.load("01-one-queue", sets=[*sets, f"record={keep}"]), replications=6).variants["half-busy"]
        for keep in ("rows", "summary")
    ]
    rows, summary = (result.per_replication[figure] for result in found)
    assert summary.to_numpy() == pytest.approx(rows.to_numpy(), rel=0.002)
    assert summary.std() == pytest.approx(rows.std(), rel=0.3)
    assert summary.std() < 0.004 * summary.mean()


def figures(system, arrivals):
    """The figures of a tiny system by rows, and by a summary."""
    played = [testing.play({**system, "record": record}, arrivals) for record in ("rows", "summary")]
    assert (played[0].records.summary is None, played[1].records.summary is None) == (True, False)
    return [measure(each.records, each.scenario).values for each in played]


def shop(*steps, **more):
    return {"duration": "60s", "services": {"shop": {"workers": 1000, "endpoints": {"buy": list(steps)}}}, **more}


def test_an_objective_is_drawn_where_it_is():
    """Half of the answers come within a millisecond before it, half of them after it: all in one bucket, but for the line through it."""
    promised = {"clients": {"sends": "shop.buy", "objective": {"latency": "100ms"}}}
    waits = testing.scripted(0.0999, 0.1001, 0.1, 0.3999, 0.4001, 0.4)
    rows, summary = figures(shop({"wait": waits}, traffic=promised), [0.1 * k for k in range(60)])
    assert summary["goodput"] == rows["goodput"] == 20 / 60
    assert summary["apdex"] == rows["apdex"] == (20 + 30 / 2) / 60


def test_hope_ends_where_it_ends():
    """T is half a second: who has been in flight for two seconds at the end will not be satisfied any more; who came two nanoseconds later may be."""
    arrivals = [5.0, 6.0, 57.0, 58.0 - 2e-9, 58.0, 58.3, 59.0]
    rows, summary = figures(shop({"wait": testing.scripted(0.1, 0.1, *[30.0] * 5)}), arrivals)
    assert (
        (summary["apdex_least"], summary["apdex_most"]) == (rows["apdex_least"], rows["apdex_most"]) == (2 / 7, 5 / 7)
    )


def test_what_leaves_is_counted_where_it_leaves():
    """Arrivals before the warm-up whose answers come at its end, just before it, and after it; an answer at the very end of the run."""
    waits = testing.scripted(5.0, 4.999, 7.0, 55.0)
    rows, summary = figures(shop({"wait": waits}, warmup="10s"), [5.0, 5.0, 5.0, 5.0])
    assert summary["throughput"] == rows["throughput"] == 2 / 50
    assert summary["requests"] == rows["requests"] == 0


def test_recovery_is_counted_in_seconds_from_the_end_of_the_fault():
    """Errors until 40.95 s: they reach into the sixth second after 35.7 s, though not into that of the clock."""
    errors = {"name": "errors", "at": "20s", "for": "20950ms", "errors": {"of": "shop", "share": "100%"}}
    slow = {"name": "slow", "at": "20300ms", "for": "15400ms", "slow": {"of": "shop", "by": "1x"}}
    rows, summary = figures(
        shop({"wait": "10ms"}, duration="120s", faults=[errors, slow]), [0.1 * k + 0.05 for k in range(1200)]
    )
    assert summary["recovery_time(slow)"] == rows["recovery_time(slow)"] == 6.0
