"""Steps that are made of other steps: one of several, again and again, whichever is first, and what nobody waits for.

Not modelled: what it costs to start a thread, and a pool that bounds how many there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from sim.chance.chain import link_chain
from sim.chance.keyed import stream_number
from sim.models.behaviours import behaviour
from sim.models.ending import stop_branch
from sim.models.host import Host
from sim.models.outcomes import OK
from sim.models.sequence import StepSequence
from sim.models.site import Site
from sim.models.task import Activity, Process, Task, abandon
from sim.spec import composed as spec
from sim.spec.step import Parallel as ParallelSpec
from sim.vocabulary import Stage


@behaviour(spec.Choose)
class Choose:
    """One of several branches by a draw; past the last of them nothing is done."""

    def __init__(self, step: spec.Choose, site: Site):
        self.chance = site.uniform()
        self.kept = step.per == "request"
        self.edges = list(accumulate(step.shares))
        self.branches = [
            site.named(f"{site.name}.{index}").sequence(branch.do) for index, branch in enumerate(step.branches)
        ]

    def run(self, task: Task) -> Activity:
        """As the branch that is taken ends."""
        drawn = self.chance(task.request.id, task.path if self.kept else task.chain)
        index = bisect_right(self.edges, drawn)
        if index == len(self.branches):
            return OK
        return (yield from self.branches[index].run(task))


@behaviour(spec.Repeat)
class Repeat:
    """The same steps several times. The first time has the draws that it would have without the step, all others draws
    of their own.
    """

    def __init__(self, step: spec.Repeat, site: Site):
        self.forks = Forks(site)
        self.chance = site.uniform()
        self.kept = step.per == "request"
        self.falling = [-tail for tail in step.times.tails]
        self.at_once = step.at_once
        self.steps = site.named(f"{site.name}.do").sequence(step.do)
        self.salt = stream_number(site.name) >> 33

    def times(self, task: Task) -> int:
        """How many times this task does it: one for each chance to do it so often that is above the draw."""
        drawn = self.chance(task.request.id, task.path if self.kept else task.chain)
        return bisect_left(self.falling, -drawn)

    def run(self, task: Task) -> Activity:
        """As the first time that does not end well."""
        if self.at_once:
            return (yield from self._all_at_once(task))
        chain, path = task.chain, task.path
        outcome = OK
        for number in range(self.times(task)):
            if number:
                task.chain, task.path = self._links(chain, path, number)
            outcome = yield from self.steps.run(task)
            if outcome:
                break
        task.chain, task.path = chain, path
        return outcome

    def _all_at_once(self, task: Task) -> Activity:
        branches = [self.forks.branch(task, self.steps) for _ in range(self.times(task))]
        for number, branch in enumerate(branches[1:], 1):
            branch.chain, branch.path = self._links(task.chain, task.path, number)
        return (yield from self.forks.wait_for_all(task, branches))

    def _links(self, chain: int, path: int, number: int) -> tuple[int, int]:
        return link_chain(chain, self.salt, number), link_chain(path, self.salt, number)


@behaviour(ParallelSpec)
class Parallel:
    """Branches at once, on the same worker; the first failure in branch order is the outcome, when all are over."""

    def __init__(self, step: ParallelSpec, site: Site):
        self.forks = Forks(site)
        self.branches = [
            site.named(f"{site.name}.{index}").sequence(steps) for index, steps in enumerate(step.branches)
        ]

    def run(self, task: Task) -> Activity:
        """Start all, wait for all."""
        return self.forks.wait_for_all(task, [self.forks.branch(task, steps) for steps in self.branches])


@behaviour(spec.Race)
class Race:
    """Branches at once, of which the first that ends well is enough, or so many."""

    def __init__(self, step: spec.Race, site: Site):
        self.forks = Forks(site)
        self.cancels, self.enough = step.losers == "cancel", step.wait_for
        if self.cancels:
            for host in site.world.calls.hosts:  # it goes on from callee to callee
                host.keep_track()
        self.branches = [
            site.named(f"{site.name}.{index}").sequence(steps) for index, steps in enumerate(step.branches)
        ]

    def run(self, task: Task) -> Activity:
        """OK when enough have ended well; as the first in order that has not, when too few can."""
        host = self.forks.host
        host.let_go(task)
        branches = [Task(task.request, task.chain, task.path, task, task.replica) for _ in self.branches]
        over: list[Task] = []
        for branch, steps in zip(branches, self.branches, strict=True):
            branch.abandoned = task.abandoned
            branch.attempt = task.attempt or task
            branch.begin(self._branch(branch, steps, branches, over))
        self.forks.start(task, branches)
        yield
        task.children = None
        won = [branch for branch in over if not branch.outcome]
        if len(won) == self.enough:
            task.degraded = task.degraded or any(branch.degraded for branch in won)
            return OK
        first = next(branch for branch in branches if branch in over and branch.outcome)
        task.degraded = task.degraded or first.degraded
        task.where, task.root = first.where, first.root
        return first.outcome

    def _branch(self, branch: Task, steps: StepSequence, branches: list[Task], over: list[Task]) -> Process:
        forks = self.forks
        branch.outcome = yield from steps.run(branch)
        forks.end(branch)
        task, branch.caller = branch.caller, None
        if task is None:
            forks.come_home(branch)
        else:
            over.append(branch)
            failed = sum(bool(other.outcome) for other in over)
            if len(over) - failed == self.enough or len(branches) - failed < self.enough:
                task.children = [other for other in branches if other in over]  # who loses is part of it no more
                for other in branches:
                    if other.caller is not None:
                        other.caller = None
                        self._lose(other)
                forks.env.wake(task)
        branch.silence()
        yield

    def _lose(self, branch: Task) -> None:
        """It goes on for nobody, or is stopped; it answers nobody any more."""
        if self.cancels:
            stop_branch(branch, cancel=True)
            return
        part_from_attempt(branch)
        self.forks.let_drift(branch)
        abandon(branch)


@behaviour(spec.Background)
class Background:
    """Steps that go on by themselves; nothing is told of how they end but a count of those that failed."""

    def __init__(self, step: spec.Background, site: Site):
        self.forks = Forks(site)
        self.host = site.host
        self.steps = site.named(f"{site.name}.do").sequence(step.do)
        self.host.watch_background()

    def act(self, task: Task) -> int:
        """Begin them, and go on."""
        host, forks = self.host, self.forks
        flow = forks.recorder.follow(task.request, task.flow, host.name_index)
        aside = Task(task.request, task.chain, task.path, None, task.replica)
        aside.flow = flow
        forks.let_drift(aside)
        aside.begin(self._process(aside))
        forks.env.wake(aside)
        return OK

    def _process(self, aside: Task) -> Process:
        outcome = yield from self.steps.run(aside)
        if outcome:
            self.host.background_failed = (self.host.background_failed or 0) + 1
        self.forks.end(aside)
        self.forks.come_home(aside)
        aside.silence()
        yield


def part_from_attempt(branch: Task) -> None:
    """It is a part of no attempt any more, nor are its own branches: a reply there answers nobody."""
    branch.attempt = None
    _answer_for(branch, branch)


def _answer_for(whole: Task, branch: Task) -> None:
    if isinstance(branch.children, list):
        for inner in branch.children:
            inner.attempt = whole
            _answer_for(whole, inner)


class Forks:
    """Flows that part from a task, in the same replica and for the same request."""

    def __init__(self, site: Site):
        self.host: Host = site.host
        self.env = site.world.env
        self.recorder = site.world.recorder

    def branch(self, task: Task, steps: StepSequence) -> Task:
        """A branch that its task waits for, together with others."""
        branch = Task(task.request, task.chain, task.path, task, task.replica)
        branch.abandoned = task.abandoned
        branch.attempt = task.attempt or task
        branch.begin(self._of_all(branch, steps))
        return branch

    def wait_for_all(self, task: Task, branches: list[Task]) -> Activity:
        """Start them; the first in order that does not end well is the outcome, when all are over."""
        if not branches:
            return OK
        self.host.let_go(task)
        self.start(task, branches)
        yield
        task.children = None
        task.degraded = task.degraded or any(branch.degraded for branch in branches)
        for branch in branches:
            if branch.outcome:
                task.where = branch.where
                task.root = branch.root
                return branch.outcome
        return OK

    def start(self, task: Task, branches: Sequence[Task]) -> None:
        """All of them, in this order."""
        task.children = branches
        if task.flow >= 0:
            for branch in branches:
                branch.flow = self.recorder.next_flow()
            self.recorder.stage(task, Stage.PARALLEL, self.host.name_index, len(branches), branches[0].flow)
        for branch in branches:
            self.env.wake(branch)

    def end(self, branch: Task) -> None:
        """Its steps are over: the place that it held in an event loop is free."""
        self.recorder.stage(branch, Stage.END, self.host.name_index)
        if branch.granted:
            self.host.leave(branch, branch.replica)

    def let_drift(self, branch: Task) -> None:
        """It goes on by itself from now on, and its request lives as long; a crash of the replica ends it."""
        branch.request.alive += 1
        branch.replica.adrift[branch] = None

    def come_home(self, branch: Task) -> None:
        """What went on by itself is over."""
        replica = branch.replica
        del replica.adrift[branch]
        branch.request.done()
        if replica.draining:
            self.host.drained(replica)

    def _of_all(self, branch: Task, steps: StepSequence) -> Process:
        branch.outcome = yield from steps.run(branch)
        self.end(branch)
        task, branch.caller = branch.caller, None
        if task is not None and all(other.caller is None for other in task.children):
            self.env.wake(task)
        branch.silence()
        yield
