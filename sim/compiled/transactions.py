"""Records of transactions: `models/logs/transactions.py` and `exactly_once.py` once more.

A record knows whether its transaction is open; who reads only committed ones has what is not stable yet in a line.
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.apart import by_address
from sim.compiled.base import NONE, handler, whole
from sim.compiled.codes import DROPPED, LOST, OK, REFUSED
from sim.compiled.consumers import end_delivery
from sim.compiled.lists import add_last, unlink
from sim.compiled.network import travel
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.logs import (
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

SETTLED, OPEN, ABORTED = map(whole, range(3))  # what has become of the transaction of a record
ONE_WAYS = 4  # of TxnOffsetCommit and EndTxn, there and back


# -- consumers ---------------------------------------------------------------------------------------------------------


@handler
def begin_transaction(s: State, member: int) -> None:
    """One for the next record; what one that died left open is aborted before (initTransactions)."""
    row = members(s)[member]
    if row.transaction >= 0:
        end_transaction(s, row.transaction, False)
    made = row.transaction = take_transaction(s)
    row.transactions += 1
    transactions(s)[made].first = NOBODY
    transactions(s)[made].last = NOBODY
    transactions(s)[made].takes_part = True


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
    """Seconds until it is committed."""
    row = members(s)[member]
    number = messages(s)[deliveries(s)[row.current].message].number
    delay = 0.0
    for way in range(ONE_WAYS):
        delay += travel(s, row.hop, number, way)
    return delay


@compiled
def close_transaction(s: State, member: int, committed: bool) -> None:
    """Its consumer has ended it, unless its time was over before."""
    row = members(s)[member]
    if row.transaction >= 0:
        end_transaction(s, row.transaction, committed)
    row.transaction = NOBODY


@by_address
@compiled
def end_transaction(s: State, transaction: int, committed: bool) -> None:
    """What waited for it can be read, or never will be."""
    first = transactions(s)[transaction].first
    give_back_transaction(s, transaction)
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


# -- records -----------------------------------------------------------------------------------------------------------


@handler
def transaction_of(s: State, publication: int, broker: int) -> int:
    """The one that a publication to this broker is a part of: that of the consumer that waits for it."""
    caller = tasks(s)[publication].caller
    if caller < 0:
        return NONE
    place = tasks(s)[caller].member
    if place < 0:
        return NONE
    member = members(s)[place]
    if member.task != caller or member.transaction < 0 or member.broker != broker:
        return NONE
    return member.transaction if transactions(s)[member.transaction].takes_part else NONE


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
