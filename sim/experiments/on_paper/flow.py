"""Follows requests and messages through a scenario on paper: how often each endpoint runs, and how long a run holds
what.

Without queueing, faults and open breakers. A `fail` or `refuse` step thins what comes after it, and so does a failed
call without a fallback. Calls are cut at their timeouts and tried again (`tries`); a message that fails is delivered
again. Branches that run at once are taken as independent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sim.experiments.on_paper.attempts import SELDOM, Ends, Tries, one_of_tries, tries
from sim.experiments.on_paper.composite import Adding, follow
from sim.experiments.on_paper.gateway import behind_cache, own_work
from sim.experiments.on_paper.profile import Key, Profile, add, repeated, tally
from sim.experiments.on_paper.queues import Failing, at_rest, deliveries, given_up_to, members_of
from sim.experiments.on_paper.times import KnownTail, Parts, Times, any_of, longest
from sim.policies.assignor import range_assign
from sim.spec import actions as does
from sim.spec.balancing import Balancing
from sim.spec.broker import LogBroker, MessageBroker, Topic
from sim.spec.distribution import Constant, Distribution
from sim.spec.gateway import Route
from sim.spec.policy import NO_POLICY, CallPolicy
from sim.spec.queue_broker import MessageQueue, QueueBroker
from sim.spec.scenario import Scenario
from sim.spec.service import Consume, Service
from sim.spec.sites import broker_of, call_sites
from sim.spec.step import Step

# of the fixed point; as many are needed as calls are deep, more only where topics feed one another in a circle
ROUNDS = 200
DEEPEST = 60  # calls within calls; a circle ends here
PART = 0.25  # of a timeout: what requests keep is told from what is drawn anew where it takes longer than that

Consumer = tuple[str, str]  # service, topic


class Flow:
    """What every endpoint and consumer of a scenario does on average, and how often it does it."""

    def __init__(self, scenario: Scenario, kept: Mapping[Key, float] | None = None) -> None:
        """`kept`: what a request brings to these steps; without it every attempt draws anew."""
        self.scenario = scenario
        self._repeats = False  # whether attempts are made again anywhere
        self._cuts_heavy = False  # whether a timeout ends, anywhere, what requests keep
        self.followed = 0  # steps, each as often as it is reached
        # target and patience of clients -> see rates
        self.missed: dict[tuple[str, float | None, str], tuple[float, float]] = {}
        self._kept = kept or {}
        self.topics: dict[str, tuple[str, MessageBroker, Topic]] = {
            name: (broker_name, broker, topic)
            for broker_name, broker in scenario.brokers.items()
            for name, topic in broker.partitioned.items()
        }
        self.queues: dict[str, MessageQueue] = {}
        self.failing: dict[Consumer, Failing] = {}  # deliveries of each
        for broker_name, broker in scenario.brokers.items():
            if isinstance(broker, QueueBroker):
                self.queues |= broker.queues
                self.topics |= {
                    queue: (broker_name, broker, _as_topic(scenario, queue, of)) for queue, of in broker.queues.items()
                }
        self._policy_names = {
            id(site.written): site.policy_name for site in call_sites(scenario) if isinstance(site.written, Step)
        }
        self._routes: dict[str, dict[str, Tries]] = {}
        self.endpoints: dict[str, Profile] = {}
        for service, spec in scenario.services.items():
            for name in spec.endpoints:
                self._endpoint(f"{service}.{name}", 0)
        self.consumers: dict[Consumer, Profile] = {}
        self.owners = self._owners()
        for service, spec in scenario.services.items():
            for topic, consume in spec.consumes.items():
                profile = self._profile(consume.do, service, 0)
                queue = self.queues.get(topic)
                self.failing[service, topic] = Failing(min(profile.ends.failed.share, 1.0), profile.poison)
                self.consumers[service, topic] = (
                    _delivered(profile, consume) if queue is None else self._handled(profile, topic, queue, consume)
                )

    def partitions(self, topic: str) -> int:
        """Of a topic; 1 where there is no such topic."""
        return self.topics[topic][2].partitions if topic in self.topics else 1

    def policy(self, reference: str | CallPolicy | None) -> CallPolicy:
        """The policy that a step or a route names or holds."""
        if isinstance(reference, str):
            return self.scenario.policies.get(reference, NO_POLICY)
        return reference or NO_POLICY

    def latency(self, one: str, other: str) -> float:
        """Mean of one direction of the way between two components, seconds."""
        return self.within_zone(one, other) + self._far(one, other)

    def within_zone(self, one: str, other: str) -> float:
        """The same for what does not leave its zone."""
        latency = self._latency(one, other)
        return latency.mean if latency is not None else 0.0

    def _far(self, one: str, other: str) -> float:
        """What zones add to that on average, seconds."""
        between = self.scenario.network.between_zones
        return between * self._share_across(one, other) if between else 0.0

    def _share_across(self, one: str, other: str) -> float:
        """The share of calls that leave their zone, where each replica of the caller makes as many: of any two replicas
        those in different zones, or as few as Envoy lets cross.
        """
        here, there = (Counter(self.scenario.zones_of(name)) for name in (one, other))
        if not here or not there:
            return 0.0
        shares = [(count / here.total(), there[zone] / there.total()) for zone, count in here.items()]
        service = self.scenario.services.get(other)
        balancing = service.load_balancing if service is not None else None
        aware = balancing.zone_aware if isinstance(balancing, Balancing) else None
        if service is not None and aware is not None and service.most_replicas >= aware.min_cluster_size:
            return 1.0 - sum(min(pair) for pair in shares)
        return 1.0 - sum(mine * its for mine, its in shares)

    def _latency(self, one: str, other: str) -> Distribution | None:
        network = self.scenario.network
        return next((link for link in network.links if set(link.between) == {one, other}), network.default).latency

    def steps_of(self, endpoint: str) -> tuple[Step, ...]:
        """The steps of `service.endpoint`; none where there is no such endpoint."""
        service, _, name = endpoint.partition(".")
        spec = self.scenario.services.get(service)
        return spec.endpoints[name].do if spec is not None and name in spec.endpoints else ()

    def called(self, caller: str, endpoint: str, policy: CallPolicy = NO_POLICY) -> Tries:
        """A call of an endpoint by a component, with all its attempts."""
        called = tries(self.one_answer(caller, endpoint), policy)
        self.note(called.repeats, called.times_out, endpoint, policy.timeout)
        return called

    def note(self, repeats: bool, times_out: bool, endpoint: str, timeout: float | None) -> None:
        """Take notice of a call that is made again, or that times out now and then because of what requests keep: who
        fails is no matter of luck alone.
        """
        self._repeats = self._repeats or repeats
        if times_out and timeout is not None and not self._cuts_heavy:
            kept = Times(1.0, 0.0, Parts(self.endpoints.get(endpoint, Profile()).kept.values()))
            self._cuts_heavy = kept.above(timeout * PART) > SELDOM

    @property
    def repeats_heavy(self) -> bool:
        """Whether what fails because of what requests keep may be made again: by its caller, or by whom that caller
        answers.
        """
        return self._repeats and self._cuts_heavy

    def one_answer(self, caller: str, endpoint: str) -> Ends:
        """When and how a caller has the answer of one attempt, if it waits for it."""
        callee = endpoint.partition(".")[0]
        travel = Times(fixed=2.0 * self._far(caller, callee)).then(self._latency(caller, callee), times=2)
        return self.endpoints.get(endpoint, Profile()).answered.later(travel)

    def route_called(self, name: str) -> Tries:
        """The call that a route of the gateway makes, by those that no answer of its cache spares it."""
        gateway = self.scenario.gateway
        assert gateway is not None
        calls = self.route_calls(name)
        if len(calls) == 1:
            return next(iter(calls.values()))
        return one_of_tries([(share, calls[target]) for target, share in gateway.routes[name].targets.items()])

    def route_calls(self, name: str) -> dict[str, Tries]:
        """The same of each endpoint that a route leads to."""
        gateway = self.scenario.gateway
        assert gateway is not None
        if name not in self._routes:
            route, policy = gateway.routes[name], self.route_policy(gateway.routes[name])
            self._routes[name] = {
                target: behind_cache(self.called("gateway", target, policy), route) for target in route.targets
            }
        return self._routes[name]

    def route_policy(self, route: Route) -> CallPolicy:
        """The policy of a route's call, with the timeouts of the route."""
        return route.guarded(self.policy(route.policy))

    def own_work_of_gateway(self, name: str) -> Times:
        """How long the gateway itself works on one request of a route that is let through."""
        gateway = self.scenario.gateway
        assert gateway is not None
        total = Times()
        for part in own_work(gateway, gateway.routes[name]):
            total = total.then(part)
        return total

    def acknowledged(self, service: str, action: does.Publishes) -> Ends:
        """When a publisher has the broker's ack."""
        name = broker_of(self.scenario, action.topic)
        if name is None:
            return Ends(Times())
        broker = self.scenario.brokers[name]
        after = broker.confirms_after
        if isinstance(broker, QueueBroker):
            commits = (
                broker.queues[queue].commit_time
                for queue in broker.routes(action.topic, action.routing_key, dict(action.headers))
            )
            after = max(
                (commit for commit in commits if commit is not None), key=lambda commit: commit.mean, default=None
            )
        if not (action.confirmed if isinstance(broker, QueueBroker) else broker.confirms):
            return Ends(Times())
        times = Times().then(self._latency(service, name), times=2).then(after)
        if isinstance(broker, LogBroker) and broker.producer is not None and broker.producer.linger > 0.0:
            linger = Constant.model_construct(value=broker.producer.linger)  # at most; a batch may be full before
            times = times.then(linger)
        return Ends(times)

    # ---- one run of each

    def _endpoint(self, name: str, depth: int) -> Profile:
        """Of an endpoint, which is followed once; within a circle it is nothing."""
        if name not in self.endpoints and depth < DEEPEST:
            self.endpoints[name] = Profile()
            self.endpoints[name] = self._profile(self.steps_of(name), name.partition(".")[0], depth)
        return self.endpoints.get(name, Profile())

    def _profile(self, steps: Iterable[Step], service: str, depth: int) -> Profile:
        profile = Profile()
        self._walk(profile, steps, service, depth)
        return profile

    def _walk(self, profile: Profile, steps: Iterable[Step], service: str, depth: int) -> None:
        for step in steps:
            self.followed += 1
            for number, action in enumerate(step.actions or ()):
                self._follow(profile, action, (id(step), number), service, depth)

    def _follow(self, profile: Profile, action: does.Action, key: Key, service: str, depth: int) -> None:
        ends = profile.ends
        match action:
            case does.TakesTime():
                self._take_time(profile, action, key)
            case does.Ends(share, refused=True):
                profile.ends = Ends(ends.ok.of(1.0 - share), any_of([ends.refused, ends.ok.of(share)]), ends.failed)
            case does.Ends(share):
                profile.poison = 1.0 - (1.0 - profile.poison) * (1.0 - share * action.kept)
                profile.ends = Ends(ends.ok.of(1.0 - share), ends.refused, any_of([ends.failed, ends.ok.of(share)]))
            case does.Answers():
                profile.answer = profile.answer or ends
            case does.Performs(endpoint) if depth < DEEPEST:
                self._walk(profile, self.steps_of(endpoint), service, depth + 1)
            case does.Calls(endpoint):
                profile.kept |= self._endpoint(endpoint, depth + 1).kept
                called = self.called(service, endpoint, self.policy(action.policy))
                tally(profile.calls, endpoint, ends.ok.share * called.attempts)
                tally(profile.saved, endpoint, ends.ok.share * called.saved)
                self._guarded(profile, action, key, called, service, endpoint.partition(".")[0], depth)
            case does.Publishes():
                self._publish(profile, action, key, service, depth)
            case does.Branches(branches, first=False):
                self._parallel(profile, branches, service, depth)
            case does.Branches() | does.Runs() | does.Chooses() | does.Repeats() | does.Locks() | does.Compensates():
                follow(self, profile, action, service, depth)

    def _take_time(self, profile: Profile, action: does.TakesTime, key: Key) -> None:
        ends = profile.ends
        mean = self._kept.get(key, action.time.mean)
        if action.kept and action.time.scv > 0.0:
            profile.kept[key] = KnownTail(action.time)
        profile.work += ends.ok.share * mean if action.computes and ends.ok.share > 0.0 else 0.0
        after = ends.ok.plus(Times(1.0, mean)) if key in self._kept else ends.ok.then(action.time, kept=action.kept)
        profile.ends = Ends(after, ends.refused, ends.failed)

    def inside(self, profile: Profile, ends: Ends, steps: Iterable[Step], service: str, depth: int) -> Ends:
        """How steps end that are come to so; what they do besides is done by the profile."""
        part = Profile(ends)
        self._walk(part, steps, service, depth)
        add(profile, part)
        return part.ends

    def apart(self, profile: Profile, steps: Iterable[Step], service: str, depth: int) -> tuple[Ends, Adding]:
        """How steps end by themselves, and what adds them to the profile so many times."""
        part = self._profile(steps, service, depth)
        return part.ends, lambda times: add(profile, part, times)

    def _publish(self, profile: Profile, action: does.Publishes, key: Key, service: str, depth: int) -> None:
        share = profile.ends.ok.share
        name = broker_of(self.scenario, action.topic)
        if action.poll is not None or name is None:
            self._count_events(profile, action, share)
            return
        policy = self.scenario.brokers[name].publisher_policy if action.policy is None else self.policy(action.policy)
        called = tries(self.acknowledged(service, action), policy)
        self._count_events(profile, action, share * called.attempts)
        self._guarded(profile, action, key, called, service, name, depth)

    def _count_events(self, profile: Profile, action: does.Publishes, messages: float) -> None:
        """A message of a topic under its key, or one in each queue in which it comes to rest."""
        name = broker_of(self.scenario, action.topic)
        broker = self.scenario.brokers[name] if name is not None else None
        if not isinstance(broker, QueueBroker):
            tally(profile.publishes, (action.topic, action.key), messages)
            return
        headers = dict(action.headers)
        routed = broker.routes(action.topic, action.routing_key, headers)
        for queue in at_rest(self.scenario, broker, routed, action.routing_key, headers):
            tally(profile.publishes, (queue, None), messages)

    def _handled(self, profile: Profile, name: str, queue: MessageQueue, consume: Consume) -> Profile:
        """A message of a queue, with all its deliveries, and what becomes of it when it is given up."""
        times, given_up = deliveries(queue, consume, Failing(min(profile.ends.failed.share, 1.0), profile.poison))
        handled = repeated(profile, times)
        for other in given_up_to(self.scenario, name) if given_up > 0.0 else ():
            tally(handled.publishes, (other, None), given_up)
        return handled

    def _owners(self) -> dict[Consumer, list[list[int]]]:
        """The partitions of each member of each service, those without one left out: a group may have members in
        several services.
        """
        found: dict[Consumer, list[list[int]]] = {}
        groups: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for name, service in self.scenario.services.items():
            for topic, consume in service.consumes.items():
                groups.setdefault((consume.group, topic), []).append((name, members(service, consume)))
        for (_, topic), parts in groups.items():
            dealt = iter(range_assign(sum(count for _, count in parts), self.partitions(topic)))
            for name, count in parts:
                found[name, topic] = [its for its in (next(dealt) for _ in range(count)) if its]
        return found

    def _guarded(
        self,
        profile: Profile,
        action: does.Calls | does.Publishes,
        key: Key,
        called: Tries,
        service: str,
        callee: str,
        depth: int,
    ) -> None:
        """What a call that has been counted makes of the run, and its fallback."""
        before = profile.ends
        place = callee, self._policy_names.get(key[0], "")
        attempts, held = profile.places.get(place, (0.0, 0.0))
        profile.places[place] = attempts + before.ok.share * called.attempts, held + before.ok.share * called.held
        after = called.ends.later(before.ok)
        refused = any_of([before.refused, after.refused])
        if action.fallback is None or after.failed.share <= 0.0:
            profile.ends = Ends(after.ok, refused, any_of([before.failed, after.failed]))
            return
        instead = Profile(Ends(after.failed))
        self._walk(instead, action.fallback, service, depth)
        add(profile, instead)
        profile.ends = Ends(
            any_of([after.ok, instead.ends.ok]),
            any_of([refused, instead.ends.refused]),
            any_of([before.failed, instead.ends.failed]),
        )

    def _parallel(self, profile: Profile, branches: Sequence[Sequence[Step]], service: str, depth: int) -> None:
        before = profile.ends
        lasting, ok, refused = [], 1.0, 0.0
        for steps in branches:
            branch = self._profile(steps, service, depth)
            add(profile, branch, before.ok.share)
            lasting.append(any_of([branch.ends.ok, branch.ends.refused, branch.ends.failed]))
            refused += ok * branch.ends.refused.share  # the first that does not end well says how all end
            ok *= branch.ends.ok.share
        together = before.ok.plus(longest(lasting))
        failed = any_of([before.failed, together.of(max(0.0, 1.0 - ok - refused))])
        profile.ends = Ends(together.of(ok), any_of([before.refused, together.of(refused)]), failed)


def _delivered(profile: Profile, consume: Consume) -> Profile:
    """The same for a message, with all its deliveries: one that fails is delivered again, in place or through its retry
    topics.
    """
    most = consume.max_deliveries if consume.retry_topic is None else 1 + len(consume.retry_topic.pauses)
    return repeated(profile, Failing(min(profile.ends.failed.share, 1.0), profile.poison).tries(most)[0])


def _as_topic(scenario: Scenario, name: str, queue: MessageQueue) -> Topic:
    """A queue deals its messages out evenly: on paper it is a topic with a partition for each consumer."""
    count = 1 if queue.single_active_consumer else max(1, members_of(scenario, name))
    return Topic(partitions=count, key=None)


# ---- what is there to be held


def members(service: Service, consume: Consume) -> int:
    """Members of a consumer group on all replicas together."""
    return service.most_replicas * consume.consumers
