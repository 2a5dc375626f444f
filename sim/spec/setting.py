"""`--set PATH=VALUE`: one value of a scenario changed from outside.

The value is merged at the path by the rules of a variant's patch (a list or a choice is replaced whole, null removes).
A path through a choice keeps the other fields when its word is the one that stands there, and replaces the choice when
it is another. Numbers index lists. Names that hold dots or spaces need no quotes: the longest known name is meant.

A setting is applied to the top of the document *and* to every variant after its patch, so it wins over both;
`variants.NAME.PATH=VALUE` is applied to that variant alone. Settings are applied in their order. A field may be new;
a named thing (a service, a route, a policy ...) must exist, since a misspelt name would otherwise add a second one in
silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sim.errors import ScenarioError, UsageError, did_you_mean
from sim.spec.base import body_of, field_names
from sim.spec.document import Data, Map, Place, Seq, as_map, as_seq
from sim.spec.patching import merge
from sim.spec.reading import read_yaml
from sim.spec.shape import Shape, chosen

_STEP = re.compile(r"[^.=]+")
# of a recorded file
_SAYS_WHAT_IS_READ = ("file", "column", "unit", "rates", "counts", "timestamps", "every", "where", "route", "user")


@dataclass(frozen=True)
class Setting:
    """PATH=VALUE, as given, and the variant that it is for (empty: the top and every variant)."""

    text: str
    path: str  # of the scenario, still with its `=VALUE`
    variant: str = ""

    @property
    def place(self) -> Place:
        """Where messages point."""
        return Place(f"--set {self.text}")


def settings(texts: tuple[str, ...], variants: tuple[str, ...]) -> tuple[Setting, ...]:
    """The settings of a command line, those of one variant told from those of all."""
    return tuple(_setting(text, variants) for text in texts)


def _setting(text: str, variants: tuple[str, ...]) -> Setting:
    if not text.startswith("variants."):
        return Setting(text, text)
    rest = text.removeprefix("variants.")
    name = _longest(rest, variants, ".")
    if name is None:
        word = rest.split(".", 1)[0].split("=", 1)[0]
        raise UsageError(f"--set {text}: unknown variant '{word}'{did_you_mean(word, variants)}")
    return Setting(text, rest[len(name) + 1 :], name)


def apply(setting: Setting, document: Map, shape: Shape) -> Map:
    """The document with the setting, or a UsageError that names the nearest right path."""
    changed = as_map(_assign(document, setting.path, shape, setting, ()))
    if setting.variant and setting.path.startswith("expect"):
        if not setting.path.startswith("expect="):
            raise UsageError(
                f"--set {setting.text}: the expectations of a variant add to those of the top; give them as a list"
            )
        before, added = as_seq(document.get("expect") or []), as_seq(changed.get("expect") or [])
        changed["expect"] = Seq([*before, *added], [*before.items_at, *added.items_at])
    return changed


def _assign(here: Data, rest: str, shape: Shape, setting: Setting, done: tuple[str, ...]) -> Data:
    if (
        isinstance(here, list)
        and shape.kind == "fields"
        and not _longest(rest, tuple(field_names(shape.spec)) if shape.spec else (), ".=")
    ):
        # not a field of what the list is a shorthand of: a step of an endpoint
        shape = shape.listed if shape.listed.kind == "list" else shape
    if isinstance(here, list) and shape.kind != "fields":
        return _in_list(here, rest, shape, setting, done)
    target = _opened(here, rest, shape)
    key, after = _next(target, rest, shape, setting, done)
    below = _below(shape, key, target, after)
    old = target.get(key)
    new = (
        _value(after, old, below, setting)
        if after.startswith("=")
        else _assign(old, after[1:], below, setting, (*done, key))
    )
    if new is None:
        target.pop(key, None)
    else:
        target.put(key, new, setting.place, setting.place)
    if key in _SAYS_WHAT_IS_READ:
        target.pop("data", None)  # what was read belonged to the former file
    return target


def _below(shape: Shape, key: str, target: Map, after: str) -> Shape:
    """The shape under `key`.

    Under the word of a choice a field may be meant although a shorthand stands there (`poisson.rate`).
    """
    if shape.kind != "choice" or shape.choice is None or key not in shape.choice.words:
        return shape.child(key, target)
    cls = shape.choice.words[key]
    if not shape.choice.flat and after.startswith(".") and _longest(after[1:], tuple(field_names(cls)), ".="):
        return Shape("fields", spec=cls)
    return shape.child(key, target if key in target else {key: None})


def _in_list(here: list[Any], rest: str, shape: Shape, setting: Setting, done: tuple[str, ...]) -> Data:
    match = re.match(r"[0-9]{1,9}(?=[.=])", rest)
    index = int(match[0]) if match else -1
    if not 0 <= index < len(here):
        raise UsageError(
            f"--set {setting.text}: {'.'.join(done)} is a list of {len(here)}; expected a number from 0 to "
            f"{len(here) - 1} after it"
        )
    after, below, target = rest[len(match[0]) :] if match else "", shape.child(index, here), as_seq(here)
    new = (
        _value(after, here[index], below, setting)
        if after.startswith("=")
        else _assign(here[index], after[1:], below, setting, (*done, str(index)))
    )
    if new is None:
        del target[index], target.items_at[index]
    else:
        target[index], target.items_at[index] = new, setting.place
    return target


def _opened(here: Data, rest: str, shape: Shape) -> Map:
    """What stands here as a map that the next key may go into; a shorthand is written out, another choice
    makes room.
    """
    if shape.kind == "choice" and shape.choice is not None:
        word, cls = chosen(shape.choice, here)
        key = _longest(rest, tuple(shape.choice.words), ".=")
        if key is not None and key != word:
            return Map()
        return as_map(here) if isinstance(here, dict) else Map({word: here} if cls is not None else {})
    if isinstance(here, dict):
        return as_map(here)
    if here is not None and shape.kind == "fields" and shape.spec is not None:
        body = body_of(shape.spec, here)
        return Map({_alias(shape.spec, key): value for key, value in body.items()}) if isinstance(body, dict) else Map()
    return Map()


def _alias(spec: Data, name: str) -> str:
    field = spec.model_fields.get(name)
    return str(field.alias or name) if field is not None else name


def _next(target: Map, rest: str, shape: Shape, setting: Setting, done: tuple[str, ...]) -> tuple[str, str]:
    """The next key of the path and what follows it, which begins with '.' or '='."""
    known = (*shape.words(target), *target)
    if shape.kind == "choice" and shape.choice is not None:
        known = (*known, *shape.choice.words)
    key = _longest(rest, known, ".=")
    if key is not None:
        return key, rest[len(key) :]
    match = _STEP.match(rest)
    word = match[0] if match else ""
    if "=" not in rest:
        raise UsageError(f"--set {setting.text}: expected PATH=VALUE")
    where = f" in {'.'.join(done)}" if done else ""
    raise UsageError(f"--set {setting.text}: unknown path: no '{word}'{where}{did_you_mean(word, known)}")


def _longest(rest: str, names: tuple[str, ...], ends: str) -> str | None:
    """The longest of the names that `rest` begins with, followed by one of `ends`."""
    fitting = [name for name in names if rest.startswith(name) and rest[len(name) : len(name) + 1] in tuple(ends)]
    return max(fitting, key=len, default=None)


def _value(after: str, old: Data, shape: Shape, setting: Setting) -> Data:
    """VALUE read as YAML, merged with what stood there."""
    if not after[1:].strip():
        raise UsageError(f"--set {setting.text}: expected a value after '='; write null to remove what stands there")
    try:
        value = read_yaml(after[1:], f"--set {setting.text}")
    except ScenarioError as error:
        raise UsageError(f"--set {setting.text}: {error.problems[0].message}") from None
    return merge(old, _at(value, setting.place), shape)


def _at(value: Data, place: Place) -> Data:
    """The value with the option itself as the place of all its parts."""
    if isinstance(value, Map):
        return Map(
            {key: _at(item, place) for key, item in value.items()},
            dict.fromkeys(value, place),
            dict.fromkeys(value, place),
        )
    return Seq([_at(item, place) for item in value], [place] * len(value)) if isinstance(value, list) else value
