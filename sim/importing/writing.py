"""The text of a scenario: in the order in which a person would write it, with a remark beside every value of where it came from."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from sim.errors import UsageError, printable
from sim.importing.capacity import GUESSED_WORKERS
from sim.importing.draft import AtOnce, CallOf, Draft, Gateway, Key, Plain, Said, Service, Step, callees, unpublished, where
from sim.importing.names import BROKER
from sim.importing.telling import calls_to_supply, grouped
from sim.spec.document import Data, Place
from sim.vocabulary import TO_BE_SUPPLIED

ENDPOINT = "handle"  # the one endpoint of every service
MOST_REPLAYED = 2_000_000  # requests: a scenario holds what it replays
_WIDE = 120  # characters of a line up to which a remark stands beside its value
_NAMED_IN_A_LINE = 4  # places, at most
_FEW = 5  # entries of a map that fits into a line


def write(draft: Draft, name: str) -> str:
    """The whole text."""
    top = CommentedMap()
    top["version"] = 1
    top["name"] = name
    lasts = _lasts(draft)
    top["duration"] = lasts or "5m"
    if not lasts:
        _add(top, "warmup", Said("30s", "the system fills up; what happens before does not count"), 0)
    top["traffic"] = _traffic(draft)
    if draft.gateway is not None:
        top["gateway"] = _gateway(draft, draft.gateway)
    _network(draft, top)
    top["services"] = _services(draft)
    policies = {**draft.policies, **(draft.measured.policies if draft.measured is not None else {})}
    if policies:
        top["policies"] = CommentedMap()
        for policy, (fields, remark) in policies.items():
            _add(top["policies"], policy, Said(fields, remark), 2)
    if draft.topics:
        top["brokers"] = _brokers(draft)
    for key in ("traffic", "gateway", "network", "services", "policies", "brokers"):
        if key in top:
            top.yaml_set_comment_before_after_key(key, before="\n")
    return f"{_head(draft, name)}{_shorter(_dumped(top) + _left_out(draft), draft)}"


def _lasts(draft: Draft) -> str:
    """How long a recording that is replayed lasts, in whole seconds; empty where none is."""
    if draft.measured is None or not draft.measured.recording or draft.measured.arrived is None:
        return ""
    return f"{math.ceil(draft.measured.arrived.seconds) + 1}s"


def recording(draft: Draft) -> str:
    """When every recorded request came, how long it took, where it went to and how it ended: CSV, which is a measurement, too."""
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
        f"No such file says how long anything takes, or how much traffic there is: what is marked {TO_BE_SUPPLIED} is a stand-in that nobody",
        "measured. Who calls whom is guessed, by the remark beside each call. One endpoint stands for all requests of a service; split it",
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
    calls = [f"\n# To be supplied: {_one_line(line)}\n" for line in calls_to_supply(draft.unreached, unpublished(draft))]
    lines = [f"#   {_one_line(line)}\n" for line in grouped(draft.notes.left_out)]
    return "".join([*calls, *(["\n# Left out:\n", *lines] if lines else [])])


# ---- parts of the scenario


def _traffic(draft: Draft) -> CommentedMap:
    clients = CommentedMap()
    gateway, measured = draft.gateway, draft.measured
    recorded = _recorded(draft)
    if measured is not None and measured.recording:
        replay = {"replay": {"file": measured.recording, "timestamps": "arrival_ns", "unit": "ns", "route": "route"}}
        _add(clients, "arrivals", Said(replay, f"every request as it was recorded; {measured.arrivals.remark if measured.arrivals else ''}"), 4)
        return CommentedMap({"clients": clients})
    if recorded:
        shares = recorded if len(recorded) > 1 else next(iter(recorded))
        _add(clients, "sends", Said(shares, "as they were recorded"), 4)
        targets: list[str] = []
    elif gateway is not None:
        targets, why = [route.name for route in gateway.routes], f"every route of {gateway.what}, each as often"
    else:
        targets = [f"{draft.services[entry.key].name}.{ENDPOINT}" for entry in draft.entries]
        why = "; ".join(f"{entry.why} ({where(entry.at)})" if entry.at.line else entry.why for entry in draft.entries[:3])
    if not targets:
        pass
    elif len(targets) == 1:
        _add(clients, "sends", Said(targets[0], why), 4)
    else:
        _add(clients, "sends", Said(_shares(targets), f"shares of the requests; {why}", True), 4)
    users = next((client.users for client in draft.clients if client.users is not None and measured is None), None)
    if users is not None:
        closed = {"closed": {"users": users.value, "think": "1s"}}
        _add(clients, "arrivals", Said(closed, f"time to think between two requests of a user; users: {users.remark}", True), 4)
    elif measured is not None and measured.arrivals is not None:
        _add(clients, "arrivals", measured.arrivals, 4)
    else:
        _add(clients, "arrivals", Said({"poisson": "10/s"}, "how many requests come", True), 4)
    if gateway is not None and any(limit.value.get("per") == "user" for limit in gateway.rate_limits):
        _add(clients, "users", Said({"count": 1000}, "how many users (or client addresses) the limits tell apart", True), 4)
    return CommentedMap({"clients": clients})


def _targets(draft: Draft) -> dict[tuple[Key, str], str]:
    """The route or the endpoint by which the traffic names each place where requests were recorded; empty where no route leads there."""
    if draft.measured is None:
        return {}
    sends = draft.measured.sends
    if draft.gateway is None:
        return {target: f"{draft.services[target[0]].name}.{target[1]}" for target in sends}
    routes = {(route.to, route.endpoint): route.name for route in draft.gateway.routes}
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
        _add(top, "network", Said({"default": {"latency": "0.25ms"}}, "one way, of every hop between two services", True), 0)
        return
    network = top["network"] = CommentedMap()
    _add(network, "default", Said({"latency": measured.latency.value}, measured.latency.remark, measured.latency.to_be_supplied), 2)
    if measured.links:
        links = network["links"] = CommentedSeq()
        for one, other, said in measured.links:
            between = [draft.services[one].name, draft.services[other].name]
            links.append(_plain({"between": between, "latency": said.value}))
            links.yaml_add_eol_comment(_words(said), len(links) - 1, column=0)


def _shares(targets: Sequence[str]) -> dict[str, str]:
    """The same share for each, adding up to 100 %."""
    each = int(10_000 / len(targets)) / 100
    first = 100 - each * (len(targets) - 1)
    return {target: f"{each if index else first:.6g}%" for index, target in enumerate(targets)}


def _gateway(draft: Draft, gateway: Gateway) -> CommentedMap:
    body = CommentedMap()
    if gateway.replicas is not None:
        _add(body, "replicas", gateway.replicas, 2)
    _add(body, "workers", gateway.workers or Said(4, "processes of its event loop, usually one for each core", True), 2, gateway.remarks)
    _add(body, "work", Said("0.2ms", "the time that it takes itself for each request", True), 2)
    if gateway.authentication is not None:
        _add(body, "authentication", _asked(draft, gateway, gateway.authentication), 2)
    if gateway.rate_limits:
        body["rate_limits"] = _list(gateway.rate_limits)
    routes = body["routes"] = CommentedMap()
    for route in gateway.routes:
        fields = CommentedMap()
        fields["to"] = f"{draft.services[route.to].name}.{route.endpoint or ENDPOINT}"
        for field, said in route.fields.items():
            _add(fields, field, said, 6)
        _add_map(routes, route.name, fields, f"{route.remark} ({where(route.at)})", 4, route.remarks)
    return body


def _asked(draft: Draft, gateway: Gateway, said: Said) -> Said:
    """Authentication with the name of the service that it asks, where it asks one."""
    if gateway.introspects is None:
        return said
    target = f"{draft.services[gateway.introspects].name}.{ENDPOINT}"
    return Said({"oauth": {"introspect": target, **said.value["oauth"]}}, said.remark, said.to_be_supplied)


def _services(draft: Draft) -> CommentedMap:
    services = CommentedMap()
    used = {service.name for service in _in_order(draft)}
    starts = set(draft.starts)
    called = {name for service in draft.services.values() for name in callees(draft, service)} & used
    for service in _in_order(draft):
        asked = service.name in called or service.key in starts or not service.consumes
        _add_map(services, service.name, _service(draft, service, asked), f"{service.what} ({where(service.at)})", 2, [])
    return services


def _service(draft: Draft, service: Service, asked: bool) -> CommentedMap:
    body = CommentedMap()
    if service.replicas is not None:
        _add(body, "replicas", service.replicas, 4)
    workers = Said(GUESSED_WORKERS, f"threads of a replica; {GUESSED_WORKERS} is Tomcat's default", True)
    _add(body, "workers", service.workers or workers, 4, service.remarks)
    if service.cores is not None:
        _add(body, "cores", service.cores, 4)
    if service.load_balancing is not None:
        _add(body, "load_balancing", service.load_balancing, 4)
    steps = [Said({"work": "5ms"}, "the time that a request takes here", True)]
    steps += [Said({"call": f"{callee}.{ENDPOINT}"}, said.remark) for callee, said in service.calls.items()]
    if service.endpoints:
        endpoints = body["endpoints"] = CommentedMap()
        for name, recorded in service.endpoints.items():
            endpoints[name] = _steps(draft, recorded.steps)
            endpoints.yaml_add_eol_comment(_one_line(recorded.remark), name, column=0)
    elif asked and not service.recorded:
        body["endpoints"] = CommentedMap({ENDPOINT: _list(steps)})
    if service.consumes:
        consumes = body["consumes"] = CommentedMap()
        for topic, consumer in service.consumes.items():
            inner = CommentedMap()
            _add(inner, "group", consumer.group, 8)
            inner["do"] = _steps(draft, consumer.do) if consumer.do else _list(steps if not asked else steps[:1])
            consumes[topic] = inner
    return body


def _brokers(draft: Draft) -> CommentedMap:
    topics = CommentedMap()
    for name, topic in draft.topics.items():
        fields = {"partitions": topic.partitions.value} if topic.partitions is not None else {"partitions": 1}
        _add(topics, name, Said(fields, topic.remark, topic.partitions is None), 6)
    broker = CommentedMap({"kind": "log"})
    if draft.measured is not None and draft.measured.acks is not None:
        _add(broker, "replication", draft.measured.acks, 4)
    broker["topics"] = topics
    return CommentedMap({BROKER: broker})


def _steps(draft: Draft, steps: Sequence[Step]) -> CommentedSeq:
    """Steps of an endpoint, in a line each where they are short."""
    answer = CommentedSeq()
    for step in steps:
        if isinstance(step, AtOnce):
            branches = CommentedSeq([_branch(draft, branch) for branch in step.branches])
            answer.append(CommentedMap({"parallel": branches}))
            continue
        value, said = _written(draft, step)
        one = CommentedMap({key: _plain(item) for key, item in value.items()})
        if len(one) > 1:
            one.fa.set_flow_style()
            answer.append(one)
            if said:
                answer.yaml_add_eol_comment(said, len(answer) - 1, column=0)
        else:
            if said:
                one.yaml_add_eol_comment(said, next(iter(one)), column=0)
            answer.append(one)
    return answer


def _written(draft: Draft, step: Step) -> tuple[dict[str, Data], str]:
    """A step as its map, and the remark beside it."""
    if isinstance(step, CallOf):
        value: dict[str, Data] = {"call": f"{draft.services[step.to].name}.{step.endpoint}"}
        if step.policy:
            value["policy"] = step.policy
        if step.tolerated:
            value["fallback"] = []
        return value, _one_line(step.remark)
    assert isinstance(step, Plain)
    return step.said.value, _words(step.said)


def _branch(draft: Draft, branch: Sequence[Step]) -> Data:
    """A branch: the one step that it is, or a list of them."""
    made = [_flow(_written(draft, step)[0]) for step in branch]
    if len(made) == 1:
        return made[0]
    answer = CommentedSeq(made)
    answer.fa.set_flow_style()
    return answer


def _flow(value: dict[str, Data]) -> CommentedMap:
    answer = CommentedMap(value)
    answer.fa.set_flow_style()
    return answer


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


# ---- values with remarks


def _add(body: CommentedMap, key: str, said: Said, indent: int, above: Sequence[str] = ()) -> None:
    """A value with its remark."""
    _remark(body, key, _plain(said.value), _words(said), indent, above)


def _add_map(body: CommentedMap, key: str, value: CommentedMap, remark: str, indent: int, above: Sequence[str]) -> None:
    """A map of its own lines with a remark at its head."""
    _remark(body, key, value, _one_line(remark), indent, above)


def _remark(body: CommentedMap, key: str, value: Data, remark: str, indent: int, above: Sequence[str]) -> None:
    body[key] = value
    short = isinstance(value, (CommentedMap, CommentedSeq)) and not value.fa.flow_style()
    width = indent + len(key) + (0 if short else len(str(value))) + len(remark)
    lines = list(map(_one_line, above))
    if remark and width > _WIDE:
        lines.append(remark)
    elif remark:
        body.yaml_add_eol_comment(remark, key, column=0)
    if lines:
        body.yaml_set_comment_before_after_key(key, before="\n".join(lines), indent=indent)


def _list(items: Sequence[Said]) -> CommentedSeq:
    """A list of maps in one line each."""
    answer = CommentedSeq()
    for said in items:
        one = _plain(said.value)
        if len(said.value) > 1:
            answer.append(one)
            answer.yaml_add_eol_comment(_words(said), len(answer) - 1, column=0)
        else:
            one.fa.set_block_style()
            one.yaml_add_eol_comment(_words(said), next(iter(one)), column=0)
            answer.append(one)
    return answer


def _plain(value: Data) -> Data:
    """Maps as ruamel writes them: in one line where they are short, and lists of maps with a line for each."""
    if isinstance(value, (list, tuple)):
        items = CommentedSeq([_plain(item) for item in value])
        if not any(isinstance(item, dict) for item in value):
            items.fa.set_flow_style()
        return items
    if not isinstance(value, dict):
        return value
    answer = CommentedMap({key: _plain(item) for key, item in value.items()})
    if len(value) <= _FEW and not _is_tall(value):
        answer.fa.set_flow_style()
    return answer


def _is_tall(value: Data) -> bool:
    """Whether a list of maps is in it."""
    if isinstance(value, dict):
        return any(map(_is_tall, value.values()))
    return isinstance(value, (list, tuple)) and any(isinstance(item, dict) for item in value)


def _words(said: Said) -> str:
    remark = f"{TO_BE_SUPPLIED}: {said.remark}" if said.to_be_supplied else said.remark
    return _one_line(remark)


def _one_line(text: str) -> str:
    return " ".join(printable(text, one_line=True).split())


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
