"""Parts of a scenario in Python, as `sim/spec/consuming.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def commit(
    *,
    when: Literal["batch", "record", "before", "automatic"] | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """When a consumer tells its group where it is: what it guarantees follows from that.

    when: After a `batch` or a `record`, `before` it is handled, or now and then (`automatic`).
    interval: Of `automatic`: the time between two commits (auto.commit.interval.ms).
    """
    return part(locals())


def fetch(
    *, min: Mapping[str, Any] | str | None = None, wait: Literal[0] | Mapping[str, Any] | str | None = None
) -> Part:
    """How much each node of a broker collects before it answers a fetch, whether or not its consumer is busy
    meanwhile. Defaults: Kafka's consumer.

    min: Bytes that it waits for (fetch.min.bytes).
    wait: And how long it does: then it answers with what there is (fetch.max.wait.ms).
    """
    return part(locals())


def transaction(*, timeout: Literal[0] | Mapping[str, Any] | str | None = None) -> Part:
    """Each record is handled in a transaction: what is published meanwhile to topics of the same broker, and that
    the record was handled, become visible together or not at all (exactly once, inside of Kafka). Effects outside
    come about as often as the record is handled. Needs `acks: all` and idempotent producers, as a
    transactional.id does.

    timeout: How long one may be open, from its first record on: then it is aborted at the broker's next look, every
        ten seconds, whoever lives, and the record that was handled meanwhile has failed (transaction.timeout.ms).
    """
    return part(locals())
