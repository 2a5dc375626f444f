"""What endpoints and consumers do: every step, nested in branches and fallbacks, with and without policies."""

from __future__ import annotations

from typing import Any

from tests.models.random_systems.luck import Luck
from tests.models.random_systems.plan import EFFECTS, MOST_LOAD, Plan
from tests.models.random_systems.policies import policy, tries
from tests.models.random_systems.times import is_replayed, time

PLAIN = {"work": 2, "wait": 1, "effect": 1, "take": 1, "fail": 1, "refuse": 1, "reply": 1}
DEEPEST = 2  # branches within branches


class Steps:
    """The steps of one endpoint or consumer of one service, and what one run of them comes to."""

    def __init__(self, plan: Plan, index: int, performs: tuple[str, ...] = ()):
        self.plan = plan
        self.pace = 3.0 if index in plan.crowded else 1.0  # how long things take here, against elsewhere
        self.index = index
        self.performs = performs  # endpoints of this service that it may run
        self.load = 1.0

    def some(self, luck: Luck, depth: int = 0) -> list[dict[str, Any]]:
        """One to three steps."""
        return [self.step(luck.at(place), depth) for place in range(luck.number("steps", 1, 3))]

    def calls_to(self, luck: Luck, callees: list[int]) -> list[dict[str, Any]]:
        """A call of each, one after the other or at once."""
        calls = [self._call(luck.at(f"to {callee}"), callee, 0) for callee in callees]
        return [{"parallel": [[call] for call in calls]}] if len(calls) > 1 and luck.maybe("at once") else calls

    def step(self, luck: Luck, depth: int) -> dict[str, Any]:
        """A step of any kind that this service can make."""
        callees, topics = self.plan.callees(self.index), self.plan.topics(self.index)
        kinds = dict(PLAIN)
        if callees:
            kinds["call"] = 3
        if topics:
            kinds["publish"] = 4 if self.plan.shape == "events" else 2
        if depth < DEEPEST:
            kinds["parallel"] = 1
        if self.performs:
            kinds["perform"] = 1
        kind = luck.word("kind", kinds)
        if kind == "call":
            return self._call(luck, luck.pick("callee", callees), depth)
        if kind == "publish":
            return self._publish(luck, luck.pick("topic", topics), depth)
        if kind == "parallel":
            branches = [
                self._branch(luck.at(f"branch {place}"), depth + 1) for place in range(luck.number("branches", 1, 3))
            ]
            return {"parallel": branches}
        if kind == "perform":
            target = f"{self.plan.names[self.index]}.{luck.pick('endpoint', self.performs)}"
            return {"perform": target} if self._grows(self.plan.load[target]) else {"work": "1ms"}
        return _plain(kind, luck, 0.02 * self.pace)

    def _branch(self, luck: Luck, depth: int) -> Any:
        """Steps, or just one."""
        return self.step(luck, depth) if luck.maybe("one step", 0.2) else self.some(luck, depth)

    def _grows(self, load: float) -> bool:
        """Whether there is room for this much more."""
        if self.load + load > MOST_LOAD:
            return False
        self.load += load
        return True

    def _call(self, luck: Luck, callee: int, depth: int) -> dict[str, Any]:
        target = f"{self.plan.names[callee]}.{luck.pick('endpoint', self.plan.endpoints)}"
        guard = self._guard(luck)
        if not self._grows(self.plan.load[target] * tries(self.plan.named_policy(guard.get("policy")))):
            return {"work": "1ms"}
        return {"call": target, **guard, **self._fallback(luck, depth)}

    def _publish(self, luck: Luck, topic: str, depth: int) -> dict[str, Any]:
        if not self._grows(self.plan.load[topic] + 1.0):
            return {"work": "1ms"}
        key = {"key": luck.pick("key", ("order", "user", "item"))} if luck.maybe("key of its own", 0.25) else {}
        if luck.maybe("outbox", 0.4):
            return {
                "publish": topic,
                "via": "outbox",
                "poll": luck.pick("poll", ("70ms", "1s")),
                "batch": luck.pick("batch", (1, 3, 100)),
                **key,
            }
        said = {"via": "broker"} if luck.maybe("said", 0.2) else {}
        return {"publish": topic, **said, **key, **self._guard(luck), **self._fallback(luck, depth)}

    def _guard(self, luck: Luck) -> dict[str, Any]:
        """A policy by name, now and then one of its own, or none."""
        how = luck.word("guard", {"named": 8, "own": 1, "none": 2})
        if how == "none":
            return {}
        return {
            "policy": policy(luck.at("own policy")) if how == "own" else luck.pick("policy", tuple(self.plan.policies))
        }

    def _fallback(self, luck: Luck, depth: int) -> dict[str, Any]:
        if depth >= DEEPEST or not luck.maybe("falls back", 0.35):
            return {}
        return {"fallback": self.some(luck.at("fallback"), DEEPEST)}


def _plain(kind: str, luck: Luck, mean: float) -> dict[str, Any]:
    if kind in ("work", "wait"):
        how_long = time(luck.at("time"), mean)
        wanted = luck.word("per", {"unsaid": 2, "request": 1, "attempt": 1})
        per = "request" if is_replayed(how_long) and wanted == "attempt" else wanted
        return {kind: how_long, **({} if per == "unsaid" else {"per": per})}
    if kind == "effect":
        name = luck.pick("effect", EFFECTS)
        return {"effect": {name: {"idempotent": luck.maybe("idempotent")}} if luck.maybe("options", 0.8) else name}
    if kind == "take":
        return (
            {"take": {"stock": {"check_to_write": time(luck.at("gap"), 0.003)}}}
            if luck.maybe("races")
            else {"take": "stock"}
        )
    if kind in ("fail", "refuse"):
        return {kind: luck.pick("share", (0.05, 0.1, 0.5, "1%"))}
    return {kind: {}}
