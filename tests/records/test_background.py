"""A row sink in a thread of its own keeps what it would have kept without."""

import threading

import numpy as np
import pytest

from sim.records.background_sink import AHEAD, BackgroundSink
from sim.records.row_sinks import row_sink
from sim.records.tables import MESSAGE, REQUEST


def rows(*numbers, dtype=REQUEST):
    table = np.zeros(len(numbers), dtype)
    table["id"] = numbers
    return table


class Noting:
    """A sink that notes the ids of what it is handed, once it is let."""

    def __init__(self):
        self.ids, self.may, self.threads = [], threading.Event(), set()

    def take_requests(self, table):
        assert self.may.wait(10)
        self.ids.append(table["id"].tolist())
        self.threads.add(threading.get_ident())

    take_messages = take_requests

    def finish(self):
        return self.ids


def test_pieces_are_taken_in_their_order_by_one_other_thread():
    noting = Noting()
    noting.may.set()
    with BackgroundSink(noting) as taken:
        for number in range(20):
            taken.take_requests(rows(number))
            taken.take_messages(rows(-number, dtype=MESSAGE))
        assert taken.finish() == [[sign * number] for number in range(20) for sign in (1, -1)]
    assert len(noting.threads) == 1
    assert threading.get_ident() not in noting.threads


def test_rows_may_be_overwritten_while_they_wait():
    noting, table = Noting(), rows(1, 2, 3)
    with BackgroundSink(noting) as taken:
        taken.take_requests(table)
        table["id"] = 9
        noting.may.set()
        assert taken.finish() == [[1, 2, 3]]


def test_an_engine_that_is_faster_waits():
    """So that memory is bounded: one piece more than AHEAD is not taken before one of these has been read."""
    noting, handed = Noting(), []

    def engine():
        for number in range(AHEAD + 1):
            taken.take_requests(rows(number))
            handed.append(number)

    with BackgroundSink(noting) as taken:
        running = threading.Thread(target=engine)
        running.start()
        running.join(0.2)
        assert running.is_alive()
        assert len(handed) == AHEAD
        noting.may.set()
        running.join(10)
        assert not running.is_alive()


class Full:
    """A sink that has no room for a piece with this id."""

    def take_requests(self, table):
        self.last = int(table["id"][-1])
        if self.last == 3:
            raise MemoryError("no room")

    def finish(self):
        return "kept"


def hand(sink, *numbers):
    with BackgroundSink(sink) as taken:
        for number in numbers:
            taken.take_requests(rows(number))
        return taken.finish()


def test_what_goes_wrong_in_the_thread_is_raised_at_the_end():
    with pytest.raises(MemoryError, match="no room"):
        hand(Full(), 1, 2, 3)
    assert hand(Full(), 1, 2) == "kept"


def test_an_engine_need_not_come_to_its_end_to_hear_that_something_went_wrong():
    """Of 100 pieces that follow no more are taken than may wait."""
    full = Full()
    with pytest.raises(MemoryError, match="no room"):
        hand(full, *range(103))
    assert full.last <= 3 + AHEAD


def test_an_engine_that_is_broken_off_leaves_no_thread():
    before, noting = threading.active_count(), Noting()
    noting.may.set()

    def broken_off():
        with BackgroundSink(noting) as taken:
            taken.take_requests(rows(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert threading.active_count() == before


def test_rows_that_were_kept_cannot_be_written_to():
    """Their digest was taken as they came."""
    taken = row_sink(None)
    taken.take_requests(rows(1, 2))
    kept = taken.finish()
    with pytest.raises(ValueError, match="read-only"):
        kept.requests["id"][0] = 3
