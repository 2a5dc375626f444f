"""Parts of a scenario in Python, as `sim/spec/credentials.py` declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, part


def client_credentials(
    *,
    from_: str,
    policy: Mapping[str, Any] | str | None = None,
    lives: Literal[0] | Mapping[str, Any] | str | None = None,
    refresh_before: Literal[0] | Mapping[str, Any] | str | None = None,
    if_refresh_fails: Literal["use_old", "fail"] | None = None,
    coalesce: bool | None = None,
    client: str | None = None,
) -> Part:
    """A token of an identity provider that a caller must have before it calls (`client_credentials`, RFC 6749
    section 4.4). Each replica of the caller keeps one in its memory: the first call asks for it, those after it
    use it.

    from_: The endpoint of the identity provider that gives tokens, as `service.endpoint`.
    policy: How that request is guarded; without one it waits for as long as it takes.
    lives: How long a token is good from when it has come: `expires_in`, an hour in the example of RFC 6749 section
        4.4.3.
    refresh_before: How long before its end the next call asks for another: Spring Security's clockSkew, 60 s (Go's
        oauth2 10 s). No less than `lives`: every call asks.
    if_refresh_fails: What a call does whose request for another token has failed before the old one is over:
        `use_old`, and the next call asks again (MSAL, Azure Identity), or `fail` (Spring Security, Go's oauth2).
    coalesce: Whether calls that come meanwhile wait for the first of them, and get what it gets; else each asks by
        itself, as in Spring Security (issues 11461 and 15295 there).
    client: Whose token it is, where a service has several of one provider (Spring's registrationId): its calls that
        name the same provider and client share one, and say the same of it.
    """
    return part(locals())
