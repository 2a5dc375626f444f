"""What an endpoint does, step by step. A plug-in registers steps of its own in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.spec.actions import Action, Answers, Branches, Calls, Ends, Performs, Publishes, Runs, TakesStock, TakesTime
from sim.spec.base import Between, Duration, Few, Flag, Leaves, Share, Size, Spec, register, word_of
from sim.spec.choice import Choice
from sim.spec.credentials import ClientCredentials
from sim.spec.distribution import AnyDistribution
from sim.spec.document import Data
from sim.spec.policy import CallPolicy
from sim.spec.queue_broker import Confirm
from sim.vocabulary import EventKind, Outcome, Stage

POPULATION_OF: Mapping[str, Literal["items", "users"]] = {"item": "items", "user": "users"}
"""By what of their traffic a `key` tells requests apart; `all` and the like do not."""


class Step(Spec):
    """Base of the steps of an endpoint."""

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.OTHER,))

    @property
    def actions(self) -> tuple[Action, ...] | None:
        """What one run of it asks of the system, in this order (`sim.spec.actions`); None: nobody knows."""
        return None

    @property
    def told_apart_by(self) -> Literal["items", "users"] | None:
        """By what of their traffic it tells requests apart; None: it does not."""
        return None

    @property
    def effects(self) -> tuple[str, ...]:
        """The business effects that the step itself brings about (not those of steps inside of it)."""
        return ()


AnyStep = Annotated[Step, Choice("step")]


class Timed(Step):
    """Base of the steps that take a time, which belongs to the request or to the attempt."""

    positional = "time"
    time: AnyDistribution
    """How long it takes."""
    per: Literal["request", "attempt"]
    """Whether a retry meets the same time (`request`) or another (`attempt`)."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """It takes its time."""
        return (TakesTime(self.time, computes=False, kept=self.per == "request"),)

    @model_validator(mode="after")
    def _replay_is_per_request(self) -> Self:
        if self.per == "attempt" and "per" in self.model_fields_set and word_of(self.time) == "replay":
            raise ValueError(
                "found per: attempt with a replay, whose k-th row is that of the k-th request in every attempt; "
                "expected per: request"
            )
        return self


@register("step", "work")
class Work(Timed):
    """Compute: uses a core of the replica (or the worker's own, where the service has no `cores`).

    `per: request`: how much there is to do belongs to the request, so that a retry or a redelivery meets the same.
    `per: attempt` draws anew.
    """

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.WORK,))
    per: Literal["request", "attempt"] = "request"
    """Whether a retry meets the same work (`request`) or draws anew (`attempt`)."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """It computes for its time."""
        return (TakesTime(self.time, computes=True, kept=self.per == "request"),)


@register("step", "wait")
class Wait(Timed):
    """Time that passes elsewhere: holds the worker (threads) but uses no core.

    `per: attempt`: somebody else's system is as quick or slow as it happens to be when asked. `per: request`: it
    depends on what is asked.
    """

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.WAIT, Stage.PLACE))
    per: Literal["request", "attempt"] = "attempt"
    """Whether a retry draws anew (`attempt`) or meets the same time (`request`)."""


@register("step", "call")
class Call(Step):
    """A synchronous call of `service.endpoint`, guarded by a policy; `fallback` runs once, after the last attempt."""

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.DEGRADED, Outcome.UNREACHABLE), stages=(Stage.CALL,))
    positional = "target"
    target: str
    """What is called, as `service.endpoint`."""
    policy: str | CallPolicy | None = None
    """How the call is guarded: the name of a policy, or one written here."""
    fallback: tuple[AnyStep, ...] | None = None
    """Steps that run once, after the last attempt has failed: then the answer is `degraded`."""
    token: ClientCredentials | None = None
    """The access token that the caller must have before it calls: `{from: idp.token, lives: 1h}`."""

    @cached_property
    def asks(self) -> tuple[Step, ...]:
        """The request for a token, as a step inside of this one."""
        return asking(self.token) if self.token is not None else ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """It calls, which takes as long as all attempts do; on paper a token is there, and how often one is asked for
        follows from how long it lives.
        """
        calls = Calls(self.target, self.policy, self.fallback)
        return (Runs("token", self.asks, 0.0, badge=self.token.badge), calls) if self.token is not None else (calls,)


def asking(token: ClientCredentials) -> tuple[Step, ...]:
    """The request for a token, as a step."""
    return (Call(target=token.provider, policy=token.policy),)


@register("step", "perform")
class Perform(Step):
    """Run the steps of `service.endpoint` of the same service here: the same draws, no network, no request queue."""

    leaves: ClassVar[Leaves] = Leaves()
    positional = "target"
    target: str
    """The endpoint of the same service, as `service.endpoint`."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """The steps of its endpoint."""
        return (Performs(self.target),)


@register("step", "publish")
class Publish(Step):
    """Publish an event; holds the worker until the broker's ack, where it hears one. `via: outbox` writes a row and
    goes on.

    To a topic, without a policy, it is tried again as by Kafka's producer: for 120 s in all (delivery.timeout.ms), 30 s
    for each attempt (request.timeout.ms), with pauses of 100 ms, 200 ms ... 1 s (retry.backoff.ms,
    retry.backoff.max.ms), give or take 20 %. To a queue broker it is sent once, and without `confirm` nobody hears what
    becomes of it (AMQP 0-9-1: confirm.select).
    """

    leaves: ClassVar[Leaves] = Leaves(
        outcomes=(Outcome.DEGRADED, Outcome.UNREACHABLE),
        stages=(Stage.CALL, Stage.OUTBOX, Stage.FOLLOWED),
        series=("outbox",),
    )
    positional = "topic"
    topic: str
    """Where the event goes: a topic, an exchange, or a queue."""
    via: Literal["broker", "outbox"] = "broker"
    """To the `broker` now, or into an `outbox`: a row that a relay publishes."""
    key: Literal["order", "user", "item"] | None = None
    """What decides the partition, in the place of the topic's key."""
    policy: str | CallPolicy | None = None
    """How publishing is guarded; by default as Kafka's producer."""
    poll: Duration = Field(default=0.1, gt=0)
    """Time between two looks of the outbox's relay."""
    batch: Few = 100
    """Rows that the relay takes at once."""
    fallback: tuple[AnyStep, ...] | None = None
    """Steps that run once, after the last attempt has failed."""
    size: Annotated[Size, Field(gt=0)] | None = None
    """To a topic: bytes of the event, in the place of the topic's `message_size`."""
    routing_key: str = ""
    """To an exchange: by which its bindings choose the queues."""
    headers: dict[str, str] = Field(default_factory=dict)
    """To a headers exchange: by which its bindings choose the queues."""
    expiration: AnyDistribution | None = None
    """To an exchange or a queue: how long this message may wait in a queue."""
    priority: Annotated[int, Between(0, 255)] | None = None
    """To an exchange or a queue: the message's priority, for queues that know priorities; without it 0, and to a quorum
    queue 4.
    """
    confirm: Confirm = None
    """To an exchange or a queue: `none` waits for nothing, `each` for its confirm, `{batch: 100}` once in a hundred for
    all of them.
    """
    mandatory: Flag = False
    """To an exchange: whether what no queue gets is an error; otherwise nobody hears of it."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """It publishes, now or through its outbox."""
        poll = self.poll if self.via == "outbox" else None
        heard = self.confirm is not None
        return (
            Publishes(
                self.topic,
                self.key,
                self.policy,
                self.fallback,
                poll,
                self.routing_key,
                tuple(self.headers.items()),
                heard,
            ),
        )


def _named_map_schema(name: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """A bare name, or a map from the one name to its options."""
    body = {"type": "object", "properties": options, "additionalProperties": False}
    return {
        "anyOf": [
            name,
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "propertyNames": name,
                "additionalProperties": body,
            },
        ]
    }


class EffectOptions(Spec):
    """How an effect behaves when it runs twice."""

    idempotent: Flag = False
    """Whether a second time is recognised and leaves nothing behind."""


@register("step", "effect")
class Effect(Step):
    """A durable business fact of the order, instantaneous: `effect: order-created`, `effect: {name: {idempotent:
    true}}`.
    """

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.COMPLETED,))
    positional = "name"
    shorthand: ClassVar[dict[str, Any]] = _named_map_schema({"type": "string"}, {"idempotent": {"type": "boolean"}})
    name: str
    """What has come about: `order-created`."""
    options: EffectOptions = EffectOptions()
    """What happens when it comes twice."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """None that takes time."""
        return ()

    @property
    def effects(self) -> tuple[str, ...]:
        """Its name."""
        return (self.name,)

    @model_validator(mode="before")
    @classmethod
    def _named_map(cls, data: Data) -> Data:
        return _split_named_map(data, "name")


class TakeOptions(Spec):
    """How stock is taken: with `check_to_write`, check and write are separate steps and may race."""

    check_to_write: AnyDistribution | None = None
    """Time between looking whether there is one and taking it; meanwhile others look, too."""


@register("step", "take")
class Take(Step):
    """Take one unit from the service's stock; none left is a refusal."""

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.REFUSED,), events=(EventKind.STOCK_RAN_OUT, EventKind.OVERSOLD))
    positional = "store"
    shorthand: ClassVar[dict[str, Any]] = _named_map_schema(
        {"const": "stock"}, {"check_to_write": {"$choice": "distribution"}}
    )
    shorthand_type: ClassVar[Any] = dict[str, TakeOptions]
    store: Literal["stock"]
    """`stock`: that of the service."""
    options: TakeOptions = TakeOptions()
    """How it is taken."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """It takes one unit, after the time between looking and writing."""
        between = self.options.check_to_write
        return (TakesStock(), *((TakesTime(between),) if between is not None else ()))

    @model_validator(mode="before")
    @classmethod
    def _named_map(cls, data: Data) -> Data:
        return _split_named_map(data, "store")


@register("step", "fail")
class Fail(Step):
    """End with an `error` for this share of attempts, or of requests.

    `per: attempt`: who fails may succeed at the next try. `per: request`: it is poison, and fails each time.
    """

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.ERROR,))
    positional = "share"
    share: Share
    """The share of attempts that end here, or of requests."""
    per: Literal["request", "attempt"] = "attempt"
    """Whether a retry or a redelivery draws anew (`attempt`) or fails as the one before (`request`)."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """An error."""
        return (Ends(self.share, kept=self.per == "request"),)


@register("step", "refuse")
class Refuse(Step):
    """End with a business refusal (declined, say) for this share of attempts."""

    leaves: ClassVar[Leaves] = Leaves(outcomes=(Outcome.REFUSED,))
    positional = "share"
    share: Share
    """The share of attempts that end here."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """A refusal."""
        return (Ends(self.share, refused=True),)


@register("step", "reply")
class Reply(Step):
    """Answer the caller now; the steps that follow go on, holding the worker."""

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.ANSWER,))

    @property
    def actions(self) -> tuple[Action, ...]:
        """The answer."""
        return (Answers(),)


@register("step", "parallel")
class Parallel(Step):
    """Run branches at once on the same worker and wait for all; the first failure in branch order is the outcome. Who
    waits for some of them only says `race` with `wait_for`.
    """

    leaves: ClassVar[Leaves] = Leaves(stages=(Stage.PARALLEL, Stage.END))
    positional = "branches"
    shorthand: ClassVar[dict[str, Any]] = {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"type": "array", "items": {"$choice": "step"}}, {"$choice": "step"}]},
    }
    branches: tuple[tuple[AnyStep, ...], ...] = Field(min_length=1)
    """Lists of steps, which begin at once."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Its branches."""
        return (Branches(self.branches),)

    @model_validator(mode="before")
    @classmethod
    def _single_steps(cls, data: Data) -> Data:
        return with_lists_of_steps(data)


def with_a_list(data: Data, word: str) -> Data:
    """A single step under a word is a list of one."""
    return {**data, word: [data[word]]} if isinstance(data, dict) and isinstance(data.get(word), dict) else data


def with_lists_of_steps(data: Data) -> Data:
    """A single step among `branches` is a branch of one."""
    if not isinstance(data, dict) or not isinstance(data.get("branches"), list):
        return data
    return {**data, "branches": [branch if isinstance(branch, list) else [branch] for branch in data["branches"]]}


def _split_named_map(data: Data, field: str) -> Data:
    """`{name: {options}}` in the positional field becomes name and options."""
    if isinstance(data, dict) and isinstance(data.get(field), dict) and len(data[field]) == 1:
        ((name, options),) = data[field].items()
        return {**data, field: name, "options": options if options is not None else {}}
    return data
