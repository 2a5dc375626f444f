"""Connections between producers and nodes: what a node has not read yet (`models/logs/connection.py`).

What it reads next, and when, is in `produce_requests.py`.
"""

from __future__ import annotations

from sim.compiled.apart import by_address
from sim.compiled.base import handler
from sim.compiled.held_requests import close_again, let_go_of_request
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.producers import node_connections, produce_requests
from sim.compiled.rows.state import State
from sim.policies import log_times

behind = log_times.behind.compiled


@handler
def on_its_way(s: State, place: int, delay: float) -> float:
    """Seconds until a request arrives that is sent now on a connection, and would take so many alone: in order."""
    connection = node_connections(s)[place]
    delay = behind(s.now, delay, connection.arrived)
    connection.arrived = s.now + delay
    return delay


@handler
def on_its_way_back(s: State, place: int, delay: float) -> float:
    """The same of an answer."""
    connection = node_connections(s)[place]
    delay = behind(s.now, delay, connection.answered)
    connection.answered = s.now + delay
    return delay


@handler
def stand_unread(s: State, request: int) -> None:
    """The last that waits on its connection."""
    row = produce_requests(s)[request]
    connection = node_connections(s)[row.connection]
    row.held += 1
    if connection.newest >= 0:
        produce_requests(s)[connection.newest].behind = request
    else:
        connection.unread = request
    connection.newest = request


@handler
def take_unread(s: State, place: int) -> int:
    """The first that waits on a connection."""
    connection = node_connections(s)[place]
    request = connection.unread
    connection.unread = produce_requests(s)[request].behind
    if connection.unread < 0:
        connection.newest = NOBODY
    return request


@by_address
@handler
def close_connection(s: State, place: int) -> None:
    """Its client has closed it, or is gone: what was not read is gone, too."""
    connection = node_connections(s)[place]
    connection.epoch += 1
    connection.arrived = 0.0
    connection.answered = 0.0
    connection.busy = False
    connection.broken = False
    connection.count = 0
    connection.under_way.first = NOBODY
    connection.under_way.last = NOBODY
    forget_unread(s, place)


@handler
def forget_unread(s: State, place: int) -> None:
    """What its node has not read is on its way no longer."""
    connection = node_connections(s)[place]
    while connection.unread >= 0:
        request = take_unread(s, place)
        close_again(s, request)
        let_go_of_request(s, request)
