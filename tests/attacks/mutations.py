"""Small harm done at random: to the tree of a scenario, to a text, and to the rows of a recording. The same dice do the same harm."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.attacks.corpus import Raw

Place = tuple[str | int, ...]

ODD: tuple[Any, ...] = (
    *(0, 1, -1, 2, 7, 0.5, -0.0, 1e-9, 1e-300, 1e9, 1e18, 1e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**19),
    *(
        float("nan"),
        float("inf"),
        -float("inf"),
        True,
        False,
        None,
        "",
        "unlimited",
        "recording",
        "auto",
        [],
        {},
        [[]],
        {"": ""},
    ),
    *(
        "0s",
        "-1s",
        "1ns",
        "1e-12s",
        "1e300s",
        "1000000h",
        "0%",
        "100%",
        "101%",
        "-1%",
        "1e9%",
        "0/s",
        "1e9/s",
        "1e-9/h",
        "0x",
        "1e9x",
        "x",
        "s",
    ),
    *("a" * 300, "\u202e", "é", "s0.a", "..", "a.b.c", ".", "1:30", "0x1F", "1_000", "١", "None", "\ud83d\ude00"),
)
UNITS = ("ns", "us", "ms", "s", "m", "h", "d", "/s", "/m", "/h", "%", "x", "KiB", "")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


def mutated_tree(dice: random.Random, tree: Any, others: Sequence[Any]) -> Any:
    """A copy with one to four harms; `others` are trees that parts may come from."""
    tree = copy.deepcopy(tree)
    for _ in range(dice.choice((1, 1, 1, 1, 2, 2, 4))):
        places = list(_places(tree))
        if places:
            dice.choice(_OF_TREES)(dice, tree, places, others)
    return tree


def _tweak(dice: random.Random, tree: Any, places: list[Place], others: Sequence[Any]) -> None:
    """Another number where one stands, with its unit: what is still valid is the most telling."""
    del others
    for at in dice.sample(places, min(8, len(places))):
        value = _at(tree, at)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)) or not _NUMBER.search(str(value)):
            continue
        factor = dice.choice((0, 0, -1, 1e-9, 1e-3, 0.1, 0.5, 1.5, 2, 3, 10, 100, 1e3, 1e6, 1e12))
        if isinstance(value, str):
            number = _NUMBER.search(value)
            assert number is not None
            _put(tree, at, value[: number.start()] + _short(float(number.group()) * factor) + value[number.end() :])
        else:
            _put(
                tree,
                at,
                round(value * factor) if isinstance(value, int) and abs(value * factor) < 1e19 else value * factor,
            )
        return


def _odd(dice: random.Random, tree: Any, places: list[Place], others: Sequence[Any]) -> None:
    del others
    _put(tree, dice.choice(places), copy.deepcopy(dice.choice(ODD)))


def _unit(dice: random.Random, tree: Any, places: list[Place], others: Sequence[Any]) -> None:
    """Another unit, or none."""
    del others
    for at in dice.sample(places, min(8, len(places))):
        value = _at(tree, at)
        number = _NUMBER.match(value) if isinstance(value, str) else None
        if number:
            _put(tree, at, number.group() + dice.choice(UNITS))
            return


def _swap(dice: random.Random, tree: Any, places: list[Place], others: Sequence[Any]) -> None:
    """Two values change places."""
    del others
    one, other = dice.choice(places), dice.choice(places)
    a, b = copy.deepcopy(_at(tree, one)), copy.deepcopy(_at(tree, other))
    _put(tree, one, b)
    if _has(tree, other):
        _put(tree, other, a)


def _rename(dice: random.Random, tree: Any, places: list[Place], others: Sequence[Any]) -> None:
    """A key, or a name that is a value, becomes another one of this document."""
    del others
    words = sorted(
        {str(part) for at in places for part in at}
        | {value for at in places if isinstance(value := _at(tree, at), str)}
    )
    at, word = dice.choice(places), dice.choice(words)
    if dice.random() < 0.5 or isinstance(at[-1], int):
        _put(tree, at, word)
        return
    holder = _at(tree, at[:-1])
    items = [(word if key == at[-1] else key, value) for key, value in holder.items()]
    holder.clear()
    holder.update(items)


def _delete(dice: random.Random, tree: Any, places: list[Place], others: Sequence[Any]) -> None:
    del others
    at = dice.choice(places)
    del _at(tree, at[:-1])[at[-1]]


def _duplicate(dice: random.Random, tree: Any, places: list[Place], others: Sequence[Any]) -> None:
    """An item once more (or fifty times), or an entry under another name."""
    del others
    at = dice.choice(places)
    holder, value = _at(tree, at[:-1]), _at(tree, at)
    if isinstance(holder, list):
        holder[at[-1] : at[-1]] = [copy.deepcopy(value) for _ in range(dice.choice((1, 1, 2, 50)))]
    else:
        holder[f"{at[-1]}2"] = copy.deepcopy(value)


def _nest(dice: random.Random, tree: Any, places: list[Place], others: Sequence[Any]) -> None:
    """A value in lists or maps, far inside."""
    del others
    at, deep = dice.choice(places), dice.choice((1, 1, 2, 3, 40, 59, 61, 3000))
    value = _at(tree, at)
    if deep > 10 and not isinstance(value, (dict, list)):
        begin, end = dice.choice(
            (("[", "]"), ("{a: ", "}"), ("{parallel: [[", "]]}"), ("[work: 1ms, {call: s1.a, fallback: [", "]}]"))
        )
        _put(tree, at, Raw(begin * deep + "1" + end * deep))
        return
    for _ in range(min(deep, 3)):
        value = [value] if dice.random() < 0.5 else {dice.choice(("a", "constant", "parallel", "of", "do")): value}
    _put(tree, at, value)


def _splice(dice: random.Random, tree: Any, places: list[Place], others: Sequence[Any]) -> None:
    """What stands in another document in a place of the same name, or failing that anywhere."""
    other = dice.choice(others)
    at = dice.choice(places)
    there = list(_places(other))
    alike = [place for place in there if place[-1] == at[-1]] or there
    if alike:
        _put(tree, at, copy.deepcopy(_at(other, dice.choice(alike))))


_OF_TREES: tuple[Callable[[random.Random, Any, list[Place], Sequence[Any]], None], ...] = (
    *(_tweak, _tweak, _tweak, _tweak, _tweak, _tweak, _tweak, _tweak, _tweak, _splice, _splice, _splice, _splice),
    *(_odd, _odd, _unit, _swap, _swap, _rename, _delete, _duplicate, _duplicate, _nest),
)


def _places(tree: Any, at: Place = ()) -> Iterator[Place]:
    """Every value below the top."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield (*at, key)
        yield from _places(value, (*at, key))


def _at(tree: Any, at: Place) -> Any:
    for part in at:
        tree = tree[part]
    return tree


def _has(tree: Any, at: Place) -> bool:
    for part in at:
        inside = (
            part in tree
            if isinstance(tree, dict)
            else isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        )
        if not inside:
            return False
        tree = tree[part]
    return True


def _put(tree: Any, at: Place, value: Any) -> None:
    _at(tree, at[:-1])[at[-1]] = value


def _short(number: float) -> str:
    return repr(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


# ---- text

_MARKS = (
    *"{}[],:&*!|>'\"%@`#-?~\t\0\x07\x1b\x85",
    "\ufeff",
    "\u2028",
    "\u202e",
    "\n",
    "\r\n",
    " ",
    "  ",
    "<<: ",
    "---\n",
    "...\n",
    "&a ",
    "*a",
    "!!python/name:os.system ",
    "%YAML 1.1\n",
)


def mutated_text(dice: random.Random, text: str) -> bytes:
    """Bytes flipped, lines cut or moved, marks of YAML put in, the end torn off."""
    data = bytearray(text.encode())
    for _ in range(dice.choice((1, 1, 2, 3, 5))):
        if data:
            dice.choice(_OF_TEXTS)(dice, data)
    return bytes(data)


def _flip(dice: random.Random, data: bytearray) -> None:
    data[dice.randrange(len(data))] = dice.choice((dice.randrange(256), dice.randrange(32, 127)))


def _mark(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = dice.choice(_MARKS).encode()


def _cut(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data))
    del data[at : at + dice.choice((1, 2, 5, 20, 200))]


def _tear(dice: random.Random, data: bytearray) -> None:
    del data[dice.randrange(len(data)) :]


def _line(dice: random.Random, data: bytearray) -> None:
    """A line goes, comes twice, or changes places."""
    lines = data.splitlines(keepends=True)
    at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    what = dice.randrange(3)
    if what == 0:
        del lines[at]
    elif what == 1:
        lines.insert(other, lines[at])
    else:
        lines[at], lines[other] = lines[other], lines[at]
    data[:] = b"".join(lines)


def _repeat(dice: random.Random, data: bytearray) -> None:
    """A piece, again and again, up to some hundred thousand bytes."""
    at = dice.randrange(len(data))
    piece = bytes(data[at : at + dice.choice((1, 3, 10, 100))])
    data[at:at] = piece * dice.choice((2, 10, 1000, 3000))


_OF_TEXTS: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip,
    _flip,
    _mark,
    _mark,
    _cut,
    _tear,
    _line,
    _line,
    _repeat,
)


# ---- recordings

_CELLS = (
    *(
        "",
        " ",
        "nan",
        "inf",
        "-1",
        "-0",
        "0",
        "1e999",
        "1e-999",
        "9" * 30,
        "1_0",
        "0x10",
        "١٢",
        "∞",
        '"',
        '""',
        "'",
        "N/A",
        "null",
        "True",
        "1,5",
        "1;5",
    ),
    *(
        "1622490229000",
        "1622490229",
        "5e10",
        "2024-02-30",
        "2024-01-01T00:00:00+99:00",
        "2024-01-01T24:00:00",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
        "1ms",
        "-1ms",
        "1e18",
    ),
    *("a.x", "a.z", "#", "x" * 3000, "\x00", "\x1b[2J", "\u202e", "\ud83d\ude00"),
)


def mutated_rows(dice: random.Random, rows: bytes) -> bytes:
    """Cells replaced, rows doubled, mixed and torn, marks exchanged; or the bytes as of any text."""
    data = rows
    for _ in range(dice.choice((1, 1, 2, 3))):
        lines = data.decode(errors="replace").splitlines()
        if lines:
            data = dice.choice(_OF_ROWS)(dice, lines)
    return data


def _cell(dice: random.Random, lines: list[str]) -> bytes:
    mark = next((mark for mark in ";\t," if mark in lines[0]), ",")
    at = dice.randrange(len(lines))
    cells = lines[at].split(mark)
    cells[dice.randrange(len(cells))] = dice.choice(_CELLS)
    return _joined([*lines[:at], mark.join(cells), *lines[at + 1 :]])


def _column(dice: random.Random, lines: list[str]) -> bytes:
    """One cell in every row: gone, or the same everywhere."""
    mark = next((mark for mark in ";\t," if mark in lines[0]), ",")
    at, cell, begin = dice.randrange(len(lines[0].split(mark))), dice.choice((None, *_CELLS)), dice.choice((0, 1))
    found = lines[:begin]
    for line in lines[begin:]:
        cells = line.split(mark)
        if at < len(cells):
            cells[at : at + 1] = [] if cell is None else [cell]
        found.append(mark.join(cells))
    return _joined(found)


def _moved(dice: random.Random, lines: list[str]) -> bytes:
    what = dice.randrange(6)
    if what == 0:
        dice.shuffle(lines)
    elif what == 1:
        lines = lines * dice.choice((2, 100))
    elif what == 2:
        lines = lines[1:]
    elif what == 3:
        lines = lines[: dice.randrange(len(lines))]
    elif what == 4:
        lines[dice.randrange(len(lines))] += dice.choice((",", ",,,,,", ";", "\t", '"', ',"a\nb"'))
    else:
        lines.insert(dice.randrange(len(lines)), dice.choice(("", "# comment", '"', "\ufeff", lines[0])))
    return _joined(lines)


def _habits(dice: random.Random, lines: list[str]) -> bytes:
    """Another mark between cells, another end of lines, another encoding."""
    text = "\n".join(lines) + dice.choice(("", "\n", "\n\n"))
    what = dice.randrange(4)
    if what == 0:
        return text.replace(",", dice.choice((";", "\t", "|", ", "))).encode()
    if what == 1:
        return text.replace("\n", dice.choice(("\r\n", "\r", "\n\n", "\u2028"))).encode()
    if what == 2:
        return b"\xef\xbb\xbf" + text.encode()
    return text.encode(dice.choice(("utf-16", "utf-32", "latin-1")), errors="replace")


def _as_text(dice: random.Random, lines: list[str]) -> bytes:
    return mutated_text(dice, "\n".join(lines))


def _joined(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode(errors="surrogatepass")


_OF_ROWS: tuple[Callable[[random.Random, list[str]], bytes], ...] = (
    _cell,
    _cell,
    _cell,
    _column,
    _column,
    _moved,
    _moved,
    _habits,
    _as_text,
)
