"""What a full cache forgets, against the plainest program that says the same."""

import random

import pytest

from sim.policies.eviction import EVICTIONS


class Plain:
    """A list of what is kept, with its uses and its last one; the least goes."""

    def __init__(self, size, word):
        self.size, self.word, self.kept, self.now = size, word, {}, 0

    def used(self, key):
        self.now += 1
        self.kept[key] = (self.kept.get(key, (0, 0))[0] + 1, self.now)

    def look(self, key):
        if key in self.kept:
            self.used(key)
            return key
        return None

    def put(self, key):
        if key not in self.kept and len(self.kept) >= self.size:
            del self.kept[min(self.kept, key=lambda its: self.kept[its] if self.word == "lfu" else self.kept[its][1])]
        self.used(key)


@pytest.mark.parametrize("word", ["lru", "lfu"])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_it_keeps_what_the_plainest_program_keeps(word, size):
    dice, cache, plain = random.Random(f"{word}{size}"), EVICTIONS[word](size), Plain(size, word)
    for _ in range(3000):
        key = int(dice.paretovariate(0.8)) % 23
        assert cache.look(key) == plain.look(key)
        if dice.random() < 0.7:
            cache.put(key, key)
            plain.put(key)
        assert len(cache) == len(plain.kept)


@pytest.mark.parametrize("word", ["lru", "lfu"])
def test_without_a_size_nothing_goes_and_all_can_be_forgotten(word):
    cache = EVICTIONS[word](None)
    for key in range(100):
        cache.put(key, key)
    assert [cache.look(key) for key in range(100)] == list(range(100))
    cache.clear()
    assert (len(cache), cache.look(3)) == (0, None)
    cache.put(3, "again")
    assert cache.look(3) == "again"
