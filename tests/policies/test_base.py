"""Policies as functions: plain by default, compiled on demand, from one source."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from sim.policies import breaker, limiter
from sim.policies.base import dtype_of, policy, table_of


@dataclass(slots=True)
class CounterRow:
    count: int = 0
    total: float = 0.0


@policy
def count(row, amount):
    row.total = twice(row.total) + amount


@policy
def twice(x):
    return 2.0 * x


def test_importing_the_policies_does_not_import_numba():
    modules = "balancer, breaker, budget, bulkhead, limiter, partitioner, retry"
    code = f"import sys; from sim.policies import {modules}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_policy_is_the_plain_function_itself():
    assert type(twice) is type(lambda: 0)
    assert twice(1.5) == 3.0


def test_a_compiled_policy_calls_compiled_policies_also_those_defined_after_it():
    table = table_of([CounterRow(total=1.0)])
    count.compiled(table[0], 0.5)
    assert table[0]["total"] == 2.5


@pytest.mark.long
def test_numba_code_may_name_the_compiled_twin():
    import numba

    admit, record = breaker.admit.compiled, breaker.record.compiled

    @numba.njit
    def admitted(rows, rings):
        answers = 0
        for i in range(10):
            ticket = admit(rows[0], rings[0], 0.1 * i)
            if ticket >= 0:
                record(rows[0], rings[0], 0.1 * i, ticket, 1, 0.05)
                answers += 1
        return answers

    rows = table_of([breaker.BreakerRow(size=3, within=1.0, open_for=5.0)])
    assert admitted(rows, np.zeros((1, 3))) == 3
    assert rows[0]["state"] == breaker.OPEN


def test_records_have_the_fields_of_the_row_in_order_and_aligned():
    dtype = dtype_of(limiter.LimiterRow)
    assert dtype.names == limiter.LimiterRow.__slots__
    assert dtype.isalignedstruct
    assert {dtype[name] for name in dtype.names} == {np.dtype(np.int64), np.dtype(np.float64)}


def test_a_table_holds_the_rows():
    rows = [CounterRow(i, i / 2) for i in range(3)]
    assert table_of(rows).tolist() == [(0, 0.0), (1, 0.5), (2, 1.0)]
