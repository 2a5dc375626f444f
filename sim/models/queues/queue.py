"""One queue: what waits in order, which consumer gets the next, what is given up and why, and the books.

A queue is one process: it takes messages in one after the other (`process.py`), and hands them round robin to
the consumers that have prefetch left (`round.py`): a consumer that was full stands at the end of the round again
(rabbit_queue_consumers). What has expired is given up at the head alone. What is given up is published again by the
dead-letter exchange; it has a row of its own in each queue.

Messages of a higher priority are before all others: they are handed out first, and at the head of a queue that is too
long it is they that are dropped (RabbitMQ's documentation, "Priority Support in Queues").

Not modelled: the two weighted priorities of quorum queues before RabbitMQ 4.3, queue expiry, lazy paging of what waits
to and from disk, sizes of single messages (`max_length_bytes` counts the broker's `message_size`), how far each
replica of a quorum queue is (only the time of the majority), the 32 commands that a channel may have under way to a
quorum queue (quorum_commands_soft_limit), at-least-once dead-lettering, delayed retries, and
that publishers of a quorum queue hear late of its length (`reject-publish`): here it takes too many only while those
before are being committed, and while it has no leader or no majority: what waits for it then is taken in by the next
leader however long the queue is.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sim.models.clock import TIMER, Signal
from sim.models.context import Context
from sim.models.outcomes import DEAD_LETTERED, DROPPED, EXPIRED, LOST, PROCESSED, QUEUED
from sim.models.queues.beyond import Beyond
from sim.models.queues.deaths import CAUSES, count_death
from sim.models.queues.letter import ACKED, REJECTED, REQUEUED, Delivery, Letter, Publication, Taker
from sim.models.queues.nodes import NOWHERE
from sim.models.queues.post import Post
from sim.models.queues.process import Process
from sim.models.queues.round import Round
from sim.models.queues.waiting import Waiting
from sim.records.tables import Book
from sim.spec.queue_broker import MessageQueue as Spec
from sim.vocabulary import MessageEnd, Stage

if TYPE_CHECKING:
    from sim.models.draws import Draw

RANK = 1 << 40  # more than the messages that come to a queue: how far a priority is before the next one


class Queue:
    """A queue of a queue broker, as its messages meet it."""

    slow = 1.0  # how many times as long a commit takes
    closed = False  # its node is down, or it has no leader, or no majority
    leader = 0  # the node that leads it; NOWHERE: none does
    term = 0  # leaders that were lost: what one of them was to commit, the next one is sent

    def __init__(self, context: Context, broker: Post, name: str, spec: Spec, work: Draw | None):
        self.env = context.env
        self.recorder = context.recorder
        self.broker = broker
        self.name = name
        self.spec = spec
        self.stalled: list[Delivery] = []  # of which it is to hear what became of them when it is open
        self.name_index = context.recorder.name(name)
        self.group_index = context.recorder.name("queue")
        self.component = f"queue {name}"
        self.quorum = spec.type == "quorum"
        commit = spec.commit_time
        self.commit = context.sampler(commit, f"{name}.commit") if commit is not None else None
        self.process = Process(context.env, work)
        self.hopeful = False  # what waits here may still be handled (`queue_broker.py`)
        self.most = spec.most_waiting(broker.message_size)
        self.waiting = Waiting(in_place=not self.quorum)
        self.inbound: dict[Letter, None] = {}  # of a classic queue: its process has not come to it
        self.uncommitted: deque[Letter] = deque()  # of a quorum queue, in order
        self.beyond = Beyond()
        self.entries = 0  # of a quorum queue: how many were committed
        self.round = Round(spec.single_active_consumer)
        self.everyone: list[Taker] = []  # whoever consumes here, up or down
        self.unacked: dict[Delivery, None] = {}
        self.sent: dict[Delivery, None] = {}  # under automatic acknowledgement: not handled yet
        self.published = 0
        self.delivered = 0
        self.redelivered = 0
        self.given_up = dict.fromkeys(CAUSES, 0)
        self.ended = [0] * len(MessageEnd)
        self.known: set[tuple[int, int]] = set()  # events that are handled already, for idempotent consumers
        self.armed = math.inf  # s; when the head is looked at for having expired
        self.busy = 0  # consumers that handle a message now
        self.busy_area = 0.0

    # -- in ----------------------------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """One more would be too many, and it is the new one that gives way."""
        most = self.most
        return most is not None and self.spec.overflow != "drop-head" and len(self.waiting) >= most

    def accept(self, letter: Letter) -> None:
        """A message has been routed here: it is taken in when the process comes to it, and confirmed when
        it is safe.
        """
        publication = letter.publication
        self._count(letter, publication)
        if publication.node in self.beyond.nodes:
            self._keep(letter)
            return
        if self.closed:
            self._stall(letter)
            return
        if self.full:
            publication.refused = True
            self._refuse(letter)
            self._stored(letter)
            return
        if self.quorum:
            self.uncommitted.append(letter)
            self._replicate(letter)
            return
        delay = self.process.take_in(letter)
        if delay > 0.0:
            self.inbound[letter] = None
        until_safe = delay + self._commit_time(letter)
        letter.safe_at = self.env.now + until_safe
        self._later(delay, letter, self._enqueue)
        self._later(until_safe, letter, self._stored)

    def _replicate(self, letter: Letter) -> None:
        """Its leader takes it in, and a majority of the members."""
        seconds = self.process.take_in(letter) + self._commit_time(letter)
        self._later(seconds, letter, partial(self._committed, self.term))

    def _stall(self, letter: Letter) -> None:
        """A channel keeps it for the next leader, or the leader for a majority; where neither is, it is lost, and who
        waits for its confirm hears so (basic.nack).
        """
        if self.quorum and (self.leader != NOWHERE or letter.publication.node != NOWHERE):
            letter.stalled = True
            self.uncommitted.append(letter)
            return
        self._lose(letter)

    def _keep(self, letter: Letter) -> None:
        """It is with a node that the queue does not hear: the channel of a quorum queue keeps it."""
        if self.quorum:
            self.beyond.kept.append(letter)
        else:
            self._lose(letter)

    def _lose(self, letter: Letter) -> None:
        letter.publication.refused = True
        self.end(letter, LOST)
        self._stored(letter)

    def _count(self, letter: Letter, publication: Publication) -> None:
        letter.flow = self.recorder.follow(letter.request, publication.flow, self.name_index)
        self.recorder.note(letter.request, letter.flow, self._waits, self.name_index)
        letter.offset = self.published
        letter.order = letter.offset - self._rank(publication) * RANK
        self.published += 1
        letter.request.alive += self.hopeful
        self.broker.weigh(1)

    def _rank(self, publication: Publication) -> int:
        """Its priority, as far as this queue tells it apart."""
        highest = self.spec.highest_priority
        if highest is None:
            return 0
        return min(self.spec.usual_priority if publication.priority is None else publication.priority, highest)

    def _refuse(self, letter: Letter) -> None:
        """The new one gives way: `reject-publish-dlx` dead-letters it, `reject-publish` does not."""
        if self.spec.overflow == "reject-publish-dlx":
            self._give_up(letter, "maxlen")
        else:
            self.given_up["maxlen"] += 1
            self.end(letter, DROPPED)

    def _later(self, delay: float, letter: Letter, what: Callable[[Letter], None]) -> None:
        if delay > 0.0:
            self.env.hold(Signal(lambda _: what(letter)), delay)
        else:
            what(letter)

    def _commit_time(self, letter: Letter) -> float:
        if self.commit is None:
            return 0.0
        return self.commit(letter.request.id, letter.publication.chain) * self.slow

    def _stored(self, letter: Letter) -> None:
        """It is safe: the publisher may be told."""
        self.broker.stored(letter.publication)

    def _committed(self, term: int, letter: Letter) -> None:
        """A majority has it; what is behind one that it does not have yet waits for that one. A leader that is lost
        commits nothing.
        """
        if term != self.term:
            return
        if self.closed:
            letter.stalled = True
            return
        letter.committed = True
        while self.uncommitted and self.uncommitted[0].committed:
            ready = self.uncommitted.popleft()
            self.entries += 1
            self._stored(ready)
            self._enqueue(ready)

    def _enqueue(self, letter: Letter) -> None:
        """It can be delivered, and is, if nobody is before it and somebody is free."""
        if letter.lost:
            return
        now = self.env.now
        self.inbound.pop(letter, None)
        letter.available = now
        ttl = self.spec.message_ttl
        longest = letter.publication.expiration if ttl is None else min(ttl, letter.publication.expiration)
        letter.expires = now + longest
        taker = None if len(self.waiting) else self.round.next()
        if taker is not None:
            self._deliver(letter, taker)
            return
        self.waiting.put(letter)
        most = self.most if self.spec.overflow == "drop-head" else None
        while most is not None and len(self.waiting) > most:  # else the new one gives way, when it is routed here
            self._give_up(self.waiting.take(), "maxlen")
        self._watch_head()

    @property
    def away(self) -> bool:
        """It is on one node, which is down."""
        return self.closed and not self.quorum

    # -- out ---------------------------------------------------------------------------------------------------------

    def come(self, taker: Taker) -> None:
        """A consumer has opened a channel."""
        self.round.come(taker)
        self.dispatch()

    def leave(self, taker: Taker) -> None:
        """Its channel is closed."""
        self.round.leave(taker)
        self.dispatch()

    def pass_over(self, taker: Taker) -> None:
        """It gets no more, until it lines up again."""
        self.round.pass_over(taker)

    def offer(self, taker: Taker) -> None:
        """It may have room again: then it stands at the end of the round."""
        self.round.line_up(taker)
        self.dispatch()

    def dispatch(self) -> None:
        """Hand out what there is, as long as somebody has room."""
        if self.closed:
            return
        self._drop_expired()
        while len(self.waiting):
            taker = self.round.next()
            if taker is None:
                break
            self._deliver(self.waiting.take(), taker)
            self._drop_expired()
        self._watch_head()

    def _deliver(self, letter: Letter, taker: Taker) -> None:
        letter.deliveries += 1
        self.delivered += 1
        if letter.redelivered:
            self.redelivered += 1
        taker.deliver(letter)
        self.round.line_up(taker)

    # -- back --------------------------------------------------------------------------------------------------------

    def settle(self, delivery: Delivery) -> None:
        """What its consumer said has come, on an open channel."""
        letter = delivery.letter
        del self.unacked[delivery]
        if delivery.said == ACKED:
            self.end(letter, PROCESSED)
        elif delivery.said == REJECTED:
            self._give_up(letter, "rejected")
        else:
            self.requeue(letter, failed=delivery.said != REQUEUED)

    def requeue(self, letter: Letter, failed: bool) -> None:
        """It comes back, where it was or before all others; one that has failed too often is given up."""
        letter.redelivered = True
        letter.failures += failed
        most = self.spec.failures_allowed
        if most is not None and letter.failures > most:
            self._give_up(letter, "delivery_limit")
            return
        self.recorder.note(letter.request, letter.flow, self._waits, self.name_index)
        self.waiting.put_back(letter)

    def _give_up(self, letter: Letter, cause: str) -> None:
        """Dead-letter it, if that is asked for; in this queue it has ended."""
        self.given_up[cause] += 1
        how = EXPIRED if cause == "expired" else DROPPED
        if self.spec.dead_letter is not None:
            how = DEAD_LETTERED if how == DROPPED else how
            count_death(letter, self.name, cause)
            self.broker.give_up(letter, self.spec.dead_letter)
        self.end(letter, how)

    def end(self, letter: Letter, how: int) -> None:
        """It has ended in this queue: its row is written."""
        self.ended[how] += 1
        self.broker.weigh(-1)
        if how != PROCESSED:  # that was noted when it was handled
            self.recorder.note(letter.request, letter.flow, Stage.END, self.name_index)
        letter.write(self.recorder, self.name_index, self.group_index, self.env.now, how)
        if self.hopeful:
            letter.request.done()

    # -- nodes that go and come --------------------------------------------------------------------------------------

    def close(self, leader: int) -> None:
        """It takes nothing in and hands nothing out; what had come to a majority behind others that had not has still
        to be taken in, and without a leader all that was not committed is to be sent to the next.
        """
        self.closed = True
        self.leader = leader
        self.term += leader == NOWHERE
        for letter in self.uncommitted:
            if letter.committed or leader == NOWHERE:
                letter.committed, letter.stalled = False, True

    def drop(self, node: int) -> None:
        """With this node is lost what only it had: of a quorum queue what is not committed, where no other node has the
        channel it came by; of a classic queue what was not on disk.
        """
        if self.quorum:
            gone = [letter for letter in self.uncommitted if letter.publication.node in (node, NOWHERE)]
            those = set(gone)
            self.uncommitted = deque(letter for letter in self.uncommitted if letter not in those)
        else:
            gone = [letter for letter in (*self.waiting, *self.inbound) if letter.safe_at > self.env.now]
            gone.sort(key=_offset)
            self.waiting.take_out(gone)
        for letter in gone:
            self.inbound.pop(letter, None)
            letter.lost = True
            letter.publication.refused = True
            self.end(letter, LOST)
            if self.quorum:  # a classic queue would have stored it later: then its publisher hears of it
                self._stored(letter)

    def part(self, beyond: frozenset[int]) -> None:
        """It hears nothing of these nodes: what their channels had sent to a leader that is lost they keep."""
        self.beyond.nodes = beyond
        for letter in list(self.uncommitted) if self.leader == NOWHERE else ():
            if letter.publication.node in beyond:
                self.uncommitted.remove(letter)
                letter.stalled = False
                self.beyond.kept.append(letter)

    def join(self) -> None:
        """It hears all nodes again, and what their channels have kept for it."""
        for letter in self.beyond.take_back():
            self.uncommitted.append(letter)
            letter.stalled = self.closed
            if not self.closed:
                self._replicate(letter)

    def lose_kept(self, node: int) -> None:
        """What a node kept for it is lost with that."""
        for letter in self.beyond.take_of(node):
            self._lose(letter)

    def reopen(self, leader: int) -> None:
        """It goes on: what consumers said of deliveries is heard, and what is not committed is sent to its leader."""
        self.closed = False
        self.leader = leader
        stalled, self.stalled = self.stalled, []
        for delivery in stalled:
            delivery.receiver.settled(delivery)
        for letter in list(self.uncommitted):
            if letter.stalled:
                letter.stalled = False
                self._replicate(letter)
        self.dispatch()

    # -- time --------------------------------------------------------------------------------------------------------

    def _drop_expired(self) -> None:
        """Give up what has waited too long, as far as it stands at the head."""
        now = self.env.now
        head = self.waiting.head
        while head is not None and head.expires <= now:
            self._give_up(self.waiting.take(), "expired")
            head = self.waiting.head

    def _watch_head(self) -> None:
        """Look again when the head expires."""
        head = self.waiting.head
        if head is not None and head.expires < self.armed:
            self.armed = head.expires
            # A signal of its own: one that is armed again for an earlier time is due at that, and an older one is not.
            self.env.late(Signal(self._look_at_head), TIMER, max(head.expires, self.env.now))

    def _look_at_head(self, _: object) -> None:
        if self.env.now >= self.armed:
            self.armed = math.inf
            self.dispatch()

    # -- books -------------------------------------------------------------------------------------------------------

    @property
    def length(self) -> int:
        """As `rabbitmqctl list_queues messages` has it: ready, or handed out and not acknowledged."""
        return len(self.waiting) + len(self.unacked)

    @property
    def left(self) -> int:
        """Messages that have come and not ended, found by counting where they are."""
        there = (self.waiting, self.inbound, self.uncommitted, self.beyond.kept, self.unacked, self.sent)
        return sum(len(place) for place in there)

    def book(self) -> Book:
        """Published = ended, one way or another, + still in the queue or handed out."""
        ended = {end.word: self.ended[end] for end in MessageEnd if self.ended[end]}
        return Book(self.name, self.published, ended, self.left)

    def write_unended(self) -> None:
        """Append the rows of what has not ended: the clock has stopped."""
        handed = [delivery.letter for delivery in (*self.unacked, *self.sent)]
        for letter in (*self.waiting, *self.inbound, *self.uncommitted, *self.beyond.kept, *handed):
            letter.write(self.recorder, self.name_index, self.group_index, math.nan, QUEUED)

    @property
    def _waits(self) -> Stage:
        """What a message does here until it is delivered."""
        return Stage.LAG if self.everyone else Stage.RETRY_TOPIC


def _offset(letter: Letter) -> int:
    return letter.offset
