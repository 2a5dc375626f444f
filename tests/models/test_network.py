"""The wires of a run: one between any two components, with the latency and loss of their own link or of the default."""

import pytest

from sim.models.draws import Draws
from sim.models.network import Network
from sim.spec.network import Network as Spec


@pytest.fixture
def network():
    links = [{"between": ["app", "bank"], "latency": "5ms", "loss": 0.25}]
    return Network(Spec.model_validate({"default": {"latency": "1ms", "loss": 0.5}, "links": links}), Draws(1, 0))


def test_both_directions_and_all_calls_between_two_share_one_wire(network):
    out, back = network.hops("app", "bank", "bank.pay")
    other, _ = network.hops("bank", "app", "app.tell")
    assert out.wire is back.wire is other.wire is network.wire("bank", "app")
    assert network.wires == [out.wire]


def test_a_link_of_two_goes_before_the_default(network):
    own, _ = network.hops("app", "bank", "bank.pay")
    usual, _ = network.hops("app", "shop", "shop.buy")
    assert (own.length, own.wire.loss) == (0.005, 0.25)
    assert (usual.length, usual.wire.loss) == (0.001, 0.5)


def test_the_way_to_a_door_has_no_length_and_loses_nothing_until_it_is_cut(network):
    hop = network.door_hop("app")
    assert (hop.fixed, hop.wire.loss) == (0.0, 0.0)
    hop.wire.cuts += 1
    hop.wire.change()
    assert hop.fixed < 0


def test_a_black_hole_around_a_component_is_all_wires_that_end_there(network):
    mine = {
        network.hops("app", "bank", "a")[0].wire,
        network.hops("shop", "app", "b")[0].wire,
        network.door_hop("app").wire,
    }
    network.hops("shop", "bank", "c")
    assert set(network.wires_of("app")) == mine
