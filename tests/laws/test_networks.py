"""Stations in a row, side by side, behind a balancer, in a circle, behind a topic. Golden cases T10 to T14, T22, T23 and LINE's networks."""

import numpy as np
import pytest

from .systems import Golden, run, state_shares

pytestmark = pytest.mark.long

FOUR_REPLICAS = """
version: 1
duration: 8000s
warmup: 50s
record: {interval: 10s}
traffic:
  clients: {sends: station.serve, arrivals: {poisson: 320/s}}
services:
  station: {replicas: 4, workers: 1, load_balancing: round_robin, endpoints: {serve: [work: {exponential: 10ms}]}}
"""


@pytest.mark.long
def test_t10c_round_robin_over_four_replicas():
    """Every fourth arrival of a Poisson process: each replica is an E_4/M/1."""
    system = run(FOUR_REPLICAS)
    with Golden("T10c-4") as golden:
        golden.near("mean_wait", system.mean("station", "queue") / 320, relative=0.02)
        golden.near("mean_response", system.response.mean(), relative=0.02)
        golden.near("response_p95", np.quantile(system.response, 0.95), relative=0.02)
        golden.near("response_p99", np.quantile(system.response, 0.99), relative=0.02)
        golden.near("p_wait", share_delayed(system, replicas=4), relative=0.02)


def share_delayed(system, replicas):
    """Share of requests that find the server busy, where request k goes to replica k modulo their number."""
    found = []
    for replica in range(replicas):
        its = system.requests[replica::replicas]
        found.append(its["arrival"][1:] < its["end"][:-1])
    return np.mean(np.concatenate(found))


PIPELINE = """
version: 1
duration: 12000s
warmup: 20s
record: {interval: 10s}
traffic:
  clients: {sends: POST /orders, arrivals: {poisson: 100/s}}
gateway:
  workers: 2
  work: {exponential: 10ms}
  routes: {POST /orders: {to: orders.create}}
services:
  orders:
    workers: 4
    concurrency: event_loop
    endpoints: {create: [{work: {exponential: 30ms}}, {call: payments.charge}]}
  payments: {workers: 1, endpoints: {charge: [work: {exponential: 8ms}]}}
"""


@pytest.mark.long
def test_t11a_three_stations_in_a_row_that_hold_no_threads():
    """Event loops let go of their worker when they call on: Jackson's product form."""
    system = run(PIPELINE)
    with Golden("T11a") as golden:
        golden.near("mean_response_total", system.response.mean(), relative=0.02)
        for component, workers in (("gateway", 2), ("orders", 4), ("payments", 1)):
            waiting, busy = system.mean(component, "queue"), system.mean(component, "busy")
            golden.near(f"{component}_rho", busy / workers, relative=0.02)
            golden.near(f"{component}_mean_wait", waiting / 100, relative=0.02)
            golden.near(f"{component}_mean_response", (waiting + busy) / 100, relative=0.02)


FAN_OUT = """
version: 1
duration: 800s
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 100/s}}
services:
  front:
    workers: unlimited
    endpoints:
      ask: [{parallel: [{call: part.do}, {call: part.do}, {call: part.do}, {call: part.do}, {call: part.do}]}]
  part: {workers: unlimited, endpoints: {do: [work: {exponential: 20ms}]}}
"""


def test_t12a_the_slowest_of_five():
    system = run(FAN_OUT)
    with Golden("T12a-5") as golden:
        golden.near("mean", system.response.mean(), relative=0.02)
        golden.near("var", system.response.var(), relative=0.02)
        for name, share in {"p50": 0.5, "p95": 0.95, "p99": 0.99}.items():
            golden.near(name, np.quantile(system.response, share), relative=0.02)


CLOSED = """
version: 1
duration: 1000s
warmup: 100s
record: {interval: 10s}
traffic:
  users: {sends: front.visit, arrivals: {closed: {users: 1, think: {exponential: 1s}}}}
services:
  front: {workers: unlimited, endpoints: {visit: [{call: small.do}, {call: large.do}, {call: middle.do}]}}
  small: {workers: 1, endpoints: {do: [work: {exponential: 10ms}]}}
  large: {workers: 1, endpoints: {do: [work: {exponential: 50ms}]}}
  middle: {workers: 1, endpoints: {do: [work: {exponential: 30ms}]}}
"""


@pytest.mark.parametrize(
    ("users", "seconds"),
    [
        (1, 40_000),
        pytest.param(5, 20_000, marks=pytest.mark.long),
        pytest.param(10, 12_000, marks=pytest.mark.long),
        pytest.param(20, 12_000, marks=pytest.mark.long),
        pytest.param(30, 20_000, marks=pytest.mark.long),
        (50, 4_000),
        pytest.param(100, 5_000, marks=pytest.mark.long),
    ],
)
def test_t14a_a_closed_network_is_what_mean_value_analysis_says(users, seconds):
    """Users who think, then visit three stations of one worker in turn, in a chain of calls that waits without holding anything scarce."""
    system = run(CLOSED, f"traffic.users.arrivals.closed.users={users}", f"duration={seconds}s")
    expected = f"N{users}"
    with Golden("T14a") as golden:
        golden.near(f"{expected}/throughput", system.throughput(), relative=0.02)
        golden.near(f"{expected}/response", system.response.mean(), relative=0.02)
        golden.near(f"{expected}/util_bottleneck", system.mean("large", "busy"), relative=0.02)
        for index, name in enumerate(("small", "large", "middle")):
            golden.near(
                f"{expected}/queue/{index}", system.mean(name, "queue") + system.mean(name, "busy"), relative=0.02
            )


PARTITIONED = """
version: 1
duration: 9500s
warmup: 50s
record: {interval: 10s}
traffic:
  shop: {sends: shop.order, arrivals: {poisson: 320/s}, completes_with: [done]}
services:
  shop: {workers: unlimited, endpoints: {order: [{publish: orders}]}}
  worker:
    workers: 4
    consumes:
      orders: {group: workers, consumers: 4, auto_offset_reset: earliest, do: [{work: {exponential: 10ms}}, {effect: done}]}
brokers:
  kafka: {kind: log, topics: {orders: {partitions: 4, key: order}}}
"""


@pytest.mark.long
def test_t22_four_partitions_are_four_queues():
    """Keys split the stream at random over four consumers: M/M/1 each. One shared queue for the four is three times as fast."""
    system = run(PARTITIONED)
    delay = system.requests["completion"] - system.requests["arrival"]
    delay = delay[~np.isnan(delay)]
    shared = run(FOUR_REPLICAS, "services.station.replicas=1", "services.station.workers=4", "duration=4000s")
    with Golden("T22-4") as golden:
        golden.near("partitioned_mean_response", delay.mean(), relative=0.02)
        golden.near("partitioned_p99", np.quantile(delay, 0.99), relative=0.02)
        golden.near("shared_mean_response", shared.response.mean(), relative=0.02)
        golden.near("shared_p99", np.quantile(shared.response, 0.99), relative=0.02)


THREADS_HELD = """
version: 1
duration: 12000s
warmup: 20s
record: {interval: 10s, spans: all}
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 60/s}}
services:
  front: {workers: 8, endpoints: {ask: [{work: {exponential: 20ms}}, {call: back.answer}]}}
  back: {workers: 4, endpoints: {answer: [work: {exponential: 50ms}]}}
"""


@pytest.mark.long
def test_t23a_threads_are_held_while_the_backend_answers():
    system = run(THREADS_HELD)
    front, back = system.spans("front.ask"), system.spans("back.answer")
    with Golden("T23a") as golden:
        golden.near("throughput", system.throughput(), relative=0.03)
        golden.near("mean_response", system.response.mean(), relative=0.03)
        golden.near("mean_frontend_queue_wait", (front["started"] - front["arrived"]).mean(), relative=0.03)
        golden.near("mean_thread_hold", (front["ended"] - front["started"]).mean(), relative=0.03)
        golden.near("mean_backend_response", (back["ended"] - back["arrived"]).mean(), relative=0.03)
        golden.near("frontend_thread_utilization", system.mean("front", "busy") / 8, relative=0.03)
        golden.near("backend_utilization", system.mean("back", "busy") / 4, relative=0.03)


# -- networks of the LINE solver ------------------------------------------------------------------------------------------------

DELAY_THEN_QUEUE = """
version: 1
duration: 1000000s
warmup: 1000s
record: {interval: 10000s, spans: all}
traffic:
  clients: {sends: delay.pass, arrivals: {poisson: 0.1/s}}
services:
  delay:
    workers: unlimited
    endpoints: {pass: [{wait: {hyperexponential: [{probability: 0.5, mean: 333.3333333333ms}, {probability: 0.5, mean: 100ms}]}}, {call: queue.serve}]}
  queue: {workers: 1, endpoints: {serve: [work: {exponential: 1s}]}}
"""


def test_line_oqn_basic():
    """A hyperexponential delay, then a queue."""
    system = run(DELAY_THEN_QUEUE)
    delay, queue = system.spans("delay.pass"), system.spans("queue.serve")
    delay = delay[np.isin(delay["request"], queue["request"])]
    with Golden("oqn_basic", "line_jmt_tests.json") as golden:
        golden.near("delay_response", (queue["arrived"] - delay["arrived"]).mean(), relative=0.02)
        golden.near("queue_response", (queue["ended"] - queue["arrived"]).mean(), relative=0.02)
        golden.near("queue_len", system.mean("queue", "queue") + system.mean("queue", "busy"), relative=0.02)


TWO_CLASSES = """
version: 1
duration: 60000s
warmup: 100s
record: {interval: 100s, spans: all}
traffic:
  a: {sends: first.a, arrivals: {poisson: 2/s}}
  b: {sends: first.b, arrivals: {poisson: 1/s}}
services:
  first:
    workers: unlimited
    cores: 1
    endpoints:
      a: [{work: {exponential: 200ms}}, {call: second.c}]
      b: [{work: {exponential: 300ms}}, {call: second.c}]
  second: {workers: unlimited, cores: 1, endpoints: {c: [work: {exponential: 150ms}]}}
"""


@pytest.mark.long
def test_line_oqn_cs_routing():
    """Two classes share a core, then another: a thread that waits for the second uses nothing of the first."""
    system = run(TWO_CLASSES, "duration=200000s")
    second = system.spans("second.c")
    with Golden("oqn_cs_routing", "line_jmt_tests.json") as golden:
        for name, endpoint, rate in (("A", "first.a", 2), ("B", "first.b", 1)):
            first = system.spans(endpoint)
            its = second[np.isin(second["request"], first["request"])]
            first = first[np.isin(first["request"], its["request"])]
            assert (its["request"] == first["request"]).all()
            at_first = (its["arrived"] - first["arrived"]).mean()
            golden.near(f"q1_response_{name}", at_first, relative=0.02)
            golden.near(f"q1_len_{name}", at_first * rate, relative=0.02)
        golden.near("q2_response", (second["ended"] - second["arrived"]).mean(), relative=0.02)
        golden.near("q2_len", second.size / system.window * (second["ended"] - second["arrived"]).mean(), relative=0.02)


FORK_AND_JOIN = """
version: 1
duration: 1500000s
warmup: 1000s
record: {interval: 10000s, spans: all}
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 0.05/s}}
services:
  front: {workers: unlimited, endpoints: {ask: [{parallel: [{call: slow.do}, {call: fast.do}]}]}}
  slow: {workers: 1, endpoints: {do: [work: {exponential: 1s}]}}
  fast: {workers: 1, endpoints: {do: [work: {exponential: 0.5s}]}}
"""


def test_line_fj_basic_open():
    """The stations are M/M/1; the join is from the Markov chain of both queues (JMT's short run, 0.452 and 1.244, is off by 4 and 2 %)."""
    system = run(FORK_AND_JOIN)
    slow, fast = system.spans("slow.do"), system.spans("fast.do")
    with Golden("fj_basic_open", "line_jmt_tests.json") as golden:
        at_slow, at_fast = ((spans["ended"] - spans["arrived"]).mean() for spans in (slow, fast))
        golden.near("q1_response", at_slow, expected=1 / (1 - 0.05), relative=0.02)
        golden.near("q2_response", at_fast, expected=1 / (2 - 0.05), relative=0.02)
        golden.near("end to end", system.response.mean(), expected=1.218102520, relative=0.02)
        golden.near("join", system.response.mean() - (at_slow + at_fast) / 2, expected=0.435376474, relative=0.02)


FIRE_AND_FORGET = """
version: 1
duration: 150000s
warmup: 1000s
record: {interval: 1000s, spans: all}
traffic:
  clients: {sends: front.ask, arrivals: {poisson: 0.5/s}}
services:
  front: {workers: unlimited, endpoints: {ask: [{reply: null}, {parallel: [{call: one.do}, {call: two.do}, {call: three.do}]}]}}
  one: {workers: unlimited, cores: 1, endpoints: {do: [work: {exponential: 1s}]}}
  two: {workers: unlimited, cores: 1, endpoints: {do: [work: {exponential: 0.5s}]}}
  three: {workers: unlimited, cores: 1, endpoints: {do: [work: {exponential: 333.333333333ms}]}}
"""


@pytest.mark.long
def test_line_fj_nojoin():
    """Answered at once; three services share the news, each with a core for all who compute."""
    system = run(FIRE_AND_FORGET)
    assert (system.response == 0).all()
    with Golden("fj_nojoin", "line_jmt_tests.json") as golden:
        for index, name in enumerate(("one", "two", "three"), 1):
            spans = system.spans(f"{name}.do")
            golden.near(f"q{index}_response", (spans["ended"] - spans["arrived"]).mean(), relative=0.02)


TWO_SOURCES = """
version: 1
duration: 50000s
traffic:
  a: {sends: queue.serve, arrivals: {poisson: 1/s}}
  b: {sends: queue.serve, arrivals: {poisson: 1/s}}
services:
  queue: {workers: 1, endpoints: {serve: [work: {exponential: 10ms}]}}
"""


def test_line_oqn_vsinks():
    system = run(TWO_SOURCES)
    with Golden("oqn_vsinks", "line_jmt_tests.json") as golden:
        golden.near("response", system.response.mean(), relative=0.02)
        for source in ("a", "b"):
            its = system.requests[system.requests["source"] == system.records.names.index(source)]
            golden.near("response", (its["end"] - its["arrival"])[~np.isnan(its["end"])].mean(), relative=0.02)


# -- Ciw and queueing-tool ------------------------------------------------------------------------------------------------------

ONE_CORE = """
version: 1
duration: 50000s
warmup: 50s
record: {interval: 100s}
traffic:
  clients: {sends: station.serve, arrivals: {poisson: 3/s}}
services:
  station: {workers: unlimited, cores: 1, endpoints: {serve: [work: {exponential: 200ms}]}}
"""


@pytest.mark.parametrize(
    ("index", "rate", "work"),
    [(0, 3, "200ms"), pytest.param(1, 4, "200ms", marks=pytest.mark.long), (2, 3, "166.6666666667ms")],
)
def test_ciw_ps(index, rate, work):
    sets = (f"traffic.clients.arrivals.poisson={rate}/s", f"services.station.endpoints.serve.0.work.exponential={work}")
    system = run(ONE_CORE, *sets, *(["duration=250000s"] if rate == 4 else []))
    with Golden("ciw_ps", "ciw_qt_tests.json") as golden:
        golden.near(f"mean_response/{index}", system.response.mean(), relative=0.02)


def test_ciw_capacitated_ps():
    """Three cores shared by all: at most three compute at full speed."""
    sets = (
        "services.station.cores=3",
        "traffic.clients.arrivals.poisson=10/s",
        "services.station.endpoints.serve.0.work.exponential=83.33333333333ms",
    )
    system = run(ONE_CORE, *sets, "duration=15000s")
    states = state_shares(system.requests["arrival"], system.requests["end"], 60.0, 15_000.0)
    with Golden("ciw_capacitated_ps", "ciw_qt_tests.json") as golden:
        for number in range(9):
            golden.near(f"p_n/{number}", states[number], absolute=0.005 if number < 5 else 0.001)


@pytest.mark.parametrize("pace", [3, 4, 5])
def test_ciw_state_probabilities_of_mm1(pace):
    sets = ("services.station.workers=1", "services.station.cores=null", "traffic.clients.arrivals.poisson=1/s")
    system = run(
        ONE_CORE, *sets, f"services.station.endpoints.serve.0.work.exponential={1 / pace:.12f}s", "duration=30000s"
    )
    states = state_shares(system.requests["arrival"], system.requests["end"], 60.0, 30_000.0)
    with Golden("ciw_state_probs", "ciw_qt_tests.json") as golden:
        for number in range(6):
            golden.near(f"p_{number}", states[number], expected=(1 - 1 / pace) * pace**-number, absolute=0.005)


def test_ciw_docs_lb_ps():
    """Three replicas with a core each behind a least-request balancer, beside a single run of 100 s of Ciw's: within its noise."""
    sets = (
        "services.station.replicas=3",
        "services.station.load_balancing=least_request",
        "traffic.clients.arrivals.poisson=8/s",
        "duration=5000s",
    )
    system = run(ONE_CORE, *sets, "services.station.endpoints.serve.0.work.exponential=100ms")
    states = state_shares(system.requests["arrival"], system.requests["end"], 60.0, 5000.0)
    with Golden("ciw_docs_lb_ps", "ciw_qt_tests.json") as golden:
        for number in range(5):
            golden.near(f"ciw_single_run_seed0_100s/{number}", states[number], absolute=0.03)
