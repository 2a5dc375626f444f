"""Threads that slow one another: the Universal Scalability Law, and jobs whose pace changes with whoever comes and goes."""

import math
import random

import numpy as np
import pytest

import sim
from sim import testing
from sim.experiments.on_paper.contention import together_of
from sim.experiments.on_paper.offered_load import analysis_of, check
from sim.models import simulate
from sim.spec import load_text
from sim.testing import scripted
from sim.vocabulary import Outcome

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

SERIAL, CROSSTALK = 0.05, 0.005


def law(threads, serial=SERIAL, crosstalk=CROSSTALK):
    """X(N) / X(1), as Gunther writes it."""
    return threads / (1.0 + serial * (threads - 1) + crosstalk * threads * (threads - 1))


def under_contention(works, arrivals, serial, crosstalk, cores=math.inf):
    """Ends of jobs that share cores and slow one another, worked out piece by piece between arrivals and ends."""
    left, ends, now = dict(enumerate(works)), [0.0] * len(works), 0.0
    while left:
        active = [j for j in left if arrivals[j] <= now + 1e-12]
        count = len(active)
        pace = law(count, serial, crosstalk) / count * min(1.0, cores / count) if active else 0.0
        following = [t for t in arrivals if t > now + 1e-12] + [now + left[j] / pace for j in active]
        for j in active:
            left[j] -= (min(following) - now) * pace
        now = min(following)
        for j in [j for j in active if left[j] <= 1e-12]:
            ends[j] = now
            del left[j]
    return ends


def played(works, arrivals, contention, more=()):
    service = {"workers": "unlimited", "contention": contention, "endpoints": {"get": [{"work": scripted(*works)}]}}
    return testing.play_on_both({"duration": "60s", "services": {"app": {**service, **dict(more)}}}, arrivals)


def ends(run):
    return run.requests["end"].tolist()


@pytest.mark.parametrize("users", [1, 4, 14, 40])
def test_users_without_think_time_do_what_the_law_says(users):
    """N at work all the time, each piece of 10 ms: X(N) of 100/s, most at sqrt(0.95 / 0.005) = 13.8 users, and less beyond."""
    run = testing.play_on_both(f"""
        version: 1
        duration: 500ms
        services:
          app: {{workers: 100, contention: {{serial: 5%, crosstalk: 0.5%}}, endpoints: {{get: [{{work: 10ms}}]}}}}
        traffic: {{clients: {{sends: app.get, arrivals: {{closed: {{users: {users}, think: 0s}}}}}}}}
        network: {{default: {{latency: 0s}}}}
    """)
    requests = run.records.requests[run.records.requests["outcome"] == Outcome.OK]
    responses = requests["end"] - requests["arrival"]
    assert users / responses == pytest.approx(100.0 * law(users))
    assert len(responses) == pytest.approx(0.5 * 100.0 * law(users), abs=users)


def test_the_pace_of_who_is_at_work_changes_when_another_comes_and_when_he_goes():
    """Half as slow again with two (serial 50 %): 50 ms alone, 75 ms for the next 50 of both, and 50 ms for the first."""
    run = played([0.15, 0.05], [0.0, 0.05], {"serial": "50%"})
    assert ends(run) == pytest.approx([0.175, 0.125])


def test_a_wait_slows_nobody_and_is_not_slowed():
    service = {
        "workers": 9,
        "contention": {"serial": "50%"},
        "endpoints": {"get": [{"wait": "100ms"}, {"work": "10ms"}]},
    }
    run = testing.play_on_both({"services": {"app": service}}, [0.0, 0.1])
    assert ends(run) == pytest.approx([0.11, 0.21])


def test_who_is_cancelled_slows_the_others_no_longer():
    """Alone for 100 ms of the second's 250: 100 + 75 for 50 of it beside the first, who leaves at 175 ms, and 100 more."""
    run = testing.play_on_both(
        {
            "duration": "1s",
            "network": {"default": {"latency": "0s"}},
            "traffic": {
                "patient": {"sends": "app.get", "arrivals": {"poisson": "1/s"}},
                "hasty": {
                    "sends": "app.get",
                    "timeout": "75ms",
                    "deadline": "propagate",
                    "arrivals": {"poisson": "1/s"},
                },
            },
            "services": {
                "app": {"workers": 9, "contention": {"serial": "50%"}, "endpoints": {"get": [{"work": "250ms"}]}}
            },
        },
        {"patient": [0.0], "hasty": [0.1]},
    )
    requests = run.records.requests
    assert requests["end"][requests["source"] == run.records.names.index("patient")].tolist() == pytest.approx([0.275])


@pytest.mark.parametrize("seed", range(6))
def test_random_jobs_end_when_the_reckoning_says(seed):
    draw = random.Random(seed)
    count = draw.randint(2, 25)
    works = [draw.choice((0.001, 0.013, 0.05, 0.2)) * draw.uniform(0.5, 2.0) for _ in range(count)]
    arrivals = sorted(draw.uniform(0.0, 0.5) for _ in range(count))
    serial, crosstalk = draw.choice((0.0, 0.03, 0.4)), draw.choice((0.001, 0.02))
    cores = draw.choice((None, 1, 2, 5))
    run = played(works, arrivals, {"serial": serial, "crosstalk": crosstalk}, {"cores": cores} if cores else {})
    assert ends(run) == pytest.approx(under_contention(works, arrivals, serial, crosstalk, cores or math.inf), abs=1e-9)


BIRTH_AND_DEATH = """
version: 1
duration: 250s
warmup: 10s
network: {default: {latency: 0s}}
traffic: {clients: {sends: app.get, arrivals: {poisson: 480/s}}}
services:
  app: {workers: 30, queue: {capacity: 10}, contention: {serial: 5%, crosstalk: 0.5%}, endpoints: {get: [{work: {exponential: 10ms}}]}}
"""


@pytest.mark.long
def test_exponential_work_is_a_birth_and_death_process_whose_deaths_follow_the_law():
    """p(n+1) / p(n) = 480 / X(min(n + 1, 30)); who finds 40 inside is shed. Little's law gives the mean response."""
    weights = [1.0]
    for number in range(1, 41):
        weights.append(weights[-1] * 480.0 / (100.0 * law(min(number, 30))))
    shares = np.array(weights) / sum(weights)
    (scenario,) = sim.load_text(BIRTH_AND_DEATH).variants.values()
    requests = simulate(scenario).requests
    requests = requests[(requests["arrival"] >= 10.0) & (requests["outcome"] != Outcome.IN_FLIGHT)]
    well = requests[requests["outcome"] == Outcome.OK]
    assert 1.0 - len(well) / len(requests) == pytest.approx(shares[-1], rel=0.05)
    mean = float(shares @ np.arange(41)) / (480.0 * (1.0 - shares[-1]))
    assert (well["end"] - well["arrival"]).mean() == pytest.approx(mean, rel=0.04)


# -- on paper ----------------------------------------------------------------------------------------------------------

PAPER = """
version: 1
duration: 10s
warmup: 1s
traffic: {clients: {sends: app.get, arrivals: {poisson: 300/s}}}
services:
  app: {replicas: 2, workers: WORKERS, contention: {serial: 5%, crosstalk: 0.5%}, queue: {capacity: 9}, endpoints: {get: [{work: 10ms}]}}
"""


@pytest.mark.parametrize(("workers", "best"), [("100", 14), ("8", 8), ("unlimited", 14)])
def test_on_paper_a_replica_does_most_at_the_peak_or_with_all_its_workers(workers, best):
    """3 at once are asked of two replicas, each of which does law(14) = 5.47 times what one thread does, at best."""
    (scenario,) = sim.load_text(PAPER.replace("WORKERS", workers)).variants.values()
    stations = {(its.name, its.resource): its for its in analysis_of(scenario).load("base").stations}
    threads = stations["app", "threads"]
    assert threads.servers == pytest.approx(2 * law(best))
    assert threads.utilisation == pytest.approx(3.0 / (2 * law(best)))
    assert max(law(number) for number in range(1, 100)) == law(14)


def test_check_tells_of_workers_beyond_the_peak():
    report = str(check(sim.load_text(PAPER.replace("WORKERS", "100"))))
    assert "14 threads at once do 5.47 times as much as one, all 100 only 1.8 times" in " ".join(report.split())
    assert "services.app.contention" not in str(check(sim.load_text(PAPER.replace("WORKERS", "14"))))
    assert "and there is one" in " ".join(str(check(sim.load_text(PAPER.replace("WORKERS", "1")))).split())


def test_what_slows_nothing_is_refused():
    with pytest.raises(sim.errors.ScenarioError, match="found neither `serial` nor `crosstalk` above 0%"):
        sim.load_text(PAPER.replace("WORKERS", "1").replace("{serial: 5%, crosstalk: 0.5%}", "{}"))


def test_on_paper_a_quota_of_two_cores_bounds_the_threads_that_help():
    """The peak is at 31 threads, but two cores' worth of a quota is all they have."""
    text = """version: 1
duration: 10s
services: {a: {workers: 40, cpu: {limit: 2}, contention: {serial: 3%, crosstalk: 0.1%}, endpoints: {e: [{work: 10ms}]}}}
traffic: {u: {sends: a.e, arrivals: {poisson: 10/s}}}
"""
    together = together_of(load_text(text).variants["base"].services["a"])
    assert together is not None
    assert together.cores == 2
