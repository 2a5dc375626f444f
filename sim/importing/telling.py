"""What is said of an import: what was read as what, what was taken, what was left out and why, and what has to be
supplied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sim.importing.draft import Draft, unpublished, where
from sim.importing.parts import Note
from sim.spec.document import Place

_CALLEES = 8  # that are named
_REASONS = 60  # that are told
_NAMED = 3  # of things that were left out for one reason


@dataclass(frozen=True)
class Told:
    """All of it, for people (`str`) and for programs (`as_json`)."""

    taken: dict[str, dict[str, int]]  # file -> what -> how many
    kinds: dict[str, list[str]]
    services: int
    left_out: tuple[Note, ...]
    to_be_supplied: tuple[tuple[int, str, str], ...]  # line of the scenario, what stands there, what it is
    entries: tuple[str, ...]
    unreached: tuple[str, ...]
    topics: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"{file}: {', '.join(kinds)}: {_counted(self.taken.get(file, {}))}" for file, kinds in self.kinds.items()
        ]
        lines += self.entries
        if self.left_out:
            lines += [f"left out ({len(self.left_out)}):", *(f"  {line}" for line in grouped(self.left_out))]
        meanings: dict[str, list[int]] = {}
        for line, _, what in self.to_be_supplied:
            meanings.setdefault(what.split(";")[0], []).append(line)
        lines.append(f"to be supplied ({len(self.to_be_supplied)}):")
        lines += [f"  {what}: line {_some(numbers)}" for what, numbers in meanings.items()]
        lines += [f"  {line}" for line in calls_to_supply(self.unreached, self.topics)]
        return "\n".join(lines)

    @property
    def sentence(self) -> str:
        """How much of it there is."""
        return (
            f"{self.services} services taken from {len(self.kinds)} files, {len(self.left_out)} settings left out, "
            f"{len(self.to_be_supplied)} values to be supplied."
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "files": [
                {"file": file, "kinds": kinds, "taken": self.taken.get(file, {})} for file, kinds in self.kinds.items()
            ],
            "services": self.services,
            "entries": list(self.entries),
            "unreached": list(self.unreached),
            "unpublished": list(self.topics),
            "left_out": [
                {"file": note.file, "line": note.line, "what": note.what, "why": note.why} for note in self.left_out
            ],
            "to_be_supplied": [
                {"line": line, "value": value, "what": what} for line, value, what in self.to_be_supplied
            ],
        }


def told(draft: Draft, stand_ins: Sequence[tuple[int, str, str]]) -> Told:
    """What is said of this draft, whose text has these stand-ins."""
    taken = {file: dict(counts) for file, counts in draft.taken.items()}
    return Told(
        taken,
        draft.kinds,
        len(draft.services),
        tuple(draft.notes.left_out),
        tuple(stand_ins),
        tuple(_entries(draft)),
        tuple(draft.unreached),
        tuple(unpublished(draft)),
    )


def calls_to_supply(unreached: Sequence[str], topics: Sequence[str]) -> Iterator[str]:
    """What is said of services that no known call leads to, and of topics."""
    if unreached:
        more = f" and {len(unreached) - _CALLEES} more" if len(unreached) > _CALLEES else ""
        yield f"who calls {', '.join(unreached[:_CALLEES])}{more}: the files do not say"
    if topics:
        more = f" and {len(topics) - _CALLEES} more" if len(topics) > _CALLEES else ""
        yield f"who publishes to {', '.join(topics[:_CALLEES])}{more}: the files do not say"


def grouped(notes: Sequence[Note]) -> Iterator[str]:
    """Notes in a line for each reason."""
    reasons: dict[str, list[Note]] = {}
    for note in notes:
        reasons.setdefault(note.why, []).append(note)
    for why, its in list(reasons.items())[:_REASONS]:
        names = list(dict.fromkeys(note.what for note in its))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        times = f", {len(its)} times" if len(names) == 1 and len(its) > 1 else ""
        first = where(Place(its[0].file, its[0].line))
        yield f"{first}: {', '.join(names[:_NAMED])}{more}{times}: {why}"
    if len(reasons) > _REASONS:
        yield f"and more, for {len(reasons) - _REASONS} other reasons; --json has all"


def _entries(draft: Draft) -> Iterator[str]:
    if draft.gateway is not None:
        yield f"requests come in by {draft.gateway.what}: {_counted({'route': len(draft.gateway.routes)})}"
    for entry in draft.entries[:5]:
        yield f"requests come in at {draft.services[entry.key].name}: {entry.why}"
    if len(draft.entries) > 5:
        yield f"and at {len(draft.entries) - 5} more"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}{'s' if number != 1 else ''}" for what, number in counts.items()) or "nothing"


def _some(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:4])) + (f" and {len(numbers) - 4} more" if len(numbers) > 4 else "")
