"""Which engine runs what, and that a run can be watched and interrupted."""

import pytest

import sim
from sim.compiled import Unsupported, simulate, why_not
from sim.errors import UsageError
from sim.experiments import shipped
from sim.experiments.running import engines
from sim.models import flows
from sim.spec.service import Service
from sim.spec.step import Work

pytestmark = pytest.mark.xdist_group("compiled")

QUEUE = """
version: 1
duration: {duration}
services: {{desk: {{workers: 1, endpoints: {{ask: [{{work: {{exponential: 5ms}}}}]}}}}}}
traffic: {{callers: {{sends: desk.ask, arrivals: {{poisson: 100/s}}}}}}
"""


def queue(duration="20s", sets=()):
    return next(iter(sim.load_text(QUEUE.format(duration=duration), sets=sets).variants.values()))


def test_a_step_of_a_plug_in_without_a_flow_runs_on_simpy_alone_and_is_named(monkeypatch):
    study = sim.load("09-cache-plugin", plugins=[shipped.folder() / "cache.py"])
    monkeypatch.setattr(flows, "_flows", {})  # only now: a plug-in that is loaded once registers its flow once
    assert {why_not(scenario) for scenario in study.variants.values()} == {"", "the step 'cache'"}
    cached = next(scenario for scenario in study.variants.values() if why_not(scenario))
    with pytest.raises(Unsupported, match="the step 'cache'"):
        simulate(cached)
    with pytest.raises(
        UsageError, match=r"engine: found the step 'cache', which only SimPy runs; expected --engine simpy or auto"
    ):
        engines.chosen_engine("compiled", [cached], 1)
    assert engines.chosen_engine("auto", [cached], 1_000_000).engine == "simpy"


@pytest.mark.parametrize(
    ("spec", "only", "word"), [(Service, ("workers",), "workers"), (Service, ("cores",), ""), (Work, True, "work")]
)
def test_words_that_say_so_of_themselves_run_on_simpy_alone(spec, only, word, monkeypatch):
    monkeypatch.setattr(spec, "simpy_only", only)  # `cores` is not said in this scenario
    assert why_not(queue(sets=["services.desk.workers=2"])) == (f"the word '{word}'" if word else "")


def test_spans_are_no_reason_for_an_engine():
    assert why_not(queue(sets=["record.spans=all"])) == ""


def test_auto_takes_what_repays_its_loading(monkeypatch):
    monkeypatch.setattr("sim.compiled.is_ready", lambda: True)
    assert engines.chosen_engine("auto", [queue()], 1).engine == "simpy"
    assert engines.chosen_engine("auto", [queue("3000s")], 1).engine == "compiled"
    monkeypatch.setattr("sim.compiled.is_ready", lambda: False)
    assert engines.chosen_engine("auto", [queue("3000s")], 1).engine == "simpy"


@pytest.mark.parametrize(
    ("processors", "here", "attempts", "told"),
    [
        (
            2,
            True,
            2.9e6,
            "engine simpy: about 2,900,000 attempts; the compiled one is not compiled yet, which repays from 3,000,000 on",
        ),
        (
            2,
            True,
            3.1e6,
            "engine simpy: about 3,100,000 attempts; the compiled one is being compiled beside it, a minute or so, once on this machine",
        ),
        (
            1,
            True,
            5.9e6,
            "engine simpy: about 5,900,000 attempts; the compiled one is not compiled yet, which repays from 6,000,000 on",
        ),
        (1, True, 6.1e6, "engine compiled: about 6,100,000 attempts"),
        (
            2,
            False,
            5.9e6,
            "engine simpy: about 5,900,000 attempts; the compiled one is not compiled yet, which repays from 6,000,000 on",
        ),
    ],
)
def test_what_is_not_compiled_is_compiled_beside_where_a_processor_is_to_spare_and_before_where_none_is(
    processors, here, attempts, told, monkeypatch, tmp_path
):
    """Not on a cluster, whose machines have machine code of their own; nor where it cannot be kept for other processes."""
    monkeypatch.setattr("sim.compiled.is_ready", lambda: False)
    monkeypatch.setattr("sim.compiled.prepare", lambda: None)
    monkeypatch.setattr("sim.experiments.running.executors.cores", lambda: processors)
    monkeypatch.setattr("sim.chance.compiler.cache_directory", lambda: tmp_path)
    monkeypatch.setattr("sim.chance.compiler.cache_note", lambda: "")
    monkeypatch.setattr(engines, "_make_now", lambda: None)

    class Heard:
        def chose(self, words):
            self.words = words

    outcome_of_attempt = Heard()
    choice = engines.chosen_engine("auto", [queue(f"{attempts / 100 / 10}s")], 10, outcome_of_attempt, here=here)
    assert outcome_of_attempt.words.startswith(told)
    assert choice.either
    monkeypatch.setattr("sim.chance.compiler.cache_directory", lambda: None)
    monkeypatch.setattr("sim.chance.compiler.cache_note", lambda: "in every process anew, for its place is full")
    engines.chosen_engine("auto", [queue("3100s")], 10, outcome_of_attempt)
    assert outcome_of_attempt.words.endswith(
        "the compiled one is compiled in every process anew, for its place is full, which repays from 6,000,000 on"
    )


CHAIN = """
version: 1
duration: 1000s
services:
  a: {workers: 9, endpoints: {x: [{call: b.x}, {call: b.x}, {publish: t}]}}
  b: {workers: 9, endpoints: {x: [{work: 1ms}]}}
  c: {workers: 9, consumes: {t: {group: g, do: [{work: 1ms}]}}}
brokers: {k: {kind: log, topics: {t: {}}}}
traffic: {u: {sends: a.x, arrivals: ARRIVALS}}
"""


@pytest.mark.parametrize(
    ("arrivals", "requests"), [("{poisson: 50/s}", 50_000), ("{closed: {users: 100, think: 2s}}", 100 * 1000 / 2.002)]
)
def test_attempts_are_counted_and_the_reason_is_told(arrivals, requests, monkeypatch):
    """A request is one of its own endpoint, two calls, a publication and its delivery; closed users come as often as they think, N / (Z + D)."""
    monkeypatch.setattr("sim.compiled.is_ready", lambda: True)
    scenario = next(iter(sim.load_text(CHAIN.replace("ARRIVALS", arrivals)).variants.values()))
    assert engines.attempts_of(scenario) == pytest.approx(5 * requests, rel=1e-3)

    class Heard:
        def __call__(self, *_):
            pass

        def chose(self, words):
            self.words = words

    outcome_of_attempt = Heard()
    assert engines.chosen_engine("auto", [scenario], 1, outcome_of_attempt).engine == "compiled"
    assert outcome_of_attempt.words == "engine compiled: about 250,000 attempts"
    assert (
        engines.chosen_engine("auto", [scenario.model_copy(update={"duration": 100.0})], 1, outcome_of_attempt).engine
        == "simpy"
    )
    assert (
        outcome_of_attempt.words
        == "engine simpy: about 25,000 attempts; from 200,000 on loading the compiled one repays"
    )


def test_the_choice_never_changes_a_result():
    study = sim.load_text(QUEUE.format(duration="20s"))
    found = [sim.run(study, replications=2, jobs=1, engine=engine) for engine in ("simpy", "compiled")]
    assert [result.engine for result in found] == ["simpy", "compiled"]
    assert found[0].fingerprint == found[1].fingerprint


@pytest.mark.long
def test_an_explanation_is_the_same_on_both_engines():
    study = sim.load("05-breaker")
    found = [
        sim.explain(study, ["no-breaker", "breaker"], replications=1, jobs=1, engine=engine)
        for engine in ("simpy", "compiled")
    ]
    assert [explanation.comparison.engine for explanation in found] == ["simpy", "compiled"]
    assert found[0].parts.equals(found[1].parts)
    assert found[0].use.equals(found[1].use)
    assert set(found[0].parts["quantile"]) == {"p50", "p99"}


def test_a_run_is_watched_and_interrupted(monkeypatch):
    from sim.compiled import machine

    monkeypatch.setattr(machine, "EVENTS_AT_ONCE", 500)
    seen = []
    simulate(queue(), progress=seen.append)
    assert len(seen) > 5
    assert seen == sorted(seen)

    def impatient(now):
        if now > 10.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(queue(), progress=impatient)
