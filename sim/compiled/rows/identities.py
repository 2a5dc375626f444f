"""Rows of whose a request is: what limits and queues tell requests apart by."""

from __future__ import annotations

from sim.compiled.rows.declaring import Row
from sim.compiled.rows.tables import Table


class Identity(Row, fixed=True):
    """What all requests of a traffic carry, in the place of its workload; texts are numbers (see the wiring)."""

    consumer: int  # the number of its name; NO_KEY: each user is one
    addresses: int  # that its users share; 0: each has one of its own
    population: int


class Reader(Row, fixed=True):
    """What is read of a request to tell it from others."""

    word: int  # BY_ENDPOINT ... in identities.py
    first: int  # of BY_HEADER: where the headers of this name begin, one for each workload


class Header(Row, fixed=True):
    """A header of the requests of one traffic."""

    value: int  # the number of its text; NO_KEY: there is none; DRAWN: each user has one of several
    draw: int
    first: int  # of these, in `header_bounds` and `header_values`
    count: int


identities = Table("identities", Identity)
readers = Table("readers", Reader)
headers = Table("headers", Header)
header_bounds = Table("header_bounds", float)
header_values = Table("header_values", int)
