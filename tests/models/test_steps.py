"""Steps by themselves: what takes a worker, what takes a core, and how a plug-in adds one."""

import pytest

from sim import testing


def play(steps, arrivals=(0.0,), service="workers: 1", **more):
    return testing.play(
        f"services: {{app: {{{service}, endpoints: {{get: {steps}, other: [{{work: 10ms}}, {{effect: other-done}}]}}}}}}",
        list(arrivals),
        sends="app.get",
        **more,
    )


def test_steps_run_one_after_the_other_until_one_does_not_end_well():
    played = play("[{work: 10ms}, {effect: one}, {refuse: 100%}, {effect: two}]")
    assert (played.outcomes(), played.responses(), played.effects()) == (["refused"], [0.01], [["one"]])


def test_perform_runs_the_steps_of_another_endpoint_here():
    played = play("[{perform: app.other}, {perform: app.other}]")
    assert (played.responses(), played.effects()) == ([0.02], [["other-done"]])
    assert len(played.attempts()) == 1


def test_a_failure_inside_of_a_perform_is_that_of_its_endpoint():
    text = "services: {app: {workers: 1, endpoints: {get: [{perform: app.bad}, {effect: never}], bad: [{fail: 100%}]}}}"
    played = testing.play(text, [0.0], sends="app.get")
    assert (played.outcomes(), played.requests["where"].tolist(), played.effects()) == (["error"], ["app.bad"], [[]])


def test_work_in_parallel_shares_the_cores_of_its_replica():
    steps = "[{parallel: [{work: 100ms}, {work: 100ms}]}]"
    assert play(steps).responses() == [0.1]
    assert play(steps, service="workers: 1, cores: 1").responses() == [0.2]


def test_work_in_parallel_on_an_event_loop_takes_turns_on_its_threads():
    steps = "[{parallel: [{work: 100ms}, {work: 100ms}]}]"
    assert play(steps, service="workers: 1, concurrency: event_loop").responses() == [0.2]
    assert play(steps, service="workers: 2, concurrency: event_loop").responses() == [0.1]


def test_an_event_loop_takes_a_thread_again_for_the_work_after_a_wait():
    """Both wait until 110 ms or so; then the one thread does the second work of each in turn."""
    played = play(
        "[{work: 10ms}, {wait: 100ms}, {work: 50ms}]", [0.0, 0.0], service="workers: 1, concurrency: event_loop"
    )
    assert played.responses() == [0.16, 0.21]


def test_those_who_come_back_to_an_event_loop_wait_behind_those_who_came_before_and_are_never_shed():
    played = play(
        "[{work: 100ms}, {wait: 50ms}, {work: 100ms}]",
        [0.0, 0.02, 0.03],
        service="workers: 1, concurrency: event_loop, queue: {capacity: 2}",
    )
    assert played.outcomes() == ["ok"] * 3
    assert played.responses() == [0.4, 0.48, 0.57]


def test_check_to_write_holds_a_thread_but_no_event_loop():
    steps = "[{take: {stock: {check_to_write: 100ms}}}]"
    assert play(steps, [0.0, 0.0], service="workers: 1, stock: {items: 9}").responses() == [0.1, 0.2]
    assert play(steps, [0.0, 0.0], service="workers: 1, concurrency: event_loop, stock: {items: 9}").responses() == [
        0.1,
        0.1,
    ]


def test_a_reply_in_a_branch_answers_the_caller_of_the_endpoint_and_only_the_first_does():
    played = play(
        "[{parallel: [[{work: 30ms}, {reply: {}}], [{work: 10ms}, {reply: {}}, {work: 100ms}]]}, {work: 5ms}, {effect: done}]"
    )
    assert (played.responses(), played.effects()) == ([0.01], [["done"]])
    assert played.attempts()[0].ended == 0.115


def test_a_reply_in_a_consumer_answers_nobody():
    text = """
    traffic: {clients: {sends: a.get, completes_with: [done]}}
    services:
      a: {workers: 1, endpoints: {get: [{publish: events}]}}
      b:
        workers: 1
        endpoints: {do: [{parallel: [{reply: {}}, {work: 10ms}]}, {reply: {}}, {effect: done}]}
        consumes: {events: {group: g, do: [{perform: b.do}]}}
    brokers: {kafka: {kind: log, topics: {events: {}}}}
    """
    assert testing.play(text, [0.0]).completions() == [0.01]


@pytest.mark.parametrize(("share", "word"), [("fail", "error"), ("refuse", "refused")])
def test_a_share_of_attempts_ends_so_and_a_retry_has_a_chance_of_its_own(share, word):
    text = f"""
    duration: 500s
    services:
      a: {{workers: unlimited, endpoints: {{get: [{{call: b.get, policy: {{retry: {{max_attempts: 2, backoff: {{constant: 0s}}}}}}}}]}}}}
      b: {{workers: unlimited, endpoints: {{get: [{{{share}: 30%}}]}}}}
    """
    played = testing.play(text, [0.1 * k for k in range(4000)], sends="a.get")
    left = played.outcomes().count(word) / 4000
    assert left == pytest.approx(0.09 if share == "fail" else 0.3, abs=0.03)
