"""Names of the scenario: those of the files, changed only where the language has another use for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from itertools import count

from sim.errors import unprintable_in
from sim.importing.draft import Draft
from sim.spec.reading import LONGEST_NAME
from sim.spec.references import RESERVED

BROKER = "kafka"  # the one broker that a scenario from files has


def name_services(draft: Draft) -> None:
    """Give every service its name; one that had to be changed says so."""
    counts = Counter(key[1] for key in draft.services)
    taken: set[str] = {BROKER} if draft.topics else set()
    for key, service in draft.services.items():
        written = f"{key[0]}-{key[1]}" if counts[key[1]] > 1 and key[0] else key[1]
        service.name = legal(written.replace(".", "-"), taken)
        taken.add(service.name)
        if service.name != key[1]:
            service.remarks.append(
                f"called {shortened(key[1])} in the file, which is no name for a service here, or another's"
            )


def legal(written: str, taken: Container[str]) -> str:
    """A name that the language can have: printable, not too long, not that of the gateway or of clients, and nobody
    else's.
    """
    word = shortened(written).lstrip("?").strip() or "unnamed"  # `?` would be a mark of YAML
    if word in RESERVED:
        word = f"{word}-service"
    return word if word not in taken else next(name for number in count(2) if (name := f"{word}-{number}") not in taken)


def shortened(written: str) -> str:
    """The text in one line, somewhat shorter than names may be."""
    text = written[: LONGEST_NAME - 60]
    return "".join(letter if unprintable_in(letter) is None else "-" for letter in text)
