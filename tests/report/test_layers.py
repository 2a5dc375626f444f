import itertools
import random

from sim.report.layers import Link, place

BOX, LABEL = (100.0, 40.0), (60.0, 20.0)


def overlaps(one, other):
    (x, y, width, height), (u, v, wide, high) = one, other
    return abs(x - u) < (width + wide) / 2 - 1e-6 and abs(y - v) < (height + high) / 2 - 1e-6


def rectangles(layout, names, links):
    boxes = [(*layout.centres[name], *BOX) for name in names]
    return boxes + [
        (*route.label, *link.label) for route, link in zip(layout.routes, links, strict=True) if route.label
    ]


def test_a_chain_runs_from_left_to_right_on_one_line():
    names = ["a", "b", "c"]
    layout = place(dict.fromkeys(names, BOX), [Link("a", "b", LABEL), Link("b", "c", LABEL)])
    (ax, ay), (bx, by), (cx, cy) = (layout.centres[name] for name in names)
    assert ax < bx < cx
    assert ay == by == cy


def test_a_loop_is_drawn_with_its_arrow_pointing_back():
    layout = place(dict.fromkeys("ab", BOX), [Link("a", "b", LABEL), Link("b", "a", LABEL)])
    back = layout.routes[1].points
    assert back[0][0] > back[-1][0]


def test_a_long_arrow_runs_round_the_boxes_between():
    links = [Link("a", "b", LABEL), Link("b", "c", LABEL), Link("a", "c", LABEL)]
    layout = place(dict.fromkeys("abc", BOX), links)
    x, y = layout.centres["b"]
    bends = [point for point in layout.routes[2].points if abs(point[0] - x) < 1]
    assert bends
    assert all(abs(bend_y - y) > BOX[1] / 2 for _, bend_y in bends)


def test_thirty_services_do_not_overlap_nor_do_their_labels():
    chance = random.Random(3)
    names = [f"s{index}" for index in range(30)]
    links = [
        Link(names[i], names[j], LABEL if chance.random() < 0.7 else (0.0, 0.0))
        for i in range(30)
        for j in range(i + 1, 30)
        if chance.random() < 0.08
    ]
    layout = place(dict.fromkeys(names, BOX), links)
    for one, other in itertools.combinations(rectangles(layout, names, links), 2):
        assert not overlaps(one, other)
    assert all(x - BOX[0] / 2 >= -1e-6 and x + BOX[0] / 2 <= layout.width + 1e-6 for x, _ in layout.centres.values())
    assert all(y - BOX[1] / 2 >= -1e-6 and y + BOX[1] / 2 <= layout.height + 1e-6 for _, y in layout.centres.values())


def test_nothing_and_a_thing_alone():
    assert place({}, []).routes == ()
    assert place({"a": BOX}, [Link("a", "a", LABEL)]).centres["a"] == (50.0, 20.0)
