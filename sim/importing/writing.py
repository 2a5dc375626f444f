"""The text of a scenario: in the order in which a person would write it, with a remark beside every value of where it
came from.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from sim.errors import UsageError, printable
from sim.importing.capacity import GUESSED_WORKERS
from sim.importing.draft import (
    CallOf,
    Draft,
    Gateway,
    Key,
    Said,
    Service,
    between,
    callees,
    steps_of,
    unpublished,
    where,
)
from sim.importing.names import BROKER
from sim.importing.remarks import add, add_map, one_line, plain, words
from sim.importing.steps import ENDPOINT, first_endpoint, listed_steps, written_steps
from sim.importing.telling import calls_to_supply, grouped
from sim.spec.document import Data, Place
from sim.vocabulary import TO_BE_SUPPLIED

MOST_REPLAYED = 2_000_000  # requests: a scenario holds what it replays
_NAMED_IN_A_LINE = 4  # places, at most


def write(draft: Draft, name: str) -> str:
    """The whole text."""
    top = CommentedMap()
    top["version"] = 1
    top["name"] = name
    lasts = _lasts(draft)
    top["duration"] = lasts or "5m"
    if not lasts:
        add(top, "warmup", Said("30s", "the system fills up; what happens before does not count"), 0)
    top["traffic"] = _traffic(draft)
    if draft.gateway is not None:
        top["gateway"] = _gateway(draft, draft.gateway)
    _network(draft, top)
    top["services"] = _services(draft)
    if draft.node_pools:
        top["node_pools"] = CommentedMap()
        for pool, said in draft.node_pools.items():
            add(top["node_pools"], pool, said, 2)
    policies = {**draft.policies, **_guards(draft)}
    if policies:
        top["policies"] = CommentedMap()
        for policy, (fields, remark) in policies.items():
            add(top["policies"], policy, Said(fields, remark), 2)
    if draft.topics:
        top["brokers"] = _brokers(draft)
    for key in ("traffic", "gateway", "network", "services", "node_pools", "policies", "brokers"):
        if key in top:
            top.yaml_set_comment_before_after_key(key, before="\n")
    return f"{_head(draft, name)}{_shorter(_dumped(top) + _left_out(draft), draft)}"


def _lasts(draft: Draft) -> str:
    """How long a recording that is replayed lasts, or a rate over time, in whole seconds; empty where there is none."""
    if draft.measured is not None and draft.measured.lasts and not draft.measured.recording:
        return f"{math.ceil(draft.measured.lasts)}s"
    if draft.measured is None or not draft.measured.recording or draft.measured.arrived is None:
        return ""
    return f"{math.ceil(between(draft.measured.arrived.at)) + 1}s"


def recording(draft: Draft) -> str:
    """When every recorded request came, how long it took, where it went to and how it ended: CSV, which is a
    measurement, too.
    """
    arrived = draft.measured.arrived if draft.measured is not None else None
    if arrived is None or not len(arrived.at):
        raise UsageError("--recording: found no request in the traces, expected some")
    if len(arrived.at) > MOST_REPLAYED:
        raise UsageError(f"--recording: found {len(arrived.at):,} requests, expected at most {MOST_REPLAYED:,}")
    names = _targets(draft)
    called = [names[target] for target in arrived.targets]
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("arrival_ns", "duration_ns", "route", "outcome"))
    columns = (arrived.at, arrived.took, arrived.target, arrived.failed)
    for at, took, place, failed in zip(*(column.tolist() for column in columns), strict=True):
        if called[place]:
            rows.writerow((at, took if took >= 0 else "", called[place], "error" if failed else "ok"))
    return out.getvalue()


def _shorter(text: str, draft: Draft) -> str:
    """Of one file all remarks would name the same: its lines are enough."""
    if len(draft.kinds) != 1:
        return text
    mark = re.compile(rf"(#.*?)\b{re.escape(where(Place(next(iter(draft.kinds)))))}:([0-9]+)")
    for _ in range(_NAMED_IN_A_LINE):
        text = mark.sub(r"\1line \2", text)
    return text


def _dumped(top: CommentedMap) -> str:
    yaml = YAML()
    yaml.width = 10**6
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(top, stream)
    return stream.getvalue()


def _head(draft: Draft, name: str) -> str:
    lines = [
        f"What does {name} bear?",
        "",
        *(f"Imported from {title}: {files}." for title, files in _by_kind(draft)),
        "",
        *_meaning(draft),
        "",
        f"  sim check {name}.yaml     what is still to be supplied, and the load on every station",
    ]
    return "".join(f"# {printable(line, one_line=True)}".rstrip() + "\n" for line in lines)


def _meaning(draft: Draft) -> list[str]:
    """What is to be known of the values of all files."""
    if draft.measured is not None:
        return [*draft.measured.head, f"What is marked {TO_BE_SUPPLIED} is a stand-in that nobody measured."]
    return [
        (
            "No such file says how long anything takes, or how much traffic there is: what is marked "
            f"{TO_BE_SUPPLIED} is "
            "a stand-in that nobody"
        ),
        (
            "measured. Who calls whom is guessed, by the remark beside each call. One endpoint stands for all "
            "requests of "
            "a service; split it"
        ),
        "where they differ.",
    ]


def _by_kind(draft: Draft) -> Iterator[tuple[str, str]]:
    """What was read, with the names of a few files of each kind."""
    files: dict[str, list[str]] = {}
    for file, kinds in draft.kinds.items():
        for kind in kinds:
            files.setdefault(kind, []).append(where(Place(file)))
    for kind, names in files.items():
        yield kind, ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _left_out(draft: Draft) -> str:
    calls = [f"\n# To be supplied: {one_line(line)}\n" for line in calls_to_supply(draft.unreached, unpublished(draft))]
    lines = [f"#   {one_line(line)}\n" for line in grouped(draft.notes.left_out)]
    return "".join([*calls, *(["\n# Left out:\n", *lines] if lines else [])])


# ---- parts of the scenario


def _traffic(draft: Draft) -> CommentedMap:
    clients = CommentedMap()
    gateway, measured = draft.gateway, draft.measured
    if measured is not None and measured.recording:
        replay = {"replay": {"file": measured.recording, "timestamps": "arrival_ns", "unit": "ns", "route": "route"}}
        why = f"every request as it was recorded; {measured.arrivals.remark if measured.arrivals else ''}"
        add(clients, "arrivals", Said(replay, why), 4)
        return CommentedMap({"clients": clients})
    sends = _sends(draft)
    if sends is not None:
        add(clients, "sends", sends, 4)
    add(clients, "arrivals", _arrivals(draft), 4)
    if gateway is not None and _tells_users_apart(gateway):
        why = "how many users (or client addresses) the limits tell apart"
        add(clients, "users", Said({"count": 1000}, why, True), 4)
    return CommentedMap({"clients": clients})


def _sends(draft: Draft) -> Said | None:
    """Where requests go: as recorded, else over every route of the gateway, else to what nobody else calls."""
    recorded, gateway = _recorded(draft), draft.gateway
    if recorded:
        return Said(recorded if len(recorded) > 1 else next(iter(recorded)), "as they were recorded")
    if gateway is not None:
        targets, why = [route.name for route in gateway.routes], f"every route of {gateway.what}, each as often"
    else:
        entered = [draft.services[entry.key] for entry in draft.entries]
        targets = [f"{service.name}.{name}" for service in entered for name in service.endpoints or (ENDPOINT,)]
        why = "; ".join(
            f"{entry.why} ({where(entry.at)})" if entry.at.line else entry.why for entry in draft.entries[:3]
        )
    if len(targets) > 1:
        return Said(_shares(targets), f"shares of the requests; {why}", True)
    return Said(targets[0], why) if targets else None


def _arrivals(draft: Draft) -> Said:
    """Measured, else the users of a load test's settings, else a rate to be supplied."""
    measured = draft.measured
    users = next((client.users for client in draft.clients if client.users is not None and measured is None), None)
    if users is not None:
        why = f"time to think between two requests of a user; users: {users.remark}"
        return Said({"closed": {"users": users.value, "think": "1s"}}, why, True)
    if measured is not None and measured.arrivals is not None:
        return measured.arrivals
    return Said({"poisson": "10/s"}, "how many requests come", True)


def _tells_users_apart(gateway: Gateway) -> bool:
    """Whether some limit counts by who asks."""
    own = [limit for route in gateway.routes for limit in route.fields.get("rate_limits", Said([])).value]
    return any(
        limit["per"] in ("user", "consumer", "ip") for limit in [*(its.value for its in gateway.rate_limits), *own]
    )


def _targets(draft: Draft) -> dict[tuple[Key, str], str]:
    """The route or the endpoint by which the traffic names each place where requests were recorded; empty where no
    route leads there.
    """
    if draft.measured is None:
        return {}
    sends = draft.measured.sends
    if draft.gateway is None:
        return {target: f"{draft.services[target[0]].name}.{target[1]}" for target in sends}
    routes = {(route.to, name): route.name for route in draft.gateway.routes for name in (route.endpoint, route.name)}
    return {target: routes.get(target, "") for target in sends}


def _recorded(draft: Draft) -> dict[str, str]:
    """Share of the requests for each route or endpoint at which some were recorded."""
    names = {target: name for target, name in _targets(draft).items() if name}
    sends = draft.measured.sends if draft.measured is not None else {}
    total = sum(sends[target] for target in names)
    return {name: f"{100 * sends[target] / total:.4g}%" for target, name in names.items()}


def _network(draft: Draft, top: CommentedMap) -> None:
    measured = draft.measured
    if measured is None or measured.latency is None:
        add(
            top,
            "network",
            Said({"default": {"latency": "0.25ms"}}, "one way, of every hop between two services", True),
            0,
        )
        return
    network = top["network"] = CommentedMap()
    add(
        network,
        "default",
        Said({"latency": measured.latency.value}, measured.latency.remark, measured.latency.to_be_supplied),
        2,
    )
    if measured.links:
        links = network["links"] = CommentedSeq()
        for one, other, said in measured.links:
            between = [draft.services[one].name, draft.services[other].name]
            links.append(plain({"between": between, "latency": said.value}))
            links.yaml_add_eol_comment(words(said), len(links) - 1, column=0)


def _shares(targets: Sequence[str]) -> dict[str, str]:
    """The same share for each, adding up to 100 %."""
    each = int(10_000 / len(targets)) / 100
    first = 100 - each * (len(targets) - 1)
    return {target: f"{each if index else first:.6g}%" for index, target in enumerate(targets)}


def _gateway(draft: Draft, gateway: Gateway) -> CommentedMap:
    body = CommentedMap()
    if gateway.replicas is not None:
        add(body, "replicas", gateway.replicas, 2)
    add(
        body,
        "workers",
        gateway.workers or Said(4, "processes of its event loop, usually one for each core", True),
        2,
        gateway.remarks,
    )
    add(body, "work", Said("0.2ms", "the time that it takes itself for each request", True), 2)
    if gateway.authentication is not None:
        add(body, "authentication", _asked(draft, gateway, gateway.authentication), 2)
    if gateway.rate_limits:
        body["rate_limits"] = listed_steps(gateway.rate_limits)
    routes = body["routes"] = CommentedMap()
    for route in gateway.routes:
        fields = CommentedMap()
        fields["to"] = f"{draft.services[route.to].name}.{route.endpoint or first_endpoint(draft.services[route.to])}"
        for field, said in route.fields.items():
            if field == "rate_limits":
                fields[field] = listed_steps([Said(limit, said.remark) for limit in said.value])
            else:
                add(fields, field, said, 6)
        add_map(routes, route.name, fields, f"{route.remark} ({where(route.at)})", 4, route.remarks)
    return body


def _asked(draft: Draft, gateway: Gateway, said: Said) -> Said:
    """Authentication with the name of the service that it asks, where it asks one."""
    if gateway.introspects is None:
        return said
    provider = draft.services[gateway.introspects]
    target = f"{provider.name}.{first_endpoint(provider)}"
    return Said({"oauth": {"introspect": target, **said.value["oauth"]}}, said.remark, said.to_be_supplied)


def _services(draft: Draft) -> CommentedMap:
    services = CommentedMap()
    by_name = {service.name: service for service in draft.services.values()}
    used = {service.name for service in _in_order(draft)}
    starts = set(draft.starts)
    called = {name for service in draft.services.values() for name in callees(draft, service)} & used
    for service in _in_order(draft):
        asked = service.name in called or service.key in starts or not service.consumes
        add_map(
            services,
            service.name,
            _service(draft, by_name, service, asked),
            f"{service.what} ({where(service.at)})",
            2,
            [],
        )
    return services


def _service(draft: Draft, by_name: Mapping[str, Service], service: Service, asked: bool) -> CommentedMap:
    body = CommentedMap()
    if service.replicas is not None:
        add(body, "replicas", service.replicas, 4)
    workers = Said(GUESSED_WORKERS, f"threads of a replica; {GUESSED_WORKERS} is Tomcat's default", True)
    add(body, "workers", service.workers or workers, 4, service.remarks)
    for word in (
        "cpu",
        "cores",
        "node_pool",
        "autoscaling",
        "vertical_scaling",
        "start",
        "drain",
        "load_balancing",
        "health_checks",
    ):
        if (said := getattr(service, word)) is not None:
            add(body, word, said, 4)
    steps = [service.time or Said({"work": "5ms"}, "the time that a request takes here", True)]
    steps += [_guessed(by_name[callee], said) for callee, said in service.calls.items()]
    if service.endpoints:
        endpoints = body["endpoints"] = CommentedMap()
        for name, recorded in service.endpoints.items():
            endpoints[name] = written_steps(draft, recorded.steps) if recorded.steps else listed_steps(steps)
            endpoints.yaml_add_eol_comment(one_line(recorded.remark), name, column=0)
    elif asked and not service.recorded:
        body["endpoints"] = CommentedMap({ENDPOINT: listed_steps(steps)})
    if service.consumes:
        consumes = body["consumes"] = CommentedMap()
        for topic, consumer in service.consumes.items():
            inner = CommentedMap()
            add(inner, "group", consumer.group, 8)
            inner["do"] = (
                written_steps(draft, consumer.do) if consumer.do else listed_steps(steps if not asked else steps[:1])
            )
            consumes[topic] = inner
    return body


def _guessed(callee: Service, said: Said) -> Said:
    """A call of a service, under the policy of those who call it."""
    guard = {"policy": callee.guard} if callee.guard else {}
    return Said({"call": f"{callee.name}.{first_endpoint(callee)}", **guard}, said.remark)


def _guards(draft: Draft) -> dict[str, tuple[dict[str, Data], str]]:
    """The policies of calls that somebody makes."""
    services = list(draft.services.values())
    called = {name for service in services for name in service.calls}
    used = {service.guard for service in services if service.name in called}
    for service in services:
        for step in steps_of(service):
            if isinstance(step, CallOf):
                used |= {step.policy or draft.services[step.to].guard}
    return {name: policy for name, policy in draft.guards.items() if name in used}


def _brokers(draft: Draft) -> CommentedMap:
    topics = CommentedMap()
    for name, topic in draft.topics.items():
        fields = {"partitions": topic.partitions.value} if topic.partitions is not None else {"partitions": 1}
        add(topics, name, Said(fields, topic.remark, topic.partitions is None), 6)
    broker = CommentedMap({"kind": "log"})
    if draft.measured is not None and draft.measured.acks is not None:
        add(broker, "replication", draft.measured.acks, 4)
    broker["topics"] = topics
    return CommentedMap({BROKER: broker})


def _in_order(draft: Draft) -> list[Service]:
    """As requests meet them, from the entries on; who is met by none comes last."""
    by_name = {service.name: service for service in draft.services.values()}
    order: dict[str, Service] = {}
    waiting = [draft.services[key] for key in draft.starts]
    for service in waiting:  # grows as it is walked
        if service.name not in order:
            order[service.name] = service
            waiting += [by_name[name] for name in callees(draft, service)]
    return [*order.values(), *(service for service in by_name.values() if service.name not in order)]


def lines_to_supply(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, what stands there, what it is) of every stand-in in a text."""
    waiting: tuple[int, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        value, mark, what = line.partition(f"# {TO_BE_SUPPLIED}: ")
        if mark and value.strip():
            yield number, value.strip(), what
        elif mark:
            waiting = number, what
        elif waiting is not None and not line.lstrip().startswith("#"):
            yield number, line.strip(), waiting[1]
            waiting = None
