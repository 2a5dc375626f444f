"""What the laws are tested with: a system in a few lines of the language, its run as columns, and the golden answers."""

import json
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from sim import compiled, models
from sim.chance.keyed import stream_key
from sim.chance.sampler import sampler
from sim.experiments.on_paper.run_size import attempts_of
from sim.metrics.gauges import Gauges
from sim.records.tables import Records
from sim.spec import load_text
from sim.spec.walk import what_only_simpy_runs
from sim.vocabulary import GOOD, Outcome
from tests.compiled.same import differences

GOLDEN = Path(__file__).parents[1] / "golden"

LONG = 300_000  # attempts: more of them are made by machine code
HEAD = 20_000  # attempts that SimPy makes of such a run, with the same records

STATION = """
version: 1
duration: 1000s
record: {interval: 10s}
traffic:
  clients: {sends: station.serve, arrivals: {poisson: 80/s}}
services:
  station: {workers: 1, endpoints: {serve: [work: {exponential: 10ms}]}}
"""
"""M/M/1 at 80 % load; the settings of a test say what is different."""


def scenario(text, *sets):
    """The one variant of a text, with settings as `--set` takes them."""
    (only,) = load_text(text, sets=sets).variants.values()
    return only


def run(text, *sets, replication=0):
    """One replication of a text with settings; a long one on the compiled engine, which has to agree with SimPy on its head."""
    described = scenario(text, *sets)
    attempts = attempts_of(described)
    if attempts < LONG or any(what_only_simpy_runs(described)):
        return Run(described, models.simulate(described, replication))
    head = described.model_copy(update={"duration": described.duration * HEAD / attempts, "warmup": 0.0})
    assert differences(models.simulate(head, replication), compiled.simulate(head, replication)) == []
    return Run(described, compiled.simulate(described, replication))


class Run:
    """A run and its columns; requests are those of the measured window, in the order of their ids, which is that of arrival."""

    def __init__(self, described, records: Records):
        self.scenario = described
        self.records = records
        self.gauges = Gauges(records)
        self.window = records.duration - records.warmup

    @cached_property
    def requests(self):
        rows = self.records.requests
        rows = rows[rows["arrival"] >= self.records.warmup]
        return rows[np.argsort(rows["id"], kind="stable")]

    @cached_property
    def response(self):
        """Of requests answered ok or degraded."""
        return self._response(np.isin(self.requests["outcome"], GOOD))

    @cached_property
    def answered(self):
        """Time to the answer of whatever kind."""
        return self._response(self.requests["outcome"] != Outcome.IN_FLIGHT)

    def _response(self, chosen):
        return (self.requests["end"] - self.requests["arrival"])[chosen]

    def share(self, outcome):
        """Share of the answered requests."""
        outcomes = self.requests["outcome"]
        return float(np.mean(outcomes[outcomes != Outcome.IN_FLIGHT] == outcome))

    def throughput(self, outcome=Outcome.OK):
        """Requests of this outcome per second."""
        return float(np.sum(self.requests["outcome"] == outcome)) / self.window

    def mean(self, component, quantity):
        """Time average of a series."""
        return self.gauges.mean(component, quantity)

    def spans(self, endpoint):
        """Attempts at one endpoint that arrived in the window and have ended, in the order of requests and chains."""
        rows = self.records.spans
        rows = rows[rows["endpoint"] == self.records.names.index(endpoint)]
        rows = rows[(rows["arrived"] >= self.records.warmup) & ~np.isnan(rows["ended"])]
        return rows[np.lexsort((rows["chain"], rows["request"]))]

    def draws(self, distribution, stream, entities):
        """What the engine drew on a stream for these requests at their first try."""
        draw = sampler(distribution, stream_key(self.records.seed, self.records.replication, stream))
        return np.array([draw(int(entity), 0) for entity in entities])


def quantiles(values, *shares):
    return [float(value) for value in np.quantile(values, shares)]


def state_shares(arrivals, ends, begin, end):
    """Share of the time from `begin` to `end` in which 0, 1, 2 ... are inside."""
    times = np.concatenate([arrivals, ends[~np.isnan(ends)]])
    change = np.concatenate([np.ones(arrivals.size), -np.ones(np.sum(~np.isnan(ends)))])
    order = np.argsort(times, kind="stable")
    inside = np.concatenate([[0], np.cumsum(change[order])]).astype(int)
    edges = np.clip(np.concatenate([[begin], times[order], [end]]), begin, end)
    return np.bincount(np.maximum(inside, 0), weights=np.diff(edges)) / (end - begin)


@cache
def _cases(file):
    document = json.loads((GOLDEN / file).read_text())
    return {case["id"]: case for case in (document["cases"] if isinstance(document, dict) else document)}


def golden_names(file):
    return set(_cases(file))


class Golden:
    """One golden case: compares what was found with what is expected, and tells all differences at once."""

    def __init__(self, name, file="theory.json"):
        self.name = name
        self.case = _cases(file)[name]
        self.params = self.case.get("params", {})
        self.expected = self.case.get("expected", {})
        self.wrong = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        assert kind or not self.wrong, "\n".join(self.wrong)

    def near(self, name, found, *, relative=0.0, absolute=0.0, expected=None):
        """`name` is a path with slashes into what is expected, or a label where `expected` is given."""
        expected = self._at(name) if expected is None else expected
        allowed = max(relative * abs(expected), absolute)
        line = f"{self.name} {name}: found {found:.6g}, expected {expected:.6g}, off by {found - expected:+.2g} of {allowed:.2g} allowed"
        print(line)
        if not abs(found - expected) <= allowed:
            self.wrong.append(line)

    def _at(self, path):
        value = self.expected
        for key in path.split("/"):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value
