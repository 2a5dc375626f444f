"""Which service of a draft a name from another file means."""

from __future__ import annotations

import re

from sim.importing.draft import Draft, Service


def matching(draft: Draft, name: str) -> Service | None:
    """The service of other files that goes by this name: as it is written, or but for dashes, upper case and the
    word service.
    """
    for written in dict.fromkeys((name, name.replace("_", "-"), name.partition(".")[0])):
        service = draft.find(written)
        if service is not None:
            return service
    alike = [service for service in draft.services.values() if _plain(service.key[1]) == _plain(name)]
    return alike[0] if len(alike) == 1 else None


def _plain(name: str) -> str:
    word = re.sub(r"[^a-z0-9]", "", name.lower())
    return word.removesuffix("service") or word
