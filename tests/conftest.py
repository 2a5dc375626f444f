"""Tests keep their journals to themselves."""

from __future__ import annotations

import os
import tempfile

os.environ["SIM_CACHE"] = tempfile.mkdtemp(prefix="sim-test-cache-")
