"""Where a run is kinder than the real system would be: warnings about what is not modelled, only where a scenario comes
by it.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.errors import did_you_mean, nearest
from sim.experiments.on_paper.attempts import SELDOM
from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.changed_defaults import publications
from sim.experiments.on_paper.offered_load import Finding
from sim.spec.broker import LogBroker
from sim.spec.fault import Crash, Fault, NetworkFault, Outage
from sim.spec.service import Consume
from sim.units import show_duration, show_share

MAX_POLL_INTERVAL = 300.0  # s; max.poll.interval.ms of Kafka's consumers
SESSION = 45.0  # s; session.timeout.ms


def consumer_faults(view: View) -> Iterator[Finding]:
    """Members of a consumer group that crash, or are silent for longer than their session lasts."""
    for index, fault in enumerate(view.scenario.faults):
        place = f"faults.{fault.name or index}"
        for name, session in _struck(view, fault):
            if isinstance(fault, Crash):
                wait = show_duration(SESSION)
                why = (
                    "in Kafka's default, dynamic members, one that is back makes its group wait until its old "
                    f"session has ended ({wait})"
                )
                yield Finding(
                    place,
                    f"{name} consumes; its consumers are static members here, and rebalances take no time",
                    f"{why}: `membership` says how it is",
                )
            elif fault.end - fault.at > session:
                why = (
                    "here its consumers keep their partitions; Kafka takes them away, and its group rebalances once "
                    "more when they are back"
                )
                yield Finding(
                    place, f"{name} consumes, and is away for longer than a session of {show_duration(session)}", why
                )


def _struck(view: View, fault: Fault) -> Iterator[tuple[str, float]]:
    """The consuming services that a fault stops or cuts off from a broker of theirs, each with its shortest
    session, s.
    """
    for name, service in view.scenario.services.items():
        topics = tuple(service.consumes)
        if isinstance(fault, (Crash, Outage)):
            topics = topics if fault.of == name else ()
        elif isinstance(fault, NetworkFault) and fault.partition and name in fault.between:
            topics = tuple(
                topic for topic in topics if topic in view.flow.topics and view.flow.topics[topic][0] in fault.between
            )
        else:
            topics = ()
        # Queues have no sessions, and those that say how they rebalance do.
        topics = tuple(
            its for its in topics if its not in view.flow.queues and service.consumes[its].membership is None
        )
        if topics:
            yield name, min(service.consumes[topic].session_timeout for topic in topics)


def crashes_seen_at_once(view: View) -> Iterator[Finding]:
    """Replicas that die while others live: who calls them knows at once, unless they are checked."""
    for index, fault in enumerate(view.scenario.faults):
        service = view.scenario.services.get(fault.of) if isinstance(fault, Crash) else None
        checked = service is not None and service.health_checks is not None
        if isinstance(fault, Crash) and view.replicas(fault.of) > fault.replicas and not checked:
            why = (
                "in Kubernetes callers still choose it for seconds after a crash (refused connections), for 20 to 30 "
                "s where only probes notice, "
                "and for about 40 s where its node is gone (silence); `health_checks` of a service say when they "
                "notice"
            )
            yield Finding(f"faults.{fault.name or index}", f"a dead replica of {fault.of} is avoided at once", why)


def losses_without_tcp(view: View) -> Iterator[Finding]:
    """Lost messages that nobody sends again."""
    network, gateway = view.scenario.network, view.scenario.gateway
    hosts = {*view.scenario.services, *(("gateway",) if gateway is not None else ())}
    faults = [(f"faults.{fault.name or index}", fault) for index, fault in enumerate(view.scenario.faults)]
    lossy = [(place, fault.loss, fault.between) for place, fault in faults if isinstance(fault, NetworkFault)]
    lossy += [(f"network.links.{index}", link.loss, link.between) for index, link in enumerate(network.links)]
    found = [(place, loss) for place, loss, between in lossy if loss and set(between) <= hosts]
    found += [("network.default", network.default.loss)] if network.default.loss else []
    why = (
        "TCP sends it again, after about two round trips or 200 ms at least (Linux): there a percent of loss makes "
        "calls late, and hardly one fails"
    )
    for place, loss in found:
        yield Finding(
            place, f"each of the {show_share(loss)} that are lost is a whole attempt, which only a timeout ends", why
        )


def slow_handlers(view: View) -> Iterator[Finding]:
    """Batches that take longer than a consumer may be away from `poll`."""
    for name, service in view.scenario.services.items():
        for topic, consume in service.consumes.items():
            finding = _slow(view, name, topic, consume) if topic not in view.flow.queues else ""
            if finding:
                said = "" if consume.membership is not None else "; say `membership` to see it"
                why = (
                    f"after {show_duration(_patience(consume))} without a poll (max.poll.interval.ms) Kafka takes its "
                    f"records away and delivers them again{said}"
                )
                yield Finding(f"{name} <- {topic}", finding, why)


def _patience(consume: Consume) -> float:
    """How long a consumer may be away from `poll`, s."""
    return consume.membership.max_poll_interval if consume.membership is not None else MAX_POLL_INTERVAL


def _slow(view: View, service: str, topic: str, consume: Consume) -> str:
    """What is too slow about it, on average or now and then; empty: nothing."""
    most, each, limit = consume.max_poll_records, view.flow.consumers[service, topic].hold, _patience(consume)
    batch = "a record" if most == 1 else f"a full batch of {most:,} records"
    if most * each > limit:
        return f"{batch} takes {show_duration(most * each)} on average"
    late = view.patience.share_of_records_above(service, topic, limit - (most - 1) * each)
    if late <= SELDOM:
        return ""
    return f"{batch} takes more than {show_duration(limit)} when one is slow, as {show_share(late)} of them are"


def unbatched_producers(view: View) -> Iterator[Finding]:
    """Publications that wait for an ack, each of which is a request of its own."""
    waiting = [
        step
        for _, step in publications(view)
        if step.via == "broker" and step.topic in view.flow.topics and step.topic not in view.flow.queues
    ]
    batched = {
        name
        for name, broker in view.scenario.brokers.items()
        if isinstance(broker, LogBroker) and broker.producer is not None
    }
    brokers = {view.flow.topics[step.topic][0] for step in waiting if view.flow.topics[step.topic][1].confirms}
    for broker in sorted(brokers - batched):
        why = (
            "an ack may come later by linger.ms (5 ms since Kafka 4.0, 0 before), and the broker is asked less often; "
            "`producer: {linger: 5ms}` of the broker models batches"
        )
        yield Finding(f"brokers.{broker}", "each publication is sent at once and alone", why)


def lonely_populations(view: View) -> Iterator[Finding]:
    """A population whose name looks like a slip, and one that its traffics count differently."""
    sizes: dict[str, dict[str, int]] = {}
    for name, traffic in view.scenario.traffic.items():
        if traffic.people:
            sizes.setdefault(traffic.population(name), {})[name] = traffic.people
    for population, counts in sizes.items():
        first, known = next(iter(counts)), [other for other in sizes if other != population]
        if len(counts) == 1 and population != first and nearest(population, known):
            finding = f"the population '{population}' is of no other traffic{did_you_mean(population, known)}"
            yield Finding(
                f"traffic.{first}.users",
                finding,
                "a population is shared by the traffics that name it, or are called so",
            )
        elif len(set(counts.values())) > 1:
            told = " and ".join(f"{size:,} in {name}" for name, size in counts.items())
            yield Finding(
                f"traffic.{first}.users",
                f"the population '{population}' has {told}",
                "the smaller number is the most popular part of it",
            )
