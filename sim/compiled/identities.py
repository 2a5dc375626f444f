"""Whose a request is, as whole numbers: `models/identity.py` once more.

Within what one word reads no two keys have one number. Texts have numbers of their own (`wiring/identities.py`).
"""

from __future__ import annotations

from sim.chance.keyed import uniform
from sim.compiled.base import ZERO, handler, whole
from sim.compiled.rows.hosts import draws
from sim.compiled.rows.identities import header_bounds, header_values, headers, identities, readers
from sim.compiled.rows.running import requests
from sim.compiled.rows.state import State
from sim.compiled.rows.traffic import doors

NO_KEY = whole(-1)  # it has none of the kind
DRAWN = whole(-2)
BY_ENDPOINT, BY_TRAFFIC, BY_USER, BY_CONSUMER, BY_HEADER, BY_ADDRESS, BY_ROUTE = map(whole, range(7))
SHARED_BITS = 40  # numbers of users have fewer: above them stand addresses that users share


@handler
def key_of(s: State, reader: int, request: int) -> int:
    """What a word reads of a request; endpoints and routes are read where they are known."""
    row = readers(s)[reader]
    own = requests(s)[request]
    if row.word == BY_TRAFFIC:
        return own.source
    if row.word == BY_HEADER:
        return header_of(s, row.first, request)
    if row.word == BY_CONSUMER:
        consumer = identities(s)[doors(s)[own.door].workload].consumer
        return consumer if consumer != NO_KEY else own.user
    if row.word == BY_ADDRESS:
        return address_of(s, request)
    return own.user


@handler
def address_of(s: State, request: int) -> int:
    """Its address: that of its user, of those with whom it shares one, or of all of a traffic without users."""
    own = requests(s)[request]
    identity = identities(s)[doors(s)[own.door].workload]
    if own.user < 0:
        return -2 - own.source
    if identity.addresses == 0:
        return own.user
    return ((identity.population + 1) << SHARED_BITS) + own.user % identity.addresses


@handler
def header_of(s: State, first: int, request: int) -> int:
    """The value of a header, always the same for a user."""
    own = requests(s)[request]
    row = headers(s)[first + doors(s)[own.door].workload]
    if row.value != DRAWN:
        return row.value
    luck = uniform(draws(s)[row.draw].key, own.user if own.user >= 0 else own.id, ZERO)
    index = 0
    while index < row.count - 1 and header_bounds(s)[row.first + index] <= luck:
        index += 1
    return header_values(s)[row.first + index]
