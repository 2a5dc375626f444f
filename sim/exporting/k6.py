"""The clients of a scenario as a script for k6 (executors constant-arrival-rate, ramping-arrival-rate and constant-vus;
thresholds).

    k6 run --env BASE_URL=http://localhost:8080 FILE

Open arrivals are open in k6 too, but come at equal gaps: a Poisson process has bursts that it does not. What it cannot
be told stands as a comment: popularity of users and items, warm-up, expectations without a threshold of k6. Bodies and
headers of requests are to be supplied, and paths where no route says one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from sim.errors import printable
from sim.exporting.settings_text import TO_BE_SUPPLIED, host_of
from sim.exporting.subject import Subject
from sim.spec.arrivals import Closed, Deterministic, Poisson, Profile, Segment
from sim.spec.base import word_of
from sim.spec.expectation import Expectation, expectations
from sim.spec.library_backoffs import LibraryBackoff
from sim.spec.policy import ConstantBackoff, ExponentialBackoff, LinearBackoff, Retry
from sim.spec.scenario import Scenario
from sim.spec.traffic import Traffic
from sim.units import show_duration

PIECES = 60  # of equal length into which a rate is cut that k6 cannot be told otherwise
PATIENCE = 10.0  # s; of clients without a timeout, for how many of them there can be at once
_MOST_CLIENTS = 20_000  # that k6 is told to make beforehand
_METHOD = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/\S*)")
_TIME_UNITS = ((1, "1s"), (60, "1m"), (3600, "1h"))
_STATUSES = {"timeout": [0], "unreachable": [0], "error": [500, 502, 504], "shed": [503], "rate_limited": [429]}
_STATISTICS = {"mean": "avg", "p50": "med", "p90": "p(90)", "p95": "p(95)", "p99": "p(99)", "p999": "p(99.9)"}
_MEANS_SOMETHING = re.compile(r"[{},:]")  # in the name of a threshold

_FUNCTIONS = """
function choose(targets) {
  let lot = Math.random();
  for (const target of targets) {
    lot -= target.share;
    if (lot < 0) return target;
  }
  return targets[targets.length - 1];
}

function pauseBefore(retry, number, answer) {
  let pause = retry.base;
  if (retry.kind === 'linear') pause = retry.base * number;
  if (retry.kind === 'exponential') pause = retry.base * retry.multiplier ** (number - 1);
  if (retry.longest !== null) pause = Math.min(pause, retry.longest);
  if (retry.jitter === 'full' || retry.jitter === 'decorrelated') pause *= Math.random();
  if (retry.jitter === 'equal') pause *= 0.5 + Math.random() / 2;
  if (typeof retry.jitter === 'number') pause *= 1 + retry.jitter * (2 * Math.random() - 1);
  const asked = (retry.honourRetryAfter && Number(answer.headers['Retry-After'])) || 0;
  if (retry.maxRetryAfter === null || asked <= retry.maxRetryAfter) return Math.max(pause, asked);
  if (retry.aboveMax === 'give_up') return -1;
  return retry.aboveMax === 'cut' ? Math.max(pause, retry.maxRetryAfter) : pause;
}

function send(client) {
  const target = choose(client.targets);
  for (let attempt = 1; ; attempt += 1) {
    const asked = { timeout: client.timeout, tags: { name: target.name }, headers: HEADERS };
    const answer = http.request(target.method, BASE + target.path, BODY, asked);
    const retry = client.retry;
    if (retry === null || attempt >= retry.maxAttempts || !retry.statuses.includes(answer.status)) return;
    const pause = pauseBefore(retry, attempt, answer);
    if (pause < 0) return;
    sleep(pause);
  }
}
"""


def write(subject: Subject) -> str:
    """The whole script."""
    scenario = subject.scenario
    names = {
        name: f"client_{number}_{host_of(name).replace('-', '_')}" for number, name in enumerate(scenario.traffic, 1)
    }
    thresholds, untold = _thresholds(scenario)
    options = {
        "scenarios": {
            names[name]: _executor(scenario, traffic, names[name]) for name, traffic in scenario.traffic.items()
        },
        "thresholds": thresholds,
    }
    clients = {names[name]: _client(traffic) for name, traffic in scenario.traffic.items()}
    lines = [
        f"// {printable(line, one_line=True)}"
        for line in (f"Load of {subject.title} for k6, written by sim export.", *_remarks(scenario), *untold)
    ]
    lines += ["import http from 'k6/http';", "import { sleep } from 'k6';", ""]
    lines += [
        "const BASE = __ENV.BASE_URL || 'http://localhost:8080';",
        f"const BODY = null; // {TO_BE_SUPPLIED}: what requests carry",
    ]
    lines += [f"const HEADERS = {{}}; // {TO_BE_SUPPLIED}: a token, say", ""]
    lines += [
        f"export const options = {json.dumps(options, indent=2)};",
        "",
        f"const CLIENTS = {json.dumps(clients, indent=2)};",
    ]
    functions = [
        f"export function {name}() {{\n  send(CLIENTS.{name});\n{_think(scenario.traffic[its])}}}\n"
        for its, name in names.items()
    ]
    return "\n".join([*lines, _FUNCTIONS, *functions])


def _remarks(scenario: Scenario) -> Iterator[str]:
    for name, traffic in scenario.traffic.items():
        if not isinstance(traffic.arrivals, (Closed, Deterministic)):
            yield f"{name}: {word_of(traffic.arrivals)} arrivals come at equal gaps in k6, at the same rate over time."
        if not isinstance(traffic.arrivals, (Closed, Deterministic, Poisson)) and not _is_told(traffic):
            yield f"{name}: its rate is cut into {PIECES} pieces of equal length, each with its mean."
        if traffic.users is not None or traffic.items is not None:
            yield (
                f"{name}: users and items ({TO_BE_SUPPLIED} in bodies or paths): how popular each is k6 cannot be told."
            )
        if traffic.patience is not None:
            yield f"{name}: all wait equally long, as long as its people do on average."
        if traffic.visit is not None:
            yield f"{name}: its visits are written as single requests, as many in all."
        if isinstance(traffic.arrivals, Closed) and (traffic.arrivals.ramp or traffic.arrivals.pacing):
            yield f"{name}: its users are all there from the beginning, and keep no pace."
        if traffic.retry is not None and traffic.retry.jitter == "decorrelated":
            yield f"{name}: decorrelated jitter is written as full jitter."
        if traffic.retry is not None and isinstance(traffic.retry.backoff, LibraryBackoff):
            first = show_duration(traffic.retry.backoff.pause(1))
            yield f"{name}: a `{word_of(traffic.retry.backoff)}` back-off is written as its first pause, {first}."
        if traffic.retry is not None and traffic.retry.budget is not None:
            yield f"{name}: the budget of its retries k6 cannot be told."
    if scenario.warmup > 0:
        yield f"The first {show_duration(scenario.warmup)} are warm-up, which k6 counts."
    unknown = [
        target for traffic in scenario.traffic.values() for target in traffic.mix if _METHOD.fullmatch(target) is None
    ]
    if unknown:
        yield f"Method and path are {TO_BE_SUPPLIED} of: {', '.join(dict.fromkeys(unknown))}."


# ---- who sends how much


def _executor(scenario: Scenario, traffic: Traffic, name: str) -> dict[str, Any]:
    """How one traffic is sent. Rates are whole numbers in k6, so the unit of time is as long as that takes."""
    arrivals, lasts = traffic.arrivals, f"{scenario.duration:.15g}s"
    if isinstance(arrivals, Closed):
        return {"executor": "constant-vus", "exec": name, "vus": arrivals.users, "duration": lasts}
    each = traffic.requests_each
    pieces = [(seconds, first * each, last * each) for seconds, first, last in _pieces(scenario, traffic)]
    rates = [rate for piece in pieces for rate in piece[1:]]
    scale, unit = next(
        ((scale, unit) for scale, unit in _TIME_UNITS if all(_whole(rate * scale) for rate in rates)), _TIME_UNITS[-1]
    )
    clients = min(_MOST_CLIENTS, max(1, math.ceil(max(rates) * (traffic.typical_patience or PATIENCE))))
    its: dict[str, Any] = {"exec": name, "timeUnit": unit, "preAllocatedVUs": clients}
    if traffic.virtual_users is not None:
        its |= {"preAllocatedVUs": traffic.virtual_users.pre_allocated, "maxVUs": traffic.virtual_users.most}
    if len(pieces) == 1 and pieces[0][1] == pieces[0][2]:
        return {"executor": "constant-arrival-rate", **its, "rate": max(1, round(rates[0] * scale)), "duration": lasts}
    stages = []
    level = round(pieces[0][1] * scale)
    for seconds, start, end in pieces:
        if round(start * scale) != level:
            stages.append({"target": round(start * scale), "duration": "0s"})
        level = round(end * scale)
        stages.append({"target": level, "duration": f"{seconds:.15g}s"})
    return {"executor": "ramping-arrival-rate", **its, "startRate": round(pieces[0][1] * scale), "stages": stages}


def _whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-9 and (number == 0 or round(number) >= 1)


def _pieces(scenario: Scenario, traffic: Traffic) -> list[tuple[float, float, float]]:
    """(seconds, requests per second at their beginning, at their end), over the run."""
    arrivals, duration = traffic.arrivals, scenario.duration
    if isinstance(arrivals, (Poisson, Deterministic)):
        return [(duration, arrivals.rate, arrivals.rate)]
    if isinstance(arrivals, Profile) and _is_told(traffic):
        return _segments(arrivals, duration)
    from sim.chance.rates import RateCurve

    curve, width = RateCurve(arrivals), duration / PIECES
    means = [curve.mean(place * width, (place + 1) * width) for place in range(PIECES)]
    return [(width, rate, rate) for rate in means]


def _is_told(traffic: Traffic) -> bool:
    """Whether its rate is made of levels and ramps alone, which k6 has too."""
    arrivals = traffic.arrivals
    return isinstance(arrivals, Profile) and all(
        its.diurnal is None and its.flash_crowd is None for its in arrivals.segments
    )


def _segments(profile: Profile, duration: float) -> list[tuple[float, float, float]]:
    pieces, left = [], duration
    for segment in profile.segments:
        lasts = left if segment.lasts is None else segment.lasts
        start, end = (profile.times * rate for rate in _ends(segment))
        if lasts > left:
            end = start + (end - start) * left / lasts
        pieces.append((min(lasts, left), start, end))
        left -= min(lasts, left)
        if left <= 0:
            break
    if left > 0:
        pieces.append((left, pieces[-1][2], pieces[-1][2]))
    return pieces


def _ends(segment: Segment) -> tuple[float, float]:
    if segment.rate is not None:
        return segment.rate, segment.rate
    return segment.start or 0.0, segment.end or 0.0


def _think(traffic: Traffic) -> str:
    """What a user of a closed traffic does between two requests."""
    if not isinstance(traffic.arrivals, Closed):
        return ""
    think = traffic.arrivals.think
    lot = " * -Math.log(1 - Math.random())" if word_of(think) == "exponential" else ""
    rest = "" if lot or word_of(think) == "constant" else f" // the mean of its {word_of(think)} time to think"
    return f"  sleep({think.mean:.9g}{lot});{rest}\n"


def _client(traffic: Traffic) -> dict[str, Any]:
    targets = []
    for name, share in traffic.mix.items():
        found = _METHOD.fullmatch(name)
        method, path = (found[1], found[2]) if found is not None else ("GET", f"/{host_of(name)}")
        targets.append({"name": name, "share": share, "method": method, "path": path})
    patience = traffic.typical_patience
    timeout = f"{patience * 1000:.15g}ms" if patience is not None else "60s"
    return {"targets": targets, "timeout": timeout, "retry": _retry(traffic)}


def _retry(traffic: Traffic) -> dict[str, Any] | None:
    retry = traffic.retry
    if not isinstance(retry, Retry):
        return None
    backoff = retry.backoff
    kind, base, multiplier, longest = "constant", backoff.pause(1), 2.0, None
    if isinstance(backoff, ConstantBackoff):
        base = backoff.delay
    elif isinstance(backoff, LinearBackoff):
        kind, base, longest = "linear", backoff.base, backoff.longest
    elif isinstance(backoff, ExponentialBackoff):
        kind, base, multiplier, longest = "exponential", backoff.base, backoff.multiplier, backoff.longest
    statuses = sorted({status for word in retry.on for status in _STATUSES.get(word, [])})
    its = {"maxAttempts": retry.max_attempts, "kind": kind, "base": base, "multiplier": multiplier, "longest": longest}
    its |= {"jitter": retry.jitter, "statuses": statuses, "honourRetryAfter": traffic.honors_retry_after}
    return {**its, "maxRetryAfter": retry.max_retry_after, "aboveMax": retry.above_max_retry_after}


# ---- what is expected


def _thresholds(scenario: Scenario) -> tuple[dict[str, list[str]], list[str]]:
    """Thresholds of k6, and what of `expect` it cannot judge."""
    found: dict[str, list[str]] = {}
    untold = []
    for expectation in expectations(scenario):
        threshold = _threshold(expectation)
        if threshold is None:
            untold.append(f"Expected, and not judged by k6: {expectation.text}")
        else:
            found.setdefault(threshold[0], []).append(threshold[1])
    return found, untold


def _threshold(expectation: Expectation) -> tuple[str, str] | None:
    """(metric of k6, condition); None where it has none."""
    name, _, label = expectation.metric_key.partition("(")
    label = label.removesuffix(")")
    if _MEANS_SOMETHING.search(label):
        return None
    of_route = [f"name:{label}"] if label else []
    clock, _, statistic = name.rpartition("_")
    if clock in ("response", "response_all") and statistic in _STATISTICS:
        tags = [*(["expected_response:true"] if clock == "response" else []), *of_route]
        return _tagged(
            "http_req_duration", tags
        ), f"{_STATISTICS[statistic]}{expectation.operator}{expectation.threshold * 1000:.9g}"
    if name == "availability" and expectation.operator in (">", ">="):
        turned = expectation.operator.replace(">", "<")
        return _tagged("http_req_failed", of_route), f"rate{turned}{1 - expectation.threshold:.9g}"
    return None


def _tagged(metric: str, tags: list[str]) -> str:
    return f"{metric}{{{','.join(tags)}}}" if tags else metric
