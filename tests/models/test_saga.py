"""Sagas: what is undone, in which order, how often, and what is left where it cannot be."""

import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.experiments.on_paper.offered_load import check
from sim.models import simulate
from sim.report.wiring import wiring_of

ORDER = """
traffic: {{clients: {{sends: orders.create}}}}
ledger: {{charge: paid, reservation: reserved}}
services:
  orders:
    workers: 9
    endpoints:
      create:
        - saga:
            - {{do: [{{call: bank.pay}}], undo: [{{call: bank.refund}}]}}
            - {{do: [{{call: store.reserve}}], undo: [{{call: store.release}}]}}
            - {{do: [{{call: post.send}}]}}
          {more}
  bank: {{workers: 9, endpoints: {{pay: [{{wait: 1s}}, {{effect: paid}}], refund: [{{wait: 2s}}, {refund}{{retract: paid}}]}}}}
  store: {{workers: 9, endpoints: {{reserve: [{{wait: 1s}}, {reserve}{{effect: reserved}}], release: [{{wait: 3s}}, {{retract: reserved}}]}}}}
  post: {{workers: 9, endpoints: {{send: [{{wait: 1s}}, {send}{{effect: sent}}]}}}}
"""


def play(arrivals=(0.0,), more="", refund="", reserve="", send="", extra=""):
    return testing.play(ORDER.format(more=more, refund=refund, reserve=reserve, send=send) + extra, list(arrivals))


def last(played):
    series = (its.name.removeprefix("orders.sagas_") for its in played.records.series)
    return dict(zip(series, played.records.gauges[-1], strict=True))


def counts(played):
    return tuple(last(played)[word] for word in ("completed", "compensated", "stuck", "open"))


def test_where_all_comes_about_nothing_is_undone():
    played = play()
    assert (played.outcomes(), played.responses(), played.effects()) == (["ok"], [3.0], [["paid", "reserved", "sent"]])
    assert counts(played) == (1, 0, 0, 0)


def test_what_was_done_before_is_undone_the_last_first():
    """Three seconds forwards, three to release, two to pay back: and nothing is left of it."""
    played = play(send="{fail: 100%}, ")
    assert (played.outcomes(), played.responses(), played.effects()) == (["error"], [8.0], [[]])
    assert [attempt.endpoint for attempt in played.attempts()][-2:] == ["store.release", "bank.refund"]
    assert counts(played) == (0, 1, 0, 0)
    assert (played.requests["charges"].tolist(), played.requests["where"].tolist()) == ([0], ["post.send"])


def test_a_refusal_is_undone_too_and_stays_a_refusal():
    played = play(reserve="{refuse: 100%}, ")
    assert (played.outcomes(), played.responses(), played.effects()) == (["refused"], [4.0], [[]])


def test_nothing_is_undone_where_nothing_was_done():
    played = play(more="", extra="faults: [{at: 0s, errors: {}, of: bank, share: 100%}]")
    assert (played.outcomes(), counts(played)) == (["error"], (0, 0, 0, 0))


def test_an_undo_is_tried_again_until_it_ends_well():
    """The bank is down from 1.5 s to 20 s: refused at 6 s, and each second until 20 s; then two seconds to pay back."""
    down = "faults: [{at: 1500ms, for: 18500ms, outage: bank, how: refuse}]"
    played = play(send="{fail: 100%}, ", extra=down)
    assert (played.outcomes(), played.effects()) == (["error"], [[]])
    assert played.responses() == [22.0]
    assert counts(played) == (0, 1, 0, 0)


def test_an_undo_that_never_ends_well_leaves_the_saga_stuck_and_the_money_taken():
    played = play(send="{fail: 100%}, ", refund="{fail: 100%}, ", more="undo_attempts: 3")
    assert (played.effects(), counts(played)) == ([["paid"]], (0, 0, 1, 1))
    assert played.responses() == [3.0 + 3.0 + 3 * 2.0 + 2 * 1.0]


def test_the_answer_may_come_before_all_is_undone():
    played = play(send="{fail: 100%}, ", more="answers_first: true")
    assert (played.outcomes(), played.responses(), played.effects()) == (["error"], [3.0], [[]])
    frame = played.records.gauge_frame()["orders.sagas_open"]
    assert [frame.loc[second] for second in (2.0, 7.0, 9.0)] == [1.0, 1.0, 0.0]


def test_a_crash_in_the_middle_leaves_it_stuck():
    played = play(extra="faults: [{at: 1500ms, crash: {}, of: orders, restart_after: 1s}]")
    assert (played.outcomes(), played.effects(), counts(played)) == (
        ["unreachable"],
        [["paid", "reserved"]],
        (0, 0, 1, 1),
    )


def test_the_books_balance_and_the_paper_says_what_is_simulated():
    """A fifth is turned away after payment, and a tenth of the rest fails at the post."""
    text = """
    version: 1
    duration: 400s
    record: {keep: rows}
    traffic: {clients: {sends: orders.create, arrivals: {poisson: 10/s}}}
    """ + ORDER.replace("traffic: {{clients: {{sends: orders.create}}}}", "").format(
        more="", refund="", reserve="{refuse: 20%}, ", send="{fail: 10%}, "
    ).replace("workers: 9", "workers: 900")
    text = "\n".join(
        line[4:] if line.startswith("    ") and index < 6 else line for index, line in enumerate(text.splitlines())
    )
    study = sim.load_text(text)
    (load,), (scenario,) = check(study).loads.values(), study.variants.values()
    records = simulate(scenario)
    busy = {series.name: column[1:].mean() for series, column in zip(records.series, records.gauges.T, strict=True)}
    for station in load.stations:
        assert station.utilisation * station.servers == pytest.approx(busy[f"{station.name}.busy"], rel=0.08), (
            station.name
        )
    assert all(book.balances for book in records.books)
    (arrow,) = [arrow for arrow in wiring_of(scenario).arrows if arrow.target == "service:bank"]
    assert {"saga", "undo"} <= set(arrow.badges)


def test_what_nobody_brings_about_cannot_be_taken_back():
    with pytest.raises(ScenarioError, match="unknown effect 'payd'; did you mean 'paid'"):
        play(refund="{retract: payd}, ")
