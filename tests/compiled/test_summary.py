"""A run without rows on the compiled engine: the same summary as that of the other, in memory that does not grow with the number of requests."""

import tracemalloc

import pytest

import sim
from sim import compiled, models
from sim.models import recorder
from sim.records import summarizing
from sim.spec import load_document
from tests.compiled.same import differences
from tests.models.any_scenario import any_scenario

pytestmark = pytest.mark.xdist_group("compiled")


def kept(scenario, keep):
    return scenario.model_copy(update={"record": scenario.record.model_copy(update={"keep": keep})})


@pytest.mark.parametrize("seed", range(100, 112))
def test_both_engines_give_the_same_summary(seed, monkeypatch):
    """To the last bit, whatever the pieces in which they hand their rows over; and the fingerprint of the rows that they did not keep."""
    from sim.compiled import room

    monkeypatch.setattr(recorder, "HAND_OVER", 5_000)
    monkeypatch.setattr(room, "RECORDS", 300)
    monkeypatch.setattr(summarizing, "PIECE", 256)
    scenario = kept(next(iter(load_document(any_scenario(seed)).variants.values())), "summary")
    one, other = models.simulate(scenario), compiled.simulate(scenario)
    assert differences(one, other) == []
    assert (
        one.summary.answers["count"].sum()
        == sum(book.offered for book in one.books if book.component in scenario.traffic)
        > 0
    )
    assert one.fingerprint() == other.fingerprint() == compiled.simulate(kept(scenario, "rows")).fingerprint()


@pytest.mark.parametrize("keep", ["rows", "summary"])
@pytest.mark.parametrize("seed", range(112, 116))
def test_a_second_thread_that_reads_the_rows_changes_nothing(seed, keep, monkeypatch):
    from sim.compiled import room

    monkeypatch.setattr(room, "RECORDS", 100)
    scenario = kept(next(iter(load_document(any_scenario(seed)).variants.values())), keep)
    alone, beside = compiled.simulate(scenario), compiled.simulate(scenario, background=True)
    assert differences(alone, beside) == []
    assert alone.fingerprint() == beside.fingerprint()


def test_a_run_in_which_the_second_thread_fails_ends_with_its_error(monkeypatch):
    def reduce(self, rows):
        raise OverflowError("more ways than can be told apart")

    monkeypatch.setattr(summarizing.Summarizer, "_reduce_requests", reduce)
    scenario = kept(next(iter(sim.load_text(QUEUE.format(rate=100)).variants.values())), "summary")
    with pytest.raises(OverflowError, match="more ways"):
        compiled.simulate(scenario, background=True)


QUEUE = """
version: 1
duration: 60s
traffic: {{crowd: {{sends: POST /orders, arrivals: {{poisson: {rate}/s}}}}}}
gateway: {{workers: 64, routes: {{POST /orders: {{to: shop.buy, completes_with: [ordered]}}}}}}
services:
  shop: {{workers: 100000, endpoints: {{buy: [{{wait: {{lognormal: {{mean: 20ms, p99: 100ms}}}}}}, {{effect: ordered}}, {{publish: orders}}]}}}}
  mail: {{workers: 40, endpoints: {{}}, consumes: {{orders: {{group: mail, consumers: 40, do: [{{wait: 1ms}}]}}}}}}
brokers: {{kafka: {{kind: log, topics: {{orders: {{partitions: 40}}}}}}}}
"""


def peak(rate, keep):
    """The most bytes that a run had allocated at one time."""
    scenario = kept(next(iter(sim.load_text(QUEUE.format(rate=rate)).variants.values())), keep)
    tracemalloc.start()
    try:
        records = compiled.simulate(scenario)
        return tracemalloc.get_traced_memory()[1], sum(
            book.offered for book in records.books if book.component == "crowd"
        )
    finally:
        tracemalloc.stop()


@pytest.mark.long
def test_memory_does_not_grow_with_the_number_of_requests():
    """Eight times the requests in the same time: the memory of rows grows with them, that of a summary hardly does."""
    peak(100, "summary")  # what is allocated once
    (few, n), (many, m) = peak(4_000, "summary"), peak(32_000, "summary")
    (rows, _), (more_rows, _) = peak(4_000, "rows"), peak(32_000, "rows")
    print(
        f"{n:,} and {m:,} requests: {few / 2**20:.0f} and {many / 2**20:.0f} MiB of a summary, {rows / 2**20:.0f} and {more_rows / 2**20:.0f} MiB of rows"
    )
    assert m > 7.5 * n
    assert more_rows > 4 * rows
    assert many < 2 * few
    assert more_rows < 160 * m  # 61 bytes a request and 59 a message, with room to grow
