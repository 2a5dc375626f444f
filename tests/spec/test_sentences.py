"""Every field of the language says what it means, and whoever asks is told: the schema, an editor, the reference."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.spec.arrivals import Rows
from sim.spec.base import Duration, Share, Spec, register, unregister
from sim.spec.policy import Bulkhead
from sim.spec.reference import BY_THE_LOADER, reference
from sim.spec.schema import _classes, json_schema
from sim.spec.sentences import sentences_of, unwrapped
from sim.spec.step import Step
from sim.vocabulary import EventKind, MessageEnd, Outcome, Stage

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("cls", _classes(), ids=lambda cls: cls.__name__)
def test_every_field_has_a_sentence(cls):
    assert [name for name in cls.model_fields if not sentences_of(cls).get(name, "").endswith(".")] == []


def test_sentences_are_inherited_and_may_be_said_anew():
    class Base(Spec):
        one: int = 1
        """The first."""
        other: int = 2
        """The second."""

    class Derived(Base):
        other: int = 3
        """The last."""

    assert sentences_of(Derived) == {"one": "The first.", "other": "The last."}


def test_a_class_without_a_source_has_none():
    made: dict[str, type[Spec]] = {}
    exec('from sim.spec.base import Spec\nclass Made(Spec):\n    one: int = 1\n    """The first."""\n', made)
    assert sentences_of(made["Made"]) == {}


def test_the_schema_shows_them_with_the_unit():
    fields = json_schema()["$defs"]["Bulkhead"]["properties"]
    assert fields["max_concurrent_calls"]["description"] == "Calls at once."
    assert fields["max_wait"]["description"].startswith(
        "How long a further one waits for its place; 0: it is refused at once. Written as a duration, such as 250ms"
    )
    assert sentences_of(Bulkhead)["max_concurrent_calls"] == "Calls at once."


def test_a_field_that_is_a_choice_keeps_its_sentence():
    assert json_schema()["$defs"]["Traffic"]["properties"]["arrivals"] == {
        "$ref": "#/$defs/arrivals",
        "description": "When requests come.",
    }


def test_the_reference_has_every_field_of_every_word():
    told = reference()
    for cls in _classes():
        for name, field in cls.model_fields.items():
            written = cls is not Rows and (cls, name) not in BY_THE_LOADER
            assert not written or f"| `{field.alias or name}` |" in told, (cls, name)
    assert "| `max_wait` | a duration, such as 250ms, 1.5s, 1h30m | `0s` |" in told
    assert (
        "| `replicas` | whole number | `1` | How many there are, each with workers, cores and queue of its own. |"
        in told
    )


def test_the_reference_has_the_words_of_plugins():
    @register("step", "ponder")
    class Ponder(Step):
        """Think before going on."""

        by: Duration
        """How long."""
        lost: Share = 0.25
        """Who gives up."""

    try:
        section = reference().partition("## `ponder`")[2].partition("\n## ")[0]
    finally:
        unregister("step", "ponder")
    assert "Think before going on." in section
    assert re.search(r"\| `by` \| a duration.* \| required \| How long\. \|", section)
    assert re.search(r"\| `lost` \| a share.* \| `25%` \| Who gives up\. \|", section)


def test_whatever_can_be_seen_in_records_is_left_by_something():
    """No outcome, event, stage or end of a message of which nobody says where it comes from."""
    left = [cls.leaves for cls in _classes()]
    for closed, names in ((Outcome, "outcomes"), (EventKind, "events"), (Stage, "stages"), (MessageEnd, "ends")):
        assert {found for leaves in left for found in getattr(leaves, names)} == set(closed), names


def test_every_time_series_of_the_models_is_left_by_something():
    """Those with a name of their own; the members of a group and several outboxes have a number or a topic in theirs."""
    sources = "".join(path.read_text() for path in (ROOT / "sim" / "models").rglob("*.py"))
    watched = set(re.findall(r'watch\([\w.]+, "(\w+)"', sources))
    assert len(watched) > 15
    assert watched <= {quantity for cls in _classes() for quantity in cls.leaves.series}


def test_the_reference_says_where_to_see_it():
    told = reference().partition("## Bulkhead")[2].partition("\n## ")[0]
    assert "Leaves behind: outcomes `bulkhead_full`; stages `bulkhead`; time series `places_taken`, " in told


def test_only_a_line_that_was_broken_because_it_was_full_goes_on():
    full = "word " * 22 + "and"
    assert unwrapped(f"{full}\nmore\n\n* one\n* two") == f"{full} more\n\n* one\n* two"
    assert unwrapped("a table\nof words") == "a table\nof words"
