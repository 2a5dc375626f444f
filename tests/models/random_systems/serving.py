"""What happens at the callee: faults of only some replicas, and balancers that know more than their name."""

from __future__ import annotations

from typing import Any, get_args

from sim.spec.gateway import GrpcCode
from tests.models.random_systems.luck import Luck

HOSTS, PLANS = {"eu.shop.example": 0.4, "shop.example": 0.6}, {"Pro": 0.3, "basic": 0.7}
TIERS = {"gold": 0.2, "free": 0.7, "None": 0.1}  # who has none is written as who has this one
BEGINS = ("0s", "2s", "3.337s", "5s", "5s", "11s")


def some_replicas(document: dict[str, Any], luck: Luck) -> None:
    """One to three faults that slow some replicas of a host, or make them fail; two may meet in one replica."""
    hosts = {name: spec.get("replicas", 1) for name, spec in document["services"].items()}
    if "gateway" in document:
        hosts["gateway"] = document["gateway"].get("replicas", 1)
    for place in range(luck.number("how many", 1, 3)):
        own = luck.at(place)
        of = own.pick("of", sorted(hosts, key=lambda name: (-hosts[name], name))[:3])
        which: dict[str, Any] = {"of": of, "replicas": own.number("replicas", 1, hosts[of])}
        fault: dict[str, Any] = {"name": f"some {place}", "at": own.pick("at", BEGINS)}
        if own.maybe("ends", 0.85):
            fault["for"] = own.pick("for", ("2s", "6.66s", "1ms"))
        if own.maybe("slow"):
            fault["slow"] = {**which, "by": own.pick("by", ("3x", "0.3x", "17x"))}
        else:
            fault["errors"] = {**which, "share": own.pick("share", (0.1, 0.5, 1))}
        document["faults"].append(fault)


def smart_balancing(document: dict[str, Any], luck: Luck) -> None:
    """Services that are balanced by weights, latencies, hashes, failures; some are replicated for it, and some have a bad replica."""
    names = sorted(document["services"])
    for name in luck.some("which", names, 1, len(names)):
        own, service = luck.at(name), document["services"][name]
        if service.get("replicas", 1) == 1 and own.maybe("more", 0.7):
            service["replicas"] = own.number("replicas", 2, 6)
        service["load_balancing"] = _balancing(own, service.get("replicas", 1))
        if own.maybe("bad", 0.5):
            kind = own.pick("kind", ({"slow": {"of": name, "by": "9x"}}, {"errors": {"of": name, "share": 1}}))
            which: dict[str, Any] = {word: {**body, "replicas": 1} for word, body in kind.items()}
            begins = own.pick("at", BEGINS)
            document["faults"].append({"name": f"bad {name}", "at": begins, "for": "7s", **which})
        if own.maybe("crash", 0.3):
            crash = {"of": name, "replicas": 1, "restart_after": "1.1s"}
            document["faults"].append({"name": f"gone {name}", "at": own.pick("gone", BEGINS), "crash": crash})


def _balancing(luck: Luck, replicas: int) -> dict[str, Any]:
    policies = (
        "round_robin",
        "least_request",
        "peak_ewma",
        "ring_hash",
        "maglev",
        "random",
        "two_choices",
        "power_of_two",
    )
    policy = luck.pick("policy", policies)
    made: dict[str, Any] = {"policy": policy}
    if policy in ("round_robin", "least_request"):
        if luck.maybe("weights"):
            made["weights"] = [luck.number(f"weight {index}", 1, 5) for index in range(replicas)]
        if luck.maybe("slow start", 0.4):
            made["slow_start"] = luck.pick("window", ("1s", "7s"))
    if policy == "peak_ewma" and luck.maybe("decay"):
        made["decay"] = luck.pick("how fast", ("200ms", "3s"))
    if policy == "ring_hash" and luck.maybe("ring size"):
        made["ring_size"] = luck.pick("points", (1, 7, 100))
    if policy == "maglev" and luck.maybe("table size", 0.9):
        made["table_size"] = luck.pick("places", (2, 13, 101))
    if luck.maybe("panic", 0.4):
        made["panic_threshold"] = luck.pick("left", (0, 0.3, 1))
    if luck.maybe("outliers", 0.7):
        made["outlier_detection"] = _outliers(luck.at("outliers"))
        if luck.maybe("as kong", 0.3):
            del made["outlier_detection"]
            kinds = ("http_failures", "tcp_failures", "successes")
            made["passive_health_checks"] = {"timeouts": 3} | {kind: luck.number(kind, 0, 3) for kind in kinds}
    return made


def _outliers(luck: Luck) -> dict[str, Any]:
    rule: dict[str, Any] = {"max_ejection_percent": luck.pick("most", (10, 34, 50, 100))}
    if luck.maybe("consecutive"):
        rule["consecutive_5xx"] = luck.pick("in a row", (1, 2, 3))
    if luck.maybe("gateway failures", 0.4):
        rule["consecutive_gateway_failure"] = luck.pick("of these in a row", (1, 2))
    if luck.maybe("times"):
        rule |= {
            "interval": luck.pick("interval", ("500ms", "1s")),
            "base_ejection_time": luck.pick("base", ("1s", "3s")),
        }
    if luck.maybe("longest", 0.3):
        rule["max_ejection_time"] = luck.pick("max", ("500ms", "4s"))
    if luck.maybe("one", 0.3):
        rule["always_eject_one_host"] = True
    if luck.maybe("compares not", 0.2):
        rule["success_rate"] = False
    rule |= _enforcing(luck)
    if luck.maybe("rates"):
        rule |= {
            "success_rate_minimum_hosts": luck.pick("hosts", (2, 3)),
            "success_rate_request_volume": luck.pick("volume", (1, 4)),
        }
        rule["success_rate_stdev_factor"] = luck.pick("factor", (100, 900, 1900))
    return rule


def _enforcing(luck: Luck) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    if luck.maybe("enforces", 0.4):
        words = "consecutive_5xx", "consecutive_gateway_failure", "success_rate", "failure_percentage"
        rule |= {f"enforcing_{word}": luck.pick(f"of {word}", (0, 30, 70, 100)) for word in words}
    if luck.maybe("jitter", 0.4):
        rule["max_ejection_time_jitter"] = luck.pick("longest jitter", ("300ms", "2s"))
    if luck.maybe("splits", 0.4):
        rule |= {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": luck.pick("local", (1, 2, None)),
        }
        rule |= {
            "enforcing_consecutive_local_origin_failure": luck.pick("of local", (50, 100)),
            "enforcing_local_origin_success_rate": luck.pick("of local rates", (50, 100)),
        }
    return rule


def identified_traffic(document: dict[str, Any], luck: Luck) -> None:
    """Traffic that is told apart by consumers, headers, and addresses that users share; whatever is named exists."""
    for name, spec in document["traffic"].items():
        own = luck.at(name)
        if own.maybe("consumer", 0.4):
            spec["consumer"] = own.pick("on whose behalf", ("acme", "beta", "3"))
        if own.maybe("tier", 0.7):
            spec["headers"] = {"x-tier": own.pick("which", ("gold", "free", TIERS, TIERS))}
        if own.maybe("region", 0.3):
            spec.setdefault("headers", {})["x-region"] = own.pick("where", ("eu", {"eu": 0.5, "us": 0.5}))
        if "users" in spec and own.maybe("addresses"):
            spec["users"]["addresses"] = own.pick("how many", (1, 2, 7))
    headers = document["traffic"]["c0"].setdefault("headers", {})
    headers["x-tier"] = TIERS
    headers.setdefault("x-region", "eu")


def disciplines(document: dict[str, Any], luck: Luck) -> None:
    """Queues of services and of the gateway that are neither first in first out nor last in first out; few workers, so that there are some."""
    identified_traffic(document, luck.at("traffic"))
    hosts = {**document["services"], **({"gateway": document["gateway"]} if "gateway" in document else {})}
    for name in luck.some("which", list(hosts), 1, len(hosts)):
        own, spec = luck.at(name), hosts[name]
        names = list(spec["routes"] if name == "gateway" else spec["endpoints"])
        if own.maybe("few", 0.7):
            spec["workers"] = own.pick("workers", (1, 1, 2))
        spec["queue"] = _discipline(own, names)
        if own.maybe("crash", 0.3):
            crash = {"of": name, "replicas": 1, "restart_after": "700ms"}
            document["faults"].append({"name": f"died {name}", "at": own.pick("when", BEGINS), "crash": crash})
        if own.maybe("freeze", 0.3):
            hang = {"outage": name, "how": "hang", "for": "900ms"}
            document["faults"].append({"name": f"hung {name}", "at": own.pick("hangs", BEGINS), **hang})


def _discipline(luck: Luck, names: list[str]) -> dict[str, Any]:
    kind = luck.pick("discipline", ("priority", "priority", "edf", "edf", "fair", "fair", "codel", "adaptive_lifo"))
    made: dict[str, Any] = {"discipline": kind, "capacity": luck.pick("capacity", (1, 3, 8, "unlimited"))}
    if luck.maybe("timeout", 0.4):
        made["timeout"] = luck.pick("patience", ("60ms", "300ms", "1s"))
    if kind in ("codel", "adaptive_lifo"):
        made["interval"] = luck.pick("interval", ("20ms", "100ms", "400ms"))
        if kind == "codel":
            made["target"] = luck.pick("target", ("1ms", "5ms", "30ms"))
        return made
    by = luck.pick("by", (None, "endpoint", "traffic", "user", "consumer", "header"))
    if by is not None:
        made |= {"by": by, **({"header": "x-tier"} if by == "header" else {})}
    named = {"traffic": ["c0"], "user": ["0", "1"], "consumer": ["acme", "3"], "header": ["gold", "None"]}
    those = luck.some("named", named.get(by or "endpoint", names), 1, 1 if by in (None, "traffic", "endpoint") else 2)
    if kind == "priority":
        made["classes"] = {name: luck.number(f"class of {name}", 0, 2) for name in those}
        made["push_out"] = made["capacity"] != "unlimited" and luck.maybe("pushes out")
    if kind == "edf":
        made["deadlines"] = {name: luck.pick(f"by when {name}", ("30ms", "200ms", "1s")) for name in those}
        made["drop_late"] = luck.maybe("drops")
    return made


def limits(document: dict[str, Any], luck: Luck) -> None:
    """Limits of the gateway, of its routes and of services, by every key, counter and preset."""
    identified_traffic(document, luck.at("traffic"))
    gateway = document.get("gateway")
    if gateway is not None:
        if luck.maybe("of the gateway", 0.7):
            gateway["rate_limits"] = _limits(luck.at("gateway"))
        for name, route in gateway["routes"].items():
            if luck.maybe(f"of {name}"):
                route["rate_limits"] = _limits(luck.at(name))
                route["gateway_limits"] = luck.pick(f"beside those of the gateway {name}", ("kept", "replaced"))
    services = document["services"]
    for name in luck.some("which", sorted(services), 1, 2):
        services[name]["rate_limits"] = _limits(luck.at(name))
    for name, spec in document["traffic"].items():
        if "retry" in spec:
            spec["retry"]["on"] = sorted({*spec["retry"].get("on", ()), "rate_limited", "shed"})
            spec["honor_retry_after"] = luck.maybe(f"{name} honors", 0.7)


def _limits(luck: Luck) -> list[dict[str, Any]]:
    return [_limit(luck.at(place)) for place in range(luck.number("how many", 1, 3))]


PRESETS = ("nginx", "kong", "kong-advanced", "spring-cloud-gateway", "envoy-local", "resilience4j", "guava", "aws")
COUNTERS = ("fixed_window", "token_bucket", "sliding_window_counter", "sliding_log", "gcra", "leaky_bucket")
RATES = ("2/s", "8/s", "25/s", "300/m")


def _limit(luck: Luck) -> dict[str, Any]:
    keys = luck.some("keys", ("user", "route", "consumer", "ip", "header", "traffic"), 0, 2)
    made: dict[str, Any] = {"per": keys or "all"}
    if "header" in keys:
        made["header"] = luck.pick("which header", ("x-tier", "x-region"))
    algorithm = "fixed_window"
    if luck.maybe("preset", 0.6):
        preset = made["preset"] = luck.pick("which preset", PRESETS)
        made |= _words_of(preset, luck)
        leaky = preset == "nginx"
    else:
        algorithm = made["algorithm"] = luck.pick("algorithm", COUNTERS)
        leaky = algorithm == "leaky_bucket"
        if algorithm in ("token_bucket", "gcra"):
            made["burst"] = luck.pick("at once", (1, 4))
        if algorithm == "fixed_window":
            made["window_from"] = luck.pick("from", ("first_request", "clock"))
    if leaky:
        made["burst"] = luck.pick("burst", (0, 3, 10))
        made |= luck.pick("delay", ({}, {"nodelay": True}, {"delay": 2}))
    if luck.maybe("several", 0.3) and "wait" not in made and made.get("preset") not in ("resilience4j", "guava"):
        made["rates"] = ["6/s", "150/m"]
    else:
        made["rate"] = luck.pick("rate", RATES)
    return made | _answers(luck)


def _words_of(preset: str, luck: Luck) -> dict[str, Any]:
    if preset in ("resilience4j", "guava"):
        return {"wait": luck.pick("wait", ("0s", "200ms", "1s"))}
    if preset == "kong-advanced":
        return {"disable_penalty": luck.maybe("no penalty")}
    if preset == "spring-cloud-gateway":
        return {"burst": luck.pick("capacity", (2, 10)), "requested_tokens": luck.pick("tokens", (1, 2))}
    return {"burst": luck.pick("tokens at once", (1, 5))} if preset in ("envoy-local", "aws") else {}


def _answers(luck: Luck) -> dict[str, Any]:
    """How it is told, whom it leaves out, and where it counts."""
    made: dict[str, Any] = {}
    if luck.maybe("status", 0.4):
        made["status"] = luck.pick("which status", (429, 503))
    if luck.maybe("tells", 0.4):
        made["retry_after"] = luck.pick("tells what", ("exact", "whole_seconds", "none"))
    if luck.maybe("anonymous", 0.5):
        made["anonymous"] = luck.pick("who are they", ("shared", "ip", "free", "refused"))
    if luck.maybe("when", 0.3):
        made["when"] = luck.pick("of whom", ({"x-tier": "free"}, {"x-tier": ["free", "None"], "x-region": "eu"}))
    if luck.maybe("scope", 0.5):
        made["scope"] = luck.pick("of what", ("cluster", "node"))
    return made


def more_libraries(document: dict[str, Any], luck: Luck) -> None:
    """Limits as Bucket4j, Flask-Limiter and a warming Guava have them, of a host and of callers."""
    services = document["services"]
    hosts = {**services, **({"gateway": document["gateway"]} if "gateway" in document else {})}
    for name in luck.some("which", sorted(hosts), 1, 2):
        own = luck.at(name)
        if "store" in str(hosts[name].get("rate_limits")):
            continue  # which a fault may name
        hosts[name]["rate_limits"] = [_of_library(own.at(place)) for place in range(own.number("how many", 1, 2))]
    for name, policy in document.get("policies", {}).items():
        if luck.maybe(f"calls by {name}", 0.2):
            warm_up = luck.pick(f"warms up {name}", ("500ms", "4s"))
            policy["rate_limit"] = {"preset": "guava", "rate": "30/s", "wait": "300ms", "warm_up": warm_up}


def _of_library(luck: Luck) -> dict[str, Any]:
    preset = luck.pick("preset", ("bucket4j", "flask-limiter", "guava", "counter"))
    made: dict[str, Any] = {"per": luck.pick("per", ("all", "user", "route")), "preset": preset}
    if preset == "bucket4j":
        made["refill"] = luck.pick("refill", ("greedy", "intervally"))
        if luck.maybe("initial", 0.4):
            made["initial_tokens"] = luck.number("tokens", 0, 5)
        if luck.maybe("several"):
            refill = luck.pick("its own", ("greedy", "intervally"))
            made["rates"] = [{"rate": "8/s", "burst": 12, "refill": refill}, {"rate": "200/m", "initial_tokens": 9}]
        else:
            made |= {"rate": luck.pick("rate", RATES), "burst": luck.number("burst", 1, 20)}
    elif preset == "flask-limiter":
        made["algorithm"] = luck.pick("algorithm", ("fixed_window", "sliding_log", "sliding_window_counter"))
        made["scope"] = luck.pick("where", ("cluster", "node"))
        made |= luck.pick("rates", ({"rates": ["90/m", "4/s"]}, {"rate": "6/s"}, {"rates": ["200/h", "3/s", "60/m"]}))
    elif preset == "guava":
        made |= {"rate": "15/s", "wait": luck.pick("wait", ("0s", "400ms"))}
        made["warm_up"] = luck.pick("warm up", ("1s", "6s"))
    else:
        del made["preset"]
        made |= {"rate": "7/s", "algorithm": "sliding_window_counter", "store": {"name": "redis", "latency": "700us"}}
    if luck.maybe("node", 0.3) and "store" not in made:
        made["scope"] = "node"
    return made


def grpc_codes(document: dict[str, Any], luck: Luck) -> None:
    """Routes whose services answer with gRPC codes of their own."""
    for name, route in document.get("gateway", {"routes": {}})["routes"].items():
        own = luck.at(name)
        if own.maybe("said", 0.7):
            failures = own.some("failures", ("error", "shed", "rate_limited", "refused"), 1, 4)
            codes = {failure: own.pick(failure, get_args(GrpcCode)) for failure in failures}
            route.setdefault("translate", {"to": "grpc", "work": "1ms"})["codes"] = codes


def splits(document: dict[str, Any], luck: Luck) -> None:
    """Routes that lead to several endpoints of the first services."""
    names = sorted(document["services"])
    for name, route in document.get("gateway", {"routes": {}})["routes"].items():
        own = luck.at(name)
        known = [f"{service}.{word}" for service in names[:2] for word in document["services"][service]["endpoints"]]
        others = own.some("others", [target for target in known if target != route["to"]], 0, 2)
        if others:
            route["split"] = {target: own.pick(f"share of {target}", (0.1, 0.4, 0.0, 0.5)) for target in others}


def narrower_routes(document: dict[str, Any], luck: Luck) -> None:
    """Routes that take part of what is sent to another, by headers that are constant, drawn, or missing, and by hosts."""
    for name, spec in document["traffic"].items():
        own, headers = luck.at(name), spec.setdefault("headers", {})
        if name == "c0" or own.maybe("host", 0.7):
            headers["host"] = HOSTS if name == "c0" else own.pick("which host", ("shop.example", HOSTS))
        if name == "c0" or own.maybe("plan", 0.7):
            headers["x-plan"] = PLANS if name == "c0" else own.pick("which plan", ("Pro", PLANS))
    routes = document.get("gateway", {"routes": {}})["routes"]
    targets = [
        f"{name}.{word}"
        for name in sorted(document["services"])[:2]
        for word in document["services"][name]["endpoints"]
    ]
    for name, whole in list(routes.items()):
        own = luck.at(f"route {name}")
        for number in range(own.pick("how many", (0, 1, 2, 3))):
            one = own.at(str(number))
            route = {"matches": name, "to": one.pick("to", tuple(targets))}
            if by_host := one.maybe("by host"):
                route["hosts"] = one.pick(
                    "hosts", ("*.example", ["shop.example"], "shop.*", ["*.shop.example", "shop.example"])
                )
            if not by_host or one.maybe("by header, too"):
                route["headers"] = {"x-plan": one.pick("plan", ("pro", ["pro", "basic"], "BASIC"))}
            if one.maybe("limited", 0.3):
                route["rate_limits"] = [{"per": "all", "rate": one.pick("rate", ("5/s", "20/s"))}]
            if one.maybe("as the whole", 0.3):
                route |= {
                    word: whole[word]
                    for word in ("policy", "split", "completes_with")
                    if word in whole and route["to"] == whole["to"]
                }
            routes[f"{name} {number}"] = route


def bad_tokens(document: dict[str, Any], luck: Luck) -> None:
    """Tokens that have expired, or cannot be decoded."""
    if "gateway" in document:
        shares = {word: luck.pick(word, (0, 0.05, 0.2)) for word in ("invalid", "expired", "malformed")}
        jwt: dict[str, Any] = {"work": luck.pick("work", ("1ms", "3ms")), **shares}
        if luck.maybe("keys", 0.6):
            fetch = f"{sorted(document['services'])[-1]}.a"
            jwt["keys"] = {"fetch": fetch, "cache": luck.pick("cache", ("0s", "900ms", "1m"))}
            if luck.maybe("rotated"):
                jwt["keys"]["rotated_every"] = luck.pick("every", ("700ms", "3s"))
            if luck.maybe("guarded", 0.7):
                jwt["keys"]["policy"] = luck.pick("policy", tuple(document["policies"]))
        document["gateway"]["authentication"] = {"jwt": jwt}
