"""Systems made at random, small and full of trouble: every word of the language, faults at odd times, and short lives.

They are built so that what is added to the language changes only the systems that say it (`random_systems/luck.py`), for the records of
thousands of them are kept (`tests/frozen`). Each runs for 20 s, and comes to some thousands of attempts at most.
"""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.faults import faults, network
from tests.models.random_systems.gateway import gateway
from tests.models.random_systems.later import FIRST_WITH_LATER_WORDS, add_later_words
from tests.models.random_systems.luck import Luck
from tests.models.random_systems.plan import Plan
from tests.models.random_systems.services import brokers, services
from tests.models.random_systems.traffic import DURATION, traffic


def any_scenario(seed: int) -> dict[str, Any]:
    """The same document for the same number; what is recorded of it is left to the caller."""
    luck = Luck(str(seed))
    luck = Luck(str(seed), exact=luck.maybe("exact", 0.2))
    plan = Plan(luck.at("plan"))
    document: dict[str, Any] = {
        "version": 1,
        "duration": f"{DURATION:g}s",
        "seed": luck.number("seed", 0, 999),
        "services": services(plan, luck.at("services")),
        "policies": plan.policies,
        "ledger": {"charge": "paid", "reservation": "made"},
    }
    targets = {f"s0.{endpoint}": f"s0.{endpoint}" for endpoint in plan.endpoints}
    if luck.maybe("gateway"):
        document["gateway"] = gateway(plan, luck.at("gateway"))
        targets = {route: spec["to"] for route, spec in document["gateway"]["routes"].items()}
    if plan.brokers:
        document["brokers"] = brokers(plan, luck.at("brokers"))
    has_gateway = "gateway" in document
    document["faults"] = faults(plan, has_gateway, luck.at("faults"))
    document["network"] = network(plan, has_gateway, luck.at("network"))
    document["traffic"] = traffic(plan, targets, luck.at("traffic"))
    if seed >= FIRST_WITH_LATER_WORDS:
        add_later_words(document, luck.at("later"))
    return document
