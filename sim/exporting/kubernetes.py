"""Kubernetes manifests of the services: a Deployment and a Service of each, what scales them and where they stand
(`kubernetes_elasticity.py`), and Strimzi's KafkaTopics. `sim import` reads them back.

Objects are those of apps/v1, v1 and kafka.strimzi.io/v1beta2. Threads are told by the variable that Spring Boot reads
(SERVER_TOMCAT_THREADS_MAX), those of an event loop as worker processes (WEB_CONCURRENCY); whom a service calls by
CALLEE_ADDR, as demo shops do it. What a manifest cannot say (queues, policies, consumers, times) stands above its
object as a comment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.exporting.kubernetes_elasticity import (
    deployment_of,
    ending_of,
    node_pools,
    objects_of,
    workload_of,
)
from sim.exporting.settings_text import TO_BE_SUPPLIED, dumped, head, hosts_of, remarks
from sim.exporting.subject import Subject
from sim.spec.base import UNLIMITED
from sim.spec.broker import LogBroker
from sim.spec.scenario import Scenario
from sim.spec.service import Service
from sim.spec.sites import call_sites
from sim.units import show_duration

PORT = 8080


def write(subject: Subject) -> str:
    """All objects, services first."""
    scenario = subject.scenario
    hosts = hosts_of(list(scenario.services))
    documents = [
        part for name, service in scenario.services.items() for part in _objects(scenario, name, service, hosts)
    ]
    documents += [*node_pools(scenario), *_topics(scenario)]
    why = (
        f"Images are {TO_BE_SUPPLIED}. A manifest says nothing of how long anything takes; what it cannot say is a "
        "comment."
    )
    gateway = ["The gateway is no object here: sim export --to kong writes it."] if scenario.gateway is not None else []
    return "---\n".join([head(subject, "Kubernetes manifests", why, *gateway), *documents])


def _objects(scenario: Scenario, name: str, service: Service, hosts: dict[str, str]) -> Iterator[str]:
    host = hosts[name]
    container: dict[str, Any] = {"name": host, "image": f"{host}:to-be-supplied", "ports": [{"containerPort": PORT}]}
    variables = [*_threads(service), *_callees(scenario, name, hosts)]
    if variables:
        container["env"] = [{"name": key, "value": value} for key, value in variables]
    if service.computes_on is not None:
        container["resources"] = {"limits": {"cpu": f"{service.computes_on:g}"}}
        if service.cpu is not None and service.cpu.request is not None:
            container["resources"]["requests"] = {"cpu": f"{service.cpu.request:g}"}
    pod, ending = ending_of(service)
    template = {"metadata": {"labels": {"app": host}}, "spec": {**pod, "containers": [{**container, **ending}]}}
    api, kind, strategy = workload_of(deployment_of(scenario, name))
    spec = {"replicas": service.replicas, "selector": {"matchLabels": {"app": host}}, **strategy, "template": template}
    workload = {"apiVersion": api, "kind": kind, "metadata": {"name": host}, "spec": spec}
    yield remarks(list(_unsaid(scenario, name, service, host))) + dumped(workload)
    yield from objects_of(service, {"apiVersion": api, "kind": kind, "name": host})
    entry = {"type": "LoadBalancer"} if _is_entry(scenario, name) else {}
    front = {"selector": {"app": host}, "ports": [{"port": PORT, "targetPort": PORT}], **entry}
    yield dumped({"apiVersion": "v1", "kind": "Service", "metadata": {"name": host}, "spec": front})


def _threads(service: Service) -> Iterator[tuple[str, str]]:
    if service.workers != UNLIMITED:
        yield (
            "SERVER_TOMCAT_THREADS_MAX" if service.concurrency == "threads" else "WEB_CONCURRENCY",
            str(service.workers),
        )


def _callees(scenario: Scenario, name: str, hosts: dict[str, str]) -> Iterator[tuple[str, str]]:
    callees = dict.fromkeys(
        site.callee for site in call_sites(scenario) if site.caller == name and site.callee in hosts
    )
    for callee in callees:
        yield f"{hosts[callee].replace('-', '_').upper()}_ADDR", f"{hosts[callee]}:{PORT}"


def _is_entry(scenario: Scenario, name: str) -> bool:
    """Whether clients send to it, where no gateway stands before it."""
    targets = {target.partition(".")[0] for traffic in scenario.traffic.values() for target in traffic.mix}
    return scenario.gateway is None and name in targets


def _unsaid(scenario: Scenario, name: str, service: Service, host: str) -> Iterator[str]:
    """What the simulator knows of a service and a manifest cannot say."""
    if host != name:
        yield f"called {name} in the scenario"
    if service.workers == UNLIMITED:
        yield "workers: unlimited; no variable says so"
    if service.computes_on is None:
        yield "no cores: every worker has a core of its own in the scenario; a limit of cpu is to be measured"
    if service.queue.capacity != UNLIMITED:
        yield (
            f"queue of {service.queue.capacity} ({service.queue.discipline}) for a worker: Tomcat's accept-count, "
            "or a setting of the framework"
        )
    if service.queue.timeout is not None:
        yield f"who waits for {show_duration(service.queue.timeout)} in the queue is shed: a setting of the application"
    if service.load_balancing != "round_robin":
        yield (
            f"load_balancing: {_balancing(service)}; kube-proxy chooses at random, for each connection: a mesh "
            "can do more"
        )
    policies = dict.fromkeys(
        site.policy_name
        for site in call_sites(scenario)
        if site.caller == name and site.policy_name in scenario.policies
    )
    if policies:
        yield f"policies of its calls ({', '.join(policies)}): sim export --to resilience4j"
    for topic, consume in service.consumes.items():
        consumers = f"{consume.consumers} consumer{'s' if consume.consumers != 1 else ''} in each replica"
        if not consume.group:
            yield f"consumes the queue {topic}, {consumers}, prefetch {consume.prefetch}, {consume.ack} acknowledgement"
            continue
        yield (
            f"consumes {topic} as {consume.group}, {consumers}, max.poll.records {consume.max_poll_records}, "
            f"auto.offset.reset {consume.auto_offset_reset}"
        )


def _topics(scenario: Scenario) -> Iterator[str]:
    for name, broker in scenario.brokers.items():
        if not isinstance(broker, LogBroker):  # Strimzi knows Kafka alone
            continue
        for topic, spec in broker.topics.items():
            told = [f"acks: {broker.acks} of its producers, key: {spec.key or 'sticky'}; replicas are {TO_BE_SUPPLIED}"]
            host = hosts_of([topic])[topic]
            body = {"partitions": spec.partitions, "replicas": 3, **({"topicName": topic} if host != topic else {})}
            metadata = {"name": host, "labels": {"strimzi.io/cluster": hosts_of([name])[name]}}
            yield remarks(told) + dumped(
                {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "KafkaTopic", "metadata": metadata, "spec": body}
            )


def _balancing(service: Service) -> str:
    policy = service.load_balancing
    return policy if isinstance(policy, str) else policy.policy
