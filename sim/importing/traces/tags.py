"""What the tags of a span mean: its kind, whether it failed, whom it called, over which topic, and who recorded it.

By the names of OpenTelemetry's semantic conventions (present and earlier ones), of OpenTracing's, and of Zipkin's
Brave.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sim.importing.traces.table import CLIENT, CONSUMER, INTERNAL, PRODUCER, SERVER

Tags = Mapping[str, Any]

KINDS = {"server": SERVER, "client": CLIENT, "producer": PRODUCER, "consumer": CONSUMER, "internal": INTERNAL}
TOPIC = (
    "messaging.destination.name",
    "messaging.destination",
    "message_bus.destination",
    "kafka.topic",
    "messaging.kafka.topic",
    "jms.queue",
)
GROUP = (
    "messaging.consumer.group.name",
    "messaging.kafka.consumer.group",
    "messaging.kafka.consumer_group",
    "messaging.consumer_group",
)
PEER = ("peer.service", "server.address", "net.peer.name", "db.system.name", "db.system", "db.type")
INSTANCE = ("service.instance.id", "k8s.pod.name", "host.name", "hostname", "container.id", "ip")
FAILED = (
    "error",
    "otel.status_code",
    "http.response.status_code",
    "http.status_code",
    "rpc.grpc.status_code",
    "grpc.status_code",
    "status.code",
)
ALL = frozenset(("span.kind", *TOPIC, *GROUP, *PEER, *FAILED))

_ADDRESS = re.compile(r"[0-9.:]+|\[?[0-9a-fA-F:]+\]?|localhost")
_VERBS = re.compile(
    r"\b(?:send|publish|receive|process|poll|deliver|consume|create|to|from|topic|queue|settle|ack)\b|[:/]+",
    re.IGNORECASE,
)


def kind_of(tags: Tags) -> int:
    """Its kind, where a tag says it."""
    return KINDS.get(str(tags.get("span.kind", "")).lower(), INTERNAL)


def failed(tags: Tags) -> bool:
    """Whether a tag says that it failed: an error, a status of 500 or more, a status of gRPC other than OK."""
    error = tags.get("error")
    if error is not None and str(error).lower() not in ("false", "0", ""):
        return True
    if str(tags.get("otel.status_code", tags.get("status.code", ""))).upper() in ("ERROR", "STATUS_CODE_ERROR"):
        return True
    status = str(tags.get("http.response.status_code", tags.get("http.status_code", "")))
    if len(status) == 3 and status[0] == "5" and status.isdecimal():
        return True
    return str(tags.get("rpc.grpc.status_code", tags.get("grpc.status_code", "0"))).upper() not in ("0", "OK", "")


def about(tags: Tags, kind: int, operation: str) -> str:
    """The topic of what is sent or consumed, the callee of a call; empty where no tag says it."""
    if kind in (PRODUCER, CONSUMER):
        named = next((str(tags[key]) for key in TOPIC if tags.get(key)), "")
        return named or " ".join(_VERBS.sub(" ", operation[:200]).split()) or "messages"
    if kind != CLIENT:
        return ""
    return next(
        (name for key in PEER if (name := str(tags.get(key) or "").partition(":")[0]) and not _ADDRESS.fullmatch(name)),
        "",
    )


def group(tags: Tags) -> str:
    """The consumer group, where a tag says it."""
    return next((str(tags[key]) for key in GROUP if tags.get(key)), "")


def instance(tags: Tags) -> str:
    """Which instance of its service, where a tag says it."""
    return next((str(tags[key]) for key in INSTANCE if tags.get(key)), "")


def nanoseconds(value: Any, scale: int = 1) -> int:  # noqa: ANN401 - whatever a file has there
    """A time in ns out of a number, or one in quotes; -1 where it is none."""
    if isinstance(value, str):
        text = value.strip()[:30]
        if text.isascii() and text.isdecimal():
            return int(text) * scale
        try:
            value = float(text)
        except ValueError:
            return -1
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e19:
        return -1
    return round(value * scale)
