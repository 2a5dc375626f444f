"""The calls of one run: each is put together here, with its layers, and with the guards that it shares with others of
the same caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.models.call import Call, Layer, Run, Target, Token
from sim.models.context import Context
from sim.models.guards import Guard, Guards
from sim.models.host import Host
from sim.models.layers import LAYERS
from sim.models.network import Network
from sim.models.sequence import StepSequence
from sim.models.task import Activity, Replica, Task
from sim.spec.policy import NO_POLICY, CallPolicy
from sim.spec.scenario import Scenario
from sim.spec.sites import bulkheads, caller_limits, pools


class Calls:
    """Makes them. Sites of one caller that name one policy, written once, share their guards towards a callee."""

    def __init__(self, context: Context, scenario: Scenario, network: Network, hosts: Sequence[Host]):
        self.context = context
        self.policies = scenario.policies
        self.network = network
        self.hosts = hosts
        self.deadlines: dict[Task, float] = {}  # of attempts that know of one
        self.guarded: list[Call] = []  # the first of all calls that share their guards
        self._bulkhead_names = {(its.caller, its.callee, its.policy_name): its.name for its in bulkheads(scenario)}
        self._pool_names = {(its.caller, its.callee, its.policy_name): its.name for its in pools(scenario)}
        self._limit_names = {(its.caller, its.callee, its.policy_name): its.name for its in caller_limits(scenario)}

    def policy(self, written: str | CallPolicy | None) -> CallPolicy:
        """The policy that a step names, or that is written there."""
        if written is None:
            return NO_POLICY
        return self.policies[written] if isinstance(written, str) else written

    def make(
        self,
        site: str,
        caller: Host,
        target: Target,
        policy: str | CallPolicy | None,
        fallback: StepSequence | None = None,
        token: Token | None = None,
    ) -> Call:
        """A guarded call from this site."""
        name = policy if isinstance(policy, str) else site
        hops = self.network.hops(caller.name, target.component, target.hop_stream)
        call = Call(self.context, site, caller, target, self.policy(policy), name, hops, fallback, token)
        key = (call.caller, target.component, name)
        call.bulkhead_name = self._bulkhead_names.get(key, f"{call.caller} -> {target.component} ({name})")
        call.limit_name = self._limit_names.get(key, f"{call.caller} -> {target.component} ({name}) rate limit")
        call.pool_name = self._pool_names.get(key, f"{call.caller} -> {target.component} ({name}) pool")
        call.deadlines = self.deadlines
        call.guards = self._guards(call)
        call.run = layered(call, LAYERS)
        if call.cancels or (call.policy.hedge is not None and call.policy.hedge.cancel):
            for host in self.hosts:  # it goes on from callee to callee
                host.keep_track()
        return call

    def holders(self) -> Iterator[tuple[str, Guard]]:
        """Every guard, once, with the name of who holds it."""
        for call in self.guarded:
            for replica, guard in call.guards.items():
                if guard.policy.scope == "replica":
                    yield f"{call.caller}[{replica.index}]", guard
                elif replica.index == 0:
                    yield call.caller, guard

    def forget_guards(self, replica: Replica) -> None:
        """A crashed replica starts again with closed breakers, empty bulkheads and no budget."""
        for call in self.guarded:
            guard = call.guards.get(replica)
            if guard is not None and guard.policy.scope == "replica":
                for memory in guard.memories:
                    forgotten = memory.forgotten(self.context.env.now, f"{call.caller}[{replica.index}]", guard.about)
                    self.context.recorder.tell(forgotten)
                call.guards[replica] = guard.renewed()

    def _guards(self, call: Call) -> Guards:
        """The guards of a caller towards a callee under one policy: one per replica, or one for all.

        None where no layer remembers anything.
        """
        remembering = [layer for layer in LAYERS if layer.memory(call.policy) is not None]
        if not remembering:
            return {}
        for other in self.guarded:
            if other.shares_guards_with(call):
                return other.guards
        about = self._about(call)
        shared = _guard(call.policy, about) if call.policy.scope == "service" else None
        guards = {replica: shared or _guard(call.policy, about) for replica in call.host.replicas}
        self.guarded.append(call)
        for layer in reversed(remembering):
            layer.watch(call, guards)
        return guards

    def _about(self, call: Call) -> str:
        """The callee as events and series name it: with the policy where the caller has a breaker for it already, under
        another one.
        """
        callee = call.target.component
        rivals = [other for other in self.guarded if (other.caller, other.target.component) == (call.caller, callee)]
        taken = any(other.policy.circuit_breaker is not None for other in rivals)
        return f"{callee} ({call.policy_name})" if taken and call.policy.circuit_breaker is not None else callee


def layered(call: Call, layers: Sequence[type[Layer]]) -> Run:
    """The layers that the call has, each around the next; the last one is the attempt, inside of which is nothing."""
    run: Run = _nothing
    for layer in reversed(layers):
        if layer.wanted(call):
            run = layer(call, run).run
    return run


def _guard(policy: CallPolicy, about: str) -> Guard:
    made = (layer.memory(policy) for layer in LAYERS)
    return Guard(policy, about, [memory for memory in made if memory is not None])


def _nothing(_: Task) -> Activity:
    raise AssertionError("nothing is inside an attempt")
