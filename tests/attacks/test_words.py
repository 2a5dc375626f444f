"""The random systems of tests/models/any_scenario.py say every word of the language; those that they do not are named
here with the reason.
"""

from __future__ import annotations

import pytest

from sim.spec import load_document
from tests.attacks.words import language, only_simpy, spoken
from tests.models.any_scenario import any_scenario
from tests.models.random_systems.later import FIRST_WITH_LATER_WORDS

SEEDS = (*range(120), *range(FIRST_WITH_LATER_WORDS, FIRST_WITH_LATER_WORDS + 240))

NOT_SPOKEN = {
    "is read from a file when the scenario is loaded; random systems hold what was read, as the loader embeds it": """
        Empirical.column Empirical.unit Empirical.where
        Empirical.unit:h Empirical.unit:m Empirical.unit:ms Empirical.unit:ns Empirical.unit:s Empirical.unit:us
        Replayed.unit Replayed.where
        Replayed.unit:h Replayed.unit:m Replayed.unit:ms Replayed.unit:ns Replayed.unit:s Replayed.unit:us
        Replay.timestamps Replay.unit Replay.where
        Replay.unit:h Replay.unit:m Replay.unit:ms Replay.unit:ns Replay.unit:s Replay.unit:us
        Rows.began Rows.clock Rows.unit Rows.clock:local Rows.clock:start Rows.clock:utc Scenario.duration:recording""",
    "changes no run: a name, a question, or what is kept of the records, which tests/compiled and tests/frozen vary": """
        Scenario.name Scenario.warmup Scenario.expect
        Scenario.record Recording.interval Recording.keep Recording.keep:rows Recording.keep:summary
        Recording.spans Recording.spans:all Recording.spans:exemplars Recording.spans:none""",
    "is taken apart before a run: variants are scenarios of their own, `auto` is found by pilot runs, a range is drawn": """
        between.between Scenario.variants Scenario.plugins Scenario.warmup:auto""",
    "is refused, since such a fault is over at once": "Deploy.for Flush.for",
    "is another form of what is said: null": "Topic.key:sticky Publish.confirm:none",
    "is another form of what is said: a batch of one": "Publish.confirm:each",
    "is another form of what is said: a number": """
        Queue.listen_backlog:gunicorn Queue.listen_backlog:linux Queue.listen_backlog:nginx
        Queue.listen_backlog:node Queue.listen_backlog:tomcat""",
}
"""Reason -> words, written without blanks."""


@pytest.mark.long
def test_random_systems_say_every_word_of_the_language():
    made = set().union(*(spoken(one) for seed in SEEDS for one in load_document(any_scenario(seed)).variants.values()))
    excused = {word for words in NOT_SPOKEN.values() for word in words.split()}
    excused |= {word.replace(": ", ":").replace(" ", "-") for word in only_simpy()}
    left_out = {word.replace(": ", ":").replace(" ", "-") for word in language() - made}
    assert sorted(left_out - excused) == [], "teach them to tests/models/any_scenario.py, or say here why not"
    assert sorted(excused - left_out) == [], "they are said now (or are no words): strike them from the list"


def test_the_words_are_those_of_the_schema():
    words = language()
    assert {
        "step publish",
        "Service.replicas",
        "Queue.discipline: lifo",
        "Service.workers: unlimited",
        "Scenario.variants",
    } <= words
    assert "Fault.at" not in words
