"""Before a large run: how much memory and time it will take.

What does not fit is refused, with the setting that helps, whether anybody looks or not.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sim import units
from sim.errors import UsageError
from sim.experiments.on_paper.run_size import Size, size_of
from sim.spec.scenario import Recording
from sim.units import show_duration, show_size

if TYPE_CHECKING:
    from sim.experiments.running.ledger import Progress
    from sim.spec.scenario import Scenario

LONG = 30.0  # s; from here on it is said beforehand how long it will take
PACE = {"simpy": 7e-6, "compiled": 0.3e-6}  # s of one processor for an attempt, as tests/bench/engine.py has it
POLL = {"simpy": 3e-6, "compiled": 0.1e-6}  # s, of a relay that finds nothing
MEASURING, POINT = 1.2e-6, 0.4e-6  # s, for a row that is kept; for a point of a time series
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class Estimate:
    """What an experiment takes, on paper.

    Bytes are what comes on top of the program itself, which takes some 100 to 300 MB in each process.
    """

    sizes: tuple[Size, ...]  # of one replication of each scenario
    runs: int  # replications of each
    processes: int  # that run at once
    times: float = 1.0  # as much as is written, at most
    keeps: bool = True  # the records of the first replication of each
    others: tuple[Size, ...] = ()  # that may be larger: the ends of a sweep
    needs_rows: bool = False  # whatever `record` says

    @property
    def largest(self) -> Size:
        """The replication that takes most memory."""
        return max((*self.sizes, *self.others), key=lambda size: size.while_running)

    @property
    def running(self) -> float:
        """Bytes of the largest replication, while it runs."""
        return self.largest.fixed + self.times * (self.largest.while_running - self.largest.fixed)

    @property
    def kept(self) -> float:
        """Bytes of the records that stay until the end."""
        return self.times * sum(size.kept for size in self.sizes) if self.keeps else 0.0

    @property
    def memory(self) -> float:
        """Bytes of all processes together."""
        return self.running * self.processes + self.kept

    def seconds(self, engine: str) -> float:
        """About how long it takes."""
        each = (
            size.attempts * PACE[engine] + size.rows * MEASURING + size.points * POINT + size.polls * POLL[engine]
            for size in self.sizes
        )
        return (
            self.times * self.runs * math.fsum(seconds for seconds in each if math.isfinite(seconds)) / self.processes
        )


def estimated(
    scenarios: Sequence[Scenario],
    runs: int,
    processes: int,
    *,
    times: float = 1.0,
    keeps: bool = True,
    others: Sequence[Scenario] = (),
    needs: Recording | None = None,
) -> Estimate:
    """Of `runs` replications of each of these scenarios, whatever fits; the other words are those of
    `RunOptions.estimate`.
    """
    sizes, larger = (tuple(size_of(scenario, needs) for scenario in them) for them in (scenarios, others))
    return Estimate(sizes, runs, max(1, min(processes, runs * len(sizes))), times, keeps, larger, needs is not None)


def refuse_too_large(found: Estimate, max_memory: str | float | None = None) -> None:
    """Raise a UsageError where the estimate is above `max_memory`: bytes, or `4GB`; half of this machine's memory where
    nothing is said.
    """
    most = memory_limit(max_memory)
    if found.memory <= most:
        return
    whose = "half of this machine's" if max_memory is None else "max-memory"
    parts = (
        f"{found.processes} replication{'s' if found.processes > 1 else ''} at once of {show_size(found.running)} each"
    )
    parts += f", and {show_size(found.kept)} of records that are kept" if found.kept > 0.01 * found.memory else ""
    told = f"found about {show_size(found.memory)} on paper ({parts}), expected at most {show_size(most)} ({whose})"
    raise UsageError(f"memory: {told}; {'; '.join(_what_helps(found, most))}")


def _what_helps(found: Estimate, most: float) -> list[str]:
    """The settings that are enough, or at least take away what is largest."""
    largest, helps = found.largest, list[str]()
    if found.processes > 1 and found.running + found.kept <= most:
        helps.append(f"`--jobs {int((most - found.kept) // found.running)}` runs fewer at once")
    if largest.of_rows >= largest.while_running / 2 and found.needs_rows:
        helps.append(
            f"a shorter `duration` makes fewer than its {found.times * largest.rows:,.0f} rows, which are needed here"
        )
    elif largest.of_rows >= largest.while_running / 2:
        helps.append(f"`record: {{keep: summary}}` does not keep the {found.times * largest.rows:,.0f} rows of each")
    elif largest.fixed >= largest.while_running / 2:
        helps.append(
            "fewer users, replicas, consumers, partitions, or points of the time series (`record: {interval: ...}`) "
            "take less"
        )
    else:
        helps.append(
            f"more is asked for than can be done: about {found.times * largest.waiting:,.0f} requests wait at the "
            "end; give queues a `capacity`"
        )
    return [*helps, "`--max-memory` allows more"]


def tell_how_long(found: Estimate, engine: str, progress: Progress | None) -> None:
    """Say it to `progress`, if it listens, where it is long."""
    tell: Callable[[str], None] | None = getattr(progress, "expects", None)
    seconds = found.seconds(engine)
    if tell is not None and seconds > LONG:
        rough = float(f"{seconds:.1g}") if seconds < 100.0 else 60.0 * float(f"{seconds / 60.0:.1g}")
        tell(f"this will take about {show_duration(rough)}, and {show_size(found.memory)} of memory")


def memory_limit(max_memory: str | float | None = None) -> float:
    """Bytes that an experiment may take: `4GB`, a number of bytes, or half of this machine's."""
    if max_memory is None:
        return machine_memory() / 2.0
    if isinstance(max_memory, str):
        try:
            most = units.size(max_memory)
        except ValueError as error:
            raise UsageError(f"max-memory: {error}") from None
    else:
        most = float(max_memory)
    if not most > 0.0:
        raise UsageError(f"max-memory: found {units.shown(max_memory)}, expected more than 0, such as 4GB")
    return most


def machine_memory() -> float:
    """Bytes of memory that there are, or that this container may use; infinite where nobody knows."""
    found = [math.inf]
    with contextlib.suppress(AttributeError, ValueError, OSError):  # not every system tells
        found.append(float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE"))
    for file in _CGROUPS:
        try:
            text = Path(file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        found += [float(text)] if text.isdigit() else []  # `max` is no limit
    return min(found)
