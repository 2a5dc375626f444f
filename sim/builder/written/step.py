"""Steps in Python: a function for each word, which gives what a file would hold.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sim.builder.saying import Part, worded


def background(do: Sequence[Mapping[str, Any] | str]) -> Part:
    """Steps that go on by themselves while the endpoint does: on a thread of their own, which is no worker, but on
    the same cores.

    do: What is done.
    """
    return worded("background", "do", locals())


def cache(
    *,
    key: Literal["item", "user", "item_of_user", "all"] | None = None,
    hit: Mapping[str, Any] | float | str | None = None,
    size: Mapping[str, Any] | int | str | None = None,
    evict: Literal["lru", "lfu"] | None = None,
    ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    jitter: Mapping[str, Any] | float | str | None = None,
    negative_ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    stale_while_revalidate: Literal[0] | Mapping[str, Any] | str | None = None,
    stale_if_error: Literal[0] | Mapping[str, Any] | str | None = None,
    coalesce: bool | None = None,
    scope: Literal["replica", "shared"] | None = None,
    lookup: Mapping[str, Any] | str | None = None,
    name: str,
    then: Sequence[Mapping[str, Any] | str],
) -> Part:
    """Look into a cache; what is not in it is found by the steps of `then`, and kept where they end well.

    key: What an entry is kept for: each `item`, each `user`, each item of each user (`item_of_user`), or one entry
        for `all` requests.
    hit: The share of looks that find something, where no `key` makes it follow from popularity.
    size: How many entries fit; without it all.
    evict: Which entry goes where there is no room: the least recently used (`lru`), or the least frequently
        (`lfu`).
    ttl: How long an entry is good, from when it came; without it for ever.
    jitter: By how much of `ttl`, more or less, it differs from entry to entry, evenly.
    negative_ttl: How long a refusal (not found, sold out) is kept, and given again; without it refusals are not
        kept.
    stale_while_revalidate: How long after its `ttl` an entry is still given, while one request brings a new one in
        the background (RFC 5861).
    stale_if_error: How long after its `ttl` an entry is still given where no new one can be had (RFC 5861).
    coalesce: Whether all who miss the same key at once wait for the first of them, and get what he gets (single
        flight).
    scope: In the memory of each `replica`, or one for all of them (`shared`).
    lookup: What a look takes: work on a worker of the replica, or a wait where the cache is `shared`.
    name: What it is called, within its service: the series of its hits and misses bear its name.
    then: What is done at a miss.
    """
    return worded("cache", "", locals())


def cache_write(
    *,
    name: str,
    how: Literal["through", "behind"],
    every: Literal[0] | Mapping[str, Any] | str | None = None,
    batch: Mapping[str, Any] | int | str | None = None,
    then: Sequence[Mapping[str, Any] | str],
) -> Part:
    """Write something that a `cache` of the service keeps: for the same `key`, and good for its `ttl` from then on.

    name: The cache, one of its service, which has a `key`.
    how: Whether the request waits until it is written, or not.
    every: Of `behind`: how long a write waits at most until it is written.
    batch: Of `behind`: how many are written at once without waiting for longer.
    then: What writes it.
    """
    return worded("cache_write", "", locals())


def call(
    target: str,
    *,
    policy: Mapping[str, Any] | str | None = None,
    fallback: Sequence[Mapping[str, Any] | str] | None = None,
    token: Mapping[str, Any] | str | None = None,
) -> Part:
    """A synchronous call of `service.endpoint`, guarded by a policy; `fallback` runs once, after the last attempt.

    target: What is called, as `service.endpoint`.
    policy: How the call is guarded: the name of a policy, or one written here.
    fallback: Steps that run once, after the last attempt has failed: then the answer is `degraded`.
    token: The access token that the caller must have before it calls: `{from: idp.token, lives: 1h}`.
    """
    return worded("call", "target", locals())


def choose(branches: Sequence[Mapping[str, Any] | str], *, per: Literal["request", "attempt"] | None = None) -> Part:
    """One of several branches, by their shares; what these leave of 100 % does none of them, and goes on.

    branches: Ways to go on, each with its share and its steps.
    per: Whether a retry takes the branch that the request took before (`request`) or chooses anew (`attempt`).
    """
    return worded("choose", "branches", locals())


def effect(name: str, *, options: Mapping[str, Any] | str | None = None) -> Part:
    """A durable business fact of the order, instantaneous: `effect: order-created`, `effect: {name: {idempotent:
    true}}`.

    name: What has come about: `order-created`.
    options: What happens when it comes twice.
    """
    return worded("effect", "name", locals())


def event_store(
    name: str,
    *,
    key: Literal["item", "user", "all"],
    appends: Mapping[str, Any] | int | str | None = None,
    begins_with: Mapping[str, Any] | int | str | None = None,
    snapshot_every: Mapping[str, Any] | int | str | None = None,
    replay: Literal[0] | Mapping[str, Any] | str | None = None,
    load: Mapping[str, Any] | str | None = None,
    append: Mapping[str, Any] | str | None = None,
    in_memory: bool | None = None,
    then: Sequence[Mapping[str, Any] | str] | None = None,
) -> Part:
    """Load an aggregate, decide by `then`, and append events, if nobody has appended to it meanwhile.

    name: What it is called, within its service: its time series bear its name.
    key: What an aggregate is: each `item`, each `user`, or one for `all` requests.
    appends: How many events a command appends; 0 only reads.
    begins_with: How many events each aggregate has at the beginning of the run: how old the store is.
    snapshot_every: After how many events of an aggregate a snapshot is kept; without it all of them are replayed,
        from the first.
    replay: Work for each event that is replayed.
    load: What reading takes: a wait, whatever is read.
    append: What appending takes: a wait.
    in_memory: Whether a replica keeps what it has loaded (actors of Akka Persistence, Axon's cache): it replays
        only what others have appended since, and after a crash all behind the snapshot.
    then: What is done between loading and appending.
    """
    return worded("event_store", "name", locals())


def fail(share: Mapping[str, Any] | float | str, *, per: Literal["request", "attempt"] | None = None) -> Part:
    """End with an `error` for this share of attempts, or of requests.

    share: The share of attempts that end here, or of requests.
    per: Whether a retry or a redelivery draws anew (`attempt`) or fails as the one before (`request`).
    """
    return worded("fail", "share", locals())


def lock(
    name: str,
    *,
    key: Literal["item", "user", "all"],
    timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    deadlock_timeout: Literal[0] | Mapping[str, Any] | str | None = None,
    held_after_crash: Literal[0] | Mapping[str, Any] | str | None = None,
    do: Sequence[Mapping[str, Any] | str],
) -> Part:
    """Take a lock, do the steps of `do`, and give it back: a row that a transaction has changed, or a lock in Redis.

    name: What it is called, within the scenario: its time series bear its name.
    key: What is locked: each `item`, each `user`, or one thing for `all` requests.
    timeout: How long an attempt waits for it, and then ends as `lock_timeout`: `lock_timeout` of PostgreSQL, which
        has none by itself either; `innodb_lock_wait_timeout` of InnoDB is 50 s.
    deadlock_timeout: How long whoever holds another lock waits until he looks for a deadlock (PostgreSQL: 1 s);
        `null`: nobody looks, as with locks in Redis.
    held_after_crash: How long it stays held when the replica of its holder crashes. 0 s: PostgreSQL sees the
        connection close and rolls back; Redisson: `lockWatchdogTimeout`, 30 s.
    do: What is done while it is held.
    """
    return worded("lock", "name", locals())


def parallel(branches: Sequence[Sequence[Mapping[str, Any] | str]]) -> Part:
    """Run branches at once on the same worker and wait for all; the first failure in branch order is the outcome.
    Who waits for some of them only says `race` with `wait_for`.

    branches: Lists of steps, which begin at once.
    """
    return worded("parallel", "branches", locals())


def perform(target: str) -> Part:
    """Run the steps of `service.endpoint` of the same service here: the same draws, no network, no request queue.

    target: The endpoint of the same service, as `service.endpoint`.
    """
    return worded("perform", "target", locals())


def publish(
    topic: str,
    *,
    via: Literal["broker", "outbox"] | None = None,
    key: Literal["order", "user", "item"] | None = None,
    policy: Mapping[str, Any] | str | None = None,
    poll: Literal[0] | Mapping[str, Any] | str | None = None,
    batch: Mapping[str, Any] | int | str | None = None,
    fallback: Sequence[Mapping[str, Any] | str] | None = None,
    size: Mapping[str, Any] | str | None = None,
    routing_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    expiration: Mapping[str, Any] | str | None = None,
    priority: Mapping[str, Any] | int | str | None = None,
    confirm: Literal["none", "each", None] | Mapping[str, Any] | None = None,
    mandatory: bool | None = None,
) -> Part:
    """Publish an event; holds the worker until the broker's ack, where it hears one. `via: outbox` writes a row and
    goes on.

    topic: Where the event goes: a topic, an exchange, or a queue.
    via: To the `broker` now, or into an `outbox`: a row that a relay publishes.
    key: What decides the partition, in the place of the topic's key.
    policy: How publishing is guarded; by default as Kafka's producer.
    poll: Time between two looks of the outbox's relay.
    batch: Rows that the relay takes at once.
    fallback: Steps that run once, after the last attempt has failed.
    size: To a topic: bytes of the event, in the place of the topic's `message_size`.
    routing_key: To an exchange: by which its bindings choose the queues.
    headers: To a headers exchange: by which its bindings choose the queues.
    expiration: To an exchange or a queue: how long this message may wait in a queue.
    priority: To an exchange or a queue: the message's priority, for queues that know priorities; without it 0, and
        to a quorum queue 4.
    confirm: To an exchange or a queue: `none` waits for nothing, `each` for its confirm, `{batch: 100}` once in a
        hundred for all of them.
    mandatory: To an exchange: whether what no queue gets is an error; otherwise nobody hears of it.
    """
    return worded("publish", "topic", locals())


def race(
    branches: Sequence[Sequence[Mapping[str, Any] | str]],
    *,
    wait_for: Mapping[str, Any] | int | str | None = None,
    losers: Literal["abandon", "cancel"] | None = None,
) -> Part:
    """Branches at once, on the same worker; the first that ends well is the answer, and only where none does that of
    the first branch.

    branches: Lists of steps, which begin at once.
    wait_for: How many must end well.
    losers: Whether the others go on for nobody (`abandon`), as on_timeout of a policy, or are stopped (`cancel`).
    """
    return worded("race", "branches", locals())


def refuse(share: Mapping[str, Any] | float | str) -> Part:
    """End with a business refusal (declined, say) for this share of attempts.

    share: The share of attempts that end here.
    """
    return worded("refuse", "share", locals())


def repeat(
    times: Mapping[str, Any] | Sequence[Any] | float | str,
    *,
    do: Sequence[Mapping[str, Any] | str],
    at_once: bool | None = None,
    per: Literal["request", "attempt"] | None = None,
) -> Part:
    """The same steps several times, one after the other until one does not end well, or `at_once`, when all are
    waited for.

    times: How many times: a number, `{uniform: [1, 5]}`, `{geometric: 3}`, `{poisson: 2}`.
    do: What is done each time.
    at_once: Whether all begin at once, on the same worker.
    per: Whether a retry does it as many times (`request`) or draws the number anew (`attempt`).
    """
    return worded("repeat", "times", locals())


def reply() -> Part:
    """Answer the caller now; the steps that follow go on, holding the worker."""
    return worded("reply", "", locals())


def retract(effect: str) -> Part:
    """An effect is taken back: it does not exist any more; of charges and reservations there is one less.

    effect: What is taken back: `payment-captured`.
    """
    return worded("retract", "effect", locals())


def saga(
    steps: Sequence[Mapping[str, Any] | str],
    *,
    undo_attempts: Literal["unlimited"] | Mapping[str, Any] | int | str | None = None,
    undo_pause: Literal[0] | Mapping[str, Any] | str | None = None,
    answers_first: bool | None = None,
) -> Part:
    """One transaction after the other; where one fails or is refused those before it are undone, the last first.

    steps: The transactions, in this order.
    undo_attempts: How often an undo is tried before the saga is stuck, and somebody must look at it.
    undo_pause: The pause before an undo is tried again.
    answers_first: Whether the failure is answered before all is undone, which then goes on in the background.
    """
    return worded("saga", "steps", locals())


def session(
    *,
    in_: Literal["replica", "store"] | None = None,
    expires: Literal[0] | Mapping[str, Any] | str | None = None,
    lookup: Mapping[str, Any] | str | None = None,
    begin: Sequence[Mapping[str, Any] | str] | None = None,
    rebuild: Sequence[Mapping[str, Any] | str] | None = None,
    lost: Literal["degraded", "refused", "ok"] | None = None,
) -> Part:
    """Look for the session of the user who asks: `begin` is done where he has none, `rebuild` where it is lost.

    in_: Where it is held: in the memory of a `replica`, or in a `store` that all of them ask.
    expires: After how long without a request it is over, and the next one begins another.
    lookup: What a look takes: work on a worker of the replica, or a wait where it is in a `store`.
    begin: What is done for a user who has none, before it is kept: signing in, say.
    rebuild: What is done where it is lost, before it is kept.
    lost: How a request ends that has met a lost session, when it is rebuilt: `degraded` (what was in it is gone),
        `refused` (its user has to start again), or as if nothing had happened.
    """
    return worded("session", "", locals())


def take(store: Literal["stock"], *, options: Mapping[str, Any] | str | None = None) -> Part:
    """Take one unit from the service's stock; none left is a refusal.

    store: `stock`: that of the service.
    options: How it is taken.
    """
    return worded("take", "store", locals())


def view_apply(name: str) -> Part:
    """A view shows from now on what this request has written: in a consumer, when it has handled the event; or in
    the `background` of the write, after the lag of a read replica: `background: [{wait: 200ms}, {view_apply:
    orders}]`.

    name: Which view.
    """
    return worded("view_apply", "name", locals())


def view_read(
    name: str,
    *,
    max_wait: Literal[0] | Mapping[str, Any] | str | None = None,
    every: Literal[0] | Mapping[str, Any] | str | None = None,
    otherwise: Sequence[Mapping[str, Any] | str] | None = None,
    stale: Literal["ok", "degraded", "error"] | None = None,
) -> Part:
    """Look whether a view shows what was written last for the user (or item) of this request. Where it does not,
    look again `every` so often until `max_wait` is over; then do what `otherwise` says, a read from the primary,
    or read what is old.

    name: Which view.
    max_wait: For how long at most it is waited until the view shows it; 0: not at all.
    every: The time between two looks, while it is waited; the last one is when `max_wait` is over.
    otherwise: What is done where the view does not show it, after waiting: `[{call: orders.read_primary}]`.
    stale: How a request ends that reads what is old, where there is no `otherwise`: as if nothing had happened,
        `degraded`, or with an error.
    """
    return worded("view_read", "name", locals())


def view_write(name: str, *, key: Literal["user", "item", "all"] | None = None) -> Part:
    """Something is written from now on, which a view does not show yet: a row in the primary, an event in a store.

    name: What the view is called.
    key: Whose write it is: who reads for the same `user` expects to find it, or for the same `item`, or anybody.
    """
    return worded("view_write", "name", locals())


def wait(time: Mapping[str, Any] | str, *, per: Literal["request", "attempt"] | None = None) -> Part:
    """Time that passes elsewhere: holds the worker (threads) but uses no core.

    time: How long it takes.
    per: Whether a retry draws anew (`attempt`) or meets the same time (`request`).
    """
    return worded("wait", "time", locals())


def work(time: Mapping[str, Any] | str, *, per: Literal["request", "attempt"] | None = None) -> Part:
    """Compute: uses a core of the replica (or the worker's own, where the service has no `cores`).

    time: How long it takes.
    per: Whether a retry meets the same work (`request`) or draws anew (`attempt`).
    """
    return worded("work", "time", locals())
