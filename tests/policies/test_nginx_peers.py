"""Passive health checks of an nginx upstream, and Envoy's failure percentages, decision by decision."""

import random

import pytest

from sim import testing
from sim.errors import ScenarioError
from sim.policies import balancing as policy
from sim.policies import outliers
from sim.spec.balancing import Balancing
from sim.vocabulary import Outcome

OK, DEAD = int(Outcome.OK), int(Outcome.UNREACHABLE)


class Upstream:
    """Some servers of one caller."""

    def __init__(self, count, weights=(), **words):
        spec = Balancing.model_validate({"policy": "round_robin", "nginx": words, "weights": list(weights)})
        self.row, self.peers = policy.new_balancing(spec), policy.new_peers(spec, count)
        self.allowed, self.count, self.alive = [0] * count, count, [1] * count

    def choose(self, now):
        if not policy.allow(self.row, self.peers, self.alive, self.allowed, self.count, now):
            return -1
        return policy.pick(self.row, self.peers, [0] * self.count, self.allowed, self.count, now, 0.0, 0.0)

    def hear(self, index, outcome, now):
        assert not outliers.judge(self.row, self.peers[index], outcome, now)


def by_hand(weights, max_fails, fail_timeout, backups, calls):
    """ngx_http_upstream_get_peer and ngx_http_upstream_free_round_robin_peer, for attempts that end at once."""
    peers = [
        {"w": w, "ew": w, "cw": 0, "fails": 0, "accessed": 0, "checked": 0, "backup": i in backups}
        for i, w in enumerate(weights)
    ]
    found = []
    for moment, bad in calls:
        now, best = int(moment), None
        for group in (False, True):
            those = [peer for peer in peers if peer["backup"] == group]
            total = 0
            for peer in those:
                out = max_fails and peer["fails"] >= max_fails and now - peer["checked"] <= fail_timeout
                if out and len(peers) > 1:  # peers->single, which a backup takes from both groups
                    continue
                peer["cw"] += peer["ew"]
                total += peer["ew"]
                if peer["ew"] < peer["w"]:
                    peer["ew"] += 1
                if best is None or peer["cw"] > best["cw"]:
                    best = peer
            if best is not None:
                break
        if best is None:
            found.append(-1)
            continue
        best["cw"] -= total
        if now - best["checked"] > fail_timeout:
            best["checked"] = now
        index = next(i for i, peer in enumerate(peers) if peer is best)
        found.append(index)
        if bad(index, moment):
            best["fails"] += 1
            best["accessed"] = best["checked"] = now
            if max_fails:
                best["ew"] = max(0, best["ew"] - best["w"] // max_fails)
        elif best["accessed"] < best["checked"]:
            best["fails"] = 0
    return found


@pytest.mark.parametrize(
    ("weights", "max_fails", "fail_timeout", "backups"),
    [
        ([1, 1, 1], 1, 10, ()),
        ([5, 1, 1], 3, 2, ()),
        ([2, 1], 2, 3, (1,)),
        ([1], 1, 10, ()),
        ([3, 3, 2, 1], 4, 5, (2, 3)),
        ([1, 1], 0, 10, ()),
    ],
)
def test_servers_are_chosen_as_by_nginx(weights, max_fails, fail_timeout, backups):
    luck, now, calls = random.Random(3), 100.0, []
    down = {0: (20.0, 55.0), 1: (40.0, 70.0)}
    share = {index: luck.random() * 0.2 for index in range(len(weights))}
    for number in range(4000):
        now += luck.expovariate(40)
        calls.append((now, number))
    lucks = [luck.random() for _ in calls]

    def bad(index, moment, number):
        begins, ends = down.get(index, (0.0, 0.0))
        return begins <= moment - 100.0 < ends or lucks[number] < share[index]

    expected = by_hand(
        weights, max_fails, fail_timeout, backups, [(moment, lambda i, m, n=n: bad(i, m, n)) for moment, n in calls]
    )
    its = Upstream(len(weights), weights, max_fails=max_fails, fail_timeout=f"{fail_timeout}s", backup=list(backups))
    found = []
    for moment, number in calls:
        index = its.choose(moment)
        found.append(index)
        if index >= 0:
            its.hear(index, DEAD if bad(index, moment, number) else OK, moment)
    assert found == expected


def test_a_server_is_out_for_more_than_its_whole_seconds_and_a_failure_then_takes_it_out_at_once():
    its = Upstream(2, max_fails=2, fail_timeout="10s")
    its.peers[1].current = -100.0  # so that the first is preferred wherever it may be
    its.hear(0, DEAD, 5.9), its.hear(0, DEAD, 6.1)  # the last one in second 6
    assert its.choose(16.99) == 1  # 16 - 6 is not more than ten
    its.peers[1].current = -100.0
    assert its.choose(17.0) == 0
    its.hear(0, DEAD, 17.0)  # fails is 3 by now: one is enough
    its.peers[1].current = -100.0
    assert its.choose(27.9) == 1
    its.peers[1].current = -100.0
    assert its.choose(28.0) == 0
    its.hear(0, OK, 28.5)  # accessed 17 < checked 28
    assert its.peers[0].failures == 0


def test_failures_long_apart_count_together_only_within_the_timeout():
    """A choice after fail_timeout sets `checked`, so that a success forgets; one before it does not."""
    its = Upstream(2, max_fails=2, fail_timeout="10s")
    its.hear(0, DEAD, 1.0)
    its.choose(5.0), its.hear(0, OK, 5.0)
    assert its.peers[0].failures == 1
    its.peers[0].current, its.peers[1].current = 0.0, -100.0
    assert its.choose(12.0) == 0
    its.hear(0, OK, 12.0)
    assert its.peers[0].failures == 0


ALWAYS = {"unreachable", "timeout"}


@pytest.mark.parametrize(
    ("words", "failures"),
    [
        (None, ALWAYS),  # error timeout
        ([], ALWAYS),
        (["error"], ALWAYS),
        (["timeout", "invalid_header"], ALWAYS),
        (["http_500"], ALWAYS | {"error"}),
        (["http_503"], ALWAYS | {"shed"}),
        (["http_429"], ALWAYS | {"rate_limited"}),
        (["http_502", "http_504"], ALWAYS),
        (["http_403", "http_404"], ALWAYS),
        (["error", "http_500", "http_503", "http_429"], ALWAYS | {"error", "shed", "rate_limited"}),
    ],
)
def test_what_is_unsuccessful_is_as_the_documentation_of_next_upstream_says(words, failures):
    """ngx_http_proxy_module: error, timeout and invalid_header are always unsuccessful attempts, even if they are not
    specified; http_500, 502, 503, 504 and 429 only if they are; http_403 and http_404 never.
    """
    found = set()
    for outcome in set(Outcome) - {Outcome.IN_FLIGHT}:
        its = Upstream(2, **({} if words is None else {"next_upstream": words}))
        its.hear(0, int(outcome), 1.0)
        found |= {outcome.word} if its.peers[0].failures else set()
    assert found == failures


def test_backups_are_for_when_nobody_is_left_and_only_one_server_without_backups_is_never_out():
    its = Upstream(3, backup=[2])
    its.hear(0, DEAD, 1.0)
    assert {its.choose(1.0) for _ in range(5)} == {1}
    its.hear(1, DEAD, 1.0)
    assert {its.choose(1.0) for _ in range(5)} == {2}
    its.hear(2, DEAD, 1.0)
    assert its.choose(1.0) == -1  # the only backup is no single server
    its = Upstream(2, backup=[1])
    its.hear(0, DEAD, 1.0)
    assert its.choose(1.0) == 1  # nor is the only one beside a backup
    its = Upstream(1)
    its.hear(0, DEAD, 1.0), its.hear(0, DEAD, 1.0)
    assert its.choose(1.0) == 0
    its = Upstream(2)
    its.hear(0, DEAD, 1.0), its.hear(1, DEAD, 1.0)
    assert its.choose(2.0) == -1  # no live upstreams


# -- Envoy -------------------------------------------------------------------------------------------------------------


def interval(answers, **words):
    """Whether each of these replicas, (good, asked), goes at the end of an interval: by success rate, by percentage."""
    detection = {
        "success_rate_request_volume": 10,
        "failure_percentage_request_volume": 10,
        "max_ejection_percent": 100,
    }
    spec = Balancing.model_validate({"outlier_detection": detection | {"failure_percentage": True} | words})
    row, peers = policy.new_balancing(spec), policy.new_peers(spec, len(answers))
    for peer, (good, asked) in zip(peers, answers, strict=True):
        peer.good, peer.asked = good, asked
    enough = outliers.failure_percentages_count(row, peers, len(peers))
    return [enough and outliers.fails_too_often(row, peer) for peer in peers]


def test_envoy_ejects_at_the_percentage_itself_where_enough_hosts_have_enough_requests():
    many = [(100, 100)] * 4
    assert interval([*many, (15, 100)]) == [False] * 4 + [True]  # 85 % >= 85
    assert interval([*many, (16, 100)]) == [False] * 5
    assert interval([*many, (1, 9)]) == [False] * 5  # too few requests, and so too few hosts
    assert interval([*many[:3], (0, 100)]) == [False] * 4  # four hosts of five
    assert interval([*many[:3], (0, 100)], failure_percentage_minimum_hosts=4) == [False] * 3 + [True]


def test_success_rates_of_those_that_are_out_are_not_in_the_mean():
    """Four at 100 % and one at 50 %, and one at 0 % that was ejected in the interval: mean 90, deviation 20, 52."""
    spec = Balancing.model_validate({"outlier_detection": {"success_rate_request_volume": 10}})
    row, peers = policy.new_balancing(spec), policy.new_peers(spec, 6)
    for peer, good in zip(peers, (100, 100, 100, 100, 50, 0), strict=True):
        peer.good, peer.asked = good, 100
    peers[5].ejected = 1
    threshold = outliers.success_rate_threshold(row, peers, 6, 0)
    assert threshold == pytest.approx(90.0 - 1.9 * 20.0)
    assert [outliers.is_outlier(row, peer, threshold, 0) for peer in peers] == [False] * 4 + [True, False]


TEXT = """
duration: 1m
traffic: {clients: {sends: a.ask}}
services:
  a: {workers: unlimited, endpoints: {ask: [{call: b.tell}]}}
  b: {workers: unlimited, replicas: 2, load_balancing: BALANCING, endpoints: {tell: [{wait: 1ms}]}}
faults: [{errors: {of: b, replicas: 1, share: 100%}, at: 0s, for: 5s}]
"""


def test_in_a_run_a_replica_that_fails_is_spared_until_its_timeout_is_over():
    text = TEXT.replace("BALANCING", "{nginx: {next_upstream: [http_500], fail_timeout: 10s}}")
    run = testing.play(text, [1.0 + i for i in range(14)])
    assert run.outcomes().count("error") == 1
    bad = next(its.replica for its in run.attempts("b.tell") if its.outcome != "ok")
    assert [its.arrived for its in run.attempts("b.tell") if its.replica == bad][1] >= 12.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("{policy: ring_hash, nginx: {}}", "found `nginx` beside ring_hash"),
        ("{nginx: {}, slow_start: 5s}", "found `slow_start` beside `nginx`"),
        ("{nginx: {fail_timeout: 1500ms}}", "expected whole seconds"),
    ],
)
def test_slips_are_told(words, message):
    with pytest.raises(ScenarioError, match=message):
        testing.play(TEXT.replace("BALANCING", words), [1.0])
