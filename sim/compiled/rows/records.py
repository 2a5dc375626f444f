"""Rows that are handed over while a run goes on: what happened, as `sim/records` has it."""

from __future__ import annotations

from sim.compiled.rows.declaring import Row
from sim.compiled.rows.tables import Appending, Table
from sim.records import exemplars, tables


class RequestRecord(Row, adopted=tables.REQUEST):
    """A logical request that is over."""

    id: int
    arrival: float
    end: float
    completion: float
    effects: int
    user: int
    item: int
    source: int
    route: int
    where: int
    attempts: int
    outcome: int
    charges: int
    reservations: int
    pending: bool
    expects: bool


class MessageRecord(Row, adopted=tables.MESSAGE):
    """A message that has ended for a group."""

    id: int
    request: int
    offset: int
    published: float
    available: float
    end: float
    partition: int
    topic: int
    group: int
    deliveries: int
    how: int


class SpanRecord(Row, adopted=tables.SPAN):
    """An attempt on a service."""

    request: int
    chain: int
    arrived: float
    started: float
    ended: float
    endpoint: int
    replica: int
    outcome: int
    abandoned: bool
    flow: int


class StageRecord(Row, adopted=tables.STAGE):
    """What a flow did next."""

    request: int
    flow: int
    begin: float
    seconds: float
    about: int
    place: int
    kind: int


class EventRecord(Row, adopted=tables.EVENT):
    """Something worth telling; subject and object are places in the list of subjects of the run."""

    time: float
    kind: int
    subject: int
    object: int
    value: float


class CandidateRecord(Row, adopted=exemplars.CANDIDATE):
    """A request that may be an exemplar."""

    id: int
    response: float
    lot: int
    spans: int
    stages: int


request_records = Table("request_records", RequestRecord, buffer=True)
message_records = Table("message_records", MessageRecord, buffer=True)
event_records = Table("event_records", EventRecord, buffer=True)
span_records = Table("span_records", SpanRecord, buffer=True)
stage_records = Table("stage_records", StageRecord, buffer=True)
candidate_records = Table("candidate_records", CandidateRecord, buffer=True)

append_request_record = Appending(request_records)
append_message_record = Appending(message_records)
append_event_record = Appending(event_records)
append_span_record = Appending(span_records)
append_stage_record = Appending(stage_records)
append_candidate_record = Appending(candidate_records)
