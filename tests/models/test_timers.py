"""Queues of timers: what was waited for in time is stale when its turn comes, and one armed event serves them all."""

from sim import testing
from sim.models.clock import Clock
from sim.models.task import Task
from sim.models.timers import TimerQueue


def waiting(queue, clock, moments):
    """Tasks armed at these moments, and what the queue expires, as (time, task)."""
    tasks, expired = [], []
    queue.expire = lambda task: expired.append((clock.now, tasks.index(task)))
    for moment in moments:
        clock.now = clock._now = moment
        tasks.append(Task(None, 0, 0, None, None))
        queue.arm(tasks[-1])
    return tasks, expired


def run(clock):
    while clock._queue:
        clock.step()
        clock.now = clock._now


def test_timers_of_one_lane_expire_in_the_order_in_which_they_were_armed():
    clock = Clock()
    queue = TimerQueue(clock, 2.0, None)
    _, expired = waiting(queue, clock, [0.0, 0.5, 0.5, 1.0])
    run(clock)
    assert expired == [(2.0, 0), (2.5, 1), (2.5, 2), (3.0, 3)]
    assert not queue.armed


def test_a_task_that_has_got_what_it_waited_for_is_not_expired():
    clock = Clock()
    queue = TimerQueue(clock, 2.0, None)
    tasks, expired = waiting(queue, clock, [0.0, 0.5, 1.0])
    tasks[1].ticket += 1
    run(clock)
    assert [task for _, task in expired] == [0, 2]


def test_a_lane_whose_timers_are_all_stale_comes_to_rest_and_can_be_armed_again():
    clock = Clock()
    queue = TimerQueue(clock, 2.0, None)
    tasks, expired = waiting(queue, clock, [0.0, 0.5])
    for task in tasks:
        task.ticket += 1
    run(clock)
    assert (expired, queue.armed) == ([], False)
    _, expired = waiting(queue, clock, [10.0])
    run(clock)
    assert expired == [(12.0, 0)]


SYSTEM = """
services:
  app: {workers: unlimited, endpoints: {get: [{call: bank.get, policy: {timeout: 1s, retry: {max_attempts: 2, backoff: {constant: 0s}}}}]}}
  bank: {workers: unlimited, endpoints: {get: [{work: WORK}]}}
"""


def test_the_timer_of_an_attempt_that_was_answered_does_not_end_the_next_one():
    """An error at 0.9 s, a second attempt until 1.8 s: the first attempt's timer at 1.0 s concerns nobody any more."""
    system = SYSTEM.replace("WORK", "900ms") + "faults: [{at: 0s, for: 500ms, errors: {of: bank, share: 100%}}]"
    system = system.replace("get: [{work: 900ms}]", "get: [{work: 900ms}, {call: gone.get}]").replace(
        "services:", "services:\n  gone: {workers: 1, endpoints: {get: [{work: 1ms}]}}"
    )
    played = testing.play(
        system.replace("errors: {of: bank, share: 100%}", "outage: gone, how: refuse").replace(
            "for: 500ms", "for: 950ms"
        ),
        [0.0],
        sends="app.get",
    )
    assert (played.outcomes(), played.responses()) == (["ok"], [1.801])


def test_timers_of_many_arrivals_each_fire_at_their_own_time():
    moments = [0.0, 0.1, 0.1, 0.25, 0.9, 1.0]
    played = testing.play(
        SYSTEM.replace("WORK", "5s").replace("max_attempts: 2", "max_attempts: 1"), moments, sends="app.get"
    )
    assert played.responses() == [1.0] * 6
