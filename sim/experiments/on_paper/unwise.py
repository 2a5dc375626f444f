"""The warnings of `sim check`: each a place, what was found, and why it matters.

Unwise is allowed; nothing here refuses a scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sim.experiments.on_paper import (
    optimistic,
    unwise_balancing,
    unwise_credentials,
    unwise_elasticity,
    unwise_load_generators,
    unwise_logs,
    unwise_queue_brokers,
)
from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.changed_defaults import changed_defaults
from sim.experiments.on_paper.flow import members
from sim.experiments.on_paper.offered_load import Analysis, Finding, OfferedLoad, Station
from sim.experiments.on_paper.pinned_loops import hot_loops
from sim.experiments.on_paper.places import listed, specs_within
from sim.experiments.on_paper.recordings import recordings_outside, unlike_clocks
from sim.experiments.on_paper.refusals import erlang_b
from sim.experiments.on_paper.slips import shares_of_mixtures, shares_of_sends
from sim.experiments.on_paper.unwise_calls import (
    breakers,
    hopeless_retries,
    impatient_clients,
    pauses_never_told,
    retry_fan_out,
    short_timeouts,
)
from sim.experiments.on_paper.unwise_clocks import clocks_that_nobody_reads, counts_of_clocks_apart
from sim.experiments.on_paper.unwise_ground import (
    connects_without_backlog,
    limits_without_store,
    overflowing_backlogs,
    throttled_bursts,
)
from sim.experiments.on_paper.unwise_limits import (
    kinder_than_kong,
    limited_callers,
    limits_of_one_token,
    limits_with_words_unused,
    rate_limits,
    replaced_limits,
    rounded_limits,
)
from sim.experiments.on_paper.unwise_paces import (
    pauses_beyond_checks,
    pauses_beyond_timeouts,
    threads_beyond_the_peak,
)
from sim.experiments.on_paper.unwise_queues import starving_classes
from sim.experiments.on_paper.unwise_views import views_of_strangers
from sim.experiments.on_paper.zero_time_loops import time_can_stand_still
from sim.spec.base import UNLIMITED
from sim.spec.distribution import LogNormal
from sim.spec.policy import CallPolicy
from sim.spec.sites import bulkheads
from sim.units import show_duration, show_rate, show_share

CROWDED = 0.8  # from here on queues grow steeply
RARE = 0.01
# of the largest machines that are commonly given to one replica; a pod hardly ever gets a quarter of that
PROCESSORS = 64


def findings(analysis: Analysis, load: OfferedLoad) -> Iterator[Finding]:
    """Everything unwise in one variant."""
    view = View(analysis, load)
    for rule in RULES:
        yield from (replace(finding, kind=rule.__name__) for finding in rule(view))


# ---- capacity


def overload(view: View) -> Iterator[Finding]:
    """A station that is asked for more than it can do, or nearly so."""
    for station in view.load.stations:
        place = f"{station.name} ({station.resource})"
        if station.resource in ("places", "rate"):
            if station.resource == "places":
                yield from _few_places(view, station, place)
        elif station.falls_behind:
            growth = station.rate * (1.0 - 1.0 / station.utilisation)
            what = "lag" if station.resource == "consumers" else "work left over"
            why = f"on average it falls behind by {show_rate(growth)}: {what} grows as long as this lasts"
            yield Finding(place, f"asked for {show_share(station.utilisation)} of what it can do", why)
        elif station.falls_behind_at_peak:
            why = "a backlog builds up that is worked off only when the load falls"
            yield Finding(place, f"asked for {show_share(station.utilisation_peak)} of what it can do at the peak", why)
        elif station.utilisation_peak > CROWDED:
            when = "" if station.utilisation > CROWDED else " at the peak"
            why = "above 80 % waiting times grow steeply, and little is left for retries or a failed replica"
            yield Finding(place, f"{show_share(station.utilisation_peak)} busy{when}", why)


def _few_places(view: View, station: Station, place: str) -> Iterator[Finding]:
    """A bulkhead of which all places are taken now and then.

    Where nobody waits for one, Erlang's formula says how often.
    """
    its = next(its for its in bulkheads(view.scenario) if its.name == station.name)
    guards = 1 if its.policy.scope == "service" else view.replicas(its.caller)
    asked = station.rate_peak * station.demand / guards
    each = int(station.servers) // guards
    when = "" if station.utilisation >= CROWDED else " at the peak"
    if its.policy.bulkhead is not None and its.policy.bulkhead.waits:
        when_refused = "they have waited `max_wait`" if its.policy.bulkhead.thread_pool is None else "the queue is full"
        why = (
            f"calls wait for a place, and are refused when {when_refused}: the time before the call "
            "grows steeply from 80 % on"
        )
        if station.utilisation_peak > CROWDED:
            yield Finding(
                place, f"asked for {show_share(station.utilisation_peak)} of its {station.servers:,} places{when}", why
            )
        return
    refused = erlang_b(asked, each)
    if refused > RARE:
        why = (
            f"of calls that come at random {show_share(refused)} find no place and are refused (Erlang B: "
            f"{asked:.3g} at once on average, {each:,} places)"
        )
        yield Finding(
            place, f"asked for {show_share(station.utilisation_peak)} of its {station.servers:,} places{when}", why
        )


def crowded_machines(view: View) -> Iterator[Finding]:
    """Computation on a replica that names no cores, by more workers at once than a machine has processors."""
    for station in view.load.stations:
        service = view.scenario.services.get(station.name)
        if service is None or station.resource != "workers" or service.computes_on is not None:
            continue
        computing = view.analysis.computing(station.name, peak=True) / service.replicas
        if computing > PROCESSORS:
            why = (
                "without `cores` every worker computes as if alone; say how many cores a replica has, or `wait` "
                "where the time passes elsewhere"
            )
            yield Finding(
                f"services.{station.name}",
                f"{_number(computing)} workers compute at once in each replica, and no `cores` are named",
                why,
            )


def unlimited_queues(view: View) -> Iterator[Finding]:
    """Queues that neither refuse nor time out."""
    names = [
        name
        for name, service in view.scenario.services.items()
        if service.queue.capacity == UNLIMITED
        and service.queue.timeout is None
        and service.workers != UNLIMITED
        and _called(view, name) > 0
    ]
    if names:
        why = (
            "an overload becomes waiting time without end instead of refusals: work is done for callers who have "
            "long gone"
        )
        yield Finding("services", f"queues without limit: {listed(names)}", why)


def idle_services(view: View) -> Iterator[Finding]:
    """Services that nothing reaches, and topics that nobody reads."""
    published = {topic for topic, rate in view.analysis.rates_peak.topics.items() if rate > 0}
    for name, service in view.scenario.services.items():
        if _called(view, name) <= 0 and not published & set(service.consumes) and not view.load.unknown:
            yield Finding(
                f"services.{name}",
                "nobody calls it and no message reaches it",
                "it only costs; is a call or a topic missing?",
            )
    consumed = {topic for service in view.scenario.services.values() for topic in service.consumes}
    for topic in sorted(published - consumed):
        kind = "queue" if topic in view.flow.queues else "topic"
        yield Finding(f"{kind} {topic}", "published to, but nobody consumes it", "its messages stay queued for ever")


def idle_consumers(view: View) -> Iterator[Finding]:
    """More members of a group than partitions; more consumers of a queue than get messages."""
    for name, service in view.scenario.services.items():
        for topic, consume in service.consumes.items():
            queue = view.flow.queues.get(topic)
            count = members(service, consume)
            if queue is not None:
                if queue.single_active_consumer and count > 1:
                    why = f"one gets all messages, and {count - 1} wait until it is gone"
                    yield Finding(f"{name} <- {topic}", f"{count} consumers of a queue with a single active one", why)
                continue
            partitions = view.flow.topics[topic][2].partitions if topic in view.flow.topics else 0
            if count > partitions > 0:
                why = f"a partition has one consumer of a group at most: {count - partitions} stay idle"
                yield Finding(f"{name} <- {topic}", f"{count} consumers for {partitions} partitions", why)


def deadlines_of_nobody(view: View) -> Iterator[Finding]:
    """Deadlines that are handed on, where nobody sets one."""
    set_by_clients = any(traffic.deadline is not None for traffic in view.scenario.traffic.values())
    policies = [its for its in specs_within("", view.scenario, CallPolicy) if its[1].deadline is not None]
    limited = any(policy.timeout is not None or policy.total_timeout is not None for _, policy in policies)
    gateway = view.scenario.gateway
    routes = gateway.routes.values() if gateway is not None else ()
    limited = limited or any(route.timeout is not None or route.per_try_timeout is not None for route in routes)
    if policies and not limited and not set_by_clients:
        why = "say a `timeout` in the policy, or `deadline: propagate` of traffic that has one"
        yield Finding(policies[0][0], "`deadline: propagate` hands on nothing: there is no time to hand on", why)


# ---- how the experiment is set up


def heavy_tails(view: View) -> Iterator[Finding]:
    """Lognormals whose percentile lies below their mean."""
    for place, spread in specs_within("", view.scenario, LogNormal):
        for name, percentile in (("p95", spread.p95), ("p99", spread.p99)):
            if percentile is not None and spread.given_mean is not None and percentile < spread.given_mean:
                why = (
                    f"nearly all of the mean comes from a few giants (sigma {spread.sigma:.2g}); have the two been "
                    "exchanged?"
                )
                yield Finding(
                    place,
                    f"its {name}, {show_duration(percentile)}, is below its mean, {show_duration(spread.given_mean)}",
                    why,
                )


def closed_workloads(view: View) -> Iterator[Finding]:
    """Users who wait for their answer before they send again."""
    for name, traffic in view.scenario.traffic.items():
        if traffic.arrivals.population:
            why = (
                "closed users wait for their answer before they send again: a slow system is asked for less, and an "
                "overload hides"
            )
            yield Finding(f"traffic.{name}", f"a closed workload of {traffic.arrivals.population:,} users", why)


def cold_start(view: View) -> Iterator[Finding]:
    """Results that begin with an empty system."""
    steady = [name for name, traffic in view.scenario.traffic.items() if traffic.arrivals.steady]
    if view.scenario.warmup == 0 and steady and not view.scenario.auto_warmup:
        yield Finding(
            "warmup",
            "0, with steady load",
            "the first moments of an empty system count as results and make it look better than it is",
        )


def faults_cut_off(view: View) -> Iterator[Finding]:
    """Faults where nothing is counted, and faults after which nothing is seen."""
    for index, fault in enumerate(view.scenario.faults):
        if fault.at < view.scenario.warmup:
            finding = f"begins at {show_duration(fault.at)}, during the warm-up ({show_duration(view.scenario.warmup)})"
            yield Finding(f"faults.{fault.name or index}", finding, "requests of the warm-up are not counted")
        if fault.at >= view.scenario.duration:
            finding = (
                f"begins at {show_duration(fault.at)}, and the run ends at {show_duration(view.scenario.duration)}"
            )
            yield Finding(
                f"faults.{fault.name or index}", finding, "it never happens: the run is as if it were not there"
            )
        elif fault.lasts is not None and fault.at + fault.lasts >= view.scenario.duration:
            finding = (
                f"ends at {show_duration(fault.at + fault.lasts)}, and the run at "
                f"{show_duration(view.scenario.duration)}"
            )
            yield Finding(f"faults.{fault.name or index}", finding, "whether and when the system recovers is not seen")


def unknown_rates(view: View) -> Iterator[Finding]:
    """Arrivals of a plug-in."""
    for name in view.load.unknown:
        yield Finding(f"traffic.{name}", "its rate is not known beforehand", "it is left out of the offered load above")


RULES: Sequence[Callable[[View], Iterator[Finding]]] = (  # slips and overload first: whoever runs reads a handful
    time_can_stand_still,
    overload,
    hot_loops,
    overflowing_backlogs,
    starving_classes,
    crowded_machines,
    throttled_bursts,
    threads_beyond_the_peak,
    pauses_beyond_timeouts,
    pauses_beyond_checks,
    shares_of_sends,
    shares_of_mixtures,
    recordings_outside,
    unlike_clocks,
    faults_cut_off,
    unknown_rates,
    idle_services,
    idle_consumers,
    short_timeouts,
    hopeless_retries,
    impatient_clients,
    pauses_never_told,
    retry_fan_out,
    breakers,
    deadlines_of_nobody,
    connects_without_backlog,
    rate_limits,
    limits_without_store,
    clocks_that_nobody_reads,
    counts_of_clocks_apart,
    views_of_strangers,
    replaced_limits,
    limited_callers,
    rounded_limits,
    heavy_tails,
    limits_of_one_token,
    limits_with_words_unused,
    kinder_than_kong,
    *unwise_balancing.RULES,
    *unwise_credentials.RULES,
    *unwise_elasticity.RULES,
    *unwise_load_generators.RULES,
    *unwise_queue_brokers.RULES,
    *unwise_logs.RULES,
    optimistic.consumer_faults,
    optimistic.crashes_seen_at_once,
    optimistic.losses_without_tcp,
    optimistic.slow_handlers,
    optimistic.unbatched_producers,
    optimistic.lonely_populations,
    unlimited_queues,
    closed_workloads,
    cold_start,
    changed_defaults,  # last: they say nothing to whoever writes a new file
)


def _number(value: float) -> str:
    """`0.5`, `13.2`, `1,200`: short, without an exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _called(view: View, service: str) -> float:
    return sum(rate for place, rate in view.analysis.rates_peak.endpoints.items() if place.partition(".")[0] == service)
