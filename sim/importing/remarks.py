"""Values of a scenario as YAML, with the remarks beside them."""

from __future__ import annotations

from collections.abc import Sequence

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from sim.errors import printable
from sim.importing.draft import Said
from sim.spec.document import Data
from sim.vocabulary import TO_BE_SUPPLIED

_WIDE = 120  # characters of a line up to which a remark stands beside its value
_FEW = 5  # entries of a map that fits into a line


def add(body: CommentedMap, key: str, said: Said, indent: int, above: Sequence[str] = ()) -> None:
    """A value with its remark."""
    _remark(body, key, plain(said.value), words(said), indent, above)


def add_map(body: CommentedMap, key: str, value: CommentedMap, remark: str, indent: int, above: Sequence[str]) -> None:
    """A map of its own lines with a remark at its head."""
    _remark(body, key, value, one_line(remark), indent, above)


def _remark(body: CommentedMap, key: str, value: Data, remark: str, indent: int, above: Sequence[str]) -> None:
    body[key] = value
    short = isinstance(value, (CommentedMap, CommentedSeq)) and not value.fa.flow_style()
    width = indent + len(key) + (0 if short else len(str(value))) + len(remark)
    lines = list(map(one_line, above))
    if remark and width > _WIDE:
        lines.append(remark)
    elif remark:
        body.yaml_add_eol_comment(remark, key, column=0)
    if lines:
        body.yaml_set_comment_before_after_key(key, before="\n".join(lines), indent=indent)


def plain(value: Data) -> Data:
    """Maps as ruamel writes them: in one line where they are short, and lists of maps with a line for each."""
    if isinstance(value, (list, tuple)):
        items = CommentedSeq([plain(item) for item in value])
        if not any(isinstance(item, dict) for item in value):
            items.fa.set_flow_style()
        return items
    if not isinstance(value, dict):
        return value
    answer = CommentedMap({key: plain(item) for key, item in value.items()})
    if len(value) <= _FEW and not _is_tall(value):
        answer.fa.set_flow_style()
    return answer


def _is_tall(value: Data) -> bool:
    """Whether a list of maps is in it."""
    if isinstance(value, dict):
        return any(map(_is_tall, value.values()))
    return isinstance(value, (list, tuple)) and any(isinstance(item, dict) for item in value)


def words(said: Said) -> str:
    """The remark of a value, marked where it is a stand-in."""
    remark = f"{TO_BE_SUPPLIED}: {said.remark}" if said.to_be_supplied else said.remark
    return one_line(remark)


def one_line(text: str) -> str:
    """A text as a comment can hold it."""
    return " ".join(printable(text, one_line=True).split())
