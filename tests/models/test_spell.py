"""Spells of refusals in the event log: ten quiet seconds end one."""

from sim.models.spell import Spell
from sim.vocabulary import EventKind

BEGAN, ENDED = EventKind.SHEDDING_BEGAN, EventKind.SHEDDING_ENDED


class Recorder:
    """Keeps (kind, time) of what is told; no time stands for now."""

    def __init__(self):
        self.told = []

    def event(self, kind, _subject, _about="", time=None):
        self.told.append((kind, time))


def spell_of(*refusals):
    recorder = Recorder()
    spell = Spell(recorder, BEGAN, ENDED, "shop")
    for time in refusals:
        spell.note(time)
    return spell, recorder.told


def test_refusals_that_follow_one_another_within_ten_seconds_are_one_spell():
    assert spell_of(1.0, 2.0, 12.0)[1] == [(BEGAN, None)]


def test_after_a_quiet_time_the_old_spell_has_ended_with_its_last_refusal_and_a_new_one_begins():
    assert spell_of(1.0, 2.0, 12.5)[1] == [(BEGAN, None), (ENDED, 2.0), (BEGAN, None)]


def test_when_the_clock_stops_a_spell_has_ended_if_it_has_been_quiet_for_long_enough():
    spell, _ = spell_of(1.0)
    assert [(late.kind, late.time) for late in spell.end(11.5)] == [(ENDED, 1.0)]
    assert list(spell.end(11.0)) == []


def test_who_has_refused_nobody_has_no_spell_to_end():
    assert list(spell_of()[0].end(100.0)) == []
