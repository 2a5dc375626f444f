"""JSON comes out of pieces as it would come out whole, wherever the pieces end; and what is no JSON is told with its line."""

from __future__ import annotations

import io
import json
import random

import pytest

from sim.errors import ScenarioError
from sim.importing.traces import json_pieces
from sim.importing.traces.json_pieces import JsonPieces


def walked(text: str | bytes) -> list[object]:
    """Everything in all texts, gone into as far as there are objects and lists."""
    raw = text.encode() if isinstance(text, str) else text
    pieces = JsonPieces(io.BytesIO(raw), "a.json")
    found = []
    while pieces.peek():
        found.append(_into(pieces))
    return found


def _into(pieces: JsonPieces) -> object:
    if pieces.peek() == "{":
        return {key: _into(pieces) for key in pieces.members()}
    if pieces.peek() == "[":
        return [_into(pieces) for _ in pieces.elements()]
    return pieces.value()


def value(draw: random.Random, depth: int) -> object:
    match draw.randrange(7 if depth else 5):
        case 0:
            return draw.choice([0, -12, 123456789, 1.5e-7, -0.25])
        case 1:
            return draw.choice(["", "a", 'quo"te', "back\\slash\\", "ü☃", "]},{[:"])
        case 2:
            return draw.choice([True, False, None])
        case 3:
            return []
        case 4:
            return {}
        case 5:
            return [value(draw, depth - 1) for _ in range(draw.randrange(4))]
        case _:
            return {f"k{number}": value(draw, depth - 1) for number in range(draw.randrange(4))}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_values_do_not_depend_on_where_pieces_end(monkeypatch, size):
    monkeypatch.setattr(json_pieces, "PIECE", size)
    draw = random.Random(size)
    for _ in range(60):
        values = [value(draw, 4) for _ in range(draw.randint(1, 3))]
        text = "\n".join(
            json.dumps(item, ensure_ascii=draw.random() < 0.5, indent=draw.choice([None, 1])) for item in values
        )
        assert walked(text) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2\n,", "a.json:2: found what is no JSON"),
        ('{"a": 1,\n "b" 2}', "a.json:2: found '2', expected :"),
        ('{"a": 1', "found the end of the file, expected ,"),
        ("{1: 2}", "found 1, expected a key in quotes"),
        ("[1 2]", "found '2', expected ,"),
        ("\n\n]", "a.json:3: found what is no JSON"),
        (b'["\xff"]', "found bytes that are no text in UTF-8"),
        ("9" * 5000, "found what is no JSON"),
    ],
)
def test_what_is_no_json_is_told_with_its_line(text, message):
    with pytest.raises(ScenarioError) as error:
        walked(text)
    assert message in str(error.value)


def test_one_value_may_not_be_as_large_as_a_file(monkeypatch):
    monkeypatch.setattr(json_pieces, "LARGEST_VALUE", 1000)
    monkeypatch.setattr(json_pieces, "PIECE", 100)
    assert walked(json.dumps(["x" * 500] * 10)) == [["x" * 500] * 10]
    with pytest.raises(ScenarioError, match="found a value of more than"):
        walked(json.dumps(["x" * 5000]))


def test_values_that_are_nested_too_deeply_are_told():
    with pytest.raises(ScenarioError, match="nested too deeply"):
        JsonPieces(io.BytesIO(b"[" * 100_000), "a.json").value()
