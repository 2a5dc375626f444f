"""A made-up comparison of three variants under a payment outage: plausible, quick to build, the same every time."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.experiments.replicating.results import Comparison, VariantResult, Verdict
from sim.records.columns import Columns
from sim.records.tables import EVENT, MESSAGE, REQUEST, SPAN, Records, Series
from sim.spec.base import register, words
from sim.spec.distribution import Distribution
from sim.spec.scenario import Scenario
from sim.spec.study import Study
from sim.stats.interval import Difference, Interval
from sim.vocabulary import EventKind, Outcome

if "constant" not in words("distribution"):

    @register("distribution", "constant")
    class _Constant(Distribution):
        """Stands in until the distributions exist."""

        positional = "value"
        value: str


DURATION, WARMUP, RATE = 900.0, 120.0, 40.0
BEGAN, ENDED = 300.0, 480.0
REPLICATIONS = 10
ROUTE = "POST /orders"
FAULT = "payments outage"

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "name": "payment-outage",
    "duration": "15m",
    "warmup": "2m",
    "seed": 20261127,
    "traffic": {
        "shoppers": {
            "sends": ROUTE,
            "arrivals": {"poisson": "40/s"},
            "users": {"count": 50000, "popularity": {"zipf": 0.9}},
            "timeout": "10s",
        }
    },
    "gateway": {
        "replicas": 2,
        "workers": 4,
        "rate_limits": [{"per": "user", "rate": "100/s", "burst": 100}],
        "routes": {
            ROUTE: {
                "to": "orders.create",
                "timeout": "5s",
                "objective": {"latency": "800ms", "availability": "99.9%"},
                "completes_with": ["order-created", "payment-captured"],
            }
        },
    },
    "services": {
        "orders": {
            "replicas": 4,
            "workers": 32,
            "queue": {"capacity": 200},
            "cost": "0.10/h",
            "endpoints": {
                "create": [
                    {"work": "6ms"},
                    {"effect": "order-created"},
                    {"call": "inventory.reserve", "policy": "internal"},
                    {"call": "payments.charge", "policy": "provider", "fallback": [{"effect": "payment-deferred"}]},
                ]
            },
        },
        "inventory": {
            "replicas": 2,
            "workers": 16,
            "cores": 4,
            "stock": {"items": 1000000},
            "endpoints": {"reserve": [{"work": "8ms"}, {"take": "stock"}, {"effect": "stock-reserved"}]},
        },
        "payments": {
            "replicas": 4,
            "workers": 64,
            "endpoints": {
                "charge": [{"wait": "60ms"}, {"fail": "0.2%"}, {"effect": {"payment-captured": {"idempotent": True}}}]
            },
        },
    },
    "policies": {
        "internal": {"timeout": "500ms", "retry": {"max_attempts": 2}},
        "provider": {
            "timeout": "1s",
            "retry": {
                "max_attempts": 3,
                "backoff": {"exponential": {"base": "100ms", "max": "2s"}},
                "jitter": "full",
                "budget": {"ratio": 0.2},
            },
            "circuit_breaker": {"failures": 5, "within": "1s", "open_for": "10s", "half_open_calls": 3},
            "bulkhead": {"max_concurrent_calls": 24},
        },
    },
    "brokers": {
        "kafka": {"kind": "log", "acks": "all", "topics": {"order-events": {"partitions": 24, "key": "order"}}}
    },
    "ledger": {"charge": "payment-captured", "reservation": "stock-reserved"},
    "faults": [{"name": FAULT, "at": "5m", "for": "3m", "outage": "payments", "how": "hang"}],
}

QUESTION = (
    "The payment provider goes dark for three minutes. Who keeps selling, who loses orders, and who recovers first?"
)
TEXT = f"""# {QUESTION}
version: 1
name: payment-outage
"""


def documents() -> dict[str, dict[str, Any]]:
    bare, events = copy.deepcopy(DOCUMENT), copy.deepcopy(DOCUMENT)
    for guard in ("circuit_breaker", "bulkhead"):
        bare["policies"]["provider"][guard] = None
    services = events["services"]
    services["orders"]["endpoints"]["create"] = [
        {"work": "6ms"},
        {"effect": "order-created"},
        {"publish": "order-events", "via": "outbox"},
    ]
    earliest = {"auto_offset_reset": "earliest"}
    services["inventory"]["consumes"] = {
        "order-events": {"group": "inventory-group", **earliest, "do": [{"perform": "inventory.reserve"}]}
    }
    retried = {"retry_topic": {"delays": ["1s", "10s", "60s"]}}
    services["payments"]["consumes"] = {
        "order-events": {"group": "payment-group", **earliest, **retried, "do": [{"perform": "payments.charge"}]}
    }
    return {"sync": copy.deepcopy(DOCUMENT), "sync-no-breaker": bare, "async": events}


def make_comparison(
    only: tuple[str, ...] = ("sync", "sync-no-breaker", "async"), replications: int = REPLICATIONS
) -> Comparison:
    scenarios = {name: Scenario.model_validate(document) for name, document in documents().items() if name in only}
    variants = {name: _variant(name, scenario, replications) for name, scenario in scenarios.items()}
    study = Study("payment-outage", TEXT, DOCUMENT, scenarios, "scenarios/payment-outage.yaml", (), QUESTION)
    names = list(variants)
    differences = {name: _differences(variants[names[0]], variants[name]) for name in names[1:]}
    return Comparison(study, "simpy", 20261127, replications, variants, differences, "5f1c0ffee0ddba11" * 2)


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    return make_comparison()


@pytest.fixture(scope="session")
def single() -> Comparison:
    return make_comparison(("sync",), 1)


def _variant(name: str, scenario: Scenario, replications: int) -> VariantResult:
    requests, events = _requests(name), _events(name)
    names = _NAMES
    timeline = _timeline(name, requests)
    series = tuple(Series(*column.rsplit(".", 1), kind="mean") for column in timeline.columns if "." in column)
    records = Records(
        20261127,
        0,
        DURATION,
        WARMUP,
        names,
        requests,
        np.zeros(0, MESSAGE),
        np.zeros(0, SPAN),
        events,
        series,
        timeline.index.to_numpy() + 1.0,
        timeline[[s.name for s in series]].to_numpy(),
        (),
        ("order-created", "payment-captured", "stock-reserved"),
    )
    frame = _metrics(name, requests, timeline, replications)
    metrics = {key: _interval(frame[key].to_numpy()) for key in frame}
    if name == "sync":
        metrics["completion_p99"] = Interval(780.0, 780.0, 780.0, replications, censored=True)
    verdicts = {
        "async": (
            Verdict("p99(response, POST /orders) < 800ms", 0.048, True),
            Verdict("availability(POST /orders) >= 99.9%", 0.9998, True),
            Verdict("lost_orders == 0", 0.0, True),
            Verdict("recovery_time(payments outage) < 60s", 0.0, True),
            Verdict("p99(completion, POST /orders) < 60s", 180.0, False),
        )
    }.get(name, ())
    return VariantResult(
        name, scenario, metrics, Columns.of(frame), verdicts, records, Columns.of(timeline), f"{name:*<32}"
    )


_NAMES = (
    "shoppers",
    ROUTE,
    "orders",
    "inventory",
    "payments",
    "gateway",
    FAULT,
    "payments.charge",
    *(f"orders[{i}]" for i in range(4)),
    "payment-group",
    "inventory-group",
    "order-events",
)


def _requests(name: str) -> np.ndarray:
    random = np.random.default_rng(7)
    arrival = np.sort(random.uniform(0, DURATION, int(RATE * DURATION)))
    count = len(arrival)
    rows = np.zeros(count, REQUEST)
    (
        rows["id"],
        rows["arrival"],
        rows["route"],
        rows["where"],
        rows["attempts"],
        rows["expects"],
        rows["user"],
        rows["item"],
    ) = (
        np.arange(count),
        arrival,
        1,
        -1,
        1,
        True,
        -1,
        -1,
    )
    dark = (arrival >= BEGAN) & (arrival < ENDED)
    base = random.lognormal(math.log(0.085), 0.45, count)
    outcome = np.where(random.random(count) < 0.0004, Outcome.ERROR, Outcome.OK)
    response, completion = base.copy(), base * 0.97
    if name == "sync":
        first = dark & (arrival < BEGAN + 3)
        response = np.where(
            first,
            1.0 + random.exponential(0.9, count),
            np.where(dark, random.lognormal(math.log(0.022), 0.4, count), base),
        )
        outcome = np.where(dark, Outcome.DEGRADED, outcome)
        outcome = np.where(first & (random.random(count) < 0.2), Outcome.BULKHEAD_FULL, outcome)
        completion = np.where(dark, np.nan, completion)
    elif name == "sync-no-breaker":
        after = (arrival >= ENDED) & (arrival < ENDED + 45)
        slow = np.maximum(0.1, 4.5 * (1 - (arrival - ENDED) / 45)) * random.lognormal(0, 0.15, count)
        response = np.where(
            dark, np.where(random.random(count) < 0.6, 5.0, 0.004), np.where(after, np.minimum(slow, 5.0), base)
        )
        outcome = np.where(dark, np.where(response >= 5, Outcome.TIMEOUT, Outcome.SHED), outcome)
        outcome = np.where(after & (slow >= 5), Outcome.TIMEOUT, outcome)
        completion = np.where(
            dark,
            np.where(response >= 5, ENDED - arrival + random.uniform(0, 45, count), np.nan),
            np.where(after, response * 0.99, completion),
        )
        rows["charges"] = 1
    else:
        response = random.lognormal(math.log(0.012), 0.4, count)
        backlog = ENDED - arrival + (arrival - BEGAN) * 0.35
        late = (arrival >= ENDED) & (arrival < ENDED + 63)
        completion = np.where(dark, backlog, np.where(late, np.maximum(0.2, 63 - (arrival - ENDED)), 0.12 + base))
    failed = ~np.isin(outcome, (Outcome.OK, Outcome.DEGRADED))
    completion = np.where(failed & (name != "sync-no-breaker"), np.nan, completion)
    rows["outcome"], rows["end"], rows["completion"] = outcome, arrival + response, arrival + completion
    rows["where"] = np.where(failed, 4, -1)
    unfinished = rows["completion"] > DURATION
    rows["completion"][unfinished], rows["pending"][unfinished] = np.nan, True
    unanswered = rows["end"] > DURATION
    rows["end"][unanswered], rows["outcome"][unanswered] = np.nan, Outcome.IN_FLIGHT
    return rows


def _events(name: str) -> np.ndarray:
    rows: list[tuple[float, int, int, int, float]] = [
        (BEGAN, EventKind.FAULT_BEGAN, 6, 4, 0.0),
        (ENDED, EventKind.FAULT_ENDED, 6, 4, 0.0),
    ]
    if name == "sync":
        for replica in range(4):
            start = BEGAN + 1.05 + 0.08 * replica
            rows.append((start, EventKind.BREAKER_OPENED, 8 + replica, 7, 0.0))
            while (start := start + 10.0) < ENDED:
                rows.append((start, EventKind.BREAKER_HALF_OPENED, 8 + replica, 7, 0.0))
                rows.append((start + 1.0, EventKind.BREAKER_OPENED, 8 + replica, 7, 0.0))
                start += 1.0
            rows.append((start, EventKind.BREAKER_HALF_OPENED, 8 + replica, 7, 0.0))
            rows.append((start + 0.3, EventKind.BREAKER_CLOSED, 8 + replica, 7, 0.0))
    elif name == "sync-no-breaker":
        rows += [
            (BEGAN + 3.6, EventKind.SHEDDING_BEGAN, 2, -1, 0.0),
            (ENDED + 41.2, EventKind.SHEDDING_ENDED, 2, -1, 0.0),
            (BEGAN + 2.2, EventKind.BUDGET_EXHAUSTED, 2, 4, 0.0),
        ]
    else:
        rows += [(0.0, EventKind.PARTITIONS_ASSIGNED, 12, 14, 24.0), (0.0, EventKind.PARTITIONS_ASSIGNED, 13, 14, 24.0)]
    return np.array(sorted(rows), EVENT)


def _timeline(name: str, requests: np.ndarray) -> pd.DataFrame:
    step = 2.0
    times = np.arange(0, DURATION, step)
    frame = pd.DataFrame({"bucket": np.floor(requests["arrival"] / step) * step, "outcome": requests["outcome"]})
    frame["response"], frame["completion"] = (
        requests["end"] - requests["arrival"],
        requests["completion"] - requests["arrival"],
    )
    good = frame["outcome"].isin((0, 1))
    timeline = pd.DataFrame(index=pd.Index(times, name="time"))
    timeline["offered"] = frame.groupby("bucket").size().reindex(times, fill_value=0) / step
    for outcome in Outcome:
        timeline[outcome.word] = (
            frame[frame["outcome"] == outcome].groupby("bucket").size().reindex(times, fill_value=0) / step
        )
    for column, rows in (("response", frame[good]), ("completion", frame)):
        for percent in (50, 95, 99):
            timeline[f"{column}_p{percent}"] = rows.groupby("bucket")[column].quantile(percent / 100).reindex(times)
    ends = np.floor(requests["completion"][~np.isnan(requests["completion"])] / step) * step
    timeline["completed"] = pd.Series(ends).value_counts().reindex(times, fill_value=0) / step
    timeline["goodput"] = timeline["ok"]
    dark = (times >= BEGAN) & (times < ENDED)
    after = (times >= ENDED) & (times < ENDED + 63)
    wave = 1 + 0.1 * np.sin(times / 7)
    timeline["orders.busy"] = np.where(dark & (name == "sync-no-breaker"), 128.0, 3.2 * wave)
    timeline["orders.queue"] = np.where(
        dark & (name == "sync-no-breaker"), np.minimum(800, (times - BEGAN) * 60), 0.02 * wave
    )
    timeline["inventory.cores_busy"] = 0.32 * wave
    timeline["inventory.busy"] = 0.35 * wave
    timeline["inventory.queue"] = 0.0
    timeline["payments.busy"] = np.where(
        dark,
        {"sync": 72.0, "sync-no-breaker": 256.0, "async": 8.0}[name],
        np.where(after & (name == "async"), 8.0, 2.4 * wave),
    )
    timeline["payments.queue"] = np.where(
        dark & (name == "sync-no-breaker"), np.minimum(3000, (times - BEGAN) * 100), 0.0
    )
    timeline["gateway.busy"] = 0.02 * wave
    if name == "sync":
        timeline["orders -> payments.breaker_open"] = np.where(dark, 0.9, 0.0)
    if name == "async":
        lag = np.where(
            dark, (times - BEGAN) * RATE, np.where(after, (ENDED - BEGAN) * RATE * (1 - (times - ENDED) / 63), 0.0)
        )
        timeline["payment-group order-events.lag"], timeline["inventory-group order-events.lag"] = lag, 1.5 * wave
    return timeline


def _metrics(name: str, requests: np.ndarray, timeline: pd.DataFrame, replications: int) -> pd.DataFrame:
    random = np.random.default_rng(11)
    noise = random.normal(0, 1, replications) if replications > 1 else np.zeros(1)
    counted = requests[requests["arrival"] >= WARMUP]
    good = np.isin(counted["outcome"], (0, 1))
    response = (counted["end"] - counted["arrival"])[good]
    completion = np.where(
        np.isnan(counted["completion"]), DURATION - counted["arrival"], counted["completion"] - counted["arrival"]
    )
    incomplete = good & np.isnan(counted["completion"])
    seconds = DURATION - WARMUP
    values: dict[str, float] = {}
    for key, sample in (("response", response), ("completion", completion)):
        values[f"{key}_mean"] = float(sample.mean())
        for suffix, percent in (("p50", 50.0), ("p95", 95.0), ("p99", 99.0)):
            values[f"{key}_{suffix}"] = float(np.percentile(sample, percent))
            values[f"{key}_{suffix}({ROUTE})"] = values[f"{key}_{suffix}"]
    values["availability"] = values[f"availability({ROUTE})"] = float(good.mean())
    values["goodput"], values["completed"] = (
        float((counted["outcome"] == 0).sum() / seconds),
        float((~np.isnan(counted["completion"])).sum() / seconds),
    )
    values["offered"] = len(counted) / seconds
    for outcome in Outcome:
        values[f"outcome_share({outcome.word})"] = float((counted["outcome"] == outcome).mean())
    values["amplification"], values["wasted_work"] = {
        "sync": (1.02, 0.004),
        "sync-no-breaker": (2.31, 0.41),
        "async": (1.0, 0.0),
    }[name]
    values[f"recovery_time({FAULT})"] = {"sync": 6.0, "sync-no-breaker": 47.0, "async": 0.0}[name]
    values[f"recovery_time({FAULT}, completion)"] = {"sync": 6.0, "sync-no-breaker": math.inf, "async": 64.0}[name]
    values[f"detection_time({FAULT})"] = {"sync": 1.05, "sync-no-breaker": math.nan, "async": math.nan}[name]
    values[f"drain_time({FAULT})"] = {"sync": math.nan, "sync-no-breaker": math.nan, "async": 63.0}[name]
    values["lost_orders"], values["pending_orders"] = float(incomplete.sum()) if name != "async" else 0.0, 0.0
    values["double_charges"], values["oversold_items"] = 0.0, 0.0
    values["charged_after_failure"] = {"sync": 3.0, "sync-no-breaker": 4200.0, "async": 0.0}[name]
    for service, gauge, places in (
        ("orders", "busy", 128),
        ("inventory", "cores_busy", 8),
        ("payments", "busy", 256),
        ("gateway", "busy", 8),
    ):
        values[f"utilisation({service})"] = float(timeline.loc[WARMUP:, f"{service}.{gauge}"].mean() / places)
    values["utilisation_max"] = max(value for key, value in values.items() if key.startswith("utilisation("))
    values["cost"], values["cost_per_thousand"] = 0.12, 0.12 / max(values["completed"] * seconds / 1000, 1e-9)
    return pd.DataFrame(
        {key: value * (1 + 0.012 * noise * (value < 0.9 or value > 1.0)) for key, value in values.items()}
    )


def _interval(sample: np.ndarray) -> Interval:
    known = sample[~np.isnan(sample)]
    if not len(known):
        return Interval(math.nan, n=0)
    value = float(known.mean())
    if len(known) == 1 or not math.isfinite(value):
        return Interval(value, n=len(known))
    half = 2.262 * float(known.std(ddof=1)) / math.sqrt(len(known))
    return Interval(value, value - half, value + half, len(known))


def _differences(baseline: VariantResult, variant: VariantResult) -> dict[str, Difference]:
    answer = {}
    for key in variant.metrics:
        sample = variant.per_replication[key].to_numpy() - baseline.per_replication[key].to_numpy()
        interval = _interval(sample)
        if math.isnan(interval.value):
            continue
        significant = interval.low > 0 or interval.high < 0 if not math.isnan(interval.low) else False
        answer[key] = Difference(
            interval.value,
            interval.low,
            interval.high,
            interval.n,
            p_value=0.001 if significant else 0.6,
            significant=significant and abs(interval.value) > 1e-12,
        )
    return answer
