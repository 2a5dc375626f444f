"""Nodes and what replicas ask them for: Karpenter's NodePools, node groups of the Cluster API, VerticalPodAutoscalers.

Karpenter (karpenter.sh/v1): `limits.cpu` over the cores of a node is the most nodes; how many cores a node has is said
by a requirement `karpenter.k8s.aws/instance-cpu`, the largest of its values; `consolidateAfter` is how long a node is
unneeded. The cluster autoscaler's provider for the Cluster API reads its bounds from annotations of MachineDeployments
and MachineSets (cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size,
capacity.cluster-autoscaler.kubernetes.io/cpu).
Which pods stand on which pool no manifest says: where there is one, all do.

Defaults of a VerticalPodAutoscaler: updateMode Auto, which is Recreate; minReplicas 2, as the updater has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from sim.importing.capacity import cpus_of
from sim.importing.draft import Draft, Said, Service, where
from sim.importing.objects import Object
from sim.importing.parts import Part
from sim.spec.cpu import LEAST_QUOTA
from sim.spec.document import Data

MOST_NODES = 1000
_CORES, _START = 8, "60s"  # stand-ins
_GROUP = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-"
_CAPACITY = "capacity.cluster-autoscaler.kubernetes.io/cpu"
_INSTANCE_CPU = "karpenter.k8s.aws/instance-cpu"
_MODES = {
    "Auto": "recreate",
    "Recreate": "recreate",
    "InPlaceOrRecreate": "in_place_or_recreate",
    "InPlace": "in_place_or_recreate",
    "Initial": "initial",
    "Off": "recommend",
}


def vertical(thing: Object, draft: Draft) -> None:
    """A VerticalPodAutoscaler, of a workload with a limit."""
    name, what = thing.spec["targetRef"]["name"], f"VerticalPodAutoscaler {thing.name}"
    service = draft.services.get((thing.namespace, name.text())) or draft.find(name.text(), thing.namespace)
    if service is None:
        found = f"found the target '{name.text()[:80]}', expected a workload of these files"
        thing.part.leave_out(what, found)
        return
    if service.cpu is None:
        thing.part.leave_out(what, "its workload has no limits.cpu: what is asked for alone changes no time")
        return
    if service.autoscaling is not None and any("cpu" in metric for metric in service.autoscaling.value["metrics"]):
        thing.part.leave_out(what, "stands beside an autoscaler by cpu, which Kubernetes says not to do")
        return
    update = thing.spec["updatePolicy"]
    mode = _MODES.get(update["updateMode"].text() or "Auto")
    if mode is None:
        update["updateMode"].wrong(f"one of {', '.join(_MODES)}")
        return
    fields: dict[str, Data] = {} if mode == "recreate" else {"mode": mode}
    if (least := update["minReplicas"].whole(0, 100_000)) is not None:
        fields["min_replicas"] = least
    for policy in thing.spec["resourcePolicy"]["containerPolicies"].items():
        fields |= _bounds(policy)
    service.vertical_scaling = Said(fields, f"{what} ({where(thing.at)})")
    ask(service)
    draft.take(thing.at, "autoscaler")


def _bounds(policy: Part) -> dict[str, Data]:
    found: dict[str, Data] = {}
    if policy["controlledValues"].text() == "RequestsOnly":
        policy["controlledValues"].leave_out("controlledValues: RequestsOnly", "limits follow requests here")
    for theirs, ours in (("minAllowed", "min_allowed"), ("maxAllowed", "max_allowed")):
        part = policy[theirs]["cpu"]
        cores = cpus_of(part.text()) if part else None
        if part and not cores:
            part.wrong("a quantity such as 500m or 2")
        elif cores:
            found[ours] = f"{max(cores, LEAST_QUOTA / 0.1) * 1000:g}m"
    if len(found) == 2 and cpus_of(str(found["min_allowed"])) > cpus_of(str(found["max_allowed"])):  # type: ignore[operator]
        policy.wrong("a minAllowed that is not above maxAllowed")
        return {}
    return found


def ask(service: Service) -> None:
    """Its request stands beside its limit, where both are said and differ."""
    limit = cpus_of(str(service.cpu.value)) if service.cpu is not None else None
    if service.cpu is not None and limit and 0 < service.requested < limit:
        request = f"{max(service.requested * 1000, 1):g}m"
        service.cpu = Said({"limit": service.cpu.value, "request": request}, f"{service.cpu.remark}, requests.cpu")


def _karpenter(thing: Object) -> dict[str, Data] | None:
    if "karpenter.sh" not in thing.api:
        return None
    fields: dict[str, Data] = {"cores": _CORES, "max": MOST_NODES, "start": _START, "min": 0}
    for requirement in thing.spec["template"]["spec"]["requirements"].items():
        if requirement["key"].text() == _INSTANCE_CPU and requirement["operator"].text() == "In":
            values = [item.text() for item in requirement["values"].items()]
            sizes = [int(value) for value in values if value.isdecimal() and 0 < int(value[:6]) <= 10**4]
            fields["cores"] = max(sizes, default=_CORES)
    limit = thing.spec["limits"]["cpu"]
    if limit and (cores := cpus_of(limit.text())):
        fields["max"] = max(1, min(MOST_NODES, int(cores // float(str(fields["cores"])))))
    disruption = thing.spec["disruption"]
    if (after := disruption["consolidateAfter"].text()) and after[:-1].isdecimal() and after[-1] in "smh":
        fields["scale_down_unneeded_time"] = after[:12]
    if disruption["consolidationPolicy"].text() == "WhenEmpty":
        fields["scale_down_utilization_threshold"] = "0%"
    return fields


def _node_group(thing: Object) -> dict[str, Data] | None:
    least = thing.annotations[f"{_GROUP}min-size"].whole(0, MOST_NODES)
    most = thing.annotations[f"{_GROUP}max-size"].whole(1, MOST_NODES)
    if most is None:
        return None
    cores = cpus_of(thing.annotations[_CAPACITY].text() or "")
    fields: dict[str, Data] = {"cores": max(1, int(cores)) if cores and cores < 10**4 else _CORES}
    return {**fields, "min": min(least or 0, most), "max": most, "start": _START}


_POOLS: Mapping[str, Callable[[Object], dict[str, Data] | None]] = {
    "NodePool": _karpenter,
    "MachineDeployment": _node_group,
    "MachineSet": _node_group,
}
KINDS = (*_POOLS, "VerticalPodAutoscaler")


def read(things: Sequence[Object], draft: Draft) -> None:
    """All of them, when the workloads and their autoscalers are read."""
    for thing in things:
        if thing.kind == "VerticalPodAutoscaler":
            vertical(thing, draft)
    pools = [(thing, fields) for thing in things if thing.kind in _POOLS and (fields := _POOLS[thing.kind](thing))]
    for thing in things:
        if thing.kind in _POOLS and all(thing is not pool for pool, _ in pools):
            thing.part.leave_out(f"{thing.kind} {thing.name}", "has no bounds that the cluster autoscaler reads")
    if len(pools) == 1:
        _stand_on(*pools[0], draft)
    else:
        for thing, _ in pools:
            why = "stands beside others, and which pods stand on which no file says; write `node_pools`"
            thing.part.leave_out(f"{thing.kind} {thing.name}", why)


def _stand_on(thing: Object, fields: dict[str, Data], draft: Draft) -> None:
    what, cores = f"{thing.kind} {thing.name}", int(str(fields["cores"]))
    asked = sorted(
        (size for service in draft.services.values() for size in [_asks(service)] * _replicas(service)), reverse=True
    )
    if asked and asked[0] > cores:
        thing.part.leave_out(what, f"a replica asks for {asked[0]:g} cores, and its nodes have {cores}")
        return
    needed = _nodes_for(asked, cores)
    if needed > MOST_NODES:
        thing.part.leave_out(what, f"the replicas need {needed:,} nodes of {cores} cores")
        return
    remark = f"{what} ({where(thing.at)}); how long a node takes to start, and its cores where they are not said"
    if needed > int(str(fields["max"])):
        fields["max"], remark = needed, f"{remark}; as many as the replicas need, where it allows {fields['max']}"
    name = thing.name or "nodes"
    draft.node_pools[name] = Said(fields, remark, True)
    for service in draft.services.values():
        ask(service)
        service.node_pool = Said(name, "the only one of these files")
    draft.take(thing.at, thing.kind)


def _asks(service: Service) -> float:
    limit = service.cpu or service.cores
    cores = 0.0
    if limit is not None:
        value = limit.value["limit"] if isinstance(limit.value, dict) else limit.value
        cores = cpus_of(str(value)) or 0.0
    return min(service.requested, cores) if service.requested and service.cpu is not None else cores


def _replicas(service: Service) -> int:
    return min(int(str(service.replicas.value)), 100_000) if service.replicas is not None else 1


def _nodes_for(asked: Sequence[float], cores: int) -> int:
    """First fit, and at most 110 pods to a node, as the kubelet has it."""
    left: list[tuple[int, int]] = []
    for size in asked:
        milli = math.ceil(size * 1000 - 1e-6)
        place = next((index for index, room in enumerate(left) if room[0] >= milli and room[1] > 0), len(left))
        if place == len(left):
            if place >= MOST_NODES:
                return MOST_NODES + 1
            left.append((cores * 1000, 110))
        left[place] = (left[place][0] - milli, left[place][1] - 1)
    return len(left)
