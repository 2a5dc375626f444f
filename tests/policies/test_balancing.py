"""Weights, latencies and ejections as nginx, Finagle and Envoy reckon them."""

import math

import pytest

from sim.policies import balancing as policy
from sim.policies import hashing, outliers
from sim.vocabulary import Outcome

PLACES = "abcdefghij"


def round_of(weights, number):
    row, peers = policy.BalancingRow(policy.BY_WEIGHT), [policy.PeerRow(weight=float(weight)) for weight in weights]
    loads, allowed = [0] * len(weights), [1] * len(weights)
    return "".join(PLACES[policy.pick(row, peers, loads, allowed, len(weights), 0.0, 0.0, 0.0)] for _ in range(number))


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
    row, peers = policy.BalancingRow(policy.FEWEST_BY_WEIGHT), [policy.PeerRow(weight=w) for w in (2.0, 1.0, 1.0)]
    loads = [0, 0, 0]
    taken = []
    for _ in range(8):
        index = policy.pick(row, peers, loads, [1, 1, 1], 3, 0.0, 0.0, 0.0)
        loads[index] += 1
        taken.append(index)
    assert loads == [4, 2, 2]
    assert taken[0] == 0


def test_of_two_equal_latencies_the_second_is_taken():
    """P2CPick.scala: `if (nodeA.load < nodeB.load) nodeA else nodeB`, b one up where it is not below a."""
    row, peers = policy.BalancingRow(policy.BY_LATENCY), [policy.PeerRow() for _ in range(3)]
    expected = {(0.0, 0.0): 1, (0.0, 0.9): 2, (0.5, 0.0): 0, (0.5, 0.9): 2, (0.9, 0.0): 0, (0.9, 0.9): 1}
    for (u1, u2), taken in expected.items():
        assert policy.pick(row, peers, [0, 0, 0], [1, 1, 1], 3, 0.0, u1, u2) == taken


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


@pytest.mark.parametrize(("hosts", "one", "expected"), [(9, 0, False), (10, 0, True), (9, 1, True)])
def test_one_of_nine_is_more_than_ten_percent(hosts, one, expected):
    assert outliers.may_eject(policy.BalancingRow(always_one=one), 0, hosts) is expected


def out_of(peer, row):
    """Seconds until it returns."""
    return next(second for second in range(1000) if outliers.look(row, peer, float(second)))


def test_each_ejection_is_longer_than_the_last_up_to_the_longest():
    row, peers, out = policy.BalancingRow(most_percent=100.0), [policy.PeerRow()], []
    for _ in range(13):
        assert outliers.eject(row, peers, [1], 1, 0, 0.0, outliers.BY_5XX, 0.0, 0.0)
        out.append(out_of(peers[0], row))
    assert out == [30 * k for k in range(1, 11)] + [300] * 3


def test_who_is_out_is_not_ejected_again():
    row, peers = policy.BalancingRow(most_percent=100.0), [policy.PeerRow(), policy.PeerRow()]
    assert [outliers.eject(row, peers, [1, 1], 2, 0, at, outliers.BY_5XX, 0.0, 0.0) for at in (0.0, 1.0)] == [
        True,
        False,
    ]
    assert peers[0].ejected_at == 0.0


def test_an_interval_without_an_ejection_is_forgiven():
    row, peer = policy.BalancingRow(), policy.PeerRow(ejections=3, unejected_at=100.0)
    outliers.forgive(row, peer, 105.0)
    assert peer.ejections == 3
    outliers.forgive(row, peer, 110.0)
    outliers.forgive(row, peer, 120.0)
    assert peer.ejections == 1


def test_failures_in_a_row_are_counted_until_a_good_answer():
    row, peer = policy.BalancingRow(consecutive=3, gateway_failures=2), policy.PeerRow()
    answers = [Outcome.ERROR, Outcome.TIMEOUT, Outcome.REFUSED, Outcome.SHED, Outcome.ERROR, Outcome.UNREACHABLE]
    assert [outliers.judge(row, peer, answer, 0.0) for answer in answers] == [False] * 5 + [True]
    assert outliers.judge(row, peer, Outcome.TIMEOUT, 0.0), "two of the gateway's in a row"


def compared(percents):
    peers = [policy.PeerRow(asked=100, good=percent) for percent in percents]
    return outliers.success_rate_threshold(policy.BalancingRow(), peers, len(peers), 0)


def test_one_bad_of_five_is_an_outlier_and_two_are_none():
    """Envoy's example: mean 80, deviation 40, threshold 4; with two of them 60, 49 and -33."""
    assert compared([100, 100, 100, 100, 0]) == pytest.approx(4.0)
    assert compared([100, 100, 100, 0, 0]) == pytest.approx(60 - 1.9 * 48.9897949)
    assert compared([100, 100, 100, 0]) == -1.0, "five are needed"


def test_nobody_is_left_out_where_too_few_would_be_left():
    row, allowed = policy.BalancingRow(panic=0.5), [0] * 4
    peers = [policy.PeerRow(ejected=int(index < 2)) for index in range(4)]
    assert policy.allow(row, peers, [1, 1, 1, 1], allowed, 4, 0.0) == 2
    assert allowed == [0, 0, 1, 1]
    assert policy.allow(row, peers, [1, 1, 1, 0], allowed, 4, 0.0) == 3, "one of three is less than half"
    assert allowed == [1, 1, 1, 0]


def test_without_a_panic_nobody_is_called_where_all_are_left_out():
    """Envoy, with a threshold of 0: no healthy host, and 503."""
    row, allowed = policy.BalancingRow(panic=0.0), [0] * 2
    peers = [policy.PeerRow(ejected=1) for _ in range(2)]
    assert (policy.allow(row, peers, [1, 1], allowed, 2, 0.0), allowed) == (0, [0, 0])
    assert policy.allow(policy.BalancingRow(panic=0.01), peers, [1, 1], allowed, 2, 0.0) == 2


def counted(answers, **thresholds):
    """The first answer, from 1, at which Kong takes a replica out; 0: never."""
    row, peer = policy.BalancingRow(detects=policy.AS_KONG, **thresholds), policy.PeerRow()
    for number, word in enumerate(answers.split(), 1):
        if outliers.judge(row, peer, int(Outcome[word.upper()]), 0.0):
            return number
    return 0


@pytest.mark.parametrize(
    ("answers", "thresholds", "out"),
    [
        ("error ok error ok error", {"http_failures": 3}, 5),  # with `successes` 0 nothing takes a failure back
        ("error ok error ok error", {"http_failures": 3, "successes": 1}, 0),
        ("error error ok error error error", {"http_failures": 3, "successes": 9}, 6),  # the first success clears all
        ("error shed rate_limited", {"http_failures": 3}, 3),  # 500, 503, 429
        ("refused refused refused", {"http_failures": 3}, 0),  # another 4xx is in neither list
        ("error error timeout error", {"http_failures": 3, "timeouts": 2}, 4),  # each kind has a count of its own
        ("timeout unreachable timeout", {"timeouts": 2, "tcp_failures": 2}, 3),
        ("timeout timeout timeout unreachable", {"tcp_failures": 1}, 4),  # a threshold of 0 is off
    ],
)
def test_kong_counts_each_kind_of_failure_by_itself(answers, thresholds, out):
    assert counted(answers, **thresholds) == out


def test_a_check_that_kong_counts_brings_a_replica_back_and_its_counts_begin_anew():
    row, peer = (
        policy.BalancingRow(detects=policy.AS_KONG, http_failures=2, unejects=2, most_percent=100.0),
        policy.PeerRow(),
    )
    for _ in range(2):
        out = outliers.judge(row, peer, int(Outcome.ERROR), 0.0)
    assert out
    assert outliers.eject(row, [peer], [1], 1, 0, 1.0, outliers.BY_5XX, 0.0, 0.0)
    assert not outliers.judge(row, peer, int(Outcome.ERROR), 0.0), "it is out already"
    assert [outliers.returns(row, peer) for _ in range(2)] == [False, True]
    outliers.uneject(peer, 9.0)
    assert (peer.ejected, peer.http_failures, peer.wholly_healthy) == (0, 0, 1)


def test_a_key_goes_to_the_next_point_that_is_allowed_and_round_the_circle():
    points, whose = [10, 20, 30], [0, 1, 2]
    found = [hashing.pick_on_ring(points, whose, 3, key, [1, 1, 1]) for key in (0, 10, 11, 29, 31)]
    assert found == [0, 0, 1, 2, 0]
    assert [hashing.pick_on_ring(points, whose, 3, key, [1, 0, 1]) for key in (11, 31)] == [2, 0]


def test_a_slow_start_is_a_tenth_at_first_and_grows_with_time():
    peer = policy.PeerRow(since=100.0)
    assert [policy.share_of_slow_start(peer, at, 30.0) for at in (100.0, 101.0, 115.0, 130.0)] == [0.1, 0.1, 0.5, 1.0]


def maglev(offsets, skips, allowed):
    table = [0] * (7 + len(allowed))
    hashing.fill_table(table, 7, offsets, skips, allowed, len(allowed))
    return table[:7]


def test_maglev_fills_its_table_as_the_paper_does():
    """Table 1 of Eisenbud et al. (NSDI 2016): permutations 3 0 4 1 5 2 6, 0 2 4 6 1 3 5 and 3 4 5 6 0 1 2, before and after B1 is gone."""
    assert maglev([3, 0, 3], [4, 2, 1], [1, 1, 1]) == [1, 0, 1, 0, 2, 2, 0]
    assert maglev([3, 0, 3], [4, 2, 1], [1, 0, 1]) == [0, 0, 0, 0, 2, 2, 2]


def test_shares_of_a_maglev_table_differ_by_one_place_and_few_users_move_when_one_is_gone():
    whole, less = hashing.table_of("a", (1,) * 5, 1009), hashing.table_of("a", (1, 1, 0, 1, 1), 1009)
    assert sorted(whole.count(index) for index in range(5)) == [201, 202, 202, 202, 202]
    moved = sum(before not in (after, 2) for before, after in zip(whole, less, strict=True))
    assert 0 < moved < 1009 // 10, "a plain remainder would move four of five"
