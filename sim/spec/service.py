"""A service: replicas, workers, cores, queue, stock, endpoints, and the topics it consumes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, WithJsonSchema, model_validator

from sim.spec import cache as _cache  # noqa: F401 - registers its step
from sim.spec import cache_write as _cache_write  # noqa: F401 - registers its step
from sim.spec import composed as _words  # noqa: F401 - registers the steps that are made of other steps
from sim.spec import event_store as _event_store  # noqa: F401 - registers its step
from sim.spec import lock as _lock  # noqa: F401 - likewise
from sim.spec import saga as _saga  # noqa: F401 - registers its steps
from sim.spec import session as _session  # noqa: F401 - likewise
from sim.spec import view as _view  # noqa: F401 - likewise
from sim.spec.ageing import Ageing
from sim.spec.autoscaling import Autoscaling, Draining, Starting
from sim.spec.balancing import AnyBalancing
from sim.spec.base import (
    UNLIMITED,
    Between,
    Count,
    Duration,
    Few,
    Flag,
    Leaves,
    Many,
    Offset,
    Price,
    Spec,
    Workers,
    Zones,
)
from sim.spec.consuming import Commit, Fetch, Transaction
from sim.spec.contention import Contention
from sim.spec.cpu import MILLI, CpuLimit
from sim.spec.document import Data
from sim.spec.health import HealthChecks
from sim.spec.idempotency import Idempotency
from sim.spec.limits import RateLimit
from sim.spec.membership import Membership
from sim.spec.policy import AnswersWith, AnyBackoff, ConstantBackoff
from sim.spec.process_pauses import ProcessPauses
from sim.spec.queueing import Queue as Queue  # noqa: PLC0414 - the gateway has one too
from sim.spec.queueing import check_pinned
from sim.spec.serverless import Serverless
from sim.spec.step import AnyStep
from sim.spec.vertical import VerticalScaling
from sim.vocabulary import EventKind, MessageEnd, Stage

Cores = Annotated[
    Few,
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100_000}),
]


class Stock(Spec):
    """Finite stock: `items` units of each kind of item (of one kind where traffic names no items)."""

    positional = "items"
    items: Annotated[int, Between(0, 10**15)]
    """Units of each kind of item; of one kind where traffic names no items."""


class RetryTopic(Spec):
    """Non-blocking redelivery: failure k goes to the k-th delay topic; after the last the message is dead-lettered.

    `attempts` and `backoff` are those of Spring Kafka's @RetryableTopic, with its defaults: three deliveries in all, a
    second apart, so two retry topics and a dead-letter topic. `@BackOff(delay = 1000, multiplier = 2)` is `backoff:
    {exponential: {base: 1s, max: 30s}}`, since without a maxDelay Spring's exponential pauses end at 30 s.

    Not modelled: listener containers of the retry topics' own (whoever owns the partition delivers again, what is due
    before what is new), their partitions, and the time of publishing to them.
    """

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.RETRY_TOPIC,))
    positional = "delays"
    delays: tuple[Duration, ...] = ()
    """The delay of each retry topic, one after the other, in the place of `attempts` and `backoff`."""
    attempts: Annotated[int, Between(2, 1000)] = 3
    """How often a message is delivered before it is dead-lettered, the first time included (attempts)."""
    backoff: AnyBackoff = ConstantBackoff.model_validate({"delay": "1s"})
    """The pause before each retry: the delay of its topic (backOff)."""

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        said = [name for name in ("attempts", "backoff") if name in self.model_fields_set]
        if self.delays and said:
            raise ValueError(f"found `{said[0]}` beside `delays`, which say both; expected one of them")
        return self

    @property
    def pauses(self) -> tuple[float, ...]:
        """Seconds before each redelivery, one after the other."""
        return self.delays or tuple(self.backoff.pause(number) or 0.0 for number in range(1, self.attempts))


class Consume(Spec):
    """How a service consumes a topic, as one consumer group, or a queue. Defaults: Kafka's consumer and Spring Kafka's
    error handler; AMQP 0-9-1.

    A consumer is a thread of its own beside the workers. One per replica is what a Java KafkaConsumer, kafkajs, and
    listener containers of Spring (`concurrency` 1) have.
    """

    leaves: ClassVar[Leaves] = Leaves(
        events=(EventKind.PARTITIONS_ASSIGNED,),
        stages=(Stage.LAG,),
        ends=(MessageEnd.PROCESSED, MessageEnd.DEAD_LETTERED, MessageEnd.SKIPPED, MessageEnd.QUEUED),
        series=("lag", "delivered", "redelivered", "busy", "workers"),
    )
    group: str = ""
    """The consumer group of a topic: every group gets every message once. A queue has none."""
    do: tuple[AnyStep, ...]
    """The steps for each message."""
    auto_offset_reset: Literal["earliest", "latest"] = "latest"
    """Where a group begins that has no offset: at the `earliest` message, or with what comes from now on."""
    consumers: Few = 1
    """Members of the group in each replica; each is a thread of its own."""
    max_poll_records: Many = 500
    """Messages that a member takes at once."""
    fetch: Fetch | None = None
    """Of a topic: how much the broker collects before it answers; without it each record as it comes."""
    commit: Commit | None = None
    """Of a topic: when offsets are committed, after a `batch` where nothing is said."""
    transaction: Transaction | None = None
    """Of a topic: each record in a transaction, with what is published while it is handled."""
    isolation: Literal["read_uncommitted", "read_committed"] = "read_uncommitted"
    """Of a topic: whether the group reads records of transactions that are open or aborted (isolation.level)."""
    retry_topic: RetryTopic | None = None
    """Where a failed message is tried again without blocking its partition."""
    max_deliveries: Many = 10
    """Without a retry topic: how often a message is tried in place, before it is dead-lettered."""
    idempotent: Flag = False
    """Whether the id of a message is written with its effects, so that a duplicate is skipped."""
    session_timeout: Duration = 45.0
    """Until the partitions of a crashed member move to others."""
    membership: Membership | None = None
    """How the group rebalances; without it members are static and rebalances take no time."""
    prefetch: Count = 0
    """Of a queue: how many messages each consumer may have unacknowledged; 0 is unlimited (basic.qos)."""
    ack: Literal["manual", "automatic"] = "manual"
    """Of a queue: whether a message is done with when it was handled, or already when it is sent."""
    on_failure: Literal["requeue", "nack_requeue", "reject"] = "requeue"
    """Of a queue: back into it by basic.reject, which counts as a failed delivery, or by basic.nack, which does not; or
    given up.
    """
    priority: Annotated[int, Between(-(2**31), 2**31 - 1)] = 0
    """Of a queue: a consumer of a higher one gets messages as long as it can take some (x-priority)."""

    @model_validator(mode="after")
    def _one_way_to_commit(self) -> Self:
        if self.transaction is not None and self.commit is not None:
            raise ValueError(
                "found `commit` beside `transaction`, which commits with each record; expected one of them"
            )
        return self


class Endpoint(Spec):
    """Steps, and what their failures are answered with where that is no `error`: `{do: [...], answers_with:
    {breaker_open: shed}}`, or just the steps.
    """

    positional = "do"
    do: tuple[AnyStep, ...]
    """The steps, one after the other."""
    answers_with: AnswersWith = Field(default_factory=dict)
    """What failures are answered with where that is no `error`: `{breaker_open: shed}`."""
    idempotency: Idempotency | None = None
    """Whether the same call of a request, which comes again, is answered from what was answered before."""


class Service(Spec):
    """One service. Every replica has its own workers, cores and queue."""

    leaves: ClassVar[Leaves] = Leaves(
        series=(
            "busy",
            "workers",
            "cores_busy",
            "cores",
            "replicas",
            "in_flight",
            "attempts",
            "first_attempts",
            "work_done",
            "work_wasted",
        )
    )
    replicas: Few = 1
    """How many there are, each with workers, cores and queue of its own."""
    workers: Workers
    """Threads of each replica, held while a callee answers; or loop threads; or `unlimited`."""
    concurrency: Literal["threads", "event_loop"] = "threads"
    """`threads` hold a worker until the end; an `event_loop` lets go of it while something is waited for."""
    pinned: Flag = False
    """Of an `event_loop`: whether each connection belongs to one of the threads, as in nginx, Envoy, Netty and Node's
    cluster: a busy one delays its connections though others are idle. A user has one connection, and users go round
    the threads; who comes without a user, or calls from another service, comes by any.
    """
    cores: Cores | None = None
    """What each replica computes on; without it every worker has a core of its own. A whole number: so many cores, of
    which nobody else has a part. A fraction such as `0.5`: the limit of `cpu`, for it takes one to give half a core.
    """
    cpu: CpuLimit | None = None
    """How much each replica may compute in every period of 100 ms, as `limits.cpu` of Kubernetes: `500m`."""
    contention: Contention | None = None
    """By how much its threads slow one another when several compute at once; without it they do not."""
    pauses: ProcessPauses | None = None
    """Whether each replica stands still now and then, as in a garbage collection."""
    zones: Zones = ()
    """In which zones its replicas are, one after the other and from the first again: `[a, b, c]`."""
    clock_skew: tuple[Offset, ...] = ()
    """By how much the clocks of its replicas are ahead of the right time, one after the other and from the first again:
    `[0s, 2s, -500ms]`. Rate limits that read the clock of their node count by it (`clock` of a rate limit).
    """
    queue: Queue = Queue()
    """Where requests wait for a worker."""
    rate_limits: tuple[RateLimit, ...] = ()
    """How many requests its endpoints let pass, counted on a worker before their steps; all of them must."""
    serverless: Serverless | None = None
    """Whether requests start instances themselves; then it has one replica, with unlimited workers."""
    node_pool: str | None = None
    """On whose nodes its replicas stand, one of `node_pools`; without it there is always room."""
    autoscaling: Autoscaling | None = None
    """Whether replicas come and go by themselves; `replicas` is then how many there are at the beginning."""
    vertical_scaling: VerticalScaling | None = None
    """Whether its `cpu` limit grows and shrinks with what its replicas use."""
    start: Starting = Starting()
    """How long a replica takes to start, where it is started while the system runs, and how slow it is at first."""
    ageing: Ageing | None = None
    """Whether a replica becomes slower the longer it lives, until it is restarted."""
    drain: Draining = Draining()
    """How long a replica that is to go may take to end what is inside."""
    load_balancing: AnyBalancing = "round_robin"
    """How its callers choose a replica, each on its own: the name of a policy, or a map with more about it."""
    health_checks: HealthChecks | None = None
    """How callers learn which replicas are there; without it they know who is down, and never who is frozen."""
    cost: Price = 0.0
    """The price of a replica, by time."""
    stock: Stock | None = None
    """What there is to be sold."""
    endpoints: dict[str, Endpoint] = Field(default_factory=dict)
    """What can be called, by name: steps."""
    consumes: dict[str, Consume] = Field(default_factory=dict)
    """The topics it consumes, and what it does with each message."""

    @property
    def computes_on(self) -> float | None:
        """Cores that each replica may use on average; None: as many as it has workers."""
        if self.cpu is None:
            return self.cores
        return self.cpu.limit if self.cores is None else min(self.cpu.limit, self.cores)

    @property
    def asks_for(self) -> int:
        """Thousandths of a core that each replica asks a node for: `request` of its `cpu`, or all of its `cores`."""
        if self.cpu is not None and (self.cpu.request is not None or self.cores is None):
            return max(1, round(self.cpu.asked * MILLI))
        return (self.cores or 0) * MILLI

    @model_validator(mode="after")
    def _can_be_pinned(self) -> Self:
        check_pinned(self.pinned, self.concurrency, self.workers, self.queue)
        return self

    @model_validator(mode="before")
    @classmethod
    def _part_of_a_core(cls, data: Data) -> Data:
        """`cores: 0.5` is a limit."""
        cores = data.get("cores") if isinstance(data, dict) else None
        if not isinstance(cores, float) or cores.is_integer() or not cores > 0:
            return data
        if data.get("cpu") is not None:
            raise ValueError(f"found cores: {cores:g} beside cpu, which say both how much; expected whole cores")
        return {**{name: value for name, value in data.items() if name != "cores"}, "cpu": {"limit": cores}}

    @model_validator(mode="after")
    def _one_place_for_all_instances(self) -> Self:
        if self.serverless is None:
            return self
        words = ("cores", "cpu", "contention", "pauses", "ageing", "autoscaling", "node_pool")
        said = [word for word in words if getattr(self, word) is not None]
        if self.serverless.billing is not None and self.cost:
            raise ValueError("found `cost` beside `billing` of its function; expected one of them")
        said += [f"replicas: {self.replicas}"] if self.replicas != 1 else []
        said += [f"workers: {self.workers}"] if self.workers != UNLIMITED else []
        if said:
            raise ValueError(
                f"found `{said[0]}` beside `serverless`, expected one replica with `workers: unlimited`: its instances "
                "come by themselves"
            )
        return self

    @model_validator(mode="after")
    def _has_a_limit_to_scale(self) -> Self:
        if self.vertical_scaling is None:
            return self
        if self.cpu is None:
            raise ValueError("found `vertical_scaling` without `cpu`, expected the limit at the beginning: `cpu: 500m`")
        if self.autoscaling is not None and any(metric.cpu is not None for metric in self.autoscaling.measured):
            raise ValueError(
                "found `autoscaling` by cpu beside `vertical_scaling`, which moves what that is a share of; expected "
                "another metric, as Kubernetes asks for"
            )
        return self

    @property
    def most_replicas(self) -> int:
        """How many there can be at once."""
        return self.replicas if self.autoscaling is None else max(self.autoscaling.max, self.replicas)
