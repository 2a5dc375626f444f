"""Variants are JSON Merge Patches (RFC 7396) with two departures, and the way back from a merged scenario to a patch.

A map merges key by key, null removes a key, a list is replaced whole. The departures: a *choice* (a distribution,
arrivals, a back-off, an authentication: a map whose key names a kind) is replaced whole, and `expect` of a variant adds
to that of the top.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.errors import did_you_mean
from sim.spec.base import body_of
from sim.spec.document import Data, Location, Map, Seq, as_map, as_seq
from sim.spec.shape import Shape


def merge(target: Data, patch: Data, shape: Shape) -> Data:
    """`target` after `patch`; neither is changed. `shape` tells what stands here."""
    if not isinstance(patch, dict) or shape.kind == "choice":
        return patch
    merged = as_map(_written_out(target, shape))
    written = as_map(patch)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
            continue
        below = merge(merged.get(key), value, shape.child(key, merged))
        merged.put(key, below, written.keys_at.get(key), written.values_at.get(key))
    return merged


def merge_variant(top: dict[str, Data], patch: dict[str, Data], shape: Shape) -> Map:
    """The scenario of one variant: `patch` on the whole document, its expectations after those of the top."""
    merged = as_map(merge(top, patch, shape))
    if isinstance(top.get("expect"), list) and isinstance(patch.get("expect"), list):
        before, after = as_seq(top["expect"]), as_seq(patch["expect"])
        merged["expect"] = Seq([*before, *after], [*before.items_at, *after.items_at])
    return merged


def vain_removals(target: Data, patch: Data, shape: Shape, at: Location = ()) -> Iterator[tuple[Location, str]]:
    """Where `patch` removes what is not there and could not be, and what to say: a slip, after which nothing would
    differ.

    A field that the language knows may be removed although `target` does not write it.
    """
    if not isinstance(patch, dict) or shape.kind not in ("fields", "names"):
        return
    here = _written_out(target, shape)
    for key, value in patch.items():
        if value is not None:
            yield from vain_removals(here.get(key), value, shape.child(key, here), (*at, key))
        elif shape.kind == "fields" and key not in shape.words(here):
            yield (*at, key), f"unknown field '{key}'{did_you_mean(key, shape.words(here))}"
        elif shape.kind == "names" and key not in here:
            yield (*at, key), f"removes '{key}', which is not there{did_you_mean(key, here)}"


def difference(old: Data, new: Data, shape: Shape) -> dict[str, Data]:
    """The patch that `merge` needs to turn the map `old` into the map `new`."""
    patch: dict[str, Data] = {key: None for key in old if key not in new}
    for key, value in new.items():
        below = shape.child(key, new)
        if key in old and _same(old[key], value):
            continue
        if below.kind != "choice" and isinstance(value, dict) and isinstance(old.get(key), dict):
            patch[key] = difference(old[key], value, below)
        else:
            patch[key] = value
    return patch


def difference_of_variant(top: dict[str, Data], merged: dict[str, Data], shape: Shape) -> dict[str, Data]:
    """The patch that `merge_variant` needs: only the expectations that the top does not have."""
    patch = difference(top, merged, shape)
    if isinstance(top.get("expect"), list) and isinstance(patch.get("expect"), list):
        patch["expect"] = patch["expect"][len(top["expect"]) :]
    return patch


def _written_out(target: Data, shape: Shape) -> dict[str, Data]:
    """A shorthand (`budget: 20%`) as the map it stands for, so that a patch of another field keeps it."""
    if isinstance(target, dict):
        return target
    if target is not None and shape.kind == "fields" and shape.spec is not None:
        body = body_of(shape.spec, target)
        return body if isinstance(body, dict) else {}
    return {}


def _same(one: Data, other: Data) -> bool:
    """Equality that tells 1 from true and from 1.0, as a document does."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)
