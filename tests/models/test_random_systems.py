"""The generator of random systems: what is drawn in one place, or taught to it, leaves all else as it is."""

import pytest

from tests.models.any_scenario import any_scenario
from tests.models.random_systems.luck import Luck

LUCKS = [Luck(f"{seed}/somewhere") for seed in range(2000)]


def test_a_new_option_changes_only_the_choices_that_take_it():
    before = [luck.pick("kind", ("a", "b", "c")) for luck in LUCKS]
    after = [luck.pick("kind", ("a", "new", "b", "c")) for luck in LUCKS]
    changed = [new for old, new in zip(before, after, strict=True) if new != old]
    assert set(changed) == {"new"}
    assert len(changed) == pytest.approx(500, abs=80)  # a quarter; four standard deviations of a binomial are 78


def test_words_come_by_their_weights_and_a_new_one_changes_only_those_that_take_it():
    before = [luck.word("kind", {"often": 3, "seldom": 1}) for luck in LUCKS]
    assert before.count("seldom") == pytest.approx(500, abs=80)
    after = [luck.word("kind", {"often": 3, "new": 4, "seldom": 1}) for luck in LUCKS]
    assert {new for old, new in zip(before, after, strict=True) if new != old} == {"new"}
    assert after.count("new") == pytest.approx(1000, abs=90)


def test_some_are_different_ones_in_any_order():
    found = [luck.some("two", (1, 2, 3, 4), 2, 2) for luck in LUCKS]
    assert all(len(set(pair)) == 2 for pair in found)
    assert len({tuple(pair) for pair in found}) == 12


def test_the_same_seed_gives_the_same_document():
    """That it does so in every process and on every machine is what `tests/frozen` sees: it holds a digest of each document."""
    assert any_scenario(7) == any_scenario(7)
    assert any_scenario(7) != any_scenario(8)
