"""Looks now and then whether time goes on (`models/stillness.py`), and tells who keeps turning where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

from sim.models.clock import Clock
from sim.models.recorder import Recorder
from sim.models.stillness import Stillness, Turning
from sim.models.task import Outside, Task
from sim.models.workload import Workload
from sim.spec.scenario import Scenario


class Watchdog:
    """The clock calls `look` every so many turns."""

    def __init__(self, scenario: Scenario, env: Clock, recorder: Recorder, workloads: Sequence[Workload]):
        self.env = env
        self.recorder = recorder
        self.workloads = workloads
        self._stillness = Stillness(scenario)

    def look(self, turns: int) -> None:
        """Raise TimeStandsStill where it does, after so many more turns."""
        sent = [workload.arrived for workload in self.workloads]
        if not self._stillness.goes_on(self.env.now, turns, sent, len(self.recorder.open)):
            raise self._stillness.error(sent, self._who_turns())

    def _who_turns(self) -> Turning:
        """The component of the task whose turn it is, or is next, and the end of the last request."""
        env, names = self.env, self.recorder.names
        first = min(env.calendar, key=itemgetter(0, 1, 2))[-1]
        tasks = [task for task in (env.going_on, *env.ready, first) if isinstance(task, Task)]
        inside = (task for task in tasks if not isinstance(task.replica.host, Outside))
        task = next(inside, tasks[0] if tasks else None)
        turning = Turning()
        if task is not None:
            turning = Turning(task.replica.host.name, names[task.request.source] if task.request is not None else "")
        rows = self.recorder.requests.rows()
        if not rows.size:
            return turning
        where = int(rows["where"][-1])
        return replace(turning, where=names[where] if where >= 0 else "", outcome=int(rows["outcome"][-1]))
