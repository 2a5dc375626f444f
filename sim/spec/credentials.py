"""The access token of a caller: who gives it, how long it lives, and when the next one is asked for."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sim.spec.base import Duration, Flag, Leaves, Spec
from sim.spec.policy import CallPolicy
from sim.units import show_duration
from sim.vocabulary import Stage


class ClientCredentials(Spec):
    """A token of an identity provider that a caller must have before it calls (`client_credentials`, RFC 6749 section
    4.4). Each replica of the caller keeps one in its memory: the first call asks for it, those after it use it.

    A replica that starts again, or is new, has none: after a deploy all of them ask. The token is got before the policy
    of the call begins, as Envoy's credential_injector does, a filter before the router to which timeouts and retries
    belong, and Kong's upstream-oauth: no timeout, retry or breaker of that call counts it, and a retry does not ask
    again. Where none can be had the call ends as the request for it did (who waited for another's ends alike), and its
    `fallback` runs. A refusal of the provider is final: the old token is then not used.

    Not modelled: a callee that refuses a token (401), whether revoked or over on a clock that differs; another one that
    is fetched in the background (MSAL.NET) or by a timer (Envoy, again after 2 s where it fails); pauses between failed
    requests; a store of tokens that replicas share, as Kong may have in Redis; tokens of users, and of publications. A
    token whose provider answers `degraded` is used for one call and not kept.
    """

    leaves: ClassVar[Leaves] = Leaves(
        stages=(Stage.OTHER,), series=("cache_hits", "cache_misses", "cache_stale", "cache_joined", "cache_loads")
    )
    positional = "provider"
    provider: str = Field(alias="from")
    """The endpoint of the identity provider that gives tokens, as `service.endpoint`."""
    policy: str | CallPolicy | None = None
    """How that request is guarded; without one it waits for as long as it takes."""
    lives: Duration = Field(default=3600.0, gt=0)
    """How long a token is good from when it has come: `expires_in`, an hour in the example of RFC 6749 section 4.4.3.
    """
    refresh_before: Duration = 60.0
    """How long before its end the next call asks for another: Spring Security's clockSkew, 60 s (Go's oauth2 10 s). No
    less than `lives`: every call asks.
    """
    if_refresh_fails: Literal["use_old", "fail"] = "use_old"
    """What a call does whose request for another token has failed before the old one is over: `use_old`, and the next
    call asks again (MSAL, Azure Identity), or `fail` (Spring Security, Go's oauth2).
    """
    coalesce: Flag = False
    """Whether calls that come meanwhile wait for the first of them, and get what it gets; else each asks by itself, as
    in Spring Security (issues 11461 and 15295 there).
    """
    client: str | None = None
    """Whose token it is, where a service has several of one provider (Spring's registrationId): its calls that name the
    same provider and client share one, and say the same of it.
    """

    @property
    def name(self) -> str:
        """What it is called, within its caller."""
        return f"token {self.provider}" + (f" {self.client}" if self.client is not None else "")

    @property
    def used(self) -> float:
        """Seconds from its coming until a call asks for another."""
        return max(0.0, self.lives - self.refresh_before)

    @property
    def badge(self) -> str:
        """What the drawing says on the arrow to the provider."""
        return f"token {show_duration(self.lives)}"
