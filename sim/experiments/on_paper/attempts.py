"""What a guarded call becomes on paper: how many attempts, how long they hold their caller, and how it ends.

An attempt is over at its answer or at its timeout, whichever is first: E[min(X, timeout)] over the distribution. One
that times out or fails is made again with the probability of that, after the back-off, up to `max_attempts`, the total
timeout, and the ratio of a retry budget. Every attempt draws anew here; what it changes that a request keeps its work
is in `alike`.

Not on paper: open breakers, full bulkheads, and the standing allowance of a budget, which lets all retries pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sim.experiments.on_paper.times import NEVER, NOTHING, Times, any_of
from sim.spec.distribution import Uniform
from sim.spec.library_backoffs import LibraryBackoff
from sim.spec.policy import Budget, CallPolicy, Hedge, Retry

# between which shares of a pause it lies, evenly
_JITTERS = {"none": (1.0, 1.0), "full": (0.0, 1.0), "equal": (0.5, 1.0)}
SELDOM = 1e-4  # a share of attempts that time out, or are made again, which changes nothing
FOLLOWED = 30  # attempts whose times are told from one another; of later ones only the means are
LEAST = 1e-7  # a share of calls that makes one more attempt and is not followed any further


@dataclass(frozen=True, eq=False)
class Ends:
    """When and how something ends; the shares of the three add up to at most 1, the rest has not begun."""

    ok: Times = NEVER
    refused: Times = NEVER  # by the business
    failed: Times = NEVER

    @property
    def expected(self) -> float:
        """Mean seconds to the end, whichever it is."""
        return self.ok.expected + self.refused.expected + self.failed.expected

    def later(self, before: Times) -> Ends:
        """The same after something else."""
        return Ends(before.plus(self.ok), before.plus(self.refused), before.plus(self.failed))


@dataclass(frozen=True, eq=False)
class Tries:
    """A call, with all its attempts."""

    ends: Ends
    attempts: float  # on average
    held: float  # s; for which attempts are under way, on average, all of one call together
    times_out: bool = False  # whether attempts do, oftener than seldom
    saved: float = 0.0  # s; by which the callee is done sooner with them, where a timeout cancels

    @property
    def repeats(self) -> bool:
        """Whether attempts are made again, oftener than seldom."""
        return self.attempts > 1.0 + SELDOM


def one_of_tries(several: Sequence[tuple[float, Tries]]) -> Tries:
    """One of several calls, by their shares."""
    ends = Ends(
        any_of([its.ends.ok.of(share) for share, its in several]),
        any_of([its.ends.refused.of(share) for share, its in several]),
        any_of([its.ends.failed.of(share) for share, its in several]),
    )
    return Tries(
        ends,
        math.fsum(share * its.attempts for share, its in several),
        math.fsum(share * its.held for share, its in several),
        any(its.times_out for _, its in several),
        math.fsum(share * its.saved for share, its in several),
    )


def tries(answer: Ends, policy: CallPolicy) -> Tries:
    """A call of something that answers so, under this policy."""
    limits = [limit for limit in (policy.timeout, policy.total_timeout) if limit is not None]
    once, late = attempt(answer, min(limits, default=None))
    if policy.retry is None or policy.retry.max_attempts == 1:
        whole = Tries(Ends(once.ok, once.refused, any_of([once.failed, late])), 1.0, once.expected + late.expected)
    else:
        whole = _again(once, late, policy.retry, policy.total_timeout)
    if policy.hedge is not None:
        more = 1.0 + _copies(answer, policy.hedge)
        whole = replace(whole, attempts=whole.attempts * more, held=whole.held * more)
    saved = whole.attempts * max(0.0, answer.expected - once.expected - late.expected) if policy.cancels else 0.0
    return replace(
        whole,
        ends=_cut(whole.ends, policy.total_timeout),
        saved=saved if math.isfinite(saved) else 0.0,
        times_out=late.share > SELDOM,
    )


def _copies(answer: Ends, hedge: Hedge) -> float:
    """Copies for each attempt, on average; its times are taken as without them."""
    if hedge.quantile is not None:
        later = 1.0 - hedge.quantile
    else:
        delay = hedge.delay or 0.0
        slow = math.fsum(its.share * its.above(delay) for its in (answer.ok, answer.refused) if its.share > 0.0)
        later = slow + answer.failed.share
    copies = later if hedge.most == 1 else later * (1.0 - later**hedge.most) / max(1e-9, 1.0 - later)
    return copies if hedge.extra_load is None else min(copies, hedge.extra_load)


def attempt(answer: Ends, timeout: float | None) -> tuple[Ends, Times]:
    """How one attempt ends in time, and those that time out."""
    if timeout is None:
        return answer, NEVER
    kept = Ends(*(times.in_time(timeout) for times in (answer.ok, answer.refused, answer.failed)))
    shares = [
        (whole.share, part.share)
        for whole, part in ((answer.ok, kept.ok), (answer.refused, kept.refused), (answer.failed, kept.failed))
    ]
    late = math.fsum(whole - part for whole, part in shares)
    return _exact(kept, answer, timeout), Times(late, timeout) if late > NOTHING else NEVER


def _exact(kept: Ends, answer: Ends, timeout: float) -> Ends:
    """With the means as E[min(X, timeout)] has them, which is exact where the points of a law are not quite."""

    def fitted(part: Times, whole: Times) -> Times:
        if part.share <= NOTHING or part.share >= whole.share:
            return part
        mean = (whole.share * whole.limited(timeout) - (whole.share - part.share) * timeout) / part.share
        return replace(part, fixed=part.fixed + mean - part.mean)

    return Ends(fitted(kept.ok, answer.ok), fitted(kept.refused, answer.refused), fitted(kept.failed, answer.failed))


def _cut(ends: Ends, total: float | None) -> Ends:
    """What has not ended by then has failed then."""
    if total is None:
        return ends
    kept, late = attempt(ends, total)
    return Ends(kept.ok, kept.refused, any_of([kept.failed, late]))


def _again(once: Ends, late: Times, retry: Retry, total: float | None) -> Tries:
    allowed = _allowed(once.failed.share, late.share, retry)
    again = [times for times, word in ((once.failed, "error"), (late, "timeout")) if word in retry.on]
    over = [times for times, word in ((once.failed, "error"), (late, "timeout")) if word not in retry.on]
    before, attempts, held, ok, refused, failed = Times(), 0.0, 0.0, list[Times](), list[Times](), list[Times]()
    for number in range(1, retry.max_attempts + 1):
        before = before if number <= FOLLOWED else Times(before.share, before.mean)
        attempts += before.share
        held += before.share * (once.expected + late.expected)
        ended = (
            once.later(before)
            if number <= FOLLOWED
            else Ends(
                *(Times(before.share * its.share, before.mean + its.mean) for its in (once.ok, once.refused, NEVER))
            )
        )
        ok.append(ended.ok)
        refused.append(ended.refused)
        failed += [before.plus(times) for times in over]
        lost = any_of(before.plus(times if number <= FOLLOWED else Times(times.share, times.mean)) for times in again)
        last = number == retry.max_attempts
        failed.append(lost if last else lost.of(1.0 - allowed))
        before = NEVER if last else pause(retry, number, lost.of(allowed))
        if total is not None:
            began = before.in_time(total)
            failed.append(Times(before.share - began.share, total))
            before = began
        if before.share < LEAST:
            failed.append(before)
            break
    return Tries(Ends(any_of(ok), any_of(refused), any_of(failed)), attempts, held)


def attempts(failed: float, late: float, retry: Retry) -> float:
    """How many there are on average where these shares of them fail in time and time out; of a call without a total
    timeout.
    """
    again = _wanted(failed, late, retry) * _allowed(failed, late, retry)
    return float(retry.max_attempts) if again >= 1.0 else (1.0 - again**retry.max_attempts) / (1.0 - again)


def _wanted(failed: float, late: float, retry: Retry) -> float:
    """The share of attempts after which another one is wanted."""
    return min(1.0, math.fsum(share for share, word in ((failed, "error"), (late, "timeout")) if word in retry.on))


def _allowed(failed: float, late: float, retry: Retry) -> float:
    """The share of the retries wanted that the budget pays for: together no more than its ratio of the calls."""
    wanted = _wanted(failed, late, retry)
    ratio = _paid_for(wanted, retry.budget)
    if ratio is None or wanted <= NOTHING:
        return 1.0

    def made(allowed: float) -> float:
        each = allowed * wanted
        return (
            retry.max_attempts - 1.0 if each >= 1.0 else each * (1.0 - each ** (retry.max_attempts - 1)) / (1.0 - each)
        )

    low, high = 0.0, 1.0
    if made(1.0) <= ratio:
        return 1.0
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (low, middle) if made(middle) > ratio else (middle, high)
    return low


def _paid_for(wanted: float, budget: Budget | None) -> float | None:
    """Retries that each call pays for in the long run; None: they are not bounded by that.

    AWS's quota neither fills nor empties where what is not brought back by retries that end well, `wanted * cost` of
    each, is what calls bring that needed none: `(1 - wanted) * increment`. What it holds at first is not on paper.
    """
    if budget is None or budget.min_per_second > 0:
        return None
    if budget.aws is not None:
        lost = wanted * budget.aws.retry_cost
        return budget.aws.no_retry_increment * (1.0 - wanted) / lost if lost > 0.0 else None
    return None if budget.of_library else budget.ratio


def pause(retry: Retry, number: int, before: Times) -> Times:
    """The same after the back-off before retry `number`, from 1.

    Decorrelated jitter is taken at its mean; what does not tell its pauses for nothing.
    """
    if isinstance(retry.backoff, LibraryBackoff):
        return _between(before, *retry.backoff.between(number))
    base, full, longest = retry.backoff.pause(1), retry.backoff.pause(number), retry.backoff.most
    if base is None or full is None:
        return before
    if retry.jitter == "decorrelated":
        return replace(before, fixed=before.fixed + min(base * (2.0 * 1.5 ** min(number, 60) - 1.0), longest))
    low, high = _JITTERS[retry.jitter] if isinstance(retry.jitter, str) else (1.0 - retry.jitter, 1.0 + retry.jitter)
    return _between(before, min(low * full, longest), min(high * full, longest))


def _between(before: Times, low: float, high: float) -> Times:
    if high - low <= 1e-9:
        return replace(before, fixed=before.fixed + high)
    return before.then(Uniform.model_construct(low=low, high=high))
