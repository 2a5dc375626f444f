"""One station against queueing theory: M/M/c, loss, M/G/1, processor sharing, impatience. Golden cases T01 to T08."""

import numpy as np
import pytest

from sim.vocabulary import Outcome

from .systems import STATION, Golden, quantiles, run, state_shares

LAWS = {
    "deterministic": "constant: 100ms",
    "lognormal": "lognormal: {mean: 100ms, cv: 2}",
    "exponential": "exponential: 100ms",
}
any_law = pytest.mark.parametrize("law", LAWS)
WORK = "services.station.endpoints.serve.0.work"


@pytest.mark.long
def test_t01_mm1():
    system = run(STATION, "duration=38000s", "warmup=100s")
    states = state_shares(system.requests["arrival"], system.requests["end"], 100.0, 38_000.0)
    with Golden("T01") as golden:
        golden.near("utilization", system.mean("station", "busy"), relative=0.02)
        golden.near("mean_response", system.response.mean(), relative=0.02)
        golden.near("mean_wait", system.mean("station", "queue") / 80, relative=0.02)
        golden.near("mean_in_queue", system.mean("station", "queue"), relative=0.02)
        golden.near("mean_in_system", states @ np.arange(states.size), relative=0.02)
        for name, value in zip(
            ("p50", "p90", "p95", "p99"), quantiles(system.response, 0.5, 0.9, 0.95, 0.99), strict=True
        ):
            golden.near(f"response_{name}", value, relative=0.04)
        golden.near("p_empty", states[0], relative=0.02)
        golden.near("p_n_ge_10", states[10:].sum(), relative=0.04)


@pytest.mark.long
def test_t02_mm4():
    station = ("services.station.workers=4", f"{WORK}=exponential: 50ms", "traffic.clients.arrivals.poisson=64/s")
    system = run(STATION, *station, "duration=32000s", "warmup=100s", "record.spans=all")
    spans = system.spans("station.serve")
    wait = spans["started"] - spans["arrived"]
    shares = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
    with Golden("T02-rho0.8") as golden:
        golden.near("rho", system.mean("station", "busy") / 4, relative=0.01)
        golden.near("p_wait", np.mean(wait > 0), relative=0.03)
        golden.near("mean_wait", wait.mean(), relative=0.03)
        golden.near("mean_response", system.response.mean(), relative=0.03)
        golden.near("mean_in_queue", system.mean("station", "queue"), relative=0.03)
        golden.near("mean_in_system", system.mean("station", "queue") + system.mean("station", "busy"), relative=0.03)
        for name, share in shares.items():
            golden.near(f"wait_{name}", np.quantile(wait, share), relative=0.05)
            golden.near(f"response_{name}", np.quantile(system.response, share), relative=0.05)


@pytest.mark.long
def test_t03a_a_bounded_queue_sheds_at_125_percent():
    """4 workers and 6 places to wait; the rest hears no at once."""
    station = (
        "services.station.workers=4",
        "services.station.queue.capacity=6",
        f"{WORK}=exponential: 50ms",
        "traffic.clients.arrivals.poisson=100/s",
    )
    system = run(STATION, *station, "duration=4000s", "warmup=10s", "record.spans=all")
    spans = system.spans("station.serve")
    wait = (spans["started"] - spans["arrived"])[spans["outcome"] == Outcome.OK]
    with Golden("T03a") as golden:
        golden.near("p_block", system.share(Outcome.SHED), absolute=0.003)
        golden.near("throughput", system.throughput(), absolute=0.3)
        golden.near("mean_in_system", system.mean("station", "queue") + system.mean("station", "busy"), relative=0.01)
        golden.near("mean_wait_accepted", wait.mean(), relative=0.015)
        golden.near("mean_response_accepted", system.response.mean(), relative=0.01)
        golden.near("utilization", system.mean("station", "busy") / 4, relative=0.005)
        golden.near("p_wait_accepted", np.mean(wait > 0), relative=0.01)
    assert (
        system.answered[system.requests["outcome"][system.requests["outcome"] != Outcome.IN_FLIGHT] == Outcome.SHED]
        == 0
    ).all()


@pytest.mark.long
@any_law
def test_t03c_erlang_loss_is_insensitive_to_the_distribution(law):
    station = (
        "services.station.workers=8",
        "services.station.queue.capacity=0",
        f"{WORK}={LAWS[law]}",
        "traffic.clients.arrivals.poisson=60/s",
    )
    system = run(STATION, *station, "duration=3000s", "warmup=10s")
    with Golden("T03c") as golden:
        golden.near("p_block", system.share(Outcome.SHED), absolute=0.003)
        golden.near("throughput", system.throughput(), absolute=0.003 * 60)
        golden.near("mean_busy", system.mean("station", "busy"), relative=0.02 if law == "lognormal" else 0.01)


@pytest.mark.long
@any_law
def test_t04_unlimited_workers_hold_a_poisson_number(law):
    station = (
        "services.station.workers=unlimited",
        f"{WORK}={LAWS[law].replace('100ms', '50ms')}",
        "traffic.clients.arrivals.poisson=200/s",
    )
    system = run(STATION, *station, "duration=1250s", "warmup=10s")
    states = state_shares(system.requests["arrival"], system.requests["end"], 20.0, 1250.0)
    number = np.arange(states.size)
    with Golden("T04") as golden:
        golden.near("mean_in_system", states @ number, relative=0.02)
        golden.near("var_in_system", states @ (number - 10) ** 2, relative=0.02)
        golden.near("mean_response", system.response.mean(), relative=0.02)
        if law == "exponential":
            golden.near("exp_response_p99", np.quantile(system.response, 0.99), relative=0.02)


@pytest.mark.long
def test_t04_the_tails_of_the_poisson_number():
    station = (
        "services.station.workers=unlimited",
        f"{WORK}=exponential: 50ms",
        "traffic.clients.arrivals.poisson=200/s",
    )
    system = run(STATION, *station, "duration=15000s", "warmup=10s")
    states = state_shares(system.requests["arrival"], system.requests["end"], 20.0, 15_000.0)
    with Golden("T04") as golden:
        golden.near("p_n_gt_15", states[16:].sum(), relative=0.02)
        golden.near(
            "p_n_eq_0", states[0], absolute=4 * np.sqrt(4.54e-5 * 0.005 / 15_000)
        )  # visits to 0 are rare and last 5 ms in the mean


@pytest.mark.long
def test_t05_and_t06_md1():
    """Pollaczek-Khinchine for the mean, Erlang's formula for the quantiles."""
    system = run(STATION, f"{WORK}=10ms", "duration=38000s", "warmup=100s")
    with Golden("T05-deterministic") as golden:
        golden.near("mean_wait", system.mean("station", "queue") / 80, relative=0.02)
        golden.near("mean_response", system.response.mean(), relative=0.02)
        golden.near("mean_in_system", system.mean("station", "queue") + system.mean("station", "busy"), relative=0.02)
        golden.near("p_wait", np.mean(system.response > 0.010000001), relative=0.02)
    with Golden("T06a") as golden:
        golden.near("mean_wait", system.response.mean() - 0.01, relative=0.02)
        golden.near("mean_response", system.response.mean(), relative=0.02)
        for name, value in zip(
            ("p50", "p90", "p95", "p99"), quantiles(system.response, 0.5, 0.9, 0.95, 0.99), strict=True
        ):
            golden.near(f"response_{name}", value, relative=0.02)
            golden.near(f"wait_{name}", value - 0.01, relative=0.02)


@pytest.mark.long
def test_t05_lognormal():
    station = (f"{WORK}=lognormal: {{mean: 10ms, cv: 2}}", "duration=40000s", "warmup=100s")
    systems = [run(STATION, *station, replication=replication) for replication in range(2)]
    with Golden("T05-lognormal") as golden:
        golden.near("mean_wait", np.mean([system.mean("station", "queue") for system in systems]) / 80, relative=0.04)
        golden.near("mean_response", np.mean([system.response.mean() for system in systems]), relative=0.04)
        golden.near(
            "mean_in_system",
            np.mean([system.mean("station", "queue") + system.mean("station", "busy") for system in systems]),
            relative=0.04,
        )
        golden.near("p_wait", 1 - np.mean([share_empty(system) for system in systems]), relative=0.02)


def share_empty(system):
    return state_shares(system.requests["arrival"], system.requests["end"], 100.0, system.records.duration)[0]


@pytest.mark.long
def test_t07a_processor_sharing():
    """A core shared by all who compute: the mean is that of M/M/1, a job is slowed down in proportion to its size."""
    system = run(
        STATION, "services.station.workers=unlimited", "services.station.cores=1", "duration=40000s", "warmup=100s"
    )
    response = system.response
    with Golden("T07a") as golden:
        golden.near("mean_response", response.mean(), relative=0.02)
        golden.near("var_response", response.var(), relative=0.05)
        golden.near("response_p50", np.median(response), relative=0.02)
        golden.near("response_p95", np.quantile(response, 0.95), relative=0.05)
        golden.near("response_p99", np.quantile(response, 0.99), relative=0.05)
        some = system.requests[:1_500_000]
        size = system.draws(
            system.scenario.services["station"].endpoints["serve"].do[0].time, "station.serve.work", some["id"]
        )
        its = (some["end"] - some["arrival"]) / size
        like = (size > 0.018) & (size < 0.022)
        golden.near("mean_response_of_job_size_20ms", its[like].mean() * 0.02, relative=0.02)
        golden.near("slowdown", its.mean(), relative=0.02)


@pytest.mark.long
def test_t08b_impatience_in_the_queue():
    """Who has waited 100 ms leaves."""
    station = (
        "services.station.workers=4",
        "services.station.queue.timeout=100ms",
        f"{WORK}=exponential: 50ms",
        "traffic.clients.arrivals.poisson=100/s",
    )
    system = run(STATION, *station, "duration=4000s", "warmup=10s", "record.spans=all")
    spans = system.spans("station.serve")
    served = spans["outcome"] == Outcome.OK
    wait = np.where(served, spans["started"], spans["ended"]) - spans["arrived"]
    with Golden("T08b") as golden:
        golden.near("p_abandon", system.share(Outcome.SHED), absolute=0.004)
        golden.near("p_wait", np.mean(wait > 0), absolute=0.004)
        golden.near("throughput", system.throughput(), absolute=0.4)
        golden.near("mean_wait_all", wait.mean(), relative=0.01)
        golden.near("mean_wait_served", wait[served].mean(), relative=0.01)
        golden.near("utilization", system.mean("station", "busy") / 4, relative=0.005)
    assert np.allclose(wait[~served], 0.1, atol=1e-9)


@pytest.mark.long
def test_t08d_a_client_gives_up_and_the_server_does_not_know():
    system = run(STATION, "traffic.clients.timeout=100ms", "duration=40000s", "warmup=100s")
    with Golden("T08d") as golden:
        golden.near("p_timeout", system.share(Outcome.TIMEOUT), absolute=0.004)
        golden.near("goodput", system.throughput(), absolute=0.004 * 80)
        golden.near("server_utilization", system.mean("station", "busy"), absolute=0.004)
        golden.near("mean_client_latency", system.answered.mean(), relative=0.02)
