"""The front door has exactly the names that its docstring tells, hides no room, and opens fast."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import pytest

import sim


def documented() -> set[str]:
    """The names in the list of the docstring: indented four, before two or more spaces."""
    middle = sim.__doc__.partition("The front door.")[2].partition("The house")[0]
    rows = re.findall(r"^    (\w[\w, ]*?)  +\S", middle, re.MULTILINE)
    return {name for row in rows for name in row.split(", ")}


def test_the_door_has_exactly_the_documented_names():
    assert documented() == set(sim.__all__)
    assert len(sim.__all__) <= 24


@pytest.mark.parametrize("name", sim.__all__)
def test_every_name_is_there_and_is_documented(name):
    assert getattr(sim, name).__doc__


def test_no_name_hides_a_room():
    """`sim.run()` may not stand beside a `sim/run.py`."""
    assert [name for name in sim.__all__ if importlib.util.find_spec(f"sim.{name}") is not None] == []


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        _ = sim.simulat


def test_importing_sim_and_its_command_line_imports_nothing_heavy():
    heavy = ("numpy", "pandas", "numba", "scipy", "simpy", "pydantic", "matplotlib", "ruamel")
    code = f"import sys, sim, sim.cli; print([name for name in {heavy!r} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.long
def test_a_short_run_imports_nothing_that_it_does_not_need():
    """Each of these takes as long to import as a thousand requests take to simulate, or a hundred thousand."""
    heavy = (
        "numba",
        "scipy",
        "pandas",
        "pyarrow",
        "matplotlib",
        "distributed",
        "asyncio",
        "multiprocessing",
        "concurrent.futures",
        "unittest",
        "lz4",
    )
    command = ["run", "01-one-queue", "--set", "duration=1m", "--set", "warmup=0", "--replications", "2", "--json", "-"]
    code = f"import sys, sim.cli; print(sim.cli.answer({command!r}), [name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0 []"


def test_a_shipped_scenario_a_path_and_a_study_are_all_welcome(tmp_path):
    text = "version: 1\nduration: 5s\ntraffic: {a: {sends: b.c, arrivals: {poisson: 5/s}}}\nservices: {b: {workers: 1, endpoints: {c: [{work: 1ms}]}}}\n"
    (tmp_path / "small.yaml").write_text(text)
    by_path = sim.run(tmp_path / "small.yaml", replications=1)
    by_study = sim.run(sim.load_text(text), replications=1)
    assert by_path.fingerprint == by_study.fingerprint
    assert sim.check("payment-outage").loads
