"""What runs in a container, told from the name of its image or of its workload: things that are no service of the shop,
and brokers.
"""

from __future__ import annotations

import re

OBSERVES, LOADS, KAFKA, QUEUES, COORDINATES = (
    "observability",
    "load generator",
    "Kafka",
    "message queue",
    "coordination",
)
KONG, STORES = "Kong", "database"

_ROLES = (
    (
        OBSERVES,
        r"jaeger(?:-[a-z-]+)?|zipkin|prometheus|grafana|(?:otel|opentelemetry)-?col(?:lector)?(?:-[a-z0-9-]+)?|loki|tempo|promtail|fluent-?(?:d|bit)|kibana|logstash|"
        r"node-exporter|[a-z0-9-]+-exporter|alertmanager|cadvisor|datadog|dd-agent|newrelic|kube-state-metrics|metrics-server|alloy",
    ),
    (LOADS, r"load-?(?:generator|test|tester|gen)s?|locust|k6|jmeter|gatling|vegeta|hey|wrk2?|traffic-?gen(?:erator)?"),
    (KAFKA, r"(?:cp-)?kafka|redpanda|cp-server"),
    (QUEUES, r"rabbitmq|activemq|artemis|nats|nats-streaming|emqx|mosquitto|pulsar"),
    (
        COORDINATES,
        r"(?:cp-)?zookeeper|etcd|consul|nacos(?:-server)?|eureka(?:-server)?|discovery-?(?:server|service)|config-?(?:server|service)",
    ),
    (KONG, r"kong(?:-gateway)?"),
    (
        STORES,
        r"db|database|postgres(?:ql)?|mysqld?|mariadb|mongo(?:db)?|redis(?:-stack)?|valkey|memcached|cassandra|scylla|elasticsearch|opensearch|couchdb|"
        r"cockroach(?:db)?|clickhouse(?:-server)?|neo4j|minio|influxdb|timescaledb|mssql|dynamodb-local|[a-z0-9-]+-(?:db|database|redis|mongo(?:db)?|mysql|mariadb|postgres(?:ql)?|memcached)",
    ),
)
_LONGEST = 100  # characters of a name that are looked at
_PATTERNS = [(role, re.compile(pattern)) for role, pattern in _ROLES]

WHY_NOT = {
    OBSERVES: "watches the others, and takes no part in answering a request",
    LOADS: "is a client, and became the traffic",
    QUEUES: "brokers of the queue kind are not modelled; a topic of a `log` broker comes nearest",
    COORDINATES: "is not asked for each request",
}


def role_of(image: str, name: str) -> str:
    """What an image is, or else what a workload of this name is; empty for an ordinary service."""
    return _role(image.split("@", 1)[0].rsplit("/", 1)[-1].split(":", 1)[0]) or _role(name)


def _role(word: str) -> str:
    word = word[:_LONGEST].lower()
    return next((role for role, pattern in _PATTERNS if pattern.fullmatch(word)), "")


def owners_of(store: str) -> list[str]:
    """The services whose database this seems to be by its name: `carts-db` is that of `carts`, `ts-auth-mongo` that of
    `ts-auth-service`.
    """
    stem, dash, kind = store.rpartition("-")
    return (
        [stem, f"{stem}-service", f"{stem}service", f"{stem}s"]
        if dash and role_of("", store) == STORES and kind
        else []
    )
