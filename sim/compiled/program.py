"""From the wired models to programs: every endpoint, route, consumer, relay and client becomes a run of operations.

The models have already been made by `World`: names, salts, hops, calls, guards. Here they are only read. A step that
is not one of the built-in ones runs by its flow (`plugins/`); where it has none, `Unsupported` says which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.compiled import operations as op_of
from sim.compiled.attempts import ANSWER_BITS
from sim.compiled.committing import BATCH, BEFORE, RECORD
from sim.compiled.composed import write_cache, write_composed
from sim.compiled.draw_rows import drawn, row_of
from sim.compiled.gateway_programs import write_of_gateway, write_route
from sim.compiled.plugins.program import write_plugin
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.programs import Op
from sim.models import steps as behaviours
from sim.models.cache import Looking
from sim.models.call import Call
from sim.models.logs.publishing import Producing
from sim.models.queues.exchange import Batched, Blocking
from sim.models.saga import Retract
from sim.models.sequence import PASS

if TYPE_CHECKING:
    from sim.compiled.plugins.tables import PluginTables
    from sim.compiled.wiring.caches import CacheTables
    from sim.compiled.wiring.calls import CallTables
    from sim.compiled.wiring.composed import ComposedTables
    from sim.compiled.wiring.idempotency import KeyTables
    from sim.compiled.wiring.limits import LimitTables
    from sim.compiled.wiring.locks import LockTables
    from sim.compiled.wiring.places import Places
    from sim.compiled.wiring.producers import ProducerTables
    from sim.compiled.wiring.sagas import SagaTables
    from sim.compiled.wiring.sessions import SessionTables
    from sim.models.entrance import Entrance
    from sim.models.gateway import Route
    from sim.models.host import Host
    from sim.models.sequence import StepSequence
    from sim.spec.arrivals import Closed

MOST_EFFECTS = 62  # bits of a whole number that is never negative, and one to spare
Untyped = Any  # steps and authentications of the models, told apart by their class


def _packed(answers: tuple[int, ...]) -> int:
    """The answers for all outcomes in one number."""
    return sum(answer << ANSWER_BITS * outcome for outcome, answer in enumerate(answers))


def _effect_of(step: behaviours.Effect | Retract) -> dict[str, int]:
    """An effect, as an operation names it."""
    if step.bit >= 1 << MOST_EFFECTS:
        raise Unsupported(f"a scenario of more than {MOST_EFFECTS} effects")
    ledger = op_of.CHARGE if step.charge else op_of.RESERVATION if step.reservation else op_of.NO_ENTRY
    return {"effect": step.bit, "ledger": int(ledger)}


class Unsupported(Exception):  # noqa: N818 - a finding about a scenario, not an error
    """A part that only the SimPy engine runs."""


class Label:
    """A place in the program that is known later."""

    def __init__(self) -> None:
        self.place = -1


class Assembler:
    """Writes the operations of all programs into one table."""

    def __init__(
        self,
        places: Places,
        calls: CallTables,
        producers: ProducerTables,
        composed: ComposedTables,
        limits: LimitTables,
        caches: CacheTables,
        sagas: SagaTables,
        keys: KeyTables,
        sessions: SessionTables,
        locks: LockTables,
        plugins: PluginTables,
    ):
        self.places = places
        self.calls = calls
        self.producers = producers
        self.composed = composed
        self.caches = caches
        self.sagas = sagas
        self.keys = keys
        self.sessions = sessions
        self.locks = locks
        self.limits = limits
        self.plugins = plugins
        self.gateway_work = NOBODY  # the draw of the gateway's own work, where it has some
        self.courier = NOBODY  # where the program of couriers begins
        self.rows: list[dict[str, Any]] = []
        self.branches: list[Label] = []
        self.depth = 0
        self.deepest = 1
        self.frames = 0  # steps of plug-ins that this place is within
        self.most_frames = 0
        self.widest = 1  # how many branches start at once, at most
        self._later: list[Callable[[], None]] = []  # branches stand behind the program that starts them

    # -- writing -------------------------------------------------------------------------------------------------------

    def emit(self, kind: int, **values: Any) -> int:  # noqa: ANN401 - numbers and labels
        """Append an operation; its place."""
        self.rows.append({"kind": kind, **values})
        return len(self.rows) - 1

    def label(self) -> Label:
        """A place that is known later."""
        return Label()

    @contextmanager
    def kept_meanwhile(self, numbers: int) -> Iterator[int]:
        """Where a task keeps so many numbers while what is written meanwhile goes on."""
        depth = self.depth
        self.depth += numbers
        self.deepest = max(self.deepest, self.depth)
        yield depth
        self.depth = depth

    def here(self, label: Label) -> None:
        """The label means the operation that comes next."""
        label.place = len(self.rows)

    def table(self) -> NDArray[np.void]:
        """All operations, labels resolved."""
        while self._later:
            self._later.pop(0)()
        table = Op.zeros(len(self.rows))
        for place, values in enumerate(self.rows):
            row = table.view(op_of.OPERANDS.get(values["kind"], Op).dtype)[place]
            for name, value in values.items():
                row[name] = value.place if isinstance(value, Label) else value
        return table

    # -- programs ------------------------------------------------------------------------------------------------------

    def entrance(self, entrance: Entrance, route: Route | None = None) -> int:
        """What an attempt does at a host; the place of its first operation, which names the host and the endpoint."""
        host = entrance.host
        start = self.emit(
            op_of.ENTRY,
            host=self.places.host_at[host],
            endpoint=entrance.where,
            answers=_packed(entrance.answers),
            salt=entrance.salt,
            limits=self.limits.step(entrance.limits, host) if entrance.limits is not None else 0,
            limited=entrance.limits is not None or host.function is not None,
            counted=entrance.limits is not None,
            keyed=self.keys.of(entrance),
        )
        end = Label()
        if route is None:
            self._steps(entrance.steps.steps, host, end, watch_end=False)
        else:
            write_route(self, route, host, end)
        if host.may_hang:
            self.emit(op_of.WELL)
        else:
            self.emit(op_of.END)
        self.here(end)
        self.thaw(host)
        self.emit(op_of.END, by_outcome=True)
        return start

    def consumer(self, sequence: StepSequence, commits: int, transacts: bool) -> int:
        """The life of a member: poll, process, commit, for ever."""
        commit, over = Label(), Label()
        start = self.emit(op_of.POLL)
        take = self.emit(op_of.TAKE_NEXT, to=commit)
        begin = len(self.rows)
        if transacts:
            self.emit(op_of.BEGIN_TRANSACTION)
        self.emit(op_of.HAND_OVER, to=over)
        self.sequence(sequence, over)
        self.emit(op_of.WELL)
        self.here(over)
        if transacts:
            self.emit(op_of.END_TRANSACTION)
        self.emit(op_of.RECORD_OVER, to=begin)
        if commits in (RECORD, BEFORE) or transacts:
            self.emit(op_of.COMMIT_RECORD)
        self.emit(op_of.GO_TO, to=take)
        self.here(commit)
        self.emit(op_of.COMMIT if commits == BATCH and not transacts else op_of.REST)
        self.emit(op_of.GO_TO, to=start)
        return start

    def queue_consumer(self, sequence: StepSequence) -> int:
        """The life of a consumer of a queue: take the next message, handle it, say what became of it, for ever."""
        over = Label()
        start = self.emit(op_of.RECEIVE, to=over)
        self.sequence(sequence, over)
        self.emit(op_of.WELL)
        self.here(over)
        self.emit(op_of.LETTER_OVER, to=start)
        return start

    def relay(self, outbox: int) -> int:
        """The life of a relay."""
        return self.emit(op_of.RELAY, outbox=outbox)

    def client(self, workload: int, virtual: bool) -> int:
        """One request of a client that waits for its answer."""
        start = self.emit(op_of.ASK, workload=workload)
        self._client_done(workload, virtual)
        return start

    def user(self, workload: int, think: int, spec: Closed) -> int:
        """A user of a closed population: think, ask, and again."""
        said = {"workload": workload, "draw": think, "ramp": spec.ramp, "pacing": spec.pacing, "users": spec.users}
        start = len(self.rows)
        if spec.ramp:
            self.emit(op_of.COME, **said)
        again = self.emit(op_of.THINK, **said)
        self.emit(op_of.ASK, workload=workload)
        self.emit(op_of.USER_DONE, users=spec.users, to=again)
        return start

    def visitor(self, workload: int, virtual: bool) -> int:
        """Somebody with several requests: ask, think, and again, until the end."""
        start = self.emit(op_of.ASK, workload=workload)
        self.emit(op_of.VISIT, workload=workload, to=start)
        self._client_done(workload, virtual)
        return start

    def _client_done(self, workload: int, virtual: bool) -> None:
        if virtual:
            self.emit(op_of.ITERATION_OVER, workload=workload)
        self.emit(op_of.CLIENT_DONE)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def sequence(self, sequence: StepSequence, fail: Label) -> None:
        """Steps of an endpoint that is performed, of a fallback, a branch or a consumer."""
        self._steps(sequence.steps, sequence.host, fail, watch_end=True)

    def _steps(self, steps: Untyped, host: Host, fail: Label, watch_end: bool) -> None:
        for manner, step in steps:
            self.thaw(host)
            if manner == PASS and not hasattr(step.draw, "row"):
                raise Unsupported("a step of a plug-in that draws for itself")
            if manner == PASS:
                self.emit(op_of.PASS, host=self.places.host_at[host], **drawn(step))
            else:
                self.step(step, host, fail)
        if watch_end:
            self.thaw(host)

    def step(self, step: Any, host: Host, fail: Label) -> None:  # noqa: ANN401 - a behaviour
        """One step."""
        write = _WRITERS.get(type(step))
        if write is not None:
            write(self, step, fail)
        elif not (
            write_composed(self, step, fail)
            or write_of_gateway(self, step, fail)
            or write_plugin(self, step, host, fail)
        ):
            raise Unsupported(f"the step '{type(step).__name__.lower()}'")

    def thaw(self, host: Host) -> None:
        """Whoever has waited in a host that may freeze does not go on in a freeze."""
        if host.may_hang:
            self.emit(op_of.THAW)

    def let_go(self, host: Host) -> None:
        """An event loop gives its worker back before it waits for others."""
        if host.event_loop:
            self.emit(op_of.LET_GO, host=self.places.host_at[host])

    def _work(self, step: behaviours.Work, _fail: Label) -> None:
        host = self.places.host_at[step.host]
        if step.host.event_loop:
            self.emit(op_of.PLACE, host=host, spares_own_threads=True)
        self.emit(op_of.SPEND, host=host, **drawn(step.demand), computing=True)

    def _wait(self, step: behaviours.Wait, _fail: Label) -> None:
        self.let_go(step.host)
        self.emit(op_of.SPEND, host=self.places.host_at[step.host], **drawn(step.demand))

    def _call_step(self, step: behaviours.CallStep, fail: Label) -> None:
        self.let_go(step.host)
        self.call(step.call, fail)

    def call(self, call: Call, fail: Label) -> None:
        """A guarded call, and its fallback."""
        self._or_fallback(op_of.CALL, call, fail)

    def _or_fallback(self, kind: int, call: Call, fail: Label, **values: int) -> None:
        """An operation in which a call is made, and what is done in its place where that fails."""
        number = self.calls.call(call)
        if call.fallback is None:
            self._token(call, fail)
            self.emit(kind, call=number, fail=fail, **values)
            return
        failed, well = Label(), Label()
        self._token(call, failed)
        self.emit(kind, call=number, fail=failed, **values)
        self.emit(op_of.GO_TO, to=well)
        self.here(failed)
        self.emit(op_of.FALL_BACK, fail=fail)
        self.sequence(call.fallback, fail)
        self.emit(op_of.FALLBACK_END)
        self.here(well)

    def _token(self, call: Call, fail: Label) -> None:
        """What a call must have before it is made."""
        if call.token is not None:
            assert isinstance(call.token, Looking)
            write_cache(self, call.token, fail)
            self.thaw(call.host)

    def _publish(self, step: behaviours.Publish, fail: Label) -> None:
        if step.outbox is not None:
            self.emit(op_of.OUTBOX, outbox=self.places.outbox_at[step.outbox])
        elif step.unheard is not None:
            assert step.call is not None
            self._publish_unheard(step, step.unheard, step.call, fail)
        else:
            assert step.call is not None
            self.let_go(step.host)
            self.call(step.call, fail)

    def _publish_unheard(self, step: behaviours.Publish, how: Untyped, call: Call, fail: Label) -> None:
        host = self.places.host_at[step.host]
        if isinstance(how, Blocking):
            self.emit(op_of.PUBLISH_UNCONFIRMED, host=host, call=self.calls.call(call))
        elif isinstance(how, Producing):
            self.let_go(step.host)
            fails = call.fallback is None
            self._or_fallback(op_of.PRODUCE, call, fail, publisher=self.producers.publisher(how), fails=fails)
        elif isinstance(how, Batched):
            over = Label()
            self.emit(op_of.PUBLISH_IN_BATCH, host=host, call=self.calls.call(call), batch=how.batch, to=over)
            self.let_go(step.host)
            self.call(call, fail)
            self.here(over)
        else:
            self.emit(op_of.FORGET_CALL, call=self.calls.call(call))

    def _perform(self, step: behaviours.Perform, fail: Label) -> None:
        if not step.salt:
            self.sequence(step.endpoint.sequence, fail)
            return
        over = Label()
        with self.kept_meanwhile(2) as depth:  # its chain and its path
            self.emit(op_of.SALT_IN, depth=depth, salt=step.salt)
            self.sequence(step.endpoint.sequence, over)
        self.emit(op_of.WELL)
        self.here(over)
        self.emit(op_of.SALT_OUT, depth=depth, fail=fail)

    def _effect(self, step: behaviours.Effect, _fail: Label) -> None:
        self._in_ledger(step, op_of.EFFECT, idempotent=step.idempotent)

    def _retract(self, step: Retract, _fail: Label) -> None:
        self._in_ledger(step, op_of.RETRACT)

    def _in_ledger(self, step: behaviours.Effect | Retract, kind: int, **said: bool) -> None:
        """What changes an order, which a ledger that is followed takes out before and enters after."""
        if step.ledger is not None:
            self.emit(op_of.TAKE_OUT)
        self.emit(kind, **said, **_effect_of(step))
        if step.ledger is not None:
            self.emit(op_of.ENTER)

    def _take(self, step: behaviours.Take, fail: Label) -> None:
        stock = self.places.stock_at[step.stock]
        self.emit(op_of.LOOK, stock=stock, where=step.where, fail=fail)
        if step.gap is not None:
            self.let_go(step.host)
            self.emit(op_of.SPEND, host=self.places.host_at[step.host], draw=row_of(step.gap))
        self.emit(op_of.TAKE, stock=stock)

    def _by_chance(self, step: behaviours.Fail | behaviours.Refuse, fail: Label) -> None:
        self.emit(
            op_of.BY_CHANCE,
            draw=row_of(step.chance),
            share=step.share,
            kept=step.kept,
            outcome=int(step.outcome),
            where=step.where,
            fail=fail,
        )

    def _reply(self, _step: behaviours.Reply, _fail: Label) -> None:
        self.emit(op_of.REPLY, courier=self.courier)

    def later(self, write: Callable[[], None]) -> None:
        """What stands behind all programs that are written now."""
        self._later.append(write)

    def branch(self, sequence: StepSequence, end: int, **values: Untyped) -> Label:
        """Where the program of a branch will stand, which ends with the operation `end`, well or not."""
        label = Label()
        self._later.append(partial(self._branch, label, sequence, end, values))
        return label

    def _branch(self, label: Label, sequence: StepSequence, end: int, values: dict[str, Untyped]) -> None:
        over = Label()
        self.here(label)
        self.sequence(sequence, over)
        self.emit(op_of.WELL)
        self.here(over)
        self.emit(end, host=self.places.host_at[sequence.host], **values)


_WRITERS: dict[type, Callable[[Assembler, Any, Label], None]] = {
    behaviours.Work: Assembler._work,
    behaviours.Wait: Assembler._wait,
    behaviours.CallStep: Assembler._call_step,
    behaviours.Publish: Assembler._publish,
    behaviours.Perform: Assembler._perform,
    behaviours.Effect: Assembler._effect,
    Retract: Assembler._retract,
    behaviours.Take: Assembler._take,
    behaviours.Fail: Assembler._by_chance,
    behaviours.Refuse: Assembler._by_chance,
    behaviours.Reply: Assembler._reply,
}
