"""Programs of what a gateway does with a request before and after it passes it on (`models/gateway.py`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.compiled import operations as op_of
from sim.compiled.codes import UNAUTHORIZED
from sim.compiled.composed import one_of, write_cache
from sim.compiled.draw_rows import drawn, row_of
from sim.models.authentication import JwtCheck
from sim.models.gateway import Forward, Split, Translation
from sim.models.limits import step_of

if TYPE_CHECKING:
    from sim.compiled.program import Assembler, Label
    from sim.models.demand import Demand
    from sim.models.gateway import Route
    from sim.models.host import Host

Untyped = Any  # authentications of the models, told apart by their class, and draws that are rows of a table here


def write_route(assembler: Assembler, route: Route, host: Host, end: Label) -> None:
    """All that is done for a request of a route."""
    gateway, place = route.gateway, assembler.places.host_at[host]
    if gateway.spec.work is not None:
        assembler.thaw(host)
        plain = not host.may_hang and host.uneven is None and host.spans is None
        kind = op_of.PASS if plain else op_of.SPEND
        assembler.emit(kind, host=place, draw=assembler.gateway_work, kept=True, computing=True)
    if route.authenticates:
        assembler.thaw(host)
        _authenticate(assembler, gateway.authentication, gateway.asking, place, end)
    if route.translate is not None:
        assembler.thaw(host)
        _compute(assembler, place, route.translate)
    if route.limits:
        assembler.thaw(host)
        limits = step_of(route.limits, route.index, route.where)
        assembler.emit(op_of.LIMITS, host=place, step=assembler.limits.step(limits, host), fail=end)
    if route.cache is not None:
        assembler.thaw(host)
        write_cache(assembler, route.cache, end)
        return
    if host.event_loop:
        assembler.thaw(host)
        assembler.let_go(host)
    assembler.thaw(host)
    if isinstance(route.forward, Forward):
        assembler.call(route.forward.call, end)
    else:
        _one_of_calls(assembler, route.forward, end)
    if route.translate_back is not None:
        assembler.thaw(host)
        _compute(assembler, place, route.translate_back)


def write_of_gateway(assembler: Assembler, step: Untyped, fail: Label) -> bool:
    """Write the operations of a step that stands behind a cache of answers; False: it is none."""
    write = _WRITERS.get(type(step))
    if write is None:
        return False
    write(assembler, step, fail)
    return True


def _forward(assembler: Assembler, step: Forward, fail: Label) -> None:
    assembler.let_go(step.gateway)
    assembler.call(step.call, fail)


def _split(assembler: Assembler, step: Split, fail: Label) -> None:
    assembler.let_go(step.gateway)
    _one_of_calls(assembler, step, fail)


def _translate(assembler: Assembler, step: Translation, _fail: Label) -> None:
    _compute(assembler, assembler.places.host_at[step.gateway], step.demand)


def _one_of_calls(assembler: Assembler, step: Split, fail: Label) -> None:
    """The first whose edge is above the draw; the last where none is."""
    chance: Untyped = step.chance
    *calls, last = (partial(assembler.call, call, fail) for call in step.calls)
    one_of(assembler, step.edges, calls, draw=chance.row, kept=False, otherwise=last)


def _compute(assembler: Assembler, host: int, demand: Demand) -> None:
    assembler.emit(op_of.PLACE, host=host)
    assembler.emit(op_of.SPEND, host=host, **drawn(demand), computing=True)


def _authenticate(assembler: Assembler, authentication: Untyped, asking: Untyped, host: int, end: Label) -> None:
    if not isinstance(authentication, JwtCheck):
        _compute(assembler, host, authentication.lookup)
        _ask_provider(assembler, asking, host, end)
        return
    refuse = partial(
        assembler.emit,
        op_of.BY_CHANCE,
        draw=row_of(authentication.chance),
        outcome=UNAUTHORIZED,
        where=authentication.host.name_index,
        fail=end,
    )
    if authentication.malformed:
        refuse(share=authentication.malformed)
    if asking is not None:
        _ask_provider(assembler, asking, host, end)
        assembler.thaw(authentication.host)
    _compute(assembler, host, authentication.work)
    if authentication.refused > authentication.malformed:
        refuse(share=authentication.refused)


def _ask_provider(assembler: Assembler, asking: Untyped, host: int, end: Label) -> None:
    """What is remembered, or the answer of the identity provider."""
    good, answer = assembler.label(), assembler.label()
    draw, where = row_of(asking.chance), asking.call.target.where
    assembler.emit(op_of.TOKEN, host=host, draw=draw, where=where, to=good, fail=end)
    assembler.let_go(asking.host)
    assembler.call(asking.call, answer)
    assembler.rows[-1]["for_others"] = True
    assembler.here(answer)
    assembler.emit(op_of.TOKEN_ANSWER, host=host, fail=end)
    assembler.here(good)
    assembler.thaw(asking.host)
    assembler.emit(op_of.STILL_THERE, host=host, fail=end)


_WRITERS: dict[type, Callable[[Assembler, Any, Label], None]] = {
    Forward: _forward,
    Split: _split,
    Translation: _translate,
}
