"""What was recorded happens: requests at their times, with their own demands, routes and users, at the rates that were measured."""

import numpy as np
import pytest

import sim

pytestmark = pytest.mark.xdist_group("compiled")
ENGINES = pytest.mark.parametrize("engine", ["simpy", "compiled"])


def requests(folder, files, traffic, engine, endpoints="{x: [{wait: 1s}]}", duration="200s", **more):
    for name, rows in files.items():
        (folder / name).write_text(rows)
    text = f"version: 1\nduration: {duration}\ntraffic: {traffic}\nservices: {{a: {{workers: unlimited, endpoints: {endpoints}}}}}\n"
    study = sim.load_text(text, base=folder)
    return sim.run(study, replications=1, jobs=1, engine=engine, **more).variants["base"].requests


@ENGINES
def test_recordings_of_one_scenario_keep_their_distance(tmp_path, engine):
    files = {
        "one.csv": "t\n2024-01-01 00:00:00\n2024-01-01 00:00:01\n",
        "two.csv": "t\n2024-01-01 00:01:40\n2024-01-01 00:01:41\n",
    }
    traffic = "{one: {sends: a.x, arrivals: {replay: one.csv}}, two: {sends: a.x, arrivals: {replay: two.csv}}}"
    assert sorted(requests(tmp_path, files, traffic, engine)["arrival"]) == [0.0, 1.0, 100.0, 101.0]


@ENGINES
def test_a_request_has_the_demand_route_and_user_of_its_row(tmp_path, engine):
    files = {"log.csv": "t,d,path,user\n10,5,a.x,ann\n0,1,a.y,bob\n20,2,a.y,ann\n"}
    traffic = "{c: {arrivals: {replay: {file: log.csv, timestamps: t, route: path, user: user}}}}"
    wait = "[{wait: {replay: {file: log.csv, column: d}}}]"
    rows = requests(tmp_path, files, traffic, engine, f"{{x: {wait}, y: {wait}}}").sort_values("arrival")
    assert rows["arrival"].tolist() == [0.0, 10.0, 20.0]
    assert rows["response"].tolist() == pytest.approx([1.0, 5.0, 2.0])
    assert rows["route"].tolist() == ["a.y", "a.x", "a.y"]
    assert rows["user"].tolist() == [0, 1, 1]


@ENGINES
def test_measured_rates_are_what_arrives(tmp_path, engine):
    """100, 120 and 110/s for a minute each: within four standard deviations of Poisson counts."""
    files = {"rates.csv": "time,rps\n2024-01-01 10:00:00,100\n2024-01-01 10:01:00,120\n2024-01-01 10:02:00,110\n"}
    traffic = "{u: {sends: a.x, arrivals: {replay: {file: rates.csv, rates: rps}}}}"
    rows = requests(tmp_path, files, traffic, engine, "{x: [{wait: 1ms}]}", "recording")
    counts = np.bincount((rows["arrival"] // 60).astype(int), minlength=3)
    expected = np.array([6000, 7200, 6600])
    assert counts.size == 3
    assert (abs(counts - expected) < 4 * np.sqrt(expected)).all()
