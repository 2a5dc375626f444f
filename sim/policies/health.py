"""When checks of a replica change what is thought of it: Envoy's rule (health_checker_base_impl.cc).

One that is healthy turns at so many failures in a row, one that is not at so many successes; of one that has never
been checked the first answer says all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class HealthRow:
    """What is known of one replica by its checks."""

    healthy: bool = True
    checked: bool = True  # it has been checked before
    in_a_row: int = 0  # checks that spoke against what is thought of it


def note(row: HealthRow, passed: bool, unhealthy_threshold: int, healthy_threshold: int) -> bool:
    """A check has passed or failed; whether another thing is thought of the replica from now on."""
    first, row.checked = not row.checked, True
    if passed == row.healthy:
        row.in_a_row = 0
        return False
    row.in_a_row += 1
    if row.in_a_row < (unhealthy_threshold if row.healthy else 1 if first else healthy_threshold):
        return False
    row.healthy, row.in_a_row = passed, 0
    return True
