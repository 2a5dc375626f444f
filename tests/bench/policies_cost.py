"""What each layer of a policy costs a call on the compiled engine: `python -m tests.bench.policies_cost [simulated seconds] [rounds]`.

One service calls another, which answers at once; no layer refuses anybody. The loop alone is timed, without and with each layer, in turns. For each
stands the CPU time of a request in microseconds, and how much more that is than without.
"""

from __future__ import annotations

import sys
from typing import Any

from sim import compiled
from sim.spec import load_document
from sim.spec.scenario import Scenario
from tests.bench.measuring import Contestant, loop, medians, table

LAYERS: dict[str, dict[str, Any]] = {
    "none": {},
    "timeout": {"timeout": "1s"},
    "timeout of all": {"total_timeout": "1s"},
    "retry": {"retry": {"max_attempts": 3}},
    "retry with a budget": {"retry": {"max_attempts": 3, "budget": {"ratio": 0.2}}},
    "hedge after a time": {"hedge": {"after": "10ms"}},
    "hedge after p95": {"hedge": {"after": "p95"}},
    "bulkhead": {"bulkhead": {"max_concurrent_calls": 1000}},
    "bulkhead by Vegas": {"bulkhead": {"vegas": {"initial_limit": 1000}}},
    "bulkhead by AIMD": {"bulkhead": {"aimd": {"initial_limit": 200}}},
    "bulkhead by Gradient2": {"bulkhead": {"gradient2": {"initial_limit": 200}}},
    "breaker by failures": {"circuit_breaker": {"failures": 5}},
    "breaker in a row": {"circuit_breaker": {"consecutive": 5}},
    "breaker of resilience4j": {"circuit_breaker": {"resilience4j": {}}},
    "breaker of gobreaker": {"circuit_breaker": {"gobreaker": {}}},
    "breaker of Polly": {"circuit_breaker": {"polly": {}}},
    "breaker of opossum": {"circuit_breaker": {"opossum": {}}},
    "breaker of Hystrix": {"circuit_breaker": {"hystrix": {}}},
    "rate limit": {"rate_limit": {"rate": "100000/s", "burst": 1000}},
    "throttle of gRPC": {"retry": {"budget": {"grpc": {"max_tokens": 10, "token_ratio": 0.1}}}},
    "quota of the AWS SDK": {"retry": {"budget": {"aws": {}}}},
    "retries of Envoy": {"retry": {"budget": {"envoy": {}}}},
    "adaptive mode of the AWS SDK": {"rate_limit": {"preset": "aws_adaptive"}},
    "pool": {"pool": {"size": 1000}},
    "deadline": {"timeout": "1s", "deadline": "propagate"},
}


def system(policy: dict[str, Any], seconds: float) -> Scenario:
    """Two services, and this policy between them."""
    document = {
        "version": 1,
        "duration": f"{seconds:g}s",
        "traffic": {"clients": {"sends": "a.ask", "arrivals": {"poisson": "1000/s"}}},
        "services": {
            "a": {"workers": "unlimited", "endpoints": {"ask": [{"call": "b.tell", "policy": policy}]}},
            "b": {"workers": "unlimited", "endpoints": {"tell": [{"wait": "1ms"}]}},
        },
    }
    return next(iter(load_document(document).variants.values()))


def main() -> None:
    """Print it all."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 100.0
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    compiled.prepare()
    scenarios = {name: system(policy, seconds) for name, policy in LAYERS.items()}

    def contestant(scenario: Scenario) -> Contestant:
        return lambda: loop(scenario)

    contestants = {name: contestant(scenario) for name, scenario in scenarios.items()}
    found = medians(contestants, count)
    table(["layer", "us", "more"], [(name, found[name], found[name] - found["none"]) for name in found])


if __name__ == "__main__":
    main()
