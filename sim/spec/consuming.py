"""When a consumer of a topic fetches, and when it commits."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sim.spec.base import Duration, Leaves, Size, Spec
from sim.vocabulary import MessageEnd


class Fetch(Spec):
    """How much each node of a broker collects before it answers a fetch, whether or not its consumer is busy meanwhile.
    Defaults: Kafka's consumer.
    """

    positional = "min"
    min: Annotated[Size, Field(gt=0)] = 1.0
    """Bytes that it waits for (fetch.min.bytes)."""
    wait: Annotated[Duration, Field(gt=0)] = 0.5
    """And how long it does: then it answers with what there is (fetch.max.wait.ms)."""


class Commit(Spec):
    """When a consumer tells its group where it is: what it guarantees follows from that.

    `batch`: what it has polled, when all of it is handled (Spring's AckMode BATCH), and `record`: each record when it
    is handled (RECORD): at least once, and what was handled and not committed is handled again after a crash. `before`:
    what it has polled, before any of it is handled: at most once, and what it had in hand is lost with it. `automatic`:
    at the first poll after `interval` what earlier polls gave (enable.auto.commit): at least once, since one thread
    polls and handles.
    """

    leaves: ClassVar[Leaves] = Leaves(ends=(MessageEnd.PROCESSED, MessageEnd.LOST))
    positional = "when"
    when: Literal["batch", "record", "before", "automatic"] = "batch"
    """After a `batch` or a `record`, `before` it is handled, or now and then (`automatic`)."""
    interval: Annotated[Duration, Field(gt=0)] = 5.0
    """Of `automatic`: the time between two commits (auto.commit.interval.ms)."""


class Transaction(Spec):
    """Each record is handled in a transaction: what is published meanwhile to topics of the same broker, and that the
    record was handled, become visible together or not at all (exactly once, inside of Kafka). Effects outside come
    about as often as the record is handled. Needs `acks: all` and idempotent producers, as a transactional.id does.
    """

    leaves: ClassVar[Leaves] = Leaves(ends=(MessageEnd.DROPPED,))
    positional = "timeout"
    timeout: Annotated[Duration, Field(gt=0)] = 60.0
    """How long one may be open, from its first record on: then it is aborted at the broker's next look, every ten
    seconds, whoever lives, and the record that was handled meanwhile has failed (transaction.timeout.ms).
    """
