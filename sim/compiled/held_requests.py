"""Records, batches and requests of producers, as long as anything names them, and what a request keeps open."""

from __future__ import annotations

from sim.compiled.apart import by_address
from sim.compiled.base import handler
from sim.compiled.calendar import occur
from sim.compiled.producer_events import producer_event
from sim.compiled.rows.producers import (
    batches,
    give_back_batch,
    give_back_produce_request,
    give_back_produced_record,
    give_back_requested_batch,
    produce_requests,
    produced_records,
    requested_batches,
)
from sim.compiled.rows.running import requests
from sim.compiled.rows.state import State
from sim.compiled.tasks import done
from sim.compiled.topics import release


@handler
def let_go_of_record(s: State, record: int) -> None:
    """One thing less that needs it."""
    row = produced_records(s)[record]
    row.held -= 1
    if row.held == 0:
        give_back_produced_record(s, record)


@handler
def let_go_of_batch(s: State, batch: int) -> None:
    """The same of a batch, and of its records and its message with it."""
    row = batches(s)[batch]
    row.held -= 1
    if row.held > 0:
        return
    record = row.records.first
    while record >= 0:
        following = produced_records(s)[record].next
        let_go_of_record(s, record)
        record = following
    if row.message >= 0:
        release(s, row.message)
    give_back_batch(s, batch)


@handler
def let_go_of_request(s: State, request: int) -> None:
    """The same of a request, and of its batches with it."""
    row = produce_requests(s)[request]
    row.held -= 1
    if row.held > 0:
        return
    entry = row.first
    while entry >= 0:
        following = requested_batches(s)[entry].next
        let_go_of_batch(s, requested_batches(s)[entry].batch)
        give_back_requested_batch(s, entry)
        entry = following
    give_back_produce_request(s, request)


@handler
def plan(s: State, purpose: int, request: int, seconds: float) -> None:
    """Something happens to a request after some time."""
    produce_requests(s)[request].held += 1
    occur(s, producer_event(purpose, request), seconds)


@handler
def keep_open(s: State, request: int) -> None:
    """What is on its way relates to its requests, whether or not anybody waits."""
    entry = produce_requests(s)[request].first
    while entry >= 0:
        record = batches(s)[requested_batches(s)[entry].batch].records.first
        while record >= 0:
            requests(s)[produced_records(s)[record].request].alive += 1
            record = produced_records(s)[record].next
        entry = requested_batches(s)[entry].next


@by_address
@handler
def close_again(s: State, request: int) -> None:
    """It is on its way no longer."""
    entry = produce_requests(s)[request].first
    while entry >= 0:
        record = batches(s)[requested_batches(s)[entry].batch].records.first
        while record >= 0:
            done(s, produced_records(s)[record].request)
            record = produced_records(s)[record].next
        entry = requested_batches(s)[entry].next
