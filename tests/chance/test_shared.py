"""Functions of both engines: plain until somebody wants machine code, and numba is not loaded before."""

import subprocess
import sys

import numba

from sim.chance import shared
from sim.chance.compiler import compiled
from sim.chance.shared import as_objects, machine_code, quickest
from sim.chance.table import ROW, DrawTable
from sim.spec import distribution as spec


@shared.shared
def half(x):
    return x / 2 if x > 1 else later(x)


def _wide(x):
    return x + 100.0


@shared.shared(machine=_wide)
def later(x):
    return x + 1.0


def test_a_shared_function_is_the_plain_function_itself():
    assert type(half) is type(lambda: 0)
    assert half(3) == 1.5
    assert half(0.5) == 1.5


def test_machine_code_calls_machine_code_also_of_what_is_defined_later_or_written_apart():
    assert machine_code(half)(0.5) == 100.5
    assert machine_code(half, "(float64,)")(0.5) == 100.5


def test_compiled_code_may_name_a_shared_function():
    @compiled
    def twice(x):
        return half(x) * 2

    @numba.njit
    def thrice(x):
        return later(x) * 3

    assert twice(3.0) == 3.0
    assert thrice(1.0) == 303.0


def test_the_quickest_is_plain_until_machine_code_is_worth_loading(monkeypatch):
    monkeypatch.setattr(shared, "_worth_it", False)
    assert quickest(later, "(float64,)")(1.0) == 2.0
    shared.worth_machine_code()
    assert quickest(later, "(float64,)")(1.0) == 101.0


def test_rows_as_objects_have_plain_numbers():
    table = DrawTable()
    table.add(spec.Exponential(mean="2s"), "work")
    (row,) = as_objects(table.arrays(1, 0).rows)
    assert list(vars(row)) == list(ROW.names)
    assert (type(row.key), type(row.kind), row.p0) == (int, int, 2.0)


def test_a_run_on_simpy_does_not_load_numba():
    """Every kind of draw in it."""
    code = """
import sys
from sim import testing
arrivals = ["{poisson: 50/s}", "{deterministic: 5/s}", "{mmpp: {rates: [1/s, 20/s], stays: [1s, 1s]}}", "{profile: [{for: 5s, from: 1/s, to: 9/s}]}"]
kinds = ["exponential: 1ms", "lognormal: {mean: 1ms, p99: 9ms}", "gamma: {mean: 1ms, cv: 2}", "mixture: [{weight: 1, constant: 1ms}, {weight: 1, constant: 2ms}]"]
steps = ", ".join("{work: {%s}}" % kind for kind in kinds)
traffic = ", ".join("t%d: {sends: a.x, arrivals: %s, users: {count: 9, popularity: {zipf: 1}}}" % pair for pair in enumerate(arrivals))
played = testing.play("{version: 1, duration: 10s, traffic: {%s}, services: {a: {workers: 9, endpoints: {x: [%s]}}}}" % (traffic, steps))
sys.exit(len(played.responses()) < 100 or "numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
