"""Every step of a scenario, also those inside of other steps, with its place and its service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sim.spec.base import Spec, word_of
from sim.spec.document import Data, Location
from sim.spec.scenario import Scenario
from sim.spec.step import Step
from sim.spec.view import ViewKey, ViewWrite


class Visit(NamedTuple):
    """A step, where it stands, and what it belongs to: `orders.create`, or `inventory < order-events` for a
    consumer.
    """

    at: Location
    step: Step
    service: str
    owner: str


def visits(scenario: Scenario) -> Iterator[Visit]:
    """All steps of all endpoints and consumers, outer before inner, in the order of the document."""
    for service, spec in scenario.services.items():
        for name, endpoint in spec.endpoints.items():
            yield from _inside(
                ("services", service, "endpoints", name, "do"), endpoint.do, service, f"{service}.{name}"
            )
        for topic, consume in spec.consumes.items():
            yield from _inside(
                ("services", service, "consumes", topic, "do"), consume.do, service, consumer_of(service, topic)
            )


def every_step(steps: Iterable[Step]) -> Iterator[Step]:
    """These steps and those inside of them, outer before inner."""
    return (visit.step for visit in _inside((), tuple(steps), "", ""))


def view_keys(scenario: Scenario) -> dict[str, ViewKey]:
    """The views that something is written for, and whose write it is, as the first of them says."""
    found: dict[str, ViewKey] = {}
    for visit in visits(scenario):
        if isinstance(visit.step, ViewWrite):
            found.setdefault(visit.step.name, visit.step.key)
    return found


def consumer_of(service: str, topic: str) -> str:
    """The name of a consumer in messages."""
    return f"{service} < {topic}"


def _inside(at: Location, value: Data, service: str, owner: str) -> Iterator[Visit]:
    """Steps in a step, a list of them, a list of lists, or a part of a step: plug-ins may hold steps in fields of any
    name.
    """
    if isinstance(value, Step):
        yield Visit(at, value, service, owner)
        for name, field in type(value).model_fields.items():
            key = word_of(value) if name == value.positional else field.alias or name
            yield from _inside((*at, key), getattr(value, name), service, owner)
    elif isinstance(value, Spec):
        for name, field in type(value).model_fields.items():
            yield from _inside((*at, field.alias or name), getattr(value, name), service, owner)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _inside((*at, index), item, service, owner)


_PLAIN = {float, int, str}  # of which a recording has thousands


def every_spec(value: Data) -> Iterator[Spec]:
    """This spec and all that stand in its fields, in tuples and in maps, outer before inner."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, tuple):
            waiting += () if _PLAIN.issuperset(map(type, value)) else reversed(value)
        elif isinstance(value, Spec):
            yield value
            waiting += [getattr(value, name) for name in reversed(type(value).model_fields)]
        elif isinstance(value, Mapping):
            waiting += reversed([*value.values()])


def what_only_simpy_runs(scenario: Scenario) -> Iterator[str]:
    """The words of this scenario that the compiled engine does not know: specs say so themselves (`simpy_only`)."""
    for spec in every_spec(scenario):
        if spec.simpy_only is True:
            yield word_of(spec)
        elif spec.simpy_only:
            for name in spec.simpy_only:
                field = type(spec).model_fields[name]
                if getattr(spec, name) != field.get_default(call_default_factory=True):
                    yield field.alias or name
