"""JSON Schema (2020-12) of a scenario file, for editors: all registered words, those of loaded plug-ins included."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from sim.spec.base import Duration, Factor, Kind, Price, Rate, Ratio, Share, Size, Spec, words
from sim.spec.choice import INNER
from sim.spec.document import Data
from sim.spec.example_values import as_text, example_value
from sim.spec.loading import SAME_FOR_ALL
from sim.spec.scenario import Scenario
from sim.spec.sentences import sentences_of, unwrapped
from sim.spec.shape import specs_in
from sim.spec.uncertain import CERTAIN

_Json = dict[str, Any]
FLAT: tuple[Kind, ...] = ("step", "fault")  # the fields of a word stand beside it
TAGGED: tuple[Kind, ...] = ("broker",)  # a map of fields says in one of them which word it is
_DEFS = "#/$defs/"
_AMOUNTS = {
    "duration": Duration,
    "factor": Factor,
    "price": Price,
    "rate": Rate,
    "ratio": Ratio,
    "share": Share,
    "size": Size,
}
_RANGE: _Json = {
    "type": "object",
    "description": "A number that is known to lie between two: each replication has one of its own.",
    "properties": {"between": {"type": "array", "minItems": 2, "maxItems": 2}},
    "required": ["between"],
    "additionalProperties": False,
}


def json_schema() -> _Json:
    """The schema of the whole file, each amount and each definition once. Variants are patches: the same shape, nothing
    required, null removes. Any amount may be a range.
    """
    amounts = {name: _with_ranges(TypeAdapter(kind).json_schema()) for name, kind in _AMOUNTS.items()}
    schema: _Json = _with_references(whole_schema(), amounts)
    defs = schema["$defs"] | amounts
    used = _reached(schema["properties"], defs)
    return {**schema, "$defs": {name: defs[name] for name in sorted(used)}}


def whole_schema() -> _Json:
    """The same with every amount written out, and the definition of every word, which `json_schema` has inside of its
    kind: for whoever reads one part alone.
    """
    schema = schema_of_values(examples=True)
    defs, top = schema["$defs"], schema["properties"]
    fields = [*top.items(), *defs[f"{Scenario.__name__}.patch"]["properties"].items()]
    ranged = _reached([field for name, field in fields if name not in (*CERTAIN, "variants")], defs)
    certain = _reached([field for name, field in fields if name in CERTAIN], defs) - ranged
    properties = {name: field if name in CERTAIN else _with_ranges(field) for name, field in top.items()}
    defs = {name: its if name in certain else _with_ranges(its) for name, its in defs.items()}
    return {**schema, "properties": properties, "$defs": dict(sorted({**defs, "between": _RANGE}.items()))}


def schema_of_values(examples: bool) -> _Json:
    """The schema of a file in which no amount is a range: what the reference is written from, which has no use for the
    examples. To read these takes most of the time of a schema.
    """
    classes = _classes()
    values = {cls: example_value(cls) for cls in classes} if examples else {}
    references, generated = models_json_schema([(cls, "validation") for cls in classes], ref_template="#/$defs/{model}")
    names = {cls: references[(cls, "validation")]["$ref"].removeprefix("#/$defs/") for cls in classes}
    raw = {name: _without_defaults(schema) for name, schema in generated["$defs"].items()}
    flat = {cls for kind in FLAT for cls in words(kind).values()}
    for cls in classes:
        _describe(cls, raw[names[cls]])
    kinds: dict[str, _Json] = {
        kind: _choice(kind, names, raw, values) for kind in get_args(Kind) if words(kind) and kind not in TAGGED
    }
    kinds |= {f"{kind}.inner": _inner(kinds[kind], unsaid) for kind, unsaid in INNER.items()}
    raw = {name: _with_tags(schema, names) for name, schema in raw.items()}
    plain = {name: schema for name, schema in raw.items() if name not in names.values()}
    whole = {names[cls]: _with_shorthand(cls, raw[names[cls]], raw[names[cls]]) for cls in classes}
    for cls in classes:
        if cls not in flat and isinstance(values.get(cls), (dict, list)):  # a plain value its unit tells as well
            whole[names[cls]]["examples"] = [values[cls]]
    definitions = kinds | plain | whole
    definitions = {name: _expanded(schema, kinds) for name, schema in definitions.items()}
    return _file(definitions, names[Scenario], set(kinds))


def _with_ranges(schema: Data) -> Data:
    """The same with `{between: [LOW, HIGH]}` beside every number and every amount with a unit."""
    if isinstance(schema, list):
        return [_with_ranges(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    forms = schema.get("anyOf")
    if isinstance(forms, list) and any(map(_is_amount, forms)):
        beside = [form if _is_amount(form) else _with_ranges(form) for form in forms]
        return {**schema, "anyOf": [*beside, {"$ref": "#/$defs/between"}]}
    if _is_amount(schema):
        about = {key: schema[key] for key in ("description", "default") if key in schema}
        plain = {key: value for key, value in schema.items() if key not in about}
        return {**about, "anyOf": [plain, {"$ref": "#/$defs/between"}]}
    plain = {"properties": _in_each, "examples": lambda examples: examples}
    return {key: plain.get(key, _with_ranges)(value) for key, value in schema.items()}


def _in_each(properties: _Json) -> _Json:
    """A field may itself be called `anyOf` or `type`."""
    return {name: _with_ranges(field) for name, field in properties.items()}


def _is_amount(form: Data) -> bool:
    """A number, or text that begins with one."""
    if not isinstance(form, dict):
        return False
    return form.get("type") in ("integer", "number") or str(form.get("pattern", "")).startswith(r"^\s*")


def _with_references(schema: Data, amounts: dict[str, _Json]) -> Any:  # noqa: ANN401 - as it came
    """The same with a reference in the place of every amount that is written out; what its field says of it stays."""
    if isinstance(schema, list):
        return [_with_references(item, amounts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    for name, amount in amounts.items():
        if schema.get("anyOf") == amount["anyOf"]:
            about = {key: value for key, value in schema.items() if value != amount.get(key)}
            return {"$ref": f"{_DEFS}{name}", **about}
    return {key: _with_references(value, amounts) for key, value in schema.items()}


def _reached(schema: Data, definitions: dict[str, _Json]) -> set[str]:
    """The names of the definitions that it refers to, and that these refer to."""
    found: set[str] = set()
    waiting: list[Data] = [schema]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            name = str(here.get("$ref", "")).removeprefix(_DEFS)
            if name in definitions and name not in found:
                found.add(name)
                waiting.append(definitions[name])
        if isinstance(here, (dict, list)):
            waiting += here.values() if isinstance(here, dict) else here
    return found


def _file(definitions: dict[str, _Json], scenario: str, kinds: set[str]) -> _Json:
    """The scenario with `variants` beside its own fields, and all definitions."""
    patches = _patches(definitions, scenario, kinds)
    variant = patches[f"{scenario}.patch"]
    variant["properties"] = {key: value for key, value in variant["properties"].items() if key not in SAME_FOR_ALL}
    root = definitions.pop(scenario)
    variants = {
        "type": "object",
        "description": "Patches on the scenario above, by name; the first is the baseline.",
        "additionalProperties": _or_null({"$ref": f"#/$defs/{scenario}.patch"}),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "title": "sim scenario",
        "properties": {**root["properties"], "variants": _or_null(variants)},
        "$defs": dict(sorted((definitions | patches).items())),
    }


def _classes() -> list[type[Spec]]:
    """The scenario, every registered word, and every spec that they are made of."""
    found: dict[type[Spec], None] = {}
    waiting: list[type[Spec]] = [Scenario, *(cls for kind in get_args(Kind) for cls in words(kind).values())]
    while waiting:
        cls = waiting.pop()
        if cls not in found:
            found[cls] = None
            waiting += specs_in(cls)
    return list(found)


def _describe(cls: type[Spec], schema: _Json) -> None:
    """The class says what it is; each field what it means, and what may be written there, where its type tells."""
    if "description" in schema:
        schema["description"] = unwrapped(schema["description"])
    for name, sentence in sentences_of(cls).items():
        field = schema["properties"][cls.model_fields[name].alias or name]
        unit = unit_in(field)
        field["description"] = f"{sentence} Written as {unit}." if unit else sentence


def unit_in(field: _Json) -> str:
    """What a field's type says of how it is written: `a duration, such as 250ms`; nothing where it is no amount."""
    described = (part.get("description", "") for part in (field, *field.get("anyOf", ())))
    return next((text for text in described if text), "")


def _choice(kind: Kind, names: dict[type[Spec], str], raw: dict[str, _Json], values: dict[type[Spec], Data]) -> _Json:
    """One of the registered words of a kind."""
    forms = [
        form
        for word, cls in words(kind).items()
        for form in _forms(kind, word, cls, raw[names[cls]], names[cls], values.get(cls))
    ]
    if kind == "distribution":
        forms.insert(0, TypeAdapter(Duration).json_schema())
    return {"description": f"A {kind}: one of {', '.join(words(kind))}.", "anyOf": forms}


def _inner(choice: _Json, unsaid: tuple[str, ...]) -> _Json:
    """The choice without those fields, and without the words that are among them."""
    forms = []
    for form in choice["anyOf"]:
        if "properties" in form and form["required"][0] not in unsaid:
            fields = {name: field for name, field in form["properties"].items() if name not in unsaid}
            required = [name for name in form["required"] if name in fields]
            forms.append({**form, "properties": fields, "required": required})
    return {**choice, "anyOf": forms}


def _forms(kind: Kind, word: str, cls: type[Spec], body: _Json, name: str, example: Data) -> Iterator[_Json]:
    """The ways in which one word may be written."""
    if not body.get("required"):
        about = {"description": body["description"]} if body.get("description") else {}
        yield {"const": word, **about, **(_hover(example, body) if kind in FLAT else {})}
    if kind not in FLAT:
        yield _map({word: {"$ref": f"#/$defs/{name}"}}, [word], body)
        return
    properties, required = dict(body.get("properties", {})), list(body.get("required", []))
    if cls.positional is None:
        inner = {"type": ["object", "null"], "properties": properties, "additionalProperties": False}
        yield _map({**properties, word: {**inner, **_hover(example, body)}}, [word], body)
        return
    key = cls.model_fields[cls.positional].alias or cls.positional
    positional = properties.pop(key)
    under = {**(cls.shorthand or positional), **_hover(example, body, str(positional.get("description", "")))}
    yield _map({word: under, **properties}, [word, *(field for field in required if field != key)], body)
    if kind == "fault":
        named = {**properties, key: positional, "of": properties.get("of", positional)}
        inner = {"type": ["object", "null"], "properties": named, "additionalProperties": False}
        yield _map({**named, word: {**inner, **_hover(example, body)}}, [word], body)


def _hover(example: Data, body: _Json, sentence: str = "") -> _Json:
    """What yaml-language-server shows over the word of a step or a fault, for what stands under it says little of it:
    what it is, what stands there, and an example.
    """
    said = [str(body.get("description", "")), sentence]
    if example is not None:
        said.append(f"```yaml\n- {indent(as_text(example), '  ').strip()}\n```")
    text = "\n\n".join(part for part in said if part)
    return {"markdownDescription": text} if text else {}


def _map(properties: _Json, required: list[str], body: _Json) -> _Json:
    return {
        "type": "object",
        "description": body.get("description", ""),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _with_shorthand(cls: type[Spec], schema: _Json, body: _Json) -> _Json:
    """The map of fields, or what may be written in its place: `budget: 20%`, `uniform: [1ms, 2ms]`."""
    if cls.shorthand is None and cls.positional is None:
        return schema
    key = cls.model_fields[cls.positional].alias or cls.positional if cls.positional is not None else ""
    short = cls.shorthand or body["properties"][key]
    return {"description": body.get("description", ""), "anyOf": [short, schema]}


def _without_defaults(schema: Data) -> Data:
    """Defaults that are no plain words or numbers of the language (whole specs, -1 for unlimited) would mislead."""
    if isinstance(schema, list):
        return [_without_defaults(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    drop = "default" in schema and (
        isinstance(schema["default"], (dict, list, float)) or schema["default"] in (None, -1)
    )
    kept = {key: value for key, value in schema.items() if not (drop and key == "default")}
    return {key: _of_each(value) if key == "properties" else _without_defaults(value) for key, value in kept.items()}


def _of_each(properties: _Json) -> _Json:
    """A field may itself be called `default`."""
    return {key: _without_defaults(value) for key, value in properties.items()}


def _with_tags(schema: Data, names: dict[type[Spec], str]) -> Data:
    """`{"$tagged": kind}` made one of the specs of that kind."""
    if isinstance(schema, list):
        return [_with_tags(item, names) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$tagged" not in schema:
        return {key: _with_tags(value, names) for key, value in schema.items()}
    forms = [{"$ref": f"#/$defs/{names[cls]}"} for cls in words(schema["$tagged"]).values()]
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _expanded(schema: Data, kinds: dict[str, _Json]) -> Data:
    """`{"$choice": kind}` made a reference, or with `"$beside"` the forms themselves with those fields in each map."""
    if isinstance(schema, list):
        return [_expanded(item, kinds) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$choice" not in schema:
        return {key: _expanded(value, kinds) for key, value in schema.items()}
    kind, beside = schema["$choice"], schema.get("$beside")
    if beside is None:
        about = {key: schema[key] for key in ("description", "markdownDescription") if key in schema}
        return {"$ref": f"#/$defs/{kind}", **about}
    maps = [form for form in kinds[kind]["anyOf"] if "properties" in form]
    return {
        "anyOf": [
            {"$ref": f"#/$defs/{kind}"},
            *(_expanded({**form, "properties": {**form["properties"], **beside}}, kinds) for form in maps),
        ]
    }


def _patches(definitions: dict[str, _Json], start: str, kinds: set[str]) -> dict[str, _Json]:
    """`NAME.patch` for `start` and everything it is made of, down to the choices and lists, which are
    replaced whole.
    """
    patches: dict[str, _Json] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if f"{name}.patch" not in patches:
            patches[f"{name}.patch"] = _patch(definitions[name], kinds, waiting)
    return patches


def _patch(schema: _Json, kinds: set[str], waiting: list[str]) -> _Json:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        if name in kinds:
            return schema
        waiting.append(name)
        return {**schema, "$ref": f"#/$defs/{name}.patch"}
    patched = {key: value for key, value in schema.items() if key not in ("required", "default", "minProperties")}
    if "anyOf" in schema:
        patched["anyOf"] = [_patch(member, kinds, waiting) for member in schema["anyOf"]]
    if "properties" in schema:
        patched["properties"] = {
            key: _or_null(_patch(value, kinds, waiting)) for key, value in schema["properties"].items()
        }
    if isinstance(schema.get("additionalProperties"), dict):
        patched["additionalProperties"] = _or_null(_patch(schema["additionalProperties"], kinds, waiting))
    return patched


def _or_null(schema: _Json) -> _Json:
    return {"anyOf": [schema, {"type": "null"}]}
