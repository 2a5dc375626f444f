"""Traces whose values were exchanged for odd ones: an answer or an error in one of our words, in a moment."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from tests.importing.test_fuzz import outcome

SAMPLES = Path(__file__).parent.parent / "samples"
ODD = [
    *(
        None,
        True,
        -1,
        0,
        2**63,
        10**300,
        1e308,
        float("nan"),
        float("inf"),
        -0.5,
        "",
        " ",
        "\x00",
        "\ud800",
        "a.b",
        "a: b",
        "- x",
        "#",
        "{{ .x }}",
    ),
    *(
        "gateway",
        "clients",
        "x" * 5000,
        "0",
        "é",
        "\u202e",
        [],
        {},
        [[]],
        {"a": {}},
        [None],
        "\n",
        "*a",
        "kafka",
        "client",
        "CONSUMER",
    ),
]


def exchanged(value: object, draw: random.Random, share: float) -> object:
    """The same with some of its values exchanged, left out or twice."""
    if draw.random() < share:
        return draw.choice(ODD)
    if isinstance(value, dict):
        return {key: exchanged(item, draw, share) for key, item in value.items() if draw.random() > share}
    if isinstance(value, list):
        items = [exchanged(item, draw, share) for item in value if draw.random() > share]
        return items + items[:1] if draw.random() < share else items
    return value


@pytest.mark.long
@pytest.mark.parametrize("name", ["otlp.json", "jaeger.json", "zipkin.json"])
def test_exchanged_values_end_in_an_answer_or_an_error_of_ours(name, tmp_path):
    document = json.loads((SAMPLES / name).read_text())
    file, good, tries, begun = tmp_path / name, 0, 0, time.monotonic()
    while time.monotonic() - begun < 8:
        draw = random.Random(f"{name} {tries}")
        file.write_text(json.dumps(exchanged(document, draw, draw.choice([0.002, 0.01, 0.05]))))
        good += outcome([file])
        tries += 1
    assert 0 < good < tries


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceSpans": ' + "[" * 50_000,
        '{"trace": ' * 5000 + '"resourceSpans": [',
        '{"data": [' * 3000 + '"traceID" "spans"',
        '[[[[[{"traceId": "a", "id": "b", "timestamp": 1}]]]]]',
    ],
    ids=["lists", "traces", "data", "zipkin"],
)
def test_depth_is_bounded(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert not outcome([tmp_path / "a.json"])


@pytest.mark.long
def test_parents_without_end_cost_no_more_than_they_are(tmp_path):
    """Twenty thousand spans below one another, each of another service's turn."""
    rows = "".join(
        f"1,{place},{place - 1 if place > 1 else ''},{'ab'[place % 2]},x,1700000000000,1700000000005\n"
        for place in range(1, 20_001)
    )
    (tmp_path / "a.csv").write_text(f"trace,span,parent,service,operation,start,end\n{rows}")
    outcome([tmp_path / "a.csv"])
