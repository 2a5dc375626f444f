"""How much memory and time an experiment takes on paper, and that what does not fit is refused with the setting that helps."""

import copy

import pytest

import sim
from sim import cli
from sim.errors import UsageError
from sim.experiments.on_paper import run_size as size_module
from sim.experiments.on_paper.run_size import KEPT, MEMBER, REPLICA, ROW, USER, WAITING, size_of
from sim.experiments.running import resources
from sim.experiments.running.resources import (
    Estimate,
    estimated,
    machine_memory,
    memory_limit,
    refuse_too_large,
    tell_how_long,
)
from sim.spec import load_document

QUEUE = {
    "version": 1,
    "duration": "50s",
    "traffic": {"u": {"sends": "a.e", "arrivals": {"deterministic": "100/s"}}},
    "services": {"a": {"workers": 1, "endpoints": {"e": [{"work": "1ms"}]}}},
}


def scenario_of(**changes):
    document = copy.deepcopy(QUEUE)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return next(iter(load_document(document).variants.values()))


def size(**changes):
    return size_of(scenario_of(**changes))


def test_a_row_for_each_request_and_for_each_message_of_each_group():
    """100/s for 50 s are 5,000 requests; each publishes one message, which two groups read."""
    assert size().rows == pytest.approx(5000)
    assert size(record="summary").rows == 0
    groups = {name: {"workers": 1, "consumes": {"t": {"group": name, "do": []}}} for name in "bc"}
    publishing = {"workers": 9, "endpoints": {"e": [{"publish": "t"}]}}
    assert size(
        brokers={"k": {"kind": "log", "topics": {"t": {}}}}, services={"a": publishing, **groups}
    ).rows == pytest.approx(3 * 5000)


def test_what_is_asked_for_beyond_what_can_be_done_waits():
    """One worker of 20 ms does 50/s of 100/s: 2,500 wait after 50 s, or as many as the queue and the worker take."""
    slow = [{"work": "20ms"}]
    assert size(services__a__endpoints__e=slow).waiting == pytest.approx(2500)
    assert size(services__a__endpoints__e=slow, services__a__queue={"capacity": 10}).waiting == pytest.approx(11)
    assert (
        size(traffic__u__arrivals={"closed": {"users": 40, "think": "0s"}}, services__a__endpoints__e=slow).waiting
        <= 40
    )
    assert size(services__a={"workers": "unlimited", "endpoints": {"e": [{"wait": "3s"}]}}).waiting == pytest.approx(
        300
    ), "Little's law"


def test_what_there_is_from_the_beginning():
    one = size().fixed
    assert size(services__a__replicas=1001).fixed - one == pytest.approx(1000 * REPLICA)
    assert size(traffic__u__arrivals={"closed": {"users": 1000, "think": "1s"}}).fixed - one == pytest.approx(
        1000 * USER
    )
    topic = {"k": {"kind": "log", "topics": {"t": {}}}}

    def members(consumers):
        consuming = {"workers": 1, "replicas": 10, "consumes": {"t": {"group": "g", "consumers": consumers, "do": []}}}
        return size(brokers=topic, services__c=consuming).fixed

    assert members(101) - members(1) == pytest.approx(1000 * MEMBER)


def test_a_log_of_stamps_for_each_user():
    """60,000 stamps of 8 bytes for each of 1,000 users, and for each node of two."""
    gateway = {"workers": 1, "replicas": 2, "routes": {"r": {"to": "a.e"}}}
    limit = {"per": "user", "rate": "1000/s", "window": "1m", "algorithm": "sliding_log"}
    users = {"count": 1000}
    without = size(gateway=gateway, traffic__u__sends="r", traffic__u__users=users).fixed
    limited = [
        size(
            gateway={**gateway, "rate_limits": [{**limit, "scope": scope}]},
            traffic__u__sends="r",
            traffic__u__users=users,
        )
        for scope in ("cluster", "node")
    ]
    assert [its.fixed - without for its in limited] == pytest.approx([60_000 * 8 * 1000, 2 * 60_000 * 8 * 1000])


def test_what_is_remembered_grows_also_without_rows():
    """5,000 events are remembered by each of two idempotent groups, and 1,000 users by a limit in each of two nodes and by the tokens of both."""
    groups = {name: {"workers": 1, "consumes": {"t": {"group": name, "idempotent": True, "do": []}}} for name in "bc"}
    publishing = {"workers": 9, "endpoints": {"e": [{"publish": "t"}]}}
    assert size(
        brokers={"k": {"kind": "log", "topics": {"t": {}}}}, services={"a": publishing, **groups}
    ).keys == pytest.approx(2 * 5000)
    oauth = {"oauth": {"introspect": "a.e", "lookup": "1ms"}}
    limits = [{"per": "user", "rate": "5/s", "scope": "node"}]
    gateway = {
        "workers": 1,
        "replicas": 2,
        "routes": {"r": {"to": "a.e"}},
        "authentication": oauth,
        "rate_limits": limits,
    }
    assert size(gateway=gateway, traffic__u__sends="r", traffic__u__users={"count": 1000}).keys == pytest.approx(
        4 * 1000
    )


def test_memory_is_of_what_runs_at_once_and_of_what_is_kept():
    scenario = scenario_of()
    one = size_of(scenario)
    found = estimated([scenario, scenario], 10, 4)
    assert found.memory == pytest.approx(4 * one.while_running + 2 * 5000 * KEPT)
    assert estimated([scenario], 1, 4).processes == 1, "one run needs one process"
    assert estimated([scenario], 10, 4, keeps=False).memory == pytest.approx(4 * one.while_running)
    twice = estimated([scenario], 1, 1, times=2.0, keeps=False).memory
    assert twice - one.while_running == pytest.approx(one.while_running - one.fixed), (
        "what is there from the beginning does not grow with the load"
    )
    larger = scenario_of(duration="500s")
    assert estimated([scenario], 10, 4, keeps=False, others=[larger]).memory == pytest.approx(
        4 * size_of(larger).while_running
    )


def test_time_is_of_all_attempts_over_all_processes():
    """3 x 1,000,000 attempts of 7 us, as many rows of 1.2 us, by two processes: 12.3 s."""
    one = size_of(scenario_of(duration="10000s", record={"interval": "10000s"}))
    found = Estimate((one,), 3, 2)
    assert found.seconds("simpy") == pytest.approx(3 * 1e6 * (7e-6 + 1.2e-6) / 2, rel=1e-3)


class Listener:
    def __init__(self):
        self.heard = []

    def __call__(self, done, total, simulated):
        pass

    def expects(self, words):
        self.heard.append(words)


def test_only_what_is_long_is_told():
    listener = Listener()
    one = size_of(scenario_of(duration="10000s"))
    tell_how_long(Estimate((one,), 1, 2), "simpy", listener)
    assert listener.heard == []
    tell_how_long(Estimate((one,), 100, 2), "simpy", listener)
    (words,) = listener.heard
    assert words.startswith("this will take about 7m, and ")
    tell_how_long(Estimate((one,), 100, 2), "simpy", None)


REFUSED = [
    ({"duration": "1000000s"}, 1, "100,000,000 rows", "`record: {keep: summary}`"),
    (
        {"record": "summary", "duration": "10h", "traffic__u__arrivals": {"poisson": "9000/s"}},
        1,
        "requests wait at the end",
        "`capacity`",
    ),
    ({"record": "summary", "services__a__replicas": 100_000}, 1, "fewer users, replicas", "`--max-memory`"),
    ({"duration": "1000s"}, 8, "8 replications at once", "`--jobs 7` runs fewer at once"),
]


@pytest.mark.parametrize(("changes", "processes", "finding", "help_"), REFUSED)
def test_what_does_not_fit_is_refused_with_what_helps(changes, processes, finding, help_):
    found = estimated([scenario_of(**changes)], 8, processes)
    with pytest.raises(UsageError) as caught:
        refuse_too_large(found, 216e6)
    assert finding in str(caught.value)
    assert help_ in str(caught.value)
    assert "expected at most 216MB (max-memory)" in str(caught.value)
    refuse_too_large(found, 10 * found.memory)


def test_the_help_is_enough():
    """100,000 rows of 274 bytes, eight at once, and 62 bytes of each of one: seven fit where they have 7.9 times as much."""
    one = size_of(scenario_of(duration="1000s"))
    found = Estimate((one,), 8, 8)
    most = 7.9 * one.while_running + found.kept
    with pytest.raises(UsageError, match="--jobs 7"):
        refuse_too_large(found, most)
    refuse_too_large(Estimate((one,), 8, 7), most)
    assert one.while_running >= 100_000 * ROW


def test_a_backlog_takes_what_waits():
    one = size(services__a__endpoints__e=[{"work": "20ms"}], record="summary")
    assert one.while_running - one.fixed == pytest.approx(2500 * WAITING)


def test_half_of_the_machine_is_the_limit_where_none_is_said(monkeypatch):
    monkeypatch.setattr(resources, "machine_memory", lambda: 8e9)
    assert memory_limit() == 4e9
    assert memory_limit("500MB") == 5e8
    assert memory_limit("1.5GB") == 1.5e9
    assert memory_limit("2TB") == 2e12
    assert memory_limit(123.0) == 123.0
    for wrong in ("much", "0GB", 0, -1.0, "5XB"):
        with pytest.raises(UsageError, match="max-memory: found"):
            memory_limit(wrong)


def test_a_container_has_what_it_may_use(tmp_path, monkeypatch):
    file = tmp_path / "memory.max"
    monkeypatch.setattr(resources, "_CGROUPS", (str(file), str(tmp_path / "none")))
    whole = machine_memory()
    assert whole > 1e8
    file.write_text("max\n")
    assert machine_memory() == whole
    file.write_text("50000000\n")
    assert machine_memory() == 5e7


def test_every_verb_that_runs_refuses_what_does_not_fit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = """
version: 1
duration: 10000s
traffic: {u: {sends: a.e, arrivals: {poisson: 100/s}}}
services: {a: {workers: 1, endpoints: {e: [{work: 1ms}]}}}
faults: [{at: 60s, for: 5s, outage: a}]
expect: [p99(response) < 1s]
"""
    (tmp_path / "x.yaml").write_text(text)
    verbs = [["run"], ["compare"], ["explain"], ["sweep", "--over", "services.a.workers=1,2"], ["capacity"]]
    verbs += [
        ["capacity", "--over", "services.a.workers=1,2", "--at", "2x"],
        ["stability", "--stressor", "spike:2x:5s"],
    ]
    for verb, *options in verbs:
        assert cli.answer([verb, "x.yaml", *options, "--max-memory", "1MB", "--quiet"]) == 2, verb
        told = capsys.readouterr().err
        assert "error: memory: found about" in told, verb
        helps = "which are needed here" if verb in ("explain", "stability") else "`record: {keep: summary}`"
        assert helps in told, verb
    assert [path.name for path in tmp_path.iterdir()] == ["x.yaml"], "nothing was begun"
    assert cli.answer(["run", "x.yaml", "--max-memory", "lots"]) == 2
    assert "max-memory: found 'lots', expected a size such as 64KiB or 1MB" in capsys.readouterr().err


def test_rows_that_are_needed_whatever_the_scenario_says_are_counted():
    """`explain` keeps the attempts of all requests and their stages, `stability` the rows: a summary makes neither smaller."""
    study = load_document({**QUEUE, "record": "summary"})
    rows = 5000 * (ROW + size_module.MEASURED)
    with pytest.raises(UsageError, match="which are needed here"):
        sim.explain(study, replications=1, jobs=1, max_memory=2 * rows)
    with pytest.raises(UsageError, match="which are needed here"):
        sim.find_stability(study, stressor="spike:2x:5s", loads=[1.0], replications=1, jobs=1, max_memory=rows)
    assert sim.run(study, replications=1, jobs=1, max_memory=rows).replications == 1


def test_the_door_of_python_refuses_it_too():
    study = load_document(QUEUE)
    with pytest.raises(UsageError, match="memory: found about"):
        sim.run(study, replications=1, jobs=1, max_memory="10KB")
    assert sim.run(study, replications=1, jobs=1, max_memory="100MB").replications == 1


def test_a_sweep_is_as_large_as_its_largest_point():
    study = load_document(QUEUE)
    most = 1.5 * size_of(scenario_of(services__a__replicas=1000, record="summary")).while_running
    sweep = {"replications": 1, "jobs": 1, "max_memory": most}
    with pytest.raises(UsageError, match="fewer users, replicas"):
        sim.sweep(study, "services.a.replicas=1,10000,10", **sweep)
