"""YAML 1.2, read without trust."""

import pytest

from sim.errors import ScenarioError
from sim.spec.reading import LARGEST, decode, question_of, read_yaml


def test_words_and_numbers_are_those_of_yaml_1_2():
    read = read_yaml(
        "{a: off, b: yes, c: 1:30, d: 012, e: 0o17, f: 0x1F, g: 1e3, h: .5, i: ~, j: '5', k: true, l: 1_000, m: 2001-01-01}"
    )
    assert read == {
        "a": "off",
        "b": "yes",
        "c": "1:30",
        "d": 12,
        "e": 15,
        "f": 31,
        "g": 1000.0,
        "h": 0.5,
        "i": None,
        "j": "5",
        "k": True,
        "l": "1_000",
        "m": "2001-01-01",
    }


def test_every_piece_knows_its_place():
    read = read_yaml("a:\n  b: [1, x]\n", "f.yaml")
    assert (read["a"].keys_at["b"].line, read["a"].keys_at["b"].column) == (2, 3)
    assert (read["a"]["b"].items_at[1].line, read["a"]["b"].items_at[1].column) == (2, 10)


def test_an_alias_repeats_what_it_stands_for():
    assert read_yaml("a: &x {b: 1}\nc: *x\nd: [*x, *x]") == {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}, {"b": 1}]}


def test_a_value_that_is_missing_is_at_its_key():
    read = read_yaml("a:\n  b:\n  c: 1\nd:\n")
    places = (read["a"].values_at["b"], read.values_at["d"])
    assert [(place.line, place.column) for place in places] == [(2, 3), (4, 1)]


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested more than 60 deep"),
        ("{a: " * 100_000, "nested more than 60 deep"),
        ("- " * 100_000, "nested more than 60 deep"),
        (LAUGHS, "found more than 100000 values"),
        ("a: &a [*a]", "f.yaml:1:8: found the alias *a inside of what it stands for"),
        ("a: *b", "found the alias *b, which is not defined"),
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1: found 'a' twice in this map; first on line 1"),
        ("a: " + "9" * 5000, "found a number of 5000 digits"),
        ("a: 1e999", "found 1e999, expected a finite number"),
        ("a: .inf", "found .inf, expected a finite number"),
        ("a: [.nan, -.INF]", "found .nan"),
        ("a:\n\tb: 1", "f.yaml:2:1: not YAML: found a tab"),
        ("a: 1\n---\nb: 1", "f.yaml:2:1: found a second document"),
        ("1: a", "found the key 1, which is not a word"),
        ("true: a", "found the key true, which is not a word"),
        ("[a]: b", "found a map, a list or an alias as a key"),
        (
            "a: [{b: 1, {c: 2}]",
            "f.yaml:1:12: found a map, a list or an alias as a key, expected a word; is a '}' missing before it?",
        ),
        ("a: !!python/object/apply:os.system [ls]", "f.yaml:1:4: found the tag"),
        ("a: &x {b: 1}\nc: {<<: *x}", "found a merge key"),
        ("a: b: c", "found a ':' where no key can stand"),
        ("a: [1,\n2", "the file ends inside an open bracket"),
        ("a: 'x", "the file ends inside an open bracket or quote"),
        ("a: 1\n b: 2", "f.yaml:2:"),
        ("a: \x01", "found the character U+0001"),
        ('a: "\\ud800"', "found half of a surrogate pair"),
        ("%YAML 9.9\n---\na: 1", "not YAML"),
        ("a: @x", "not YAML"),
    ],
)
def test_hostile_text_is_refused_in_plain_words(text, words):
    with pytest.raises(ScenarioError) as caught:
        read_yaml(text, "f.yaml")
    assert words in str(caught.value)


def test_all_faults_of_form_are_told_at_once():
    with pytest.raises(ScenarioError) as caught:
        read_yaml("a: 1e999\nb: !x 1\nc: 1\nc: 2")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 4]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"a: 1\nb: \xff", "f:2: found the byte 0xff, expected text in UTF-8"),
        ("a: 1".encode("utf-16"), "f:1: found the byte 0xff"),
        (b"a: 1\n\0", "f:2: found a NUL byte"),
        (b" " * (LARGEST + 1), "the file is larger than"),
    ],
)
def test_bytes_that_are_no_text_are_refused(raw, words):
    with pytest.raises(ScenarioError) as caught:
        decode(raw, "f")
    assert words in str(caught.value)


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert decode(b"\xef\xbb\xbfa: 1", "f") == "a: 1"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("# Who wins? And more.\nversion: 1", "Who wins?"),
        (
            "# The shop burns. Who\n# pays for 1.5 hours? Then.\n#\n# Other.\nversion: 1",
            "The shop burns. Who pays for 1.5 hours?",
        ),
        ("# yaml-language-server: $schema=x.json\n# Why so slow?\nversion: 1", "Why so slow?"),
        ("\n# Late.\nversion: 1", "Late."),
        ("version: 1\n# no head", ""),
    ],
)
def test_the_head_comment_asks_the_question(text, question):
    assert question_of(text) == question
