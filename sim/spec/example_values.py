"""What an example says of one word alone: the value that stands there, out of the variant in which it is said."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from sim.errors import UsageError
from sim.spec.base import Spec
from sim.spec.document import Data
from sim.spec.examples import example_of, shop
from sim.spec.patching import merge_variant
from sim.spec.reading import read_yaml
from sim.spec.scenario import Scenario
from sim.spec.shape import Shape, chosen, shape_of
from sim.units import shown


@cache
def example_value(cls: type[Spec]) -> Data:
    """As a file would have it, with what the shop says there beside it; None where no example says the word.

    Of a step or a fault it is the whole map; of any other word what stands under it.
    """
    text = example_of(cls)
    if text is None:
        return None
    patch = read_yaml(text, f"the example of {cls.__name__}")
    if not isinstance(patch, dict):
        raise UsageError(
            f"the example of {cls.__name__}: found {shown(patch)}, expected what a variant of the shop says"
        )
    shape = shape_of(Scenario)
    places = _places(cls, patch, merge_variant(_shop(), patch, shape), shape)
    return next(places, None)


@cache
def _shop() -> dict[str, Data]:
    """The shop as its file has it, read once for all examples."""
    top = read_yaml(shop())
    assert isinstance(top, dict), "the shop is a map"
    return top


def as_text(value: Data) -> str:
    """An example as a file would have it: what holds nothing but plain values in one line."""
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width = None, 80
    yaml.sort_base_mapping_type_on_output = False
    out = StringIO()
    yaml.dump(_plain(value), out)
    return out.getvalue().removesuffix("...\n").rstrip()


def _plain(value: Data) -> Any:  # noqa: ANN401 - as it came
    """The same without the places at which it stands in its file."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _places(cls: type[Spec], said: Data, value: Data, shape: Shape) -> Iterator[Data]:
    """The values of this spec, outer before inner, at the places where the example says something."""
    shape = shape.single if isinstance(value, dict) else shape
    if shape.kind == "choice" and shape.choice is not None:
        word, of = chosen(shape.choice, value)
        if of is cls:
            yield value if shape.choice.flat or not isinstance(value, dict) else value[word]
    elif shape.kind == "fields" and shape.spec_here(value) is cls:
        yield value
    if isinstance(value, dict) and isinstance(said, dict):
        for key, item in value.items():
            if key in said:
                yield from _places(cls, said[key], item, shape.child(key, value))
    elif isinstance(value, list) and isinstance(said, list):
        for index, item in enumerate(value):
            yield from _places(cls, said[index] if index < len(said) else item, item, shape.child(index, value))
