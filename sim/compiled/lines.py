"""Queues that are neither first in first out nor last in first out: `models/lines.py` once more.

Who gives up is taken out of his line at once, where the models leave a stale entry behind.
"""

from __future__ import annotations

from sim.chance.compiler import compiled
from sim.compiled.apart import by_address
from sim.compiled.base import NO, handler, whole
from sim.compiled.identities import BY_ENDPOINT, NO_KEY, key_of
from sim.compiled.lists import add_last, unlink
from sim.compiled.memory import find, remember
from sim.compiled.rows.declaring import NOBODY
from sim.compiled.rows.gateway import entries
from sim.compiled.rows.hosts import hosts, replicas
from sim.compiled.rows.identities import readers
from sim.compiled.rows.lines import (
    class_deadlines,
    class_lines,
    codels,
    disciplines,
    give_back_turn,
    named,
    replica_lines,
    standings,
    take_turn,
    turns,
)
from sim.compiled.rows.programs import entry_ops
from sim.compiled.rows.running import requests, tasks
from sim.compiled.rows.state import State
from sim.policies import base, codel

PRIORITY, EARLIEST, FAIR, CONTROLLED, ADAPTIVE = map(whole, range(5))
overloaded, passed = codel.overloaded.compiled, base.passed.compiled


@by_address
@handler
def join_line(s: State, host: int, task: int, midway: bool) -> None:
    """Stand in the line of the task's replica, in one's place."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    replica = replicas(s)[tasks(s)[task].replica]
    own = standings(s)[task]
    rule.joined += 1
    own.number = rule.joined
    own.midway = midway
    own.since = s.now
    own.line = NOBODY
    if rule.kind in (PRIORITY, EARLIEST):
        rank = class_of(s, host, task)
        own.line = rule.lines + replica.index * rule.classes + rank
        own.due = s.now + class_deadlines(s)[rule.deadlines + rank]
        line = class_lines(s)[own.line]
        line.waiting += 1
        add_last(tasks(s), line.line, task)
    elif rule.kind == FAIR:
        own.line = turn_of(s, host, replica.index, key_in_line(s, host, task))
        add_last(tasks(s), turns(s)[own.line].line, task)
    else:
        if replica.waiting == 0:
            replica_lines(s)[rule.first + replica.index].since = s.now
        add_last(tasks(s), replica.queue, task)


@by_address
@handler
def leave_line(s: State, host: int, task: int) -> None:
    """Stand in it no longer."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    own = standings(s)[task]
    if rule.kind in (PRIORITY, EARLIEST):
        line = class_lines(s)[own.line]
        line.waiting -= 1
        unlink(tasks(s), line.line, task)
    elif rule.kind == FAIR:
        if own.line >= 0:
            unlink(tasks(s), turns(s)[own.line].line, task)
    else:
        unlink(tasks(s), replicas(s)[tasks(s)[task].replica].queue, task)


@handler
def next_in_line(s: State, host: int, replica: int) -> int:
    """Who is next, of those who wait for this replica; -1: nobody."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    row = replicas(s)[replica]
    if rule.kind == PRIORITY:
        return first_of_classes(s, host, row.index)
    if rule.kind == EARLIEST:
        return earliest_of_classes(s, host, row.index)
    if rule.kind == FAIR:
        return next_of_turns(s, host, row.index)
    if rule.kind == ADAPTIVE and passed(s.now, replica_lines(s)[rule.first + row.index].since + rule.interval):
        return row.queue.last
    return row.queue.first


@handler
def is_dropped(s: State, host: int, task: int) -> bool:
    """Whether one whose turn it is is dropped rather than served; asked once."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    own = standings(s)[task]
    dropped = NO
    if rule.kind == CONTROLLED:
        line = replica_lines(s)[rule.first + replicas(s)[tasks(s)[task].replica].index]
        dropped = overloaded(codels(s)[line.codel], s.now, s.now - own.since)
    elif rule.kind == EARLIEST and rule.drop_late:
        dropped = passed(s.now, own.due)
    return dropped and not own.midway


@by_address
@handler
def hear_of_no_wait(s: State, host: int, task: int) -> None:
    """Who finds a free worker has not waited, and a controlled delay hears of it."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    if rule.kind == CONTROLLED:
        line = replica_lines(s)[rule.first + replicas(s)[tasks(s)[task].replica].index]
        overloaded(codels(s)[line.codel], s.now, 0.0)


# -- classes -----------------------------------------------------------------------------------------------------------


@handler
def key_in_line(s: State, host: int, task: int) -> int:
    """What the class or the turn of a task goes by. Steps in the middle of a flow keep that of their attempt."""
    reader = disciplines(s)[hosts(s)[host].discipline].reader
    own = tasks(s)[task]
    if readers(s)[reader].word != BY_ENDPOINT:
        return key_of(s, reader, own.request)
    attempt = own.attempt if own.attempt >= 0 else task
    if tasks(s)[attempt].inside == 0:
        return NO_KEY
    where = entry_ops(s)[tasks(s)[attempt].entry].endpoint
    return requests(s)[own.request].route if where == hosts(s)[host].name else where


@handler
def class_of(s: State, host: int, task: int) -> int:
    """The class of a task: the last where its key is not named."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    key = key_in_line(s, host, task)
    for place in range(rule.named, rule.named + rule.names):
        if named(s)[place].key == key:
            return named(s)[place].rank
    return rule.classes - 1


@handler
def first_of_classes(s: State, host: int, index: int) -> int:
    """The first of the first class in which somebody is."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    first = rule.lines + index * rule.classes
    for place in range(first, first + rule.classes):
        if class_lines(s)[place].waiting > 0:
            return class_lines(s)[place].line.first
    return NOBODY


@handler
def earliest_of_classes(s: State, host: int, index: int) -> int:
    """The earliest deadline, of one deadline who came first: within a class that is the order of arrival."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    first = rule.lines + index * rule.classes
    best = NOBODY
    for place in range(first, first + rule.classes):
        head = class_lines(s)[place].line.first
        if head < 0:
            continue
        own = standings(s)[head]
        if (
            best < 0
            or own.due < standings(s)[best].due
            or (own.due == standings(s)[best].due and own.number < standings(s)[best].number)
        ):
            best = head
    return best


@handler
def who_gives_way(s: State, host: int, task: int) -> int:
    """The newest of the last class in which somebody is, if that comes after the one of this newcomer; -1: nobody."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    if not rule.push_out:
        return NOBODY
    first = rule.lines + replicas(s)[tasks(s)[task].replica].index * rule.classes
    rank = rule.classes - 1
    mine = class_of(s, host, task)
    while rank > mine:
        victim = class_lines(s)[first + rank].line.last
        while victim >= 0 and standings(s)[victim].midway:
            victim = tasks(s)[victim].previous
        if victim >= 0:
            return victim
        rank -= 1
    return NOBODY


# -- turns -------------------------------------------------------------------------------------------------------------


@handler
def turn_of(s: State, host: int, index: int, key: int) -> int:
    """The turn of a key at one replica; a key that comes anew is the last of them."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    place = find(s, rule.space + index, key)
    if place < 0:
        place = remember(s, rule.space + index, key)
    if entries(s)[place].value >= 0:
        return entries(s)[place].value
    new = take_turn(s)
    turn = turns(s)[new]
    turn.key = key
    turn.line.first = NOBODY
    turn.line.last = NOBODY
    entries(s)[place].value = new
    add_last(turns(s), replica_lines(s)[rule.first + index].turns, new)
    return new


@handler
def next_of_turns(s: State, host: int, index: int) -> int:
    """The first of the key whose turn it is, taken out of its line; a key with nobody left loses its turn."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    line = replica_lines(s)[rule.first + index].turns
    while line.first >= 0:
        place = line.first
        turn = turns(s)[place]
        found = turn.line.first
        if found >= 0:
            unlink(tasks(s), turn.line, found)
            standings(s)[found].line = NOBODY
        if turn.line.first >= 0:
            unlink(turns(s), line, place)
            add_last(turns(s), line, place)
        else:
            lose_turn(s, host, index, place)
        if found >= 0:
            return found
    return NOBODY


@handler
def lose_turn(s: State, host: int, index: int, place: int) -> None:
    """Nobody of this key is left."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    unlink(turns(s), replica_lines(s)[rule.first + index].turns, place)
    entries(s)[find(s, rule.space + index, turns(s)[place].key)].value = NOBODY
    give_back_turn(s, place)


@compiled
def forget_turns(s: State, host: int, index: int) -> None:
    """All turns at a replica that has died: nobody stands there any more."""
    rule = disciplines(s)[hosts(s)[host].discipline]
    line = replica_lines(s)[rule.first + index].turns
    while line.first >= 0:
        lose_turn(s, host, index, line.first)


@handler
def waiting_of_class(s: State, host: int, rank: int) -> float:
    """How many of a class wait, in all replicas together."""
    row = hosts(s)[host]
    rule = disciplines(s)[row.discipline]
    waiting = 0
    for index in range(row.count):
        waiting += class_lines(s)[rule.lines + index * rule.classes + rank].waiting
    return float(waiting)
