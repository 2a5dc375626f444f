"""How often requests came in by the traces, and what lies between two services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sim.importing.draft import Arrived, Key, Measured, Said, between
from sim.importing.traces.calls import Requests
from sim.importing.traces.times import duration, many, said_of
from sim.stats.pieces import pieces

ENOUGH = 50  # calls from which the latency of one link is told apart
FAR = 1.5  # times the usual latency, or a part of it as small: a link of its own
PEAK = 10**9  # ns in which the most requests are counted
SHORTEST = 0.001  # s of a recording that says how often requests come
LONGEST = 10**7  # s of a recording whose seconds are counted
ONE_SIDED = Said("0ms", "told from one side: the way is in the times")


def network(requests: Requests, keys: Mapping[int, Key], measured: Measured) -> None:
    """The way between two services, from calls of which both sides are told; what brokers take, beside the way to
    them.
    """
    hops = {
        pair: np.frombuffer(values)
        for pair, values in requests.hops.items()
        if set(pair) <= keys.keys() and pair[0] != pair[1]
    }
    two_sided = sum(values.size for values in hops.values())
    usual = 0.0
    if not hops:
        measured.latency = Said("0ms", "no call is told from both sides: the ways are in the times of the callers")
    elif sum(requests.pairs.values()) > two_sided:
        measured.latency = Said("0ms", "most calls are told from one side: the ways are in the times")
        for (caller, callee), values in hops.items():
            measured.links.append((keys[caller], keys[callee], said_of(values, many(values.size, "call"))))
    else:
        together = np.concatenate(list(hops.values()))
        usual = float(together.mean())
        said = said_of(together, f"{many(together.size, 'call')} told from both sides")
        remark = f"one way, half of what callers wait beyond their callees; {said.remark}"
        measured.latency = Said(said.value, remark, said.to_be_supplied)
        for (caller, callee), values in hops.items():
            far = not usual / FAR <= float(values.mean()) <= usual * FAR
            if far and len(hops) > 1 and values.size >= ENOUGH:
                measured.links.append((keys[caller], keys[callee], said_of(values, many(values.size, "call"))))
        _one_sided(requests, keys, measured)
    measured.links = list({frozenset(link[:2]): link for link in reversed(measured.links)}.values())[::-1]
    if requests.acks:
        acks = np.maximum(np.frombuffer(requests.acks) - 2 * usual, 0.0)
        measured.acks = said_of(acks, many(acks.size, "publication"))


def _one_sided(requests: Requests, keys: Mapping[int, Key], measured: Measured) -> None:
    """Links of which no call is told from both sides add nothing to the times."""
    for pair in requests.pairs:
        one, other = keys.get(pair[0]), keys.get(pair[1])
        if one is not None and other is not None and one != other and not {pair, pair[::-1]} & requests.hops.keys():
            measured.links.append((one, other, ONE_SIDED))


def arrivals(arrived: Arrived, sampled: Mapping[float, int], measured: Measured, perhaps: bool = True) -> None:
    """What came in, how often, and at the most. `perhaps`: what was recorded may be a sample of all."""
    measured.arrived = arrived
    sends: Counter[tuple[Key, str]] = Counter()
    for part in pieces(arrived.target.size):
        for place, number in enumerate(np.bincount(arrived.target[part]).tolist()):
            sends[arrived.targets[place]] += number
    measured.sends = dict(sends.most_common())
    at = arrived.at
    count, window = len(at), between(at)
    if count < 2 or window < SHORTEST:
        remark = f"how many requests come; {count} recorded says nothing of it"
        measured.arrivals = Said({"poisson": "10/s"}, remark, True)
        return
    rate, remark = (count - 1) / window, f"{many(count, 'request')} in {duration(window)}"
    if 5 <= window < LONGEST:
        remark += f", at most {_busiest(at):,} in a second"
    share = next(iter(sampled)) if len(sampled) == 1 else 1.0
    if share < 1.0:
        rate, remark = rate / share, f"{remark}; {100 * share:.3g} % of all were recorded, as their sampler says"
    elif perhaps:
        remark += "; where only a sample of all requests was recorded, more by as much"
    measured.arrivals = Said({"poisson": f"{rate:.4g}/s"}, remark)


def _busiest(at: NDArray[np.int64]) -> int:
    """The most in a second, counted from the first on."""
    counts = np.zeros(int(at[-1] - at[0]) // PEAK + 1, np.int64)
    for part in pieces(at.size):
        seconds = (at[part] - at[0]) // PEAK
        found = np.bincount(seconds - seconds[0])
        counts[seconds[0] : seconds[0] + found.size] += found
    return int(counts.max())
