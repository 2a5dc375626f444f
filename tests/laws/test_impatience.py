"""Clients who bear to wait an exponential time: Erlang A, and what is lost where a server does not know that they have gone.

Each law is summed from the birth and death of the number in the system, or is a Laplace transform; no figure of a run is in them.
"""

import math

import numpy as np
import pytest

from sim.vocabulary import Outcome

from .systems import STATION, run

LAMBDA, MU, THETA, C = 100.0, 20.0, 4.0, 4  # arrivals, services of one worker and losses of one client, per second
FOUR = (
    f"services.station.workers={C}",
    f"traffic.clients.arrivals.poisson={LAMBDA}/s",
    f"traffic.clients.patience=exponential: {1 / THETA}s",
    "duration=600s",
    "warmup=10s",
)


def number_in_system(deaths):
    """Stationary shares of n = 0, 1 ... where n clients make it LAMBDA, and unmake it deaths(n), times a second."""
    logs = np.concatenate([[0.0], np.cumsum([math.log(LAMBDA / deaths(n)) for n in range(1, 400)])])
    shares = np.exp(logs - logs.max())
    return shares / shares.sum()


@pytest.mark.parametrize(
    ("steps", "waiting"),
    [
        pytest.param("[reply, work: {exponential: 50ms}]", lambda n: max(n - C, 0), id="of those in the queue"),
        pytest.param("[work: {exponential: 50ms}]", lambda n: n, id="of those in the queue and of those being served"),
    ],
)
def test_who_goes_away_makes_room_where_the_server_is_told(steps, waiting):
    """M/M/4+M at 125 % load (Palm's Erlang A): the answer is there when the service begins, so only the queue is borne. Where it comes at the
    end, who is being served goes too, and frees the worker.
    """
    told = ("traffic.clients.deadline=propagate", f"services.station.endpoints.serve={steps}")
    system = run(STATION, *FOUR, *told)
    shares, n = number_in_system(lambda n: min(n, C) * MU + waiting(n) * THETA), np.arange(400)
    gone = THETA * sum(share * waiting(number) for number, share in enumerate(shares)) / LAMBDA
    assert system.share(Outcome.TIMEOUT) == pytest.approx(gone, abs=0.012)
    assert system.mean("station", "busy") == pytest.approx(shares @ np.minimum(n, C), rel=0.01)
    assert system.mean("station", "queue") == pytest.approx(shares @ np.maximum(n - C, 0), rel=0.08)


def test_a_server_that_does_not_know_works_for_those_who_have_gone():
    """M/M/1: the time in it is exponential with mu - lambda, so it is longer than an exponential patience with the share theta / (theta + mu - lambda)."""
    system = run(STATION, "traffic.clients.patience=exponential: 100ms", "duration=1500s", "warmup=20s")
    left, theta = 100.0 - 80.0, 10.0
    assert system.share(Outcome.TIMEOUT) == pytest.approx(theta / (theta + left), abs=0.015)
    assert system.throughput() == pytest.approx(80.0 * left / (theta + left), rel=0.03)
    assert system.mean("station", "busy") == pytest.approx(0.8, abs=0.015), "all that arrives is worked off"
    assert system.response.mean() == pytest.approx(1 / (theta + left), rel=0.03), "of who stays, the lesser of the two"
