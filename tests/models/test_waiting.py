"""The order in which a queue hands out what waits, and where what comes back is put."""

import pytest

from sim.models.queues.letter import Letter, Publication
from sim.models.queues.waiting import Waiting
from sim.models.request import Request


class Closing:
    def close(self, request):
        """Nobody asks."""


def letters(count):
    request = Request(1, 0.0, 0, 0, 0, Closing())
    made = [Letter(Publication(request, 0, 0, -1, 0, "", {}, 1.0), number, 0.0) for number in range(count)]
    for number, letter in enumerate(made):
        letter.offset = letter.order = number
    return made


def taken(waiting):
    return [waiting.take().offset for _ in range(len(waiting))]


@pytest.mark.parametrize(("in_place", "order"), [(True, [0, 1, 2, 3, 4]), (False, [2, 0, 1, 3, 4])])
def test_what_comes_back_is_put_where_it_was_or_first_in_the_order_in_which_it_comes_back(in_place, order):
    """A classic queue knows the place; a quorum queue hands out what was returned before all else."""
    waiting = Waiting(in_place)
    made = letters(5)
    for letter in made:
        waiting.put(letter)
    handed = [waiting.take() for _ in range(3)]
    for number in (2, 0, 1):
        waiting.put_back(handed[number])
    assert [letter.offset for letter in waiting] == order
    assert waiting.head is made[order[0]]
    assert taken(waiting) == order
    assert waiting.head is None


def test_a_message_that_comes_back_late_stands_before_those_that_came_after_it():
    waiting = Waiting(in_place=True)
    made = letters(4)
    for letter in made:
        waiting.put(letter)
    first, second = waiting.take(), waiting.take()
    waiting.put_back(second)
    assert waiting.take() is second
    waiting.put_back(first)
    assert taken(waiting) == [0, 2, 3]
