"""The ground the specs stand on: frozen models, the types of amounts, and the words that a plug-in can register."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic import Field as Field  # noqa: PLC0414 - so mypy takes it for one that plug-ins may have from here
from pydantic_core import CoreSchema, core_schema

from sim import units
from sim.spec.document import Data
from sim.vocabulary import EventKind, MessageEnd, Outcome, Stage


@dataclass(frozen=True)
class Leaves:
    """What a mechanism leaves in the records, by which somebody can see that it was at work."""

    outcomes: tuple[Outcome, ...] = ()  # by which requests and attempts end because of it
    events: tuple[EventKind, ...] = ()  # of the event log
    stages: tuple[Stage, ...] = ()  # of a request's time, where spans are kept
    ends: tuple[MessageEnd, ...] = ()  # by which messages end because of it
    series: tuple[str, ...] = ()  # quantities of the time series of its component


class Spec(BaseModel):
    """Base of all specs: frozen, unknown keys are errors, fields may be written by alias or by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False, defer_build=True)

    positional: ClassVar[str | None] = None  # the field that takes a body which is not a map of fields
    # JSON Schema of such a body, where it is not that of the positional field
    shorthand: ClassVar[dict[str, Any] | None] = None
    shorthand_type: ClassVar[Any] = None  # its type, where choices stand in it: whoever walks a document must find them
    leaves: ClassVar[Leaves] = Leaves()
    example: ClassVar[str] = ""  # of a plug-in's word: what a variant says on top of the shop (sim/spec/examples.py)
    # all of it, or these fields where they are not at their default
    simpy_only: ClassVar[bool | tuple[str, ...]] = False

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, data: Data) -> Data:
        """`budget: 20%` is `budget: {ratio: 20%}`.

        Runs last of the before-validators, so subclasses may read other shapes first.
        """
        return data if isinstance(data, (dict, Spec)) or data is None else body_of(cls, data)


def _written(kind: str, example: str, pattern: str, number: dict[str, Any] | None = None) -> WithJsonSchema:
    """The JSON Schema of a value with a unit: text of this pattern, or a bare number where one is allowed."""
    text = {"type": "string", "pattern": rf"^\s*{pattern}\s*$"}
    return WithJsonSchema({"description": f"{kind}, such as {example}", "anyOf": [text, *([number] if number else [])]})


_N, _PER = units.NUMBER, rf"{units.NUMBER}\s*/\s*({units.TIME_UNIT})"
_DURATION = _written("a duration", "250ms, 1.5s, 1h30m", rf"({_N}\s*({units.TIME_UNIT})\s*)+", {"const": 0})
_SHARE = _written("a share", "20% or 0.2", rf"{_N}\s*%", {"type": "number", "minimum": 0, "maximum": 1})
_RATIO = _written(
    "a ratio", "20% or 0.2; it may exceed 1", rf"{_N}\s*%", {"type": "number", "minimum": 0, "maximum": 1000}
)
_FACTOR = _written("a factor", "5x", rf"{_N}\s*x", {"type": "number", "minimum": 0})

Duration = Annotated[float, BeforeValidator(units.duration), _DURATION]
Offset = Annotated[
    float,
    BeforeValidator(units.offset),
    _written("a duration that may be negative", "2s, -500ms", rf"-?\s*({_N}\s*({units.TIME_UNIT})\s*)+", {"const": 0}),
]
Rate = Annotated[float, BeforeValidator(units.rate), _written("a rate", "120/s or 30/m", _PER)]
Price = Annotated[float, BeforeValidator(units.price), _written("a cost per time", "0.10/h", _PER)]
Share = Annotated[float, BeforeValidator(units.share), _SHARE]
Ratio = Annotated[float, BeforeValidator(units.ratio), _RATIO]
Factor = Annotated[float, BeforeValidator(units.factor), _FACTOR]
Size = Annotated[
    float, BeforeValidator(units.size), _written("a size", "64KiB or 1MB", rf"{_N}\s*(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)")
]


def _whole(value: object) -> object:
    """A number without a fraction; `true` and "4" are not numbers, though Python and pydantic would take them."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"found {units.shown(value)}, expected a whole number")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"found {units.shown(value)}, expected a number")
    return value


def _count(value: object) -> object:
    if value == "unlimited":
        return UNLIMITED
    try:
        number = _whole(value)
    except ValueError as error:
        raise ValueError(f"{error} or the word unlimited") from None
    if number == UNLIMITED:
        raise ValueError(f"found {units.shown(value)}, expected a whole number of at least 0 or the word unlimited")
    return number


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError(f"found {units.shown(value)}, expected true or false")
    return value


def _column(value: object) -> object:
    """The columns of a file without a header are named 1, 2, 3 ..., and so may be written without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _picked(value: object) -> object:
    """`{status: 200}` and `{name: [a, b]}` as the texts that a file writes."""
    if not isinstance(value, dict):
        return value
    return {_column(column): _cells(wanted) for column, wanted in value.items()}


def _cells(wanted: object) -> tuple[str, ...]:
    """One value or a list of them, as texts."""
    if isinstance(wanted, (list, tuple)):
        return tuple(cell for item in wanted for cell in _spelt(item))
    return _spelt(wanted)


def _spelt(value: object) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (str(value).lower(), str(value), str(value).upper())  # files write it in each of these ways
    if isinstance(value, (dict, list, tuple)):
        raise ValueError(f"found {units.shown(value)}, expected a value of the column, or a list of them")
    return ("" if value is None else str(value),)


_CELL: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}
_PICKED = WithJsonSchema(
    {"type": "object", "additionalProperties": {"anyOf": [_CELL, {"type": "array", "items": _CELL, "minItems": 1}]}}
)
Picked = Annotated[dict[str, Annotated[tuple[str, ...], Field(min_length=1)]], BeforeValidator(_picked), _PICKED]


class Between:
    """Annotation of a whole number with the least and the most that it may be: `Annotated[int, Between(1, 1000)]`.

    Every whole number has both.
    """

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __get_pydantic_core_schema__(self, source: Data, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            _whole, core_schema.int_schema(ge=self.least, le=self.most)
        )


# what both engines can count in; for plug-ins, which add bounds of their own
Whole = Annotated[int, Between(-(2**63), 2**63 - 1)]
# of what is made before a run begins, or within one event: replicas, partitions, the places of a ring
Few = Annotated[int, Between(1, 100_000)]
# an `int` of the libraries whose settings are pasted here; products with a few fit the 64 bits that both engines count
# in
MOST = 2**31 - 1
Many = Annotated[int, Between(1, MOST)]  # of what is only counted
Number = Annotated[float, BeforeValidator(_number)]
Zones = tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...]
Flag = Annotated[bool, BeforeValidator(_flag)]
Column = Annotated[str, BeforeValidator(_column)]
UNLIMITED = -1
_UNLIMITED = {"const": "unlimited"}
Count = Annotated[
    int,
    BeforeValidator(_count),
    Field(ge=UNLIMITED, le=MOST),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": MOST}, _UNLIMITED]}),
]


class Some:
    """Annotation of a `Count` that may not be 0, and why: `Annotated[Count, Some("without any nothing is served")]`."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __get_pydantic_core_schema__(self, source: Data, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST}, _UNLIMITED]}

    def _check(self, number: int) -> int:
        if number == 0:
            raise ValueError(f"found 0, expected at least 1: {self.why}")
        return number


Workers = Annotated[Count, Some("without workers nothing is ever served")]

Kind = Literal["distribution", "arrivals", "backoff", "step", "fault", "broker", "authentication"]
_registry: dict[str, dict[str, type[Spec]]] = {}
S = TypeVar("S", bound=type[Spec])


def register(kind: Kind, word: str) -> Callable[[S], S]:
    """Class decorator: `word` in a scenario is read as this spec.

    Built-in kinds and plug-ins register in the same way.
    """

    def add(spec: S) -> S:
        words = _registry.setdefault(kind, {})
        if word in words and words[word] is not spec:
            raise ValueError(f"the {kind} '{word}' is registered already, {_by_whom(words[word], spec)}")
        words[word] = spec
        if not spec.__module__.startswith("sim."):
            # ours are built when a scenario has one; what is wrong with a plug-in's is told where it stands
            spec.model_rebuild(raise_errors=False)
        return spec

    return add


def _by_whom(known: type[Spec], other: type[Spec]) -> str:
    """Who has registered a word already, and what can be done: in a process a word means one thing."""
    home = known.__module__
    if home.startswith("sim."):
        return f"by {home}: expected a word that the language does not have"
    if home == other.__module__:
        return f"by {home} itself: expected each word once; `sim.spec.base.unregister` forgets one"
    file = getattr(sys.modules.get(home), "__file__", None) or home
    return f"by {file}: expected one file for each word; load one of the two, or give one of them another word"


def unregister(kind: Kind, word: str) -> None:
    """Forget a word, so that a test or a notebook can load a plug-in again."""
    _registry.get(kind, {}).pop(word, None)


def forget_words_of(module: str) -> None:
    """Forget every word that a module registered, so that a plug-in which failed or changed leaves nothing behind."""
    for known in _registry.values():
        for word in [word for word, cls in known.items() if cls.__module__ == module]:
            del known[word]


def words(kind: Kind) -> dict[str, type[Spec]]:
    """The registered words of a kind and their specs, in the order of registration."""
    return dict(_registry.get(kind, {}))


def word_of(spec: Spec) -> str:
    """The word under which the class of `spec` is registered."""
    for kind in _registry.values():
        for word, cls in kind.items():
            if type(spec) is cls:
                return word
    return type(spec).__name__.lower()


def has_word(spec: Spec) -> bool:
    """Whether the class of `spec` is registered under a word."""
    return any(type(spec) is cls for kind in _registry.values() for cls in kind.values())


def body_of(cls: type[Spec], body: Data) -> Data:
    """A body that is not a map of fields goes to the positional field: `{exponential: 10ms}`, `{users: 5}`."""
    if cls.positional is None or body is None or isinstance(body, cls):
        return body if body is not None else {}
    if isinstance(body, dict) and (
        cls.model_fields[cls.positional].annotation in (float, int, str) or set(body) & field_names(cls) or not body
    ):
        return body
    return {cls.positional: body}


def field_names(cls: type[Spec]) -> set[str]:
    """The keys that a scenario may write for this spec."""
    return {field.alias or name for name, field in cls.model_fields.items()}
