"""What a replica may use, from limits as Kubernetes and Docker write them, and threads where settings that frameworks
document name them.
"""

from __future__ import annotations

import re

from sim.importing.draft import Said, where
from sim.spec.cpu import LEAST_QUOTA, MOST_CORES
from sim.spec.document import Place

GUESSED_WORKERS = 200  # Tomcat's maxThreads; a queue for threads forms only where they are fewer than requests at once
_LEAST_LIMIT = LEAST_QUOTA / 0.1  # cores, with the period of 100 ms
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE]([-+]?[0-9]{1,2})|([numkKMG]?))")
_SCALES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}
_THREADS = {
    "SERVER_TOMCAT_THREADS_MAX": "Spring Boot's server.tomcat.threads.max",
    "SERVER_TOMCAT_MAX_THREADS": "Spring Boot's server.tomcat.max-threads",
    "SERVER_UNDERTOW_THREADS_WORKER": "Spring Boot's server.undertow.threads.worker",
    "SERVER_JETTY_THREADS_MAX": "Spring Boot's server.jetty.threads.max",
    "QUARKUS_THREAD_POOL_MAX_THREADS": "Quarkus' quarkus.thread-pool.max-threads",
    "RAILS_MAX_THREADS": "Puma's threads",
    "WEB_CONCURRENCY": "gunicorn's, uvicorn's or Puma's worker processes",
}


def cpus_of(quantity: str) -> float | None:
    """`200m` -> 0.2, `1.5` -> 1.5, of Kubernetes' and of Docker's quantities; None where it is none."""
    found = _QUANTITY.fullmatch(quantity.strip()[:40])
    if found is None:
        return None
    return float(found[1]) * (10.0 ** int(found[2]) if found[2] else _SCALES[found[3] or ""])


def limit_of(cpus: float, written: str, at: Place) -> Said | None:
    """A limit of the CPU as a scenario writes it: `2`, `500m`. None for what is no limit (0)."""
    if cpus <= 0:
        return None
    granted = min(max(cpus, _LEAST_LIMIT), float(MOST_CORES))
    raised = f"; the kernel grants no less than {_LEAST_LIMIT * 1000:g}m" if granted > cpus else ""
    return Said(round(granted) if granted.is_integer() else f"{granted * 1000:g}m", f"{written} ({where(at)}){raised}")


def workers_of(name: str, value: str, at: Place) -> Said | None:
    """Threads of a replica, where this environment variable says how many there are."""
    if name not in _THREADS or not value.strip().isdecimal() or not 0 < int(value.strip()[:10]) <= 10**6:
        return None
    return Said(int(value), f"{name} ({where(at)}), {_THREADS[name]}")
