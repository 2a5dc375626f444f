"""Warnings about queues with classes."""

from sim.experiments.on_paper.offered_load import check
from sim.spec import load_document

SHOP = {
    "version": 1,
    "duration": "1m",
    "traffic": {
        "buyers": {"sends": "shop.checkout", "arrivals": {"poisson": "40/s"}},
        "lookers": {"sends": "shop.browse", "arrivals": {"poisson": "80/s"}},
    },
    "services": {
        "shop": {
            "workers": 10,
            "queue": {"discipline": "priority", "classes": {"checkout": 0, "browse": 1}, "capacity": 50},
            "endpoints": {"checkout": [{"work": "100ms"}], "browse": [{"work": "100ms"}]},
        }
    },
}


def told(**classes):
    document = {
        **SHOP,
        "services": {"shop": {**SHOP["services"]["shop"], "queue": {"discipline": "priority", "classes": classes}}},
    }
    return [
        f"{finding.place}: {finding.finding}"
        for finding in check(load_document(document)).warnings
        if "class" in finding.finding
    ]


def test_the_class_that_the_others_leave_too_little_for_is_named():
    assert told(checkout=0, browse=1) == [
        "services.shop.queue: class 1 (browse) is asked for 80% at the peak, with 40% of the workers before it"
    ]
    assert told(browse=0, checkout=1) == [
        "services.shop.queue: class 1 (checkout) is asked for 40% at the peak, with 80% of the workers before it"
    ]


def test_who_is_named_in_no_class_is_in_the_last():
    assert told(browse=0) == [
        "services.shop.queue: class 1 (checkout) is asked for 40% at the peak, with 80% of the workers before it"
    ]
