"""Systems made at random of what comes and goes, written as text."""

import random


class Elastic:
    """One of a seed: two services, events between them, and everything that may befall them."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.caches = 0  # each with a name of its own: those of one name are one

    def text(self):
        dice = self.dice
        visit = dice.choice(
            ["", "visit: {requests: {geometric: 3}, think: {exponential: 1s}, leaves_after_failure: 50%},"]
        )
        timeout = dice.choice(
            ["", "timeout: 2s,", "timeout: 700ms, retry: {max_attempts: 2, backoff: {constant: 100ms}},"]
        )
        record = dice.choice(["{keep: rows}", "{keep: rows, spans: all}"])
        return f"""
version: 1
duration: 150s
seed: {dice.randrange(10**6)}
record: {record}
traffic: {{clients: {{sends: front.get, {visit} {timeout} users: {{count: 50}}, items: {{count: 30, popularity: {{zipf: 1}}}},
  arrivals: {{profile: [{{rate: 2/s, for: 40s}}, {{rate: {dice.choice((5, 15))}/s, for: 50s}}, {{rate: 1/s}}]}}}}}}
network: {{default: {{latency: {dice.choice(("0s", "3ms", "{exponential: 20ms}"))}}}}}
services:
  front: {{replicas: {dice.choice((1, 2))}, workers: {dice.choice((4, 50))}, queue: {{capacity: {dice.choice((5, 100))}}}, {self.kind()}
    {self.elastic("front", False)} endpoints: {{get: [{", ".join(self.step(0) for _ in range(dice.randint(1, 3)))}]}}}}
  back: {{replicas: 2, workers: {dice.choice((2, 20))}, cores: {dice.choice((1, 2))}, {self.elastic("back", True)}
    endpoints: {{a: [{{work: {{exponential: 100ms}}}}, {{fail: 10%}}], b: [{{wait: 50ms}}, {{refuse: 10%}}, {{effect: done}}], c: [{{retract: done}}]}},
    consumes: {{events: {{group: g, auto_offset_reset: earliest, max_poll_records: 5, do: [{{work: {{exponential: 150ms}}}}, {{fail: 5%}}]}}}}}}
policies: {{p: {{timeout: 400ms, on_timeout: {dice.choice(("abandon", "cancel"))}}}}}
brokers: {{kafka: {{kind: log, topics: {{events: {{partitions: 4, key: order}}}}}}}}
faults: [{", ".join(self.faults())}]
"""

    def kind(self):
        return self.dice.choice(["", "concurrency: event_loop,", "cores: 2,"])

    def elastic(self, name, consumes):
        dice = self.dice
        if dice.random() < 0.25:
            return ""
        metric = dice.choice(
            [
                f"{word}: {target}"
                for word, target in (("workers", "40%"), ("requests", "3/s"), ("in_flight", 2), ("queue", 1))
            ]
        )
        if consumes and dice.random() < 0.5:
            metric = dice.choice(["cpu: 50%", "lag: {group: g, target: 5}"])
        least = dice.choice((0, 1)) if "lag" in metric else 1
        down = dice.choice(["", "behavior: {scale_down: {stabilization: 0s, policies: [{percent: 100, period: 5s}]}},"])
        start = dice.choice(["0s", "5s", "{exponential: 8s}"])
        drain = dice.choice(["0s", "2s", "{grace: 10s, pre_stop: 3s}"])
        return (
            f"autoscaling: {{min: {least}, max: 6, metrics: [{{{metric}}}], {down} sync_period: 5s, metrics_window: 5s, polling_interval: 7s, "
            f"cooldown_period: 20s}}, start: {{time: {start}, warm_up: {{slow: 2x, decay: 5s}}}}, drain: {drain},"
        )

    def step(self, depth):
        dice = self.dice
        kinds = [
            "call",
            "work",
            "publish",
            "call",
            *(("choose", "repeat", "race", "background", "cache", "saga") if depth < 2 else ()),
        ]
        inner = [self.step(depth + 1) for _ in range(2)] if depth < 2 else []
        match dice.choice(kinds):
            case "call":
                return f"{{call: back.{dice.choice('ab')}, policy: p}}"
            case "work":
                return "{work: {exponential: 20ms}}"
            case "publish":
                return f"{{publish: events{dice.choice(['', ', via: outbox'])}}}"
            case "choose":
                return f"{{choose: [{{share: 40%, do: [{inner[0]}]}}, {{share: 30%, do: [{inner[1]}]}}]}}"
            case "repeat":
                return f"{{repeat: {dice.choice(('3', '{poisson: 2}'))}, at_once: {dice.choice(('true', 'false'))}, do: [{inner[0]}]}}"
            case "race":
                return f"{{race: [[{inner[0]}], [{inner[1]}]], losers: {dice.choice(('abandon', 'cancel'))}}}"
            case "background":
                return f"{{background: [{inner[0]}]}}"
            case "cache":
                more = dice.choice(
                    [
                        "coalesce: true",
                        "stale_while_revalidate: 5s",
                        "size: 3, evict: lfu",
                        "scope: shared, negative_ttl: 2s, coalesce: true",
                    ]
                )
                self.caches += 1
                return f"{{cache: {{name: c{self.caches}, key: {dice.choice(('item', 'user', 'all'))}, ttl: 3s, {more}, then: [{inner[0]}]}}}}"
        first = dice.choice(["", "answers_first: true, "])
        return f"{{saga: [{{do: [{{call: back.b, policy: p}}], undo: [{{call: back.c, policy: p}}]}}, {{do: [{inner[0]}]}}], {first}undo_attempts: 3}}"

    def faults(self):
        dice = self.dice
        known = [
            "{at: 30s, deploy: back}",
            "{at: 60s, deploy: front, surge: 0%, unavailable: 50%}",
            "{at: 40s, restart: {of: front, one_by_one: 5s, grace: 2s}}",
            "{at: 50s, crash: {}, of: back, restart_after: 20s}",
            "{at: 45s, crash: {}, of: front, restart_after: 5s}",
            "{at: 70s, for: 10s, outage: back, how: hang}",
            "{at: 35s, for: 10s, outage: back, how: refuse}",
            "{at: 65s, for: 5s, outage: front, how: blackhole}",
            "{at: 10s, random: {mtbf: {exponential: 20s}, mttr: {exponential: 3s}, fault: {crash: {}, of: back}}}",
            "{at: 20s, for: 60s, random: {mtbf: {exponential: 15s}, mttr: {exponential: 4s}, fault: {outage: front, how: hang}}}",
        ]
        return dice.sample(known, dice.randint(0, 4))
