"""How a new version comes: Deployments, and Argo Rollouts with their analysis, as the fault that it is here.

An analysis in the background (argoproj/argo-rollouts, docs/features/analysis.md) measures a metric each `interval`
while the canary goes through its steps, and aborts when more than `failureLimit` (0) measurements have failed. A query
is not run; read is what it asks of Prometheus where that is plain: the share of answers with a status of 5xx, or of
others, and a `histogram_quantile` of 0.99, each held against one number by `successCondition` or `failureCondition`.

`progressDeadlineSeconds` (600) changes nothing but a condition of the object: in a Deployment always ("Kubernetes
takes no action on a stalled Deployment"), in a Rollout without `progressDeadlineAbort` (its docs/features,
specification.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sim.importing.draft import Key, Service, kept
from sim.importing.durations import written
from sim.importing.objects import Object
from sim.importing.parts import LONGEST_TEXT, Part

TEMPLATES = ("AnalysisTemplate", "ClusterAnalysisTemplate")
_CLUSTER = "ClusterAnalysisTemplate"
_GUARD = r"(?:(?:len\(result\)\s*==\s*0|isNaN\(result(?:\[0\])?\))\s*\|\|\s*)?"  # nothing was measured: no failure
_CONDITION = re.compile(_GUARD + r"result(?:\[0\])?\s*(<=|<|>=|>)\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)")
_STATUS = re.compile(r'\w{1,40}\s*(=~|!~)\s*"\^?5[0-9.x*{}\[\]\\d-]{0,16}\$?"')
_QUANTILE = re.compile(r"histogram_quantile\(\s*(0?\.[0-9]{1,6})\s*,")
_COMPLEMENT = re.compile(r"\(?\s*1(?:\.0)?\s*-\s*")
_QUOTED = re.compile(r'"[^"]*"')
_PERCENT = re.compile(r"\*\s*100(?![0-9.])|(?<![0-9.])100\s*\*")
_MILLISECONDS = re.compile(r"\*\s*1000(?![0-9.])")
_UNITS = {"_seconds_bucket": 1.0, "_milliseconds_bucket": 1e-3, "_ms_bucket": 1e-3}


@dataclass(frozen=True)
class Measured:
    """A metric of an analysis, as an `abort` says it."""

    word: str  # errors or p99
    limit: float  # a share, or seconds
    interval: str
    failures: int

    @property
    def said(self) -> str:
        """Its word with what it may be at most."""
        return f"{self.word}: {100 * self.limit:.6g}%" if self.word == "errors" else f"{self.word}: {self.limit:.6g}s"


def templates_of(objects: Sequence[Object]) -> dict[Key, Object]:
    """The analyses that Rollouts refer to, by namespace and name; those of the whole cluster have no namespace."""
    return {
        ("" if thing.kind == _CLUSTER else thing.namespace, thing.name): thing
        for thing in objects
        if thing.kind in TEMPLATES
    }


def tell_release(service: Service, thing: Object, templates: Mapping[Key, Object], used: set[Key]) -> None:
    """Say as a remark which fault brings a new version; `used` is filled with the templates that were looked at."""
    strategy = thing.spec["strategy"]
    told = ""
    if thing.kind == "Deployment" and strategy["rollingUpdate"]:
        told = _rolling(service, strategy["rollingUpdate"])
    elif thing.kind == "Rollout" and strategy["blueGreen"]:
        told = _blue_green(thing, strategy["blueGreen"])
    elif thing.kind == "Rollout" and strategy["canary"]:
        told = _canary(thing, strategy["canary"], templates, used)
    if told:
        service.remarks.append(told)
    _deadline(thing)


def _deadline(thing: Object) -> None:
    if thing.kind == "Rollout" and thing.spec["progressDeadlineAbort"].is_true(default=False):
        why = "replicas of a new version always become ready, so that nothing goes back for want of progress"
        thing.spec["progressDeadlineAbort"].leave_out("progressDeadlineAbort", why)
    elif thing.kind in ("Deployment", "Rollout") and thing.spec["progressDeadlineSeconds"]:
        why = "a rollout that takes longer is reported as failed, and goes on all the same"
        thing.spec["progressDeadlineSeconds"].leave_out("progressDeadlineSeconds", why)


def _rolling(service: Service, rolling: Part) -> str:
    shares = {}
    for name, part in {"surge": rolling["maxSurge"], "unavailable": rolling["maxUnavailable"]}.items():
        text = part.text() if part else ""
        replicas = service.replicas.value if service.replicas is not None else 1
        if text.isdecimal():  # a number of pods
            text = f"{100 * int(text[:6]) / max(1, replicas):.4g}%"
        if re.fullmatch(r"[0-9.]{1,8}%", text):
            shares[name] = text
    settings = ", ".join(f"{name}: {share}" for name, share in shares.items())
    fault = f"{{name: release, at: 2m, deploy: {service.key[1]}, {settings}}}"
    return kept(f"a new version is the fault {fault}", rolling.at) if settings else ""


def _blue_green(thing: Object, blue_green: Part) -> str:
    for name in ("prePromotionAnalysis", "postPromotionAnalysis"):
        if analysis := blue_green[name]:
            analysis.leave_out(name, "a switch from one moment to the next that is given up is not modelled")
    if not blue_green["autoPromotionEnabled"].is_true(default=True):
        blue_green["autoPromotionEnabled"].leave_out("autoPromotionEnabled", "waits for a person; here it does not")
    delay = blue_green["scaleDownDelaySeconds"].number()
    fault = f"{{name: release, at: 2m, deploy: {thing.name}, blue_green: {30.0 if delay is None else delay:g}s}}"
    return kept(f"a new version is the fault {fault}", blue_green.at)


def _canary(thing: Object, canary: Part, templates: Mapping[Key, Object], used: set[Key]) -> str:
    steps: list[str] = []
    weight: float | None = None
    for step in canary["steps"].items():
        if step["setWeight"]:
            weight = step["setWeight"].number()
        elif weight is not None and 0 < weight < 100 and "pause" in step:
            length = _pause(step["pause"]["duration"])
            steps.append(f"{{weight: {weight:g}%, pause: {length or '5m'}}}")
            if not length:
                step.leave_out("pauses without a duration", "wait for a person; 5m stands in for it")
        for word in ("analysis", "experiment"):
            if word in step:
                why = "`abort` measures all the time, in the background, and never holds a canary up"
                step[word].leave_out(f"{word} as a step", why)
    abort = _abort(thing, canary["analysis"], templates, used)
    if not steps:
        return ""
    told = f"canary: {{steps: [{', '.join(steps)}], abort: {{{abort}}}}}" if abort else f"canary: [{', '.join(steps)}]"
    return kept(f"a new version is the fault {{name: release, at: 2m, deploy: {thing.name}, {told}}}", canary.at)


def _pause(part: Part) -> str:
    text = part.text()[:12]
    if text.isdecimal():
        return f"{int(text)}s"
    return text if text[:-1].isdecimal() and text[-1:] in ("s", "m", "h") else ""


def _abort(thing: Object, analysis: Part, templates: Mapping[Key, Object], used: set[Key]) -> str:
    """The fields of `abort`; empty where nothing of the analysis can be said."""
    if not analysis:
        return ""
    found = [measured for part in _named(thing, analysis, templates, used) for measured in _all_of(part)]
    if starts := analysis["startingStep"]:
        starts.leave_out("startingStep", "`abort` measures from the first replica of the new version on")
    if not found:
        return ""
    first = found[0]
    least: dict[str, Measured] = {}
    for measured in found:
        if (measured.interval, measured.failures) != (first.interval, first.failures):
            what = f"{measured.word} every {measured.interval}, failureLimit {measured.failures}"
            analysis.leave_out(what, f"all is measured every {first.interval}, with failureLimit {first.failures}")
        if measured.word not in least or measured.limit < least[measured.word].limit:
            least[measured.word] = measured
    limits = ", ".join(measured.said for measured in least.values())
    return f"{limits}, interval: {first.interval}, failure_limit: {first.failures}"


def _named(thing: Object, analysis: Part, templates: Mapping[Key, Object], used: set[Key]) -> Iterator[Part]:
    """The templates that an analysis refers to."""
    references = [*analysis["templates"].items(), *([analysis] if analysis["templateName"] else [])]
    for reference in references:
        name = reference["templateName"].text()
        cluster = reference["clusterScope"].is_true(default=False)
        key = ("" if cluster else thing.namespace, name)
        if key in templates:
            used.add(key)
            yield templates[key].spec
        elif name:
            reference.leave_out(f"analysis {name[:80]}", "no file has its template")


def _all_of(template: Part) -> Iterator[Measured]:
    for metric in template["metrics"].items():
        measured, why = _measured(metric)
        if measured is not None:
            yield measured
        else:
            metric.leave_out(f"metric {metric['name'].text()[:80] or 'without a name'}", f"{why}; write `abort`")


def _measured(metric: Part) -> tuple[Measured | None, str]:
    """What a metric looks at; or why that cannot be said."""
    value = metric["provider"]["prometheus"]["query"].value
    if not isinstance(value, str):
        return None, "asks something else than Prometheus"
    condition = metric.first("successCondition", "failureCondition")
    compared = _CONDITION.fullmatch(condition.text().strip())
    if compared is None:
        return None, "its condition is no comparison of the result with a number"
    if not metric["interval"]:
        return None, "is measured once, and `abort` measures again and again"
    below = (compared[1] in ("<", "<=")) is (condition.name == "successCondition")  # whether small values are good
    limit = _limit(" ".join(value[:LONGEST_TEXT].split()), float(compared[2]), below)
    interval, failures = written(metric["interval"]), metric["failureLimit"].whole(0, 1000)
    if limit is None or not interval:
        return None, "its query is neither a share of answers with 5xx nor a histogram_quantile of 0.99"
    return Measured(*limit, interval, failures or 0), ""


def _limit(query: str, number: float, below: bool) -> tuple[str, float] | None:
    """(errors, the largest share) or (p99, the longest time in seconds) that a query allows."""
    bare = _QUOTED.sub('""', query)
    if quantile := _QUANTILE.search(query):
        unit = next((unit for ending, unit in _UNITS.items() if ending in query), 0.0)
        bare, times = _MILLISECONDS.subn("", bare)
        fits = below and float(quantile[1]) == 0.99 and number * unit > 0 and not {"*", "/"}.intersection(bare)
        return ("p99", number * unit / 1000**times) if fits else None
    statuses = set(_STATUS.findall(query))
    if "/" not in bare or len(statuses) != 1:
        return None
    good = (statuses == {"!~"}) is not bool(_COMPLEMENT.match(query))  # whether it is the share of good answers
    share = number / 100 if _PERCENT.search(bare) else number
    if share > 1 or good is below:
        return None
    return "errors", round(1 - share, 9) if good else share
