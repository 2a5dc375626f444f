"""The layers of a guarded call, in their one order. Adding one is a file beside this one, and a line here."""

from sim.models.call import Layer
from sim.models.layers.attempt import Attempt
from sim.models.layers.breaker import Breaker
from sim.models.layers.bulkhead import Bulkhead
from sim.models.layers.fallback import Fallback
from sim.models.layers.hedge import Hedge
from sim.models.layers.pool import Pool
from sim.models.layers.rate_limit import RateLimit
from sim.models.layers.retry import Retry
from sim.models.layers.timeout import Timeout
from sim.models.layers.token import Token
from sim.models.layers.total_timeout import TotalTimeout

LAYERS: tuple[type[Layer], ...] = (  # the outermost first
    Fallback,
    Token,
    TotalTimeout,
    Retry,
    Hedge,
    Breaker,
    RateLimit,
    Timeout,
    Bulkhead,
    Pool,
    Attempt,
)

__all__ = ["LAYERS"]
