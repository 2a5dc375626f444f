"""Writes the builder (`python sim/builder/write.py`): a function for each word of the language and each part of a
scenario, with the fields, the sentences and the types of its declaration.
"""

from __future__ import annotations

import keyword
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from inspect import getdoc
from pathlib import Path
from typing import Any, get_args

from sim.spec.base import Kind, Spec, words
from sim.spec.reference import TITLES
from sim.spec.scenario import Scenario
from sim.spec.schema import TAGGED, whole_schema
from sim.spec.sentences import sentences_of, unwrapped
from sim.spec.shape import specs_in

FOLDER = Path(__file__).parent
WRITTEN = "written"
"""Where all of it stands but the door: as in `sim/compiled/written`, nobody has to read or mend what is in it."""
HEAD = '''"""{title}

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

{imports}
'''
INIT = '''"""Scenarios in Python, with the words of the language and the completion of an editor.

    import sim
    from sim.builder import arrivals, distribution, scenario, service, step, traffic

    study = scenario(
        duration="5m",
        traffic={{"shoppers": traffic(sends="shop.buy", arrivals=arrivals.poisson("40/s"))}},
        services={{"shop": service(workers=4, endpoints={{"buy": [step.work(distribution.exponential("60ms"))]}})}},
    )
    sim.compare(study)

Every function gives the map that a file would hold, so maps written by hand may stand in their places; `scenario` reads
the whole as `sim.load` reads a file, and tells the same errors.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from sim.builder.saying import Part
from sim.builder.written import {modules}
{parts}

__all__ = [{names}]
'''
PACKAGE = '''"""{title}

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""
'''
_JSON_TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def files() -> dict[str, str]:
    """Path below this folder -> text of every file that is written: a module for each kind of word, one for the parts
    of each file of declarations, and the door.
    """
    schema = whole_schema()
    definitions: dict[str, Any] = schema["$defs"] | {"Scenario": schema}
    kinds = {f"{WRITTEN}/{kind}.py": _kind(kind, definitions) for kind in get_args(Kind)}
    parts = {file: sorted(found, key=_name) for file, found in sorted(_parts_by_file().items())}
    modules = {f"{WRITTEN}/parts/{file}.py": _parts_of(file, found, definitions) for file, found in parts.items()}
    packages = {
        f"{WRITTEN}/__init__.py": PACKAGE.format(
            title="A module for each kind of word, and one for each kind of part."
        ),
        f"{WRITTEN}/parts/__init__.py": PACKAGE.format(
            title="The parts of a scenario, by the file that declares them."
        ),
    }
    return {**kinds, **modules, **packages, "__init__.py": _door(parts)}


def _door(parts: Mapping[str, Sequence[type[Spec]]]) -> str:
    """What `sim.builder` offers."""
    names = {file: [_name(cls) for cls in found] for file, found in parts.items()}
    offered = sorted(["Part", *get_args(Kind), *(name for found in names.values() for name in found)])
    return INIT.format(
        modules=", ".join(sorted(get_args(Kind))),
        parts="\n".join(
            f"from sim.builder.written.parts.{file} import {', '.join(found)}" for file, found in names.items()
        ),
        names=", ".join(f'"{name}"' for name in offered),
    )


def _kind(kind: Kind, definitions: dict[str, Any]) -> str:
    functions = [_word(kind, word, cls, definitions) for word, cls in sorted(_words(kind).items())]
    title = f"{TITLES[kind]} in Python: a function for each word, which gives what a file would hold."
    return _module(title, f"from sim.builder.saying import Part, {_maker(kind)}\n", functions)


def _parts_of(file: str, found: Sequence[type[Spec]], definitions: dict[str, Any]) -> str:
    imports = "from sim.builder.saying import Part, part\n"
    if Scenario in found:
        imports += "from sim.experiments.shipped import load\nfrom sim.spec.study import Study\n"
    title = f"Parts of a scenario in Python, as `sim/spec/{file}.py` declares them."
    return _module(title, imports, [_part(cls, definitions) for cls in found])


def _parts_by_file() -> dict[str, list[type[Spec]]]:
    found: dict[str, list[type[Spec]]] = {}
    for cls in _parts():
        found.setdefault(cls.__module__.rpartition(".")[2], []).append(cls)
    return found


def _words(kind: Kind) -> dict[str, type[Spec]]:
    """The words of one kind, without those of plug-ins that happen to be loaded."""
    return {word: cls for word, cls in words(kind).items() if cls.__module__.startswith("sim.")}


def _module(title: str, imports: str, functions: list[str]) -> str:
    """A file, with the imports that it needs."""
    body = "\n\n".join(functions)
    used = {
        "collections.abc": [name for name in ("Mapping", "Sequence") if f"{name}[" in body],
        "typing": [name for name in ("Any", "Literal") if re.search(rf"\b{name}\b", body)],
    }
    lines = [f"from {module} import {', '.join(names)}\n" for module, names in used.items() if names]
    return HEAD.format(title=title, imports="".join(lines) + ("\n" if lines else "") + imports) + body


def _maker(kind: Kind) -> str:
    return "worded" if kind in ("step", "fault") else "part" if kind in TAGGED else "named"


def _parts() -> Iterator[type[Spec]]:
    """Everything that a scenario is made of, but for words and what words are made of alone."""
    registered = {cls for kind in get_args(Kind) for cls in _words(kind).values()}
    bases = {base for cls in registered for base in cls.__mro__ if issubclass(base, Spec)}
    waiting: list[type[Spec]] = [Scenario, *registered]
    seen = set[type[Spec]]()
    while waiting:
        cls = waiting.pop()
        if cls not in seen:
            seen.add(cls)
            waiting += specs_in(cls)
            if cls not in bases and cls.model_fields:
                yield cls


def _word(kind: Kind, word: str, cls: type[Spec], definitions: dict[str, Any]) -> str:
    name = f"{word}_" if keyword.iskeyword(word) else word
    positional = cls.positional or ""
    main = (cls.model_fields[positional].alias or positional) if positional else ""
    if kind in TAGGED:
        body = f'return part({{"kind": "{word}", **locals()}})'
    elif kind in ("step", "fault"):
        body = f'return worded("{word}", "{main}", locals())'
    else:
        body = f'return named("{word}", locals())'
    return _function(name, cls, definitions, main, body, "Part")


def _part(cls: type[Spec], definitions: dict[str, Any]) -> str:
    if cls is Scenario:
        return _function(_name(cls), cls, definitions, "", "return load(part(locals()))", "Study", _VARIANTS)
    return _function(_name(cls), cls, definitions, "", "return part(locals())", "Part")


_VARIANTS = (
    "variants",
    "Mapping[str, Mapping[str, Any]] | None = None",
    "Patches on all that, by name; the first is the baseline.",
)


def _function(
    name: str,
    cls: type[Spec],
    definitions: dict[str, Any],
    main: str,
    body: str,
    answer: str,
    *more: tuple[str, str, str],
) -> str:
    sentences = sentences_of(cls)
    arguments: list[tuple[bool, str, str, str]] = []
    properties = _properties(definitions.get(cls.__name__, {}))
    for field, its in cls.model_fields.items():
        key = its.alias or field
        if key in ("kind",) and "kind" in body:
            continue
        python = f"{key}_" if keyword.iskeyword(key) else key
        form = _type(properties.get(key, {}))
        required = its.is_required()
        said = " = 1" if key == "version" else "" if required else " = None"
        optional = "" if required or "None" in form.split(" | ") or form == "Any" else " | None"
        arguments.append((key == main, f"{python}: {form}{optional}{said}", python, sentences.get(field, "")))
    first = [text for is_main, text, *_ in arguments if is_main]
    others = [text for is_main, text, *_ in arguments if not is_main] + [f"{key}: {form}" for key, form, _ in more]
    signature = ", ".join([*first, *(["*"] if others else []), *others])
    told = [(key, sentence) for _, _, key, sentence in arguments if sentence] + [(key, text) for key, _, text in more]
    return f"def {name}({signature}) -> {answer}:\n{_docstring(cls, told)}\n    {body}\n"


def _docstring(cls: type[Spec], told: list[tuple[str, str]]) -> str:
    about = unwrapped(getdoc(cls) or cls.__name__).split("\n\n")[0].replace("\n", " ")
    lines = textwrap.wrap(about, 110, break_on_hyphens=False)
    if told:
        lines.append("")
    for key, sentence in told:
        lines += textwrap.wrap(f"{key}: {sentence}", 112, break_on_hyphens=False, subsequent_indent="    ")
    text = "\n".join(f"    {line}".rstrip() for line in lines).lstrip().replace("\\", "\\\\")
    return f'    """{text}\n    """' if len(lines) > 1 else f'    """{text}"""'


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    maps = [schema, *schema.get("anyOf", ())]
    return next((dict(form["properties"]) for form in maps if "properties" in form), {})


def _type(schema: dict[str, Any]) -> str:
    """The type of what may be written there, as an editor checks it."""
    return " | ".join(dict.fromkeys(sorted(set(_types(schema)), key=lambda name: (name == "None", name))))


def _types(schema: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        yield from ("str", "Mapping[str, Any]")
        name = schema["$ref"].rpartition("/")[2]
        if name in ("Endpoint", "Branch", "Backoff", "Popularity", "Budget", "Lag", "RateLimit", "HowMany", "Visit"):
            yield "Sequence[Any]"
        if name in ("HowMany", "Budget"):
            yield "float"
    elif "anyOf" in schema:
        for form in schema["anyOf"]:
            yield from _types(form)
    elif "const" in schema or "enum" in schema:
        choices = schema.get("enum", [schema.get("const")])
        yield f"Literal[{', '.join(repr(choice) for choice in choices)}]".replace("'", '"')
    elif schema.get("type") == "array":
        yield f"Sequence[{_type(schema['items'])}]" if isinstance(schema.get("items"), dict) else "Sequence[Any]"
    elif schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        yield f"Mapping[str, {_type(inner)}]" if isinstance(inner, dict) else "Mapping[str, Any]"
    elif isinstance(schema.get("type"), str):
        yield _JSON_TYPES[schema["type"]]
    else:
        yield "Any"


def _name(cls: type[Spec]) -> str:
    """What the function of a part is called: `CallPolicy` -> `call_policy`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()


def main() -> None:
    """Write them, formatted as all our files are."""
    written = files()
    shutil.rmtree(FOLDER / WRITTEN, ignore_errors=True)  # so that none is left of a file of declarations that is gone
    for name, text in written.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(FOLDER)], check=True)
    sys.stdout.write(f"wrote {len(written)} files\n")


if __name__ == "__main__":
    main()
