"""The chain: the retry and redelivery numbers along the path of an attempt, folded into one number, the `attempt` of
its draws.
"""

from __future__ import annotations

from sim.chance.shared import shared

CHAIN_BASE = 0x9E3779B1
CHAIN_MASK = (1 << 62) - 1


@shared
def link_chain(chain: int, salt: int, attempt: int) -> int:
    """The chain of a part of a chain: 0 for first tries along first sites, another number for every other path.

    In machine code the product wraps at 64 bits, of which the mask keeps the same 62.
    """
    return (chain * CHAIN_BASE + salt + attempt) & CHAIN_MASK if chain or salt or attempt else 0
