"""What a message costs on the compiled engine through a queue and through a log: `python -m tests.bench.brokers [simulated seconds] [rounds]`.

The same orders, published to one queue or to a topic of four partitions and handled by four consumers; the publisher waits for a confirm (`confirm: each`,
`acks: 1`), or for nothing (`none`, `acks: 0`). The loop alone is timed, in turns: CPU time of an order in microseconds, and that of a log against it.
"""

from __future__ import annotations

import sys
from typing import Any

from sim import compiled
from sim.spec import load_document
from sim.spec.scenario import Scenario
from tests.bench.measuring import loop, race

HEARD = ("heard", "unheard")
"""Whether the publisher waits until the broker has it."""


def system(kind: str, heard: str, seconds: float) -> Scenario:
    """Orders through a `queue` or a `log`."""
    publish: dict[str, Any] = {"publish": "orders", "policy": {"timeout": "1s"}}
    consume: dict[str, Any] = {"do": [{"work": {"exponential": "10ms"}}, {"effect": "paid"}]}
    if kind == "queue":
        broker: dict[str, Any] = {"kind": "queue", "queues": {"orders": {}}}
        publish["confirm"] = "each" if heard == "heard" else "none"
        consume["prefetch"] = 10
    else:
        acks = "1" if heard == "heard" else "0"
        broker = {"kind": "log", "acks": acks, "topics": {"orders": {"partitions": 4}}}
        consume |= {"group": "payments", "max_poll_records": 10}
    document = {
        "version": 1,
        "duration": f"{seconds:g}s",
        "traffic": {
            "clients": {"sends": "shop.buy", "arrivals": {"poisson": "300/s"}, "completes_with": ["paid"]},
        },
        "services": {
            "shop": {"workers": "unlimited", "endpoints": {"buy": [publish]}},
            "payments": {"workers": 4, "replicas": 4, "consumes": {"orders": consume}},
        },
        "brokers": {"broker": broker},
        "network": {"default": {"latency": "500us"}},
    }
    return next(iter(load_document(document).variants.values()))


def compare(heard: str, seconds: float, count: int) -> dict[str, float]:
    """Print a line for each round; the medians."""
    log, queue = (system(kind, heard, seconds) for kind in ("log", "queue"))
    return race({"log": lambda: loop(log), "queue": lambda: loop(queue)}, count)


def main() -> None:
    """Print it all."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1000.0
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    compiled.prepare()
    for heard in HEARD:
        print(f"publishers that are {heard}:", flush=True)
        compare(heard, seconds, count)


if __name__ == "__main__":
    main()
