"""Parts of a scenario in Python, as `sim/spec/producer.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def producer(
    *,
    linger: Literal[0] | Mapping[str, Any] | str | None = None,
    batch: Mapping[str, Any] | str | None = None,
    max_in_flight: Mapping[str, Any] | int | str | None = None,
    buffer: Mapping[str, Any] | str | None = None,
    max_block: Literal[0] | Mapping[str, Any] | str | None = None,
    acks: Literal["all", "1", "0", 1, 0] | None = None,
    idempotent: bool | None = None,
    request_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    delivery_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    retry_backoff: Literal[0] | Mapping[str, Any] | str | None = None,
    retry_backoff_max: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """The producer that each replica has which publishes to the broker. Names and defaults: Kafka's client (4.x,
    ProducerConfig).

    linger: How long the first record of a batch waits for others (linger.ms: 5 ms since 4.0, 0 before; KIP-1030).
    batch: Bytes of a batch, one for each partition (batch.size).
    max_in_flight: Requests under way to one node of the broker, which handles those of one producer one after the
        other (max.in.flight.requests.per.connection); an idempotent producer may have 5 at most.
    buffer: Memory for batches, sent or not; each takes its full size (buffer.memory).
    max_block: How long whoever publishes waits for memory before it is a timeout (max.block.ms).
    acks: What an acknowledgement says; without a word what `acks` of the broker says.
    idempotent: Whether the broker knows a batch again that is sent twice, and keeps the order (enable.idempotence).
    request_timeout: How long an answer is waited for before the batch is sent again, with all that is under way to
        the same node (request.timeout.ms).
    delivery_timeout: From when on a batch is given up, all tries together (delivery.timeout.ms).
    retry_backoff: The first pause between two tries, which doubles, give or take 20 % (retry.backoff.ms).
    retry_backoff_max: The longest pause (retry.backoff.max.ms).
    """
    return part(locals())
