"""Who sends what, when, and with how much patience."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.errors import UsageError
from sim.spec.arrivals import AnyArrivals, Replay
from sim.spec.base import (
    Between,
    Duration,
    Flag,
    Leaves,
    Many,
    Number,
    Share,
    Spec,
)
from sim.spec.distribution import AnyDistribution
from sim.spec.document import Data
from sim.spec.policy import Retry
from sim.spec.visit import Visit
from sim.units import shown
from sim.vocabulary import Outcome


class Popularity(Spec):
    """How often each of `count` users (or items) appears: uniform, or Zipf with the given exponent."""

    count: Annotated[int, Between(1, 50_000_000)]
    """How many there are."""
    popularity: (
        Annotated[dict[Literal["zipf"], Annotated[Number, Field(ge=0, le=10)]], Field(min_length=1)]
        | Literal["uniform"]
    ) = "uniform"
    """How often each appears: `uniform`, or `{zipf: EXPONENT}`."""

    @property
    def exponent(self) -> float:
        """The Zipf exponent; 0 is uniform."""
        return 0.0 if isinstance(self.popularity, str) else float(self.popularity["zipf"])


class Users(Popularity):
    """The users of one traffic. Those of two traffics are different people, for limits, keys and caches, unless both
    name one `population`.

    A population is named after its traffic unless it is given a name; where its traffics count it differently, the
    smaller number is its most popular part.
    """

    addresses: Many | None = None
    """How many IP addresses they share, as evenly as can be (limits by `ip`); by default each user has one of their
    own.
    """
    population: str | None = None
    """The name under which several traffics share their users; by default that of the traffic."""


class Objective(Spec):
    """What a route promises."""

    latency: Duration | None = None
    """By when an answer is in time."""
    availability: Share | None = None
    """The share of requests that are to be answered well."""


class VirtualUsers(Spec):
    """The users of a load generator, each of whom runs one iteration of an open traffic at a time: a request with its
    retries, or a visit. k6's constant-arrival-rate and ramping-arrival-rate.

    An arrival that finds none free is dropped, and makes no request (dropped_iterations). A load test that drops sends
    less than it says, and does so when the system is slow: it is no longer an open one.
    """

    leaves: ClassVar[Leaves] = Leaves(series=("virtual_users", "dropped_iterations"))
    positional = "pre_allocated"
    pre_allocated: Many
    """How many there are from the beginning (preAllocatedVUs)."""
    at_most: Many | None = Field(default=None, alias="max")
    """How many there may be: each that is missed is there from then on (maxVUs); by default those that are
    pre-allocated.
    """

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.most < self.pre_allocated:
            raise ValueError(
                f"max: found {self.most}, expected at least the {self.pre_allocated} that are pre-allocated"
            )
        return self

    @property
    def most(self) -> int:
        """How many there may be."""
        return self.pre_allocated if self.at_most is None else self.at_most


class Traffic(Spec):
    """One population of clients. Latency is counted from the intended arrival."""

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.OK, Outcome.TIMEOUT, Outcome.IN_FLIGHT))
    sends: str | dict[str, Share] = Field(default_factory=dict)
    """A route, or `service.endpoint` where there is no gateway; a map from such names to shares gives a mix."""
    arrivals: AnyArrivals
    """When requests come."""
    visit: Visit | None = None
    """Whether what arrives is a person with several requests, and not a request."""
    virtual_users: VirtualUsers | None = None
    """Of open arrivals: how many users a load generator has to run them (k6); whoever finds none free is dropped."""
    users: Users | None = None
    """Who sends them, where users are told apart by limits, keys or caches."""
    consumer: str | None = None
    """On whose behalf they are sent, a consumer in Kong's sense (limits by `consumer`); without it each user is one."""
    headers: dict[str, str | Annotated[dict[str, Share], Field(min_length=1)]] = Field(default_factory=dict)
    """What they carry, for limits and priorities: `{x-tier: gold}`, or shares, `{x-tier: {gold: 10%, free: 90%}}`; a
    user always has the same.
    """
    items: Popularity | None = None
    """What they are about: the catalogue, whose item 0 is the same item in all traffic."""
    timeout: Duration | None = None
    """How long a client waits for the answer of an attempt, always the same; without it, or a `patience`, for ever."""
    patience: AnyDistribution | None = None
    """How long people wait, each as long as they are made: whoever is one of `users`, a visitor, or a user who stays
    always has the same patience, else each request has one. It begins anew with each attempt, and beside a `timeout`
    what is shorter counts.
    """
    deadline: Literal["propagate"] | None = None
    """`propagate`: what clients call is told until when they wait, and stops then (gRPC); else a service works on."""
    retry: Retry | None = None
    """Whether clients try again, and when."""
    honor_retry_after: Flag = False
    """Whether a client that was rate limited waits as long as the Retry-After of the answer says; `honor_retry_after`
    of its `retry` says the same, and `max_retry_after` there how long it waits at most.
    """
    objective: Objective | None = None
    """What is promised to these clients, where no gateway route says it."""
    completes_with: tuple[str, ...] = ()
    """The effects that must exist before an order counts as complete."""

    @model_validator(mode="before")
    @classmethod
    def _sends_its_journey(cls, data: Data) -> Data:
        """A journey says what is sent, and in which shares."""
        visit = data.get("visit") if isinstance(data, dict) else None
        journey = visit.get("journey") if isinstance(visit, dict) else None
        if not isinstance(journey, (list, tuple)) or not all(isinstance(target, str) for target in journey):
            return data
        if "sends" in data:
            raise ValueError("found `sends` beside the `journey` of its visit, which says what is sent; expected one")
        return {**data, "sends": {target: journey.count(target) / len(journey) for target in journey}}

    @model_validator(mode="before")
    @classmethod
    def _differs_by_patience(cls, data: Data) -> Data:
        if isinstance(data, dict) and isinstance(data.get("timeout"), Mapping):
            raise ValueError(
                f"timeout: found {shown(data['timeout'])}, expected a duration, the same for all clients; that of "
                "people who differ is `patience: {exponential: 2s}`"
            )
        return data

    @model_validator(mode="after")
    def _visits_come_by_themselves(self) -> Self:
        told = isinstance(self.arrivals, Replay) and (self.arrivals.route, self.arrivals.user) != (None, None)
        if self.visit is not None and (told or self.arrivals.population):
            raise ValueError("visit: found arrivals that say who asks for what, or stays; expected an open process")
        return self

    @property
    def honors_retry_after(self) -> bool:
        """Whether its clients do, where they try again."""
        return self.honor_retry_after or (self.retry is not None and self.retry.honor_retry_after)

    @property
    def requests_each(self) -> float:
        """How many requests come of an arrival, on average."""
        return self.visit.mean if self.visit is not None else 1.0

    @model_validator(mode="after")
    def _open_where_users_are_virtual(self) -> Self:
        if self.virtual_users is not None and self.arrivals.population:
            raise ValueError("virtual_users: found closed arrivals, whose `users` they are; expected an open process")
        return self

    @model_validator(mode="after")
    def _has_a_deadline(self) -> Self:
        if self.deadline is not None and not self.gives_up:
            raise ValueError(
                "`deadline: propagate` hands on the `timeout` or `patience` of the client, and there is none"
            )
        return self

    @model_validator(mode="after")
    def _sends_something(self) -> Self:
        recorded = isinstance(self.arrivals, Replay) and self.arrivals.route is not None
        if not recorded and "sends" not in self.model_fields_set:
            raise ValueError("the field 'sends' is missing")
        if not recorded and isinstance(self.sends, dict) and not sum(self.sends.values()) > 0:
            raise ValueError("sends: the shares sum to 0, expected at least one above 0")
        return self

    def values_of(self, header: str) -> dict[str, float]:
        """Value of a header -> share of the requests that carry it; the empty text for those that carry none."""
        values = self.headers.get(header)
        if values is None:
            return {"": 1.0}
        if isinstance(values, str):
            return {values: 1.0}
        total = math.fsum(values.values()) or 1.0
        return {value: part / total for value, part in values.items()}

    @property
    def gives_up(self) -> bool:
        """Whether a client may stop to wait."""
        return self.timeout is not None or self.patience is not None

    @property
    def typical_patience(self) -> float | None:
        """How long a client waits for an answer, s; of a patience that differs its mean, where that is known and
        finite. None: for ever.
        """
        mean = self.mean_patience
        return min((limit for limit in (self.timeout, mean) if limit is not None), default=None)

    @property
    def mean_patience(self) -> float | None:
        """Of the people, s; None where they have none of their own, or its mean is infinite or of a plug-in."""
        try:
            mean = self.patience.mean if self.patience is not None else math.inf
        except UsageError:  # a distribution of a plug-in that is not known on paper
            return None
        return mean if math.isfinite(mean) else None

    @property
    def people(self) -> int:
        """How many users it has: as many as its recording names, or as are said; 0 where nobody is told from
        another.
        """
        recorded = (
            self.arrivals.data.users if isinstance(self.arrivals, Replay) and self.arrivals.data is not None else 0
        )
        return recorded or (self.users.count if self.users is not None else 0)

    def tells_apart(self, what: Literal["items", "users"]) -> bool:
        """Whether its requests are for different items, or of different users."""
        return self.items is not None if what == "items" else self.people > 0

    def population(self, name: str) -> str:
        """What its users are called, where `name` is the name of this traffic."""
        return name if self.users is None or self.users.population is None else self.users.population

    @property
    def mix(self) -> dict[str, float]:
        """Target -> share of requests, summing to 1; as the rows of a recording have it where one of its
        columns says.
        """
        if isinstance(self.arrivals, Replay) and self.arrivals.route is not None:
            return self.arrivals.mix
        if isinstance(self.sends, str):
            return {self.sends: 1.0}
        total = sum(self.sends.values())
        return {target: weight / total for target, weight in self.sends.items()} if total else dict(self.sends)


def population_sizes(traffic: Mapping[str, Traffic]) -> dict[str, int]:
    """How many people each population is, in the order in which traffic names them."""
    sizes: dict[str, int] = {}
    for name, spec in traffic.items():
        if spec.people:
            population = spec.population(name)
            sizes[population] = max(sizes.get(population, 0), spec.people)
    return sizes


def first_users(traffic: Mapping[str, Traffic]) -> dict[str, int]:
    """Traffic -> the number of its first user: populations are numbered one behind the other."""
    sizes = population_sizes(traffic)
    firsts = dict(zip(sizes, accumulate(sizes.values(), initial=0), strict=False))
    return {name: firsts[spec.population(name)] for name, spec in traffic.items() if spec.people}
