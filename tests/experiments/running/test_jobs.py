"""One job: what it simulates by, and that this changes nothing in what comes back."""

import json

import pytest

from sim.chance import shared
from sim.experiments.running import jobs
from sim.experiments.running.jobs import Job, scenario_of, simulated
from tests.experiments.fakes import shop

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process loads machine code, not each


def records_of_the_shop():
    """Some 400 attempts, each with a draw of its arrival and of its work."""
    job = Job(json.dumps(shop().document), (), "one", seed=7, replication=0)
    return simulated(scenario_of(job), job, lambda _: None)


def test_a_long_run_on_simpy_draws_by_machine_code_and_draws_the_same(monkeypatch):
    monkeypatch.setattr(shared, "_worth_it", False)
    plain = records_of_the_shop()
    assert not shared.is_worth_machine_code()
    monkeypatch.setattr(jobs, "WORTH_MACHINE_CODE", 400)
    by_machine = records_of_the_shop()
    assert shared.is_worth_machine_code()
    assert by_machine.fingerprint() == plain.fingerprint()
