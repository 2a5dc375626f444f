"""How long a kernel goes on asking for a connection that nobody takes: SYNs are sent again.

The first after 1 s (RFC 6298, TCP_TIMEOUT_INIT of Linux), each further one after twice the time: 1, 3, 7, 15, 31 and
63 s after the first; 64 s after the last Linux gives up (tcp_syn_retries 6: ETIMEDOUT after 127 s).
"""

from __future__ import annotations

FIRST_PAUSE = 1.0  # s
GROWTH = 2.0  # how many times as long each further one is
LINUX_GIVES_UP = 127.0  # s
KEPT_ALIVE = -1.0  # in the place of a time: there is a connection already
