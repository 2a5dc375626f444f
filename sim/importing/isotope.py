"""isotope's service graphs (istio/tools): services that call one another by a script, as its README has it.

A script is a list of commands, one after the other; a list within it is of commands at once. `sleep` is time that
passes, `call` names a service, with a `probability` in percent perhaps; `errorRate` is the share of requests that
are answered with 500. `defaults` hold where a service says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sim.importing.draft import AtOnce, CallOf, Draft, Entry, Plain, Recorded, Said, Service, Step, where
from sim.importing.durations import written
from sim.importing.parts import Part
from sim.importing.reading import Document
from sim.spec.document import Data, Place

SOMETIMES = "a call that is made now and then is not modelled; one of 50 % and more is made always, another never"


def recognises(value: Data) -> bool:
    """A list of services with scripts or an entry point."""
    services = value.get("services") if isinstance(value, dict) else None
    if not isinstance(services, list) or "_format_version" in (value if isinstance(value, dict) else {}):
        return False
    return any(isinstance(item, dict) and {"script", "isEntrypoint", "numReplicas"} & item.keys() for item in services)


def read(documents: Sequence[Document], draft: Draft) -> None:
    """All services of all files."""
    for document in documents:
        top = Part(document.value, Place(document.file, document.line), "file", draft.notes)
        defaults = top["defaults"]
        found = [
            (part, service)
            for part in top["services"].items()
            if (service := _service(part, defaults, draft)) is not None
        ]
        graph = Graph(draft)
        for part, service in found:
            steps = tuple(graph.steps(part["script"] or defaults["script"], service.key[1]))
            work = Plain(Said({"work": "0.5ms"}, "the time that answering takes itself", True))
            service.endpoints["handle"] = Recorded(
                (work, *steps, *_fails(part["errorRate"] or defaults["errorRate"])), "its script"
            )
            if part["isEntrypoint"].is_true(default=False):
                draft.entries.append(Entry(service.key, "is the entry point", part["isEntrypoint"].at))


def _service(part: Part, defaults: Part, draft: Draft) -> Service | None:
    name = part["name"].text()
    if not name:
        part.wrong("a service with a name")
        return None
    service = Service(("", name), f"service {name}", part.at, recorded=True)
    if draft.add_service(service) is not service:
        return None
    count = part["numReplicas"] or defaults["numReplicas"]
    replicas = count.whole(1, 100_000) if count else None
    if replicas is not None:
        service.replicas = Said(replicas, where(count.at))
    return service


class Graph:
    """Who calls whom so far: a call that would close a circle would never end, and is left out."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._calls: dict[str, list[str]] = {}

    def steps(self, script: Part, caller: str) -> Iterator[Step]:
        """The steps of a script."""
        for command in script.items():
            if isinstance(command.value, list):
                branches = [(step,) for inner in command.items() if (step := self._step(inner, caller)) is not None]
                if len(branches) > 1:
                    yield AtOnce(tuple(branches))
                else:
                    yield from (step for branch in branches for step in branch)
            elif (step := self._step(command, caller)) is not None:
                yield step

    def _step(self, command: Part, caller: str) -> Step | None:
        if command["sleep"]:
            part = command["sleep"]
            time = written(part["data"]["time"] if isinstance(part.value, dict) else part)
            return Plain(Said({"wait": time}, f"sleep ({where(part.at)})")) if time else None
        call = command["call"]
        name = call["service"].text() if isinstance(call.value, dict) else call.text()
        if isinstance(call.value, dict) and (chance := call["probability"].number()) is not None and chance < 100:
            call.leave_out(f"probability {chance:g} of a call of {name[:60]}", SOMETIMES)
            if chance < 50:
                return None
        return self._call(call, caller, name)

    def _call(self, call: Part, caller: str, name: str) -> Step | None:
        key = ("", name)
        if not call:
            return None
        callee = self._draft.services.get(key)
        if callee is None or not callee.recorded:
            call.leave_out(f"call of {name[:60] or 'nobody'}", "is no service of this file")
            return None
        if self._reaches(name, caller):
            call.leave_out(f"call of {name[:60]} by {caller[:60]}", "would close a circle")
            return None
        self._calls.setdefault(caller, []).append(name)
        self._draft.take(call.at, "call")
        return CallOf(key, "handle", remark=where(call.at))

    def _reaches(self, one: str, other: str) -> bool:
        seen, waiting = {one}, [one]
        for name in waiting:  # grows as it is walked
            if name == other:
                return True
            new = [callee for callee in self._calls.get(name, ()) if callee not in seen]
            seen.update(new)
            waiting += new
        return False


def _fails(rate: Part) -> Iterator[Step]:
    text = rate.text().removesuffix("%") if rate else ""
    try:
        share = float(text) / (100 if rate.text().endswith("%") else 1)
    except ValueError:
        return
    if 0 < share <= 1:
        yield Plain(Said({"fail": f"{100 * share:.6g}%"}, f"errorRate ({where(rate.at)})"))
