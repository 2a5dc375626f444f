"""Parts of a scenario in Python, as `sim/spec/queueing.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def queue(
    *,
    capacity: Literal["unlimited"] | Mapping[str, Any] | int | str | None = None,
    listen_backlog: Literal["linux", "nginx", "node", "tomcat", "gunicorn"]
    | Mapping[str, Any]
    | int
    | str
    | None = None,
    discipline: Literal["fifo", "lifo", "priority", "codel", "adaptive_lifo", "edf", "fair"] | None = None,
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    by: Literal["endpoint", "traffic", "user", "consumer", "header"] | None = None,
    header: str | None = None,
    classes: Mapping[str, Mapping[str, Any] | int | str] | None = None,
    push_out: bool | None = None,
    preemptive: bool | None = None,
    deadlines: Mapping[str, Literal[0] | Mapping[str, Any] | str] | None = None,
    drop_late: bool | None = None,
    target: Literal[0] | Mapping[str, Any] | str | None = None,
    interval: Literal[0] | Mapping[str, Any] | str | None = None,
) -> Part:
    """Where requests wait for a worker, one per replica.

    capacity: How many may wait in each replica; further ones are shed, or wait in its `listen_backlog` if one is
        said.
    listen_backlog: How many connections the kernel of each replica keeps, and one more, as Linux does
        (sk_acceptq_is_full), which the process has not accepted: it accepts none while all workers are busy and
        `capacity` wait, or while it hangs. A number, or whose: `linux` 4096, `nginx` 511, `node` 511, `tomcat` 100,
        `gunicorn` 2048. Of further ones the SYN is dropped, and sent again after 1, 3, 7, 15 ... s (RFC 6298),
        until the caller's `connect_timeout`. Every attempt brings a new connection, but those over one that a
        `pool` kept: they wait in the queue, however long it is.
    discipline: Who is served first: who came first (`fifo`) or last (`lifo`), by `priority` of their class, by
        deadline (`edf`), in turns (`fair`), or as a library drops and turns round (`codel`, `adaptive_lifo`).
    timeout: Who has waited as long as this is shed.
    by: What tells classes, deadlines or turns apart: the `endpoint` (of a gateway the route) by default, of `fair`
        the `user`.
    header: Of `by: header`: which one (`headers` of traffic).
    classes: Of `priority`: name -> its class, 0 first; who is not named comes after all who are.
    push_out: Of `priority`: where the queue is full, the newest of the last class is shed for a newcomer of an
        earlier one.
    preemptive: Of `priority`: who finds all workers busy interrupts the `work` of one of a later class, of the
        last, and there of who began last; that goes on where it was when a worker is free (preemptive resume). A
        worker that waits for a callee is not taken away.
    deadlines: Of `edf`: name -> by when after its arrival a request is to be begun; who is not named comes after
        all who are.
    drop_late: Of `edf`: who is not begun by its deadline is shed when its turn comes.
    target: Of `codel`: the wait that is no sign of overload.
    interval: Of `codel` and `adaptive_lifo`: how long there must be a standing queue.
    """
    return part(locals())
