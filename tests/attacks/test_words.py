"""The random systems of tests/models/any_scenario.py say every word of the language; those that they do not are named here with the reason."""

from __future__ import annotations

from sim.spec import load_document
from tests.attacks.words import language, spoken
from tests.models.any_scenario import any_scenario

SEEDS = 400

NOT_SPOKEN = {
    "is read from a file when the scenario is loaded; random systems hold what was read, as the loader embeds it": """
        Empirical.file Empirical.column Empirical.unit Empirical.where
        Empirical.unit:h Empirical.unit:m Empirical.unit:ms Empirical.unit:ns Empirical.unit:s Empirical.unit:us
        Replayed.unit Replayed.where
        Replayed.unit:h Replayed.unit:m Replayed.unit:ms Replayed.unit:ns Replayed.unit:s Replayed.unit:us
        Replay.counts Replay.every Replay.speed Replay.timestamps Replay.unit Replay.where
        Replay.unit:h Replay.unit:m Replay.unit:ms Replay.unit:ns Replay.unit:s Replay.unit:us
        Rows.began Rows.clock Rows.unit Rows.clock:local Rows.clock:start Rows.clock:utc Scenario.duration:recording""",
    "changes no run: a promise, a price, a name, or which of its records are kept of the records, as tests/compiled varies it": """
        Scenario.name Scenario.warmup Scenario.expect Service.cost Gateway.cost
        Traffic.objective Route.objective Objective.availability Objective.latency
        Scenario.record Recording.interval Recording.keep Recording.keep:rows Recording.keep:summary
        Recording.spans Recording.spans:all Recording.spans:exemplars Recording.spans:none""",
    "is taken apart before a run: variants are scenarios of their own, and `auto` is found by pilot runs": """
        Scenario.variants Scenario.plugins Scenario.warmup:auto""",
    "is another form of what is said: the numbers 0 and 1, and null": "LogBroker.acks:0 LogBroker.acks:1 Topic.key:sticky",
    "is not made at random yet": """
        Branch.mean Branch.probability Budget.min_per_second Budget.ttl
        Diurnal.amplitude Diurnal.mean Diurnal.period Diurnal.phase Empirical.data Erlang.mean Erlang.phases
        ExponentialBackoff.max ExponentialBackoff.multiplier
        FlashCrowd.base FlashCrowd.decay FlashCrowd.peak FlashCrowd.rise Gamma.cv Gamma.mean Gamma.scale Gamma.shape
        Gateway.queue Gateway.workers:unlimited HyperExponential.branches HyperExponential.cv HyperExponential.mean
        LinearBackoff.base LinearBackoff.max LinkBetween.between LinkBetween.latency LinkBetween.loss
        LogNormal.cv LogNormal.mean LogNormal.median LogNormal.p95 LogNormal.p99 LogNormal.sigma
        MarkovModulated.rates MarkovModulated.stays Mixture.parts Mixture.weights Network.links
        Pareto.alpha Pareto.mean Pareto.minimum Popularity.popularity Popularity.popularity:uniform Popularity.popularity:zipf
        Profile.segments Profile.times Publish.key Publish.key:item Publish.key:order Publish.key:user Publish.via:broker RateLimit.window
        Replay.times Replayed.column Replayed.data Replayed.file
        Resilience4jBreaker.failure_rate_threshold Resilience4jBreaker.sliding_window_type
        Resilience4jBreaker.sliding_window_type:count_based Resilience4jBreaker.sliding_window_type:time_based
        Resilience4jBreaker.slow_call_duration_threshold Resilience4jBreaker.slow_call_rate_threshold
        Retry.jitter:equal Route.authenticate Route.translate
        Segment.diurnal Segment.flash_crowd Segment.for Segment.from Segment.rate Segment.to Topic.key:item
        Translate.response_work Translate.to Translate.to:grpc Translate.work Users.popularity:uniform
        Weibull.mean Weibull.scale Weibull.shape
        arrivals-mmpp arrivals-profile backoff-linear
        distribution-empirical distribution-erlang distribution-gamma distribution-hyperexponential distribution-lognormal
        distribution-mixture distribution-pareto distribution-replay distribution-weibull""",
}
"""Reason -> words, written without blanks."""


def test_random_systems_say_every_word_of_the_language():
    made = set().union(*(spoken(one) for seed in range(SEEDS) for one in load_document(any_scenario(seed)).variants.values()))
    excused = {word for words in NOT_SPOKEN.values() for word in words.split()}
    left_out = {word.replace(": ", ":").replace(" ", "-") for word in language() - made}
    assert sorted(left_out - excused) == [], "teach them to tests/models/any_scenario.py, or say here why not"
    assert sorted(excused - left_out) == [], "they are said now (or are no words): strike them from the list"


def test_the_words_are_those_of_the_schema():
    words = language()
    assert {"step publish", "Service.replicas", "Queue.discipline: lifo", "Service.workers: unlimited", "Scenario.variants"} <= words
    assert "Fault.at" not in words
