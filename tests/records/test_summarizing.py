"""Rows made into cells: nothing is counted twice or left out, whatever the pieces in which rows come."""

import math

import numpy as np
import pytest

from sim.records import summarizing
from sim.records.row_sinks import row_sink
from sim.records.summary import SUMMARY_ARRAYS, Plan
from sim.records.tables import MESSAGE, REQUEST, Records
from sim.vocabulary import GOOD, Outcome

DURATION = 50.0
LIMIT = 0.25


def plan(limits=(LIMIT,)):
    return Plan.of(
        DURATION, 5.0, np.arange(51.0), [*np.arange(0.0, 50.0, 10.0), 12.5], limits, np.arange(0.0, 50.0, 4.0)
    )


def rows(n, seed=1):
    """Requests of two sources on three routes, answered or not, orders or not, complete or not."""
    luck = np.random.default_rng(seed)
    table = np.zeros(n, REQUEST)
    table["arrival"] = luck.uniform(0, DURATION, n)
    response = luck.lognormal(-1.5, 1.0, n)
    table["end"] = np.where(luck.random(n) < 0.9, table["arrival"] + response, math.nan)
    table["outcome"] = np.where(
        np.isnan(table["end"]), Outcome.IN_FLIGHT, luck.choice([Outcome.OK, Outcome.DEGRADED, Outcome.TIMEOUT], n)
    )
    table["completion"] = np.where(luck.random(n) < 0.7, table["arrival"] + luck.lognormal(0, 1.0, n), math.nan)
    table["source"], table["route"] = luck.integers(0, 2, n), luck.integers(-1, 3, n)
    table["expects"] = table["route"] > 0
    table["completion"][~table["expects"]] = math.nan
    table["pending"] = luck.random(n) < 0.2
    table["charges"], table["reservations"] = luck.choice([0, 1, 2, 255], n), luck.integers(0, 2, n)
    return table[np.argsort(np.fmax(table["end"], table["completion"]), kind="stable")]


def letters(n):
    luck = np.random.default_rng(2)
    table = np.zeros(n, MESSAGE)
    table["end"] = np.where(luck.random(n) < 0.9, luck.uniform(0, DURATION, n), math.nan)
    table["topic"], table["group"], table["how"] = (
        luck.integers(0, 2, n),
        luck.integers(2, 4, n),
        luck.integers(0, 3, n),
    )
    table["deliveries"] = luck.choice([0, 1, 2, 32767], n)
    return table


def test_the_slowest_is_the_first_by_id_of_those_that_came_after_the_warm_up():
    """Of four: too early, twice as slow as anything, and the equals of one another in two pieces; unanswered."""
    requests = rows(4)
    requests["id"], requests["arrival"], requests["end"] = (
        [1, 9, 3, 4],
        [4.0, 6.0, 7.0, 8.0],
        [30.0, 8.0, 9.0, math.nan],
    )
    for order in ([0, 1, 2, 3], [0, 2, 1, 3]):
        found = [summary_of(requests[order], pieces=pieces).slowest for pieces in ((), (2,))]
        assert [one.tobytes() for one in found] == [requests[2:3].tobytes()] * 2
    assert not summary_of(requests[[0, 3]]).slowest.size


def summary_of(requests, messages=None, pieces=(), limits=(LIMIT,)):
    taken = row_sink(plan(limits))
    for part in np.split(requests, list(pieces)):
        taken.take_requests(part.copy())
    taken.take_messages(letters(0) if messages is None else messages)
    return taken.finish().summary


def assert_equal(one, other):
    assert one.digests == other.digests
    for name in SUMMARY_ARRAYS:
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


def test_the_pieces_in_which_rows_come_make_no_difference(monkeypatch):
    """Not even in the last bit of a sum, and also where cells are merged again and again."""
    monkeypatch.setattr(summarizing, "PIECE", 500)
    monkeypatch.setattr(summarizing, "LEAST", 300)
    table = rows(7000)
    assert_equal(summary_of(table), summary_of(table, pieces=(1, 2, 499, 1500, 1500, 3777)))


def test_what_was_handed_over_may_be_overwritten():
    table, taken = rows(1000), row_sink(plan())
    buffer = table[:400].copy()
    taken.take_requests(buffer)
    buffer[:] = table[400:800]
    taken.take_requests(buffer)
    taken.take_requests(table[800:])
    assert_equal(taken.finish().summary, summary_of(table))


@pytest.mark.long
def test_every_cell_holds_what_is_in_it():
    """Against counting row by row, by the edges themselves."""
    table = rows(3000)
    found = summary_of(table)
    expected = {}
    for row in table:
        interval = max(i for i, moment in enumerate(found.moments) if moment <= row["arrival"])
        bucket = next(
            (i for i, edge in enumerate(found.edges) if row["end"] - row["arrival"] <= edge), len(found.edges)
        )
        cell = (interval, row["source"], row["route"], row["outcome"], bucket)
        expected[cell] = expected.get(cell, 0) + 1
    names = ("interval", "source", "route", "outcome", "bucket")
    assert {tuple(cell[name] for name in names): cell["count"] for cell in found.answers} == expected


def test_every_departure_is_in_its_interval():
    """Against counting row by row: at an edge, and less than a billionth of the run before it, is behind it."""
    table = rows(3000)
    table["end"][:3] = [8.0, 8.0 - 4e-8, 8.0 - 6e-8]
    table["completion"][:3], table["expects"][:3] = table["end"][:3], True
    found, lines = summary_of(table), [edge - 1e-9 * DURATION for edge in (*range(0, 50, 4), DURATION)]
    assert 5.0 - 1e-9 * DURATION in found.leaving
    answers, orders = {}, {}
    for row in table:
        if row["end"] == row["end"]:
            cell = (
                sum(line <= row["end"] for line in found.leaving) - 1,
                *(int(row[name]) for name in ("source", "route", "outcome")),
                *late(row),
            )
            answers[cell] = answers.get(cell, 0) + 1
        if row["completion"] == row["completion"]:
            cell = (sum(line <= row["completion"] for line in found.leaving) - 1, int(row["route"]))
            orders[cell] = orders.get(cell, 0) + 1
    assert set(lines) <= set(found.leaving.tolist())
    assert counted(found.departures, "interval", "source", "route", "outcome", "bucket") == answers
    assert counted(found.completions, "interval", "route") == orders


def late(row):
    """The bucket of its response: within the one limit or beyond it."""
    return (int(row["end"] - row["arrival"] > LIMIT),)


def counted(cells, *names):
    return {tuple(int(cell[name]) for name in names): int(cell["count"]) for cell in cells}


def test_only_orders_have_a_completion():
    table = rows(3000)
    found, expects = summary_of(table), table[table["expects"]]
    none = found.orders["bucket"] == len(found.edges)
    assert found.orders["count"].sum() == len(expects)
    assert found.orders["count"][none].sum() == np.isnan(expects["completion"]).sum()
    assert (
        found.orders["count"][none & found.orders["pending"]].sum()
        == (np.isnan(expects["completion"]) & expects["pending"]).sum()
    )
    assert {(-1, True), (0, True)}.isdisjoint(
        zip(found.orders["route"].tolist(), found.orders["pending"].tolist(), strict=True)
    )


def test_a_limit_is_an_edge():
    """So many are within it, exactly."""
    table = rows(20_000)
    found = summary_of(table)
    within = found.times[found.answers["bucket"]] <= LIMIT
    assert found.answers["count"][within].sum() == (table["end"] - table["arrival"] <= LIMIT).sum()


def test_a_mean_and_a_quantile_are_within_one_per_cent():
    table = rows(20_000)
    found, true = summary_of(table), (table["end"] - table["arrival"])[~np.isnan(table["end"])]
    answered = found.answers[found.answers["bucket"] < len(found.edges)]
    written_out = np.repeat(found.times[answered["bucket"]], answered["count"])
    assert written_out.mean() == pytest.approx(true.mean(), rel=0.002)
    for q in (0.01, 0.5, 0.9, 0.99, 0.999):
        assert np.quantile(written_out, q, method="inverted_cdf") == pytest.approx(
            np.quantile(true, q, method="inverted_cdf"), rel=0.01
        )


def test_the_ledger_and_the_messages_are_counted():
    table, messages = rows(2000), letters(1500)
    found = summary_of(table, messages)
    assert (found.ledger["charges"].astype(int) * found.ledger["count"]).sum() == table["charges"].astype(int).sum()
    cell = found.ledger[
        (found.ledger["outcome"] == Outcome.TIMEOUT)
        & (found.ledger["charges"] == 255)
        & (found.ledger["reservations"] == 0)
    ]
    its = table[(table["outcome"] == Outcome.TIMEOUT) & (table["charges"] == 255) & (table["reservations"] == 0)]
    assert cell["count"].sum() == len(its) > 0
    assert (found.deliveries["deliveries"].astype(int) * found.deliveries["count"]).sum() == messages[
        "deliveries"
    ].astype(int).sum()
    assert found.deliveries["count"][found.deliveries["late"]].sum() == (messages["end"] >= 5.0).sum()
    one = found.deliveries[
        (found.deliveries["topic"] == 1) & (found.deliveries["group"] == 3) & (found.deliveries["how"] == 2)
    ]
    assert one["count"].sum() == ((messages["topic"] == 1) & (messages["group"] == 3) & (messages["how"] == 2)).sum()


def test_promises_and_last_answers_are_known_over_time():
    table = rows(5000)
    found = summary_of(table)
    well = table[table["expects"] & np.isin(table["outcome"], GOOD)]
    for tick in (0, 7, 49, 50):
        assert found.over_time["opened"][: tick + 1].sum() == (well["end"] <= tick).sum()
        assert found.over_time["kept"][: tick + 1].sum() == (np.maximum(well["completion"], well["end"]) <= tick).sum()
    assert found.last_end[Outcome.OK] == np.nanmax(table["end"][table["outcome"] == Outcome.OK])
    assert math.isnan(found.last_end[Outcome.SHED])


def test_the_series_of_settling_adds_up():
    table = rows(5000)
    found, answered = summary_of(table), ~np.isnan(table["end"])
    assert found.settling["count"].sum() == answered.sum()
    assert found.settling["total"].sum() == pytest.approx((table["end"] - table["arrival"])[answered].sum())


def test_more_requests_are_not_more_cells():
    """Ten times the requests fill the cells that there are, and some at the edges of what occurs."""
    few, many = (summary_of(rows(n)).cells for n in (100_000, 1_000_000))
    assert many < 3 * few


def test_nothing_at_all_is_a_summary_too():
    found = summary_of(rows(0))
    assert found.cells == 0
    assert found.settling["count"].sum() == 0


def records(**tables):
    nothing = np.zeros(0)
    return Records(
        1,
        0,
        DURATION,
        5.0,
        ("a",),
        spans=nothing,
        events=np.zeros(0, MESSAGE),
        series=(),
        ticks=nothing,
        gauges=nothing,
        books=(),
        **tables,
    )


def test_the_fingerprint_is_that_of_the_rows():
    table, messages = rows(3000), letters(100)
    prints = []
    for its in (None, plan()):
        taken = row_sink(its)
        taken.take_requests(table)
        taken.take_messages(messages)
        kept = taken.finish()
        prints.append(records(requests=kept.requests, messages=kept.messages, summary=kept.summary).fingerprint())
    table["end"][7] += 1e-9
    prints.append(records(requests=table, messages=messages).fingerprint())
    assert prints[0] == prints[1] != prints[2]


def test_books_find_the_outcomes_of_a_source_in_either():
    table = rows(3000)
    for its in (None, plan()):
        taken = row_sink(its)
        taken.take_requests(table)
        assert (
            taken.finish().outcomes(1).tolist()
            == np.bincount(table["outcome"][table["source"] == 1], minlength=len(Outcome)).tolist()
        )


def test_more_pairs_than_a_key_can_hold_are_refused_not_confused():
    source, route = np.array([1, 2], np.int16), np.array([3, 3], np.int16)
    with pytest.raises(
        OverflowError,
        match="2 pairs of traffic and route in 4611686018427387904 intervals are more than a summary can tell apart",
    ):
        summarizing._Ways().codes(source, route, (2**62, 1))
