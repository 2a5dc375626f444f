"""Which replicas nginx leaves out for a while: its passive checks (ngx_http_upstream_round_robin.c).

A replica that has failed max_fails times is left out while no more than fail_timeout whole seconds have passed since
its last failure, or since it was tried after that. A failure takes weight / max_fails from its effective weight, which
comes back by one at each choice. A success after it was tried again forgets all failures. Backups are chosen where no
other is left. A connection that fails and a timeout are always failures, a status where next_upstream names it, 403 and
404 never (ngx_http_upstream_next: NGX_PEER_FAILED before the mask is asked).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.policies.base import periods, policy
from sim.vocabulary import Outcome

if TYPE_CHECKING:
    from sim.policies.balancing import BalancingRow, PeerRow
    from sim.spec.balancing import NginxPassiveChecks

_ALWAYS_UNSUCCESSFUL = (Outcome.UNREACHABLE, Outcome.TIMEOUT)  # to nginx, whatever proxy_next_upstream says
_UNSUCCESSFUL = {  # where it says so; invalid_header, http_403 and http_404 are no outcome here
    "error": Outcome.UNREACHABLE,
    "timeout": Outcome.TIMEOUT,
    "http_500": Outcome.ERROR,
    "http_502": Outcome.UNREACHABLE,
    "http_503": Outcome.SHED,
    "http_504": Outcome.TIMEOUT,
    "http_429": Outcome.RATE_LIMITED,
}


def unsuccessful(spec: NginxPassiveChecks) -> int:
    """The outcomes that are failures, a bit each."""
    named = (_UNSUCCESSFUL[word] for word in spec.next_upstream if word in _UNSUCCESSFUL)
    return sum(1 << outcome for outcome in {*_ALWAYS_UNSUCCESSFUL, *named})


@policy
def live_peers(
    row: BalancingRow,
    peers: Sequence[PeerRow],
    alive: Sequence[int],
    allowed: list[int],
    replicas: int,
    now: float,
    backup: int,
) -> int:
    """Mark those of nginx that have not failed too often of late, of the backups or of the others; how many they are.

    The only one of all is never left out (`peers->single`, which is 0 of both groups where there is a backup).
    """
    left = 0
    for index in range(replicas):
        peer = peers[index]
        allowed[index] = 1 if alive[index] == 1 and peer.backup == backup else 0
        out = row.fails > 0 and peer.failures >= row.fails and second_of(now) - peer.checked <= row.fail_timeout
        if out and replicas > 1:
            allowed[index] = 0
        left += allowed[index]
    return left


@policy
def second_of(now: float) -> float:
    """ngx_time()."""
    return 1.0 * periods(now, 1.0)


@policy
def hear_as_nginx(row: BalancingRow, peer: PeerRow, outcome: int, now: float) -> None:
    """ngx_http_upstream_free_round_robin_peer."""
    if (row.failing >> outcome) & 1 == 1:
        peer.failures += 1
        peer.accessed = second_of(now)
        peer.checked = peer.accessed
        if row.fails > 0:
            peer.effective = max(0.0, peer.effective - math.floor(peer.weight / row.fails))
    elif peer.accessed < peer.checked:
        peer.failures = 0


@policy
def effective_weight(peer: PeerRow) -> float:
    """What failures have left of its weight; at each choice one of it comes back."""
    weight = peer.effective
    if weight < peer.weight:
        peer.effective += 1.0
    return weight


@policy
def chosen_as_nginx(row: BalancingRow, peer: PeerRow, now: float) -> None:
    """It is tried; from then on it is given time anew, where that was over."""
    if second_of(now) - peer.checked > row.fail_timeout:
        peer.checked = second_of(now)
