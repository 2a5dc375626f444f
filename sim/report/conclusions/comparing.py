"""What a comparison, or one run, comes to: a winner where the intervals allow to name one, or what it depends on; and
what went wrong, asked or not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from sim.experiments.replicating.results import Comparison, VariantResult, undecided
from sim.report.conclusions.conclusion import Conclusion
from sim.report.conclusions.ranking import Ranking, Standing, rank
from sim.report.frame.blocks import Line
from sim.report.stations import busiest
from sim.report.verdict import expectations_in_words
from sim.report.words import better_direction, count_of, label_of, lasting, listed, show, show_between, show_interval
from sim.vocabulary import split_key, unit_of

HARMS = {
    "lost_orders": "Orders lost (their clients were told that all is well)",
    "double_charges": "Charges beyond the first of an order",
    "charged_not_reserved": "Orders charged without a reservation",
    "charged_after_failure": "Orders charged although the client was told of a failure",
    "oversold_items": "Items sold that were not there",
    "dropped_iterations": "Iterations that the load generator dropped, so that the load was less than said",
}
"""What no test of speed shows. It is told wherever it happened, whether or not an expectation asks for it."""
_FEW_ANSWERED = 0.99  # of the requests answered well: a percentile of fewer says so
# who answers few, and these fast, is faster only where it answers
_OF_THE_ANSWERED = ("response_p95", "completion_p95")
_MOST_NAMED = 4  # criteria in one sentence


def conclude(comparison: Comparison) -> Conclusion:
    """The answer to a comparison of any number of variants."""
    points = [*harms(comparison), *_expectations(comparison)]
    if len(comparison.variants) == 1:
        return Conclusion(_alone(next(iter(comparison.variants.values()))), points)
    ranking = rank(comparison)
    return Conclusion(
        _sentence(comparison, ranking), [*points, *_standings(comparison, ranking), *_others(comparison, ranking)]
    )


def _sentence(comparison: Comparison, ranking: Ranking) -> str:
    best = comparison.method.best
    if best is not None:
        return _selected(comparison)
    if not comparison.judged:
        return (
            "No verdict: one replication is one draw of luck, and shows what can happen, not which variant is "
            "better. Run more replications."
        )
    if set(comparison.identical) == set(list(comparison.variants)[1:]):
        return f"It makes no difference: in all variants every request is the same as in {comparison.baseline}."
    if not ranking.standings and ranking.unjudged:
        return f"No verdict: {_too_few(comparison, ranking)} Run more replications."
    if not ranking.standings:
        return (
            f"No winner: in {count_of(comparison.replications, 'replication')} nothing that matters here tells the "
            "variants apart."
        )
    if len(ranking.unbeaten) == 1:
        return _winner(comparison, ranking, ranking.unbeaten[0])
    if not ranking.unbeaten:
        return _depends(comparison, ranking)
    return f"{_shared(ranking)} {_too_few(comparison, ranking)}".strip()


def _too_few(comparison: Comparison, ranking: Ranking) -> str:
    """In what nothing could be judged; '' where all could."""
    if not ranking.unjudged:
        return ""
    return f"{count_of(comparison.replications, 'replication')} are too few to judge {_named(ranking.unjudged)}."


def _winner(comparison: Comparison, ranking: Ranking, first: str) -> str:
    """The one that nobody beats; it has won only where it beats everybody else in something. Who varies so much that
    nothing can be told of him is beaten by nobody either.
    """
    level = [name for name in ranking.variants if name != first and not ranking.ahead(first, name)]
    if level:
        return (
            f"No winner: no other variant is better than {first} beyond doubt, but in "
            f"{count_of(comparison.replications, 'replication')} nothing tells it from {listed(level)} either. "
            "Run more replications."
        )
    best = [standing.key for standing in ranking.standings if _is_best(comparison, standing, first)]
    where = f"best in {_named(best)}" if best else "ahead of each of the others in something"
    return f"{first} wins: it is {where}, and no other variant is better in anything compared here."


def _is_best(comparison: Comparison, standing: Standing, name: str) -> bool:
    """Whether nobody is certainly better, and of those who are level nobody on average."""
    good = _goodness(comparison, standing.key)
    return name in standing.leaders and good(name) == min(map(good, standing.leaders))


def _shared(ranking: Ranking) -> str:
    """Several that nobody beats."""
    unbeaten = ranking.unbeaten
    rest = [name for name in ranking.variants if name not in unbeaten]
    if all(ranking.ahead(name, other) for name in unbeaten for other in rest):
        behind = f"and each is ahead of {listed(rest)} in something"
    else:
        behind = f"and {listed(rest)} {'is' if len(rest) == 1 else 'are each'} behind one of them in something"
    return f"{listed(list(unbeaten))} share the first place: nothing tells them apart, {behind}."


def _selected(comparison: Comparison) -> str:
    """What the procedure that was asked for has selected."""
    best = comparison.method.best
    assert best is not None
    text = str(best).removeprefix("best: ")
    return (
        f"{text[0].upper()}{text[1:]}."
        if not best.decided
        else f"{best.leader} wins by {label_of(best.metric)}: {text.partition(', ')[2] or text}."
    )


def _depends(comparison: Comparison, ranking: Ranking) -> str:
    """No variant is behind in nothing: who is behind in least, and who is better where; or what it depends on."""
    defeats = {name: len(ranking.defeats(name)) for name in ranking.variants}
    fewest = min(defeats.values())
    first, *rivals = [name for name, count in defeats.items() if count == fewest]
    if not rivals and 2 * fewest <= len(ranking.standings):
        lost = [standing for standing in ranking.standings if standing.behind.get(first)]
        led = [standing.key for standing in ranking.standings if first in standing.leaders]
        return (
            f"{first} comes out ahead, best or level with the best in {_named(led)}; but not in all: "
            f"{'; '.join(_better_there(comparison, lost, first))}."
        )
    return f"It depends on what matters, no variant is best in all: {'; '.join(_merged(comparison, ranking))}."


def _better_there(comparison: Comparison, lost: Sequence[Standing], name: str) -> Iterator[str]:
    """Who is better than a variant, and in what."""
    by: dict[tuple[str, ...], list[str]] = {}
    for standing in lost:
        by.setdefault(tuple(sorted(standing.behind[name])), []).append(standing.key)
    for who, keys in by.items():
        better = _first_few([f"{_name(key)}{_few_answered(comparison, key, who)}" for key in keys])
        yield f"{listed(list(who))} {'is' if len(who) == 1 else 'are'} better in {better}"


def _merged(comparison: Comparison, ranking: Ranking) -> Iterator[str]:
    """The leaders of each criterion, criteria with the same leaders together."""
    by: dict[tuple[str, ...], list[str]] = {}
    for standing in ranking.standings:
        by.setdefault(standing.leaders, []).append(standing.key)
    for leaders, keys in by.items():
        best = _first_few([f"{_name(key)}{_few_answered(comparison, key, leaders)}" for key in keys])
        yield f"{listed(list(leaders))} for {best}"


def _few_answered(comparison: Comparison, key: str, names: Sequence[str]) -> str:
    """On how few requests a percentile of these variants stands, in brackets; empty where they answer nearly all."""
    if split_key(key)[0] not in _OF_THE_ANSWERED:
        return ""
    shares = {name: _answered(comparison.variants[name]) for name in names}
    few = {name: share for name, share in shares.items() if share < _FEW_ANSWERED}
    if len(names) == 1:
        return "".join(f" (of the {show(share, 'share')} it answers well)" for share in few.values())
    told = [f"{show(share, 'share')} in {name}" for name, share in few.items()]
    return f" (of those answered well: {listed(told)})" if told else ""


def _answered(variant: VariantResult) -> float:
    """The share of requests answered well; 1 where nobody says."""
    available = variant.metrics.get("availability")
    return 1.0 if available is None or math.isnan(available.value) else available.value


def _named(keys: Sequence[str]) -> str:
    """Criteria in a sentence, the first few of them."""
    return _first_few([_name(key) for key in keys])


def _first_few(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return listed([*names[:_MOST_NAMED], f"{more} more"] if more > 1 else names)


def _name(key: str) -> str:
    name, label = split_key(key)
    words = {"cost_per_thousand": "cost per order", "double_charges": "double charges"}.get(name) or label_of(name)
    if name == "recovery_time":
        return "recovery of completion" if label.endswith(", completion") else "recovery"
    return words


def _standings(comparison: Comparison, ranking: Ranking) -> Iterator[Line]:
    """Each criterion that tells variants apart, the leaders first, with their figures."""
    told = {standing.key for standing in ranking.standings} - set(HARMS)
    for standing in ranking.standings:
        if standing.key in told:
            yield Line(f"{_capital(label_of(standing.key))}: {_in_order(comparison, standing)}.")


def _in_order(comparison: Comparison, standing: Standing) -> str:
    """`async 18.4 ms, then sync 193 ms and no-breaker 225 ms`: whoever leads, and the others from good to bad."""
    key, good = standing.key, _goodness(comparison, standing.key)
    leaders, beaten = sorted(standing.leaders, key=good), sorted(standing.beaten, key=good)
    said = [
        listed([f"{name} {_figure(comparison.variants[name], key)}" for name in names])
        for names in (leaders, beaten)
        if names
    ]
    return ", then ".join(said)


def _goodness(comparison: Comparison, key: str) -> Callable[[str], float]:
    """How good a variant is by a figure, on average: the lower the better."""
    sign = 1 if better_direction(key) == "lower" else -1
    return lambda name: sign * comparison.variants[name].metrics[key].value


def _figure(variant: VariantResult, key: str) -> str:
    text, answered = show_interval(variant.metrics[key], unit_of(key)), _answered(variant)
    if split_key(key)[0] in _OF_THE_ANSWERED and answered < _FEW_ANSWERED:
        return f"{text} (of the {show(answered, 'share')} answered well)"
    return text


def _others(comparison: Comparison, ranking: Ranking) -> Iterator[Line]:
    """Variants that somebody else makes needless, where there are more than two."""
    if len(ranking.variants) > 2:
        for name in ranking.variants:
            if better := ranking.dominated(name):
                yield Line(
                    f"{name} is never the one to take: {better} is better in {_named(ranking.ahead(better, name))}, "
                    "and worse in nothing."
                )
    for name, other in comparison.identical.items():
        yield Line(f"{name} and {other} are the same, request by request.")


def harms(comparison: Comparison) -> Iterator[Line]:
    """What went wrong with orders and money, in a run on average: told of all variants as soon as it happened
    in one.
    """
    for key, words in HARMS.items():
        figures = {
            name: variant.metrics[key] for name, variant in comparison.variants.items() if key in variant.metrics
        }
        wrong = [f"{show_interval(figure, '1')} in {name}" for name, figure in figures.items() if figure.value > 0]
        right = [name for name, figure in figures.items() if figure.value == 0]
        if wrong:
            where = f"; none in {listed(right)}" if right else ""
            alone = len(comparison.variants) == 1
            yield Line(f"{words}: {wrong[0].partition(' in ')[0] if alone else f'{listed(wrong)}{where}'}.", "bad")


def _expectations(comparison: Comparison) -> Iterator[Line]:
    for sentence in expectations_in_words(comparison):
        yield Line(sentence, "good" if comparison.passed else "bad")


def _alone(variant: VariantResult) -> str:
    """One run: how many were answered well, how fast, and what was busiest."""
    metrics = variant.metrics
    bounds = undecided(metrics, "availability")
    available = metrics.get("availability")
    share = show_between(bounds, "share") if bounds else show(available.value, "share") if available is not None else ""
    slow = metrics.get("response_p95")
    fast = (
        f", 95% of these within {_limit(slow.value, slow.censored)}"
        if slow is not None and not math.isnan(slow.value)
        else ""
    )
    station, busy = busiest(variant), metrics.get("utilisation_max")
    most = (
        f"; the busiest station, {station}, is {show(busy.value, 'share')} busy"
        if station and busy is not None and math.isfinite(busy.value)
        else ""
    )
    return (
        f"{share} of the requests are answered well{fast}{most}."
        if share and share != "-"
        else f"No request was answered{most}."
    )


def _limit(value: float, censored: bool) -> str:
    return f"{'more than ' if censored else ''}{show(value, 's') if value < 60 else lasting(value)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
