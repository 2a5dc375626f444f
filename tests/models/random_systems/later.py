"""Words that came to the language after the first 3,000 systems were frozen. They are said only by systems from there on, so that the first stay as they are.

Each part of `LATER` puts words of its own into a whole document, at places that it picks by luck of its own: a new part moves no draw of another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.models.random_systems import adapting, calls, ground, paces, serving
from tests.models.random_systems.cache_writes import cache_writes
from tests.models.random_systems.caches import caches, response_caches
from tests.models.random_systems.clocks import clocks
from tests.models.random_systems.composed import composed_steps
from tests.models.random_systems.credentials import credentials
from tests.models.random_systems.deep_logs import deep_logs
from tests.models.random_systems.event_stores import event_stores
from tests.models.random_systems.fleets import fleets
from tests.models.random_systems.groups import commits, memberships, retention
from tests.models.random_systems.health import health_checks
from tests.models.random_systems.impatience import impatience
from tests.models.random_systems.layers import layers
from tests.models.random_systems.ledgers import ledgers
from tests.models.random_systems.load_generators import load_generators
from tests.models.random_systems.locks import locks
from tests.models.random_systems.luck import Luck
from tests.models.random_systems.node_pools import node_pools
from tests.models.random_systems.people import people
from tests.models.random_systems.producers import placings, producers
from tests.models.random_systems.queue_brokers import queue_brokers
from tests.models.random_systems.queue_nodes import queue_nodes
from tests.models.random_systems.releases import releases
from tests.models.random_systems.sagas import sagas
from tests.models.random_systems.serverless import serverless
from tests.models.random_systems.sessions import sessions
from tests.models.random_systems.spring import spring
from tests.models.random_systems.vertical import vertical_scaling
from tests.models.random_systems.views import views
from tests.models.random_systems.zones import zones

FIRST_WITH_LATER_WORDS = 3000
LATER: tuple[Callable[[dict[str, Any], Luck], None], ...] = (
    serving.some_replicas,
    serving.smart_balancing,
    serving.disciplines,
    serving.limits,
    composed_steps,
    caches,
    people,
    sagas,
    fleets,
    layers,
    spring,
    load_generators,
    event_stores,
    ledgers,
    health_checks,
    adapting.library_budgets,
    adapting.adaptive_limits,
    adapting.adaptive_concurrency,
    zones,
    adapting.idempotency,
    adapting.preemption,
    sessions,
    ground.listen_backlogs,
    ground.cpu_quotas,
    ground.limit_stores,
    ground.pinned_loops,
    node_pools,
    memberships,
    commits,
    retention,
    queue_brokers,
    releases,
    serverless,
    cache_writes,
    placings,
    response_caches,
    vertical_scaling,
    serving.more_libraries,
    serving.grpc_codes,
    serving.splits,
    serving.bad_tokens,
    deep_logs,
    calls.left_out,
    calls.breakers,
    calls.verdicts,
    calls.backoffs,
    impatience,
    calls.told_pauses,
    locks,
    clocks,
    views,
    credentials,
    queue_nodes,
    paces.contentions,
    paces.process_pauses,
    paces.ageing,
    serving.narrower_routes,
    calls.thread_pools,
    producers,  # last: beside transactions they are idempotent
)


def add_later_words(document: dict[str, Any], luck: Luck) -> None:
    """Some of the later words, in place."""
    for part in LATER:
        own = luck.at(part.__name__)
        if own.maybe("said", 0.6):
            part(document, own)
