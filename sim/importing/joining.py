"""One system out of what several files say: who calls whom, where requests come in, and what stands behind the routes
of the gateway.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from sim.importing.capacity import cpus_of
from sim.importing.draft import Address, Draft, Entry, Gateway, Key, Route, Said, Service, callees, where
from sim.importing.images import KAFKA, KONG, LOADS, STORES, WHY_NOT, owners_of
from sim.importing.names import legal, name_services
from sim.spec.document import Place

MOST_ROUTES = 2000


def join(draft: Draft) -> None:
    """Let every reference find what it means; what it does not find is told."""
    _found_gateway(draft)
    clients = _set_apart(draft)
    _routes(draft)
    name_services(draft)
    brokers = {service.key for service in draft.services.values() if service.role == KAFKA}
    for service in draft.services.values():
        if service.key not in brokers:
            _calls(draft, service)
    _owned(draft)
    for key in brokers:
        _broker(draft, draft.services.pop(key))
    _entries(draft, clients)
    _recorded_routes(draft)
    _open_loops(draft)
    _unreached(draft)
    for service in draft.services.values():
        if service.described:
            draft.take(service.at, service.what.split(" ")[0])


def _found_gateway(draft: Draft) -> None:
    """The workload that runs the gateway whose routes another file describes is the gateway, and no service."""
    gateway = draft.gateway
    its = [service for service in draft.services.values() if service.role == KONG]
    if gateway is None or gateway.what != "Kong" or not its:
        return
    for service in its:
        del draft.services[service.key]
    first = its[0]
    gateway.replicas = first.replicas
    if first.cpu is not None:
        cores = max(1, math.ceil(cpus_of(str(first.cpu.value)) or 1.0))
        gateway.workers = Said(cores, f"one for each core: {first.cpu.remark}")
    gateway.remarks += [f"runs as {first.what} ({where(first.at)})", *first.remarks]
    draft.entries = [entry for entry in draft.entries if entry.key != first.key]


def _set_apart(draft: Draft) -> list[Service]:
    """Take out what is no service; the load generators are returned."""
    apart = [service for service in draft.services.values() if service.role in WHY_NOT]
    if len(apart) == len(draft.services) and draft.gateway is None:
        return []  # a file of nothing else means what it says
    if draft.gateway is not None:
        _routes_apart(draft, draft.gateway, apart)
    for service in apart:
        del draft.services[service.key]
        draft.notes.leave_out(service.at, f"{service.what} ({service.role})", WHY_NOT[service.role])
    return [service for service in apart if service.role == LOADS]


def _routes_apart(draft: Draft, gateway: Gateway, apart: list[Service]) -> None:
    """Routes to what is no service go with it."""
    for route in list(gateway.routes):
        service = draft.find(route.host, route.namespace)
        if service in apart:
            gateway.routes.remove(route)
            draft.notes.leave_out(
                route.at,
                f"route {route.name}",
                f"leads to what is no service ({service.role})" if service is not None else "",
            )


def _routes(draft: Draft) -> None:
    """Routes to a service that no file describes make one, of which all has to be supplied."""
    gateway = draft.gateway
    if gateway is None:
        return
    kept: list[Route] = []
    taken: set[str] = set()
    for route in gateway.routes[:MOST_ROUTES]:
        service = draft.find(route.host, route.namespace)
        if service is None:
            service = Service(
                (route.namespace, route.host), f"what {gateway.what} calls {route.host}", route.at, described=False
            )
            service.remarks.append(f"no file describes it; {gateway.what} leads to it ({where(route.at)})")
            draft.services[service.key] = service
            draft.alias(route.host, service.key)
        route.to = service.key
        route.name = legal(route.name, taken)
        taken.add(route.name)
        kept.append(route)
    if len(kept) < len(gateway.routes):
        draft.notes.leave_out(gateway.at, f"{len(gateway.routes) - len(kept)} routes", f"more than {MOST_ROUTES}")
    gateway.routes = kept
    if not kept:
        draft.notes.leave_out(gateway.at, gateway.what, "has no route that leads to a service")
        draft.gateway = None
    _both_limits(gateway, draft)
    used = {route.fields["policy"].value for route in kept if "policy" in route.fields}
    draft.policies = {name: policy for name, policy in draft.policies.items() if name in used}


def _both_limits(gateway: Gateway, draft: Draft) -> None:
    """A limit of a route stands in the place of one of the same plugin for all, and beside one of another."""
    for route in gateway.routes:
        if not route.limited_by or gateway.limited_by <= route.limited_by:
            continue
        route.fields["gateway_limits"] = Said("kept", "of another kind, they hold beside its own")
        if gateway.limited_by & route.limited_by:
            what = f"limits of route {route.name}"
            draft.notes.leave_out(
                route.at, what, "would replace some of those for all, and here all of them hold beside"
            )


def _calls(draft: Draft, service: Service) -> None:
    """The addresses of others that a service was told of are taken for calls; the surest way in which each is known
    comes first.
    """
    for address in service.addresses:
        other = draft.find(address.host, service.key[0])
        if other is None or other is service:
            continue
        if other.role == KAFKA:
            remark = (
                f"talks to the broker {other.key[1]} ({address.how}, {where(address.at)}): what it publishes or "
                "consumes has to be supplied"
            )
            if not service.consumes and not any(known.startswith("talks to the broker") for known in service.remarks):
                service.remarks.append(remark)
        elif other.recorded:
            draft.notes.leave_out(
                address.at,
                f"call of {other.name} by {service.name}",
                "no trace has it, and the traces tell who calls it",
            )
        elif other.name not in service.calls:
            service.calls[other.name] = Said(other.name, f"{address.how} ({where(address.at)})")
            draft.take(address.at, "call")


def _owned(draft: Draft) -> None:
    """A database that nobody was told of belongs to the service after which it is called."""
    called = {name for service in draft.services.values() for name in service.calls}
    by_name = {service.key: service for service in draft.services.values()}
    for store in list(draft.services.values()):
        if store.role != STORES or store.name in called:
            continue
        owner = next(
            (by_name[key] for name in owners_of(store.key[1]) if (key := (store.key[0], name)) in by_name), None
        )
        if owner is not None and owner.recorded:
            draft.notes.leave_out(
                store.at,
                store.what,
                f"seems to be the database of {owner.name}, whose time in the traces it is part of",
            )
            del draft.services[store.key]
        elif owner is not None and owner is not store:
            owner.calls[store.name] = Said(store.name, f"guessed from the name of the database ({where(store.at)})")
            draft.take(store.at, "call")


def _broker(draft: Draft, service: Service) -> None:
    why = "is a broker: its topics, who publishes and who consumes are not in the files"
    draft.notes.leave_out(service.at, service.what, why if not draft.topics else "is the broker")


def _entries(draft: Draft, clients: list[Service]) -> None:
    """Where clients send their requests: what load generators aim at, or else what is published, and not a database or
    somebody's callee.
    """
    draft.clients = clients
    if draft.gateway is not None:
        draft.entries = []
        return
    if draft.measured is not None and draft.measured.sends:
        keys = dict.fromkeys(key for key, _ in draft.measured.sends)
        draft.entries = [Entry(key, "requests began here when they were recorded", draft.measured.at) for key in keys]
        return
    called = {name for service in draft.services.values() for name in service.calls}
    aimed = [
        Entry(service.key, f"{client.what} sends to it", address.at)
        for client in clients
        for service, address in _aims(draft, client)
    ]
    aimed = [entry for entry in aimed if draft.services[entry.key].name not in called] or aimed
    published = [entry for entry in draft.entries if entry.key in draft.services]
    free = [
        entry
        for entry in published
        if draft.services[entry.key].name not in called and draft.services[entry.key].role != STORES
    ]
    first: dict[Key, Entry] = {}
    for entry in aimed or free or published or _guessed(draft, called):
        first.setdefault(entry.key, entry)
    draft.entries = list(first.values())


def _recorded_routes(draft: Draft) -> None:
    """A route to a service that the traces tell of leads to the endpoints at which its requests came in: a route for
    each of them.
    """
    gateway, measured = draft.gateway, draft.measured
    if gateway is None or measured is None:
        return
    routes: list[Route] = []
    names = {route.name for route in gateway.routes}
    opened: set[Key] = set()
    for route in gateway.routes:
        service = draft.services[route.to]
        if not service.recorded or not service.endpoints:
            routes.append(route)
            continue
        if route.to in opened:
            draft.notes.leave_out(
                route.at, f"route {route.name}", f"the traces do not say which requests of {service.name} came by it"
            )
            continue
        opened.add(route.to)
        asked = [endpoint for key, endpoint in measured.sends if key == route.to] or list(service.endpoints)[:1]
        for endpoint in asked:
            name = route.name if len(asked) == 1 else legal(f"{route.name} {endpoint}", names)
            names.add(name)
            routes.append(
                replace(route, name=name, endpoint=endpoint, fields=dict(route.fields), remarks=list(route.remarks))
            )
    gateway.routes = routes


def _aims(draft: Draft, client: Service) -> Iterator[tuple[Service, Address]]:
    for address in client.addresses:
        service = draft.find(address.host, client.key[0])
        if service is not None:
            yield service, address


def _guessed(draft: Draft, called: set[str]) -> list[Entry]:
    """No file says where requests come in: who calls others and is called by nobody, or else whoever is called by
    nobody.
    """
    services = list(draft.services.values())
    callers = [service for service in services if service.calls and service.name not in called]
    others = [service for service in services if service.name not in called and service.role != STORES]
    first = (callers or others or services)[:1]
    return [
        Entry(service.key, "no file says where requests come in, and nobody is known to call it", Place())
        for service in first
    ]


def _open_loops(draft: Draft) -> None:
    """Calls in a circle would never end: of each circle the call that closes it, as seen from the entries, is
    left out.
    """
    by_name = {service.name: service for service in draft.services.values()}
    starts = [draft.services[key].name for key in draft.starts]
    done: set[str] = set()
    for start in [*starts, *by_name]:
        if start in done:
            continue
        path, stack = {start: True}, [(start, iter(list(by_name[start].calls)))]
        while stack:
            name, rest = stack[-1]
            callee = next(rest, None)
            if callee is None:
                stack.pop()
                del path[name]
                done.add(name)
            elif callee in path:
                said = by_name[name].calls.pop(callee)
                draft.notes.leave_out(
                    by_name[name].at, f"call of {callee} by {name}", f"would close a circle; {said.remark}"
                )
            elif callee in by_name and callee not in done:
                path[callee] = True
                stack.append((callee, iter(list(by_name[callee].calls))))


def _unreached(draft: Draft) -> None:
    """Services that no request comes to by the calls that are known."""
    reached = {draft.services[key].name for key in draft.starts}
    by_name = {service.name: service for service in draft.services.values()}
    queue = list(reached)
    for name in queue:  # grows as it is walked
        new = [callee for callee in callees(draft, by_name[name]) if callee not in reached]
        reached.update(new)
        queue += new
    draft.unreached = [
        service.name for service in draft.services.values() if service.name not in reached and not service.consumes
    ]
