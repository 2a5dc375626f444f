"""Hops: latency each way, loss, and what is paired with what."""

import numpy as np

from sim import testing


def system(link, calls="{call: b.get, policy: {timeout: 1s}}"):
    return f"""
    duration: 200s
    services:
      a: {{workers: unlimited, endpoints: {{get: [{calls}]}}}}
      b: {{workers: unlimited, endpoints: {{get: [{{work: 0s}}]}}}}
    network: {{links: [{{between: [b, a], {link}}}]}}
    """


def test_latency_is_drawn_for_each_direction_on_its_own():
    run = testing.play(system("latency: {exponential: 20ms}"), [0.05 * k for k in range(2000)], sends="a.get")
    there = np.array([attempt.arrived for attempt in run.attempts("b.get")]) - run.requests["arrival"].to_numpy()
    back = np.array(run.responses()) - there
    assert 0.018 < there.mean() < 0.022
    assert 0.018 < back.mean() < 0.022
    assert abs(np.corrcoef(there, back)[0, 1]) < 0.08


def test_loss_is_drawn_for_each_direction_on_its_own():
    run = testing.play(system("loss: 20%"), [0.05 * k for k in range(2000)], sends="a.get")
    arrived, ok = len(run.attempts("b.get")) / 2000, run.outcomes().count("ok") / 2000
    assert abs(arrived - 0.8) < 4 * np.sqrt(0.16 / 2000)
    assert abs(ok - 0.64) < 4 * np.sqrt(0.64 * 0.36 / 2000)
    assert run.outcomes().count("timeout") == 2000 - run.outcomes().count("ok")


def test_a_lost_request_is_noticed_by_nobody_but_the_timeout():
    run = testing.play(system("loss: 100%", calls="{call: b.get}"), [0.0], sends="a.get")
    assert run.outcomes() == ["in_flight"]
    assert not run.attempts("b.get")


def test_loss_draws_do_not_move_the_luck_of_latency():
    same = "latency: {exponential: 20ms}"
    whole = testing.play(system(same), [0.1 * k for k in range(300)], sends="a.get")
    lossy = testing.play(system(same + ", loss: 30%"), [0.1 * k for k in range(300)], sends="a.get")
    kept = [(one, other) for one, other in zip(whole.responses(), lossy.responses(), strict=True) if other < 1.0]
    assert 100 < len(kept) < 200
    assert all(one == other for one, other in kept)


def test_clients_have_no_hop_to_their_door():
    run = testing.play(
        "services: {a: {workers: 1, endpoints: {get: [{work: 1ms}]}}}\nnetwork: {default: {latency: 1s}}", [0.0]
    )
    assert run.responses() == [0.001]


def test_a_hop_of_no_length_takes_no_time_and_keeps_the_order():
    run = testing.play(system("latency: 0s"), [0.0] * 5, sends="a.get")
    assert [attempt.request for attempt in run.attempts("b.get")] == [0, 1, 2, 3, 4]
    assert run.responses() == [0.0] * 5


def test_the_latency_of_a_fault_is_drawn_for_each_hop_on_its_own():
    """Two services by one wire, and two directions each: four draws of 50 ms on average; the same one four times would have a deviation of 200 ms."""
    text = """
    duration: 3000s
    services:
      a: {workers: unlimited, endpoints: {get: [{call: b.one}, {call: b.other}]}}
      b: {workers: unlimited, endpoints: {one: [], other: []}}
    faults: [{at: 0s, network: {between: [a, b], latency: {exponential: 50ms}}}]
    """
    responses = np.array(testing.play(text, [float(k) for k in range(2000)], sends="a.get").responses())
    assert abs(responses.mean() - 0.2) < 0.01
    assert abs(responses.std() - 0.1) < 0.01
