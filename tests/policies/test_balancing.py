"""Weights, latencies and ejections as nginx, Finagle and Envoy reckon them."""

import math

import pytest

from sim.policies import balancing as policy

PLACES = "abcdefghij"


def round_of(weights, number):
    peers = [policy.PeerRow() for _ in weights]
    those = range(len(weights))
    return "".join(PLACES[policy.smooth_round_robin(peers, those, weights)] for _ in range(number))


def test_the_smooth_round_robin_is_the_sequence_that_nginx_publishes():
    """Commit 52327e0627f49dbda1e8db695e63a4b0af4448b1 of nginx: { 5, 1, 1 } gives a a b a c a a, and not c b a a a a a."""
    assert round_of([5, 1, 1], 7) == "aabacaa"
    assert round_of([5, 1, 1], 14) == "aabacaa" * 2


@pytest.mark.parametrize("weights", [[1, 1, 1], [3, 2], [4, 2, 1, 1], [7, 5, 3]])
def test_each_round_of_the_sum_of_weights_gives_each_its_weight(weights):
    found = round_of(weights, 3 * sum(weights))
    for start in (0, sum(weights), 2 * sum(weights)):
        part = found[start : start + sum(weights)]
        assert [part.count(PLACES[i]) for i in range(len(weights))] == weights


def test_the_fewest_connections_per_weight_are_taken_and_equals_take_turns():
    peers = [policy.PeerRow() for _ in range(3)]
    loads = [0, 0, 0]
    taken = []
    for _ in range(8):
        index = policy.least_connections(peers, range(3), [2, 1, 1], loads)
        loads[index] += 1
        taken.append(index)
    assert loads == [4, 2, 2]
    assert taken[0] == 0


def test_the_peak_of_a_latency_is_remembered_and_fades():
    peer = policy.PeerRow()
    policy.observe(peer, 0.1, 0.0, 10.0)
    policy.observe(peer, 1.0, 1.0, 10.0)
    assert peer.estimate == 1.0
    policy.observe(peer, 0.1, 11.0, 10.0)
    assert peer.estimate == pytest.approx(math.exp(-1.0) + 0.1 * (1 - math.exp(-1.0)))
    assert policy.load_of(peer, 3, 11.0, 10.0) == pytest.approx(peer.estimate * 4)


def test_nothing_is_known_of_who_has_not_answered_yet():
    assert policy.load_of(policy.PeerRow(), 0, 5.0, 10.0) == 0.0
    assert policy.load_of(policy.PeerRow(), 2, 5.0, 10.0) == policy.PENALTY + 2


@pytest.mark.parametrize(("hosts", "one", "expected"), [(9, False, False), (10, False, True), (9, True, True)])
def test_one_of_nine_is_more_than_ten_percent(hosts, one, expected):
    assert policy.may_eject(0, hosts, 10.0, one) is expected


def test_each_ejection_is_longer_than_the_last_up_to_the_longest():
    peer, out = policy.PeerRow(), []
    for _ in range(13):
        policy.eject(peer, 0.0, 30.0, 300.0)
        out.append(next(second for second in range(1000) if policy.is_over(peer, second, 30.0, 300.0)))
        policy.uneject(peer, 0.0)
    assert out == [30 * k for k in range(1, 11)] + [300] * 3


def test_an_interval_without_an_ejection_is_forgiven():
    peer = policy.PeerRow(ejections=3, unejected_at=100.0)
    policy.forgive(peer, 105.0, 10.0)
    assert peer.ejections == 3
    policy.forgive(peer, 110.0, 10.0)
    policy.forgive(peer, 120.0, 10.0)
    assert peer.ejections == 1


def test_one_bad_of_five_is_an_outlier_and_two_are_none():
    """Envoy's example: mean 80, deviation 40, threshold 4; with two of them 60, 49 and -33."""
    assert policy.success_rate_threshold([100, 100, 100, 100, 0], 1900) == pytest.approx(4.0)
    assert policy.success_rate_threshold([100, 100, 100, 0, 0], 1900) == pytest.approx(60 - 1.9 * 48.9897949)


def test_a_slow_start_is_a_tenth_at_first_and_grows_with_time():
    peer = policy.PeerRow(since=100.0)
    assert [policy.share_of_slow_start(peer, at, 30.0) for at in (100.0, 101.0, 115.0, 130.0)] == [0.1, 0.1, 0.5, 1.0]
