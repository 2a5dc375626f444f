"""Authentication in Python: a function for each word, which gives what a file would hold.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sim.builder.saying import Part, named


def jwt(
    *,
    work: Mapping[str, Any] | str,
    invalid: Mapping[str, Any] | float | str | None = None,
    expired: Mapping[str, Any] | float | str | None = None,
    malformed: Mapping[str, Any] | float | str | None = None,
    keys: Mapping[str, Any] | str | None = None,
) -> Part:
    """A signed token, verified locally: `work` on a gateway worker, no network.

    work: What verifying a token takes on a worker of the gateway.
    invalid: The share of requests whose signature is wrong.
    expired: The share of requests whose token has expired (`exp` of Kong's claims_to_verify, which is empty by
        default).
    malformed: The share of requests without a token that can be decoded: refused at once, without `work`.
    keys: Where the keys come from that signatures are verified with; without it the gateway has them.
    """
    return named("jwt", locals())


def oauth(
    *,
    introspect: str,
    policy: Mapping[str, Any] | str | None = None,
    cache_ttl: Literal[0] | Mapping[str, Any] | str | None = None,
    lookup: Mapping[str, Any] | str,
    invalid: Mapping[str, Any] | float | str | None = None,
    on_failure: Literal["deny", "allow"] | None = None,
) -> Part:
    """RFC 7662 introspection by a remote call, with a cache per user in each replica of the gateway, as each node of
    Kong has its own.

    introspect: The endpoint of the identity provider that knows the tokens, as `service.endpoint`.
    policy: How that call is guarded; where it has no timeout 10 s, as Kong's openid-connect.
    cache_ttl: How long a good answer is remembered; Kong openid-connect's default where the answer names no expiry;
        0: no cache.
    lookup: What looking into the cache takes on a worker of the gateway.
    invalid: The share of requests whose token is not good: they are `unauthorized`.
    on_failure: What becomes of a request whose token nobody could be asked about: `deny` or `allow`.
    """
    return named("oauth", locals())
