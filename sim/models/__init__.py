"""HOW IT BEHAVES: the SimPy models, one noun a file. `simulate` runs one replication of one scenario.

clock, task             events in their one order; threads of control, and the replicas in which they run
entrance, sequence      the life of one attempt at its host; the steps it goes through (`steps`, `site`)
places, host, service   workers, queues, time; what faults do to them; endpoints and balancers
call, layers, calls     a guarded call from attempt to attempt; how its layers are put together
gateway, client         where requests come in; `workload` says when they come
topic, group, consumer  logs of events, who reads them, and relays from an outbox
queues                  a queue broker: exchanges, queues, and channels to their consumers
world, running          everything made and wired; the loop, and the books at the end
"""

from sim.models import (  # their behaviours are registered, as those of plug-ins are
    cache,
    cache_write,
    clock_fault,
    composed,
    event_store,
    fault,
    lock,
    restarting,
    saga,
    session,
    steps,
    view,
)
from sim.models.queues import faults as queue_faults
from sim.models.running import simulate

__all__ = [
    "cache",
    "cache_write",
    "clock_fault",
    "composed",
    "event_store",
    "fault",
    "lock",
    "queue_faults",
    "restarting",
    "saga",
    "session",
    "simulate",
    "steps",
    "view",
]
