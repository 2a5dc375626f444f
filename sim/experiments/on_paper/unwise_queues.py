"""The warnings of `sim check` about queues with classes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sim.experiments.on_paper.calls import View
from sim.experiments.on_paper.offered_load import Finding
from sim.spec.base import UNLIMITED
from sim.spec.queueing import Queue
from sim.spec.service import Service
from sim.units import show_share


def starving_classes(view: View) -> Iterator[Finding]:
    """Classes that are not served any more at the peak, because those before them and they themselves take all workers.

    Of services whose classes are endpoints: what other classes bring is not known on paper.
    """
    for name, service in view.scenario.services.items():
        queue = service.queue
        if queue.discipline != "priority" or queue.key != "endpoint" or service.workers == UNLIMITED:
            continue
        so_far = 0.0
        for number, names in _classes(queue, service).items():
            before, so_far = so_far, so_far + math.fsum(_load(view, name, service, endpoint) for endpoint in names)
            if so_far > 1.0:
                why = "who is in it waits without end while that lasts, unless a queue timeout or a capacity ends it"
                taken = f"{show_share(before)} of the workers before it" if before else "nobody before it"
                finding = (
                    f"class {number} ({', '.join(names)}) is asked for {show_share(so_far - before)} at the "
                    f"peak, with {taken}"
                )
                yield Finding(f"services.{name}.queue", finding, why)
                break


def _classes(queue: Queue, service: Service) -> dict[int, list[str]]:
    last = max(queue.classes.values(), default=0) + 1
    found: dict[int, list[str]] = {}
    for endpoint in service.endpoints:
        found.setdefault(queue.classes.get(endpoint, last), []).append(endpoint)
    return dict(sorted(found.items()))


def _load(view: View, name: str, service: Service, endpoint: str) -> float:
    """The share of all workers that an endpoint takes at the peak."""
    place = f"{name}.{endpoint}"
    profile = view.flow.endpoints[place]
    rate = view.analysis.rates_peak.endpoints.get(place, 0.0)
    held = profile.hold if service.concurrency == "threads" else profile.work
    return rate * held / (service.replicas * service.workers) if rate > 0.0 else 0.0
