"""Durations as the formats of others write them, in the language's words."""

from __future__ import annotations

import re

from sim.importing.parts import Part
from sim.units import LONGEST, duration

_PLAIN = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_GO = re.compile(r"(?:[0-9]{1,12}(?:\.[0-9]{1,9})?(?:ns|us|µs|ms|s|m|h))+")
_ISO = re.compile(r"P(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?")
_UNITS = {"ns": "ns", "us": "us", "µs": "us", "ms": "ms", "s": "s", "m": "m", "h": "h", "d": "h"}


def written(part: Part, unit: str = "") -> str:
    """`1.5s`, `100ms`, `1m30s` (Go, protobuf), `PT1.5S` (ISO 8601, Java), and plain numbers where a unit is given.

    Empty where nothing stands there, or where it is no such duration, which is told.
    """
    if not part:
        return ""
    text = part.text().strip().replace("µ", "u")
    if unit and _PLAIN.fullmatch(text):
        text = f"{text}{unit}"
    elif (found := _ISO.fullmatch(text.upper())) is not None and any(found.groups()):
        days, hours, minutes, seconds = (float(group or 0) for group in found.groups())
        text = f"{days * 86400 + hours * 3600 + minutes * 60 + seconds:.12g}s"
    elif text.endswith("d") and _PLAIN.fullmatch(text[:-1]):
        text = f"{float(text[:-1]) * 24:.12g}h"
    if _GO.fullmatch(text):
        try:
            if 0 <= duration(text) <= LONGEST:
                return text
        except ValueError:
            pass
    part.wrong("a duration such as 1.5s or 100ms")
    return ""
