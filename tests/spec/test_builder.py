"""Scenarios in Python say what files say: the same scenario, the same errors, every word and every field of it."""

import ast
import inspect
import keyword
import re
from pathlib import Path
from typing import get_args

import pytest

import sim
from sim import builder
from sim.builder import arrivals, distribution, fault, scenario, service, step, traffic
from sim.builder.write import FOLDER, WRITTEN, files
from sim.errors import ScenarioError, UsageError
from sim.experiments import shipped
from sim.spec.base import Kind, words

README = Path(__file__).parents[2] / "README.md"


def the_example() -> sim.Study:
    """The first example of the README, in Python."""
    return scenario(
        duration="5m",
        traffic={"shoppers": traffic(sends="orders.create", arrivals=arrivals.poisson("40/s"), timeout="3s")},
        services={
            "orders": service(
                workers=50, endpoints={"create": [step.work("5ms"), step.call("payments.charge", policy="provider")]}
            ),
            "payments": service(
                workers=8, endpoints={"charge": [step.wait(distribution.lognormal(mean="60ms", p99="400ms"))]}
            ),
        },
        policies={"provider": builder.call_policy(timeout="1s", retry=builder.retry(max_attempts=3))},
        faults=[fault.slow(at="2m", for_="1m", of="payments", by="5x")],
        variants={
            "retries": {},
            "breaker": {
                "policies": {"provider": {"circuit_breaker": builder.circuit_breaker(failures=5, within="1s")}}
            },
        },
        expect=["availability >= 50%"],
    )


def test_the_example_of_the_readme_is_the_same_in_python():
    text = re.search(r"^```yaml\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[1]
    assert the_example().variants == sim.load_text(text).variants


@pytest.mark.parametrize("name", ["payment-outage", "saga", "kafka-or-rabbitmq", "flash-sale-hpa"])
def test_a_map_gives_what_its_file_gives(name):
    file = shipped.load(name)
    assert sim.load(dict(file.document)).variants == file.variants


def test_a_map_is_taken_wherever_a_file_is_and_tells_the_same_errors():
    document = dict(the_example().document)
    assert sim.check(document).loads.keys() == {"retries", "breaker"}
    with pytest.raises(ScenarioError, match="did you mean 'workers'"):
        sim.load({"version": 1, "duration": "1m", "services": {"shop": {"wokers": 1}}})


def test_what_was_written_is_what_the_declarations_say():
    written = files()
    there = {path.relative_to(FOLDER).as_posix() for path in (FOLDER / WRITTEN).rglob("*.py")}
    assert there == written.keys() - {"__init__.py"}
    for name, text in written.items():
        assert ast.dump(ast.parse((FOLDER / name).read_text(encoding="utf-8"))) == ast.dump(ast.parse(text)), (
            f"sim/builder/{name} is out of date; write it anew: python sim/builder/write.py"
        )


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_word_is_a_function_with_its_fields(kind):
    module = getattr(builder, kind)
    for word, cls in words(kind).items():
        if not cls.__module__.startswith("sim."):
            continue
        function = getattr(module, f"{word}_" if keyword.iskeyword(word) else word)
        said = {name.rstrip("_") for name in inspect.signature(function).parameters}
        assert said == {its.alias or name for name, its in cls.model_fields.items()} - {"kind"}
        assert inspect.getdoc(function)


def test_what_is_not_said_is_not_in_the_map():
    assert step.call("orders.create", policy="patient") == {"call": "orders.create", "policy": "patient"}
    assert arrivals.poisson("40/s") == {"poisson": {"rate": "40/s"}}
    assert builder.stock(items=3) == {"items": 3}


def test_rows_of_all_replications_are_kept_where_they_are_asked_for():
    small = scenario(
        duration="5s",
        traffic={"users": traffic(sends="shop.buy", arrivals=arrivals.deterministic("2/s"))},
        services={"shop": service(workers=1, endpoints={"buy": [step.work(distribution.exponential("10ms"))]})},
    )
    told = {"replications": 3, "jobs": 1, "engine": "simpy"}
    kept = sim.run(small, rows="all", **told).variants["base"]
    # two a second for five seconds, the first after half of one: nine of them come before the end
    assert kept.all_requests.groupby("replication").size().tolist() == [9, 9, 9]
    with pytest.raises(UsageError, match='expected rows="all"'):
        _ = sim.run(small, **told).variants["base"].all_requests
    with pytest.raises(UsageError, match="did you mean 'all'"):
        sim.run(small, rows="alll", **told)
