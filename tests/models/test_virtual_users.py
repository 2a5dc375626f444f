"""The virtual users of a load generator: whom they run, whom they drop, and Erlang's formula for how many."""

import pytest

import sim
from sim import testing
from sim.errors import ScenarioError
from sim.metrics import measure
from sim.report.conclusions.comparing import harms

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each

REGULAR = """
duration: 10s
traffic: {gen: {sends: shop.buy, arrivals: {deterministic: 10/s}, virtual_users: USERS}}
services: {shop: {workers: unlimited, endpoints: {buy: [{wait: TIME}]}}}
"""


def played(users, time="1s"):
    return testing.play_on_both(REGULAR.replace("USERS", users).replace("TIME", time))


def arrivals(run):
    return [round(float(time), 6) for time in run.records.requests["arrival"]]


def dropped(run):
    return next(book for book in run.records.books if book.component == "gen").ended.get("dropped_iterations", 0)


def test_an_arrival_that_finds_no_user_free_is_dropped():
    """One at each tenth of a second, of which four users can run the first four of every second."""
    run = played("4")
    assert arrivals(run) == [round(second + tenth / 10, 6) for second in range(10) for tenth in (1, 2, 3, 4)]
    assert dropped(run) == 99 - 40
    assert measure(run.records, run.scenario).values["dropped_iterations"] == 59


def test_the_answer_tells_that_the_load_was_less_than_said():
    text = "version: 1\n" + REGULAR.replace("USERS", "4").replace("TIME", "1s")
    comparison = sim.compare(sim.load_text(text), replications=1, jobs=1)
    assert [line.text for line in harms(comparison)] == [
        "Iterations that the load generator dropped, so that the load was less than said: 59."
    ]


def test_one_that_is_missed_is_there_from_then_on():
    """0.3 and 0.5 find none, and each makes one more."""
    assert arrivals(played("{pre_allocated: 2, max: 4}"))[:8] == [0.1, 0.2, 0.4, 0.6, 1.1, 1.2, 1.4, 1.6]


def test_with_enough_of_them_by_littles_law_nothing_is_dropped():
    """Ten a second for 0.95 s each: ten are enough, and nine are not."""
    assert dropped(played("10", "950ms")) == 0
    assert dropped(played("9", "950ms")) > 0


def test_who_is_dropped_keeps_its_number_so_that_the_others_are_who_they_were():
    few, many = played("4").records.requests, played("100").records.requests
    assert set(zip(few["id"], few["arrival"], strict=True)) < set(zip(many["id"], many["arrival"], strict=True))


@pytest.mark.parametrize(
    ("said", "do"),
    [
        ("visit: {requests: 2, think: 700ms}", "[{wait: 100ms}]"),
        ("retry: {max_attempts: 2, backoff: {constant: 700ms}}", "[{wait: 100ms}, {fail: 100%}]"),
    ],
)
def test_a_user_is_busy_for_all_of_a_visit_and_its_retries(said, do):
    """0.1 + 0.7 + 0.1 s: whoever comes at 0.1 s of a second is run, and the nine after it are dropped."""
    text = REGULAR.replace("virtual_users: USERS", f"virtual_users: 1, {said}").replace("[{wait: TIME}]", do)
    assert dropped(testing.play_on_both(text)) == 99 - 11  # at 0.1, 1.0, 1.9 ... 9.1


@pytest.mark.long
@pytest.mark.parametrize(("users", "load"), [(1, 0.5), (5, 4.0), (10, 9.0)])
def test_as_many_are_dropped_as_erlang_says(users, load):
    """Poisson arrivals, no queue, and times of any distribution: Erlang's loss formula B(c, a), by its recursion."""
    expected = 1.0
    for count in range(1, users + 1):
        expected = load * expected / (count + load * expected)
    text = REGULAR.replace("deterministic: 10/s", f"poisson: {load * 10}/s").replace("duration: 10s", "duration: 2000s")
    text = text.replace("USERS", str(users)).replace("{wait: TIME}", "{wait: {gamma: {mean: 100ms, cv: 0.5}}}")
    (scenario,) = sim.load_text("version: 1\n" + text).variants.values()
    book = next(book for book in sim.simulate(scenario).books if book.component == "gen")
    assert book.ended["dropped_iterations"] / book.offered == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("arrivals: {closed: {users: 3, think: 1s}}, virtual_users: 3", "virtual_users: found closed arrivals"),
        (
            "arrivals: {poisson: 3/s}, virtual_users: {pre_allocated: 5, max: 3}",
            "max: found 3, expected at least the 5",
        ),
        ("arrivals: {poisson: 3/s}, virtual_users: {max: 3}", "pre_allocated"),
    ],
)
def test_what_has_no_meaning_is_refused(said, words):
    text = REGULAR.replace("arrivals: {deterministic: 10/s}, virtual_users: USERS", said).replace("TIME", "1s")
    with pytest.raises(ScenarioError) as caught:
        sim.load_text("version: 1\n" + text)
    assert words in str(caught.value)
