"""What the requests of a class do, as steps: their own time, their failures, whom they call and how."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.importing.draft import AtOnce, CallOf, Draft, Key, Plain, Repeated, Said, Sometimes, Step, Topic
from sim.importing.traces.calls import Requests, Site
from sim.importing.traces.classes import RequestClass, classified
from sim.importing.traces.table import Spans
from sim.importing.traces.times import duration, many, said_of
from sim.spec.document import Place

ENOUGH_OF_ONE = 20  # runs of a class from which its own time is told apart from that of the endpoint
ALIKE = 0.05  # coefficient of variation of what callers waited before they gave up, to be one timeout
MOST_TRIES = 1000  # of the language
OFTEN = 3  # times on end from which a call is written once, as `repeat`
LEAST_SHARE = 0.001  # of a call that is made now and then


class Runs:
    """All runs of endpoints, as columns, and their classes."""

    def __init__(self, requests: Requests) -> None:
        self.requests = requests
        shape = np.frombuffer(requests.shape, np.int32)
        self._own = np.frombuffer(requests.own, np.float64)
        self._failed = np.frombuffer(requests.failed, np.uint8)
        count = len(requests.shapes)
        runs = np.bincount(shape, minlength=count)
        well = np.bincount(shape[self._failed == 0], minlength=count)
        self.classes = classified(requests.shapes, runs.tolist(), well.tolist())
        self.class_of = np.array([self.classes.of_shape[number] for number in range(count)], np.int32)  # of a shape
        self._class = self.class_of[shape]
        self._endpoint = np.array([its.endpoint for its in requests.shapes], np.int32)[shape]
        self._calls = np.array([len(its.items) for its in requests.shapes], np.int32)[shape]

    def time(self, number: int) -> Said:
        """What the runs of a class that ended well took themselves; of its endpoint where there are few."""
        mine = (self._class == number) & (self._failed == 0)
        runs = mine
        if np.count_nonzero(mine) < ENOUGH_OF_ONE:
            runs = self._endpoint == self.classes.found[number].endpoint
        well = runs & (self._failed == 0)
        sample = self._own[well if well.any() else runs]
        return said_of(sample, many(sample.size, "run"))

    def failing(self, endpoint: int) -> tuple[Said | None, bool]:
        """How often runs of an endpoint fail by themselves, and whether before their calls."""
        here = self._endpoint == endpoint
        failed = here & (self._failed == 1)
        total, count = int(np.count_nonzero(here)), int(np.count_nonzero(failed))
        if not count:
            return None, False
        well = here & (self._failed == 0)
        early = bool(well.any()) and float(self._calls[failed].mean()) < 0.5 * float(self._calls[well].mean())
        return Said({"fail": f"{100 * count / total:.3g}%"}, f"{count:,} of {total:,} failed by themselves"), early


class Doing:
    """Writes steps. `keys` of services and `names` of classes are known when the first is written."""

    def __init__(self, spans: Spans, runs: Runs, services: list[str], draft: Draft) -> None:
        """`services` are their names by number."""
        self._spans, self._runs, self._services, self._draft = spans, runs, services, draft
        self.keys: dict[int, Key] = {}  # of services
        self.names: dict[int, str] = {}  # of the endpoints that classes are
        self.circular: set[tuple[int, int]] = set()  # class and topic of publications that are left out

    def steps(self, number: int, at: Place) -> Iterator[Step]:
        """The steps of a class; `at` is the file they come from."""
        its = self._runs.classes.found[number]
        time = self._runs.time(number)
        yield Plain(Said({"work": time.value}, time.remark, time.to_be_supplied))
        fails, early = self._runs.failing(its.endpoint)
        if fails is not None and early:
            yield Plain(fails)
        cut = {-1 - topic for its_class, topic in self.circular if its_class == number}
        groups = [[[item for item in branch if item not in cut] for branch in group] for group in its.groups]
        yield from self._grouped(its, [[branch for branch in group if branch] for group in groups], at)
        for item in its.besides:
            if item not in cut and its.share(item) >= LEAST_SHARE:
                yield self._now_and_then(its, item, at)
        after = [item for item in its.after if item not in cut]
        if after:
            yield Plain(Said({"reply": None}, "what follows goes on after the answer"))
            yield from (self._one(its, item, at) for item in after)
        if fails is not None and not early:
            yield Plain(fails)

    def _grouped(self, its: RequestClass, groups: list[list[list[int]]], at: Place) -> Iterator[Step]:
        """Groups one after the other; the same call several times on end, or in several branches, is repeated."""
        single = [group[0][0] if len(group) == 1 and len(group[0]) == 1 else None for group in groups]
        place = 0
        while place < len(groups):
            group, item, times = groups[place], single[place], 1
            while item is not None and place + times < len(groups) and single[place + times] == item:
                times += 1
            if item is not None and times >= OFTEN:
                yield Repeated(times, self._made(its, item, at))
            elif item is not None:
                yield from (self._one(its, item, at) for _ in range(times))
            elif len(group) >= OFTEN and all(branch == group[0] and len(branch) == 1 for branch in group):
                yield Repeated(len(group), self._made(its, group[0][0], at), at_once=True)
            elif len(group) > 1:
                yield AtOnce(tuple(tuple(self._made(its, one, at) for one in branch) for branch in group))
            else:
                yield from (self._one(its, one, at) for branch in group for one in branch)
            place += times

    def _one(self, its: RequestClass, item: int, at: Place) -> Step:
        """A call, or one that is made now and then where some that count as of the class do without it."""
        if its.items[item] == 1 and 0 < its.share(item) < 1 - LEAST_SHARE:
            return self._now_and_then(its, item, at)
        return self._made(its, item, at)

    def _now_and_then(self, its: RequestClass, item: int, at: Place) -> Step:
        share = min(its.share(item), 1.0)
        return Sometimes(share, self._made(its, item, at), f"of {its.runs:,} that are alike")

    def _made(self, caller: RequestClass, item: int, at: Place) -> Plain | CallOf:
        """A call of a class, or a publication."""
        if item < 0:
            topic = self._spans.names[-1 - item]
            self._draft.topics.setdefault(topic, Topic(None, "how many partitions: no trace says it"))
            return Plain(Said({"publish": topic}, ""))
        requests = self._runs.requests
        callee = self._runs.classes.found[item]
        site = requests.sites.get((caller.endpoint, callee.endpoint), Site())
        tolerated = site.failed > 0 and site.tolerated * 2 > site.failed
        remark = f"{site.failed:,} of {site.calls:,} failed, and their caller went on" if tolerated else ""
        self._draft.take(at, "call")
        policy = self._policy(caller.endpoint, callee.endpoint, site)
        key = self.keys[requests.endpoints[callee.endpoint][0]]
        return CallOf(key, self.names[item], policy, tolerated, remark)

    def _policy(self, caller: int, callee: int, site: Site) -> str:
        """The name of the policy that these calls seem to have; empty for none."""
        waits = np.frombuffer(site.timeouts) if site.timeouts else np.zeros(0)
        fields: dict[str, object] = {}
        words: list[str] = []
        if waits.size >= 3 and waits.std() <= ALIKE * waits.mean():
            usual = float(np.median(waits))
            fields["timeout"] = duration(float(f"{usual:.2g}"))
            words.append(f"{many(waits.size, 'caller')} gave up after {duration(usual)}")
        if site.most_tries > 1:
            pause = float(np.mean(np.frombuffer(site.pauses)))
            attempts = min(site.most_tries, MOST_TRIES)
            fields["retry"] = {"max_attempts": attempts, "backoff": {"constant": duration(pause)}}
            again = f"{site.tries - site.calls:,} tries beside {site.calls:,} first ones"
            words.append(f"{again}, {site.most_tries} at most")
        if not fields:
            return ""
        endpoints = self._runs.requests.endpoints
        ours, theirs = self._services[endpoints[caller][0]], self._services[endpoints[callee][0]]
        name = f"{ours} to {theirs} {self._spans.names[endpoints[callee][1]]}"[:150]
        self._draft.guards[name] = (fields, "; ".join(words))
        return name
