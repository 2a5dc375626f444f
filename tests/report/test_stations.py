from dataclasses import replace

import pytest

from sim.records.columns import Columns
from sim.report.stations import busiest, busy_shares, size_of


def changed(variant, **columns):
    return replace(
        variant,
        over_time=Columns.of(
            variant.timeline.assign(**{name.replace("__", "."): value for name, value in columns.items()})
        ),
    )


def test_busy_shares_follow_the_gauge_of_places_and_else_the_scenario(single):
    variant = single.variants["sync"]
    assert busy_shares(variant)["orders", "workers"].max() < 0.03
    half = changed(variant, orders__workers=6.4)
    assert busy_shares(half)["orders", "workers"].mean() == pytest.approx(0.5, abs=0.02)


def test_consumers_of_a_group_are_a_station_too(single):
    variant = single.variants["sync"]
    timeline = variant.timeline.copy()
    timeline["payment-group order-events.busy"], timeline["payment-group order-events.workers"] = 11.0, 12.0
    busy = replace(variant, over_time=Columns.of(timeline))
    assert busiest(busy) == "payment-group order-events"
    assert size_of(busy, "payment-group order-events", "workers") == "12"


def test_a_service_with_cores_is_as_busy_as_its_cores(single):
    variant = changed(single.variants["sync"], inventory__cores_busy=7.0, payments__busy=0.0)
    assert busiest(variant) == "inventory"


def test_stations_without_a_number_of_places_are_left_out(single):
    assert ("elsewhere", "workers") not in busy_shares(changed(single.variants["sync"], elsewhere__busy=3.0))


def test_nothing_known_has_no_busiest_station(single):
    assert (
        busiest(replace(single.variants["sync"], over_time=single.variants["sync"].over_time.only(["offered"]))) == ""
    )
