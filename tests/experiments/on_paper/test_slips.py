"""What `sim check` says of names that nothing refers to and of shares that do not add up."""

import pytest

import sim

TEXT = """version: 1
duration: 10m
warmup: 1m
traffic: {t: {sends: SENDS, arrivals: {poisson: 1/s}}}
services: {a: {workers: 1, queue: {capacity: 5}, endpoints: {b: [{work: WORK}, {call: c.d, policy: p}], e: []}}, c: {workers: 1, endpoints: {d: []}}}
policies: {p: {timeout: 1s}, q: {timeout: 1s}}
variants: {base: {}, other: {services: {a: {endpoints: {b: [{call: c.d, policy: q}]}}}}}
"""
SENDS, WORK = "{a.b: 50%, a.e: 50%}", "1ms"


def warnings(kind, sends=SENDS, work=WORK, text=TEXT, sets=()):
    study = sim.load_text(text.replace("SENDS", sends).replace("WORK", work), sets=sets)
    return [f"{found.place}: {found.finding}" for found in sim.check(study).warnings if found.kind == kind]


def test_a_policy_that_no_variant_uses_is_warned_of():
    assert warnings("unreferenced") == []
    (found,) = warnings("unreferenced", text=TEXT.replace("policy: q", "policy: p"))
    assert found == "policies.q: nothing refers to the policy 'q'"


def test_an_endpoint_that_nobody_calls_is_warned_of():
    assert warnings("unreferenced", sends="a.b") == ["services.a.endpoints.e: nothing refers to the endpoint 'e'"]


@pytest.mark.parametrize(
    ("sends", "found"),
    [
        ("{a.b: 60%, a.e: 30%}", ["traffic.t.sends: the shares add up to 90%, not to 100%"]),
        ("{a.b: 0.9, a.e: 0.9}", ["traffic.t.sends: the shares add up to 180%, not to 100%"]),
        ("{a.b: 66.7%, a.e: 33.3%}", []),
        ("a.b", []),
    ],
)
def test_shares_of_a_mix_that_are_no_whole_are_warned_of(sends, found):
    assert warnings("shares_of_sends", sends) == found


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        (("weight: 90%, ", "weight: 5%, "), ["services.a.endpoints.b.0.work: the weights add up to 95%, not to 100%"]),
        (("weight: 90%, ", ""), ["services.a.endpoints.b.0.work: the weights add up to 190%, not to 100%"]),
        (("weight: 90%, ", "weight: 10%, "), []),
        (("weight: 3, ", "weight: 2, "), []),
        (("", ""), []),
    ],
)
def test_percentages_of_a_mixture_that_are_no_whole_are_warned_of(weights, found):
    one, other = weights
    assert (
        warnings("shares_of_mixtures", work=f"{{mixture: [{{{one}constant: 1ms}}, {{{other}constant: 2ms}}]}}") == found
    )


def test_a_fault_after_a_shortened_run_is_a_warning_and_changes_nothing():
    text = TEXT + "faults: [{name: late, at: 5m, for: 1m, outage: c}]\n"
    assert warnings("faults_cut_off", text=text) == []
    found = warnings("faults_cut_off", text=text, sets=["duration=2m"])
    assert found == ["faults.late: begins at 5m, and the run ends at 2m"]
    assert warnings("faults_cut_off", text=text, sets=["duration=5m"])
    run = {
        name: sim.run(
            sim.load_text(with_it.replace("SENDS", SENDS).replace("WORK", WORK), sets=["duration=2m"]),
            replications=1,
            engine="simpy",
            jobs=1,
        )
        for name, with_it in (("late", text), ("none", TEXT))
    }
    assert run["late"].fingerprint == run["none"].fingerprint


def test_a_list_in_a_warning_names_a_handful():
    services = ", ".join(f"s{index}: {{workers: 1, endpoints: {{x: [{{work: 1ms}}]}}}}" for index in range(200))
    sends = ", ".join(f"s{index}.x: 0.5%" for index in range(200))
    study = sim.load_text(
        f"version: 1\nduration: 1m\nwarmup: 1s\ntraffic: {{t: {{sends: {{{sends}}}, arrivals: {{poisson: 1/s}}}}}}\nservices: {{{services}}}\n"
    )
    report = sim.check(study)
    assert [found.finding for found in report.warnings if found.kind == "unlimited_queues"] == [
        "queues without limit: s0, s1, s2, s3, s4 and 195 more"
    ]


def test_warnings_of_one_kind_are_a_handful_and_the_number_of_the_rest():
    endpoints = ", ".join(f"x{index}: []" for index in range(40))
    study = sim.load_text(
        f"version: 1\nduration: 1m\nservices: {{a: {{workers: 1, endpoints: {{b: [], {endpoints}}}}}}}\ntraffic: {{t: {{sends: a.b, arrivals: {{poisson: 1/s}}}}}}\n"
    )
    report = sim.check(study)
    assert len([found for found in report.warnings if found.kind == "unreferenced"]) == 40
    assert str(report).count("nothing refers to the endpoint") == 5
    assert "and 35 more like these" in str(report)
