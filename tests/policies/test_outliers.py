"""Envoy's outlier detection decision by decision: tables from source/common/upstream/outlier_detection_impl.cc."""

import pytest

from sim.policies import outliers
from sim.policies.balancing import new_balancing, new_peers
from sim.spec.balancing import Balancing
from sim.vocabulary import Outcome

FIVE, GATEWAY, LOCAL = outliers.BY_5XX, outliers.BY_GATEWAY, outliers.BY_LOCAL
SPLIT = {"split_external_local_origin_errors": True}


def detection(replicas=1, **words):
    said = {"max_ejection_percent": 100, "consecutive_5xx": 3, **words}
    spec = Balancing.model_validate({"outlier_detection": said})
    return new_balancing(spec), new_peers(spec, replicas)


def judged(answers, **words):
    """(number of the answer, why) of each that was one too many; e error, s shed, t timeout, u unreachable, . good."""
    row, (peer,) = detection(**words)
    letters = {"e": Outcome.ERROR, "s": Outcome.SHED, "t": Outcome.TIMEOUT, "u": Outcome.UNREACHABLE, ".": Outcome.OK}
    found = [outliers.judge(row, peer, int(letters[letter]), 0.0) for letter in answers]
    return [(number, why) for number, why in enumerate(found, 1) if why]


@pytest.mark.parametrize(
    ("answers", "words", "found"),
    [
        ("eteuee", {}, [(3, FIVE), (6, FIVE)]),  # 500, 504, 500, 503 ...: all are 5xx
        ("ee.eee", {}, [(6, FIVE)]),
        ("ess", {"consecutive_gateway_failure": 2}, [(3, FIVE + GATEWAY)]),
        ("sess", {"consecutive_gateway_failure": 2}, [(3, FIVE), (4, GATEWAY)]),  # 500 is none of a gateway
        ("eteee", SPLIT, [(4, FIVE)]),  # a timeout is neither a 5xx nor an end of the row
        ("uuuuu", SPLIT, [(5, LOCAL)]),
        ("uuueuuuuu", SPLIT, [(9, LOCAL)]),  # whoever answers was connected, with 5xx or not
        ("uu.uuuuu", SPLIT, [(8, LOCAL)]),
        ("tttttttttt", SPLIT, []),  # connected, which begins the row anew, each time
        ("uuuutuuuu", SPLIT, [(9, LOCAL)]),  # the timeout is the first of the new row
        ("uuu", SPLIT | {"consecutive_local_origin_failure": 2}, [(2, LOCAL)]),
        ("uuuuuuuuu", SPLIT | {"consecutive_local_origin_failure": None}, []),
        ("ssuss", SPLIT | {"consecutive_gateway_failure": 3, "consecutive_5xx": None}, [(4, GATEWAY)]),
    ],
)
def test_what_is_one_failure_too_many(answers, words, found):
    assert judged(answers, **words) == found


def ejected(why, luck, **words):
    row, peers = detection(**words)
    return outliers.eject(row, peers, [1], 1, 0, 0.0, why, luck, 0.0)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("enforcing_consecutive_5xx", FIVE),
        ("enforcing_consecutive_gateway_failure", GATEWAY),
        ("enforcing_success_rate", outliers.BY_RATE),
        ("enforcing_failure_percentage", outliers.BY_PERCENTAGE),
        ("enforcing_consecutive_local_origin_failure", LOCAL),
        ("enforcing_local_origin_success_rate", outliers.BY_LOCAL_RATE),
    ],
)
def test_each_kind_is_enforced_so_many_times_in_a_hundred(word, why):
    """featureEnabled: a number from 0 to 99 that is below the percentage."""
    split = SPLIT if "local" in word else {}
    assert [ejected(why, luck, **split, **{word: 30}) for luck in (0.01, 0.299, 0.3, 0.99)] == [
        True,
        True,
        False,
        False,
    ]
    assert not ejected(why, 0.0, **split, **{word: 0})
    assert all(ejected(why, luck, **split, **{word: 100}) for luck in (0.0, 0.999999))
    others = {FIVE, GATEWAY, LOCAL, outliers.BY_RATE, outliers.BY_PERCENTAGE, outliers.BY_LOCAL_RATE} - {why}
    assert all(ejected(other, 0.99, **split, **{word: 0}) for other in others)


@pytest.mark.parametrize(("luck", "out"), [(0.0, 30.0), (0.4999, 31.0), (0.5, 31.0), (0.9999, 32.0)])
def test_jitter_is_of_whole_milliseconds_from_none_to_the_most(luck, out):
    """Random % (2000 + 1): 0 to 2,000 ms."""
    row, peers = detection(max_ejection_time_jitter="2s")
    assert outliers.eject(row, peers, [1], 1, 0, 0.0, FIVE, 0.0, luck)
    assert 30.0 + peers[0].jitter == pytest.approx(out, abs=0.0011)
    assert not outliers.look(row, peers[0], 30.0 + peers[0].jitter - 0.001)
    assert outliers.look(row, peers[0], 30.0 + peers[0].jitter)


def test_the_longest_ejection_is_longer_by_its_jitter():
    row, peers = detection(max_ejection_time="30s", max_ejection_time_jitter="2s")
    peers[0].ejections = 5
    outliers.eject(row, peers, [1], 1, 0, 0.0, FIVE, 0.0, 0.9999)
    assert not outliers.look(row, peers[0], 31.9)
    assert outliers.look(row, peers[0], 32.0)


def test_success_rates_of_local_origin_are_compared_by_themselves():
    """Ten calls each: of one all time out, connected and not answered, 50 %; the others 100 %. Envoy's own example: mean
    90, deviation 20, threshold 52. By its answers nothing is known of it, and four are too few.
    """
    row, peers = detection(5, success_rate_request_volume=10, **SPLIT)
    for index, peer in enumerate(peers):
        for _ in range(10):
            outliers.judge(row, peer, int(Outcome.TIMEOUT if index == 0 else Outcome.OK), 0.0)
    assert outliers.success_rate_threshold(row, peers, 5, 0) == -1.0
    threshold = outliers.success_rate_threshold(row, peers, 5, 1)
    assert threshold == pytest.approx(52.0)
    assert [outliers.is_outlier(row, peer, threshold, 1) for peer in peers] == [True] + [False] * 4
    row.splits = 0
    assert outliers.success_rate_threshold(row, peers, 5, 1) == -1.0


def test_words_of_local_origin_need_the_split():
    with pytest.raises(ValueError, match="which it belongs to"):
        detection(consecutive_local_origin_failure=3)
