"""Functions that are compiled by themselves, and called by their address.

numba puts a copy of all that a function calls, however deep, beside its machine code, and optimises it there anew: what
lies deep would be compiled once for each function on the way down to it. So what is large and rare is called by its
address: whoever calls it is compiled without it, and stays as small as it was when that was added. What most requests
come by is not: a call by address costs some nanoseconds more, and lets nothing be put where it is called. In plain
Python nothing is different.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

from llvmlite import ir
from numba import from_dtype, types

from sim.chance.compiler import with_address
from sim.compiled.base import PLAIN
from sim.compiled.rows.addresses import answer_at, functions, machine_address
from sim.compiled.rows.declaring import Row
from sim.compiled.rows.machine_rows import WORD, known_to_numba, rows_at
from sim.compiled.rows.state import STATE_TYPE

F = TypeVar("F", bound=Callable[..., Any])
Untyped = Any  # what numba and llvmlite hand over

APART = (
    "attempt.tries_to_connect",
    "balancing.choose_by_view",
    "balancing.hear_of_end",
    "breaker.ask_library",
    "breaker.leave_test",
    "breaker.tell_library",
    "breaker.wait_for_test",
    "bulkhead.add_thread",
    "bulkhead.has_room",
    "bulkhead.leave_bulkhead",
    "bulkhead.wait_at_bulkhead",
    "channels.disconnect",
    "channels.go_on_over",
    "channels.happen_at_queue",
    "channels.reconnect",
    "channels.stop_channel",
    "channels.try_later",
    "clients.ask",
    "clients.bear",
    "clients.begin_for",
    "clients.hear_client",
    "clients.is_told_too_much",
    "clients.pause_as_told",
    "clients.tell_apart",
    "clients.withdraw_for",
    "closed_queues.close_queue",
    "closed_queues.come_too_late",
    "closed_queues.drop_uncommitted",
    "closed_queues.keep",
    "closed_queues.keep_for_the_next",
    "closed_queues.lose",
    "closed_queues.stall",
    "closed_queues.stall_delivery",
    "closed_queues.take_out_unsafe",
    "committing.commit_fresh",
    "committing.commit_handled",
    "committing.commit_in_poll",
    "committing.commit_later",
    "consumers.is_offline",
    "cores.ends_with_quota",
    "cores.next_under_quota",
    "cores.slowed",
    "deadlines.begin_in_time",
    "deadlines.tell_deadline",
    "ending.stop",
    "fetching.be_patient",
    "fetching.end_fetches",
    "fetching.enough",
    "fetching.is_here",
    "fetching.look_at_fetches",
    "held_requests.close_again",
    "interpreter.happen",
    "interpreter.of_cache_writes",
    "interpreter.of_composed",
    "interpreter.of_queues",
    "interpreter.of_transactions",
    "interpreter.stand_in",
    "interpreter.unusual",
    "keeping.keep_record",
    "leaders.answer_of",
    "leaders.ask",
    "leaders.busy_with",
    "leaders.follow",
    "leaders.happen_at_node",
    "leaders.place_of",
    "leaders.refusal",
    "leaders.refusal_of_asked",
    "leaders.write",
    "leaders.write_publication",
    "letters.end_letter",
    "letters.look_at_disk",
    "limits.ask_stores",
    "limits.charge_in_turn",
    "limits.counters_at",
    "limits.counters_of",
    "limits.hold_back",
    "limits.look_by_key",
    "limits.tell_refusal",
    "lines.hear_of_no_wait",
    "lines.join_line",
    "lines.leave_line",
    "locking.give_back_lock",
    "locking.lock_expired",
    "locking.release_locks_of",
    "network.answer_across",
    "network.hop_across",
    "network.travel",
    "node_connections.close_connection",
    "pausing.library_pause",
    "places.accept_connections",
    "places.choose_loop",
    "places.drop_syn",
    "places.end_is_heard",
    "places.find_loop",
    "places.leave_loop",
    "places.look_soon",
    "places.make_room",
    "places.note_arrival",
    "places.pass_place_down_the_line",
    "places.wait_to_be_accepted",
    "placing.placed_apart",
    "pool.end_use",
    "pool.has_connection",
    "pool.join_line",
    "pool.let_go",
    "pool.open_connection",
    "pool.take_connection",
    "produce_requests.answer_request",
    "produce_requests.go",
    "produce_requests.handle",
    "produced.answered",
    "produced.end_batch",
    "produced.happen_at_producer",
    "produced.hear",
    "produced.stand_in_for_request",
    "produced.wake_blocked",
    "producing.are_acknowledged",
    "producing.drop_record",
    "producing.must_hear",
    "producing.publish_record",
    "producing.put",
    "producing.put_row",
    "producing.takes",
    "producing.unblock",
    "producing.wait_for_record",
    "publications.produce",
    "publications.publication_at_leader",
    "publications.relay_step",
    "queue_nodes.open_queue",
    "queues.accept",
    "queues.carried",
    "queues.dispatch",
    "queues.enqueue",
    "queues.give_up",
    "queues.hand_out",
    "queues.publication_at_exchange",
    "queues.settled",
    "races.copy_over",
    "racing.begin_race",
    "racing.race_goes_on",
    "racing.stop_copies",
    "rate_limit.ask_for_turn",
    "rate_limit.hear_answer",
    "rate_limit.note_turn",
    "rate_limit.stand_in_line",
    "rate_limit.stop_waiting",
    "retry.begin_attempt",
    "retry.forget_attempt",
    "retry.hear",
    "retry.is_told_too_much",
    "retry.pause_as_told",
    "retry.withdraw",
    "sampling.tick",
    "sending.drain",
    "serverless.have_instance",
    "spans.close_notes",
    "spans.keep_note",
    "transactions.end_transaction",
    "transactions.member_in_transaction",
    "transactions.take_part",
    "visits.arrival_apart",
)
"""All of them, by module and name. Machine code knows each by its place in here: imports may come in any order."""
_NUMBERS: dict[str, Untyped] = {"int": types.int64, "float": types.float64, "bool": types.boolean, "None": types.none}
_made: dict[str, _ByAddress] = {}


def by_address(function: F) -> F:
    """Decorator above `handler` or `compiled`: what is handed over and answered are numbers and rows, as annotated."""
    if PLAIN:
        return function
    made: Any = _ByAddress(function)
    _made[made.name] = made
    answer: F = made
    return answer


def all_apart() -> Iterator[tuple[_ByAddress, tuple[Untyped, ...]]]:
    """Each function, and the types of what it is handed beside the state."""
    for name in () if PLAIN else APART:
        yield _made[name], _made[name].asked[1:]


@cache
def addresses() -> tuple[int, ...]:
    """Where each begins, in the order of their places; the same in all runs of a process."""
    return tuple(machine_address(made, made.asked) for made, _ in all_apart())


class _ByAddress:
    """A function of numba's in whose place its callers in machine code find an address."""

    def __init__(self, dispatcher: Untyped) -> None:
        with_address(dispatcher)
        self.dispatcher = dispatcher
        self.py_func = dispatcher.py_func  # by which flows and their compiler know a function
        self.name = f"{self.py_func.__module__.rpartition('.')[2]}.{self.py_func.__name__}"
        self.place = APART.index(self.name)
        self.stated = inspect.signature(self.py_func)
        known_to_numba(self.name, self, self._definition())

    def __call__(self, *args: Untyped) -> Untyped:
        """For Python it is as it was."""
        return self.dispatcher(*args)

    def compile(self, asked: Untyped) -> None:
        """As of numba's own."""
        self.dispatcher.compile(asked)

    @property
    def overloads(self) -> Untyped:
        """Likewise."""
        return self.dispatcher.overloads

    @property
    def asked(self) -> tuple[Untyped, ...]:
        """The types of what it is handed."""
        return tuple(_type_of(parameter.annotation) for parameter in self.stated.parameters.values())

    def _definition(self) -> Callable[..., Untyped]:
        """What numba asks for the signature and the instructions; it looks how many arguments there are."""

        def definition(_typing: Untyped, *_given: Untyped) -> Untyped:
            signature = _NUMBERS[self.stated.return_annotation](*self.asked)

            def generate(context: Untyped, builder: Untyped, _call: Untyped, args: Untyped) -> Untyped:
                rows = rows_at(builder, args[0], functions.address_offset)
                at = builder.gep(rows, [ir.Constant(WORD, 8 * self.place)])
                address = builder.load(builder.bitcast(at, WORD.as_pointer()))
                answer = answer_at(context, builder, address, signature, args)
                return context.get_dummy_value() if signature.return_type == types.none else answer

            return signature, generate

        typing = inspect.Parameter("_typing", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        stated: Untyped = definition
        stated.__signature__ = self.stated.replace(parameters=[typing, *self.stated.parameters.values()])
        return definition


def _type_of(annotation: str) -> Untyped:
    """The type of a parameter that is annotated so."""
    if annotation == "State":
        return STATE_TYPE
    return _NUMBERS[annotation] if annotation in _NUMBERS else from_dtype(Row.row_kinds[annotation].dtype)
