"""How much CPU a replica should ask for: Kubernetes' VerticalPodAutoscaler, as its recommender and updater compute.

Use is collected in a histogram of buckets that grow by 5 %, in which a sample weighs what its replica asked for, and
half as much after each half-life. Percentiles of it, with a margin, are the target and a range around it; the less is
known, the wider the range. Pure: handed `now`, in seconds; CPU is in cores.

Source: kubernetes/autoscaler, vertical-pod-autoscaler/pkg: recommender/util/histogram.go, decaying_histogram.go and
histogram_options.go, recommender/model/aggregate_container_state.go and aggregations_config.go,
recommender/logic/recommender.go and estimator.go, updater/priority and updater/restriction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

MOST = 1000.0  # cores: the last bucket begins there
FIRST_BUCKET = 0.01  # cores
GROWTH = 1.05  # of a bucket beside the one before it
LEAST_WEIGHT = 0.1  # of a sample
EPSILON = 0.001 * LEAST_WEIGHT  # a bucket that weighs less is empty
MOST_HALVINGS = 100  # until weights are written down, so that they do not overflow
BUCKETS = math.ceil(math.log(MOST * (GROWTH - 1.0) / FIRST_BUCKET + 1.0) / math.log(GROWTH)) + 1
DAY = 24 * 3600.0  # s
SAMPLES_OF_A_DAY = 24 * 60  # one each minute
MILLI = 1000.0


def bucket_of(cores: float) -> int:
    """The bucket that holds such a use."""
    if cores < FIRST_BUCKET:
        return 0
    return min(int(math.log(cores * (GROWTH - 1.0) / FIRST_BUCKET + 1.0) / math.log(GROWTH)), BUCKETS - 1)


def begin_of(bucket: int) -> float:
    """Cores at which a bucket begins."""
    return FIRST_BUCKET * (GROWTH**bucket - 1.0) / (GROWTH - 1.0) if bucket else 0.0


@dataclass(slots=True)
class Usage:
    """What has been seen of all replicas of a service. Times in s, weights in cores."""

    half_life: float
    weights: list[float] = field(default_factory=lambda: [0.0] * BUCKETS)
    total: float = 0.0
    reference: float = 0.0  # when a sample had the weight that it is given
    first: float = math.inf  # when the first sample began, and the last one
    last: float = -math.inf
    count: int = 0

    def add(self, now: float, cores: float, request: float) -> None:
        """A replica that asked for so much has used so much since `now`."""
        if now > self.reference + MOST_HALVINGS * self.half_life:
            self._write_down(now)
        weight = max(request, LEAST_WEIGHT) * 2.0 ** ((now - self.reference) / self.half_life)
        self.weights[bucket_of(cores)] += weight
        self.total += weight
        self.first, self.last = min(self.first, now), max(self.last, now)
        self.count += 1

    def _write_down(self, now: float) -> None:
        halvings = math.floor((now - self.reference) / self.half_life + 0.5)
        self.weights = [math.ldexp(weight, -halvings) for weight in self.weights]
        self.total = math.ldexp(self.total, -halvings)
        self.reference += halvings * self.half_life

    def percentile(self, share: float) -> float:
        """Cores: the end of the bucket in which this share of the weight is reached; 0 where nothing is known."""
        full = [bucket for bucket, weight in enumerate(self.weights) if weight >= EPSILON]
        if not full:
            return 0.0
        wanted, reached, bucket = share * self.total, 0.0, full[0]
        while bucket < full[-1]:
            reached += self.weights[bucket]
            if reached >= wanted:
                break
            bucket += 1
        return begin_of(min(bucket + 1, BUCKETS - 1))

    @property
    def confidence(self) -> float:
        """Days of history, or of samples at one a minute, whichever is less."""
        return min((self.last - self.first) / DAY, self.count / SAMPLES_OF_A_DAY) if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Percentiles:
    """What is looked at, as shares."""

    target: float = 0.9
    lower: float = 0.5
    upper: float = 0.95
    margin: float = 0.15  # is added to each of them


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between how many cores a recommendation may be."""

    least: float = 0.025
    most: float = math.inf


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Cores, in whole thousandths."""

    target: float
    lower: float
    upper: float


def recommend(usage: Usage, percentiles: Percentiles, bounds: Bounds) -> Recommendation | None:
    """None: nothing has been seen yet."""
    if not usage.count:
        return None
    known = usage.confidence
    shrunk = (1.0 + 0.001 / known) ** -2.0 if known > 0.0 else 0.0
    grown = 1.0 + 1.0 / known if known > 0.0 else math.inf

    def of(share: float, factor: float) -> float:
        milli = float(int(usage.percentile(share) * MILLI))
        milli = (milli + int(milli * percentiles.margin)) * factor
        cores = math.floor(milli) / MILLI if math.isfinite(milli) else milli
        return min(max(cores, bounds.least), bounds.most)

    return Recommendation(of(percentiles.target, 1.0), of(percentiles.lower, shrunk), of(percentiles.upper, grown))


@dataclass(frozen=True, slots=True)
class Wish:
    """How much a replica should be changed."""

    outside: bool  # of the recommended range
    grows: bool
    change: float  # as a share of what it asks for


def wish(request: float, its: Recommendation) -> Wish:
    """What the updater thinks of a replica that asks for so many cores."""
    return Wish(
        not its.lower <= request <= its.upper,
        its.target > request,
        abs(request - its.target) / max(request, 1.0 / MILLI),
    )


def may_update(wish: Wish, age: float, threshold: float, lifetime: float) -> bool:
    """Outside of the range at once; else after a while, and only where much would change. Times in s."""
    return wish.outside or (age >= lifetime and wish.change >= threshold)


def may_disturb(configured: int, running: int, done: int, tolerance: int) -> bool:
    """Whether one more replica may be evicted or resized in this round, in which so many were already."""
    if running - done > configured - tolerance:
        return True
    return running == configured and tolerance == 0 and done == 0
