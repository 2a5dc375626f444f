"""Clients as a script for k6: its options are plain JSON, its rates those of the scenario, and it runs against stand-ins for k6's modules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

import sim
from sim.exporting import Subject, k6

SERVICES = "services: {shop: {workers: 1, endpoints: {buy: [{work: 1ms}], look: [{work: 1ms}]}}}\n"


def script(traffic, more="", duration="10m"):
    study = sim.load_text(f"version: 1\nname: load\nduration: {duration}\ntraffic: {traffic}\n{SERVICES}{more}")
    name, scenario = next(iter(study.variants.items()))
    return k6.write(Subject(study.name, name, scenario))


def options(text):
    return json.loads(re.search(r"^export const options = (\{.*?^\});$", text, re.MULTILINE | re.DOTALL)[1])


def executor(arrivals, **more):
    (found,) = options(script(f"{{users: {{sends: shop.buy, arrivals: {arrivals}, timeout: 2s}}}}", **more))[
        "scenarios"
    ].values()
    return found


def test_a_steady_rate_is_a_constant_arrival_rate():
    found = executor("{poisson: 120/s}")
    assert (found["executor"], found["rate"], found["timeUnit"], found["duration"]) == (
        "constant-arrival-rate",
        120,
        "1s",
        "600s",
    )
    assert found["preAllocatedVUs"] == 240  # Little: 120/s, each for 2 s at most


def test_a_rate_below_one_a_second_has_a_longer_unit():
    assert (executor("{poisson: 30/m}")["rate"], executor("{poisson: 30/m}")["timeUnit"]) == (30, "1m")
    assert (executor("{poisson: 5/h}")["rate"], executor("{poisson: 5/h}")["timeUnit"]) == (5, "1h")


def test_levels_and_ramps_are_stages():
    """10/s for a minute, a jump to 50/s, a ramp to 100/s in 2 minutes, which then goes on."""
    found = executor("{profile: [{for: 1m, rate: 10/s}, {for: 2m, from: 50/s, to: 100/s}]}")
    assert found["startRate"] == 10
    assert [(stage["target"], stage["duration"]) for stage in found["stages"]] == [
        (10, "60s"),
        (50, "0s"),
        (100, "120s"),
        (100, "420s"),
    ]


def test_a_ramp_that_the_run_cuts_off_ends_where_it_then_is():
    found = executor("{profile: [{for: 4m, from: 0/s, to: 100/s}]}", duration="1m")
    assert [(stage["target"], stage["duration"]) for stage in found["stages"]] == [(25, "60s")]


def test_other_rates_are_cut_into_pieces_that_hold_as_many_requests():
    """A whole day's wave: its mean is that of the scenario."""
    found = executor("{profile: [{diurnal: {mean: 100/s, amplitude: 50%, period: 10m}}]}")
    lengths = [float(stage["duration"].removesuffix("s")) for stage in found["stages"]]
    scale = {"1s": 1, "1m": 60, "1h": 3600}[found["timeUnit"]]
    held = sum(stage["target"] / scale * length for stage, length in zip(found["stages"], lengths, strict=True))
    assert sum(lengths) == pytest.approx(600)
    assert held == pytest.approx(60_000, rel=1e-3)


def test_closed_users_think():
    text = script("{users: {sends: shop.buy, arrivals: {closed: {users: 40, think: {exponential: 3s}}}}}")
    (found,) = options(text)["scenarios"].values()
    assert (found["executor"], found["vus"]) == ("constant-vus", 40)
    assert "sleep(3 * -Math.log(1 - Math.random()));" in text


def test_expectations_that_k6_can_judge_are_thresholds_and_the_others_comments():
    more = "expect: [p99(response) < 800ms, 'p95(response_all, shop.buy) <= 1s', availability >= 99.9%, lost_orders == 0]\n"
    text = script("{users: {sends: shop.buy, arrivals: {poisson: 1/s}}}", more)
    assert options(text)["thresholds"] == {
        "http_req_duration{expected_response:true}": ["p(99)<800"],
        "http_req_duration{name:shop.buy}": ["p(95)<=1000"],
        "http_req_failed": ["rate<=0.001"],
    }
    assert "// Expected, and not judged by k6: lost_orders == 0" in text


def test_no_name_leaves_its_comment_or_its_text():
    """Whatever is legal in a name: it stands in comments and in JSON, and functions have names of letters and digits."""
    text = script("""{"*/ ${x} `'": {sends: shop.buy, arrivals: {poisson: 1/s}}}""")
    assert re.findall(r"^export function (\S+)\(\)", text, re.MULTILINE) == ["client_1_x"]
    assert all(line.startswith("//") for line in text.splitlines() if "*/ ${x}" in line)


@pytest.mark.skipif(shutil.which("node") is None, reason="no JavaScript to run it with")
def test_the_script_sends_what_the_mix_says_and_tries_again(tmp_path):
    """Every answer is 503: three attempts for each of 4,000 requests, of which a quarter buys. The pauses are 100 ms and 200 ms."""
    retry = "{max_attempts: 3, backoff: {exponential: {base: 100ms}}, on: [shed]}"
    text = script(
        f"{{users: {{sends: {{shop.buy: 25%, shop.look: 75%}}, arrivals: {{poisson: 1/s}}, retry: {retry}}}}}"
    )
    name = next(iter(options(text)["scenarios"]))
    stand_ins = """
globalThis.__ENV = {};
const seen = { sent: {}, slept: 0 };
const http = { request(method, url, body, asked) { seen.sent[asked.tags.name] = (seen.sent[asked.tags.name] || 0) + 1; return { status: 503, headers: {} }; } };
const sleep = (seconds) => { seen.slept += seconds; };
"""
    body = re.sub(r"^import .*$", "", text, flags=re.MULTILINE)
    (tmp_path / "script.mjs").write_text(
        f"{stand_ins}{body}\nfor (let k = 0; k < 4000; k += 1) {name}();\nconsole.log(JSON.stringify(seen));\n"
    )
    done = subprocess.run(["node", tmp_path / "script.mjs"], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert sum(seen["sent"].values()) == 12_000
    assert seen["sent"]["shop.buy"] / 12_000 == pytest.approx(
        0.25, abs=0.035
    )  # five standard deviations of 4,000 draws
    assert seen["slept"] == pytest.approx(4000 * 0.3)


@pytest.mark.skipif(shutil.which("node") is None, reason="no JavaScript to run it with")
@pytest.mark.parametrize(
    ("asked", "above", "attempts", "pauses"),
    [
        (None, "give_up", 3, 0.2),  # no header: two pauses of the back-off
        (None, "cut", 3, 0.2),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "cut", 3, 0.2),  # a date is no number of seconds
        ("1", "give_up", 3, 2.0),
        ("3", "give_up", 1, 0.0),  # longer than the 2 s that are waited at most
        ("3", "ignore", 3, 0.2),
        ("3", "cut", 3, 4.0),
    ],
)
def test_the_script_waits_for_a_retry_after_up_to_max_retry_after(tmp_path, asked, above, attempts, pauses):
    """Every answer is 429, with or without the header, and the back-off is 100 ms."""
    obeys = f"honor_retry_after: true, max_retry_after: 2s, above_max_retry_after: {above}"
    retry = f"{{max_attempts: 3, backoff: {{constant: 100ms}}, on: [rate_limited], {obeys}}}"
    text = script(f"{{users: {{sends: shop.buy, arrivals: {{poisson: 1/s}}, retry: {retry}}}}}")
    headers = {} if asked is None else {"Retry-After": asked}
    seen = run_once(tmp_path, text, {"status": 429, "headers": headers})
    assert seen["sent"] == attempts
    assert seen["slept"] == pytest.approx(pauses)


def run_once(tmp_path, text, answer):
    """How often one client sends, and for how long it sleeps, where it always has this answer."""
    name = next(iter(options(text)["scenarios"]))
    stand_ins = f"""
globalThis.__ENV = {{}};
const seen = {{ sent: 0, slept: 0 }};
const http = {{ request() {{ seen.sent += 1; return {json.dumps(answer)}; }} }};
const sleep = (seconds) => {{ seen.slept += seconds; }};
"""
    body = re.sub(r"^import .*$", "", text, flags=re.MULTILINE)
    (tmp_path / "script.mjs").write_text(f"{stand_ins}{body}\n{name}();\nconsole.log(JSON.stringify(seen));\n")
    done = subprocess.run(["node", tmp_path / "script.mjs"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_visits_are_as_many_requests_in_all_and_it_is_said():
    text = script("{people: {arrivals: {deterministic: 10/s}, visit: {journey: [shop.look, shop.look, shop.buy]}}}")
    assert "its visits are written as single requests, as many in all" in text
    (found,) = options(text)["scenarios"].values()
    assert (found["rate"], found["timeUnit"]) == (30, "1s")
