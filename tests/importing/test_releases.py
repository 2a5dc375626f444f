"""Argo Rollouts with an analysis: what `abort` can say of it, and what is left out with its reason."""

from __future__ import annotations

from textwrap import indent

import pytest
from ruamel.yaml import YAML

from sim.spec import load_document

from .files import imported

ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: guestbook}
spec:
  replicas: 5
  progressDeadlineSeconds: 300
  strategy:
    canary:
      analysis:
        templates: [{templateName: success-rate}]
        args: [{name: service-name, value: guestbook}]
      steps:
      - setWeight: 20
      - pause: {duration: 10m}
      - setWeight: 40
      - pause: {duration: 10m}
  template: {spec: {containers: [{name: web, image: x}]}}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: success-rate}
spec:
  args: [{name: service-name}]
  metrics:
METRIC
"""
TOTAL = 'sum(irate(istio_requests_total{destination_service=~"{{args.service-name}}"}[5m]))'
GOOD = TOTAL.replace('"}[', '",response_code!~"5.*"}[')
BAD = GOOD.replace("!~", "=~")
P99 = 'histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{path="/a"}[1m])) by (le))'


def metric(query, condition="successCondition: result >= 0.95", rest="interval: 5m, failureLimit: 3"):
    """A metric, as the first example of the documentation of Argo Rollouts has it."""
    word, _, compared = condition.partition(": ")
    return f"- {{name: m, {rest}, {word}: '{compared}', provider: {{prometheus: {{query: '{query}'}}}}}}"


def rollout(folder, *metrics):
    return imported(folder, a_yaml=ROLLOUT.replace("METRIC", indent("\n".join(metrics), "  ")))


def abort_of(found):
    """What the fault that is kept as a comment says, once it stands under `faults`; None: nothing."""
    fault = YAML(typ="safe").load(found.text[found.text.index("{name: release") :].partition(" (")[0])
    document = YAML(typ="safe").load(found.text)
    (scenario,) = load_document({**document, "faults": [fault]}).variants.values()
    canary = scenario.deployments[0].canary
    assert [(step.weight, step.pause) for step in canary.steps] == [(0.2, 600.0), (0.4, 600.0)]
    return canary.abort


@pytest.mark.parametrize(
    ("query", "condition", "errors"),
    [
        (f"{GOOD} / {TOTAL}", "successCondition: result >= 0.95", 0.05),
        (f"{GOOD} / {TOTAL}", "successCondition: len(result) == 0 || result[0] >= 0.99", 0.01),
        (f"{GOOD} / {TOTAL}", "failureCondition: result[0] < 0.9", 0.1),
        (f"{BAD} / {TOTAL}", "successCondition: result[0] <= 0.02", 0.02),
        (f"{BAD} / {TOTAL}", "failureCondition: result[0] >= 0.02", 0.02),
        (f"1 - ({BAD} / {TOTAL})", "successCondition: isNaN(result) || result > 0.98", 0.02),
        (f"{BAD} / {TOTAL} * 100", "successCondition: result[0] < 2.5", 0.025),
    ],
)
def test_the_share_of_errors_that_an_analysis_allows_is_that_of_the_abort(tmp_path, query, condition, errors):
    abort = abort_of(rollout(tmp_path, metric(query, condition)))
    assert (abort.errors, abort.p99, abort.interval, abort.failure_limit) == (errors, None, 300.0, 3)


@pytest.mark.parametrize(
    ("query", "limit", "seconds"),
    [(P99, "0.5", 0.5), (P99.replace("_seconds_", "_milliseconds_"), "250", 0.25), (f"{P99} * 1000", "400", 0.4)],
)
def test_so_is_the_99th_percentile_in_the_unit_of_its_buckets(tmp_path, query, limit, seconds):
    abort = abort_of(rollout(tmp_path, metric(query, f"successCondition: result[0] <= {limit}", "interval: 30s")))
    assert (abort.errors, abort.p99, abort.interval, abort.failure_limit) == (None, pytest.approx(seconds), 30.0, 0)


def test_of_several_metrics_the_strictest_of_each_kind_counts(tmp_path):
    metrics = (
        metric(f"{GOOD} / {TOTAL}"),
        metric(f"{GOOD} / {TOTAL}", "successCondition: result >= 0.99"),
        metric(P99, "successCondition: result < 0.8", "interval: 1m"),
    )
    found = rollout(tmp_path, *metrics)
    abort = abort_of(found)
    assert (abort.errors, abort.p99, abort.interval, abort.failure_limit) == (0.01, 0.8, 300.0, 3)
    assert "all is measured every 5m, with failureLimit 3" in found.text


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (metric(f"{GOOD} / {TOTAL}", rest="count: 1"), "is measured once"),
        (metric(P99.replace("0.99", "0.95"), "successCondition: result < 1"), "neither a share of answers with 5xx"),
        (metric(P99, "successCondition: result > 1"), "neither a share of answers with 5xx"),
        (metric(BAD, "failureCondition: result >= 10"), "neither a share of answers with 5xx"),
        (metric(f"{GOOD} / {TOTAL}", "successCondition: result <= 0.95"), "neither a share of answers with 5xx"),
        (metric(f"{GOOD} / {TOTAL}", "successCondition: all(result, # > 0.9)"), "no comparison of the result"),
        ("- {name: m, interval: 1m, provider: {datadog: {query: x}}}", "asks something else than Prometheus"),
    ],
)
def test_what_cannot_be_said_is_left_out_with_its_reason(tmp_path, said, why):
    """Errors per second are no share, and a success rate that is good when it is small is a slip."""
    found = rollout(tmp_path, said)
    assert why in found.text
    assert abort_of(found) is None


def test_a_deadline_of_progress_takes_nothing_back(tmp_path):
    found = rollout(tmp_path, metric(f"{GOOD} / {TOTAL}"))
    assert "is reported as failed, and goes on all the same" in found.text
    text = ROLLOUT.replace("progressDeadlineSeconds: 300", "progressDeadlineAbort: true").replace("METRIC", "    []")
    assert "nothing goes back for want of progress" in imported(tmp_path, a_yaml=text).text


def test_a_template_that_is_not_there_and_one_that_nobody_looks_at_are_told(tmp_path):
    text = ROLLOUT.replace("METRIC", "    []").replace("templateName: success-rate", "templateName: other")
    found = imported(tmp_path, a_yaml=text)
    assert "no file has its template" in found.text
    assert "no canary of these files looks at it" in found.text
    cluster = ROLLOUT.replace("kind: AnalysisTemplate", "kind: ClusterAnalysisTemplate")
    cluster = cluster.replace("templateName: success-rate", "templateName: success-rate, clusterScope: true")
    found = imported(tmp_path, a_yaml=cluster.replace("METRIC", indent(metric(f"{GOOD} / {TOTAL}"), "  ")))
    assert abort_of(found).errors == 0.05
