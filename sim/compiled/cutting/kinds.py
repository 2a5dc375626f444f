"""The rows as flows see them: a reference is the row that it leads to. Written from their declarations, for mypy."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from sim.compiled.rows.declaring import Field, Row
from sim.compiled.rows.plugins import PluginFrame, PluginStep
from sim.compiled.rows.state import State
from sim.compiled.rows.tables import Account, Count

HEAD = '''"""The rows as flows see them, for mypy: written by `python sim/compiled/cutting/write.py`, do not edit.

A row is its place in a table, so that functions of the engine can be handed it; a reference is the row it leads to.
"""

from __future__ import annotations

'''
NUMBERS = {"int": "int", "float": "float", "bool": "bool", "Key": "int", "Ring": "Ring"}


def kinds() -> str:
    """The source of the module."""
    ours = [row for row in Row.row_kinds.values() if not issubclass(row, PluginStep | PluginFrame)]  # and no plug-in's
    rows = [row for row in ours if row not in (State, Account, Count) and row.fields]
    asked = {field.about for row in rows for field in row.fields.values()}
    policies = {row.__name__: home for row in rows if (home := _home_of_policy(row.__name__))}
    homes: dict[str, list[str]] = {"sim.policies.base": ["Ring"]}
    for name, home in policies.items():
        if name in asked:
            homes.setdefault(home, []).append(name)
    imports = [f"from {home} import {', '.join(sorted(names))}" for home, names in homes.items()]
    own = [row for row in rows if row.__name__ not in policies]
    return HEAD + "\n".join(sorted(imports)) + "\n" + "".join(f"\n\n{_class(row)}\n" for row in own)


def _class(row: type[Row]) -> str:
    text = (inspect.getdoc(row) or "").splitlines() or [f"A row of {row.__name__}."]
    if row.__doc__ == Row.__doc__ or not row.__doc__:
        text = [f"A row of {row.__name__}."]
    return "\n".join([f"class {row.__name__}(int):", f'    """{text[0]}"""', "", *_fields(row)])


def _fields(row: type[Row]) -> Iterator[str]:
    for name, field in row.fields.items():
        yield f"    {name}: {_type(field)}"


def _type(field: Field) -> str:
    if field.about is not None:
        return field.about if field.kind == "Reference" else f"{field.about} | None"
    return NUMBERS.get(field.kind, field.kind)


def _home_of_policy(name: str) -> str:
    """The module of policies that a row comes from; empty where it does not."""
    for module, content in sorted(sys.modules.items()):
        if module.startswith("sim.policies.") and getattr(vars(content).get(name), "__module__", "") == module:
            return module
    return ""
