"""Groups that rebalance: the models' own coordinators and members (`models/membership.py`), over rows of this engine.

What they decide is rare. It happens in orders, or in the midst of a member's turn, which then asks Python
(`calendar.ask_python`): to join its group, when it polls; and, when it was evicted, for the next of the records that it
still has in hand.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from sim.compiled import consumers, network
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.events import timer_lanes
from sim.compiled.rows.logs import deliveries, group_partitions, groups, held, members, messages
from sim.compiled.rows.running import requests, tasks
from sim.models.membership import ManagedConsumer

if TYPE_CHECKING:
    from sim.compiled.elasticity import Elasticity
    from sim.compiled.rows.logs import GroupPartition, Member

Model = Any  # of the models, whose parts are exchanged for views


class Coordination:
    """The groups of one run that rebalance."""

    def __init__(self, world: Elasticity):
        self.world = world
        self.membership = world.control.membership
        wiring: Model = world.control.wiring
        self.managed = {
            place: MemberView(self, place, model)
            for place, model in enumerate(wiring.members)
            if isinstance(model, ManagedConsumer)
        }
        self.membership.managed = self.managed
        groups = {view.model.group for view in self.managed.values()}
        for group in sorted(groups, key=wiring.group_at.__getitem__):
            self._take_over(GroupOfMembers(self, group))
        self.tell()

    def _take_over(self, group: GroupOfMembers) -> None:
        coordinator: Model = group.members[0].model.coordinator
        coordinator.group, coordinator.env = group, self.world.env
        for session in coordinator.sessions:
            view = self.of(session.consumer)
            session.consumer = view
        for view in group.members:
            view.group, view.coordinator = group, coordinator

    def of(self, model: Model) -> MemberView:
        """The view of a consumer."""
        return self.managed[self.world.control.wiring.member_at[model]]

    def tell(self) -> None:
        """Members that have something to tell their group know so when they poll next."""
        for view in self.managed.values():
            view.row.called = view.session is None or view.session.notified or view.stands_still

    def hear(self, errand: int) -> None:
        """Do what the interpreter has asked for in the midst of a turn."""
        self.membership.obey(errand)
        self.tell()


class GroupOfMembers:
    """A group, as its coordinator and its members see it."""

    members: list[MemberView]

    def __init__(self, coordination: Coordination, model: Model):
        self.membership, self.recorder = coordination.membership, coordination.world.recorder
        self.name, self.topic = model.name, model.topic
        self.members = [coordination.of(member) for member in model.members]
        first = self.members[0].first_of_group
        self.partitions = [PartitionView(coordination, first + index) for index in range(len(model.partitions))]

    def reset_offset(self, partition: PartitionView, member: MemberView) -> None:
        """`latest` starts at the end of a partition in which the group has committed nothing."""
        self.membership.reset_offset(member.place, partition.place)


class PartitionView:
    """One partition as a group sees it."""

    def __init__(self, coordination: Coordination, place: int):
        self.coordination, self.place = coordination, place

    @property
    def row(self) -> GroupPartition:
        """Its row."""
        return group_partitions(self.coordination.world.control.s)[self.place]

    @property
    def owner(self) -> MemberView | None:
        """Who reads it."""
        return self.coordination.managed.get(self.row.owner)

    @owner.setter
    def owner(self, owner: MemberView | None) -> None:
        """From now on."""
        self.row.owner = owner.place if owner is not None else NOBODY

    @property
    def readable(self) -> bool:
        """Whether there is something to poll."""
        return self.row.waiting.first >= 0

    @property
    def retries(self) -> bool:
        """The same of its retry topics."""
        return self.row.retries.first >= 0


class HopView:
    """The way from the broker to a member."""

    def __init__(self, view: MemberView):
        self.view = view

    def travel(self, entity: int, chain: int) -> float:
        """Seconds on the way, for what is not lost."""
        return float(network.travel(self.view.control.s, self.view.row.hop, entity, chain))


class Patience:
    """The event that looks for how long a member has handled one batch."""

    def __init__(self, lane: int):
        self.lane = lane


class OfRow:
    """What the row of a member knows."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, view: MemberView, _: type) -> Any:  # noqa: ANN401 - a number
        return getattr(view.row, self.name)

    def __set__(self, view: MemberView, value: Any) -> None:  # noqa: ANN401 - likewise
        setattr(view.row, self.name, value)


class MemberView(ManagedConsumer):
    """A member that its row knows more of; what it does about its group is that of the models."""

    up: Model = OfRow("up")
    idle: Model = OfRow("idle")
    processing: Model = OfRow("processing")
    evicted: Model = OfRow("evicted")
    polled: Model = OfRow("polled")
    armed: Model = OfRow("watched")
    task: Model = OfRow("task")
    group: Model  # a GroupOfMembers

    def __init__(self, coordination: Coordination, place: int, model: Model):
        self.membership, self.control = coordination.membership, coordination.world.control
        self.env: Model = coordination.world.env
        self.place = place
        self.model: Model = model  # as the world was wired with it
        self.spec, self.commits = model.spec, model.commits
        self.number, self.lives, self.session = model.number, model.lives, model.session
        self.apart = False
        self.rest: deque[int] = deque()  # deliveries that it had in hand when it was given up, and has still
        self.fetch_hop: Model = HopView(self)
        row, s = self.row, self.control.s
        self.first_of_group: int = groups(s)[row.group].first
        row.errand = self.membership.order(self.answer, lasting=True)
        self.patience: Model = Patience(row.patience)
        timer_lanes(s)[row.patience].owner = self.membership.order(lambda: self._look_at_batch(None), lasting=True)

    @property
    def row(self) -> Member:
        """Its row."""
        return members(self.control.s)[self.place]

    # -- what the interpreter asks for ---------------------------------------------------------------------------------

    def answer(self) -> None:
        """It polls, and has something to tell its group first; or goes on with what others have now."""
        if self.row.evicted:
            self._go_on_with_rest()
        else:
            self.enter()
            if self.stands_still:
                self.apart = True
                return
        self.control.s.current = self.row.task

    def _go_on_with_rest(self) -> None:
        """It is done with one record, and goes on with the next that it has in hand."""
        self._let_go_of(self.rest.popleft())
        self.row.current = NOBODY
        self.row.following = self.rest[0] if self.rest else NOBODY
        tasks(self.control.s)[self.row.task].pc += 1

    # -- what differs from the models: rows ----------------------------------------------------------------------------

    @property
    def closing(self) -> Model:
        """Whether it stops when its batch is committed."""
        return self.place in self.membership.closing

    @closing.setter
    def closing(self, _: bool) -> None:
        """From now on."""
        self.membership.closing.add(self.place)
        self.row.order = self.membership.last_order(self.place)

    def _commit_handled(self) -> None:
        """Under automatic commits: what is handled is committed."""
        self.membership.commit_handled(self.place)

    @property
    def partitions(self) -> Model:
        """Its partitions."""
        row = self.row
        places = [held(self.control.s)[row.first_held + index] for index in range(row.partitions)]
        return [self.group.partitions[place - self.first_of_group] for place in places]

    @partitions.setter
    def partitions(self, partitions: list[Any]) -> None:
        """From now on."""
        row = self.row
        for index, partition in enumerate(partitions):
            held(self.control.s)[row.first_held + index] = partition.place
        row.partitions = len(partitions)

    def hold(self, owns: bool) -> None:  # noqa: ARG002 - the row knows
        """It has partitions from now on, or none."""
        self.membership.hold(self.place)

    def start(self) -> None:
        """Begin to poll."""
        self.membership.start_polling(self.place)

    def stop(self) -> None:
        """It is dead, or refuses, which the group does not know; one that closes says so, unless it is static."""
        was_up, leaves = self.up, self.closing and not self.coordinator.spec.static
        self.membership.stop_polling(self.place)
        if was_up:
            self.let_go()
            self.tell_group(leaves)

    def give_back(self) -> None:
        """What it polled and did not commit is to be read again."""
        self.membership.give_back(self.place, gone=False)

    def keep_in_hand(self) -> None:
        """Something may still come of the requests of what it goes on to handle."""
        s, row = self.control.s, self.row
        if row.current >= 0:
            self.rest.append(row.current)
        place = row.following
        while place >= 0:
            self.rest.append(place)
            place = deliveries(s)[place].next
        for place in self.rest:
            deliveries(s)[place].kept += 1
            requests(s)[messages(s)[deliveries(s)[place].message].request].alive += 1

    def let_go(self) -> None:
        """What it had in hand when it was given up is over with it."""
        while self.rest:
            self._let_go_of(self.rest.popleft())

    def _let_go_of(self, delivery: int) -> None:
        if self.control.s.must_grow:
            self.control.machine.grow()
        consumers.let_go(self.control.s, delivery)
