"""Run random systems on the compiled engine as plain Python and on SimPy: `NUMBA_DISABLE_JIT=1 python -m tests.compiled.checked FIRST COUNT`.

Prints a line for each system in which they part, and ends with 1 if there was one. What the rows refuse ends it with a traceback.
"""

from __future__ import annotations

import sys
import warnings

from sim import compiled, models
from sim.compiled.base import PLAIN
from tests.compiled.same import differences
from tests.frozen.systems import random_system


def main() -> int:
    """Run so many systems from the first on."""
    if not PLAIN:
        print("found machine code, expected NUMBA_DISABLE_JIT=1", file=sys.stderr)
        return 2
    warnings.simplefilter("error", RuntimeWarning)  # numbers of a machine that overflow
    first, count = map(int, sys.argv[1:])
    parted = 0
    for seed in range(first, first + count):
        scenario = random_system(seed).scenario
        found = differences(models.simulate(scenario), compiled.simulate(scenario))
        if found:
            parted += 1
            print(f"{seed}: {'; '.join(found)}")
    return 1 if parted else 0


if __name__ == "__main__":
    sys.exit(main())
