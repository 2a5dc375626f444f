"""Views: what has been written, what they show of it, and who reads too early."""

from __future__ import annotations

from typing import Any, Literal

from sim.models.behaviours import behaviour
from sim.models.event_store import aggregates_of
from sim.models.flows import Frame, Part, Shared, State, StepRow, Total, Waits, compiled_as, run
from sim.models.outcomes import ERROR, OK
from sim.models.sequence import StepSequence
from sim.models.site import Site
from sim.models.task import Activity, Task
from sim.policies.event_store import aggregate_of
from sim.policies.view import NONE, advance, is_behind
from sim.spec import view as spec
from sim.spec.distribution import Constant
from sim.spec.step import Wait
from sim.spec.walk import view_keys

QUANTITIES = ("views_fresh", "views_waited", "views_elsewhere", "views_stale")


class View:
    """One view of the system, with a number for each key."""

    def __init__(self, site: Site, key: Literal["user", "item", "all"]):
        keys = aggregates_of(key, site)
        self.by_item, self.by_user = key == "item", key == "user"
        self.written, self.shown = [NONE] * keys, [NONE] * keys
        self.reads = 0  # steps that read it

    def key_of(self, task: Task) -> int:
        """Whose write a request reads, or makes."""
        return aggregate_of(task.request.item, task.request.user, self.by_item, self.by_user)

    def label(self, name: str) -> str:
        """What the time series of one more read are called: the first bears the name of the view."""
        self.reads += 1
        return name if self.reads == 1 else f"{name} #{self.reads}"


def view_of(site: Site, name: str) -> View:
    """The view of this name, made when it is first needed."""
    views = site.world.views
    if name not in views:
        views[name] = View(site, view_keys(site.world.scenario)[name])
    view: View = views[name]
    return view


def waiting(site: Site, seconds: float) -> StepSequence:
    """So many seconds in which nothing is done."""
    return site.sequence([Wait(time=Constant.model_construct(value=seconds))])


@behaviour(spec.ViewWrite)
class ViewWrite:
    """It is written."""

    def __init__(self, step: spec.ViewWrite | spec.ViewApply, site: Site):
        self.view = view_of(site, step.name)
        self.moved = self.view.written
        self.nothing = site.named(f"{site.name}.then").sequence([])

    def act(self, task: Task) -> int:
        """OK: the write of this request is noted, as made or as shown."""
        advance(self.moved, self.view.key_of(task), task.request.arrival)
        return OK


@behaviour(spec.ViewApply)
class ViewApply(ViewWrite):
    """The view shows it."""

    def __init__(self, step: spec.ViewApply, site: Site):
        super().__init__(step, site)
        self.moved = self.view.shown


@behaviour(spec.ViewRead)
class ViewRead:
    """Look, wait, and go elsewhere or read what is old."""

    def __init__(self, step: spec.ViewRead, site: Site):
        self.step = step
        self.where = site.where
        self.view = view_of(site, step.name)
        self.label = self.view.label(step.name)
        self.pause = waiting(site.named(f"{site.name}.wait"), step.every)
        self.last_pause = waiting(site.named(f"{site.name}.last_wait"), step.last_pause)
        self.otherwise = site.named(f"{site.name}.otherwise").sequence(step.otherwise)
        self.fresh = self.waited = self.elsewhere = self.stale = 0
        watch, host = site.world.recorder.watch, site.host.name
        watch(host, f"views_fresh {self.label}", "total", lambda _: self.fresh)
        watch(host, f"views_waited {self.label}", "total", lambda _: self.waited)
        watch(host, f"views_elsewhere {self.label}", "total", lambda _: self.elsewhere)
        watch(host, f"views_stale {self.label}", "total", lambda _: self.stale)

    def run(self, task: Task) -> Activity:
        """OK, or as `otherwise` ends; a stale read ends as `stale` says."""
        view, key = self.view, self.view.key_of(task)
        if not is_behind(view.shown, view.written, key):
            self.fresh += 1
            return OK
        for left in reversed(range(self.step.looks)):
            pause = self.pause if left > 0 else self.last_pause
            yield from pause.run(task)
            if not is_behind(view.shown, view.written, key):
                self.waited += 1
                return OK
        if self.step.otherwise:
            self.elsewhere += 1
            return (yield from self.otherwise.run(task))
        self.stale += 1
        if self.step.stale == "degraded":
            task.degraded = True
        if self.step.stale != "error":
            return OK
        task.where, task.root = self.where, 0
        return ERROR


# -- the same on the compiled engine -----------------------------------------------------------------------------------


class MoveRow(StepRow):
    """The numbers of a step that writes, or applies what was written."""

    by_item: bool
    by_user: bool
    nothing: Part
    moved: Shared

    @classmethod
    def begin(cls, behaviour: ViewWrite) -> dict[str, Any]:
        """From the behaviour above, as the model has made it."""
        view = behaviour.view
        its = {"nothing": behaviour.nothing, "moved": behaviour.moved}
        return {"by_item": view.by_item, "by_user": view.by_user, **its}


class ReadRow(StepRow):
    """The numbers of a step that reads."""

    by_item: bool
    by_user: bool
    looks: int
    goes_elsewhere: bool
    degrades: bool
    fails: bool
    where: int
    pause: Part
    last_pause: Part
    otherwise: Part
    written: Shared
    shown: Shared
    views_fresh: Total
    views_waited: Total
    views_elsewhere: Total
    views_stale: Total

    @classmethod
    def begin(cls, behaviour: ViewRead) -> dict[str, Any]:
        """From the behaviour above, as the model has made it."""
        step, view = behaviour.step, behaviour.view
        return {
            "by_item": view.by_item,
            "by_user": view.by_user,
            "looks": step.looks,
            "goes_elsewhere": bool(step.otherwise),
            "degrades": step.stale == "degraded",
            "fails": step.stale == "error",
            "where": behaviour.where,
            "pause": behaviour.pause,
            "last_pause": behaviour.last_pause,
            "otherwise": behaviour.otherwise,
            "written": view.written,
            "shown": view.shown,
            **{name: f"{name} {behaviour.label}" for name in QUANTITIES},
        }


class Reading(Frame):
    """What is kept of a read while time passes."""

    key: int
    left: int  # looks


@compiled_as(ViewApply, MoveRow)
@compiled_as(ViewWrite, MoveRow)
def move(s: State, own: Task, step: MoveRow, frame: Frame) -> Waits[int]:
    """OK: from now on it is expected, or shown. A flow waits somewhere: here it goes through no steps."""
    yield from run(s, own, frame, step.nothing)
    key = aggregate_of(own.request.item, own.request.user, step.by_item, step.by_user)
    advance(step.moved, key, own.request.arrival)
    return OK


@compiled_as(ViewRead, ReadRow, Reading)
def read(s: State, own: Task, step: ReadRow, frame: Reading) -> Waits[int]:
    """OK, or as `otherwise` ends; a stale read ends as `stale` says."""
    frame.key = aggregate_of(own.request.item, own.request.user, step.by_item, step.by_user)
    if not is_behind(step.shown, step.written, frame.key):
        step.views_fresh += 1
        return OK
    frame.left = step.looks
    while frame.left > 0:
        frame.left -= 1
        if frame.left > 0:
            yield from run(s, own, frame, step.pause)
        else:
            yield from run(s, own, frame, step.last_pause)
        if not is_behind(step.shown, step.written, frame.key):
            step.views_waited += 1
            return OK
    if step.goes_elsewhere:
        step.views_elsewhere += 1
        outcome = yield from run(s, own, frame, step.otherwise)
        return outcome
    step.views_stale += 1
    if step.degrades:
        own.degraded = True
    if not step.fails:
        return OK
    own.where = step.where
    own.root = 0
    return ERROR
