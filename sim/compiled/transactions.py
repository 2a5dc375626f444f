"""Records of transactions: `models/logs/transactions.py` and `exactly_once.py` once more.

A record knows whether its transaction is open; who reads only committed ones has what is not stable yet in a line.
Python aborts those whose time is over (`transaction_timeouts.py`).
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler, whole
from sim.compiled.calendar import ORDER, ORDINARY, schedule
from sim.compiled.codes import DROPPED, LOST, OK, REFUSED
from sim.compiled.consumers import end_delivery
from sim.compiled.lists import add_last, unlink
from sim.compiled.network import travel
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import (
    brokers,
    deliveries,
    fates,
    give_back_transaction,
    group_of,
    group_partitions,
    groups,
    members,
    messages,
    take_transaction,
    topics,
    transactions,
)
from sim.compiled.rows.running import tasks
from sim.compiled.rows.state import State
from sim.compiled.spans import LAG, follow, keep_note
from sim.compiled.topics import new_delivery, notify, release
from sim.models.logs import transactions as models
from sim.models.logs.exactly_once import ONE_WAYS
from sim.models.logs.transactions import CHECK
from sim.policies import log_times

SETTLED, OPEN, ABORTED = map(whole, range(3))  # what has become of the transaction of a record
FENCED = whole(models.FENCED)
until_look = log_times.until_look.compiled


# -- consumers ---------------------------------------------------------------------------------------------------------


@handler
def begin_transaction(s: State, member: int) -> None:
    """One for the next record; what one that died left open is aborted before (initTransactions)."""
    row = members(s)[member]
    close_transaction(s, member, False)
    made = row.transaction = take_transaction(s)
    row.transactions += 1
    its = transactions(s)[made]
    its.timeout = row.transaction_timeout
    its.broker = row.broker
    its.first = NOBODY
    its.last = NOBODY
    its.open = True
    its.takes_part = True


@handler
def is_well(s: State, task: int) -> bool:
    """Whether no redelivery follows the record that a consumer handles, and it is still its own."""
    own = tasks(s)[task]
    return (own.outcome == OK or own.outcome == REFUSED) and not members(s)[own.member].evicted  # noqa: PLR1714


@handler
def steps_over(s: State, member: int) -> None:
    """What arrives from now on is no part of it."""
    transactions(s)[members(s)[member].transaction].takes_part = False


@handler
def commit_delay(s: State, member: int) -> float:
    """Seconds until it is committed, or it is heard with the first answer that it was aborted."""
    row = members(s)[member]
    number = messages(s)[deliveries(s)[row.current].message].number
    ways = ONE_WAYS if transactions(s)[row.transaction].open else ONE_WAYS // 2
    delay = 0.0
    for way in range(ways):
        delay += travel(s, row.hop, number, way)
    return delay


@handler
def was_aborted(s: State, member: int) -> bool:
    """Whether the time of its transaction was over, though it lives."""
    return not transactions(s)[members(s)[member].transaction].open


@handler
def close_transaction(s: State, member: int, committed: bool) -> None:
    """Its consumer has ended it, unless its time was over before."""
    row = members(s)[member]
    if row.transaction >= 0:
        end_transaction(s, row.transaction, committed)
        give_back_transaction(s, row.transaction)
    row.transaction = NOBODY


@by_address
@compiled
def end_transaction(s: State, transaction: int, committed: bool) -> None:
    """What waited for it can be read, or never will be."""
    row = transactions(s)[transaction]
    if not row.open:
        return
    row.open = False
    first = row.first
    if first >= 0:
        unlink(transactions(s), brokers(s)[row.broker].begun, transaction)
    message = first
    while message >= 0:
        fates(s)[message].transaction = SETTLED if committed else ABORTED
        message = fates(s)[message].next
    message = first
    while message >= 0:
        following = fates(s)[message].next
        topic = topics(s)[messages(s)[message].topic]
        for index in range(topic.first_group, topic.first_group + topic.groups):
            group = group_of(s)[index]
            if groups(s)[group].committed_only:
                settle(s, groups(s)[group].first + messages(s)[message].partition - topic.first)
        release(s, message)
        message = following


@compiled
def look_at_transactions_later(s: State, place: int) -> None:
    """Python looks at the transactions of a broker whose time is over."""
    broker = brokers(s)[place]
    if not broker.looks:
        broker.looks = True
        schedule(s, ORDINARY, until_look(s.now, CHECK), ORDER, broker.look)


# -- records -----------------------------------------------------------------------------------------------------------


@by_address
@handler
def member_in_transaction(s: State, task: int, broker: int) -> int:
    """In whose transaction it is what a task publishes to this broker: whose record it handles, or is a branch of."""
    handling = tasks(s)[task].attempt if tasks(s)[task].attempt >= 0 else task
    place = tasks(s)[handling].member
    if place < 0:
        return NONE
    member = members(s)[place]
    if member.task != handling or member.transaction < 0 or member.broker != broker:
        return NONE
    return place if transactions(s)[member.transaction].takes_part else NONE


@by_address
@handler
def take_part(s: State, task: int, publication: int, broker: int) -> None:
    """What is published to a broker is a part of the transaction that is open where it comes from, whoever waits for it
    then.
    """
    made = tasks(s)[publication]
    made.member = member_in_transaction(s, task, broker)
    if made.member >= 0:
        made.transaction = members(s)[made.member].transactions


@handler
def is_fenced(s: State, member: int, number: int) -> bool:
    """Whether this transaction of a member is not open any more."""
    row = members(s)[member]
    return row.transactions != number or row.transaction < 0 or not transactions(s)[row.transaction].open


@handler
def known(s: State, transaction: int, topic: int, site: int, path: int) -> int:
    """The record that it has of a publication already, unless that was lost; -1: none."""
    message = transactions(s)[transaction].first
    while message >= 0:
        row = messages(s)[message]
        same = row.topic == topic and row.site == site and row.path == path
        if same and not fates(s)[message].lost:
            return message
        message = fates(s)[message].next
    return NONE


@handler
def join_transaction(s: State, message: int, transaction: int) -> None:
    """A record is a part of a transaction, or of none."""
    fate = fates(s)[message]
    fate.acknowledged = False
    fate.lost = False
    fate.next = NOBODY
    fate.transaction = SETTLED
    if transaction < 0:
        return
    fate.transaction = OPEN
    row = transactions(s)[transaction]
    if row.last < 0:
        row.first = message
        row.began = s.now
        add_last(transactions(s), brokers(s)[row.broker].begun, transaction)
        look_at_transactions_later(s, row.broker)
    else:
        fates(s)[row.last].next = message
    row.last = message
    messages(s)[message].left += 1


# -- who reads only committed records ----------------------------------------------------------------------------------


@handler
def stand_unstable(s: State, group: int, message: int) -> None:
    """A record is in all in-sync replicas: it can be read when no record before it is of an open transaction."""
    row = groups(s)[group]
    place = row.first + messages(s)[message].partition - topics(s)[row.topic].first
    add_last(deliveries(s), group_partitions(s)[place].unstable, new_delivery(s, message, place))
    settle(s, place)


@compiled
def settle(s: State, place: int) -> None:
    """What is before the first record of an open transaction is stable; those of aborted ones are passed over."""
    partition = group_partitions(s)[place]
    while partition.unstable.first >= 0:
        delivery = partition.unstable.first
        message = deliveries(s)[delivery].message
        how = fates(s)[message].transaction
        if how == OPEN:
            return
        unlink(deliveries(s), partition.unstable, delivery)
        if how == ABORTED:
            end_unread(s, delivery, DROPPED)
        else:
            begin_delivery(s, delivery)
            add_last(deliveries(s), partition.waiting, delivery)
            notify(s, place, message)


@compiled
def lose_unstable(s: State, delivery: int) -> None:
    """A record is lost that nobody could read for an open transaction before it."""
    unlink(deliveries(s), group_partitions(s)[deliveries(s)[delivery].partition].unstable, delivery)
    end_unread(s, delivery, LOST)


@compiled
def end_unread(s: State, delivery: int, how: int) -> None:
    """A record that nobody could read has ended."""
    group = group_partitions(s)[deliveries(s)[delivery].partition].group
    begin_delivery(s, delivery)
    end_delivery(s, group, delivery, how)


@handler
def begin_delivery(s: State, delivery: int) -> None:
    """Its group knows of it from now on."""
    row = deliveries(s)[delivery]
    place = group_partitions(s)[row.partition].group
    group = groups(s)[place]
    group.lag += 1
    if s.spans:
        sent = messages(s)[row.message]
        row.flow = follow(s, sent.request, sent.flow, group.name)
        keep_note(s, sent.request, row.flow, LAG, group.name, 0.0, NONE)
