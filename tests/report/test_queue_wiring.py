"""A queue broker in the drawing of a system: its queues, what comes into them, who takes from them, and what they give up."""

from xml.etree import ElementTree

import sim
from sim.report.topology import draw_topology
from sim.report.wiring import wiring_of

TEXT = """
version: 1
duration: 1m
traffic: {clients: {sends: orders.create, arrivals: {poisson: 10/s}}}
services:
  orders: {workers: 4, endpoints: {create: [{publish: news, routing_key: order.created, confirm: each}]}}
  mail: {workers: 4, consumes: {mail: {prefetch: 20, consumers: 3, on_failure: reject, do: [{work: 1ms}]}}}
  audit: {workers: 4, consumes: {audit: {ack: automatic, do: [{work: 1ms}]}}}
brokers:
  rabbit:
    kind: queue
    exchanges: {news: {type: topic, bindings: {order.*: [mail, audit], stock.*: unused}}}
    queues:
      mail: {type: quorum, max_length: 5000, overflow: reject-publish, dead_letter: {routing_key: later}}
      later: {message_ttl: 5s, dead_letter: {routing_key: mail}}
      audit: {}
      unused: {}
faults:
  - {at: 10s, for: 5s, alarm: rabbit}
"""


def wiring():
    (scenario,) = sim.load_text(TEXT).variants.values()
    return scenario, wiring_of(scenario)


def test_a_publication_comes_to_every_queue_that_its_exchange_chooses():
    _, found = wiring()
    arrows = {(arrow.source, arrow.target): list(arrow.badges) for arrow in found.arrows if arrow.dashed}
    assert arrows == {
        ("topic:mail", "topic:later"): ["dead letters"],
        ("topic:later", "topic:mail"): ["dead letters"],
        ("service:orders", "topic:mail"): ["topic news order.created", "confirmed"],
        ("service:orders", "topic:audit"): ["topic news order.created", "confirmed"],
        ("topic:mail", "service:mail"): ["prefetch 20", "3 consumers each"],
        ("topic:audit", "service:audit"): ["automatic ack"],
    }
    assert "topic:unused" not in found.boxes


def test_a_queue_says_of_what_type_it_is_and_what_gives_way_and_its_faults():
    _, found = wiring()
    mail = found.boxes["topic:mail"]
    assert mail.lines == ("quorum queue of rabbit", "at most 5,000, reject-publish")
    assert found.boxes["topic:later"].lines == ("classic queue of rabbit", "TTL 5 s")
    assert ["alarm" in fault for fault in mail.faults] == [True]


def test_queues_that_give_up_to_one_another_can_be_drawn():
    scenario, _ = wiring()
    words = [it.text for it in ElementTree.fromstring(draw_topology(scenario)).iter() if it.tag.endswith("text")]
    assert {"mail", "later", "prefetch 20"} <= set(words)
