"""Views: what the models know as an attribute stands in a row of this engine."""

from __future__ import annotations

from typing import Any


class _OfRow:
    """An attribute that the `row` of its view has under the same name."""

    name: str

    def __set_name__(self, _view: type, name: str) -> None:
        self.name = name

    def __get__(self, view: Any, _kind: type | None = None) -> Any:  # noqa: ANN401 - a view, whose row has it
        return self if view is None else getattr(view.row, self.name)

    def __set__(self, view: Any, value: object) -> None:  # noqa: ANN401 - likewise
        setattr(view.row, self.name, value)


def of_row() -> Any:  # noqa: ANN401 - of the type with which it is declared
    """An attribute of a view that is read from its `row`, and written there."""
    return _OfRow()
