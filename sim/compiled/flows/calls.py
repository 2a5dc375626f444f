"""A guarded call: its layers in their one order, and what is written of them.

Adding one is a file in `layers/`, fields for it in the rows of `sim/compiled/rows/calls.py`, and a line here. What a
fallback does in the place of a call is a run of steps, and stands in the program of whoever calls (`program.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.compiled.answers import FAIL, NEXT
from sim.compiled.calendar import OF_LAYERS
from sim.compiled.codes import OK
from sim.compiled.cutting.modules import Module, Step
from sim.compiled.cutting.words import Waits, flow, fold
from sim.compiled.flows.layer import Layer, Read
from sim.compiled.flows.layers.attempt import Attempt
from sim.compiled.flows.layers.breaker import Breaker
from sim.compiled.flows.layers.bulkhead import Bulkhead
from sim.compiled.flows.layers.hedge import Hedge
from sim.compiled.flows.layers.pool import Pool
from sim.compiled.flows.layers.rate_limit import RateLimit
from sim.compiled.flows.layers.retry import Retry
from sim.compiled.flows.layers.timeout import Timeout
from sim.compiled.flows.layers.total_timeout import TotalTimeout
from sim.compiled.races import copy_over
from sim.compiled.rows.calls import Guard
from sim.compiled.rows.state import State

if TYPE_CHECKING:
    from sim.compiled.flows.kinds import Call, Task
    from sim.compiled.flows.layer import Inner

LAYERS: tuple[type[Layer], ...] = (  # the outermost first
    TotalTimeout,
    Retry,
    Hedge,
    Breaker,
    RateLimit,
    Timeout,
    Bulkhead,
    Pool,
    Attempt,
)


@flow
def guarded(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
    """Carry the call of this task on from where it stands; FAIL leaves the outcome and its place in the task."""
    own.call = call
    own.callee = None  # a pause may come before anything is sent
    outcome = yield from inner(s, own, call)
    own.call = None
    own.outcome = outcome
    if call.hedges and own.copy:
        return copy_over(s, own)
    return NEXT if outcome == OK else FAIL


def purpose_of(layer: type[Layer]) -> int:
    """The purpose of the timers of a layer."""
    return int(OF_LAYERS) + LAYERS.index(layer)


def series_of(layer: type[Layer], quantity: str) -> int:
    """The number of a series of a layer among all of them."""
    return [(one, name) for one in LAYERS for name in one.series].index((layer, quantity))


def modules() -> Iterable[Module]:
    """What is written of calls."""
    killed = [Step(layer.killed, f"{layer.name}_killed") for layer in reversed(LAYERS) if layer.killed is not None]
    yield Module("killed", "What a call gives back when its caller is killed in the midst of it.", killed, _killed)
    expired = [Step(layer.expired, f"{layer.name}_expired") for layer in LAYERS if layer.expired is not None]
    call_step = Step(fold(guarded, *(layer.flow for layer in LAYERS)), "call_step", "inlined")
    yield Module("calls", "Guarded calls, and their timers.", [call_step, *expired], _expired)
    yield Module("watched", "What the layers of calls have to show.", [], _read)


def _killed(_module: Module) -> str:
    parts = [f"    {layer.name}_killed(s, own, call)" for layer in reversed(LAYERS) if layer.killed is not None]
    head = ["@handler", "def call_killed(s: State, own: int, call: int) -> None:"]
    return "\n".join([*head, '    """All that its layers hold, from the innermost outwards."""', *parts])


def _expired(_module: Module) -> str:
    timed = [layer for layer in LAYERS if layer.expired is not None]
    head = ["@handler", "def call_expired(s: State, own: int, call: int, purpose: int) -> None:"]
    parts = [
        line
        for layer in timed
        for line in (f"    if purpose == {purpose_of(layer)}:", f"        {layer.name}_expired(s, own, call)")
    ]
    return "\n".join([*head, '    """A timer of one of its layers has come."""', *parts])


def _read(module: Module) -> str:
    head = ["@handler", "def read_layers(s: State, what: int, first: int, count: int) -> float:"]
    module.needs.named("handler", "sim.compiled.base")
    parts = []
    for number, read in enumerate(read for layer in LAYERS for read in layer.series.values()):
        parts += [f"    if what == {number}:", *(f"        {line}" for line in _lines_of(module, read))]
    return "\n".join(
        [*head, '    """The level or total of one series now."""', "    total = 0.0", *parts, "    return 0.0"]
    )


def _lines_of(module: Module, read: Read | str) -> list[str]:
    """What reads one series."""
    if not isinstance(read, str):
        return [f"return {module.needs.function(read)}(s, first, count)"]
    if read not in Guard.__annotations__:
        raise LookupError(f"a guard has no {read}")
    rows = [module.needs.named(name, "sim.compiled.rows.calls") for name in ("guards", "guard_of")]
    guard = "{}(s)[{}(s)[place]]".format(*rows)
    return ["for place in range(first, first + count):", f"    total += {guard}.{read}", "return total"]
