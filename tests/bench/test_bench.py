"""Every benchmark runs, at a size that says nothing about speed. Figures are for people to look at; here it only matters that there are some."""

import math

import pytest

from sim import compiled
from sim.chance.compiler import cache_directory
from tests.bench import (
    against_ciw,
    brokers,
    engine,
    flat_cost,
    many_services,
    row_memory,
    trace_import,
    two_cores,
    warm_start,
)
from tests.bench.measuring import microseconds, race


def printed_numbers(text):
    return [float(word.replace(",", "")) for word in text.split() if word.replace(",", "").replace(".", "").isdigit()]


@pytest.mark.long
def test_a_race_gives_times_and_ratios_to_the_first(capsys, monkeypatch):
    times = iter([0.0, 8.0, 8.0, 10.0, 10.0, 14.0, 14.0, 16.0])
    monkeypatch.setattr("time.process_time", lambda: next(times))
    middle = race({"slow": lambda: lambda: 1_000_000, "fast": lambda: lambda: 1_000_000}, 2)
    assert middle == {"slow us": 6.0, "fast us": 2.0, "fast ratio": 3.0}
    assert "median ratios to slow: fast 3" in capsys.readouterr().out


def test_imports_are_counted_by_package():
    taken = warm_start.imports(("--help",))
    assert {"click", "sim"} <= taken.keys()
    assert all(seconds >= 0.0 for seconds in taken.values())


def test_wiring_takes_the_longer_the_more_services_there_are():
    assert len(many_services.system(20).services) == 20
    assert many_services.wiring(many_services.system(200)) > many_services.wiring(many_services.system(2)) > 0.0


def test_without_ciw_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"Ciw is not installed: pip install"):
        against_ciw.main()


def test_erlangs_formula():
    """M/M/1 at 80 %: four times the work."""
    assert against_ciw.erlang_wait(1, 80.0, 0.010) == pytest.approx(0.040)


def test_ciw_agrees_with_the_formula():
    pytest.importorskip("ciw")
    waits = against_ciw.mean_waits(30_000)
    assert waits["ciw"] == pytest.approx(waits["formula"], rel=0.1)
    assert waits["ours"] == pytest.approx(waits["formula"], rel=0.1)


@pytest.mark.xdist_group("compiled")
class TestCompiled:
    @pytest.mark.long
    @pytest.mark.parametrize("flow", [engine.ORDERS, engine.EVENTS], ids=lambda flow: flow.scenario)
    def test_both_flows_are_raced(self, flow, capsys):
        engine.compare(flow, 1.0, 1)
        out = capsys.readouterr().out
        assert "median ratios to idiomatic: simpy" in out
        assert min(printed_numbers(out)) > 0

    def test_every_contestant_tells_how_many_requests_it_had(self):
        found = {name: ready()() for name, ready in engine.ORDERS.contestants(2.0).items()}
        assert found["compiled"] == found["loop"]
        assert found["compiled"] == pytest.approx(10 * found["simpy"], rel=0.2)

    def test_a_short_run_is_repeated_until_there_is_enough(self):
        assert flat_cost.contestant(500, enough=2000)()() == 4 * flat_cost.contestant(500, enough=1)()()

    def test_settings_reach_the_scenario(self):
        assert flat_cost.contestant(390, ["traffic.shoppers.arrivals.poisson=3900/s"], 1)()() > 3000

    @pytest.mark.long
    def test_any_number_of_services_can_be_run(self):
        assert {microseconds(many_services.loop(many_services.system(number, 0.5))) > 0.0 for number in (2, 20)} == {
            True
        }

    @pytest.mark.long
    def test_the_memory_of_rows_is_at_least_what_they_hold(self):
        peak, held, rows = row_memory.apart("order_flow", brief=20_000, long=400_000)
        assert peak >= held > 50.0
        assert rows == pytest.approx(1.0, rel=0.01)

    @pytest.mark.long
    def test_queues_and_logs_are_raced(self, capsys):
        for heard in brokers.HEARD:
            assert min(brokers.compare(heard, 5.0, 1).values()) > 0
        assert capsys.readouterr().out.count("median ratios to log: queue") == 2

    @pytest.mark.long
    def test_one_and_two_replications_are_timed(self):
        ((one, two, alone, beside),) = two_cores.measured(4000, 1)
        assert one > alone > 0.0
        assert two > beside > 0.0

    @pytest.mark.long
    def test_warm_starts_are_timed(self):
        found = warm_start.measured(1)
        assert found["--help"] < found["simpy"]
        assert all(math.isfinite(second) for times in found.values() for second in times)

    @pytest.mark.long
    def test_machine_code_on_disk_is_found(self):
        compiled.prepare()
        assert 0.0 < engine.preparation(cache_directory().parent) < 15.0


@pytest.mark.long
def test_the_import_of_traces_takes_time_and_memory():
    (line,) = trace_import.rows("csv", [0.2])
    assert line[0] == "csv"
    assert all(math.isfinite(float(word)) for word in line[1:])
