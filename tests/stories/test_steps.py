"""What an endpoint can do: answer early, branch, fall back."""

from sim import testing


def play(steps, arrivals=(0.0,), workers=1, more=""):
    return testing.play(
        f"""
        services:
          app: {{workers: {workers}, endpoints: {{get: {steps}}}}}
          bank:
            workers: 10
            endpoints: {{quick: [{{work: 10ms}}], slow: [{{work: 300ms}}], bad: [{{work: 50ms}}, {{fail: 100%}}], no: [{{work: 20ms}}, {{refuse: 100%}}]}}
        policies: {{short: {{timeout: 100ms}}}}
        {more}
        """,
        list(arrivals),
        sends="app.get",
    )


def test_an_early_reply_answers_before_the_rest_which_goes_on_holding_the_worker():
    played = play("[{work: 10ms}, {reply: {}}, {work: 100ms}, {effect: done}]", [0.0, 0.0])
    assert played.responses() == [0.01, 0.12]
    assert [attempt.ended for attempt in played.attempts("app.get")] == [0.11, 0.22]


def test_a_failure_after_the_reply_is_not_heard_by_the_caller():
    played = play("[{reply: {}}, {fail: 100%}, {effect: done}]")
    assert (played.outcomes(), played.effects()) == (["ok"], [[]])
    assert played.attempts("app.get")[0].outcome == "error"


def test_a_second_reply_is_not_an_answer():
    assert play("[{reply: {}}, {work: 10ms}, {reply: {}}]").responses() == [0.0]


def test_parallel_branches_take_as_long_as_the_slowest():
    played = play(
        "[{parallel: [{call: bank.quick}, {call: bank.slow}, [{work: 40ms}, {call: bank.quick}]]}, {work: 5ms}]"
    )
    assert played.responses() == [0.305]


def test_parallel_waits_for_all_and_answers_with_the_first_failure_in_the_order_of_the_branches():
    """The refusal comes first in time, the error first in order; nothing is cut short."""
    played = play("[{parallel: [{call: bank.slow}, {call: bank.bad}, {call: bank.no}]}, {effect: never}]")
    assert (played.outcomes(), played.responses(), played.effects()) == (["error"], [0.3], [[]])
    assert played.requests["where"].tolist() == ["bank.bad"]


def test_parallel_branches_are_degraded_as_a_whole_when_one_of_them_is():
    assert play("[{parallel: [{call: bank.quick}, {call: bank.bad, fallback: []}]}]").outcomes() == ["degraded"]


def test_a_parallel_step_within_a_branch_works_too():
    assert play("[{parallel: [[{parallel: [{work: 10ms}, {work: 20ms}]}, {work: 5ms}], {work: 1ms}]}]").responses() == [
        0.025
    ]


def test_a_fallback_runs_once_after_the_last_attempt_and_the_request_is_degraded():
    played = play(
        "[{call: bank.bad, policy: {retry: {max_attempts: 3, backoff: {constant: 0s}}}, fallback: [{work: 5ms}, {effect: noted}]}, {effect: done}]"
    )
    assert (played.outcomes(), played.responses()) == (["degraded"], [0.155])
    assert played.effects() == [["noted", "done"]]
    assert len(played.attempts("bank.bad")) == 3


def test_a_fallback_that_fails_gives_its_own_outcome():
    assert play("[{call: bank.bad, fallback: [{call: bank.slow, policy: short}]}, {effect: done}]").outcomes() == [
        "timeout"
    ]
    assert play("[{call: bank.bad, fallback: [{refuse: 100%}]}]").outcomes() == ["refused"]


def test_the_fallback_of_a_fallback_degrades():
    assert play("[{call: bank.bad, fallback: [{call: bank.bad, fallback: []}]}]").outcomes() == ["degraded"]


def test_a_refusal_has_no_fallback():
    played = play("[{call: bank.no, fallback: [{effect: noted}]}]")
    assert (played.outcomes(), played.effects()) == (["refused"], [[]])


def test_a_degraded_callee_makes_a_degraded_caller_without_its_fallback():
    text = """
    services:
      a: {workers: 1, endpoints: {get: [{call: b.get, fallback: [{effect: noted}]}]}}
      b: {workers: 1, endpoints: {get: [{call: c.get, fallback: []}]}}
      c: {workers: 1, endpoints: {get: [{fail: 100%}]}}
    """
    played = testing.play(text, [0.0], sends="a.get")
    assert (played.outcomes(), played.effects()) == (["degraded"], [[]])


def test_a_request_that_was_ok_in_the_end_failed_nowhere():
    """The first attempt finds the bank refusing, the second does not."""
    played = play(
        "[{call: bank.quick, policy: {retry: {max_attempts: 2, backoff: {constant: 100ms}}}}]",
        more="faults: [{at: 0s, for: 50ms, outage: bank, how: refuse}]",
    )
    assert (played.outcomes(), played.responses()) == (["ok"], [0.11])
    assert played.requests["where"].tolist() == [""]


def test_effects_survive_the_failure_of_what_follows():
    assert play("[{effect: created}, {call: bank.bad}, {effect: done}]").effects() == [["created"]]
